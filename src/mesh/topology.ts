/** Where the servers of each upstream are and which slots they own, made as Envoy makes its map (mesh page, 4.3). */

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

/** How an upstream's keys find their server: by slot, or all on one server. */
export type Placement =
  | {
      readonly kind: 'slots';
      /** Index of the shard that owns each slot; `UNCOVERED` where none does (Envoy then takes shard 0). */
      readonly owner: Uint16Array;
      readonly shards: readonly Shard[];
    }
  | { readonly kind: 'single'; readonly shards: readonly Shard[] };

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

/** How many of the 16384 slots have an owner; all of them on a single server. */
export function coveredSlots(placement: Placement): number {
  if (placement.kind === 'single') return placement.shards.length > 0 ? SLOTS : 0;
  return placement.owner.reduce((count, owner) => count + (owner === UNCOVERED ? 0 : 1), 0);
}

/**
 * The short name of a server: `s2.p` is the primary of shard 2, `s2.r1` its first replica. The address itself where it is none
 * of this placement's. With several upstreams their names stand before it.
 */
export function aliasOf(topology: Topology, upstream: string, address: string): string {
  const prefix = Object.keys(topology.upstreams).length > 1 ? `${upstream}/` : '';
  const shards = topology.upstreams[upstream]?.shards ?? [];
  for (const [i, shard] of shards.entries()) {
    if (shard.primary.address === address) return `${prefix}s${i}.p`;
    const replica = shard.replicas.findIndex((server) => server.address === address);
    if (replica !== -1) return `${prefix}s${i}.r${replica + 1}`;
  }
  return address;
}
