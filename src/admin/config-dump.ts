/**
 * MeshConfig → what Envoy's `/config_dump` would show of it: clusters and listeners in Envoy's own words, so that people and tools can read
 * it, `rmtop --mesh` among them. Secrets are no part of it: Envoy too writes `[redacted]` in their place. Pure.
 */
import { envoyDuration } from '../config/units.js';
import { splitAddress } from '../mesh/address.js';
import {
  type Balancer,
  DEFAULT_BALANCER,
  type Fraction,
  type HostSet,
  type HostSpec,
  type MeshConfig,
  type MeshFault,
  type MirrorPolicy,
  type Refresh,
  type Route,
  type Upstream,
} from '../mesh/config.js';

/** One listener: where it is, what it is called, what it does, and at which upstreams it logs in. */
export type DumpedListener = {
  readonly name: string;
  readonly statPrefix: string;
  readonly address: { readonly host: string; readonly port: number };
  readonly latencyInMicros: boolean;
  readonly config: MeshConfig;
  readonly logins: readonly string[];
};

type Json = Record<string, unknown>;

const TYPES = 'type.googleapis.com/envoy';
const FILTER = 'envoy.filters.network.redis_proxy';
const REDACTED = { inline_string: '[redacted]' };
const DENOMINATORS: Readonly<Record<Fraction['of'], string>> = {
  100: 'HUNDRED',
  10000: 'TEN_THOUSAND',
  1000000: 'MILLION',
};

/** The dump of all `listeners`; clusters of one name are one. What Envoy has no words for stands under `rmtop`. */
export function configDump(listeners: readonly DumpedListener[]): Json {
  const clusters = new Map<string, Json>();
  for (const { config, logins } of listeners)
    for (const [name, upstream] of Object.entries(config.upstreams))
      if (!clusters.has(name)) clusters.set(name, clusterOf(name, upstream, logins.includes(name)));
  return {
    configs: [
      {
        '@type': `${TYPES}.admin.v3.ClustersConfigDump`,
        static_clusters: [...clusters.values()].map((cluster) => ({ cluster })),
      },
      {
        '@type': `${TYPES}.admin.v3.ListenersConfigDump`,
        static_listeners: listeners.map((each) => ({ listener: listenerOf(each) })),
      },
    ],
    rmtop: listeners.map(({ name, config: { version, envoy, settings, rules } }) => ({
      listener: name,
      version,
      envoy: `1.${envoy}`,
      open: settings.open,
      rules,
    })),
  };
}

/** Without what is null, false or an empty list: what Envoy leaves out as well. */
function lean(fields: Json): Json {
  return Object.fromEntries(
    Object.entries(fields).filter(
      ([, value]) =>
        value !== null && value !== false && !(Array.isArray(value) && value.length === 0),
    ),
  );
}

function socketAddress(host: string, port: number): Json {
  return { socket_address: { address: host, port_value: port } };
}

// ——— listeners ———

function listenerOf(listener: DumpedListener): Json {
  const { name, address } = listener;
  return {
    '@type': `${TYPES}.config.listener.v3.Listener`,
    name,
    address: socketAddress(address.host, address.port),
    filter_chains: [{ filters: [{ name: FILTER, typed_config: redisProxy(listener) }] }],
  };
}

function redisProxy({ statPrefix, latencyInMicros, config }: DumpedListener): Json {
  const { settings, routes, faults } = config;
  const auth = settings.downstreamAuth;
  const catchAll = routes.find(({ prefix }) => prefix === null);
  return lean({
    '@type': `${TYPES}.extensions.filters.network.redis_proxy.v3.RedisProxy`,
    stat_prefix: statPrefix,
    settings: lean({
      op_timeout: envoyDuration(settings.opTimeoutMs),
      enable_hashtagging: settings.hashtagging,
      enable_redirection: settings.enableRedirection,
      max_upstream_unknown_connections: settings.maxUpstreamUnknownConnections,
      read_policy: settings.readPolicy,
      enable_command_stats: settings.commandStats,
    }),
    latency_in_micros: latencyInMicros,
    prefix_routes: lean({
      routes: routes.filter(({ prefix }) => prefix !== null).map(routeOf),
      case_insensitive: settings.caseInsensitive,
      catch_all_route: catchAll === undefined ? null : routeOf(catchAll),
    }),
    downstream_auth_username: auth === null || auth.username === null ? null : REDACTED,
    downstream_auth_passwords: Array.from({ length: auth?.passwords ?? 0 }, () => REDACTED),
    faults: faults.map(faultOf),
    custom_commands: settings.customCommands,
    protocol_version: settings.protocolVersion === 3 ? 'RESP3' : null,
  });
}

function routeOf({ prefix, upstream, strip, keyFormatter, readUpstream, mirrors }: Route): Json {
  return lean({
    // Of a catch-all's prefix, which Envoy only cuts off, nothing but the length is known.
    prefix: prefix === null ? (strip > 0 ? '?'.repeat(strip) : null) : prefix,
    remove_prefix: strip > 0,
    cluster: upstream,
    request_mirror_policy: mirrors.map(mirrorOf),
    key_formatter: keyFormatter,
    read_command_policy: readUpstream === null ? null : { cluster: readUpstream },
  });
}

function mirrorOf({ upstream, fraction, excludeReads }: MirrorPolicy): Json {
  return lean({
    cluster: upstream,
    runtime_fraction: { default_value: share(fraction) },
    exclude_read_commands: excludeReads,
  });
}

