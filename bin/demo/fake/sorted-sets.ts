/** Commands on sorted sets. */
import type { Reply } from 'rmtop';
import { type Call, type CommandTable, floatOf, span } from './call.js';
import { array, bulk, bulks, double, int, NOT_A_FLOAT, NULL, Refused, SYNTAX } from './replies.js';

type Scored = readonly [member: string, score: number];

/** The commands, by name. */
export const sortedSets: CommandTable = {
  ZADD: add,
  ZINCRBY: (call) => {
    const by = call.float(2);
    const scores = call.store.change(call.key, 'zset');
    const score = (scores.get(call.word(3)) ?? 0) + by;
    scores.set(call.word(3), score);
    return double(score);
  },
  ZREM: (call) => {
    const scores = read(call);
    return int(call.from(2).filter((member) => scores.delete(member)).length);
  },
  ZCARD: (call) => int(read(call).size),
  ZSCORE: (call) => scoreOf(read(call), call.word(2)),
  ZMSCORE: (call) => {
    const scores = read(call);
    return array(call.from(2).map((member) => scoreOf(scores, member)));
  },
  ZRANK: (call) => rank(call, ordered(call)),
  ZREVRANK: (call) => rank(call, ordered(call).reverse()),
  ZRANGE: range,
  ZREVRANGE: (call) => {
    const withScores = call.words.length > 4;
    if (withScores && (call.words.length > 5 || call.option(4) !== 'WITHSCORES'))
      throw new Refused(SYNTAX);
    return list(call, byIndex(call, ordered(call).reverse()), withScores);
  },
  ZRANGEBYSCORE: (call) => byScoreWithOptions(call, false),
  ZREVRANGEBYSCORE: (call) => byScoreWithOptions(call, true),
  ZCOUNT: (call) => int(byScore(call, 2, 3).length),
  ZREMRANGEBYRANK: (call) => removeAll(call, byIndex(call, ordered(call))),
  ZREMRANGEBYSCORE: (call) => removeAll(call, byScore(call, 2, 3)),
  ZPOPMIN: (call) => pop(call, ordered(call)),
  ZPOPMAX: (call) => pop(call, ordered(call).reverse()),
};

function read(call: Call): Map<string, number> {
  return call.store.read(call.key, 'zset') ?? new Map();
}

/** By score, then by the bytes of the member. */
function ordered(call: Call): Scored[] {
  return [...read(call)].sort(([a, x], [b, y]) => x - y || (a < b ? -1 : 1));
}

function scoreOf(scores: ReadonlyMap<string, number>, member: string): Reply {
  const score = scores.get(member);
  return score === undefined ? NULL : double(score);
}

function rank(call: Call, all: readonly Scored[]): Reply {
  const at = all.findIndex(([member]) => member === call.word(2));
  return at === -1 ? NULL : int(at);
}

/** Members, with their scores beside them: pairs on RESP3, flat on RESP2. */
function list(call: Call, found: readonly Scored[], withScores: boolean): Reply {
  if (!withScores) return bulks(found.map(([member]) => member));
  const pairs = found.map(([member, score]) => [bulk(member), double(score)]);
  return array(call.session.resp === 3 ? pairs.map(array) : pairs.flat());
}

/** ZADD key [NX | XX] [GT | LT] [CH] [INCR] score member … */
function add(call: Call): Reply {
  const options = new Set<string>();
  let first = 2;
  for (; /^(NX|XX|GT|LT|CH|INCR)$/.test(call.option(first)); first++)
    options.add(call.option(first));
  const pairs = call.pairs(first);
  if (pairs.length === 0) throw new Refused(SYNTAX);
  if (options.has('NX') && options.has('XX'))
    throw new Refused('ERR XX and NX options at the same time are not compatible');
  if (['GT', 'LT', 'NX'].filter((option) => options.has(option)).length > 1)
    throw new Refused('ERR GT, LT, and/or NX options at the same time are not compatible');
  if (options.has('INCR') && pairs.length > 1)
    throw new Refused('ERR INCR option supports a single increment-element pair');
  const wanted = pairs.map(([score, member]): Scored => [member, floatOf(score, NOT_A_FLOAT)]);
  const scores = call.store.change(call.key, 'zset');
  let added = 0;
  let changed = 0;
  let last: number | null = null;
  for (const [member, given] of wanted) {
    const before = scores.get(member);
    const score = options.has('INCR') ? (before ?? 0) + given : given;
    if (!mayBecome(before, score, options)) continue;
    scores.set(member, score);
    last = score;
    if (before === undefined) added++;
    else if (before !== score) changed++;
  }
  if (options.has('INCR')) return last === null ? NULL : double(last);
  return int(options.has('CH') ? added + changed : added);
}

