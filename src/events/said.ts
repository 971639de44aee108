/** Who said an error: the proxy, as Envoy would of its own accord, or a server. They look alike to a client. */
import type { CommandEvent } from './event.js';

/** What Envoy says itself of several replies (mesh page, 2.6, 2.7 and 14); any other error of theirs is a server's, passed on. */
const OF_SEVERAL =
  /^-(?:no upstream host|upstream failure|finished with \d+ error\(s\)|all responses not same|(?:non-integer|non-array|null) response received from shard|unexpected response type received from shard|negative value received from upstream|ERR inconsistent RESP proto across shards|ERR no valid HELLO response received from any shard)\r\n/;

/** Faults that put an error of the proxy's in the place of a reply. */
const SPEAKING: ReadonlySet<string> = new Set(['error', 'moved', 'ask', 'down']);

/** Who said the error that a command was answered with; null where its reply is none. */
export function errorSaidBy(event: CommandEvent): 'proxy' | 'server' | null {
  const { reply, decision, outcome } = event;
  const [first] = reply.bytes;
  if (first !== 0x2d && first !== 0x21) return null; // '-' '!'
  const { action, fault } = decision;
  if (action.kind !== 'forward') return 'proxy';
  if (fault !== null && SPEAKING.has(fault.action.kind)) return 'proxy';
  if (outcome.kind === 'reply' && outcome.cause !== null) return 'proxy';
  if (action.merge === 'pass') return 'server';
  return OF_SEVERAL.test(reply.bytes.toString('latin1', 0, 100)) ? 'proxy' : 'server';
}
