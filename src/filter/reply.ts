/** Replies as filters see them: a type by name, and the texts inside. */
import type { Reply } from '../resp/value.js';

/** Names of reply types, for `rep.type`. */
export const REPLY_TYPES: readonly string[] = [
  'simple',
  'error',
  'int',
  'bulk',
  'null',
  'array',
  'double',
  'bignum',
  'bool',
  'verbatim',
  'map',
  'set',
  'push',
];

const NAMES: Readonly<Record<Exclude<Reply['type'], '|'>, string>> = {
  '+': 'simple',
  '-': 'error',
  '!': 'error',
  ':': 'int',
  $: 'bulk',
  null: 'null',
  '*': 'array',
  ',': 'double',
  '(': 'bignum',
  '#': 'bool',
  '=': 'verbatim',
  '%': 'map',
  '~': 'set',
  '>': 'push',
};

export function typeOfReply(reply: Reply): string {
  return reply.type === '|' ? typeOfReply(reply.of) : NAMES[reply.type];
}

/** How many values inside one reply are looked at. */
const MAX_TEXTS = 1000;

/** The texts of a reply, one character a byte: its own, or those of the values in it. */
export function textsOfReply(reply: Reply): readonly string[] {
  const texts: string[] = [];
  collect(reply, texts);
  return texts;
}

function collect(reply: Reply, texts: string[]): void {
  if (texts.length >= MAX_TEXTS) return;
  switch (reply.type) {
    case '$':
    case '+':
    case '-':
    case '!':
      texts.push(reply.value.toString('latin1'));
      return;
    case '=':
      texts.push(reply.value.toString('latin1', 4));
      return;
    case ':':
    case ',':
    case '(':
      texts.push(reply.value);
      return;
    case '#':
      texts.push(reply.value ? 'true' : 'false');
      return;
    case 'null':
      return;
    case '*':
    case '~':
    case '>':
      for (const item of reply.items) collect(item, texts);
      return;
    case '%':
      for (const [key, value] of reply.pairs) {
        collect(key, texts);
        collect(value, texts);
      }
      return;
    case '|':
      collect(reply.of, texts);
  }
}
