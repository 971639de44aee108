/** A histogram of few samples that are near each other: the same steps as those of `histogram.ts`, without the places that are empty. */
import { bucketOf, upperEdge } from './histogram.js';

/** Places that are made at once: those of one doubling. */
const STEP = 32;

/** Latencies of one key: 128 bytes for each doubling between the shortest and the longest, where a whole histogram has 3.4 KiB. */
export class Spread {
  private first = 0;
  private counts = new Uint32Array(0);
  private total = 0;

  /** Counts one sample of `us`. */
  record(us: number): void {
    const value = us < 0 ? 0 : us > 0x7fffffff ? 0x7fffffff : us | 0;
    const bucket = bucketOf(value);
    if (bucket < this.first || bucket >= this.first + this.counts.length) this.makeRoom(bucket);
    const at = bucket - this.first;
    this.counts[at] = (this.counts[at] as number) + 1;
    this.total++;
  }

  private makeRoom(bucket: number): void {
    const isEmpty = this.counts.length === 0;
    const below = Math.floor(bucket / STEP) * STEP;
    const first = isEmpty ? below : Math.min(this.first, below);
    const end = Math.max(isEmpty ? 0 : this.first + this.counts.length, below + STEP);
    const counts = new Uint32Array(end - first);
    if (!isEmpty) counts.set(this.counts, this.first - first);
    this.counts = counts;
    this.first = first;
  }

  /** The value that the share `quantile` (0 … 1) of the samples does not exceed, in µs; null when there are none. */
  quantileUs(quantile: number): number | null {
    if (this.total === 0) return null;
    const rank = Math.max(1, Math.ceil(quantile * this.total));
    let seen = 0;
    for (let i = 0; i < this.counts.length; i++) {
      seen += this.counts[i] as number;
      if (seen >= rank) return upperEdge(this.first + i);
    }
    return null;
  }
}
