/**
 * Bytes and replies ↔ JSON (recording page, 4.2). Nothing is lost: text where bytes are UTF-8, base64 where not, and a reply's RESP type
 * as its key. A reply whose bytes would not come back exactly is written as `raw`.
 */
import { isUtf8 } from 'node:buffer';
import { createHash } from 'node:crypto';
import type { KeptArgument } from '../events/condense.js';
import { decodeReply, type Reply } from '../resp/value.js';

/** A JSON value of a line. */
export type Json =
  | null
  | boolean
  | number
  | string
  | readonly Json[]
  | { readonly [key: string]: Json | undefined };

/** A JSON object: a line, or a part of one. */
export type JsonObject = { readonly [key: string]: Json | undefined };

/** Whether a JSON value is an object, not an array. */
export function isJsonObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Bytes as text if they are UTF-8, else as base64. */
export function bytesToJson(bytes: Buffer): Json {
  return isUtf8(bytes) ? bytes.toString() : { b64: bytes.toString('base64') };
}

/** The bytes that `bytesToJson` wrote; null for a value that was cut or removed. */
export function bytesFromJson(value: Json | undefined): Buffer | null {
  if (typeof value === 'string') return Buffer.from(value);
  return isJsonObject(value) && typeof value.b64 === 'string'
    ? Buffer.from(value.b64, 'base64')
    : null;
}

/** Keys are kept whole, whatever their size; above this one even they are cut, for a line is a string. */
const MOST_WHOLE = 8 * 1024 * 1024;

export function argumentToJson(arg: KeptArgument): Json {
  switch (arg.kind) {
    case 'whole': {
      if (arg.bytes.length <= MOST_WHOLE) return bytesToJson(arg.bytes);
      const sha256 = createHash('sha256').update(arg.bytes).digest('hex');
      return { cut: arg.bytes.length, head: bytesToJson(arg.bytes.subarray(0, 4096)), sha256 };
    }
    case 'redacted':
      return { red: arg.rule };
    case 'cut':
      return { cut: arg.total, head: bytesToJson(arg.bytes), sha256: arg.sha256 };
  }
}

const REDACTED = Buffer.from('(redacted)');

/** The argument that `argumentToJson` wrote; what is none of its forms counts as removed. */
export function argumentFromJson(value: Json): KeptArgument {
  const bytes = bytesFromJson(value);
  if (bytes !== null) return { kind: 'whole', bytes };
  if (isJsonObject(value) && typeof value.cut === 'number') {
    const head = bytesFromJson(value.head) ?? Buffer.alloc(0);
    return { kind: 'cut', bytes: head, total: value.cut, sha256: String(value.sha256 ?? '') };
  }
  const rule = isJsonObject(value) && typeof value.red === 'string' ? value.red : 'unknown';
  return { kind: 'redacted', rule, bytes: REDACTED };
}

const SAFE_INTEGER = /^(?:0|-?[1-9]\d{0,15})$/;

/** A reply by its RESP type byte. */
export function replyToJson(reply: Reply): Json {
  switch (reply.type) {
    case '$':
      return bytesToJson(reply.value);
    case ':':
      return SAFE_INTEGER.test(reply.value) && Number.isSafeInteger(Number(reply.value))
        ? Number(reply.value)
        : { ':': reply.value };
    case 'null':
      return reply.spelling === '$' ? null : { [reply.spelling]: null };
    case '#':
      return reply.value;
    case '*':
      return reply.items.map(replyToJson);
    case '+':
    case '-':
    case '!':
    case '=':
      return { [reply.type]: bytesToJson(reply.value) };
    case ',':
    case '(':
      return { [reply.type]: reply.value };
    case '~':
    case '>':
      return { [reply.type]: reply.items.map(replyToJson) };
    case '%':
      return { '%': pairsToJson(reply.pairs) };
    case '|':
      return { '|': pairsToJson(reply.pairs), v: replyToJson(reply.of) };
  }
}

