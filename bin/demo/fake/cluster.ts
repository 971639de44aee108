/** CLUSTER and its like: the fake cluster about itself. */
import { type Reply, SLOTS, slotOf } from 'rmtop';
import type { Call, CommandTable } from './call.js';
import { type Member, primaryOf, replicasOf } from './members.js';
import { array, bulk, int, mapOf, OK, Refused } from './replies.js';

const NO_CLUSTER = 'ERR This instance has cluster support disabled';

/** The commands, by name; a server that is no cluster refuses them all. */
export const cluster: CommandTable = {
  'CLUSTER SLOTS': inCluster((call) =>
    array(primaries(call).map((primary) => array(slotsEntry(primary, call.node.members)))),
  ),
  'CLUSTER SHARDS': inCluster((call) => array(primaries(call).map((node) => shard(node, call)))),
  'CLUSTER NODES': inCluster((call) =>
    bulk(call.node.members.map((node) => `${nodeLine(node, call)}\n`).join('')),
  ),
  'CLUSTER INFO': inCluster((call) =>
    bulk(
      [
        'cluster_state:ok',
        `cluster_slots_assigned:${SLOTS}`,
        `cluster_slots_ok:${SLOTS}`,
        'cluster_slots_pfail:0',
        'cluster_slots_fail:0',
        `cluster_known_nodes:${call.node.members.length}`,
        `cluster_size:${primaries(call).length}`,
        `cluster_current_epoch:${call.node.members.length}`,
        `cluster_my_epoch:${epochOf(call.node.self)}`,
        '',
      ].join('\r\n'),
    ),
  ),
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

function primaries(call: Call): readonly Member[] {
  return call.node.members.filter((member) => member.role === 'primary');
}

/** Every primary has an epoch of its own, which its replicas share. */
function epochOf(member: Member): number {
  return (member.shard ?? 0) + 1;
}

function slotsEntry(primary: Member, members: readonly Member[]): Reply[] {
  return [
    ...primary.slots.map(int),
    ...[primary, ...replicasOf(primary, members)].map((node) =>
      array([bulk('127.0.0.1'), int(node.port), bulk(node.id), mapOf([])]),
    ),
  ];
}

function shard(primary: Member, call: Call): Reply {
  const nodes = [primary, ...replicasOf(primary, call.node.members)];
  return mapOf([
    ['slots', array(primary.slots.map(int))],
    ['nodes', array(nodes.map(describe))],
  ]);
}

function describe(node: Member): Reply {
  return mapOf([
    ['id', bulk(node.id)],
    ['port', int(node.port)],
    ['ip', bulk('127.0.0.1')],
    ['endpoint', bulk('127.0.0.1')],
    ['role', bulk(node.role === 'primary' ? 'master' : 'replica')],
    ['replication-offset', int(1)],
    ['health', bulk('online')],
  ]);
}

/** `id ip:port@bus flags primary ping pong epoch link slots`; there is no bus, so its port is 0. */
function nodeLine(node: Member, call: Call): string {
  const { self, members } = call.node;
  const isPrimary = node.role === 'primary';
  const flags = `${node === self ? 'myself,' : ''}${isPrimary ? 'master' : 'slave'}`;
  const primary = isPrimary ? '-' : primaryOf(node, members).id;
  const slots = isPrimary ? ` ${node.slots.join('-')}` : '';
  return `${node.id} 127.0.0.1:${node.port}@0 ${flags} ${primary} 0 0 ${epochOf(node)} connected${slots}`;
}
