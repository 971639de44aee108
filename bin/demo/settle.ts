/** When a Redis Cluster is whole: every node has heard of all slots and replicas, and replicas have their primary's data. */
import { ask, until } from './ask.js';
import type { PlannedNode } from './nodes-conf.js';

/** While nodes start on a busy machine nobody is to take another's place. */
export const NO_FAILOVER = 'cluster-replica-no-failover';

/** Waits until every node agrees with the plan and replicas are in step, then lets them fail over. */
export async function settle(plan: readonly PlannedNode[], password: string | null): Promise<void> {
  const askAll = (argv: readonly string[], of: readonly PlannedNode[] = plan): Promise<unknown[]> =>
    Promise.all(of.map((node) => ask(node.port, argv, password)));
  const replicas = plan.filter((node) => node.primary !== null);
  await until(
    async () => (await askAll(['INFO', 'replication'], replicas)).every(isInStep),
    'a replica does not reach its primary',
  );
  // The others count a replica once they know how far it is, which each of its messages says: one now saves waiting for the next.
  await askAll(['PUBLISH', 'rmtop:in-step', ''], replicas);
  await until(async () => {
    const [states, slots] = await Promise.all([
      askAll(['CLUSTER', 'INFO']),
      askAll(['CLUSTER', 'SLOTS']),
    ]);
    return (
      states.every((text) => String(text).includes('cluster_state:ok')) &&
      slots.every((reply) => agrees(reply, plan))
    );
  }, 'the Redis Cluster does not settle');
  await askAll(['CONFIG', 'SET', NO_FAILOVER, 'no']);
}

/** Whether INFO says that a replica has its primary's data, and has been sent something since. */
function isInStep(info: unknown): boolean {
  return /master_link_status:up\r\n.*slave_repl_offset:[1-9]/s.test(String(info));
}

/** Whether a CLUSTER SLOTS reply says what was planned: all slots, each with its primary and all replicas. */
function agrees(reply: unknown, plan: readonly PlannedNode[]): boolean {
  const shards = plan.filter((node) => node.slots !== null);
  if (!Array.isArray(reply) || reply.length !== shards.length) return false;
  return shards.every((shard, i) => {
    const replicas = plan.filter((node) => node.primary === i).map((node) => node.port);
    const found: unknown[] | undefined = reply.find((range) => range[0] === shard.slots?.[0]);
    const ports = found?.slice(2).map((node) => (Array.isArray(node) ? node[1] : null)) ?? [];
    return (
      found?.[1] === shard.slots?.[1] &&
      ports[0] === shard.port &&
      ports.length === 1 + replicas.length &&
      replicas.every((port) => ports.includes(port))
    );
  });
}