function mayBecome(
  before: number | undefined,
  score: number,
  options: ReadonlySet<string>,
): boolean {
  if (before === undefined) return !options.has('XX');
  return (
    !options.has('NX') &&
    !(options.has('GT') && score <= before) &&
    !(options.has('LT') && score >= before)
  );
}

/** ZRANGE key start stop [BYSCORE] [REV] [LIMIT offset count] [WITHSCORES] */
function range(call: Call): Reply {
  const options = new Set<string>();
  let limit: readonly [number, number] | null = null;
  for (let i = 4; i < call.words.length; i++) {
    const option = call.option(i);
    if (option === 'LIMIT' && i + 2 < call.words.length)
      limit = [call.integer(++i), call.integer(++i)];
    else if (/^(BYSCORE|REV|WITHSCORES)$/.test(option)) options.add(option);
    else throw new Refused(SYNTAX);
  }
  const isReversed = options.has('REV');
  if (limit !== null && !options.has('BYSCORE'))
    throw new Refused(
      'ERR syntax error, LIMIT is only supported in combination with either BYSCORE or BYLEX',
    );
  const all = ordered(call);
  const found = options.has('BYSCORE')
    ? limited(byScore(call, isReversed ? 3 : 2, isReversed ? 2 : 3, isReversed), limit)
    : byIndex(call, isReversed ? all.reverse() : all);
  return list(call, found, options.has('WITHSCORES'));
}

/** Z[REV]RANGEBYSCORE key from to [WITHSCORES] [LIMIT offset count] */
function byScoreWithOptions(call: Call, reverse: boolean): Reply {
  let limit: readonly [number, number] | null = null;
  let withScores = false;
  for (let i = 4; i < call.words.length; i++) {
    if (call.option(i) === 'WITHSCORES') withScores = true;
    else if (call.option(i) === 'LIMIT' && i + 2 < call.words.length)
      limit = [call.integer(++i), call.integer(++i)];
    else throw new Refused(SYNTAX);
  }
  const found = byScore(call, reverse ? 3 : 2, reverse ? 2 : 3, reverse);
  return list(call, limited(found, limit), withScores);
}

function byIndex(call: Call, all: readonly Scored[]): readonly Scored[] {
  return all.slice(...span(all.length, call.integer(2), call.integer(3)));
}

/** Those with a score from word `low` to word `high`; `(` before a bound leaves it out. */
function byScore(call: Call, low: number, high: number, reverse = false): readonly Scored[] {
  const [min, max] = [bound(call.word(low)), bound(call.word(high))];
  const found = ordered(call).filter(
    ([, score]) =>
      (min.without ? score > min.value : score >= min.value) &&
      (max.without ? score < max.value : score <= max.value),
  );
  return reverse ? found.reverse() : found;
}

function bound(text: string): { readonly value: number; readonly without: boolean } {
  const without = text.startsWith('(');
  return {
    value: floatOf(without ? text.slice(1) : text, 'ERR min or max is not a float'),
    without,
  };
}

function limited(
  found: readonly Scored[],
  limit: readonly [number, number] | null,
): readonly Scored[] {
  if (limit === null) return found;
  const [offset, count] = limit;
  if (offset < 0) return [];
  return found.slice(offset, count < 0 ? undefined : offset + count);
}

function removeAll(call: Call, found: readonly Scored[]): Reply {
  const scores = read(call);
  for (const [member] of found) scores.delete(member);
  return int(found.length);
}

/** ZPOPMIN, ZPOPMAX key [count]: from the front of `all`. */
function pop(call: Call, all: readonly Scored[]): Reply {
  const wantsMany = call.words.length > 2;
  const count = wantsMany ? call.integer(2, 'ERR value is out of range, must be positive') : 1;
  if (count < 0) throw new Refused('ERR value is out of range, must be positive');
  const popped = all.slice(0, count);
  removeAll(call, popped);
  // One without a count is flat on RESP3 too.
  if (!wantsMany) return array(popped.flatMap(([member, score]) => [bulk(member), double(score)]));
  return list(call, popped, true);
}
