/** The cluster that a served recording shows: its recorded nodes, each at a port of ours. */
import { createHash } from 'node:crypto';
import { SLOTS, type SlotRange, slotPlacement } from '../mesh/topology.js';
import type { ClusterNode, ClusterShard } from './cluster-replies.js';

/** A port that is served: where it is and, in a cluster, which shard's. `alias` is rmtop's name for the recorded node: `s2.p`. */
export type ServedNode = ClusterNode & {
  readonly alias: string;
  readonly recorded: string;
  readonly shard: number;
  readonly isPrimary: boolean;
};

/** A node of the recording before it has a port. */
export type RecordedNode = Omit<ServedNode, 'host' | 'port' | 'id'>;

/** The nodes of a recorded cluster, primaries before their replicas. */
export function recordedNodes(ranges: readonly SlotRange[]): RecordedNode[] {
  return slotPlacement(ranges).shards.flatMap(({ primary, replicas }, shard) => [
    { alias: `s${shard}.p`, recorded: primary.address, shard, isPrimary: true },
    ...replicas.map(({ address }, i) => ({
      alias: `s${shard}.r${i + 1}`,
      recorded: address,
      shard,
      isPrimary: false,
    })),
  ]);
}

/** A node at its port; its id is made of its recorded address, so that it is the same each time. */
export function nodeAt(node: RecordedNode, host: string, port: number): ServedNode {
  const id = createHash('sha1').update(node.recorded).digest('hex');
  return { ...node, id, host, port };
}

/** All nodes as one cluster. One that has a single port has all slots there. */
export class ServedCluster {
  readonly shards: readonly ClusterShard[];
  private readonly owner: readonly (ServedNode | undefined)[];

  /** `ranges` is null where the recording has no cluster. */
  constructor(nodes: readonly ServedNode[], ranges: readonly SlotRange[] | null) {
    const [first] = nodes;
    const placed = ranges === null ? [] : slotPlacement(ranges).shards;
    const isSplit = nodes.length > 1;
    const primaries = nodes.filter(({ isPrimary }) => isPrimary);
    this.shards = isSplit
      ? placed.flatMap((shard, i) => {
          const of = nodes.filter((node) => node.shard === i);
          const [primary, ...replicas] = of;
          return primary === undefined ? [] : [{ ranges: shard.ranges, primary, replicas }];
        })
      : first === undefined
        ? []
        : [{ ranges: [[0, SLOTS - 1]], primary: first, replicas: [] }];
    const owner: (ServedNode | undefined)[] = new Array(SLOTS);
    for (const [i, { ranges: owned }] of placed.entries())
      for (const [from, to] of owned) owner.fill(isSplit ? primaries[i] : first, from, to + 1);
    this.owner = owner;
  }

  /** Who answers for a slot; undefined where nobody did. */
  ownerOf(slot: number): ServedNode | undefined {
    return this.owner[slot];
  }
}
