/** CLUSTER and its like: the fake cluster about itself. */
import {
  type ClusterNode,
  type ClusterShard,
  clusterInfo,
  clusterNodes,
  clusterShards,
  clusterSlots,
  type Reply,
  slotOf,
} from 'rmtop';
import type { Call, CommandTable } from './call.js';
import { type Member, replicasOf } from './members.js';
import { bulk, int, OK, Refused } from './replies.js';

const NO_CLUSTER = 'ERR This instance has cluster support disabled';

/** The commands, by name; a server that is no cluster refuses them all. */
export const cluster: CommandTable = {
  'CLUSTER SLOTS': inCluster((call) => clusterSlots(view(call).shards)),
  'CLUSTER SHARDS': inCluster((call) => clusterShards(view(call).shards)),
  'CLUSTER NODES': inCluster((call) => clusterNodes(view(call).shards, view(call).self)),
  'CLUSTER INFO': inCluster((call) => clusterInfo(view(call).shards, view(call).self)),
  'CLUSTER MYID': inCluster((call) => bulk(call.node.self.id)),
  'CLUSTER KEYSLOT': inCluster((call) => int(slotOf(Buffer.from(call.word(2), 'latin1')))),
  READONLY: inCluster((call) => setReadonly(call, true)),
  READWRITE: inCluster((call) => setReadonly(call, false)),
  // Nothing is ever on its way from one shard to another here, so the leave it gives is never needed.
  ASKING: inCluster(() => OK),
};

function inCluster(run: (call: Call) => Reply): (call: Call) => Reply {
  return (call) => {
    if (call.node.self.shard === null) throw new Refused(NO_CLUSTER);
    return run(call);
  };
}

function setReadonly(call: Call, readonly: boolean): Reply {
  call.session.readonly = readonly;
  return OK;
}

/** The members as others are told of them. */
function view({ node: { self, members } }: Call): {
  readonly shards: readonly ClusterShard[];
  readonly self: ClusterNode;
} {
  const shards = members
    .filter((member) => member.role === 'primary')
    .map((primary) => ({
      ranges: [primary.slots],
      primary: nodeOf(primary),
      replicas: replicasOf(primary, members).map(nodeOf),
    }));
  return { shards, self: nodeOf(self) };
}

function nodeOf({ id, port }: Member): ClusterNode {
  return { id, host: '127.0.0.1', port };
}
