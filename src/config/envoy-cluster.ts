/** An Envoy Cluster → Upstream, and what its servers are reached with (config page, 1.2). */
import {
  DEFAULT_CONNECT_TIMEOUT_MS,
  DEFAULT_REFRESH,
  type HealthCheck,
  type Refresh,
  type Upstream,
} from '../mesh/config.js';
import { readAccess, type UpstreamAccess } from './access.js';
import { readBalancer } from './balancer.js';
import { endpointsIn, readHosts, sayNoHosts } from './envoy-hosts.js';
import { get, isTrue, items, type MapNode, type Node, num, placeOf, str } from './node.js';
import { normalise } from './normalise.js';
import type { ClusterShape, Shape, World } from './shape.js';
import { peel } from './typed.js';

/** What a cluster comes to. */
export type ReadCluster = { readonly upstream: Upstream; readonly access: UpstreamAccess };

export const REDIS_CLUSTER_TYPE = 'envoy.clusters.redis';

/** Reads a cluster; everything odd is said once. */
export function readCluster(cluster: ClusterShape, shape: Shape, world: World): ReadCluster {
  const { body } = cluster;
  const custom = str(body, 'cluster_type', 'name');
  const balancer = readBalancer(cluster, world);
  const shared = {
    connectTimeoutMs: num(body, 'connect_timeout') ?? DEFAULT_CONNECT_TIMEOUT_MS,
    refresh: DEFAULT_REFRESH,
    healthCheck: readHealthCheck(body, world),
  };
  const access = readAccess(cluster, world);
  const tls = access.tls !== null;
  if (custom === REDIS_CLUSTER_TYPE) {
    checkRedisCluster(cluster, world);
    const seeds = endpointsIn(body, world).map((host) => host.address);
    if (seeds.length === 0) sayNoHosts(cluster, world, 'no seed to ask for the slots');
    return {
      access,
      upstream: {
        ...shared,
        kind: 'redis-cluster',
        hostSet: null,
        seeds,
        tls,
        refresh: readRefresh(body, world),
      },
    };
  }
  if (str(body, 'lb_policy') === 'CLUSTER_PROVIDED') {
    world.findings.say(
      'ENVOY-CLUSTERLB',
      placeOf(body, 'lb_policy'),
      `cluster ${cluster.name}: lb_policy CLUSTER_PROVIDED without cluster_type ${REDIS_CLUSTER_TYPE}`,
      {
        consequence: 'Envoy refuses it; here its hosts are taken in turn',
        advice: `add cluster_type: {name: ${REDIS_CLUSTER_TYPE}} for a Redis Cluster, or lb_policy: MAGLEV`,
      },
    );
  }
  const hostSet = readHosts(cluster, balancer, shape, world);
  return {
    access,
    upstream: {
      ...shared,
      kind: 'hosts',
      hostSet,
      seeds: hostSet.hosts.map((host) => host.address),
      tls,
    },
  };
}

function checkRedisCluster({ name, body }: ClusterShape, world: World): void {
  if (get(body, 'type') !== undefined) {
    world.findings.say(
      'ENVOY-CLUSTERLB',
      placeOf(body, 'type'),
      `cluster ${name} has both type and cluster_type`,
      {
        level: 'warning',
        consequence: 'only one of them can be meant; cluster_type counts here',
        advice: 'remove type',
      },
    );
  }
  if (str(body, 'lb_policy') === 'CLUSTER_PROVIDED') return;
  world.findings.say(
    'ENVOY-CLUSTERLB',
    placeOf(body, 'lb_policy'),
    `cluster ${name}: ${REDIS_CLUSTER_TYPE} needs lb_policy CLUSTER_PROVIDED`,
    {
      consequence: 'Envoy refuses it; it is taken for a Redis Cluster here',
      advice: 'write lb_policy: CLUSTER_PROVIDED',
    },
  );
}

function readRefresh(body: MapNode, world: World): Refresh {
  const written = get(body, 'cluster_type', 'typed_config');
  if (written === undefined) return DEFAULT_REFRESH;
  const config = normalise(peel(written).body, 'RedisClusterConfig', 'envoy', world.findings);
  const of = (name: string, otherwise: number): number => num(config, name) ?? otherwise;
  if (isTrue(config, 'enable_zone_discovery')) {
    world.findings.say(
      'ENVOY-NOTLOCAL',
      placeOf(config, 'enable_zone_discovery'),
      'enable_zone_discovery: zones are not known here',
      { consequence: 'replicas of all zones count alike' },
    );
  }
  return {
    rateMs: of('cluster_refresh_rate', DEFAULT_REFRESH.rateMs),
    timeoutMs: of('cluster_refresh_timeout', DEFAULT_REFRESH.timeoutMs),
    redirectIntervalMs: of('redirect_refresh_interval', DEFAULT_REFRESH.redirectIntervalMs),
    redirectThreshold: of('redirect_refresh_threshold', DEFAULT_REFRESH.redirectThreshold),
    failureThreshold: of('failure_refresh_threshold', DEFAULT_REFRESH.failureThreshold),
    degradedThreshold: of('host_degraded_refresh_threshold', DEFAULT_REFRESH.degradedThreshold),
  };
}

function readHealthCheck(body: MapNode, world: World): HealthCheck | null {
  const checks = items(body, 'health_checks');
  const isRedis = (check: Node): boolean =>
    get(check, 'redis_health_check') !== undefined ||
    /redis/.test(str(check, 'custom_health_check', 'name') ?? '');
  const check = checks.find(isRedis);
  for (const other of checks.filter((each) => !isRedis(each))) {
    world.findings.say(
      'ENVOY-NOTLOCAL',
      other.at,
      'a health check that is not of type redis is not made here',
      {
        consequence: 'its hosts count as healthy',
        advice: 'custom_health_check: {name: envoy.health_checkers.redis}',
      },
    );
  }
  if (check === undefined) return null;
  return {
    intervalMs: num(check, 'interval') ?? 5000,
    timeoutMs: num(check, 'timeout') ?? 1000,
    unhealthyThreshold: num(check, 'unhealthy_threshold') ?? 2,
    healthyThreshold: num(check, 'healthy_threshold') ?? 1,
  };
}
