/**
 * Where the keys of a command stand. A row of the table names one of these rules; the finders below are for the few commands whose
 * keys depend on their arguments.
 */

/** A command as these rules see it: its arguments, the name being the first. */
export type Words = {
  readonly argc: number;
  arg(i: number): Buffer;
};

/** The positions of the keys among the arguments; empty when it has none, or too few arguments to tell. */
export type KeyRule = (words: Words) => readonly number[];

const NO_KEYS: readonly number[] = [];
const AT_1: readonly number[] = [1];
const AT_2: readonly number[] = [2];

const LONGEST_WORD = 20;

export const NONE: KeyRule = () => NO_KEYS;
export const FIRST: KeyRule = (words) => (words.argc > 1 ? AT_1 : NO_KEYS);
export const SECOND: KeyRule = (words) => (words.argc > 2 ? AT_2 : NO_KEYS);
export const ALL: KeyRule = (words) => range(1, words.argc - 1, 1);
export const ALL_BUT_LAST: KeyRule = (words) => range(1, words.argc - 2, 1);
export const FROM_SECOND: KeyRule = (words) => range(2, words.argc - 1, 1);
export const PAIRS: KeyRule = (words) => range(1, words.argc - 1, 2);
export const TWO: KeyRule = (words) => range(1, Math.min(2, words.argc - 1), 1);

/** `… numkeys key …` with the number at `at`. */
export function numkeys(at: number): KeyRule {
  return (words) => keysAfterCount(words, at);
}

/** ZUNIONSTORE and its like: the destination, then numkeys and the sources. */
export const destinationAndNumkeys: KeyRule = (words) =>
  words.argc > 1 ? [1, ...keysAfterCount(words, 2)] : NO_KEYS;

// Options are walked as Redis walks them, by the words each takes: a group may be named STREAMS, a pattern STORE, a password KEYS.

/** XREAD, XREADGROUP: the first half of what follows STREAMS; none where the halves are unequal. */
export const streams: KeyRule = (words) => {
  const at = findOption(words, 1, 'STREAMS', { BLOCK: 1, COUNT: 1, GROUP: 2, NOACK: 0 }, true);
  const rest = words.argc - at - 1;
  return at === -1 || rest % 2 === 1 ? NO_KEYS : range(at + 1, at + rest / 2, 1);
};

/** SORT: the first, and the key after the last STORE. */
export const firstAndStore: KeyRule = (words) => {
  if (words.argc < 2) return NO_KEYS;
  let store = -1;
  for (let from = 2; from < words.argc; from = store + 1) {
    const at = findOption(words, from, 'STORE', { LIMIT: 2, GET: 1, BY: 1 });
    if (at === -1 || at + 1 === words.argc) break;
    store = at;
  }
  return store === -1 ? AT_1 : [1, store + 1];
};

/** GEORADIUS: the first, and the key after the last STORE or STOREDIST, which cannot stand before the fifth word. */
export const firstAndGeoStore: KeyRule = (words) => {
  if (words.argc < 2) return NO_KEYS;
  let store = -1;
  for (let i = 5; i + 1 < words.argc; i++) {
    if (/^STORE(?:DIST)?$/.test(wordOf(words, i))) store = i++;
  }
  return store === -1 ? AT_1 : [1, store + 1];
};

/** MIGRATE: element 3, or those after KEYS when it is empty. */
export const migrateKeys: KeyRule = (words) => {
  if (words.argc < 4) return NO_KEYS;
  if (words.arg(3).length > 0) return [3];
  const at = findOption(words, 6, 'KEYS', { COPY: 0, REPLACE: 0, AUTH: 1, AUTH2: 2 });
  return at === -1 ? NO_KEYS : range(at + 1, words.argc - 1, 1);
};

/**
 * Position of the option `name` from `from` on, or -1. The words that the options of `takes` take are passed over; an option that
 * is none of them ends the search where `strict`.
 */
function findOption(
  words: Words,
  from: number,
  name: string,
  takes: Readonly<Record<string, number>>,
  strict = false,
): number {
  for (let i = from; i < words.argc; i++) {
    const word = wordOf(words, i);
    if (word === name) return i;
    const taken = takes[word];
    if (taken === undefined && strict) return -1;
    i += taken ?? 0;
  }
  return -1;
}

function keysAfterCount(words: Words, at: number): number[] {
  if (words.argc <= at) return [];
  const count = wordOf(words, at);
  if (!/^\d+$/.test(count)) return [];
  return range(at + 1, Math.min(at + Number(count), words.argc - 1), 1);
}

/** Argument `i` in upper case; nothing where it is too long for an option or a number, as values are. */
function wordOf(words: Words, i: number): string {
  const arg = words.arg(i);
  return arg.length > LONGEST_WORD ? '' : arg.toString('latin1').toUpperCase();
}

function range(from: number, to: number, step: number): number[] {
  const positions: number[] = [];
  for (let i = from; i <= to; i += step) positions.push(i);
  return positions;
}
