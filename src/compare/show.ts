/** A reply as one line of text that is safe on a terminal: as redis-cli would quote it. */
import type { Reply } from '../resp/value.js';

/** What a value is cut to, in bytes. */
const SHOWN_BYTES = 64;
const SHOWN_ITEMS = 6;

const NAMED: Readonly<Record<number, string>> = {
  7: '\\a',
  8: '\\b',
  9: '\\t',
  10: '\\n',
  13: '\\r',
  34: '\\"',
  92: '\\\\',
};

/** Bytes in double quotes, what is not printable ASCII as `\xNN`; as redis-cli and MONITOR write them. */
export function quoteBytes(bytes: Buffer): string {
  let text = '"';
  for (const byte of bytes)
    text +=
      NAMED[byte] ??
      (byte < 0x20 || byte > 0x7e
        ? `\\x${byte.toString(16).padStart(2, '0')}`
        : String.fromCharCode(byte));
  return `${text}"`;
}

/** As `quoteBytes`, UTF-8 text kept readable, with `…` where bytes around `at` were left out. */
export function quoteAround(bytes: Buffer, at = 0): string {
  const from = bytes.length <= SHOWN_BYTES ? 0 : Math.max(0, at - SHOWN_BYTES / 4);
  const to = Math.min(bytes.length, from + SHOWN_BYTES);
  const quoted = quoteText(bytes.subarray(from, to));
  return `${from > 0 ? '…' : ''}${quoted}${to < bytes.length ? '…' : ''}`;
}

/** Control, format and direction characters: they would act on a terminal, or hide there. */
const UNSAFE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Co}\p{Cn}]/u;

function quoteText(bytes: Buffer): string {
  const text = bytes.toString();
  if (text.includes('\ufffd') || UNSAFE.test(text)) return quoteBytes(bytes);
  return `"${text.replace(/["\\]/g, '\\$&')}"`;
}

/** One line for a reply; long ones are cut. */
export function showReply(reply: Reply | null): string {
  if (reply === null) return '(none)';
  switch (reply.type) {
    case '$':
      return quoteAround(reply.value);
    case '=':
      return quoteAround(reply.value.subarray(4));
    case '+':
      return quoteAround(reply.value).slice(1, -1);
    case '-':
    case '!':
      return `(error) ${quoteAround(reply.value).slice(1, -1)}`;
    case ':':
      return `(integer) ${reply.value}`;
    case ',':
    case '(':
      return reply.value;
    case 'null':
      return '(nil)';
    case '#':
      return String(reply.value);
    case '*':
    case '~':
    case '>':
      return `[${some(reply.items.map((item) => () => showReply(item)))}]`;
    case '%':
      return `{${some(
        reply.pairs.map(
          ([key, value]) =>
            () =>
              `${showReply(key)}: ${showReply(value)}`,
        ),
      )}}`;
    case '|':
      return showReply(reply.of);
  }
}

function some(texts: readonly (() => string)[]): string {
  const shown = texts.slice(0, SHOWN_ITEMS).map((text) => text());
  const more = texts.length - shown.length;
  return `${shown.join(', ')}${more > 0 ? `, … ${more} more` : ''}`;
}
