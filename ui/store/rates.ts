/** Rates and percentiles from the core's exact totals, which are asked for once a second while something happens. */
import { createHistogram, difference, type Histogram, quantileUs, type Totals } from 'rmtop';

/** What the header shows. Latencies in µs over the last ten seconds, the rest per second. */
export type Rates = {
  readonly opsPerSecond: number;
  readonly bytesInPerSecond: number;
  readonly bytesOutPerSecond: number;
  readonly p50Us: number | null;
  readonly p99Us: number | null;
  readonly maxUs: number | null;
  readonly errors: number;
  readonly calls: number;
};

const NOTHING: Rates = {
  opsPerSecond: 0,
  bytesInPerSecond: 0,
  bytesOutPerSecond: 0,
  p50Us: null,
  p99Us: null,
  maxUs: null,
  errors: 0,
  calls: 0,
};

/** One stretch of time between two looks at the totals, about a second; latencies are those of its commands, in µs. */
export type Sample = {
  readonly atUs: number;
  readonly seconds: number;
  readonly calls: number;
  readonly reads: number;
  readonly writes: number;
  readonly errors: number;
  readonly p50Us: number | null;
  readonly p99Us: number | null;
  readonly maxUs: number | null;
  /** Requests by server, by its announced address. */
  readonly nodes: ReadonlyMap<string, number>;
  /** Clients that connected. */
  readonly connected: number;
  /** Hits by fault. */
  readonly hits: ReadonlyMap<string, number>;
};

/** An hour of them. */
const SAMPLES_KEPT = 3600;

const WINDOW_US = 10e6;
/** A command is slow when it takes this many times as long as half of its like. */
const SLOW_FACTOR = 10;
const SLOW_LEAST_US = 1000;
const SLOW_LEAST_CALLS = 50;

export class RateMeter {
  private readonly samples: Totals[] = [];
  private slow = new Map<string, number>();
  rates: Rates = NOTHING;
  /** What happened when, oldest first; nothing is noted of stretches without commands. */
  readonly history: Sample[] = [];

  get latest(): Totals | null {
    return this.samples.at(-1) ?? null;
  }

  /** The totals of now and of ten seconds ago, or of the start. */
  get window(): { readonly now: Totals | null; readonly oldest: Totals | null } {
    const isWhole = this.samples.length < 2;
    return { now: this.latest, oldest: isWhole ? null : (this.samples[0] ?? null) };
  }

  /** Whether all figures have come to rest, so that nothing need be asked until the next command. */
  get isStill(): boolean {
    const [first] = this.samples;
    const last = this.samples.at(-1);
    return first === undefined || last === undefined || first.all.calls === last.all.calls;
  }

  slowUs(name: string): number | null {
    return this.slow.get(name) ?? null;
  }

  /** Takes the totals of now. */
  add(now: Totals): void {
    const before = this.samples.at(-1);
    this.samples.push(now);
    this.note(now, before ?? null);
    while ((this.samples[1]?.atUs ?? now.atUs) <= now.atUs - WINDOW_US) this.samples.shift();
    const [oldest = now] = this.samples;
    const us = Math.max(1, now.atUs - (before?.atUs ?? 0));
    const perSecond = (later: number, earlier: number): number => ((later - earlier) * 1e6) / us;
    const isWhole = this.samples.length === 1;
    const window: Histogram = isWhole
      ? now.all.latency
      : difference(now.all.latency, oldest.all.latency);
    this.rates = {
      opsPerSecond: perSecond(now.all.calls, before?.all.calls ?? 0),
      bytesInPerSecond: perSecond(now.all.bytesIn, before?.all.bytesIn ?? 0),
      bytesOutPerSecond: perSecond(now.all.bytesOut, before?.all.bytesOut ?? 0),
      p50Us: quantileUs(window, 0.5),
      p99Us: quantileUs(window, 0.99),
      maxUs: quantileUs(window, 1),
      errors: now.all.errors - (isWhole ? 0 : oldest.all.errors),
      calls: now.all.calls - (isWhole ? 0 : oldest.all.calls),
    };
    this.slow = slowLimits(now);
  }

  private note(now: Totals, before: Totals | null): void {
    const sample = sampleOf(now, before);
    if (sample.calls > 0) this.history.push(sample);
    if (this.history.length > SAMPLES_KEPT) this.history.shift();
  }
}

function sampleOf(now: Totals, before: Totals | null): Sample {
  const latencies =
    before === null ? now.all.latency : difference(now.all.latency, before.all.latency);
  return {
    atUs: now.atUs,
    seconds: Math.max(1e-3, (now.atUs - (before?.atUs ?? 0)) / 1e6),
    calls: now.all.calls - (before?.all.calls ?? 0),
    reads: now.reads - (before?.reads ?? 0),
    writes: now.writes - (before?.writes ?? 0),
    errors: now.all.errors - (before?.all.errors ?? 0),
    p50Us: quantileUs(latencies, 0.5),
    p99Us: quantileUs(latencies, 0.99),
    maxUs: quantileUs(latencies, 1),
    nodes: increases(now.nodes, before?.nodes ?? {}, (tally) => tally.calls),
    connected: now.clientsTotal - (before?.clientsTotal ?? 0),
    hits: increases(now.faults, before?.faults ?? {}, (tally) => tally.hits),
  };
}

/** By how much each figure has grown; those that have not are left out. */
function increases<T>(
  now: Readonly<Record<string, T>>,
  before: Readonly<Record<string, T>>,
  figure: (of: T) => number,
): ReadonlyMap<string, number> {
  const grown = new Map<string, number>();
  for (const [name, of] of Object.entries(now)) {
    const earlier = before[name];
    const by = figure(of) - (earlier === undefined ? 0 : figure(earlier));
    if (by > 0) grown.set(name, by);
  }
  return grown;
}

function slowLimits(totals: Totals): Map<string, number> {
  const limits = new Map<string, number>();
  for (const [name, tally] of Object.entries(totals.commands)) {
    if (tally.calls < SLOW_LEAST_CALLS) continue;
    const median = quantileUs(difference(tally.latency, createHistogram()), 0.5) ?? 0;
    limits.set(name, Math.max(SLOW_LEAST_US, median * SLOW_FACTOR));
  }
  return limits;
}
