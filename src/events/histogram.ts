/** Latencies in µs, exact to about 3 %: 32 steps to each doubling, so one addition a sample and 1 KiB a histogram. */

const STEP_BITS = 5;
const STEPS = 1 << STEP_BITS;
/** Up to 2^31 µs, 36 minutes; longer ones count as that. */
const BUCKETS = (31 - STEP_BITS + 1) * STEPS;

/** Counts of samples by size. A plain typed array, so that it can be posted between threads. */
export type Histogram = Uint32Array;

export function createHistogram(): Histogram {
  return new Uint32Array(BUCKETS);
}

/** Counts one sample of `us`. */
export function recordUs(histogram: Histogram, us: number): void {
  const value = us < 0 ? 0 : us > 0x7fffffff ? 0x7fffffff : us | 0;
  const index = bucketOf(value);
  histogram[index] = (histogram[index] as number) + 1;
}

/** The place of samples of `value` µs. */
export function bucketOf(value: number): number {
  if (value < STEPS) return value;
  const shift = 31 - Math.clz32(value) - STEP_BITS;
  return ((shift + 1) << STEP_BITS) + ((value >> shift) - STEPS);
}

/** The largest value that falls into bucket `index`. */
export function upperEdge(index: number): number {
  if (index < STEPS) return index;
  const shift = (index >> STEP_BITS) - 1;
  return ((index & (STEPS - 1)) + STEPS + 1) * 2 ** shift - 1; // no shift: the last edge is 2^31 - 1
}

/** How many samples there are. */
export function countOf(histogram: Histogram): number {
  let count = 0;
  for (const bucket of histogram) count += bucket;
  return count;
}

/** The value that the share `quantile` (0 … 1) of the samples does not exceed, in µs; null when there are none. */
export function quantileUs(histogram: Histogram, quantile: number): number | null {
  const total = countOf(histogram);
  if (total === 0) return null;
  const rank = Math.max(1, Math.ceil(quantile * total));
  let seen = 0;
  for (let i = 0; i < histogram.length; i++) {
    seen += histogram[i] as number;
    if (seen >= rank) return upperEdge(i);
  }
  return null;
}

/** `later` minus `earlier`, bucket by bucket: the samples between two moments. */
export function difference(later: Histogram, earlier: Histogram): Histogram {
  return later.map((count, i) => count - (earlier[i] ?? 0));
}

/** Adds the samples of `from` to `into`. */
export function addHistogram(into: Histogram, from: Histogram): void {
  for (let i = 0; i < into.length; i++) into[i] = (into[i] as number) + (from[i] as number);
}

/** Samples of nearly the same size: `lower` to `upper` µs, both included. */
export type Bucket = { readonly lower: number; readonly upper: number; readonly count: number };

/** The buckets that hold something, in ascending order. */
export function bucketsOf(histogram: Histogram): Bucket[] {
  const buckets: Bucket[] = [];
  histogram.forEach((count, i) => {
    if (count > 0)
      buckets.push({ lower: i === 0 ? 0 : upperEdge(i - 1) + 1, upper: upperEdge(i), count });
  });
  return buckets;
}
