/** Durations of the same commands in a recording and in another run, and whether they keep to the limits that somebody set. */
import type { LatencyLimit } from '../compare/latency.js';
import { createHistogram, type Histogram, quantileUs, recordUs } from '../events/histogram.js';

/** What came of one limit. `kept` is null where there is nothing to hold it against: no samples, or a recording without durations. */
export type LatencyFinding = {
  /** `p99<2x` */
  readonly limit: string;
  readonly kept: boolean | null;
  /** The quantile, ms; null where there are no samples. */
  readonly recordedMs: number | null;
  readonly nowMs: number | null;
  /** What the quantile had to stay below, ms. */
  readonly limitMs: number | null;
};

/** Counts pairs of durations. */
export class Latencies {
  private readonly recorded: Histogram = createHistogram();
  private readonly now: Histogram = createHistogram();

  /** Counts one command, in µs. */
  add(recordedUs: number, nowUs: number): void {
    recordUs(this.recorded, recordedUs);
    recordUs(this.now, nowUs);
  }

  /** `p50 0.38 > 0.41 ms` */
  text(name: string, quantile: number): string {
    const ms = (of: Histogram): string => ((quantileUs(of, quantile) ?? 0) / 1000).toFixed(2);
    return `${name} ${ms(this.recorded)} > ${ms(this.now)} ms`;
  }

  /** What came of each limit, in their order. */
  check(limits: readonly LatencyLimit[]): readonly LatencyFinding[] {
    return limits.map((limit) => this.checkOne(limit));
  }

  private checkOne({ text, quantile, factor, us }: LatencyLimit): LatencyFinding {
    const recorded = quantileUs(this.recorded, quantile);
    const now = quantileUs(this.now, quantile);
    // A recording without durations has zeros: nothing is so many times that.
    const limitUs = us ?? (recorded === null || recorded === 0 ? null : recorded * (factor ?? 1));
    return {
      limit: text,
      kept: now === null || limitUs === null ? null : now < limitUs,
      recordedMs: inMs(recorded),
      nowMs: inMs(now),
      limitMs: inMs(limitUs),
    };
  }
}

function inMs(us: number | null): number | null {
  return us === null ? null : us / 1000;
}

/** A finding in a line: `p99<2x broken: 1.80 > 4.10 ms, 3.60 ms allowed`. */
export function latencyLine({ limit, kept, recordedMs, nowMs, limitMs }: LatencyFinding): string {
  if (kept === null)
    return `${limit} not checked: ${nowMs === null ? 'nothing was measured' : 'the recording has no durations'}`;
  const ms = (value: number | null): string => (value ?? 0).toFixed(2);
  return `${limit} ${kept ? 'kept' : 'BROKEN'}: ${ms(recordedMs)} > ${ms(nowMs)} ms, less than ${ms(limitMs)} ms wanted`;
}
