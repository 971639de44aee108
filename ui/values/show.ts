/**
 * A value as text: taken for what it looks like, or for what the user says it is. Values come from anywhere: whatever they are, this
 * ends soon, makes no more lines than its budget has, and gives nothing that could act on a terminal.
 */
import { isUtf8 } from 'node:buffer';
import { count } from '../text/figures.js';
import { type Printing, printable, printableEscaped, printableText } from '../text/printable.js';
import { compressionOf, type Inflated, inflated } from './gzip.js';
import { isJson, jsonLines, jsonProblem } from './json.js';
import { type Budget, CODEC_NAMES, type Codec, looksLikeText, type Shown } from './kinds.js';
import { type Decoded, decodeMsgpack, isOneValue, looksLikeMsgpack } from './msgpack.js';
import { decodeProtobuf, type Field } from './protobuf.js';

/** Longer values are shown by their head. */
const MAX_TEXT = 16 * 1024;
const MAX_TEXT_LINES = 400;
const MAX_HEX = 4096;
/** What one value may inflate to. */
const MAX_INFLATED = 1024 * 1024;
/** A compressed value in a compressed value, and so on. */
const MAX_LAYERS = 3;

/**
 * What is known of a value besides its bytes: whether they are all of it, what it is to be taken for (null: what it looks like), and the
 * cells there are for a line of it.
 */
export type About = {
  readonly isWhole: boolean;
  readonly codec: Codec | null;
  readonly width: number;
};

/** Lays `bytes` out. The name says what they were taken for; it is empty for plain text and for numbers. */
export function showValue(
  bytes: Buffer,
  about: About,
  printing: Printing,
  budget: Budget,
  layers = 0,
): Shown {
  const codec = about.codec ?? guess(bytes, about.isWhole);
  switch (codec) {
    case 'json':
      return json(bytes, about, printing, budget);
    case 'msgpack':
      return msgpack(bytes, about, printing, budget);
    case 'gzip':
      return gzip(bytes, about, printing, budget, layers);
    case 'protobuf':
      return protobuf(bytes, about, printing, budget);
    case 'text':
      return {
        name: bytes.length === 0 ? 'empty' : nameOf(bytes, about),
        lines: textLines(bytes, printing),
      };
    case 'hex':
      return { name: CODEC_NAMES.hex, lines: hexLines(bytes, about.width, budget) };
  }
}

function nameOf(bytes: Buffer, about: About): string {
  if (about.codec !== null) return CODEC_NAMES.text;
  return bytes.some((byte) => byte > 0x7e) ? 'UTF-8' : '';
}

/** What `bytes` look like; only their head is known where they are not whole. */
export function guess(bytes: Buffer, isWhole: boolean): Codec {
  const first = firstVisible(bytes);
  if (isWhole && (first === 0x7b || first === 0x5b) && isUtf8(bytes) && isJson(bytes.toString()))
    return 'json';
  if (
    compressionOf(bytes) !== null &&
    inflated(bytes, compressionOf(bytes) ?? 'gzip', 64).kind !== 'broken'
  )
    return 'gzip';
  if (looksLikeText(isWhole ? bytes : withoutHalfCharacter(bytes))) return 'text';
  if (isWhole && looksLikeMsgpack(bytes)) return 'msgpack';
  if (isWhole && bytes.length > 1 && decodeProtobuf(bytes, true) !== null) return 'protobuf';
  return 'hex';
}

function firstVisible(bytes: Buffer): number {
  for (const byte of bytes) if (byte > 0x20) return byte;
  return 0;
}

/** A cut may have gone through a character of UTF-8. */
function withoutHalfCharacter(bytes: Buffer): Buffer {
  let end = bytes.length;
  while (end > Math.max(0, bytes.length - 4) && ((bytes[end - 1] ?? 0) & 0xc0) === 0x80) end--;
  return end > 0 && (bytes[end - 1] ?? 0) >= 0xc0 ? bytes.subarray(0, end - 1) : bytes;
}

/** Where the user insists on a form that the bytes do not have. */
function isNot(
  codec: Codec,
  why: string,
  bytes: Buffer,
  { width }: About,
  printing: Printing,
  budget: Budget,
): Shown {
  const because = why === '' ? '' : `: ${printableText(why, printing)}`;
  return {
    name: `not ${CODEC_NAMES[codec]}${because}`,
    lines: looksLikeText(bytes) ? textLines(bytes, printing) : hexLines(bytes, width, budget),
  };
}

/** As redis-cli quotes it, a line for each of its own. */
function textLines(bytes: Buffer, printing: Printing): string[] {
  const lines: string[] = [];
  for (let at = 0; at < bytes.length && at < MAX_TEXT && lines.length < MAX_TEXT_LINES; ) {
    const newline = bytes.indexOf(0x0a, at);
    const isLast = lines.length === MAX_TEXT_LINES - 1;
    const end = Math.min(newline === -1 || isLast ? bytes.length : newline + 1, MAX_TEXT);
    lines.push(printable(bytes.subarray(at, end), printing, undefined, true));
    at = end;
  }
  const first = lines[0] ?? '';
  lines[0] = `"${first}`;
  lines[lines.length - 1] += `"${moreThan(bytes)}`;
  return lines;
}

function moreThan(bytes: Buffer): string {
  return bytes.length > MAX_TEXT ? ` ... ${count(bytes.length - MAX_TEXT)} bytes more` : '';
}

function quoted(bytes: Buffer, printing: Printing): string {
  return `"${printable(bytes.subarray(0, MAX_TEXT), printing, undefined, true)}"${moreThan(bytes)}`;
}

