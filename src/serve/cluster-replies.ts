/** What CLUSTER says of a cluster that is made up: the nodes of a recording, or of the demo. Ports without a bus, epochs by shard. */
import { SLOTS } from '../mesh/topology.js';
import { arrayReply, bulkReply, integerReply, mapReply } from '../resp/build.js';
import type { Reply } from '../resp/value.js';

/** One node as others are told of it; `id` is 40 hexadecimal digits. */
export type ClusterNode = { readonly id: string; readonly host: string; readonly port: number };

/** A primary, the slots it owns (ranges with both ends), and its replicas. */
export type ClusterShard = {
  readonly ranges: readonly (readonly [number, number])[];
  readonly primary: ClusterNode;
  readonly replicas: readonly ClusterNode[];
};

/** CLUSTER SLOTS: an entry a range, its primary first. */
export function clusterSlots(shards: readonly ClusterShard[]): Reply {
  const entries = shards.flatMap(({ ranges, primary, replicas }) =>
    ranges.map(([from, to]) => ({ from, to, nodes: [primary, ...replicas] })),
  );
  entries.sort((a, b) => a.from - b.from);
  return arrayReply(
    entries.map(({ from, to, nodes }) =>
      arrayReply([
        integerReply(from),
        integerReply(to),
        ...nodes.map(({ id, host, port }) =>
          arrayReply([bulkReply(host), integerReply(port), bulkReply(id), mapReply([])]),
        ),
      ]),
    ),
  );
}

/** CLUSTER SHARDS */
export function clusterShards(shards: readonly ClusterShard[]): Reply {
  return arrayReply(
    shards.map(({ ranges, primary, replicas }) =>
      mapReply([
        ['slots', arrayReply(ranges.flat().map(integerReply))],
        [
          'nodes',
          arrayReply([
            nodeReply(primary, 'master'),
            ...replicas.map((node) => nodeReply(node, 'replica')),
          ]),
        ],
      ]),
    ),
  );
}

function nodeReply({ id, host, port }: ClusterNode, role: string): Reply {
  return mapReply([
    ['id', bulkReply(id)],
    ['port', integerReply(port)],
    ['ip', bulkReply(host)],
    ['endpoint', bulkReply(host)],
    ['role', bulkReply(role)],
    ['replication-offset', integerReply(1)],
    ['health', bulkReply('online')],
  ]);
}

/** CLUSTER NODES, as `self` tells it: `id ip:port@bus flags primary ping pong epoch link slots`. */
export function clusterNodes(shards: readonly ClusterShard[], self: ClusterNode): Reply {
  const lines = shards.flatMap(({ ranges, primary, replicas }, i) =>
    [primary, ...replicas].map((node) => {
      const isPrimary = node === primary;
      const flags = `${node.id === self.id ? 'myself,' : ''}${isPrimary ? 'master' : 'slave'}`;
      const slots = ranges.map(([from, to]) => (from === to ? ` ${from}` : ` ${from}-${to}`));
      return `${node.id} ${node.host}:${node.port}@0 ${flags} ${isPrimary ? '-' : primary.id} 0 0 ${i + 1} connected${isPrimary ? slots.join('') : ''}\n`;
    }),
  );
  return bulkReply(lines.join(''));
}

/** CLUSTER INFO, as `self` tells it. */
export function clusterInfo(shards: readonly ClusterShard[], self: ClusterNode): Reply {
  const nodes = shards.map(({ primary, replicas }) => [primary, ...replicas]);
  const slots = shards.flatMap(({ ranges }) => ranges);
  const assigned = slots.reduce((sum, [from, to]) => sum + to - from + 1, 0);
  return bulkReply(
    [
      `cluster_state:${assigned < SLOTS ? 'fail' : 'ok'}`,
      `cluster_slots_assigned:${assigned}`,
      `cluster_slots_ok:${assigned}`,
      'cluster_slots_pfail:0',
      'cluster_slots_fail:0',
      `cluster_known_nodes:${nodes.flat().length}`,
      `cluster_size:${shards.length}`,
      `cluster_current_epoch:${nodes.flat().length}`,
      `cluster_my_epoch:${nodes.findIndex((shard) => shard.some(({ id }) => id === self.id)) + 1}`,
      '',
    ].join('\r\n'),
  );
}