function share({ numerator, of }: Fraction): Json {
  return { numerator, denominator: DENOMINATORS[of] };
}

/** One that was switched off is one that never fires. */
function faultOf({ on, percent, commands, action }: MeshFault): Json {
  const ms = action.kind === 'delay' ? action.ms : action.delayMs;
  return lean({
    fault_type: action.kind === 'delay' ? 'DELAY' : 'ERROR',
    fault_enabled: { default_value: share({ numerator: on ? percent : 0, of: 100 }) },
    delay: ms === 0 ? null : envoyDuration(ms),
    commands,
  });
}

// ——— clusters ———

function clusterOf(name: string, upstream: Upstream, logsIn: boolean): Json {
  const { hostSet, seeds, tls, connectTimeoutMs, healthCheck } = upstream;
  return lean({
    '@type': `${TYPES}.config.cluster.v3.Cluster`,
    name,
    connect_timeout: envoyDuration(connectTimeoutMs),
    ...(hostSet === null ? redisCluster(upstream) : balancedHosts(hostSet)),
    load_assignment: {
      cluster_name: name,
      endpoints: [
        {
          lb_endpoints: (hostSet?.hosts ?? seeds.map(plainHost)).map(endpointOf),
        },
      ],
    },
    health_checks:
      healthCheck === null
        ? []
        : [
            {
              interval: envoyDuration(healthCheck.intervalMs),
              timeout: envoyDuration(healthCheck.timeoutMs),
              unhealthy_threshold: healthCheck.unhealthyThreshold,
              healthy_threshold: healthCheck.healthyThreshold,
              custom_health_check: {
                name: 'envoy.health_checkers.redis',
                typed_config: { '@type': `${TYPES}.extensions.health_checkers.redis.v3.Redis` },
              },
            },
          ],
    typed_extension_protocol_options: logsIn
      ? {
          [FILTER]: {
            '@type': `${TYPES}.extensions.filters.network.redis_proxy.v3.RedisProtocolOptions`,
            auth_password: REDACTED,
          },
        }
      : null,
    transport_socket: tls
      ? {
          name: 'envoy.transport_sockets.tls',
          typed_config: {
            '@type': `${TYPES}.extensions.transport_sockets.tls.v3.UpstreamTlsContext`,
          },
        }
      : null,
  });
}

/** `auto`, which is not Envoy's, is a Redis Cluster with a remark: what it turned out to be is no part of the configuration. */
function redisCluster({ kind, refresh }: Upstream): Json {
  return {
    cluster_type: {
      name: 'envoy.clusters.redis',
      typed_config: {
        '@type': `${TYPES}.extensions.clusters.redis.v3.RedisClusterConfig`,
        ...refreshOf(refresh),
      },
    },
    lb_policy: 'CLUSTER_PROVIDED',
    metadata: kind === 'auto' ? { filter_metadata: { rmtop: { kind } } } : null,
  };
}

function refreshOf(refresh: Refresh): Json {
  return {
    cluster_refresh_rate: envoyDuration(refresh.rateMs),
    cluster_refresh_timeout: envoyDuration(refresh.timeoutMs),
    redirect_refresh_interval: envoyDuration(refresh.redirectIntervalMs),
    redirect_refresh_threshold: refresh.redirectThreshold,
    failure_refresh_threshold: refresh.failureThreshold,
    host_degraded_refresh_threshold: refresh.degradedThreshold,
  };
}

const RESOLVING: Readonly<Record<HostSet['resolve'], string>> = {
  static: 'STATIC',
  'strict-dns': 'STRICT_DNS',
  'logical-dns': 'LOGICAL_DNS',
};

function balancedHosts({ resolve, balancer }: HostSet): Json {
  const { policy, panicThreshold, hashByHostname } = balancer;
  const common: Json = {};
  if (panicThreshold !== DEFAULT_BALANCER.panicThreshold)
    common.healthy_panic_threshold = { value: panicThreshold };
  if (hashByHostname) common.consistent_hashing_lb_config = { use_hostname_for_hashing: true };
  return {
    type: RESOLVING[resolve],
    lb_policy: policy,
    ...tableOf(balancer),
    common_lb_config: Object.keys(common).length === 0 ? null : common,
  };
}

function tableOf({ policy, tableSize, ring }: Balancer): Json {
  switch (policy) {
    case 'MAGLEV':
      return { maglev_lb_config: { table_size: tableSize } };
    case 'RING_HASH':
      return {
        ring_hash_lb_config: {
          minimum_ring_size: ring.minimumSize,
          maximum_ring_size: ring.maximumSize,
          hash_function: ring.hash,
        },
      };
    case 'ROUND_ROBIN':
    case 'RANDOM':
    case 'LEAST_REQUEST':
      return {};
  }
}

function plainHost(address: string): HostSpec {
  return { address, weight: 1, hashKey: null, hostname: null };
}

function endpointOf({ address, weight, hashKey, hostname }: HostSpec): Json {
  const { host, port } = splitAddress(address) ?? { host: address, port: 6379 };
  return lean({
    endpoint: lean({ address: socketAddress(host, port), hostname }),
    load_balancing_weight: weight === 1 ? null : weight,
    metadata: hashKey === null ? null : { filter_metadata: { 'envoy.lb': { hash_key: hashKey } } },
  });
}
