/** Commands on sets. */
import type { Reply } from 'rmtop';
import type { Call, CommandTable } from './call.js';
import { array, bulkOrNull, bulks, int, Refused, setOf } from './replies.js';

/** The commands, by name. */
export const sets: CommandTable = {
  SADD: (call) => {
    const members = call.store.change(call.key, 'set');
    const before = members.size;
    for (const member of call.from(2)) members.add(member);
    return int(members.size - before);
  },
  SREM: (call) => {
    const members = read(call, call.key);
    return int(call.from(2).filter((member) => members.delete(member)).length);
  },
  SISMEMBER: (call) => int(read(call, call.key).has(call.word(2))),
  SMISMEMBER: (call) => {
    const members = read(call, call.key);
    return array(call.from(2).map((member) => int(members.has(member))));
  },
  SMEMBERS: (call) => setOf(read(call, call.key)),
  SCARD: (call) => int(read(call, call.key).size),
  SPOP: (call) => draw(call, true),
  SRANDMEMBER: (call) => draw(call, false),
  SINTER: (call) => setOf(combine(call, (all, other) => all.filter((item) => other.has(item)))),
  SDIFF: (call) => setOf(combine(call, (all, other) => all.filter((item) => !other.has(item)))),
  SUNION: (call) => setOf(combine(call, (all, other) => [...new Set([...all, ...other])])),
};

function read(call: Call, key: string): Set<string> {
  return call.store.read(key, 'set') ?? new Set();
}

/** SPOP, SRANDMEMBER key [count]: the oldest members, where Redis draws at random: so that a demo is the same each time. */
function draw(call: Call, remove: boolean): Reply {
  const members = read(call, call.key);
  const wantsMany = call.words.length > 2;
  const count = wantsMany ? call.integer(2) : 1;
  if (remove && count < 0) throw new Refused('ERR value is out of range, must be positive');
  const all = [...members];
  const drawn =
    count >= 0 || all.length === 0
      ? all.slice(0, Math.max(0, count))
      : Array.from({ length: -count }, (_, i) => all[i % all.length] ?? '');
  if (remove) for (const member of drawn) members.delete(member);
  if (!wantsMany) return bulkOrNull(drawn[0]);
  return remove ? setOf(drawn) : bulks(drawn);
}

function combine(
  call: Call,
  step: (all: readonly string[], other: ReadonlySet<string>) => readonly string[],
): readonly string[] {
  const [first = new Set<string>(), ...others] = call.from(1).map((key) => read(call, key));
  return others.reduce(step, [...first] as readonly string[]);
}
