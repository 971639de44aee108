/** Replies made by hand, for servers of our own. Texts hold one character a byte. */
import type { Reply } from './value.js';

/** `+text` */
export function simpleReply(text: string): Reply {
  return { type: '+', value: bytes(text) };
}

/** `$length text` */
export function bulkReply(text: string): Reply {
  return { type: '$', value: bytes(text) };
}

/** `-text` */
export function errorReply(text: string): Reply {
  return { type: '-', value: bytes(text) };
}

/** `:value`; 1 and 0 for what is true and what is not. */
export function integerReply(value: number | boolean): Reply {
  return { type: ':', value: String(Number(value)) };
}

/** `*count items` */
export function arrayReply(items: readonly Reply[]): Reply {
  return { type: '*', items };
}

/** A map on RESP3, its pairs one after the other on RESP2. */
export function mapReply(pairs: Iterable<readonly [string, Reply]>): Reply {
  return { type: '%', pairs: [...pairs].map(([key, value]) => [bulkReply(key), value] as const) };
}

/** A message nobody asked for: a push on RESP3, an array on RESP2. */
export function pushReply(items: readonly Reply[]): Reply {
  return { type: '>', items };
}

function bytes(text: string): Buffer {
  return Buffer.from(text, 'latin1');
}
