/** Replies in a few cells: their type and size, or, where there is room, their value. */
import type { Reply } from 'rmtop';
import { short } from './figures.js';
import { type Printing, printable, printableText } from './printable.js';

/** `$212`, `*2`, `:18`, `+OK`, `-ERR …`, `_`. */
export function replyKind(reply: Reply, printing: Printing, limit = 40): string {
  switch (reply.type) {
    case '$':
    case '=':
      return `${reply.type}${short(reply.value.length)}`;
    case '+':
    case '-':
    case '!':
      return reply.type + printable(reply.value, printing, limit);
    case ':':
    case ',':
    case '(':
      return reply.type + printableText(reply.value, printing, limit);
    case '#':
      return reply.value ? '#t' : '#f';
    case 'null':
      return '_';
    case '*':
    case '~':
    case '>':
      return `${reply.type}${short(reply.items.length)}`;
    case '%':
      return `%${short(reply.pairs.length)}`;
    case '|':
      return replyKind(reply.of, printing, limit);
  }
}

/** `"the value"`, `18`, `OK`, `(nil)`, `[$48 $6]`, `9 pairs`; cut somewhere beyond `limit` cells. */
export function replyValue(reply: Reply, printing: Printing, limit: number): string {
  switch (reply.type) {
    case '$':
      return `"${printable(reply.value, printing, limit, true)}"`;
    case '=':
      return `"${printable(reply.value.subarray(4), printing, limit, true)}"`;
    case '+':
    case '-':
    case '!':
      return printable(reply.value, printing, limit);
    case ':':
    case ',':
    case '(':
      return printableText(reply.value, printing, limit);
    case '#':
      return String(reply.value);
    case 'null':
      return '(nil)';
    case '*':
      return listOf(reply.items, printing, limit);
    case '~':
      return `${short(reply.items.length)} members`;
    case '>':
      return `push ${listOf(reply.items, printing, limit)}`;
    case '%':
      return `${short(reply.pairs.length)} pairs`;
    case '|':
      return replyValue(reply.of, printing, limit);
  }
}

function listOf(items: readonly Reply[], printing: Printing, limit: number): string {
  if (items.length === 0) return '(empty)';
  let text = '[';
  for (const item of items) {
    text += `${text === '[' ? '' : ' '}${replyKind(item, printing, 12)}`;
    if (text.length > limit) return text;
  }
  return `${text}]`;
}
