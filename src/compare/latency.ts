/** Limits on how latencies may change between a recording and another run: `p99<2x`, `p50<5ms`. What they hold against is counted elsewhere. */

/** One limit: the quantile must stay below so many times the recorded one, or below so many µs. Exactly one of the two is a number. */
export type LatencyLimit = {
  /** As it was written: `p99<2x`. */
  readonly text: string;
  /** 0 … 1. */
  readonly quantile: number;
  readonly factor: number | null;
  readonly us: number | null;
};

const QUANTILES: Readonly<Record<string, number>> = {
  p50: 0.5,
  p90: 0.9,
  p95: 0.95,
  p99: 0.99,
  p999: 0.999,
};

const UNIT_US: Readonly<Record<string, number>> = { us: 1, ms: 1000, s: 1_000_000 };

/** The limit that `text` says; null when it says none. */
export function parseLatencyLimit(text: string): LatencyLimit | null {
  const [, name = '', figure = '', unit = ''] =
    /^(p\d+)\s*<\s*(\d+(?:\.\d+)?)(x|us|ms|s)$/.exec(text.trim()) ?? [];
  const quantile = QUANTILES[name];
  const amount = Number(figure);
  if (quantile === undefined || !(amount > 0)) return null;
  return {
    text: `${name}<${figure}${unit}`,
    quantile,
    factor: unit === 'x' ? amount : null,
    us: unit === 'x' ? null : amount * (UNIT_US[unit] ?? 1),
  };
}
