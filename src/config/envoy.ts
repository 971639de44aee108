/** The Envoy shape → MeshConfig: the only place that makes one. */
import type { Credentials } from '../mesh/answers.js';
import {
  DEFAULT_BALANCER,
  type MeshConfig,
  type Route,
  type Upstream,
  upstreamOf,
} from '../mesh/config.js';
import { NO_ACCESS, type UpstreamAccess } from './access.js';
import type { Position } from './diagnostic.js';
import { type ReadCluster, readCluster } from './envoy-cluster.js';
import { readFaults } from './envoy-faults.js';
import { isHashing, serviceEndpoints } from './envoy-hosts.js';
import { readCredentials, readSettings } from './envoy-proxy.js';
import { readRoutes } from './envoy-routes.js';
import { isIstioBuiltIn, parseIstioName } from './istio-name.js';
import { get, isTrue, makeMap, placeOf, str } from './node.js';
import type { ClusterShape, ListenerShape, Shape, World } from './shape.js';

/** One Redis listener of the files, ready to run. */
export type LoadedListener = {
  /** What `--service` picks it by: the service's host, else the listener's name, else its stat_prefix. */
  readonly name: string;
  /** All names it answers to. */
  readonly hosts: readonly string[];
  readonly statPrefix: string;
  /** The port it has in the mesh; null where the files do not say. */
  readonly wishedPort: number | null;
  readonly config: MeshConfig;
  /** What clients log in with; null: they need not. Never part of `config`. */
  readonly credentials: Credentials | null;
  /** By upstream. Never part of `config`. */
  readonly access: Readonly<Record<string, UpstreamAccess>>;
  readonly latencyInMicros: boolean;
  /** Where each upstream is defined. */
  readonly places: Readonly<Record<string, Position>>;
};

/** Makes the listener's configuration, with the clusters that its routes and mirrors lead to. */
export function readListener(listener: ListenerShape, shape: Shape, world: World): LoadedListener {
  const { proxy } = listener;
  const credentials = readCredentials(proxy, world);
  const settings = readSettings(proxy, credentials, world);
  const written = readRoutes(proxy, world);
  const clusters = new Clusters(shape, world);
  const routes = written.map((route): Route => {
    clusters.use(route.upstream, listener, 'route');
    if (route.readUpstream !== null) clusters.use(route.readUpstream, listener, 'route');
    // A mirror without a cluster is no mirror; a route without one still refuses its keys.
    const mirrors = route.mirrors.filter((mirror) =>
      clusters.use(mirror.upstream, listener, 'mirror'),
    );
    return { ...route, mirrors };
  });
  const statPrefix = str(proxy, 'stat_prefix') ?? '';
  if (statPrefix === '') {
    world.findings.say('ENVOY-REQUIRED', proxy.at, 'stat_prefix is missing', {
      consequence: 'Envoy refuses the configuration',
      advice: 'write stat_prefix: redis',
    });
  }
  const { upstreams, access, places } = clusters;
  sayNoEffect(listener, { settings, upstreams }, world);
  return {
    name: listenerName(listener),
    hosts: listener.hosts,
    statPrefix,
    wishedPort: listener.port,
    config: {
      version: 1,
      envoy: world.envoy,
      routes,
      upstreams,
      settings,
      faults: readFaults(proxy, world),
      rules: [],
    },
    credentials,
    access,
    latencyInMicros: isTrue(proxy, 'latency_in_micros'),
    places,
  };
}

/** What a listener is called: by its service, its name in Envoy, or its stat_prefix. */
export function listenerName({ hosts, name, proxy }: ListenerShape): string {
  const statPrefix = str(proxy, 'stat_prefix') ?? '';
  return (
    hosts[0] ?? (name === '' || (name.includes('${') && statPrefix !== '') ? statPrefix : name)
  );
}

/** The upstreams of one listener, read when first used. */
class Clusters {
  readonly upstreams: Record<string, Upstream> = {};
  readonly access: Record<string, UpstreamAccess> = {};
  readonly places: Record<string, Position> = {};
  private readonly shape: Shape;
  private readonly world: World;

  constructor(shape: Shape, world: World) {
    this.shape = shape;
    this.world = world;
  }

  /** Makes the upstream `name` known; whether there is such a cluster. */
  use(name: string, listener: ListenerShape, as: 'route' | 'mirror'): boolean {
    const written = this.shape.clusters.get(name);
    const isAbsent = written !== undefined || this.shape.absent.has(name);
    const made = isAbsent ? null : madeUp(name, listener, this.world);
    const cluster = written ?? made;
    if (cluster === null || cluster === undefined) {
      if (name !== '') this.sayUnknown(name, listener, as);
      if (as === 'route') this.add(name, NOBODY, placeOf(listener.proxy, 'prefix_routes'));
      return as === 'route';
    }
    if (!Object.hasOwn(this.upstreams, name))
      this.add(name, readCluster(cluster, this.shape, this.world), cluster.at);
    if (as === 'route') this.sayKeyBlind(cluster);
    return true;
  }

  private add(name: string, { upstream, access }: ReadCluster, at: Position): void {
    this.upstreams[name] = upstream;
    this.access[name] = access;
    this.places[name] = at;
  }

