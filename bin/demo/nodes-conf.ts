/** The cluster state a Redis node keeps in its nodes.conf, written before its first start: it then knows all others from the outset. */
import { SLOTS } from 'rmtop';
import { BUS_OFFSET } from './ports.js';

/** One node of a cluster that is to be. */
export type PlannedNode = {
  /** 40 hexadecimal digits. */
  readonly id: string;
  readonly port: number;
  /** Null: the server speaks no TLS. */
  readonly tlsPort: number | null;
  /** The port that the cluster bus is derived from, and that is told to others. */
  readonly busBase: number;
  /** Index of its primary; null for a primary. */
  readonly primary: number | null;
  readonly slots: readonly [number, number] | null;
};

/** The slots of shard `i` of `shards`, dealt evenly, both ends included. */
export function slotsOfShard(i: number, shards: number): [number, number] {
  return [Math.round((SLOTS * i) / shards), Math.round((SLOTS * (i + 1)) / shards) - 1];
}

/**
 * The nodes.conf of `self`: one line a node, `id ip:port@bus flags primary ping-sent pong-received epoch link slots`.
 *
 * Every primary has an epoch of its own, as after elections; see "nodes.conf" in Redis's cluster.c, `clusterLoadConfig`.
 */
export function nodesConf(nodes: readonly PlannedNode[], self: PlannedNode): string {
  const lines = nodes.map((node, i) => {
    const primary = node.primary === null ? undefined : nodes[node.primary];
    const role = primary === undefined ? 'master' : 'slave';
    const flags = node === self ? `myself,${role}` : role;
    const epoch = (node.primary ?? i) + 1;
    const slots = node.slots === null ? '' : ` ${node.slots.join('-')}`;
    const bus = node.busBase + BUS_OFFSET;
    return `${node.id} 127.0.0.1:${node.busBase}@${bus} ${flags} ${primary?.id ?? '-'} 0 0 ${epoch} connected${slots}\n`;
  });
  return `${lines.join('')}vars currentEpoch ${nodes.length} lastVoteEpoch 0\n`;
}
