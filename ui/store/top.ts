/**
 * Counts by name: exact for as many names as there is room for, then the most frequent by Space-Saving (Metwally and others, 2005):
 * a new name takes the place of the rarest and its count, and how far off that may be is kept with it.
 */

import { Spread } from 'rmtop';

/** Seconds that a rate is made over, in so many steps. */
const STEP_US = 10e6;
const STEPS = 7;

/** What is counted of one name. */
export class Count {
  name: string;
  calls = 0;
  writes = 0;
  errors = 0;
  bytes = 0;
  totalUs = 0;
  maxUs = 0;
  /** So many of the calls may belong to names that had this place before; 0: exact. */
  error = 0;
  /** The count of a key's slot; null where it is no key, or not known yet. */
  slot: Count | null = null;
  /** Names of commands, the first few. */
  commands: string[] = NO_COMMANDS;
  /** The count of a key's prefix, and that prefix: the count may have been given to another one since. */
  prefix: Count | null = null;
  prefixName = '';
  /** Made with the second call: one sample is the longest itself. */
  private spread: Spread | null = null;
  /** Calls by step of ten seconds. */
  private readonly steps: number[] = [0, 0, 0, 0, 0, 0, 0];
  private step = 0;

  constructor(name: string) {
    this.name = name;
  }

  /** Becomes the count of another name, which takes over how often this one came. */
  become(name: string): void {
    this.name = name;
    this.error = this.calls;
    this.writes = 0;
    this.errors = 0;
    this.bytes = 0;
    this.totalUs = 0;
    this.maxUs = 0;
    this.spread = null;
    this.slot = null;
    this.prefix = null;
    this.commands = NO_COMMANDS;
    this.steps.fill(0);
  }

  add(atUs: number, isWrite: boolean, isError: boolean, bytes: number, us: number): void {
    this.calls++;
    if (isWrite) this.writes++;
    if (isError) this.errors++;
    this.bytes += bytes;
    this.totalUs += us;
    this.spreadOf(us);
    if (us > this.maxUs) this.maxUs = us;
    const step = Math.floor(atUs / STEP_US);
    if (step !== this.step) this.turn(step);
    const at = step % STEPS;
    this.steps[at] = (this.steps[at] ?? 0) + 1;
  }

  private spreadOf(us: number): void {
    if (this.calls - this.error < 2) return;
    if (this.spread === null) {
      this.spread = new Spread();
      this.spread.record(this.maxUs);
    }
    this.spread.record(us);
  }

  /** The latency that 99 of 100 calls did not exceed, µs; of those that are this name's. */
  get p99Us(): number {
    return Math.min(this.maxUs, this.spread?.quantileUs(0.99) ?? this.maxUs);
  }

  /** Empties the steps between the last and this one. */
  private turn(step: number): void {
    for (let each = Math.max(this.step + 1, step - STEPS + 1); each <= step; each++)
      this.steps[each % STEPS] = 0;
    this.step = Math.max(step, this.step);
  }

  noteCommand(name: string): void {
    const { commands } = this;
    if (commands.length === 0) this.commands = onlyOne(name);
    else if (commands.length < 4 && !commands.includes(name)) this.commands = [...commands, name];
  }

  /** Calls a second over the last minute, or since the start where that is shorter. */
  rate(nowUs: number): number {
    const now = Math.floor(nowUs / STEP_US);
    let calls = 0;
    for (let step = Math.max(0, now - STEPS + 1); step <= now; step++)
      if (step <= this.step && step > this.step - STEPS) calls += this.steps[step % STEPS] ?? 0;
    const sinceUs = nowUs - Math.max(0, now - STEPS + 1) * STEP_US;
    return (calls * 1e6) / Math.max(1e6, sinceUs);
  }
}

const NO_COMMANDS: string[] = [];
const SINGLE = new Map<string, string[]>();

/** Most keys are used by one command: they share its list. */
function onlyOne(name: string): string[] {
  let list = SINGLE.get(name);
  if (list === undefined) {
    list = [name];
    if (SINGLE.size < 1000) SINGLE.set(name, list);
  }
  return list;
}

/** A bounded table of Counts. */
export class Top {
  private readonly room: number;
  private readonly counts = new Map<string, Count>();
  /** A heap by calls as they were when last looked at: the rarest name first. */
  private heap: { count: Count; calls: number }[] = [];
  /** Names that lost their place. */
  replaced = 0;

  constructor(room = 10_000) {
    this.room = room;
  }

  get size(): number {
    return this.counts.size;
  }

  /** Whether every name that came has its own exact count. */
  get isExact(): boolean {
    return this.replaced === 0;
  }

  known(name: string): Count | undefined {
    return this.counts.get(name);
  }

  /** The count of `name`, made where it is new. */
  of(name: string): Count {
    const known = this.counts.get(name);
    if (known !== undefined) return known;
    if (this.counts.size >= this.room) return this.takePlace(name);
    const count = new Count(name);
    this.push({ count, calls: 0 });
    this.counts.set(name, count);
    return count;
  }

  /** The rarest name's count goes to `name`: the object stays, for such a table would else be a heap of garbage a second. */
  private takePlace(name: string): Count {
    const count = this.rarest();
    this.counts.delete(count.name);
    this.replaced++;
    count.become(name);
    this.counts.set(name, count);
    return count;
  }

  /** The count with the fewest calls, at the heap's front. What has grown since it was put there sinks first. */
  private rarest(): Count {
    for (;;) {
      const front = this.heap[0];
      if (front === undefined) throw new RangeError('an empty table has no rarest name');
      if (front.calls === front.count.calls) return front.count;
      front.calls = front.count.calls;
      this.sink(0);
    }
  }

  private push(entry: { count: Count; calls: number }): void {
    const { heap } = this;
    heap.push(entry);
    for (let at = heap.length - 1; at > 0; ) {
      const parent = (at - 1) >> 1;
      if (this.callsAt(parent) <= this.callsAt(at)) return;
      this.swap(at, parent);
      at = parent;
    }
  }

  private sink(at: number): void {
    for (;;) {
      const left = 2 * at + 1;
      let least = at;
      if (left < this.heap.length && this.callsAt(left) < this.callsAt(least)) least = left;
      if (left + 1 < this.heap.length && this.callsAt(left + 1) < this.callsAt(least))
        least = left + 1;
      if (least === at) return;
      this.swap(at, least);
      at = least;
    }
  }

  private callsAt(at: number): number {
    return this.heap[at]?.calls ?? 0;
  }

  private swap(a: number, b: number): void {
    const { heap } = this;
    const one = heap[a];
    const other = heap[b];
    if (one === undefined || other === undefined) return;
    heap[a] = other;
    heap[b] = one;
  }

  /** The `many` with the most calls a second, then the most calls. */
  hottest(
    many: number,
    nowUs: number,
  ): readonly { readonly count: Count; readonly rate: number }[] {
    const all = [...this.counts.values()].map((count) => ({ count, rate: count.rate(nowUs) }));
    all.sort((a, b) => b.rate - a.rate || b.count.calls - a.count.calls);
    return all.slice(0, many);
  }

  get list(): IterableIterator<Count> {
    return this.counts.values();
  }
}
