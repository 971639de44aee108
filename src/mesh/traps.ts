/** What commonly goes wrong between a mesh and its servers without any configuration being invalid; each with what to do about it. */
import type { MeshConfig } from './config.js';
import { portForward } from './forward.js';

/** Stable, for tests and for whoever has dismissed one. */
export type TrapCode =
  | 'hashed-cluster'
  | 'no-health-checks'
  | 'out-of-reach'
  | 'uncovered-slots'
  | 'writes-to-replicas';

/** One trap that is in force. */
export type Trap = {
  readonly code: TrapCode;
  readonly upstream: string;
  /** What happens, and to whom. */
  readonly text: string;
  readonly next: string;
};

/** What has been found out about an upstream while it was used. */
export type Found = {
  /** `unknown`: not found yet. */
  readonly kind: 'slots' | 'single' | 'hosts' | 'unknown';
  /** `reachable` null: not tried yet. */
  readonly servers: readonly { readonly address: string; readonly reachable: boolean | null }[];
  /** Of a Redis Cluster: how many of the 16384 slots have no owner. */
  readonly uncovered: number;
  /** How many replies were `-MOVED`. */
  readonly moved: number;
  /** How many of them were for writes that had gone to a replica, by the name of the command. */
  readonly strays: ReadonlyMap<string, number>;
};

/** The traps that `config` is in, as far as `found` tells; the worst first. */
export function trapsOf(config: MeshConfig, found: Readonly<Record<string, Found>>): Trap[] {
  const traps = Object.entries(found).flatMap(([upstream, state]) => [
    ...hashedCluster(config, upstream, state),
    ...writesToReplicas(config, upstream, state),
    ...outOfReach(upstream, state),
    ...uncoveredSlots(upstream, state),
    ...withoutHealthChecks(config, upstream, state),
  ]);
  const order: readonly TrapCode[] = [
    'hashed-cluster',
    'writes-to-replicas',
    'out-of-reach',
    'uncovered-slots',
    'no-health-checks',
  ];
  return traps.sort((a, b) => order.indexOf(a.code) - order.indexOf(b.code));
}

/**
 * Only a Redis Cluster answers MOVED. Envoy hashes keys over the hosts of any other kind of cluster, and hands the error on: the proxy
 * follows redirections only where it is told to, and then each command makes two journeys (mesh page, 5 and 8).
 */
function hashedCluster(config: MeshConfig, upstream: string, { kind, moved }: Found): Trap[] {
  if (kind !== 'hosts' || moved === 0) return [];
  const policy = config.upstreams[upstream]?.hostSet?.balancer.policy ?? 'MAGLEV';
  return [
    {
      code: 'hashed-cluster',
      upstream,
      text: `${upstream} is a Redis Cluster, but the mesh spreads keys over its hosts by ${policy}: ${moved} MOVED so far`,
      next: 'cluster_type envoy.clusters.redis; with Aeraki a RedisDestination with mode: CLUSTER',
    },
  ];
}

/**
 * Envoy takes for a write only what its own list names; XADD, XDEL, XACK and others are not in it. Under a policy that reads from
 * replicas they go to one, and a replica of a Redis Cluster answers a write with MOVED to its primary (mesh page, 2.4; tried on Redis 7.0).
 */
function writesToReplicas({ settings }: MeshConfig, upstream: string, { strays }: Found): Trap[] {
  if (strays.size === 0) return [];
  const count = [...strays.values()].reduce((sum, each) => sum + each, 0);
  const names = [...strays.keys()].sort();
  const more = names.length > 3 ? ` and ${names.length - 3} more` : '';
  return [
    {
      code: 'writes-to-replicas',
      upstream,
      text: `${names.slice(0, 3).join(' ')}${more} went to replicas of ${upstream} under ${settings.readPolicy}, for Envoy does not list ${names.length === 1 ? 'it' : 'them'} as ${names.length === 1 ? 'a write' : 'writes'}: ${count} MOVED so far`,
      next: 'enable_redirection: true follows them (here --enable-redirection), or read_policy MASTER for the listener that streams use',
    },
  ];
}

function outOfReach(upstream: string, { servers }: Found): Trap[] {
  const out = servers.filter(({ reachable }) => reachable === false);
  const [first] = out;
  if (first === undefined) return [];
  const forward = portForward(first.address, 16379);
  const more = out.length > 1 ? ` and ${out.length - 1} more` : '';
  return [
    {
      code: 'out-of-reach',
      upstream,
      text: `${out.length} of ${servers.length} nodes of ${upstream} cannot be reached from here: ${first.address}${more}`,
      next:
        forward === null
          ? `--map ${first.address}=127.0.0.1:PORT, for instance after kubectl port-forward`
          : `${forward.command}, then rmtop with ${forward.map}`,
    },
  ];
}

function uncoveredSlots(upstream: string, { kind, uncovered }: Found): Trap[] {
  if (kind !== 'slots' || uncovered === 0) return [];
  return [
    {
      code: 'uncovered-slots',
      upstream,
      text: `${uncovered} of 16384 slots of ${upstream} have no owner: their keys get errors`,
      next: 'redis-cli --cluster check HOST:PORT, then --cluster fix',
    },
  ];
}

/** A server counts as healthy until a health checker says otherwise: a preferred primary that is dead keeps getting the reads. */
function withoutHealthChecks(
  { settings, upstreams }: MeshConfig,
  upstream: string,
  { kind, servers }: Found,
): Trap[] {
  const hasNone = upstreams[upstream]?.healthCheck === null;
  if (settings.readPolicy !== 'PREFER_MASTER' || kind !== 'slots' || !hasNone) return [];
  if (servers.length < 2) return [];
  return [
    {
      code: 'no-health-checks',
      upstream,
      text: `PREFER_MASTER without health checks: reads of ${upstream} stay with a primary that is dead until the topology changes`,
      next: 'health_checks with envoy.health_checkers.redis in the cluster, or PREFER_REPLICA',
    },
  ];
}