function json(bytes: Buffer, about: About, printing: Printing, budget: Budget): Shown {
  const text = bytes.toString();
  const lines = jsonLines(text, budget.lines);
  if (lines === null) return isNot('json', jsonProblem(text), bytes, about, printing, budget);
  budget.lines -= lines.length;
  // Its own escapes stand as they were written.
  const shown = (line: string): string => printableEscaped(line, printing);
  return { name: guessed('json', about), lines: lines.map(shown) };
}

const TOO_MUCH: Inflated = { kind: 'more' };

function gzip(
  bytes: Buffer,
  about: About,
  printing: Printing,
  budget: Budget,
  layers: number,
): Shown {
  const kind = compressionOf(bytes);
  if (kind === null) return isNot('gzip', '', bytes, about, printing, budget);
  const limit = Math.min(MAX_INFLATED, budget.inflate);
  const result: Inflated =
    layers >= MAX_LAYERS || limit <= 0 ? TOO_MUCH : inflated(bytes, kind, limit);
  if (result.kind === 'broken')
    return isNot('gzip', 'it is damaged', bytes, about, printing, budget);
  if (result.kind === 'more') {
    budget.inflate -= limit;
    return {
      name: `${kind}, not inflated: it is more than is shown`,
      lines: hexLines(bytes.subarray(0, 64), about.width, budget),
    };
  }
  budget.inflate -= result.bytes.length;
  const isWhole = about.isWhole && result.whole;
  const inner = showValue(
    result.bytes,
    { isWhole, codec: null, width: about.width },
    printing,
    budget,
    layers + 1,
  );
  const head = isWhole ? '' : ' (the head of it)';
  return {
    name: `${kind} of ${count(result.bytes.length)} B${head}${inner.name === '' ? '' : `, ${inner.name}`}`,
    lines: inner.lines,
  };
}

function msgpack(bytes: Buffer, about: About, printing: Printing, budget: Budget): Shown {
  const value = decodeMsgpack(bytes);
  if (value === null && isOneValue(bytes))
    // A timestamp that no clock shows, or a key `__proto__`, which the library refuses.
    return {
      name: `${guessed('msgpack', about)}, not decoded`,
      lines: hexLines(bytes, about.width, budget),
    };
  if (value === null) return isNot('msgpack', '', bytes, about, printing, budget);
  const lines: string[] = [];
  decodedLines(value, '', '', printing, budget, lines);
  return { name: guessed('msgpack', about), lines };
}

function guessed(codec: Codec, { codec: forced }: About): string {
  return `${forced === null ? 'looks like ' : ''}${CODEC_NAMES[codec]}`;
}

function decodedLines(
  value: Decoded,
  indent: string,
  label: string,
  printing: Printing,
  budget: Budget,
  lines: string[],
): void {
  if (--budget.lines < 0) return;
  const deeper = `${indent}  `;
  switch (value.kind) {
    case 'text':
      lines.push(`${indent}${label}${printableText(value.text, printing)}`);
      return;
    case 'bytes':
      lines.push(`${indent}${label}${value.note}${quoted(value.bytes, printing)}`);
      return;
    case 'list':
      lines.push(`${indent}${label}[${value.items.length === 0 ? ']' : ''}`);
      for (const item of value.items) decodedLines(item, deeper, '', printing, budget, lines);
      if (value.items.length > 0) lines.push(`${indent}]`);
      return;
    case 'map':
      lines.push(`${indent}${label}{${value.pairs.length === 0 ? '}' : ''}`);
      for (const [key, each] of value.pairs)
        decodedLines(each, deeper, `${keyText(key, printing)}: `, printing, budget, lines);
      if (value.pairs.length > 0) lines.push(`${indent}}`);
  }
}

/** Text keys begin with `"`, all others with `=`. */
function keyText(key: string, printing: Printing): string {
  const text = printable(Buffer.from(key.slice(1)), printing, undefined, true);
  return key.startsWith('"') ? `"${text}"` : text;
}

function protobuf(bytes: Buffer, about: About, printing: Printing, budget: Budget): Shown {
  const fields = decodeProtobuf(bytes, about.codec === null);
  if (fields === null) return isNot('protobuf', '', bytes, about, printing, budget);
  const lines: string[] = [];
  fieldLines(fields, '', printing, budget, lines);
  return { name: guessed('protobuf', about), lines };
}

function fieldLines(
  fields: readonly Field[],
  indent: string,
  printing: Printing,
  budget: Budget,
  lines: string[],
): void {
  for (const { number, value } of fields) {
    if (--budget.lines < 0) return;
    if (value.kind === 'number') lines.push(`${indent}${number}: ${value.text}`);
    else if (value.kind === 'bytes')
      lines.push(`${indent}${number}: ${quoted(value.bytes, printing)}`);
    else {
      lines.push(`${indent}${number}: {`);
      fieldLines(value.fields, `${indent}  `, printing, budget, lines);
      lines.push(`${indent}}`);
    }
  }
}

/** `24 33 0d 0a  |$3..|`: 16 bytes a line, 8 where it is narrow. */
function hexLines(bytes: Buffer, width: number, budget: Budget): string[] {
  const perLine = width >= 4 * 16 + 3 ? 16 : 8;
  const lines: string[] = [];
  const end = Math.min(bytes.length, MAX_HEX);
  for (let at = 0; at < end && budget.lines > 0; at += perLine, budget.lines--) {
    const row = bytes.subarray(at, Math.min(end, at + perLine));
    const digits = Array.from(row, (byte) => byte.toString(16).padStart(2, '0')).join(' ');
    const text = row.toString('latin1').replace(/[^\x20-\x7e]/g, '.');
    lines.push(`${digits.padEnd(3 * perLine)} |${text}|`);
  }
  if (bytes.length > MAX_HEX)
    lines.push(`... ${count(bytes.length - MAX_HEX)} bytes more: the Hex tab`);
  return lines;
}
