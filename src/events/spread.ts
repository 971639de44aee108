/** A histogram of few samples that are near each other: the same steps as those of `histogram.ts`, without the places that are empty. */
import { bucketOf, upperEdge } from './histogram.js';

/** Places are made by whole doublings: around the first sample one below and two above, where most of the others will be. */
const STEP = 32;
const BELOW = STEP;
const ABOVE = 3 * STEP;

const NONE = new Uint8Array(0);

/** Latencies of one key: 32 bytes for each doubling between the shortest and the longest, more once a place counts more
 * than 255, where a whole histogram has 3.4 KiB. */
export class Spread {
  private first = 0;
  private counts: Uint8Array | Uint16Array | Uint32Array = NONE;
  private total = 0;

  /** Counts one sample of `us`. */
  record(us: number): void {
    const value = us < 0 ? 0 : us > 0x7fffffff ? 0x7fffffff : us | 0;
    const bucket = bucketOf(value);
    if (bucket < this.first || bucket >= this.first + this.counts.length) this.makeRoom(bucket);
    const at = bucket - this.first;
    const count = (this.counts[at] as number) + 1;
    this.counts[at] = count;
    if (this.counts[at] !== count) {
      // It did not fit, and is 0 now.
      this.counts =
        this.counts instanceof Uint8Array
          ? new Uint16Array(this.counts)
          : new Uint32Array(this.counts);
      this.counts[at] = count;
    }
    this.total++;
  }

  private makeRoom(bucket: number): void {
    const isEmpty = this.counts.length === 0;
    const below = Math.floor(bucket / STEP) * STEP;
    const first = isEmpty ? Math.max(0, below - BELOW) : Math.min(this.first, below);
    const end = isEmpty ? below + ABOVE : Math.max(this.first + this.counts.length, below + STEP);
    const { counts: old } = this;
    const counts =
      old instanceof Uint8Array
        ? new Uint8Array(end - first)
        : old instanceof Uint16Array
          ? new Uint16Array(end - first)
          : new Uint32Array(end - first);
    if (!isEmpty) counts.set(old, this.first - first);
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
