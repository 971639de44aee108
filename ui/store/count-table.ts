/**
 * A bounded table of counts, a row a name: exact for as many names as there is room for, then the most frequent by filtered Space-Saving
 * (Homem and Carvalho, 2010): names without a row are counted together by their hashes, and one that may have come as often as the
 * rarest with a row takes that row; how far off its count may be is kept with it.
 *
 * Every command of a busy stream is counted in four such tables. So a row is 128 bytes of one array and not an object: two cache
 * lines are touched for a command, and nothing is left for the collector.
 */
import { bucketOf } from 'rmtop';
import { Spreads } from './spreads.js';

/** Seconds that a rate is made over, in so many steps. */
const STEP_US = 10e6;
const STEPS = 7;

const ROW_FLOATS = 16;
const ROW_INTS = 32;
const FIRST_ROWS = 512;
/** Of a place in the heap: as many as stand in a cache line. */
const CHILDREN = 4;
/** For each row at least so many places for names without one: the more, the fewer of them come into the table for nothing. */
const OTHERS = 2;

/** Places in a row, as 64-bit numbers. */
const CALLS = 0;
const WRITES = 1;
const ERRORS = 2;
const BYTES = 3;
const TOTAL_US = 4;
const MAX_US = 5;
/** So many of the calls may belong to names that had this row before; 0: exact. */
const ERROR = 6;
/** And as 32-bit numbers, behind those. */
const STEP = 14;
/** What the row has of the histograms. */
const SPREAD = 15;
const STEPS_AT = 16;
/** Rows are given to other names: counts how often, so that who keeps the number of a row can tell. */
const GENERATION = 23;
/** For whoever makes a table: the rest of the row, empty in a new one. */
const NOTES = 24;

/** What is counted of one command, worked out once for all the tables. */
export class Sample {
  step = 0;
  isWrite = false;
  isError = false;
  bytes = 0;
  us = 0;
  bucket = 0;

  set(atUs: number, isWrite: boolean, isError: boolean, bytes: number, us: number): this {
    this.step = Math.floor(atUs / STEP_US);
    this.isWrite = isWrite;
    this.isError = isError;
    this.bytes = bytes;
    this.us = us;
    this.bucket = bucketOf(us < 0 ? 0 : us > 0x7fffffff ? 0x7fffffff : us | 0);
    return this;
  }
}

export class CountTable {
  /** How many names have a row. */
  size = 0;
  /** Calls that were not counted by name, for the name had no row. */
  missed = 0;
  private readonly room: number;
  private floats: Float64Array = new Float64Array(0);
  private ints: Int32Array = new Int32Array(0);
  private spreads = new Spreads();
  /** Rows as a heap by their calls when last looked at, the rarest first; made when the table is full. */
  private heap: Int32Array | null = null;
  private heapCalls: Float64Array = new Float64Array(0);
  /** By hash: how often names without a row came at most. */
  private readonly others: Uint32Array;

  constructor(room: number) {
    this.room = room;
    this.others = new Uint32Array(2 ** Math.ceil(Math.log2(room * OTHERS)));
  }

  /** Whether every name that came has its own exact count. */
  get isExact(): boolean {
    return this.missed === 0;
  }

  // ——— rows ———

  /**
   * A row for a name that has none; -1: it does not come often enough for one, and was counted among the others. `forget` is called
   * with the row that another name loses and gives that name's hash.
   */
  newRow(hash: number, forget: (row: number) => number): number {
    if (this.size < this.room) {
      const row = this.size++;
      const rows = this.ints.length / ROW_INTS;
      if (row >= rows) this.reserve(Math.min(this.room, Math.max(FIRST_ROWS, rows * 2)));
      return row;
    }
    const { others } = this;
    const mask = others.length - 1;
    const before = others[hash & mask] as number;
    this.heap ??= this.makeHeap();
    this.missed++;
    // What the heap says of its front may be too low, never too high.
    if (
      before + 1 < (this.heapCalls[0] as number) ||
      before + 1 < this.calls(this.rarest(this.heap))
    ) {
      others[hash & mask] = before + 1;
      return -1;
    }
    const row = this.heap[0] as number;
    const place = forget(row) & mask;
    others[place] = Math.max(others[place] as number, this.calls(row));
    this.empty(row, before);
    return row;
  }

