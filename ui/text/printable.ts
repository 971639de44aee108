/**
 * The one way that bytes from the wire, and names that servers or clients chose, get to the terminal.
 *
 * Whatever could act on a terminal, or hide from its reader, is shown escaped: control bytes and bytes that are not UTF-8 as
 * redis-cli does (`\n`, `\x1b`), bidi controls, zero-width and other invisible characters as `\u{202e}`.
 */

/** How to write: `unicode` is false where the terminal's locale is not UTF-8, and then all but ASCII is escaped. */
export type Printing = { readonly unicode: boolean };

/** Marks that may sit on one character; more of them would climb over the lines above. */
const MAX_MARKS = 3;

const NAMED: Readonly<Record<number, string>> = {
  7: '\\a',
  8: '\\b',
  9: '\\t',
  10: '\\n',
  13: '\\r',
  92: '\\\\',
};

/** Characters that are invisible, unassigned, or change the direction of text. */
const UNSEEN =
  /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Cn}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\p{Emoji_Modifier}]/u;
const MARK = /\p{M}/u;

/**
 * `bytes` as text that is safe to print. `limit`: how many cells are wanted at least; what is beyond them may be left out. With
 * `quote`, `"` is escaped too, for text that will stand between quotes.
 */
export function printable(
  bytes: Uint8Array,
  { unicode }: Printing,
  limit: number = Number.POSITIVE_INFINITY,
  quote = false,
): string {
  // A character is at most 4 bytes, and no more than 1 + MAX_MARKS of them share a cell.
  const end = Math.min(bytes.length, limit * 4 * (1 + MAX_MARKS) + 4);
  if (isPlain(bytes, Math.min(end, limit + 1), quote))
    return Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(end, limit + 1)).toString('latin1');
  let text = '';
  let marks = MAX_MARKS; // no mark may sit on what stands before this text
  for (let at = 0, cells = 0; at < end && cells <= limit; ) {
    const byte = bytes[at] as number;
    if (byte < 0x80) {
      text += ascii(byte, quote);
      marks = 0;
      cells++;
      at++;
      continue;
    }
    const length = unicode ? lengthAt(bytes, at) : 0;
    if (length === 0) {
      text += `\\x${byte.toString(16).padStart(2, '0')}`;
      cells += 4;
      at++;
      continue;
    }
    const char = Buffer.from(bytes.buffer, bytes.byteOffset + at, length).toString();
    at += length;
    const isMark = MARK.test(char);
    marks = isMark ? marks + 1 : 0;
    const isEscaped = UNSEEN.test(char) || marks > MAX_MARKS;
    text += isEscaped ? escaped(char) : char;
    cells += isEscaped ? 6 : isMark ? 0 : 1;
  }
  return text;
}

/** The same for text that is no bytes: names, addresses, messages. */
export function printableText(text: string, printing: Printing, limit?: number): string {
  if (/^[\x20-\x5b\x5d-\x7e]*$/.test(text)) return text;
  return printable(Buffer.from(text), printing, limit);
}

/** The same with backslashes left alone, for text that has escapes of its own. */
export function printableEscaped(text: string, printing: Printing): string {
  return text
    .split('\\')
    .map((part) => printableText(part, printing))
    .join('\\');
}

/** Text of one character a byte, as filters and events have it. */
export function printableBytes(latin1: string, printing: Printing, limit?: number): string {
  if (/^[\x20-\x5b\x5d-\x7e]*$/.test(latin1)) return latin1;
  return printable(Buffer.from(latin1, 'latin1'), printing, limit);
}

function isPlain(bytes: Uint8Array, end: number, quote: boolean): boolean {
  for (let i = 0; i < end; i++) {
    const byte = bytes[i] as number;
    if (byte < 0x20 || byte > 0x7e || byte === 0x5c || (quote && byte === 0x22)) return false;
  }
  return true;
}

function ascii(byte: number, quote: boolean): string {
  const named = NAMED[byte];
  if (named !== undefined) return named;
  if (quote && byte === 0x22) return '\\"';
  return byte < 0x20 || byte === 0x7f
    ? `\\x${byte.toString(16).padStart(2, '0')}`
    : String.fromCharCode(byte);
}

function escaped(char: string): string {
  return `\\u{${(char.codePointAt(0) ?? 0).toString(16)}}`;
}

/** How many bytes the UTF-8 character at `at` has; 0 where there is none (also for surrogates and overlong forms). */
function lengthAt(bytes: Uint8Array, at: number): number {
  const first = bytes[at] as number;
  const length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || at + length > bytes.length) return 0;
  for (let i = 1; i < length; i++) if (((bytes[at + i] as number) & 0xc0) !== 0x80) return 0;
  const second = bytes[at + 1] as number;
  if (first === 0xe0 && second < 0xa0) return 0;
  if (first === 0xed && second > 0x9f) return 0;
  if (first === 0xf0 && second < 0x90) return 0;
  if (first === 0xf4 && second > 0x8f) return 0;
  return length;
}
