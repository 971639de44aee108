/** MessagePack. The library decodes; before it does, the bytes are walked once, so that none of them can make it allocate or recurse. */
import { decode, ExtData } from '@msgpack/msgpack';

/** Deeper nesting is taken for no MessagePack. */
const MAX_DEPTH = 64;

/** Whether `bytes` are exactly one value, and that a map or an array: nearly all other bytes would be a value, too. */
export function looksLikeMsgpack(bytes: Buffer): boolean {
  const first = bytes[0] ?? 0;
  const isContainer = (first >= 0x80 && first <= 0x9f) || (first >= 0xdc && first <= 0xdf);
  return isContainer && isOneValue(bytes);
}

/** Whether `bytes` are exactly one value. All lengths that it declares are there, so no more is allocated than there are bytes. */
export function isOneValue(bytes: Buffer): boolean {
  return endOfValue(bytes, 0, 0) === bytes.length;
}

/** Where the value at `at` ends; -1 where it is none, or ends beyond the bytes. */
function endOfValue(bytes: Buffer, at: number, depth: number): number {
  const type = bytes[at];
  if (type === undefined || depth > MAX_DEPTH) return -1;
  const next = at + 1;
  if (type <= 0x7f || type >= 0xe0) return next;
  if (type <= 0x8f) return endOfItems(bytes, next, 2 * (type & 0x0f), depth);
  if (type <= 0x9f) return endOfItems(bytes, next, type & 0x0f, depth);
  if (type <= 0xbf) return within(bytes, next + (type & 0x1f));
  const [lengthBytes, extra, isMap] = HEADS[type - 0xc0] ?? [-1, 0, null];
  if (lengthBytes < 0 || next + lengthBytes > bytes.length) return -1;
  const declared = lengthBytes === 0 ? 0 : bytes.readUIntBE(next, lengthBytes);
  const body = next + lengthBytes;
  if (isMap === null) return within(bytes, body + declared + extra);
  return endOfItems(bytes, body, isMap ? 2 * declared : declared, depth);
}

function endOfItems(bytes: Buffer, at: number, items: number, depth: number): number {
  // Each item is a byte at least.
  if (items > bytes.length - at) return -1;
  for (let i = 0; i < items && at !== -1; i++) at = endOfValue(bytes, at, depth + 1);
  return at;
}

function within(bytes: Buffer, end: number): number {
  return end <= bytes.length ? end : -1;
}

/** 0xc0 to 0xdf: bytes that hold a length, fixed bytes after them; and whether items follow, and those of a map. */
const HEADS: readonly (readonly [lengthBytes: number, extra: number, isMap: boolean | null])[] = [
  [0, 0, null], // nil
  [-1, 0, null], // never used
  [0, 0, null], // false
  [0, 0, null], // true
  [1, 0, null], // bin
  [2, 0, null],
  [4, 0, null],
  [1, 1, null], // ext: its type is a byte more
  [2, 1, null],
  [4, 1, null],
  [0, 4, null], // float
  [0, 8, null],
  [0, 1, null], // uint
  [0, 2, null],
  [0, 4, null],
  [0, 8, null],
  [0, 1, null], // int
  [0, 2, null],
  [0, 4, null],
  [0, 8, null],
  [0, 2, null], // fixext
  [0, 3, null],
  [0, 5, null],
  [0, 9, null],
  [0, 17, null],
  [1, 0, null], // str
  [2, 0, null],
  [4, 0, null],
  [2, 0, false], // array
  [4, 0, false],
  [2, 0, true], // map
  [4, 0, true],
];

/** What was decoded: a string or binary is bytes, `text` anything else that has no parts. */
export type Decoded =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'bytes'; readonly bytes: Buffer; readonly note: string }
  | { readonly kind: 'list'; readonly items: readonly Decoded[] }
  | { readonly kind: 'map'; readonly pairs: readonly (readonly [key: string, Decoded])[] };

/** The value of `bytes`; null where they are not exactly one. Of a key that a map has twice, the last is given. */
export function decodeMsgpack(bytes: Buffer): Decoded | null {
  if (!isOneValue(bytes)) return null;
  try {
    // Strings stay bytes: they need not be UTF-8, and one function alone says how bytes are shown.
    return shaped(decode(bytes, { useBigInt64: true, rawStrings: true, mapKeyConverter: keyText }));
  } catch {
    return null; // a timestamp out of range, say
  }
}

/** Maps come as objects: with a sign before each key none is `__proto__`, and numbers do not jump to the front. */
function keyText(key: unknown): string {
  const bytes = key instanceof Uint8Array ? Buffer.from(key).toString() : String(key);
  return `${typeof key === 'string' || key instanceof Uint8Array ? '"' : '='}${bytes}`;
}

function shaped(value: unknown): Decoded {
  if (value instanceof Uint8Array) return { kind: 'bytes', bytes: Buffer.from(value), note: '' };
  if (Array.isArray(value)) return { kind: 'list', items: value.map(shaped) };
  if (value instanceof Date) return { kind: 'text', text: `timestamp ${value.toISOString()}` };
  if (value instanceof ExtData) {
    const data = typeof value.data === 'function' ? value.data(0) : value.data;
    return { kind: 'bytes', bytes: Buffer.from(data), note: `extension ${value.type} ` };
  }
  if (typeof value !== 'object' || value === null) return { kind: 'text', text: String(value) };
  return {
    kind: 'map',
    pairs: Object.entries(value).map(([key, each]) => [key, shaped(each)] as const),
  };
}