  /** Forgets everything. */
  clear(): void {
    this.size = 0;
    this.missed = 0;
    this.others.fill(0);
    this.heap = null;
    this.floats = new Float64Array(0);
    this.ints = new Int32Array(0);
    this.spreads = new Spreads();
  }

  private reserve(rows: number): void {
    const floats = new Float64Array(rows * ROW_FLOATS);
    floats.set(this.floats);
    this.floats = floats;
    this.ints = new Int32Array(floats.buffer);
  }

  /** Empties a row for another name, of which `before` calls may have come already. */
  private empty(row: number, before: number): void {
    const { floats, ints } = this;
    const f = row * ROW_FLOATS;
    const i = row * ROW_INTS;
    floats[f + CALLS] = before;
    floats[f + ERROR] = before;
    for (let each = WRITES; each <= MAX_US; each++) floats[f + each] = 0;
    for (let each = 0; each < STEPS; each++) ints[i + STEPS_AT + each] = 0;
    for (let each = NOTES; each < ROW_INTS; each++) ints[i + each] = 0;
    ints[i + GENERATION] = (ints[i + GENERATION] as number) + 1;
    this.spreads.giveBack(ints[i + SPREAD] as number);
    ints[i + SPREAD] = 0;
  }

  generation(row: number): number {
    return this.ints[row * ROW_INTS + GENERATION] as number;
  }

  note(row: number, which: number): number {
    return this.ints[row * ROW_INTS + NOTES + which] as number;
  }

  setNote(row: number, which: number, value: number): void {
    this.ints[row * ROW_INTS + NOTES + which] = value;
  }

  // ——— counting ———

  add(row: number, sample: Sample): void {
    const { floats, ints } = this;
    const f = row * ROW_FLOATS;
    const i = row * ROW_INTS;
    const calls = (floats[f + CALLS] as number) + 1;
    const longest = floats[f + MAX_US] as number;
    const { us } = sample;
    floats[f + CALLS] = calls;
    if (sample.isWrite) floats[f + WRITES] = (floats[f + WRITES] as number) + 1;
    if (sample.isError) floats[f + ERRORS] = (floats[f + ERRORS] as number) + 1;
    floats[f + BYTES] = (floats[f + BYTES] as number) + sample.bytes;
    floats[f + TOTAL_US] = (floats[f + TOTAL_US] as number) + us;
    // One sample is the longest itself; from the second call on there is something to tell apart.
    if (calls - (floats[f + ERROR] as number) >= 2) {
      let piece = ints[i + SPREAD] as number;
      if (piece === 0) piece = this.spreads.record(0, bucketOf(longest | 0));
      ints[i + SPREAD] = this.spreads.record(piece, sample.bucket);
    }
    if (us > longest) floats[f + MAX_US] = us;
    const { step } = sample;
    if (step !== ints[i + STEP]) this.turn(i, step);
    const at = i + STEPS_AT + (step % STEPS);
    ints[at] = (ints[at] as number) + 1;
  }

  /** Empties the steps between the last and this one. */
  private turn(i: number, step: number): void {
    const { ints } = this;
    const last = ints[i + STEP] as number;
    for (let each = Math.max(last + 1, step - STEPS + 1); each <= step; each++)
      ints[i + STEPS_AT + (each % STEPS)] = 0;
    if (step > last) ints[i + STEP] = step;
  }

  // ——— what was counted ———

  calls(row: number): number {
    return this.floats[row * ROW_FLOATS + CALLS] as number;
  }

