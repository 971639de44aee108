/** Commands on hashes. */
import type { Reply } from 'rmtop';
import { type Call, type CommandTable, floatOf, integerOf } from './call.js';
import {
  array,
  bulk,
  bulkOrNull,
  bulks,
  int,
  mapOf,
  numberText,
  OK,
  Refused,
  wrongArity,
} from './replies.js';

/** The commands, by name. */
export const hashes: CommandTable = {
  HSET: (call) => int(setFields(call)),
  HMSET: (call) => {
    setFields(call);
    return OK;
  },
  HSETNX: (call) => {
    const fields = call.store.change(call.key, 'hash');
    if (fields.has(call.word(2))) return int(0);
    fields.set(call.word(2), call.word(3));
    return int(1);
  },
  HGET: (call) => bulkOrNull(read(call).get(call.word(2))),
  HMGET: (call) => {
    const fields = read(call);
    return array(call.from(2).map((name) => bulkOrNull(fields.get(name))));
  },
  HGETALL: (call) => mapOf([...read(call)].map(([name, value]) => [name, bulk(value)])),
  HKEYS: (call) => bulks(read(call).keys()),
  HVALS: (call) => bulks(read(call).values()),
  HLEN: (call) => int(read(call).size),
  HEXISTS: (call) => int(read(call).has(call.word(2))),
  HSTRLEN: (call) => int(read(call).get(call.word(2))?.length ?? 0),
  HDEL: (call) => {
    const fields = read(call);
    return int(call.from(2).filter((name) => fields.delete(name)).length);
  },
  HINCRBY: (call) => {
    const by = call.integer(3);
    return changeNumber(call, (before) => {
      const value = integerOf(before, 'ERR hash value is not an integer') + by;
      if (!Number.isSafeInteger(value))
        throw new Refused('ERR increment or decrement would overflow');
      return int(value);
    });
  },
  HINCRBYFLOAT: (call) => {
    const by = call.float(3);
    return changeNumber(call, (before) =>
      bulk(numberText(floatOf(before, 'ERR hash value is not a float') + by)),
    );
  },
};

const NO_FIELDS: Map<string, string> = new Map();

function read(call: Call): Map<string, string> {
  return call.store.read(call.key, 'hash') ?? NO_FIELDS;
}

/** Gives how many fields are new. */
function setFields(call: Call): number {
  const pairs = call.pairs(2, wrongArity(call.option(0)));
  const fields = call.store.change(call.key, 'hash');
  const before = fields.size;
  for (const [name, value] of pairs) fields.set(name, value);
  return fields.size - before;
}

/** Sets a field to what its number becomes, and gives the reply that says it. */
function changeNumber(call: Call, change: (before: string) => Reply): Reply {
  const reply = change(read(call).get(call.word(2)) ?? '0');
  if ('value' in reply)
    call.store.change(call.key, 'hash').set(call.word(2), reply.value.toString());
  return reply;
}
