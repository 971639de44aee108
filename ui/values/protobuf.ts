/**
 * Protobuf's wire format without a schema: numbers of fields and what can be told of their values. A length-delimited field may be a
 * string, bytes or a message; it is taken for what it looks like. Source: protobuf.dev/programming-guides/encoding.
 */
import { looksLikeText } from './kinds.js';

/** One field; a number is given in each way that its bytes may be meant. */
export type Field = {
  readonly number: number;
  readonly value:
    | { readonly kind: 'number'; readonly text: string }
    | { readonly kind: 'bytes'; readonly bytes: Buffer }
    | { readonly kind: 'message'; readonly fields: readonly Field[] };
};

const MAX_DEPTH = 16;
const MAX_NUMBER = 2 ** 29 - 1;
/** Schemas of people have no larger ones, and random bytes nearly always do. */
const LIKELY_NUMBER = 4096;

/** The fields of `bytes`; null where they are not exactly a message. */
export function decodeProtobuf(bytes: Buffer, isGuess: boolean): readonly Field[] | null {
  return bytes.length === 0 ? null : message(bytes, isGuess ? LIKELY_NUMBER : MAX_NUMBER, 0);
}

function message(bytes: Buffer, maxNumber: number, depth: number): Field[] | null {
  const fields: Field[] = [];
  for (let at = 0; at < bytes.length; ) {
    const tag = varint(bytes, at);
    if (tag === null) return null;
    const number = Number(tag.value >> 3n);
    if (number < 1 || number > maxNumber) return null;
    const value = valueAt(bytes, tag.end, Number(tag.value & 7n), maxNumber, depth);
    if (value === null) return null;
    fields.push({ number, value: value.value });
    at = value.end;
  }
  return fields;
}

type Found = { readonly value: Field['value']; readonly end: number };

function valueAt(
  bytes: Buffer,
  at: number,
  wireType: number,
  maxNumber: number,
  depth: number,
): Found | null {
  const number = (text: string, end: number): Found => ({ value: { kind: 'number', text }, end });
  switch (wireType) {
    case 0: {
      const found = varint(bytes, at);
      return found === null ? null : number(varintText(found.value), found.end);
    }
    case 1: {
      if (at + 8 > bytes.length) return null;
      const double = bytes.readDoubleLE(at);
      return number(`${bytes.readBigUInt64LE(at)} (64 bits; double ${double})`, at + 8);
    }
    case 2:
      return delimited(bytes, at, maxNumber, depth);
    case 5: {
      if (at + 4 > bytes.length) return null;
      const float = Number(bytes.readFloatLE(at).toPrecision(7));
      return number(`${bytes.readUInt32LE(at)} (32 bits; float ${float})`, at + 4);
    }
    default:
      return null; // groups: long out of use
  }
}

function delimited(bytes: Buffer, at: number, maxNumber: number, depth: number): Found | null {
  const length = varint(bytes, at);
  if (length === null || length.value > BigInt(bytes.length - length.end)) return null;
  const end = length.end + Number(length.value);
  const inner = bytes.subarray(length.end, end);
  const isText = looksLikeText(inner);
  const fields = isText || depth >= MAX_DEPTH ? null : message(inner, maxNumber, depth + 1);
  if (fields === null || fields.length === 0)
    return { value: { kind: 'bytes', bytes: inner }, end };
  return { value: { kind: 'message', fields }, end };
}

/** Negative numbers of type int32 and int64 go as their two's complement. */
function varintText(value: bigint): string {
  const signed = BigInt.asIntN(64, value);
  return signed < 0n ? `${value} (or ${signed})` : String(value);
}

function varint(
  bytes: Buffer,
  at: number,
): { readonly value: bigint; readonly end: number } | null {
  let value = 0n;
  for (let i = 0; i < 10; i++) {
    const byte = bytes[at + i];
    if (byte === undefined) return null;
    value |= BigInt(byte & 0x7f) << BigInt(7 * i);
    if (byte < 0x80) return { value: BigInt.asUintN(64, value), end: at + i + 1 };
  }
  return null;
}
