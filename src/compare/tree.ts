/** Two replies of one command, compared as typed trees: what differs first, and where. RESP2 and RESP3 shapes are made equal. */
import { isError, type Reply } from '../resp/value.js';
import { ignoring, leftOf, underRules } from './allowed.js';
import type { UserRule } from './rules.js';
import { quoteAround, showReply } from './show.js';
import type { Rules } from './tolerances.js';

/** Where two replies differ. `path` is '' for the reply itself, else like `[3].name`; `at` the first byte of a string. */
export type Difference = {
  readonly path: string;
  readonly a: string;
  readonly b: string;
  readonly at: number | null;
};

/** One comparison under way: what may differ, how much later the second was asked, and which tolerances were used. */
export type Walk = {
  readonly rules: Rules;
  readonly laterMs: number;
  readonly used: Set<string>;
  /** The user's own rules for the command, and those of them that speak of what is being compared or of what it is a part of. */
  readonly user: readonly UserRule[];
  readonly active: readonly UserRule[];
};

/** The first difference between two replies, or null. Tolerances that were needed are added to `walk.used`. */
export function difference(a: Reply, b: Reply, walk: Walk, path = ''): Difference | null {
  return walk.user.length === 0
    ? treeDifference(a, b, walk, path)
    : underRules(a, b, walk, path, treeDifference);
}

function treeDifference(a: Reply, b: Reply, walk: Walk, path: string): Difference | null {
  const left = bare(a);
  const right = bare(b);
  if (isError(left) || isError(right)) return errorDifference(left, right, walk, path);
  const lists = listsOf(left, right, walk.rules);
  if (lists !== null) return listDifference(onBothSides(lists, walk, path), walk, path);
  const found = leafDifference(left, right, walk, path);
  return found === null || walk.active.length === 0
    ? found
    : leftOf(found, plainOf(left), plainOf(right), walk);
}

/** A value as text and as a number, where it is one. */
function plainOf(reply: Reply): { readonly text: string | null; readonly number: number | null } {
  const bytes = reply.type === '+' ? reply.value : textOf(reply);
  if (bytes !== null) return { text: bytes.toString(), number: doubleOf(bytes) };
  return { text: null, number: reply.type === ':' ? Number(reply.value) : null };
}

/** Without attributes, which are remarks on a value and no part of it. */
function bare(reply: Reply): Reply {
  return reply.type === '|' ? bare(reply.of) : reply;
}

function plain(path: string, a: Reply, b: Reply): Difference {
  return { path, a: showReply(a), b: showReply(b), at: null };
}

function errorDifference(a: Reply, b: Reply, walk: Walk, path: string): Difference | null {
  if (!isError(a) || !isError(b)) return plain(path, a, b);
  if (a.value.equals(b.value)) return null;
  if (walk.rules.settings.errorText && errorKey(a.value) === errorKey(b.value)) {
    walk.used.add('error-text');
    return null;
  }
  return plain(path, a, b);
}

/** The code word; of a redirect its slot too: only the address may differ. */
function errorKey(text: Buffer): string {
  const [word = '', second = ''] = text.toString('latin1', 0, 256).split(' ');
  return word === 'MOVED' || word === 'ASK' ? `${word} ${second}` : word;
}

// ——— lists, sets, maps ———

type Lists = {
  readonly a: readonly Reply[];
  readonly b: readonly Reply[];
  /** Whether each element is a key and its value, as an array. */
  readonly isMap: boolean;
  readonly isSet: boolean;
};

function listsOf(a: Reply, b: Reply, rules: Rules): Lists | null {
  const left = itemsOf(a);
  const right = itemsOf(b);
  if (left === null || right === null) return null;
  const isSet = a.type === '~' || b.type === '~';
  const mapped = a.type === '%' || b.type === '%';
  const isFree = (rules.order || rules.random) && rules.paired;
  if (!mapped && !isFree && left.length === right.length)
    return { a: left, b: right, isMap: false, isSet };
  const leftPairs = pairsOf(a, rules.paired);
  const rightPairs = pairsOf(b, rules.paired);
  if (leftPairs === null || rightPairs === null) return { a: left, b: right, isMap: false, isSet };
  const pair = ([key, value]: readonly [Reply, Reply]): Reply => ({
    type: '*',
    items: [key, value],
  });
  return { a: leftPairs.map(pair), b: rightPairs.map(pair), isMap: true, isSet };
}

function itemsOf(reply: Reply): readonly Reply[] | null {
  if (reply.type === '*' || reply.type === '~' || reply.type === '>') return reply.items;
  return reply.type === '%' ? reply.pairs.flat() : null;
}

/** A map, a flat array of keys and values, or an array of pairs, as pairs; null for what can be none of them. */
function pairsOf(reply: Reply, isPaired: boolean): (readonly [Reply, Reply])[] | null {
  if (reply.type === '%') return [...reply.pairs];
  if (reply.type !== '*' || !isPaired) return null;
  const { items } = reply;
  const nested = items.map((item) =>
    item.type === '*' && item.items.length === 2 ? item.items : null,
  );
  if (items.length > 0 && nested.every((pair) => pair !== null))
    return nested.map((pair) => [pair[0] as Reply, pair[1] as Reply]);
  if (items.length % 2 !== 0) return null;
  return Array.from({ length: items.length / 2 }, (_, i) => [
    items[2 * i] as Reply,
    items[2 * i + 1] as Reply,
  ]);
}

