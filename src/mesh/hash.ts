/**
 * The two hashes of a hashed upstream (mesh page, 5.1): keys by MurmurHash64A in the libstdc++ flavour, hosts by xxHash64.
 *
 * A key is hashed for every command, so its 64 bits are two 32-bit halves: with BigInt a key of 20 bytes takes 40 times as long. Hosts
 * are hashed when a table is made, and may take their time.
 */

/** A 64-bit number as two unsigned halves. */
export type Hash64 = { readonly hi: number; readonly lo: number };

const M_HI = 0xc6a4a793;
const M_LO = 0x5bd1e995;
const SEED_LO = 0xc70f6907;

// The product of the last `multiply`: a pair would be an object a call.
let productHi = 0;
let productLo = 0;

/** (hi, lo) × m modulo 2^64. */
function multiply(hi: number, lo: number): void {
  const lowLow = (lo & 0xffff) * (M_LO & 0xffff);
  const lowHigh = (lo & 0xffff) * (M_LO >>> 16);
  const highLow = (lo >>> 16) * (M_LO & 0xffff);
  const middle = (lowLow >>> 16) + (lowHigh & 0xffff) + (highLow & 0xffff);
  const carry = (lo >>> 16) * (M_LO >>> 16) + (lowHigh >>> 16) + (highLow >>> 16) + (middle >>> 16);
  productLo = ((middle << 16) | (lowLow & 0xffff)) >>> 0;
  productHi = (carry + Math.imul(hi, M_LO) + Math.imul(lo, M_HI)) >>> 0;
}

/** x xor (x >> 47), on the product. */
function shiftMix(): void {
  productLo = (productLo ^ (productHi >>> 15)) >>> 0;
}

/** MurmurHash64A of `bytes[start..end)`, seed 0xc70f6907: what `std::hash<std::string>` gives, and Envoy hashes keys with. */
export function hashKey(bytes: Uint8Array, start = 0, end: number = bytes.length): Hash64 {
  const length = end - start;
  multiply(0, length);
  let hi = productHi;
  let lo = (productLo ^ SEED_LO) >>> 0;
  let at = start;
  for (; at + 8 <= end; at += 8) {
    multiply(wordAt(bytes, at + 4, 4), wordAt(bytes, at, 4));
    shiftMix();
    multiply(productHi, productLo);
    multiply((hi ^ productHi) >>> 0, (lo ^ productLo) >>> 0);
    hi = productHi;
    lo = productLo;
  }
  const rest = end - at;
  if (rest > 0) {
    const restLo = wordAt(bytes, at, Math.min(rest, 4));
    const restHi = rest > 4 ? wordAt(bytes, at + 4, rest - 4) : 0;
    multiply((hi ^ restHi) >>> 0, (lo ^ restLo) >>> 0);
    hi = productHi;
    lo = productLo;
  }
  productHi = hi;
  productLo = lo;
  shiftMix();
  multiply(productHi, productLo);
  shiftMix();
  return { hi: productHi, lo: productLo };
}

/** `count` bytes, little end first. */
function wordAt(bytes: Uint8Array, at: number, count: number): number {
  let word = 0;
  for (let i = count - 1; i >= 0; i--) word = ((word << 8) | (bytes[at + i] as number)) >>> 0;
  return word;
}

/** `hash` modulo a number below 2^26. */
export function modulo(hash: Hash64, divisor: number): number {
  return (((hash.hi % divisor) * (4294967296 % divisor) + (hash.lo % divisor)) % divisor) >>> 0;
}

/** The number as a BigInt, for tables and tests. */
export function toBigInt(hash: Hash64): bigint {
  return (BigInt(hash.hi) << 32n) | BigInt(hash.lo);
}

const MASK = 0xffffffffffffffffn;
const P1 = 0x9e3779b185ebca87n;
const P2 = 0xc2b2ae3d27d4eb4fn;
const P3 = 0x165667b19e3779f9n;
const P4 = 0x85ebca77c2b2ae63n;
const P5 = 0x27d4eb2f165667c5n;

const rotate = (x: bigint, by: bigint): bigint => ((x << by) | (x >> (64n - by))) & MASK;
const round = (acc: bigint, input: bigint): bigint =>
  (rotate((acc + input * P2) & MASK, 31n) * P1) & MASK;

/** xxHash64, what Envoy hashes hosts and ring entries with. Source: the xxHash specification. */
export function xxHash64(text: string | Uint8Array, seed = 0n): bigint {
  const bytes = typeof text === 'string' ? Buffer.from(text) : Buffer.from(text);
  let at = 0;
  let hash: bigint;
  if (bytes.length >= 32) {
    let v1 = (seed + P1 + P2) & MASK;
    let v2 = (seed + P2) & MASK;
    let v3 = seed;
    let v4 = (seed - P1) & MASK;
    for (; at + 32 <= bytes.length; at += 32) {
      v1 = round(v1, bytes.readBigUInt64LE(at));
      v2 = round(v2, bytes.readBigUInt64LE(at + 8));
      v3 = round(v3, bytes.readBigUInt64LE(at + 16));
      v4 = round(v4, bytes.readBigUInt64LE(at + 24));
    }
    hash = (rotate(v1, 1n) + rotate(v2, 7n) + rotate(v3, 12n) + rotate(v4, 18n)) & MASK;
    for (const v of [v1, v2, v3, v4]) hash = ((hash ^ round(0n, v)) * P1 + P4) & MASK;
  } else hash = (seed + P5) & MASK;
  hash = (hash + BigInt(bytes.length)) & MASK;
  for (; at + 8 <= bytes.length; at += 8) {
    hash = (rotate(hash ^ round(0n, bytes.readBigUInt64LE(at)), 27n) * P1 + P4) & MASK;
  }
  if (at + 4 <= bytes.length) {
    hash = (rotate(hash ^ ((BigInt(bytes.readUInt32LE(at)) * P1) & MASK), 23n) * P2 + P3) & MASK;
    at += 4;
  }
  for (; at < bytes.length; at++) {
    hash = (rotate(hash ^ ((BigInt(bytes[at] ?? 0) * P5) & MASK), 11n) * P1) & MASK;
  }
  hash = ((hash ^ (hash >> 33n)) * P2) & MASK;
  hash = ((hash ^ (hash >> 29n)) * P3) & MASK;
  return hash ^ (hash >> 32n);
}

/** MurmurHash64A as a BigInt, for ring entries with MURMUR_HASH_2. */
export function murmurHash64(text: string): bigint {
  return toBigInt(hashKey(Buffer.from(text)));
}
