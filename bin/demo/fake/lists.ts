/** Commands on lists. */
import type { Reply } from 'rmtop';
import { type Call, type CommandTable, span } from './call.js';
import {
  bulk,
  bulkOrNull,
  bulks,
  int,
  NO_SUCH_KEY,
  NULL,
  NULL_ARRAY,
  OK,
  Refused,
  SYNTAX,
  wrongArity,
} from './replies.js';

type End = 'LEFT' | 'RIGHT';

/** The commands, by name. */
export const lists: CommandTable = {
  LPUSH: (call) => push(call, 'LEFT'),
  RPUSH: (call) => push(call, 'RIGHT'),
  LPUSHX: (call) => (read(call).length === 0 ? int(0) : push(call, 'LEFT')),
  RPUSHX: (call) => (read(call).length === 0 ? int(0) : push(call, 'RIGHT')),
  LPOP: (call) => pop(call, 'LEFT'),
  RPOP: (call) => pop(call, 'RIGHT'),
  LLEN: (call) => int(read(call).length),
  LRANGE: (call) => {
    const items = read(call);
    return bulks(items.slice(...span(items.length, call.integer(2), call.integer(3))));
  },
  LINDEX: (call) => bulkOrNull(read(call).at(call.integer(2))),
  LTRIM: (call) => {
    const [from, to] = [call.integer(2), call.integer(3)];
    const items = read(call);
    const kept = items.slice(...span(items.length, from, to));
    items.splice(0, items.length, ...kept);
    return OK;
  },
  LSET: (call) => {
    const items = call.store.read(call.key, 'list');
    if (items === null) throw new Refused(NO_SUCH_KEY);
    const index = call.integer(2);
    const at = index < 0 ? items.length + index : index;
    if (at < 0 || at >= items.length) throw new Refused('ERR index out of range');
    items[at] = call.word(3);
    return OK;
  },
  LREM: remove,
  LINSERT: insert,
  RPOPLPUSH: (call) => move(call, 'RIGHT', 'LEFT'),
  LMOVE: (call) => move(call, end(call, 3), end(call, 4)),
};

function read(call: Call): string[] {
  return call.store.read(call.key, 'list') ?? [];
}

function push(call: Call, at: End): Reply {
  const items = call.store.change(call.key, 'list');
  for (const item of call.from(2)) add(items, at, item);
  return int(items.length);
}

function add(items: string[], at: End, item: string): void {
  if (at === 'LEFT') items.unshift(item);
  else items.push(item);
}

function take(items: string[], at: End): string | undefined {
  return at === 'LEFT' ? items.shift() : items.pop();
}

/** LPOP key [count]: one item, or an array of up to `count`. */
function pop(call: Call, at: End): Reply {
  if (call.words.length > 3) throw new Refused(wrongArity(call.word(0)));
  const items = call.store.read(call.key, 'list');
  if (call.words.length === 2) return bulkOrNull(items === null ? null : take(items, at));
  const count = call.integer(2, 'ERR value is out of range, must be positive');
  if (count < 0) throw new Refused('ERR value is out of range, must be positive');
  if (items === null) return NULL_ARRAY;
  return bulks(Array.from({ length: Math.min(count, items.length) }, () => take(items, at) ?? ''));
}

/** LREM key count item: from the left, from the right when `count` is negative, all of them when it is 0. */
function remove(call: Call): Reply {
  const count = call.integer(2);
  const items = read(call);
  let left = count === 0 ? items.length : Math.abs(count);
  const found = new Set<number>();
  const order = [...items.keys()];
  for (const i of count < 0 ? order.reverse() : order) {
    if (left === 0) break;
    if (items[i] !== call.word(3)) continue;
    found.add(i);
    left--;
  }
  const kept = items.filter((_, i) => !found.has(i));
  items.splice(0, items.length, ...kept);
  return int(found.size);
}

/** LINSERT key BEFORE|AFTER pivot item */
function insert(call: Call): Reply {
  const where = call.option(2);
  if (where !== 'BEFORE' && where !== 'AFTER') throw new Refused(SYNTAX);
  const items = read(call);
  if (items.length === 0) return int(0);
  const pivot = items.indexOf(call.word(3));
  if (pivot === -1) return int(-1);
  items.splice(where === 'BEFORE' ? pivot : pivot + 1, 0, call.word(4));
  return int(items.length);
}

function end(call: Call, i: number): End {
  const option = call.option(i);
  if (option !== 'LEFT' && option !== 'RIGHT') throw new Refused(SYNTAX);
  return option;
}

function move(call: Call, from: End, to: End): Reply {
  const source = call.store.read(call.key, 'list');
  if (source === null) return NULL;
  call.store.read(call.word(2), 'list'); // refuses another kind before anything is taken
  const item = take(source, from) ?? '';
  add(call.store.change(call.word(2), 'list'), to, item);
  return bulk(item);
}