  private sayUnknown(name: string, { proxy }: ListenerShape, as: 'route' | 'mirror'): void {
    const at = placeOf(proxy, 'prefix_routes');
    const known = [...this.shape.clusters.keys()];
    const isBuiltIn = isIstioBuiltIn(name) || parseIstioName(name)?.direction === 'inbound';
    this.world.findings.say(
      'ENVOY-UNKNOWNCLUSTER',
      at,
      `${as === 'route' ? 'a route leads' : 'a mirror leads'} to cluster '${name}', ${isBuiltIn ? 'which is no place for Redis' : 'which nobody defines'}`,
      {
        consequence: as === 'route' ? 'its keys get "no upstream host"' : 'nothing is mirrored',
        advice:
          known.length === 0 ? 'define it under clusters' : `defined are: ${known.join(', ')}`,
      },
    );
  }

  /** Two commands on one key may land on two servers. */
  private sayKeyBlind({ name, at }: ClusterShape): void {
    const upstream = this.upstreams[name];
    const set = upstream?.hostSet;
    if (set === null || set === undefined || isHashing(set.balancer)) return;
    const several = set.hosts.length > 1 || (serviceEndpoints(name, this.world)?.length ?? 0) > 1;
    if (!several || set.resolve === 'logical-dns') return;
    this.world.findings.say(
      'ENVOY-KEYBLINDLB',
      at,
      `cluster ${name}: ${set.balancer.policy} over ${set.hosts.length} hosts does not look at the key`,
      {
        consequence: 'two commands on one key can go to two servers',
        advice:
          'lb_policy: MAGLEV for independent servers, cluster_type envoy.clusters.redis for a Redis Cluster',
      },
    );
  }
}

/** What a route to a cluster that does not exist finds: no host. */
const NOBODY: ReadCluster = {
  upstream: upstreamOf([], {
    kind: 'hosts',
    hostSet: { hosts: [], resolve: 'static', balancer: DEFAULT_BALANCER },
  }),
  access: NO_ACCESS,
};

/** The cluster that Istio itself has for a service, which no file defines; null where the name is none of Istio's. */
function madeUp(name: string, listener: ListenerShape, world: World): ClusterShape | null {
  const target = parseIstioName(name);
  if (target === null || target.direction === 'inbound' || target.host === '') return null;
  const at = placeOf(listener.proxy, 'prefix_routes');
  world.findings.say('ISTIO-CLUSTER', at, `cluster '${name}' is Istio's own: no file defines it`, {
    consequence: `taken as ${target.host}:${target.port}; in the mesh its hosts are balanced as Istio does by default (LEAST_REQUEST), not by key`,
  });
  const body = makeMap(
    { name, type: 'EDS', lb_policy: 'LEAST_REQUEST', connect_timeout: 10_000 },
    at,
  );
  return { name, body, at };
}

type Effective = Pick<MeshConfig, 'settings' | 'upstreams'>;

/** Settings that hold for nothing in this listener, though they are accepted. */
function sayNoEffect(
  { proxy }: ListenerShape,
  { settings, upstreams }: Effective,
  world: World,
): void {
  const all = Object.values(upstreams);
  const clusters = all.filter((upstream) => upstream.kind === 'redis-cluster');
  const at = (field: string): ReturnType<typeof placeOf> => placeOf(proxy, 'settings', field);
  const { findings } = world;
  if (settings.readPolicy !== 'MASTER' && clusters.length === 0) {
    findings.say(
      'ENVOY-NOEFFECT',
      at('read_policy'),
      `read_policy ${settings.readPolicy} with no Redis Cluster behind it`,
      {
        consequence:
          'reads go where writes go: only a Redis Cluster tells who its replicas are (READONLY is sent on every connection all the same)',
        advice: 'cluster_type envoy.clusters.redis, or mode: CLUSTER in the RedisDestination',
      },
    );
    findings.withoutEffect(
      at('read_policy'),
      `read_policy: ${settings.readPolicy}`,
      'reads go where writes go: there is no Redis Cluster',
    );
  }
  if (settings.hashtagging && clusters.length === all.length && all.length > 0) {
    findings.say(
      'ENVOY-NOEFFECT',
      at('enable_hashtagging'),
      'enable_hashtagging with Redis Clusters only',
      { consequence: 'nothing: a Redis Cluster always honours hash tags' },
    );
    findings.withoutEffect(
      at('enable_hashtagging'),
      'enable_hashtagging: true',
      'the same: a Redis Cluster always honours hash tags',
    );
  }
  if (
    /^PREFER/.test(settings.readPolicy) &&
    clusters.some((upstream) => upstream.healthCheck === null) &&
    get(proxy, 'settings') !== undefined
  ) {
    findings.say(
      'AERAKI-NOHEALTH',
      at('read_policy'),
      `read_policy ${settings.readPolicy} without health checks`,
      {
        consequence:
          'no server is ever known to be unhealthy, so it falls back only when the topology changes',
        advice: 'add health_checks with envoy.health_checkers.redis to the cluster',
      },
    );
  }
}
