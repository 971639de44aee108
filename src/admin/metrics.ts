/** Totals → Envoy's statistics by name (mesh page, 11.1 and 11.2). Pure; `render.ts` writes them out. */
import { COMMANDS } from '../commands/table.js';
import { addHistogram, countOf, createHistogram, type Histogram } from '../events/histogram.js';
import type { ClusterTotals, CommandCounts } from '../events/mesh-stats.js';
import type { Totals } from '../events/stats.js';
import { compileConfig } from '../mesh/compile.js';
import type { MeshConfig } from '../mesh/config.js';

/** One listener: what it is called in statistics, what it counted, what it is configured as. */
export type Listener = {
  readonly statPrefix: string;
  readonly latencyInMicros: boolean;
  readonly totals: Totals;
  readonly config: MeshConfig;
};

/** What stands in the middle of a name and becomes a label in Prometheus. */
export type Label = { readonly name: string; readonly value: string };

/** One statistic. Its full name is `scope.label.name`: `redis.PREFIX.downstream_cx_total`. */
export type Metric = {
  readonly scope: 'redis' | 'cluster';
  readonly label: Label;
  readonly name: string;
  /** Whether anything was ever counted: what `usedonly` asks. */
  readonly used: boolean;
} & (
  | { readonly kind: 'counter' | 'gauge'; readonly value: number }
  | { readonly kind: 'histogram'; readonly unit: 'ms' | 'us'; readonly samples: Histogram }
);

/** The name as `/stats` prints it. */
export function fullName({ scope, label, name }: Metric): string {
  return `${scope}.${label.value}.${name}`;
}

/** Since which Envoy these exist. */
const NOPROTO_SINCE = 40;
const RESP3_SINCE = 40;
/** For commands that were not seen yet: there are some 200 of them. */
const NO_SAMPLES = createHistogram();
const NO_COUNTS: CommandCounts = {
  total: 0,
  success: 0,
  error: 0,
  errorFault: 0,
  delayFault: 0,
  latency: NO_SAMPLES,
};

/** All statistics of `listeners`; those of one name are one, as they would be in Envoy. */
export function metricsOf(listeners: readonly Listener[]): Metric[] {
  const all = new Map<string, Metric>();
  for (const listener of listeners) {
    for (const metric of [...listenerMetrics(listener), ...clusterMetrics(listener)]) {
      const name = fullName(metric);
      const known = all.get(name);
      all.set(name, known === undefined ? metric : added(known, metric));
    }
  }
  return [...all.values()];
}

function added(a: Metric, b: Metric): Metric {
  const used = a.used || b.used;
  if (a.kind === 'histogram' && b.kind === 'histogram') {
    const samples = a.samples.slice();
    addHistogram(samples, b.samples);
    return { ...a, used, samples };
  }
  if (a.kind === 'histogram' || b.kind === 'histogram') return a;
  return { ...a, used, value: a.value + b.value };
}

/** Makes the metrics of one scope and label. */
class Scope {
  readonly metrics: Metric[] = [];
  private readonly of: Pick<Metric, 'scope' | 'label'>;

  constructor(scope: Metric['scope'], label: Label) {
    this.of = { scope, label };
  }

  counters(counters: Readonly<Record<string, number>>): void {
    for (const [name, value] of Object.entries(counters))
      this.metrics.push({ ...this.of, name, kind: 'counter', value, used: value > 0 });
  }

  /** Gauges fall back to 0: whether they were used is another's to tell. */
  gauges(gauges: Readonly<Record<string, number>>, used: boolean): void {
    for (const [name, value] of Object.entries(gauges))
      this.metrics.push({ ...this.of, name, kind: 'gauge', value, used: used || value > 0 });
  }

  histogram(name: string, samples: Histogram, unit: 'ms' | 'us'): void {
    const used = samples !== NO_SAMPLES && countOf(samples) > 0;
    this.metrics.push({ ...this.of, name, kind: 'histogram', unit, samples, used });
  }
}

// ——— the listener ———

function listenerMetrics({ statPrefix, latencyInMicros, totals, config }: Listener): Metric[] {
  const scope = new Scope('redis', { name: 'envoy_redis_prefix', value: statPrefix });
  const { downstream, commands } = totals.mesh;
  scope.counters({
    downstream_cx_total: totals.clientsTotal,
    downstream_cx_protocol_error: downstream.protocolErrors,
    downstream_cx_rx_bytes_total: downstream.rxBytes,
    downstream_cx_tx_bytes_total: downstream.txBytes,
    downstream_cx_drain_close: 0, // nothing here drains a client
    downstream_rq_total: downstream.requests,
    'splitter.invalid_request': downstream.invalidRequests,
    'splitter.unsupported_command': downstream.unsupportedCommands,
  });
  if (config.envoy >= NOPROTO_SINCE) scope.counters({ downstream_rq_noproto: downstream.noproto });
  scope.gauges(
    {
      downstream_cx_active: totals.clients,
      downstream_cx_rx_bytes_buffered: downstream.rxBuffered,
      downstream_cx_tx_bytes_buffered: downstream.txBuffered,
    },
    totals.clientsTotal > 0,
  );
  scope.gauges({ downstream_rq_active: downstream.requestsActive }, downstream.requests > 0);
  for (const name of new Set([...knownCommands(config), ...Object.keys(commands)]))
    commandMetrics(scope, name, commands[name] ?? NO_COUNTS, latencyInMicros);
  return scope.metrics;
}

