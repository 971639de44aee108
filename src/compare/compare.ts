/** The one way two replies are compared: by a replay, a mirror, `rmtop diff` and the screen (recording page, section 6). */
import { Command } from '../commands/command.js';
import { decodeReply, isError, type Reply } from '../resp/value.js';
import type { UserRule } from './rules.js';
import { DEFAULT_TOLERANCES, rulesFor, type Tolerances } from './tolerances.js';
import { type Difference, difference, type Walk } from './tree.js';

/** What two replies are to each other; `missing` where only the first exists, `extra` where only the second does. */
export type Comparison =
  | { readonly kind: 'same' }
  | { readonly kind: 'tolerated'; readonly by: readonly string[] }
  | ({ readonly kind: 'diff' } & Difference)
  | { readonly kind: 'missing' | 'extra' };

/** What else a comparison may be told. */
export type CompareContext = {
  /** How much later, in ms, the second reply was asked for: times to live run down meanwhile. */
  readonly laterMs?: number;
  /** The commands of a transaction, when these are replies to its EXEC: each element is compared as its command's. */
  readonly queued?: readonly Command[];
};

const SAME: Comparison = { kind: 'same' };

/**
 * Compares the RESP bytes of two replies to `command`; null stands for a reply that never came.
 *
 * Equal bytes cost one comparison and nothing else. Bytes that are no whole reply are compared as they are.
 */
export function compareReplies(
  command: Command,
  a: Buffer | null,
  b: Buffer | null,
  tolerances: Tolerances = DEFAULT_TOLERANCES,
  context: CompareContext = {},
): Comparison {
  if (a === null || b === null) {
    if (a === b) return SAME;
    return { kind: a === null ? 'extra' : 'missing' };
  }
  if (a.equals(b)) return SAME;
  const left = decodeReply(a);
  const right = decodeReply(b);
  if (left === null || right === null)
    return { kind: 'diff', path: '', a: `${a.length} bytes`, b: `${b.length} bytes`, at: null };
  return compareValues(command, left, right, tolerances, context);
}

/** As `compareReplies`, for replies that are decoded already. */
export function compareValues(
  command: Command,
  a: Reply,
  b: Reply,
  tolerances: Tolerances = DEFAULT_TOLERANCES,
  context: CompareContext = {},
): Comparison {
  const { laterMs = 0, queued } = context;
  const used = new Set<string>();
  if (queued !== undefined && a.type === '*' && b.type === '*' && a.items.length === b.items.length)
    return compareTransaction(queued, a.items, b.items, tolerances, laterMs);
  const user = rulesOf(command, tolerances);
  const walk: Walk = { rules: rulesFor(command, tolerances), laterMs, used, user, active: NONE };
  const found = walk.rules.server
    ? serverDifference(a, b, walk)
    : walk.rules.cursor
      ? pageDifference(command, a, b, walk)
      : difference(a, b, walk);
  if (found !== null) return { kind: 'diff', ...found };
  return used.size === 0 ? SAME : { kind: 'tolerated', by: [...used] };
}

const NONE: readonly never[] = [];

function rulesOf(command: Command, { rules }: Tolerances): readonly UserRule[] {
  return rules.length === 0 ? NONE : rules.filter((rule) => rule.fits(command));
}

/** The rule by which a whole reply to `command` means nothing, whatever is known of it; null: there is none. */
export function ignoredBy(command: Command, tolerances: Tolerances): string | null {
  const rule = rulesOf(command, tolerances).find(
    ({ ignores, speaksOf }) => ignores && speaksOf(''),
  );
  return rule?.name ?? null;
}

function compareTransaction(
  queued: readonly Command[],
  a: readonly Reply[],
  b: readonly Reply[],
  tolerances: Tolerances,
  laterMs: number,
): Comparison {
  const by = new Set<string>();
  for (const [i, left] of a.entries()) {
    const command = queued[i] ?? Command.of([]);
    const found = compareValues(command, left, b[i] as Reply, tolerances, { laterMs });
    if (found.kind === 'diff') return { ...found, path: `[${i}]${found.path}` };
    if (found.kind === 'tolerated') for (const name of found.by) by.add(name);
  }
  return by.size === 0 ? SAME : { kind: 'tolerated', by: [...by] };
}

/** Figures of one server: all that counts is that both answered. */
function serverDifference(a: Reply, b: Reply, walk: Walk): Difference | null {
  if (isError(a) || isError(b)) return difference(a, b, walk);
  if (difference(a, b, { ...walk, user: NONE, used: new Set() }) !== null) walk.used.add('server');
  return null;
}

/**
 * One page of a SCAN. A page that is all of it, on both sides, is compared as a multiset; of other pages only that they are pages,
 * for what is on which one is the server's business: `ScanLoops` compares whole loops.
 */
function pageDifference(command: Command, a: Reply, b: Reply, walk: Walk): Difference | null {
  const left = pageOf(a);
  const right = pageOf(b);
  if (left === null || right === null) return difference(a, b, walk);
  const trial: Walk = { ...walk, used: new Set() };
  if (difference(a, b, trial) === null) {
    for (const name of trial.used) walk.used.add(name);
    return null;
  }
  const asked = command.name === 'SCAN' ? 1 : 2;
  const isFirst = command.argc > asked && command.text(asked, 32) === '0';
  if (isFirst && left.cursor === '0' && right.cursor === '0') {
    const rules = { ...walk.rules, order: walk.rules.settings.order };
    return difference(left.elements, right.elements, { ...walk, rules }, '[1]');
  }
  walk.used.add('cursor');
  return null;
}

/** A reply of the SCAN family; null when it is none. */
export function pageOf(reply: Reply): { readonly cursor: string; readonly elements: Reply } | null {
  if (reply.type !== '*' || reply.items.length !== 2) return null;
  const [cursor, elements] = reply.items;
  if (cursor?.type !== '$' || elements?.type !== '*') return null;
  return { cursor: cursor.value.toString('latin1'), elements };
}
