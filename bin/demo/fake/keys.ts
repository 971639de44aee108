/** Commands on keys of any kind, and on all keys. */
import type { Reply } from 'rmtop';
import { slotOf } from 'rmtop';
import type { Call, CommandTable } from './call.js';
import { matchesGlob } from './glob.js';
import {
  array,
  bulk,
  bulkOrNull,
  bulks,
  int,
  NO_SUCH_KEY,
  OK,
  Refused,
  SYNTAX,
  simple,
} from './replies.js';

/** The commands, by name. */
export const keys: CommandTable = {
  DEL: (call) => remove(call),
  UNLINK: (call) => remove(call),
  EXISTS: (call) => int(call.from(1).filter((key) => call.store.has(key)).length),
  TOUCH: (call) => int(call.from(1).filter((key) => call.store.has(key)).length),
  TYPE: (call) => simple(call.store.kindOf(call.key) ?? 'none'),
  RENAME: (call) => {
    if (!call.store.has(call.key)) throw new Refused(NO_SUCH_KEY);
    call.store.rename(call.key, call.word(2));
    return OK;
  },
  KEYS: (call) => bulks(call.store.keys().filter((key) => matchesGlob(call.word(1), key))),
  SCAN: scan,
  DBSIZE: (call) => int(call.store.keys().length),
  RANDOMKEY: (call) => bulkOrNull(call.store.keys()[0]),
  FLUSHALL: flush,
  FLUSHDB: flush,
  'CLUSTER COUNTKEYSINSLOT': (call) => int(inSlot(call).length),
  'CLUSTER GETKEYSINSLOT': (call) => bulks(inSlot(call).slice(0, call.integer(3))),
};

function remove(call: Call): Reply {
  return int(call.from(1).filter((key) => call.store.has(key) && call.store.delete(key)).length);
}

function flush(call: Call): Reply {
  if (call.words.length > 2 || !/^(|ASYNC|SYNC)$/.test(call.option(1))) throw new Refused(SYNTAX);
  call.store.clear();
  return OK;
}

function inSlot(call: Call): string[] {
  const slot = call.integer(2);
  return call.store.keys().filter((key) => slotOf(Buffer.from(key, 'latin1')) === slot);
}

/** SCAN cursor [MATCH pattern] [COUNT n] [TYPE kind]: the cursor is a position among the keys, oldest first. */
function scan(call: Call): Reply {
  const cursor = call.integer(1, 'ERR invalid cursor');
  let count = 10;
  let pattern = '*';
  let kind: string | null = null;
  for (const [option, value] of call.pairs(2)) {
    if (/^match$/i.test(option)) pattern = value;
    else if (/^type$/i.test(option)) kind = value.toLowerCase();
    else if (/^count$/i.test(option) && Number(value) >= 1) count = Number(value);
    else throw new Refused(SYNTAX);
  }
  const all = call.store.keys();
  const found = all
    .slice(cursor, cursor + count)
    .filter((key) => matchesGlob(pattern, key))
    .filter((key) => kind === null || call.store.kindOf(key) === kind);
  const next = cursor + count < all.length ? cursor + count : 0;
  return array([bulk(String(next)), bulks(found)]);
}