/** Without the pairs that only one side has, where a rule leaves them out. */
function onBothSides(lists: Lists, walk: Walk, path: string): Lists {
  if (!lists.isMap || walk.user.length === 0) return lists;
  const names = (of: readonly Reply[]): Set<string> =>
    new Set(of.map((pair) => keyOf(keyIn(pair))));
  const [inA, inB] = [names(lists.a), names(lists.b)];
  const kept = (of: readonly Reply[], others: ReadonlySet<string>): readonly Reply[] =>
    of.filter((pair) => {
      if (others.has(keyOf(keyIn(pair)))) return true;
      const rule = ignoring(walk, `${path}.${nameOf(keyIn(pair))}`);
      if (rule !== undefined) walk.used.add(rule.name);
      return rule === undefined;
    });
  return { ...lists, a: kept(lists.a, inB), b: kept(lists.b, inA) };
}

function keyIn(pair: Reply): Reply {
  return (itemsOf(pair) as readonly Reply[])[0] as Reply;
}

/** The key of a pair as paths have it. */
function nameOf(key: Reply): string {
  return showReply(key).replace(/^"([\w.:-]+)"$/, '$1');
}

function listDifference(lists: Lists, walk: Walk, path: string): Difference | null {
  const { a, b } = lists;
  const { rules } = walk;
  const first = inOrder(lists, walk, path);
  if (first === null) return null;
  if (rules.random && a.length === b.length) {
    walk.used.add('random');
    return null;
  }
  if (!rules.order && !lists.isSet) return first;
  const aligned = lists.isMap ? alignPairs(a, b) : null;
  if (aligned !== null) {
    const found = inOrder({ ...lists, b: aligned }, walk, path);
    if (found === null) walk.used.add('order');
    return found;
  }
  const only = multisetDifference(a, b);
  if (only === null) {
    if (!lists.isSet) walk.used.add('order');
    return null;
  }
  return { path: `${path}[*]`, a: show(only.a), b: show(only.b), at: null };
}

/** The pairs of `b` in the order that `a` has its keys in; null when the keys are not the same. */
function alignPairs(a: readonly Reply[], b: readonly Reply[]): Reply[] | null {
  const key = (pair: Reply): string => keyOf(keyIn(pair));
  const byKey = new Map(b.map((pair) => [key(pair), pair]));
  const aligned = a.flatMap((pair) => byKey.get(key(pair)) ?? []);
  return a.length === b.length && byKey.size === b.length && aligned.length === a.length
    ? aligned
    : null;
}

function show(only: Reply | null): string {
  return only === null ? '(not there)' : showReply(only);
}

function inOrder(lists: Lists, walk: Walk, path: string): Difference | null {
  const { a, b, isMap } = lists;
  // Tolerances that were used on the way to a difference explain nothing.
  const trial: Walk = { ...walk, used: new Set() };
  for (let i = 0; i < Math.min(a.length, b.length); i++) {
    const found = isMap
      ? pairDifference(a[i] as Reply, b[i] as Reply, trial, path)
      : difference(a[i] as Reply, b[i] as Reply, trial, `${path}[${i}]`);
    if (found !== null) return found;
  }
  for (let i = Math.min(a.length, b.length); i < Math.max(a.length, b.length); i++) {
    const rule = isMap ? undefined : ignoring(walk, `${path}[${i}]`);
    if (rule === undefined)
      return { path: `${path}[${i}]`, a: show(a[i] ?? null), b: show(b[i] ?? null), at: null };
    trial.used.add(rule.name);
  }
  for (const name of trial.used) walk.used.add(name);
  return null;
}

function pairDifference(a: Reply, b: Reply, walk: Walk, path: string): Difference | null {
  const [key, left] = itemsOf(a) as readonly [Reply, Reply];
  const [other, right] = itemsOf(b) as readonly [Reply, Reply];
  const name = nameOf(key);
  const found = difference(key, other, walk, `${path}.${name}`);
  if (found !== null) return found;
  if (walk.rules.time && AGES.has(name) && left.type === ':' && right.type === ':') {
    if (left.value !== right.value) walk.used.add('time');
    return null;
  }
  return difference(left, right, walk, `${path}.${name}`);
}

/** Fields of XINFO that count ms since something, or are a moment. */
const AGES: ReadonlySet<string> = new Set(['idle', 'inactive', 'seen-time', 'active-time']);

/** One element that only `a`, or only `b`, has (or has once more often); null when both have the same. */
function multisetDifference(
  a: readonly Reply[],
  b: readonly Reply[],
): { readonly a: Reply | null; readonly b: Reply | null } | null {
  const counts = new Map<string, number>();
  for (const item of b) counts.set(keyOf(item), (counts.get(keyOf(item)) ?? 0) + 1);
  let onlyA: Reply | null = null;
  for (const item of a) {
    const left = counts.get(keyOf(item)) ?? 0;
    if (left > 0) counts.set(keyOf(item), left - 1);
    else onlyA ??= item;
  }
  const onlyB = b.find((item) => (counts.get(keyOf(item)) ?? 0) > 0) ?? null;
  return onlyA === null && onlyB === null ? null : { a: onlyA, b: onlyB };
}

