/** Inline commands: `SET k "a b"` and a line end, as Envoy reads them (mesh page, 1.1). */
import { findLine, INCOMPLETE } from './line.js';

const DOUBLE_QUOTE = 0x22;
const SINGLE_QUOTE = 0x27;
const BACKSLASH = 0x5c;
const ESCAPES: Readonly<Record<number, number>> = {
  110: 0x0a, // \n
  114: 0x0d, // \r
  116: 0x09, // \t
  98: 0x08, // \b
  97: 0x07, // \a
};

/** Whether a request that starts with this byte is an inline command: a letter, digit, white space or quote. */
export function startsInline(byte: number): boolean {
  return (
    (byte >= 0x61 && byte <= 0x7a) ||
    (byte >= 0x41 && byte <= 0x5a) ||
    (byte >= 0x30 && byte <= 0x39) ||
    isSpace(byte) ||
    byte === DOUBLE_QUOTE ||
    byte === SINGLE_QUOTE
  );
}

/** White space of C's isspace: a bare \n is one of them and does not end the line. */
function isSpace(byte: number): boolean {
  return byte === 0x20 || (byte >= 0x09 && byte <= 0x0d);
}

/** Where the inline command that starts at `pos` ends, before its CRLF; INCOMPLETE. A CR without LF is white space. */
export function findInlineEnd(buf: Buffer, pos: number, end: number): number {
  for (let from = pos; ; ) {
    const at = findLine(buf, from, end);
    if (at >= 0 || at === INCOMPLETE) return at;
    from = buf.indexOf(0x0d, from) + 1;
  }
}

/** The words of the line `buf[pos..end)`; null where its quoting is broken (a protocol error). */
export function splitInline(buf: Buffer, pos: number, end: number): Buffer[] | null {
  const words: Buffer[] = [];
  while (pos < end) {
    if (isSpace(buf[pos] as number)) {
      pos++;
      continue;
    }
    const first = buf[pos] as number;
    if (first !== DOUBLE_QUOTE && first !== SINGLE_QUOTE) {
      const start = pos;
      while (pos < end && !isSpace(buf[pos] as number)) {
        if (buf[pos] === DOUBLE_QUOTE || buf[pos] === SINGLE_QUOTE) return null;
        pos++;
      }
      words.push(Buffer.from(buf.subarray(start, pos)));
      continue;
    }
    const quoted =
      first === DOUBLE_QUOTE
        ? readDoubleQuoted(buf, pos + 1, end)
        : readSingleQuoted(buf, pos + 1, end);
    if (quoted === null) return null;
    words.push(quoted.word);
    pos = quoted.after;
    if (pos < end && !isSpace(buf[pos] as number)) return null; // text glued to a closing quote
  }
  return words;
}

type Quoted = { readonly word: Buffer; readonly after: number };

function readDoubleQuoted(buf: Buffer, pos: number, end: number): Quoted | null {
  const bytes: number[] = [];
  while (pos < end) {
    const byte = buf[pos++] as number;
    if (byte === DOUBLE_QUOTE) return { word: Buffer.from(bytes), after: pos };
    if (byte !== BACKSLASH || pos === end) {
      bytes.push(byte);
      continue;
    }
    const escaped = buf[pos++] as number;
    const code =
      escaped === 0x78 && pos + 2 <= end ? hexPair(buf.toString('latin1', pos, pos + 2)) : null;
    if (code !== null) {
      bytes.push(code);
      pos += 2;
    } else {
      bytes.push(ESCAPES[escaped] ?? escaped);
    }
  }
  return null;
}

function readSingleQuoted(buf: Buffer, pos: number, end: number): Quoted | null {
  const bytes: number[] = [];
  while (pos < end) {
    const byte = buf[pos++] as number;
    if (byte === SINGLE_QUOTE) return { word: Buffer.from(bytes), after: pos };
    if (byte === BACKSLASH && buf[pos] === SINGLE_QUOTE && pos < end) {
      bytes.push(SINGLE_QUOTE);
      pos++;
    } else {
      bytes.push(byte);
    }
  }
  return null;
}

function hexPair(text: string): number | null {
  return /^[0-9a-fA-F]{2}$/.test(text) ? Number.parseInt(text, 16) : null;
}
