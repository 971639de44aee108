/** What the fake servers say: Redis's replies and error texts. Texts hold one character a byte. */
import {
  arrayReply as array,
  bulkReply as bulk,
  errorReply as error,
  integerReply as int,
  mapReply as mapOf,
  pushReply as pushed,
  type Reply,
  simpleReply as simple,
} from 'rmtop';

export { array, bulk, error, int, mapOf, pushed, simple };

/** `+OK` */
export const OK: Reply = simple('OK');
/** No such key or member. */
export const NULL: Reply = { type: 'null', spelling: '$' };
/** Where an array was asked for: `*-1` on RESP2. */
export const NULL_ARRAY: Reply = { type: 'null', spelling: '*' };

/** A bulk string, or the null of a key that is not there. */
export function bulkOrNull(text: string | null | undefined): Reply {
  return text === null || text === undefined ? NULL : bulk(text);
}

/** A score: a double on RESP3, a bulk string on RESP2. */
export function double(value: number): Reply {
  return { type: ',', value: numberText(value) };
}

/** A number as Redis writes it. */
export function numberText(value: number): string {
  if (value === Number.POSITIVE_INFINITY) return 'inf';
  return value === Number.NEGATIVE_INFINITY ? '-inf' : String(value);
}

/** An array of bulk strings. */
export function bulks(texts: Iterable<string>): Reply {
  return array([...texts].map(bulk));
}

/** A set on RESP3, an array on RESP2. */
export function setOf(texts: Iterable<string>): Reply {
  return { type: '~', items: [...texts].map(bulk) };
}

/** Thrown by a command that ends in an error reply, from wherever it finds out. Nothing but the command table catches it. */
export class Refused extends Error {}

/** A command for another kind of value. */
export const WRONG_TYPE = 'WRONGTYPE Operation against a key holding the wrong kind of value';
/** An argument, or a counter's value, that is none. */
export const NOT_AN_INTEGER = 'ERR value is not an integer or out of range';
/** The same of a fraction. */
export const NOT_A_FLOAT = 'ERR value is not a valid float';
/** Options that make no sense, or not together. */
export const SYNTAX = 'ERR syntax error';
/** For the few commands to which that is an error. */
export const NO_SUCH_KEY = 'ERR no such key';

/** `name` in lower case, a subcommand after a bar. */
export function wrongArity(name: string): string {
  return `ERR wrong number of arguments for '${name.toLowerCase().replace(' ', '|')}' command`;
}

/** What Redis 7 says to a command it does not have; it quotes up to 128 bytes of what came with it. */
export function unknownCommand(words: readonly string[]): string {
  let quoted = '';
  for (const word of words.slice(1)) {
    if (quoted.length >= 128) break;
    quoted += `'${word.slice(0, 128 - quoted.length)}' `;
  }
  return `ERR unknown command '${(words[0] ?? '').slice(0, 128)}', with args beginning with: ${quoted}`;
}

/** What Redis says to a RESP2 client that is subscribed. */
export function notWhileSubscribed(name: string): string {
  const quoted = name.toLowerCase().replace(' ', '|');
  return `ERR Can't execute '${quoted}': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed in this context`;
}
