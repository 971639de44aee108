/** Which of a replay's commands wait for which, and when each is due: computed beforehand from their times alone (recording page, 5). */
import type { ReplayItem, ReplayOptions, ReplayOrder } from './replay.js';

/**
 * Commands to send, in the order of their arrival. Their times are known at once; the commands themselves are made when they are sent,
 * for a recording may have millions. Times in µs since the recording began; `doneUs` is -1 where there was never a reply.
 */
export type ReplayItems = {
  readonly length: number;
  seq(i: number): number;
  atUs(i: number): number;
  doneUs(i: number): number;
  connection(i: number): number;
  load(i: number): ReplayItem;
};

/** Items that are all there. */
export function listedItems(items: readonly ReplayItem[]): ReplayItems {
  const at = (i: number): ReplayItem => items[i] as ReplayItem;
  return {
    length: items.length,
    seq: (i) => at(i).seq,
    atUs: (i) => at(i).atUs,
    doneUs: (i) => at(i).doneUs ?? -1,
    connection: (i) => at(i).connection,
    load: at,
  };
}

/** Items that wait for each other: all, or those of one connection. */
export type ReplayGroup = {
  readonly members: Int32Array;
  next: number;
  /** By order of completion in the recording: whether it has completed now; `prefix` of them have without a gap. */
  readonly completed: Uint8Array;
  prefix: number;
};

/** By index of the item. `need`: how many completions of its group it waits for; `completion`: which of them it is, -1 where none. */
export type ReplayPlan = {
  readonly groups: readonly ReplayGroup[];
  readonly need: Int32Array;
  readonly completion: Int32Array;
  /** ms after the start, at the recorded speed. */
  readonly dueMs: Float64Array;
};

/** Plans a replay of `items`. */
export function planReplay(items: ReplayItems, options: ReplayOptions): ReplayPlan {
  const need = new Int32Array(items.length);
  const completion = new Int32Array(items.length).fill(-1);
  const groups = membersOf(items, options.order).map((members) => {
    const completions = placed(items, members, options.order, need, completion);
    return { members, next: 0, completed: new Uint8Array(completions), prefix: 0 };
  });
  return { groups, need, completion, dueMs: dueTimes(items, options) };
}

function membersOf(items: ReplayItems, order: ReplayOrder): Int32Array[] {
  if (order !== 'conn') return [Int32Array.from({ length: items.length }, (_, i) => i)];
  const byConnection = new Map<number, number[]>();
  for (let i = 0; i < items.length; i++) {
    const members = byConnection.get(items.connection(i));
    if (members === undefined) byConnection.set(items.connection(i), [i]);
    else members.push(i);
  }
  return [...byConnection.values()].map((members) => Int32Array.from(members));
}

/**
 * One pass: completions sorted by time; an item needs as many of them as there were before it arrived. What had no reply in the
 * recording is no completion, or everything after it would wait for ever. Gives how many completions there are.
 */
function placed(
  items: ReplayItems,
  members: Int32Array,
  order: ReplayOrder,
  need: Int32Array,
  completion: Int32Array,
): number {
  const arrived = members.filter((i) => items.doneUs(i) >= 0);
  const finished = arrived.slice().sort((a, b) => items.doneUs(a) - items.doneUs(b) || a - b);
  const counted = order === 'serial' ? arrived : finished;
  for (let i = 0; i < counted.length; i++) completion[counted[i] as number] = i;
  let before = 0;
  let serial = 0;
  for (const i of members) {
    while (before < finished.length && isBefore(items, finished[before] as number, i)) before++;
    need[i] = order === 'none' ? 0 : order === 'serial' ? serial : before;
    if (completion[i] !== -1) serial++;
  }
  return counted.length;
}

/** Whether `earlier` had completed when `i` arrived. What takes no time has not when it arrives itself, nor for what comes before it. */
function isBefore(items: ReplayItems, earlier: number, i: number): boolean {
  const doneUs = items.doneUs(earlier);
  return doneUs < items.atUs(i) || (doneUs === items.atUs(i) && earlier < i);
}

/** When each is due at the recorded speed, ms after the start: as recorded, silences shortened; or evenly. */
export function dueTimes(
  items: ReplayItems,
  { maxGapMs, perSecond }: Pick<ReplayOptions, 'maxGapMs' | 'perSecond'>,
): Float64Array {
  if (perSecond !== undefined && perSecond !== null)
    return Float64Array.from({ length: items.length }, (_, i) => (i * 1000) / perSecond);
  const due = new Float64Array(items.length);
  let atMs = 0;
  let before = items.length === 0 ? 0 : items.atUs(0);
  for (let i = 0; i < items.length; i++) {
    const gapMs = Math.max(0, items.atUs(i) - before) / 1000;
    atMs += maxGapMs === null ? gapMs : Math.min(gapMs, maxGapMs);
    before = Math.max(before, items.atUs(i));
    due[i] = atMs;
  }
  return due;
}
