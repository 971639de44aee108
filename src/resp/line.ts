/** One line of RESP: where it ends, and whether it is what its type says. */
import {
  BANG,
  COLON,
  COMMA,
  CR,
  DOLLAR,
  EQUALS,
  GREATER,
  HASH,
  LF,
  MINUS,
  NINE,
  ONE,
  PAREN,
  PERCENT,
  PIPE,
  PLUS,
  STAR,
  TILDE,
  UNDERSCORE,
  ZERO,
} from './bytes.js';

/** What `findLine` gives where there is no line end yet, and where there cannot be one. */
export const INCOMPLETE = -1;
export const BROKEN = -2;

const INT64_MAX = 9223372036854775807n;

/** By byte: 2 for the types of RESP2, 3 for those that RESP3 added, 0 for all else. */
const TYPES = new Uint8Array(256);
for (const type of [PLUS, MINUS, COLON, DOLLAR, STAR]) TYPES[type] = 2;
for (const type of [
  ...[UNDERSCORE, HASH, COMMA, PAREN, BANG, EQUALS],
  ...[PERCENT, TILDE, GREATER, PIPE],
]) {
  TYPES[type] = 3;
}

/** Types whose first line is an integer and nothing else. */
const HAS_DIGITS = new Uint8Array(256);
for (const type of [COLON, DOLLAR, STAR, BANG, EQUALS, PERCENT, TILDE, GREATER, PIPE]) {
  HAS_DIGITS[type] = 1;
}
/** A length has at most as many digits, leading zeros among them; of an unfinished integer's as many are looked at. */
const MOST_LENGTH_DIGITS = 18;
const MOST_LOOKED_AT = 24;

/**
 * Why the unfinished line `buf[pos..end)` can no longer become the first of a value; null while it can.
 *
 * Envoy reads byte by byte and notices at the first wrong one. So must we: a peer that speaks something else (TLS, HTTP/2) may never
 * send a line end.
 */
export function faultOfHead(buf: Buffer, pos: number, end: number, resp3 = true): string | null {
  if (pos >= end) return null;
  const type = buf[pos] as number;
  const known = TYPES[type] as number;
  if (known === 0 || (known === 3 && !resp3)) return unknownType(type);
  if (HAS_DIGITS[type] === 0) return null;
  if (buf[end - 1] === CR) end--;
  const most = type === COLON ? MOST_LOOKED_AT : MOST_LENGTH_DIGITS;
  let at = pos + 1;
  if (at < end && buf[at] === MINUS && (type === COLON || isMinusOne(buf, at, end))) at++;
  const near = Math.min(end, pos + 1 + most);
  while (at < near && (buf[at] as number) >= ZERO && (buf[at] as number) <= NINE) at++;
  return at >= end || (at === near && type === COLON) ? null : 'a length or integer that is none';
}

/** Whether `buf[pos..end)`, which starts with a minus, is -1 or may become it. */
function isMinusOne(buf: Buffer, pos: number, end: number): boolean {
  return end - pos === 1 || (end - pos === 2 && buf[pos + 1] === ONE);
}

/** The position of the line end after `pos`; INCOMPLETE, or BROKEN where a CR stands without LF. */
export function findLine(buf: Buffer, pos: number, end: number): number {
  // Heads are a few bytes: a loop finds their end sooner than a call of indexOf.
  const near = Math.min(end, pos + 32);
  let at = pos;
  while (at < near && buf[at] !== CR) at++;
  if (at === near && near < end) {
    at = buf.indexOf(CR, near);
    if (at === -1 || at >= end) return INCOMPLETE;
  }
  if (at >= end - 1) return INCOMPLETE;
  return buf[at + 1] === LF ? at : BROKEN;
}

/** A length or count: -1, or digits; -2 for anything else (also other negative numbers). Stops at 2^31. */
export function parseLength(buf: Buffer, pos: number, end: number): number {
  if (pos === end) return -2;
  if (buf[pos] === MINUS) return end - pos === 2 && buf[pos + 1] === ONE ? -1 : -2;
  if (end - pos > MOST_LENGTH_DIGITS) return -2;
  let value = 0;
  for (; pos < end; pos++) {
    const byte = buf[pos] as number;
    if (byte < ZERO || byte > NINE) return -2;
    value = value * 10 + (byte - ZERO);
  }
  return value > 0x7fffffff ? -2 : value;
}

/** Whether `buf[pos..end)` is an integer of 64 bits; a minus may lead it, a plus may not. */
export function isInteger(buf: Buffer, pos: number, end: number): boolean {
  if (!isDigits(buf, pos, end)) return false;
  if (end - pos < 19) return true;
  const isNegative = buf[pos] === MINUS;
  if (isNegative) pos++;
  while (pos < end - 1 && buf[pos] === ZERO) pos++; // so that the number made of the rest is a short one
  if (end - pos > 19) return false;
  return BigInt(buf.toString('latin1', pos, end)) <= (isNegative ? INT64_MAX + 1n : INT64_MAX);
}

/** Whether `buf[pos..end)` is an integer of any size. */
export function isDigits(buf: Buffer, pos: number, end: number): boolean {
  if (buf[pos] === MINUS) pos++;
  if (pos >= end) return false;
  for (; pos < end; pos++) {
    const byte = buf[pos] as number;
    if (byte < ZERO || byte > NINE) return false;
  }
  return true;
}

const DOUBLE = /^(?:[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?|[+-]?inf|nan)$/;

/** Whether `buf[pos..end)` is a double as RESP3 spells them. */
export function isDouble(buf: Buffer, pos: number, end: number): boolean {
  return DOUBLE.test(buf.toString('latin1', pos, end));
}

/** What is said of a byte that is no type. */
export function unknownType(byte: number): string {
  const shown =
    byte > 0x20 && byte < 0x7f ? `'${String.fromCharCode(byte)}'` : `0x${byte.toString(16)}`;
  return `${shown} where a RESP type was expected`;
}
