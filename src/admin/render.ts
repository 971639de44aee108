/** Statistics in the forms Envoy's admin page writes them: lines of text, JSON, Prometheus (mesh page, 11.3). Pure. */
import { bucketsOf, countOf, type Histogram, quantileUs } from '../events/histogram.js';
import { fullName, type Metric } from './metrics.js';

/** Which statistics are wanted. */
export type Selection = {
  readonly usedOnly: boolean;
  /** Sought in the full name; null: all. */
  readonly filter: RegExp | null;
  readonly type: 'Counters' | 'Gauges' | 'Histograms' | 'All';
};

/** How histograms are written: quantiles, or how many samples each bucket holds, those below it included or not. */
export type HistogramForm = 'summary' | 'cumulative' | 'disjoint';

const TYPES = { counter: 'Counters', gauge: 'Gauges', histogram: 'Histograms' } as const;
/** In percent. */
const QUANTILES = [0, 25, 50, 75, 90, 95, 99, 99.5, 99.9, 100] as const;
/** Envoy's upper bounds of buckets, in the histogram's unit. */
const BOUNDS = [
  0.5, 1, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000, 30_000, 60_000, 300_000, 600_000,
  1_800_000, 3_600_000,
] as const;
const US = { ms: 1000, us: 1 } as const;

type Simple = Extract<Metric, { value: number }>;
type Timed = Extract<Metric, { samples: Histogram }>;

/** Those of `metrics` that are wanted, by name; histograms last. */
export function selected(
  metrics: readonly Metric[],
  { usedOnly, filter, type }: Selection,
): Metric[] {
  return metrics
    .filter(
      (metric) =>
        (metric.used || !usedOnly) &&
        (type === 'All' || TYPES[metric.kind] === type) &&
        (filter === null || filter.test(fullName(metric))),
    )
    .map((metric) => ({ metric, name: fullName(metric), isLate: metric.kind === 'histogram' }))
    .sort((a, b) => Number(a.isLate) - Number(b.isLate) || (a.name < b.name ? -1 : 1))
    .map(({ metric }) => metric);
}

/** `name: value` lines. Envoy gives histograms for the last interval and since the start; here there is no interval. */
export function renderText(metrics: readonly Metric[], form: HistogramForm): string {
  return metrics
    .map((metric) => {
      const text = metric.kind === 'histogram' ? timedText(metric, form) : String(metric.value);
      return `${fullName(metric)}: ${text}\n`;
    })
    .join('');
}

function timedText(metric: Timed, form: HistogramForm): string {
  if (!metric.used) return 'No recorded values';
  if (form === 'summary')
    return QUANTILES.map((percent) => `P${percent}(nan,${quantile(metric, percent)})`).join(' ');
  return boundCounts(metric, form)
    .map(([bound, count]) => `B${bound}(nan,${count})`)
    .join(' ');
}

/** Envoy's JSON form. */
export function renderJson(metrics: readonly Metric[], form: HistogramForm): string {
  const simple = metrics.filter((metric): metric is Simple => metric.kind !== 'histogram');
  const timed = metrics.filter((metric): metric is Timed => metric.kind === 'histogram');
  const stats: unknown[] = simple.map((metric) => ({
    name: fullName(metric),
    value: metric.value,
  }));
  if (timed.length > 0) stats.push({ histograms: histogramsJson(timed, form) });
  return `${JSON.stringify({ stats })}\n`;
}

function histogramsJson(timed: readonly Timed[], form: HistogramForm): unknown {
  if (form !== 'summary') {
    return timed.map((metric) => ({
      name: fullName(metric),
      buckets: boundCounts(metric, form).map(([bound, cumulative]) => ({
        upper_bound: bound,
        interval: null,
        cumulative,
      })),
    }));
  }
  return {
    supported_quantiles: QUANTILES,
    computed_quantiles: timed.map((metric) => ({
      name: fullName(metric),
      values: QUANTILES.map((percent) => ({
        interval: null,
        cumulative: metric.used ? quantile(metric, percent) : null,
      })),
    })),
  };
}

/** Prometheus's text form 0.0.4, one family after another; dots are underscores, what a name is of is a label. */
export function renderPrometheus(metrics: readonly Metric[]): string {
  const families = new Map<string, Metric[]>();
  for (const metric of metrics) {
    const family = `envoy_${metric.scope}_${metric.name}`.replace(/[^a-zA-Z0-9_]/g, '_');
    const known = families.get(family);
    if (known === undefined) families.set(family, [metric]);
    else known.push(metric);
  }
  return [...families]
    .map(([family, members]) => {
      const lines = members.flatMap((metric) => samplesOf(family, metric));
      return `# TYPE ${family} ${members[0]?.kind}\n${lines.join('\n')}\n`;
    })
    .join('');
}

function samplesOf(family: string, metric: Metric): string[] {
  const label = `${metric.label.name}="${escaped(metric.label.value)}"`;
  if (metric.kind !== 'histogram') return [`${family}{${label}} ${metric.value}`];
  const count = countOf(metric.samples);
  return [
    ...boundCounts(metric, 'cumulative').map(
      ([bound, below]) => `${family}_bucket{${label},le="${bound}"} ${below}`,
    ),
    `${family}_bucket{${label},le="+Inf"} ${count}`,
    `${family}_sum{${label}} ${sumOf(metric)}`,
    `${family}_count{${label}} ${count}`,
  ];
}

/** Label values may hold anything; these three would end or break the line. */
function escaped(value: string): string {
  return value.replace(/\\/g, '\\\\').replace(/"/g, '\\"').replace(/\n/g, '\\n');
}

/** How many samples are at most each of the bounds, or (disjoint) between it and the one before. */
function boundCounts({ samples, unit }: Timed, form: HistogramForm): (readonly [number, number])[] {
  const buckets = bucketsOf(samples);
  let before = 0;
  return BOUNDS.map((bound) => {
    const below = buckets.reduce(
      (sum, bucket) => sum + (bucket.upper <= bound * US[unit] ? bucket.count : 0),
      0,
    );
    const count = form === 'disjoint' ? below - before : below;
    before = below;
    return [bound, count];
  });
}

/** In the histogram's unit; the sum, like the samples, is exact to about 3 %. */
function sumOf({ samples, unit }: Timed): number {
  const us = bucketsOf(samples).reduce(
    (sum, { lower, upper, count }) => sum + ((lower + upper) / 2) * count,
    0,
  );
  return us / US[unit];
}

/** In the histogram's unit. */
function quantile({ samples, unit }: Timed, percent: number): number {
  return (quantileUs(samples, percent / 100) ?? 0) / US[unit];
}
