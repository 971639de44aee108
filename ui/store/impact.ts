/** What clients notice of faults: the samples before a moment against those after it. */
import type { RateMeter, Sample } from './rates.js';

/** Sums of several samples; the p99 is the highest of theirs. */
export type Impact = {
  readonly calls: number;
  readonly errors: number;
  readonly rate: number;
  readonly p99Us: number | null;
  /** New connections a minute: clients that lose theirs come back. */
  readonly connectsPerMinute: number;
};

const BEFORE_US = 60e6;
const NOW_US = 10e6;

/** The minute before `sinceUs` and what came after it; without a moment, the last ten seconds alone. */
export function impactOf(
  meter: RateMeter,
  sinceUs: number | null,
): { readonly before: Impact | null; readonly now: Impact | null } {
  const { history } = meter;
  const nowUs = meter.latest?.atUs ?? 0;
  const from = sinceUs ?? nowUs - NOW_US;
  // A sample is noted at its end: the one that a moment falls into belongs to neither side.
  const before = history.filter((sample) => sample.atUs <= from && sample.atUs > from - BEFORE_US);
  const now = history.filter((sample) => sample.atUs - sample.seconds * 1e6 >= from - 1);
  return { before: sinceUs === null ? null : sum(before), now: sum(now) };
}

function sum(samples: readonly Sample[]): Impact | null {
  if (samples.length === 0) return null;
  const calls = samples.reduce((n, sample) => n + sample.calls, 0);
  const seconds = samples.reduce((n, sample) => n + sample.seconds, 0);
  return {
    calls,
    errors: samples.reduce((n, sample) => n + sample.errors, 0),
    connectsPerMinute:
      (60 * samples.reduce((n, sample) => n + sample.connected, 0)) / Math.max(1e-3, seconds),
    rate: calls / Math.max(1e-3, seconds),
    p99Us: samples.reduce<number | null>(
      (most, { p99Us }) => (p99Us === null ? most : Math.max(most ?? 0, p99Us)),
      null,
    ),
  };
}