  /** Calls a second over the last minute, or since the start where that is shorter. */
  rate(row: number, nowUs: number): number {
    const { ints } = this;
    const i = row * ROW_INTS;
    const last = ints[i + STEP] as number;
    const now = Math.floor(nowUs / STEP_US);
    const first = Math.max(0, now - STEPS + 1);
    let calls = 0;
    for (let step = first; step <= now; step++)
      if (step <= last && step > last - STEPS) calls += ints[i + STEPS_AT + (step % STEPS)] ?? 0;
    return (calls * 1e6) / Math.max(1e6, nowUs - first * STEP_US);
  }

  /** What was counted in a row, at this moment. */
  count(row: number): Count {
    const f = row * ROW_FLOATS;
    const at = (place: number): number => this.floats[f + place] as number;
    const maxUs = at(MAX_US);
    return {
      calls: at(CALLS),
      writes: at(WRITES),
      errors: at(ERRORS),
      bytes: at(BYTES),
      totalUs: at(TOTAL_US),
      maxUs,
      error: at(ERROR),
      p99Us: Math.min(
        maxUs,
        this.spreads.quantileUs(this.ints[row * ROW_INTS + SPREAD] as number, 0.99) ?? maxUs,
      ),
    };
  }

  /** The `many` rows with the most calls a second, then the most calls. */
  hottest(many: number, nowUs: number): readonly Heat[] {
    const byHeat = (a: Heat, b: Heat): number =>
      b.rate - a.rate || this.calls(b.row) - this.calls(a.row);
    const best: Heat[] = [];
    let least: Heat | undefined;
    for (let row = 0; row < this.size; row++) {
      const rate = this.rate(row, nowUs);
      if (least !== undefined && rate < least.rate) continue;
      const each = { row, rate };
      if (least !== undefined && byHeat(least, each) <= 0) continue;
      best.push(each);
      // Most rows do not come this far, and those that do are put in order a hundred at a time.
      if (best.length < many + 100) continue;
      best.sort(byHeat).length = many;
      least = best[many - 1];
    }
    return best.sort(byHeat).slice(0, many);
  }

  // ——— the rarest ———

  /** The row with the fewest calls, at the heap's front. What has grown since it was looked at sinks first. */
  private rarest(heap: Int32Array): number {
    const { heapCalls } = this;
    for (;;) {
      const front = heap[0] as number;
      const calls = this.calls(front);
      if (heapCalls[0] === calls) return front;
      this.sink(heap, 0, front, calls);
    }
  }

  private makeHeap(): Int32Array {
    const heap = Int32Array.from({ length: this.size }, (_, row) => row);
    this.heapCalls = Float64Array.from(heap, (row) => this.calls(row));
    for (let at = Math.floor(heap.length / CHILDREN); at >= 0; at--)
      this.sink(heap, at, heap[at] as number, this.heapCalls[at] as number);
    return heap;
  }

  /** Puts `row`, which now has so many `calls`, where it belongs below `at`. */
  private sink(heap: Int32Array, at: number, row: number, calls: number): void {
    const { heapCalls } = this;
    const { length } = heap;
    for (;;) {
      const first = CHILDREN * at + 1;
      let least = at;
      let fewest = calls;
      for (let child = first; child < first + CHILDREN && child < length; child++) {
        const theirs = heapCalls[child] as number;
        if (theirs >= fewest) continue;
        fewest = theirs;
        least = child;
      }
      if (least === at) break;
      heap[at] = heap[least] as number;
      heapCalls[at] = fewest;
      at = least;
    }
    heap[at] = row;
    heapCalls[at] = calls;
  }
}

/** How often a row's name comes now, in calls a second. */
export type Heat = { readonly row: number; readonly rate: number };

/** What was counted of one name. */
export type Count = {
  readonly calls: number;
  readonly writes: number;
  readonly errors: number;
  readonly bytes: number;
  readonly totalUs: number;
  readonly maxUs: number;
  /** So many of the calls may belong to names that had this place before; 0: exact. */
  readonly error: number;
  /** The latency that 99 of 100 calls did not exceed, µs; of those that are this name's. */
  readonly p99Us: number;
};
