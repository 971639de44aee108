/** BLPOP and BRPOP: a client waits for an element, the one who has waited longest first. */
import type { Reply } from 'rmtop';
import { type Call, type CommandTable, floatOf, SENT } from './call.js';
import { array, bulk, NULL_ARRAY, Refused } from './replies.js';

/** The commands, by name. */
export const blocking: CommandTable = {
  BLPOP: (call) => popOrWait(call, (items) => items.shift()),
  BRPOP: (call) => popOrWait(call, (items) => items.pop()),
};

type Take = (items: string[]) => string | undefined;

function popOrWait(call: Call, take: Take): Reply | typeof SENT {
  const keys = call.words.slice(1, -1);
  const timeoutMs = 1000 * timeout(call.word(call.words.length - 1));
  const found = pop(call, keys, take);
  if (found !== null) return found;
  if (call.isQueued) return NULL_ARRAY; // nobody may wait inside a transaction
  wait(call, keys, take, timeoutMs);
  return SENT;
}

function timeout(text: string): number {
  const seconds = floatOf(text, 'ERR timeout is not a float or out of range');
  if (seconds < 0) throw new Refused('ERR timeout is negative');
  return seconds;
}

function pop(call: Call, keys: readonly string[], take: Take): Reply | null {
  for (const key of keys) {
    const items = call.store.read(key, 'list');
    const item = items === null ? undefined : take(items);
    if (item === undefined) continue;
    call.store.wrote(key);
    return array([bulk(key), bulk(item)]);
  }
  return null;
}

/** Nothing more of this client is read until it has its answer. */
function wait(call: Call, keys: readonly string[], take: Take, timeoutMs: number): void {
  const { session, store } = call;
  const stop = (): void => {
    clearTimeout(timer);
    for (const key of keys) store.stopWaiting(key, wake);
    session.stopWaiting = null;
  };
  const answer = (make: () => Reply | null): void => {
    stop(); // first: what it takes is a write, which wakes those who still wait
    session.send(make() ?? NULL_ARRAY);
    session.goOn();
  };
  const wake = (): void => {
    // A key may have become something else than a list: that wakes nobody.
    const lists = keys.filter((key) => store.kindOf(key) === 'list');
    if (lists.length > 0) answer(() => pop(call, lists, take));
  };
  const timer =
    timeoutMs === 0
      ? undefined
      : setTimeout(() => answer(() => null), Math.min(timeoutMs, 2 ** 31 - 1));
  session.stopWaiting = stop;
  for (const key of keys) store.waitFor(key, wake);
}
