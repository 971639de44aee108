/**
 * A reply as a value, for the few places that look inside one: merging, converting between RESP versions, recordings and the screen.
 *
 * Nothing is lost on the way: integers and doubles keep their text, both RESP2 nulls and the RESP3 one know what they were.
 */
import {
  BANG,
  COLON,
  COMMA,
  DOLLAR,
  EQUALS,
  GREATER,
  HASH,
  MINUS,
  PAREN,
  PERCENT,
  PIPE,
  PLUS,
  STAR,
  TILDE,
  UNDERSCORE,
} from './bytes.js';
import { findLine, parseLength } from './line.js';

/** One RESP value; `type` is its type byte, but for null, which has three spellings. */
export type Reply =
  | { readonly type: '+' | '-' | '$' | '!' | '='; readonly value: Buffer }
  | { readonly type: ':' | ',' | '('; readonly value: string }
  | { readonly type: 'null'; readonly spelling: '$' | '*' | '_' }
  | { readonly type: '#'; readonly value: boolean }
  | { readonly type: '*' | '~' | '>'; readonly items: readonly Reply[] }
  | { readonly type: '%'; readonly pairs: readonly (readonly [Reply, Reply])[] }
  | {
      readonly type: '|';
      readonly pairs: readonly (readonly [Reply, Reply])[];
      readonly of: Reply;
    };

/** An error reply, of either RESP version. */
export function isError(reply: Reply): reply is Extract<Reply, { value: Buffer }> {
  return reply.type === '-' || reply.type === '!';
}

/** The text of a bulk, verbatim (without its format) or simple string; null for anything else. */
export function textOf(reply: Reply): Buffer | null {
  if (reply.type === '$' || reply.type === '+') return reply.value;
  return reply.type === '=' ? reply.value.subarray(4) : null;
}

/**
 * The value at `buf[start..)`, which must be whole and valid: a scanner has seen it.
 *
 * Values share the bytes of `buf`. Gives null where the bytes end before the value does (a cut recording).
 */
export function decodeReply(buf: Buffer, start = 0, end: number = buf.length): Reply | null {
  const reader = { buf, pos: start, end };
  return read(reader);
}

type Reader = { readonly buf: Buffer; pos: number; readonly end: number };

function read(reader: Reader): Reply | null {
  const { buf, pos, end } = reader;
  const lineEnd = findLine(buf, pos, end);
  if (lineEnd < 0) return null;
  const type = buf[pos] as number;
  reader.pos = lineEnd + 2;
  switch (type) {
    case PLUS:
      return { type: '+', value: buf.subarray(pos + 1, lineEnd) };
    case MINUS:
      return { type: '-', value: buf.subarray(pos + 1, lineEnd) };
    case COLON:
      return { type: ':', value: buf.toString('latin1', pos + 1, lineEnd) };
    case COMMA:
      return { type: ',', value: buf.toString('latin1', pos + 1, lineEnd) };
    case PAREN:
      return { type: '(', value: buf.toString('latin1', pos + 1, lineEnd) };
    case HASH:
      return { type: '#', value: buf[pos + 1] === 0x74 };
    case UNDERSCORE:
      return { type: 'null', spelling: '_' };
    case DOLLAR:
      return readBulk(reader, '$', parseLength(buf, pos + 1, lineEnd));
    case BANG:
      return readBulk(reader, '!', parseLength(buf, pos + 1, lineEnd));
    case EQUALS:
      return readBulk(reader, '=', parseLength(buf, pos + 1, lineEnd));
    case STAR:
      return readItems(reader, '*', parseLength(buf, pos + 1, lineEnd));
    case TILDE:
      return readItems(reader, '~', parseLength(buf, pos + 1, lineEnd));
    case GREATER:
      return readItems(reader, '>', parseLength(buf, pos + 1, lineEnd));
    case PERCENT: {
      const pairs = readPairs(reader, parseLength(buf, pos + 1, lineEnd));
      return pairs && { type: '%', pairs };
    }
    case PIPE: {
      const pairs = readPairs(reader, parseLength(buf, pos + 1, lineEnd));
      const of = pairs && read(reader);
      return of && { type: '|', pairs, of };
    }
    default:
      return null;
  }
}

function readBulk(reader: Reader, type: '$' | '!' | '=', length: number): Reply | null {
  if (length === -1) return { type: 'null', spelling: '$' };
  const start = reader.pos;
  if (length < 0 || start + length + 2 > reader.end) return null;
  reader.pos = start + length + 2;
  return { type, value: reader.buf.subarray(start, start + length) };
}

function readItems(reader: Reader, type: '*' | '~' | '>', count: number): Reply | null {
  if (count === -1) return { type: 'null', spelling: '*' };
  const items: Reply[] = [];
  for (let i = 0; i < count; i++) {
    const item = read(reader);
    if (item === null) return null;
    items.push(item);
  }
  return { type, items };
}

function readPairs(reader: Reader, count: number): [Reply, Reply][] | null {
  const pairs: [Reply, Reply][] = [];
  for (let i = 0; i < count; i++) {
    const key = read(reader);
    const value = key && read(reader);
    if (key === null || value === null) return null;
    pairs.push([key, value]);
  }
  return pairs;
}
