/**
 * Histograms of many names in one array: the same steps as those of the core's histograms (3 % wide), but only the doublings that
 * samples fell into and their neighbours, so that 10,000 names cost as much as 600 whole histograms.
 */
import { upperEdge } from 'rmtop';

/** Places of one doubling. */
const STEP = 32;
/** Whole doublings made around a first sample: one below, its own, one above, where most of the others will be. */
const FIRST_MADE = 3;
const CARRY = 0x10000;

/** A piece is one number, which whoever counts keeps: where it begins, its lowest doubling, and how many it has; 0: none. */
const LENGTH_BITS = 5;
const LOWEST_BITS = 5;
const LOW = 31;

function pieceOf(start: number, lowest: number, length: number): number {
  return (((start << LOWEST_BITS) | lowest) << LENGTH_BITS) | length;
}

function lengthOf(piece: number): number {
  return piece & LOW;
}

function lowestOf(piece: number): number {
  return (piece >>> LENGTH_BITS) & LOW;
}

/** In doublings. */
function startOf(piece: number): number {
  return piece >>> (LENGTH_BITS + LOWEST_BITS);
}

/** Room for histograms. */
export class Spreads {
  private counts: Uint16Array = new Uint16Array(256 * STEP);
  /** In doublings: where the next piece of `counts` may begin. */
  private used = 0;
  /** Where pieces begin that are free again, by how many doublings they have. */
  private readonly free: number[][] = [];
  /** What does not fit into 16 bits, by place: rare. */
  private readonly carries = new Map<number, number>();

  /** Counts one sample, given as its `bucketOf`, in `piece`; gives the piece to keep instead, for it may have to be a longer one. */
  record(piece: number, bucket: number): number {
    const doubling = (bucket / STEP) | 0;
    let now = piece;
    let above = doubling - lowestOf(now);
    if (piece === 0 || above < 0 || above >= lengthOf(now)) {
      now = this.lengthened(piece, doubling);
      above = doubling - lowestOf(now);
    }
    const at = (startOf(now) + above) * STEP + (bucket & (STEP - 1));
    const count = ((this.counts[at] as number) + 1) & (CARRY - 1);
    this.counts[at] = count;
    if (count === 0) this.carries.set(at, (this.carries.get(at) ?? 0) + CARRY);
    return now;
  }

  /** Forgets the samples of a piece. */
  giveBack(piece: number): void {
    if (piece === 0) return;
    const start = startOf(piece);
    const length = lengthOf(piece);
    this.counts.fill(0, start * STEP, (start + length) * STEP);
    if (this.carries.size > 0)
      for (let at = start * STEP; at < (start + length) * STEP; at++) this.carries.delete(at);
    const starts = this.free[length];
    if (starts === undefined) this.free[length] = [start];
    else starts.push(start);
  }

  /** The value that the share `quantile` (0 … 1) of a piece's samples does not exceed, µs; null when there are none. */
  quantileUs(piece: number, quantile: number): number | null {
    if (piece === 0) return null;
    const from = startOf(piece) * STEP;
    const end = from + lengthOf(piece) * STEP;
    let total = 0;
    for (let at = from; at < end; at++) total += this.at(at);
    const rank = Math.max(1, Math.ceil(quantile * total));
    let seen = 0;
    for (let at = from; at < end; at++) {
      seen += this.at(at);
      if (seen >= rank) return upperEdge(lowestOf(piece) * STEP + at - from);
    }
    return null;
  }

  private at(at: number): number {
    return (
      (this.counts[at] as number) + (this.carries.size === 0 ? 0 : (this.carries.get(at) ?? 0))
    );
  }

  /** A piece that has `doubling` too, with what `piece` counted. */
  private lengthened(piece: number, doubling: number): number {
    if (piece === 0) {
      const first = Math.max(0, doubling - 1);
      return pieceOf(this.take(FIRST_MADE), first, FIRST_MADE);
    }
    const oldLowest = lowestOf(piece);
    const lowest = Math.min(oldLowest, doubling);
    const length = Math.max(oldLowest + lengthOf(piece), doubling + 1) - lowest;
    const start = this.take(length);
    const from = startOf(piece) * STEP;
    this.move(from, from + lengthOf(piece) * STEP, (start + oldLowest - lowest) * STEP - from);
    this.giveBack(piece);
    return pieceOf(start, lowest, length);
  }

  private move(from: number, end: number, shift: number): void {
    this.counts.copyWithin(from + shift, from, end);
    if (this.carries.size === 0) return;
    for (let at = from; at < end; at++) {
      const carry = this.carries.get(at);
      if (carry !== undefined) this.carries.set(at + shift, carry);
    }
  }

  /** Where a free piece of `length` doublings begins, all of them 0. */
  private take(length: number): number {
    const again = this.free[length]?.pop();
    if (again !== undefined) return again;
    const start = this.used;
    this.used += length;
    if (this.used * STEP > this.counts.length)
      this.counts = grown(this.counts, this.used * 2 * STEP, Uint16Array);
    return start;
  }
}

/** `array` with room for `length` numbers. */
export function grown<T extends Int32Array | Uint8Array | Uint16Array | Float64Array>(
  array: T,
  length: number,
  Kind: new (length: number) => T,
): T {
  const larger = new Kind(length);
  larger.set(array);
  return larger;
}
