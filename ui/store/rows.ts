/**
 * The commands in memory, sorted by arrival: for each a number, the place of its record in a block, and what the filter said of it.
 *
 * Plain arrays of numbers and the blocks themselves, so that 50,000 commands cost no objects and a second's traffic a millisecond.
 */
import type { Block, PendingEvent } from 'rmtop';

export type Limits = { readonly rows: number; readonly bytes: number };

export const MEMORY: Limits = { rows: 50_000, bytes: 64 * 1024 * 1024 };

/** What is known of a row's filtering. */
export const UNCHECKED = 0;
export const SHOWN = 1;
export const HIDDEN = 2;

/** One row: a finished command's record, or one that is waiting for its reply. */
export type Row =
  | {
      readonly kind: 'command';
      readonly seq: number;
      readonly block: Block;
      readonly offset: number;
    }
  | { readonly kind: 'pending'; readonly seq: number; readonly event: PendingEvent };

type Held = { readonly block: Block; readonly bytes: number; rows: number };

/** Records are multiples of 8 bytes, and no block is nearly as large as this allows: 16 MiB. */
const PLACES_IN_BLOCK = 2 ** 21;
const PENDING = -1;

export class RowStore {
  /** How many rows were taken in, and how many of them have gone again to make room. */
  arrived = 0;
  evicted = 0;
  /** How many were taken away by the user. */
  cleared = 0;
  private readonly limits: Limits;
  private readonly seqs: Float64Array;
  private readonly places: Float64Array;
  private readonly marks: Uint8Array;
  private readonly tally: [unchecked: number, shown: number, hidden: number] = [0, 0, 0];
  private start = 0;
  private end = 0;
  private readonly blocks = new Map<number, Held>();
  private readonly pending = new Map<number, PendingEvent>();
  private nextBlock = 0;
  private bytes = 0;

  constructor(limits: Limits = MEMORY) {
    this.limits = limits;
    const places = limits.rows * 2 + 16_384;
    this.seqs = new Float64Array(places);
    this.places = new Float64Array(places);
    this.marks = new Uint8Array(places);
  }

  get length(): number {
    return this.end - this.start;
  }

  get unchecked(): number {
    return this.tally[UNCHECKED];
  }

  get shown(): number {
    return this.tally[SHOWN];
  }

  get sizeBytes(): number {
    return this.bytes;
  }

  /** Commands that wait for their replies. */
  get waiting(): number {
    return this.pending.size;
  }

  seqAt(index: number): number {
    return this.seqs[this.start + index] ?? Number.NaN;
  }

  row(index: number): Row {
    const at = this.start + index;
    const seq = this.seqs[at] ?? Number.NaN;
    const place = this.places[at] ?? PENDING;
    const event = place === PENDING ? this.pending.get(seq) : undefined;
    if (event !== undefined) return { kind: 'pending', seq, event };
    const held = this.blocks.get(Math.floor(place / PLACES_IN_BLOCK));
    if (held === undefined) throw new RangeError(`no row ${index}`);
    return { kind: 'command', seq, block: held.block, offset: (place % PLACES_IN_BLOCK) * 8 };
  }

  /** The first row whose number is `seq` or higher. */
  indexOf(seq: number): number {
    return this.search(seq) - this.start;
  }

  has(seq: number): boolean {
    return this.seqs[this.search(seq)] === seq && this.search(seq) < this.end;
  }