function commandMetrics(
  scope: Scope,
  name: string,
  counts: CommandCounts,
  latencyInMicros: boolean,
): void {
  scope.counters({
    [`command.${name}.total`]: counts.total,
    [`command.${name}.success`]: counts.success,
    [`command.${name}.error`]: counts.error,
    [`command.${name}.error_fault`]: counts.errorFault,
    [`command.${name}.delay_fault`]: counts.delayFault,
  });
  scope.histogram(`command.${name}.latency`, counts.latency, latencyInMicros ? 'us' : 'ms');
}

/** Envoy has entries from the start for every command it knows, custom ones included; not for those it answers itself. */
function knownCommands(config: MeshConfig): string[] {
  const { classes, custom } = compileConfig(config);
  const known = COMMANDS.filter(({ id, parent, name }) => {
    const kind = classes[id] ?? null;
    return parent === null && kind !== null && (kind !== 'local' || name === 'HELLO');
  });
  return [...known.map(({ name }) => name.toLowerCase()), ...custom];
}

// ——— clusters ———

function clusterMetrics({ totals, config }: Listener): Metric[] {
  const { clusters } = totals.mesh;
  return Object.keys(config.upstreams).flatMap((name) => {
    const cluster = clusters[name];
    const scope = new Scope('cluster', { name: 'envoy_cluster_name', value: name });
    if (cluster !== undefined) addCluster(scope, cluster, config);
    return scope.metrics;
  });
}

function addCluster(scope: Scope, cluster: ClusterTotals, config: MeshConfig): void {
  scope.counters({
    upstream_cx_total: cluster.cxTotal,
    upstream_cx_connect_fail: cluster.cxConnectFail,
    upstream_cx_connect_timeout: cluster.cxConnectTimeout,
    upstream_cx_protocol_error: cluster.cxProtocolError,
    upstream_rq_total: cluster.rqTotal,
    upstream_rq_timeout: cluster.rqTimeout,
    upstream_rq_cancelled: cluster.rqCancelled,
    upstream_internal_redirect_succeeded_total: cluster.redirectSucceeded,
    upstream_internal_redirect_failed_total: cluster.redirectFailed,
    update_attempt: cluster.updateAttempt,
    update_success: cluster.updateSuccess,
    update_failure: cluster.updateFailure,
    'redis_cluster.max_upstream_unknown_connections_reached': cluster.maxUnknownReached,
    'redis_cluster.upstream_cx_drained': cluster.cxDrained,
    'redis_cluster.connection_rate_limited': 0, // connections are made as fast as they are needed
  });
  if (config.envoy >= RESP3_SINCE)
    scope.counters({ 'redis_cluster.upstream_resp3_hello_failure': cluster.helloFailure });
  scope.gauges({ upstream_cx_active: cluster.cxActive }, cluster.cxTotal > 0);
  scope.gauges({ upstream_rq_active: cluster.rqActive }, cluster.rqTotal > 0);
  scope.histogram('redis_cluster.upstream_commands.upstream_rq_time', cluster.rqTime, 'us');
  for (const [name, counts] of Object.entries(cluster.commands)) {
    const prefix = `redis_cluster.upstream_commands.${name}`;
    scope.counters({
      [`${prefix}.total`]: counts.total,
      [`${prefix}.success`]: counts.success,
      [`${prefix}.failure`]: counts.failure,
    });
    scope.histogram(`${prefix}.latency`, counts.latency, 'us');
  }
  addTable(scope, cluster);
}

function addTable(scope: Scope, { table }: ClusterTotals): void {
  if (table === null) return;
  const { size, min, max } = table;
  if (table.kind === 'maglev') {
    scope.gauges(
      { 'maglev_lb.min_entries_per_host': min, 'maglev_lb.max_entries_per_host': max },
      true,
    );
  } else {
    scope.gauges(
      {
        'ring_hash_lb.size': size,
        'ring_hash_lb.min_hashes_per_host': min,
        'ring_hash_lb.max_hashes_per_host': max,
      },
      true,
    );
  }
}