/** Equal for equal values, whatever RESP version they came in. */
function keyOf(reply: Reply): string {
  const value = bare(reply);
  const items = itemsOf(value);
  if (items !== null) return `*${items.length}(${items.map(keyOf).join()})`;
  const text = textOf(value);
  if (text !== null) return `$${text.length}:${text.toString('latin1')}`;
  return value.type === 'null'
    ? '_'
    : `${value.type}${String((value as { value: unknown }).value)}`;
}

// ——— single values ———

/** The bytes of what RESP2 has only bulk strings for; null for anything else. */
function textOf(reply: Reply): Buffer | null {
  if (reply.type === '$') return reply.value;
  if (reply.type === '=') return reply.value.subarray(4);
  return reply.type === ',' || reply.type === '(' ? Buffer.from(reply.value) : null;
}

function integerOf(reply: Reply): bigint | null {
  if (reply.type === '#') return reply.value ? 1n : 0n;
  return reply.type === ':' ? BigInt(reply.value) : null;
}

function leafDifference(a: Reply, b: Reply, walk: Walk, path: string): Difference | null {
  if (a.type === 'null' && b.type === 'null') {
    const isSame = a.spelling === b.spelling || a.spelling === '_' || b.spelling === '_';
    return isSame ? null : { path, a: nullText(a.spelling), b: nullText(b.spelling), at: null };
  }
  if (a.type === '+' && b.type === '+' && a.value.equals(b.value)) return null;
  const left = textOf(a);
  const right = textOf(b);
  if (left !== null && right !== null) return textDifference(left, right, a, b, walk, path);
  const one = integerOf(a);
  const two = integerOf(b);
  if (one !== null && two !== null) return integerDifference(one, two, walk, path);
  return plain(path, a, b);
}

function nullText(spelling: '$' | '*' | '_'): string {
  return spelling === '_' ? '(null)' : spelling === '*' ? '(null array)' : '(nil)';
}

function textDifference(
  left: Buffer,
  right: Buffer,
  a: Reply,
  b: Reply,
  walk: Walk,
  path: string,
): Difference | null {
  if (left.equals(right)) return null;
  const { rules } = walk;
  if (rules.float) {
    const how = floatsDiffer(left, right, rules.settings.float);
    if (how === 'equal' && (a.type === ',' || b.type === ',')) return null;
    if (how === 'near') {
      walk.used.add('float');
      return null;
    }
  }
  if (rules.random) {
    walk.used.add('random');
    return null;
  }
  if (rules.time && isMoment(left) && isMoment(right)) {
    walk.used.add('time');
    return null;
  }
  const at = firstDifferent(left, right);
  return { path, a: quoteAround(left, at), b: quoteAround(right, at), at };
}

/** A stream's id, or seconds or µs as TIME gives them. */
function isMoment(text: Buffer): boolean {
  return text.length <= 41 && /^\d+(?:-\d+)?$/.test(text.toString('latin1'));
}

/** Two texts as doubles: `equal` in value, `near` within a relative tolerance, else `apart`. */
function floatsDiffer(a: Buffer, b: Buffer, relative: number): 'equal' | 'near' | 'apart' {
  const left = doubleOf(a);
  const right = doubleOf(b);
  if (left === null || right === null) return 'apart';
  if (left === right) return 'equal';
  const scale = Math.max(Math.abs(left), Math.abs(right));
  return Math.abs(left - right) <= relative * scale ? 'near' : 'apart';
}

function doubleOf(text: Buffer): number | null {
  if (text.length === 0 || text.length > 64) return null;
  const word = text.toString('latin1');
  const infinite = /^([+-]?)inf$/i.exec(word);
  if (infinite !== null) return infinite[1] === '-' ? -Infinity : Infinity;
  return /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i.test(word) ? Number(word) : null;
}

function integerDifference(a: bigint, b: bigint, walk: Walk, path: string): Difference | null {
  if (a === b) return null;
  const { rules, laterMs } = walk;
  // Below zero they say that there is no key, or no time to live.
  if (rules.ttlUnitMs > 0 && a >= 0n && b >= 0n) {
    const apartMs = Math.abs(Number(a - b)) * rules.ttlUnitMs;
    if (apartMs <= Math.max(rules.settings.ttlMs, Math.abs(laterMs) + rules.ttlUnitMs)) {
      walk.used.add('ttl');
      return null;
    }
  }
  if (rules.time) {
    walk.used.add('time');
    return null;
  }
  return { path, a: `(integer) ${a}`, b: `(integer) ${b}`, at: null };
}

function firstDifferent(a: Buffer, b: Buffer): number {
  const end = Math.min(a.length, b.length);
  for (let i = 0; i < end; i++) if (a[i] !== b[i]) return i;
  return end;
}