  private search(seq: number): number {
    let low = this.start;
    let high = this.end;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.seqs[middle] as number) < seq) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  // ——— what comes in ———

  /** Takes in the commands of a block, which are at `offsets`. */
  add(block: Block, offsets: readonly number[]): void {
    if (offsets.length === 0) return;
    const id = this.nextBlock++;
    const held: Held = { block, bytes: block.bytes.length, rows: offsets.length };
    this.blocks.set(id, held);
    this.bytes += held.bytes;
    const seqs: number[] = [];
    const places: number[] = [];
    for (const offset of sorted(block, offsets)) {
      const seq = block.seq(offset);
      const place = id * PLACES_IN_BLOCK + offset / 8;
      this.arrived++;
      if (this.pending.size > 0 && this.pending.delete(seq)) this.replace(seq, place);
      else if (this.isTooOld(seq)) this.drop(place);
      else {
        seqs.push(seq);
        places.push(place);
      }
    }
    this.merge(seqs, places);
    this.trim();
  }

  /** Takes in a command that waits. Its row is replaced when it has finished. */
  addPending(event: PendingEvent): void {
    if (this.has(event.seq) || this.isTooOld(event.seq)) return;
    this.pending.set(event.seq, event);
    this.merge([event.seq], [PENDING]);
    this.trim();
  }

  /** Commands that `isOver` says wait no longer, though their events have not been seen: their rows go. */
  forgetPending(isOver: (event: PendingEvent) => boolean): void {
    for (const [seq, event] of this.pending) {
      if (!isOver(event)) continue;
      this.pending.delete(seq);
      this.remove(this.search(seq));
    }
  }

  private isTooOld(seq: number): boolean {
    return this.evicted > 0 && this.length > 0 && seq < this.seqAt(0);
  }

  private replace(seq: number, place: number): void {
    const at = this.search(seq);
    this.places[at] = place;
    this.setMark(at - this.start, UNCHECKED);
  }

  /** Puts sorted rows in among those that are there, from the back: most belong at the end. */
  private merge(seqs: readonly number[], places: readonly number[]): void {
    const added = seqs.length;
    if (added === 0) return;
    this.makeRoom(added);
    let from = this.end - 1;
    let to = this.end + added - 1;
    for (let i = added - 1; i >= 0; to--) {
      const seq = seqs[i] as number;
      if (from >= this.start && (this.seqs[from] as number) > seq) {
        this.seqs[to] = this.seqs[from] as number;
        this.places[to] = this.places[from] as number;
        this.marks[to] = this.marks[from] as number;
        from--;
        continue;
      }
      this.seqs[to] = seq;
      this.places[to] = places[i] as number;
      this.marks[to] = UNCHECKED;
      i--;
    }
    this.end += added;
    this.tally[UNCHECKED] += added;
  }

  private makeRoom(added: number): void {
    if (this.end + added <= this.seqs.length) return;
    const excess = this.length + added - (this.seqs.length - 1);
    for (let i = 0; i < excess; i++) this.evictOldest();
    for (const array of [this.seqs, this.places, this.marks])
      array.copyWithin(0, this.start, this.end);
    this.end -= this.start;
    this.start = 0;
  }

  private remove(at: number): void {
    this.tally[this.markOf(at)]--;
    for (const array of [this.seqs, this.places, this.marks])
      array.copyWithin(at, at + 1, this.end);
    this.end--;
  }

  // ——— what goes ———

  private trim(): void {
    while (this.length > this.limits.rows) this.evictOldest();
    while (this.bytes > this.limits.bytes && this.length > 1) this.evictOldest();
  }

  private evictOldest(): void {
    const at = this.start++;
    this.tally[this.markOf(at)]--;
    const place = this.places[at] as number;
    if (place === PENDING) this.pending.delete(this.seqs[at] as number);
    else this.drop(place);
  }

  private drop(place: number): void {
    this.evicted++;
    this.release(place);
  }

  /**
   * Takes away the rows that `which` names; those that wait for their replies stay, for they are not over. Gives how many went.
   * `hidden`: those that the filter has hidden.
   */
  clear(which: 'all' | 'hidden'): number {
    let to = this.start;
    for (let at = this.start; at < this.end; at++) {
      const place = this.places[at] as number;
      const mark = this.markOf(at);
      if (!this.goes(at, which)) {
        this.seqs[to] = this.seqs[at] as number;
        this.places[to] = place;
        this.marks[to++] = mark;
        continue;
      }
      this.tally[mark]--;
      this.release(place);
    }
    const gone = this.end - to;
    this.cleared += gone;
    this.end = to;
    return gone;
  }

  /** How many `clear` would take away. */
  clearable(which: 'all' | 'hidden'): number {
    let count = 0;
    for (let at = this.start; at < this.end; at++) if (this.goes(at, which)) count++;
    return count;
  }

  private goes(at: number, which: 'all' | 'hidden'): boolean {
    return this.places[at] !== PENDING && (which === 'all' || this.marks[at] === HIDDEN);
  }

  /** Takes one row away; false: it is none, or waits for its reply. */
  clearOne(seq: number): boolean {
    const at = this.search(seq);
    const place = this.places[at] as number;
    if (!this.has(seq) || place === PENDING) return false;
    this.remove(at);
    this.release(place);
    this.cleared++;
    return true;
  }

  /** One row less in the block that holds this place; the block goes with its last. */
  private release(place: number): void {
    const id = Math.floor(place / PLACES_IN_BLOCK);
    const held = this.blocks.get(id);
    if (held === undefined || --held.rows > 0) return;
    this.blocks.delete(id);
    this.bytes -= held.bytes;
  }

  // ——— what the filter said ———

  isShown(index: number): boolean {
    return this.marks[this.start + index] === SHOWN;
  }

  setMark(index: number, mark: 0 | 1 | 2): void {
    const at = this.start + index;
    this.tally[this.markOf(at)]--;
    this.tally[mark]++;
    this.marks[at] = mark;
  }

  private markOf(at: number): 0 | 1 | 2 {
    return this.marks[at] as 0 | 1 | 2;
  }

  /** Something new is known of row `seq`: the filter is to be asked again. */
  recheck(seq: number): void {
    if (this.has(seq)) this.setMark(this.indexOf(seq), UNCHECKED);
  }

  /** Forgets what the filter said of every row; `mark`: what to say of all instead. */
  resetMarks(mark: typeof UNCHECKED | typeof SHOWN): void {
    this.marks.fill(mark, this.start, this.end);
    this.tally.fill(0);
    this.tally[mark] = this.length;
  }

  /** The newest row below `before` that the filter has not been asked about; -1 when there is none. */
  lastUnchecked(before: number): number {
    for (let i = Math.min(before, this.length) - 1; i >= 0; i--)
      if (this.marks[this.start + i] === UNCHECKED) return i;
    return -1;
  }
}

/** The offsets in the order of arrival; they mostly are already. */
function sorted(block: Block, offsets: readonly number[]): readonly number[] {
  for (let i = 1; i < offsets.length; i++) {
    if (block.seq(offsets[i] as number) < block.seq(offsets[i - 1] as number))
      return [...offsets].sort((a, b) => block.seq(a) - block.seq(b));
  }
  return offsets;
}
