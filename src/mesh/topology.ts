/** Where the servers of each upstream are and which slots they own, made as Envoy makes its map (mesh page, 4.3). */
import type { Balancer } from './config.js';
import { maglevTable } from './maglev.js';
import { hashRing, type Ring } from './ring.js';

export const SLOTS = 16384;

/** One Redis server. `address` is the one it is announced by; `healthy` is Envoy's view, true without a health checker. */
export type Server = { readonly address: string; readonly healthy: boolean };

/** A primary and its replicas. `ranges` are inclusive. */
export type Shard = {
  readonly primary: Server;
  /** Ordered by address text. */
  readonly replicas: readonly Server[];
  readonly ranges: readonly (readonly [number, number])[];
};

/** How an upstream's keys find their server: by slot, all on one server, or as a balancer chooses among hosts. */
export type Placement =
  | {
      readonly kind: 'slots';
      /** Index of the shard that owns each slot; `UNCOVERED` where none does (Envoy then takes shard 0). */
      readonly owner: Uint16Array;
      readonly shards: readonly Shard[];
    }
  | { readonly kind: 'single'; readonly shards: readonly Shard[] }
  | HostPlacement;

/** A host of a set; `key` is what MAGLEV and RING_HASH hash of it (mesh page, 5.2). */
export type PlacedHost = {
  readonly address: string;
  readonly key: string;
  readonly weight: number;
};

/** A set of hosts: each is a shard of its own. `among` holds the indexes of those that are chosen among. */
export type HostPlacement = {
  readonly kind: 'hosts';
  readonly hosts: readonly PlacedHost[];
  readonly balancer: Balancer;
  readonly among: readonly number[];
  /** Of MAGLEV and of RING_HASH; they give indexes into `among`. */
  readonly table: Uint16Array | null;
  readonly ring: Ring | null;
  readonly shards: readonly Shard[];
};

export const UNCOVERED = 0xffff;

/** All upstreams as they are known at one moment. An upstream that could not be reached yet has no shards. */
export type Topology = {
  readonly version: number;
  readonly upstreams: Readonly<Record<string, Placement>>;
};

/** One range of a CLUSTER SLOTS reply. */
export type SlotRange = {
  readonly start: number;
  readonly end: number;
  readonly primary: string;
  readonly replicas: readonly string[];
};

export const NO_SERVERS: Placement = { kind: 'single', shards: [] };

/** The placement of one server that is no Redis Cluster. */
export function singleServer(address: string, healthy = true): Placement {
  return { kind: 'single', shards: [{ primary: { address, healthy }, replicas: [], ranges: [] }] };
}

/**
 * The placement that Envoy makes of a CLUSTER SLOTS reply: ranges sorted by start and end, a shard for each primary in order of
 * first appearance, with the replicas of its first range. `unhealthy` holds the addresses that a health checker has given up.
 */
export function slotPlacement(
  ranges: readonly SlotRange[],
  unhealthy: ReadonlySet<string> = new Set(),
): Placement {
  const server = (address: string): Server => ({ address, healthy: !unhealthy.has(address) });
  const sorted = [...ranges].sort((a, b) => a.start - b.start || a.end - b.end);
  const owner = new Uint16Array(SLOTS).fill(UNCOVERED);
  const indexes = new Map<string, number>();
  const shards: { primary: Server; replicas: Server[]; ranges: [number, number][] }[] = [];
  for (const range of sorted) {
    let index = indexes.get(range.primary);
    if (index === undefined) {
      index = shards.length;
      indexes.set(range.primary, index);
      shards.push({
        primary: server(range.primary),
        replicas: [...new Set(range.replicas)].sort().map(server),
        ranges: [],
      });
    }
    shards[index]?.ranges.push([range.start, range.end]);
    owner.fill(index, range.start, range.end + 1);
  }
  return { kind: 'slots', owner, shards };
}

/**
 * The placement of a set of hosts. Unhealthy ones are left out, unless so few are healthy that Envoy panics and takes all (5.3).
 */
export function hostPlacement(
  hosts: readonly PlacedHost[],
  balancer: Balancer,
  unhealthy: ReadonlySet<string> = new Set(),
): HostPlacement {
  const all = hosts.map((_, index) => index);
  const healthy = all.filter((index) => !unhealthy.has(hosts[index]?.address ?? ''));
  const panics = healthy.length * 100 < balancer.panicThreshold * hosts.length;
  const among = panics ? all : healthy;
  const chosen = among.map((index) => hosts[index] as PlacedHost);
  return {
    kind: 'hosts',
    hosts,
    balancer,
    among,
    table: balancer.policy === 'MAGLEV' ? maglevTable(chosen, balancer.tableSize) : null,
    ring:
      balancer.policy === 'RING_HASH' && chosen.length > 0 ? hashRing(chosen, balancer.ring) : null,
    shards: hosts.map(({ address }) => ({
      primary: { address, healthy: !unhealthy.has(address) },
      replicas: [],
      ranges: [],
    })),
  };
}

/** The ranges a placement was made of, for records and comparing; empty for a single server. */
export function rangesOf(placement: Placement): SlotRange[] {
  return placement.shards.flatMap((shard) =>
    shard.ranges.map(([start, end]) => ({
      start,
      end,
      primary: shard.primary.address,
      replicas: shard.replicas.map((replica) => replica.address),
    })),
  );
}

/** Every server of a placement, primaries and replicas in shard order. */
export function serversOf(placement: Placement): Server[] {
  return placement.shards.flatMap((shard) => [shard.primary, ...shard.replicas]);
}

/** How many of the 16384 slots have an owner; all of them where there are no slots but a server. */
export function coveredSlots(placement: Placement): number {
  if (placement.kind !== 'slots') return placement.shards.length > 0 ? SLOTS : 0;
  return placement.owner.reduce((count, owner) => count + (owner === UNCOVERED ? 0 : 1), 0);
}

/**
 * The short name of a server: `s2.p` is the primary of shard 2, `s2.r1` its first replica, `h2` host 2 of a set; the upstream's name
 * where that is a single server beside others. The address itself where it is none of this placement's. Where several upstreams have
 * servers of such names, theirs stands before it.
 */
export function aliasOf(topology: Topology, upstream: string, address: string): string {
  const placement = topology.upstreams[upstream] ?? NO_SERVERS;
  const upstreams = Object.values(topology.upstreams);
  if (placement.kind === 'single' && upstreams.length > 1)
    return placement.shards[0]?.primary.address === address ? upstream : address;
  const isOnly = upstreams.filter(({ kind }) => kind === placement.kind).length < 2;
  const prefix = isOnly ? '' : `${upstream}/`;
  for (const [i, shard] of placement.shards.entries()) {
    if (shard.primary.address === address)
      return placement.kind === 'hosts' ? `${prefix}h${i}` : `${prefix}s${i}.p`;
    const replica = shard.replicas.findIndex((server) => server.address === address);
    if (replica !== -1) return `${prefix}s${i}.r${replica + 1}`;
  }
  return address;
}