function pairsToJson(pairs: readonly (readonly [Reply, Reply])[]): Json {
  return pairs.map(([key, value]) => [replyToJson(key), replyToJson(value)]);
}

/** The reply at `bytes`, which come from a server that was read whole: as JSON that gives exactly these bytes back. */
export function replyBytesToJson(bytes: Buffer): Json {
  const reply = decodeReply(bytes);
  if (reply === null) return { raw: bytesToJson(bytes) };
  const json = replyToJson(reply);
  return replyBytesFromJson(json)?.equals(bytes) ? json : { raw: bytesToJson(bytes) };
}

/** The RESP bytes of a reply in a recording; null where they are not kept (cut or removed), or it is none. */
export function replyBytesFromJson(value: Json | undefined): Buffer | null {
  const out: (Buffer | string)[] = [];
  if (!writeReply(value, out)) return null;
  if (out.length === 1 && typeof out[0] === 'string') return Buffer.from(out[0]);
  return Buffer.concat(out.map((each) => (typeof each === 'string' ? Buffer.from(each) : each)));
}

/** Writes `value` as RESP into `out`; false where it cannot be. */
function writeReply(value: Json | undefined, out: (Buffer | string)[]): boolean {
  if (value === undefined) return false;
  if (value === null) return push(out, '$-1\r\n');
  if (typeof value === 'number') return push(out, `:${value}\r\n`);
  if (typeof value === 'boolean') return push(out, value ? '#t\r\n' : '#f\r\n');
  if (typeof value === 'string') return push(out, `$${Buffer.byteLength(value)}\r\n${value}\r\n`);
  if (!isJsonObject(value)) return writeItems('*', value as readonly Json[], out);
  for (const tag in value) return writeTagged(tag, value, out);
  return false;
}

function writeTagged(tag: string, value: JsonObject, out: (Buffer | string)[]): boolean {
  const of = value[tag];
  switch (tag) {
    case 'b64':
      return writeSized('$', value, out);
    case '!':
    case '=':
      return writeSized(tag, of, out);
    case '+':
    case '-': {
      const bytes = bytesFromJson(of);
      return bytes !== null && push(out, tag, bytes, '\r\n');
    }
    case ':':
    case ',':
    case '(':
      return typeof of === 'string' && push(out, `${tag}${of}\r\n`);
    case '*':
      return push(out, '*-1\r\n');
    case '_':
      return push(out, '_\r\n');
    case '~':
    case '>':
      return Array.isArray(of) && writeItems(tag, of as readonly Json[], out);
    case '%':
      return writePairs(tag, of, out);
    case '|':
      return writePairs(tag, of, out) && writeReply(value.v, out);
    case 'raw': {
      const bytes = bytesFromJson(of);
      return bytes !== null && push(out, bytes);
    }
    default:
      return false;
  }
}

function push(out: (Buffer | string)[], ...pieces: readonly (Buffer | string)[]): true {
  out.push(...pieces);
  return true;
}

function writeSized(tag: string, value: Json | undefined, out: (Buffer | string)[]): boolean {
  const bytes = bytesFromJson(value);
  return bytes !== null && push(out, `${tag}${bytes.length}\r\n`, bytes, '\r\n');
}

function writeItems(tag: string, items: readonly Json[], out: (Buffer | string)[]): boolean {
  out.push(`${tag}${items.length}\r\n`);
  return items.every((item) => writeReply(item, out));
}

function writePairs(tag: string, pairs: Json | undefined, out: (Buffer | string)[]): boolean {
  if (!Array.isArray(pairs)) return false;
  out.push(`${tag}${pairs.length}\r\n`);
  return pairs.every(
    (pair: Json) =>
      Array.isArray(pair) &&
      pair.length === 2 &&
      pair.every((each) => writeReply(each as Json, out)),
  );
}
