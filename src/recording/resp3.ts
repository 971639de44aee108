/**
 * A reply that was recorded in one RESP version, for a client that speaks the other.
 *
 * Going down is what Envoy does; going up is what Redis would have said: maps, sets, doubles and pairs where the command has them. Source:
 * the replies of Redis 7.0 to both versions, against which a test holds this.
 */
import type { Command } from '../commands/command.js';
import { encodeReply, type RespVersion } from '../resp/encode.js';
import { decodeReply, type Reply } from '../resp/value.js';

function names(text: string): ReadonlySet<string> {
  return new Set(text.split(/,\s*/));
}

/** Flat arrays of names and values that are maps. */
const MAPS = names('HGETALL, CONFIG GET, MEMORY STATS, XINFO STREAM, FUNCTION STATS, ACL GETUSER');
/** Arrays whose elements are such flat arrays. */
const LISTS_OF_MAPS = names('XINFO GROUPS, XINFO CONSUMERS, FUNCTION LIST');
/** Arrays of pairs that are maps. */
const PAIRED_MAPS = names('XREAD, XREADGROUP');
const SETS = names('SMEMBERS, SINTER, SUNION, SDIFF, SPOP');
/** Bulk strings that are doubles, alone or in an array. */
const DOUBLES = names('ZSCORE, ZINCRBY, ZADD, ZMSCORE, GEOPOS');
/** Members and scores one after the other, that are pairs where WITHSCORES asks for them. */
const SCORED = names(
  'ZRANGE, ZREVRANGE, ZRANGEBYSCORE, ZREVRANGEBYSCORE, ZDIFF, ZINTER, ZUNION, ZRANDMEMBER',
);

/** The bytes of `reply`, recorded in version `from`, for a client of version `to`. */
export function inVersion(
  reply: Buffer,
  command: Command,
  from: RespVersion,
  to: RespVersion,
): Buffer {
  return converted(reply, from, to, (value) => translated(value, command, to));
}

/** The same of an EXEC's reply: each element by its command. */
export function inVersionEach(
  reply: Buffer,
  commands: readonly Command[],
  from: RespVersion,
  to: RespVersion,
): Buffer {
  return converted(reply, from, to, (value) => {
    if (value.type !== '*') return value;
    const items = value.items.map((item, i) => {
      const command = commands[i];
      return command === undefined ? item : translated(item, command, to);
    });
    return { type: '*', items };
  });
}

function converted(
  reply: Buffer,
  from: RespVersion,
  to: RespVersion,
  translate: (value: Reply) => Reply,
): Buffer {
  const value = from === to ? null : decodeReply(reply);
  return value === null ? reply : encodeReply(translate(value), to);
}

function translated(reply: Reply, command: Command, to: RespVersion): Reply {
  return to === 2 ? downgraded(reply, command) : upgraded(reply, command);
}

function upgraded(reply: Reply, command: Command): Reply {
  const { name } = command;
  if (DOUBLES.has(name)) return withDoubles(reply);
  if (reply.type !== '*') return reply;
  const { items } = reply;
  if (MAPS.has(name)) return mapped(items);
  if (LISTS_OF_MAPS.has(name))
    return {
      type: '*',
      items: items.map((item) => (item.type === '*' ? mapped(item.items) : item)),
    };
  if (PAIRED_MAPS.has(name)) return fromPairs(items);
  if (SETS.has(name)) return { type: '~', items };
  if (isPaired(command)) return pairs(items, name === 'HRANDFIELD' ? same : withDoubles);
  if (name === 'ZPOPMIN' || name === 'ZPOPMAX')
    return { type: '*', items: items.map((item, i) => (i % 2 === 1 ? withDoubles(item) : item)) };
  if (name === 'LCS') return hasWord(command, 'IDX') ? mapped(items) : reply;
  return reply;
}

/** Arrays of pairs on RESP3 are one array on RESP2, and a map by streams is an array of pairs; all else goes down by its type. */
function downgraded(reply: Reply, command: Command): Reply {
  if (reply.type === '%' && PAIRED_MAPS.has(command.name))
    return { type: '*', items: reply.pairs.map((pair) => ({ type: '*', items: pair })) };
  if (reply.type !== '*' || !isPaired(command)) return reply;
  return {
    type: '*',
    items: reply.items.flatMap((item) => (item.type === '*' ? item.items : item)),
  };
}

/** Whether RESP3 has an array of pairs where RESP2 has their members one after the other. */
function isPaired(command: Command): boolean {
  const { name } = command;
  if (SCORED.has(name)) return hasWord(command, 'WITHSCORES');
  if (name === 'HRANDFIELD') return hasWord(command, 'WITHVALUES');
  return (name === 'ZPOPMIN' || name === 'ZPOPMAX') && command.argc > 2;
}

function same(reply: Reply): Reply {
  return reply;
}

function hasWord(command: Command, word: string): boolean {
  return command.argv.some((arg) => arg.toString('latin1', 0, 32).toUpperCase() === word);
}

function withDoubles(reply: Reply): Reply {
  if (reply.type === '$') return { type: ',', value: reply.value.toString('latin1') };
  return reply.type === '*' ? { type: '*', items: reply.items.map(withDoubles) } : reply;
}

function mapped(items: readonly Reply[]): Reply {
  if (items.length % 2 === 1) return { type: '*', items };
  return { type: '%', pairs: twos(items) };
}

function pairs(items: readonly Reply[], ofSecond: (reply: Reply) => Reply): Reply {
  return {
    type: '*',
    items: twos(items).map(([first, second]) => ({ type: '*', items: [first, ofSecond(second)] })),
  };
}

function fromPairs(items: readonly Reply[]): Reply {
  const found = items.flatMap((item): [Reply, Reply][] => {
    const [key, value] = item.type === '*' ? item.items : [];
    return key === undefined || value === undefined ? [] : [[key, value]];
  });
  return found.length === items.length ? { type: '%', pairs: found } : { type: '*', items };
}

function twos(items: readonly Reply[]): [Reply, Reply][] {
  return Array.from({ length: Math.floor(items.length / 2) }, (_, i) => [
    items[2 * i] as Reply,
    items[2 * i + 1] as Reply,
  ]);
}
