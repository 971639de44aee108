/**
 * A Redis Cluster for machines without Redis: real sockets, real slots, redirects and replicas, and the common commands.
 *
 * It is there to be looked at through rmtop, not to keep data: replicas share their primary's memory, nobody fails over, and numbers
 * end at 2^53. Replies and error texts are those of Redis 7; a test holds them against a real server.
 */
import { randomBytes } from 'node:crypto';
import { Channels } from './fake/channels.js';
import type { Member } from './fake/members.js';
import { FakeNode, listen } from './fake/node.js';
import { Store } from './fake/store.js';
import { slotsOfShard } from './nodes-conf.js';

/** A running fake: the cluster's nodes, primaries in slot order before their replicas, and one server that is no cluster. */
export type FakeCluster = {
  readonly ports: readonly number[];
  readonly mirrorPort: number;
  close(): Promise<void>;
};

/** How often keys are forgotten whose time is over. */
const SWEEP_MS = 1000;

/** Starts `shards` primaries with one replica each, and a mirror server, on free ports of 127.0.0.1. */
export async function startFakeCluster(
  shards = 3,
  nowMs: () => number = Date.now,
): Promise<FakeCluster> {
  const servers = await Promise.all(Array.from({ length: 2 * shards + 1 }, listen));
  const ports = servers.map((server) => {
    const address = server.address();
    return address !== null && typeof address === 'object' ? address.port : 0;
  });
  const stores = Array.from({ length: shards + 1 }, () => new Store(nowMs));
  const members = ports.map((port, i): Member => {
    const isMirror = i === 2 * shards;
    return {
      id: randomBytes(20).toString('hex'),
      port,
      role: i < shards || isMirror ? 'primary' : 'replica',
      shard: isMirror ? null : i % shards,
      slots: slotsOfShard(i % shards, shards),
    };
  });
  const inCluster = members.slice(0, -1);
  const channels = inCluster.map(() => new Channels());
  const nodes = members.flatMap((self, i) => {
    const server = servers[i];
    const store = stores[self.shard ?? shards];
    if (server === undefined || store === undefined) return [];
    return self.shard === null
      ? [new FakeNode(server, store, self, [self], [new Channels()], nowMs)]
      : [new FakeNode(server, store, self, inCluster, channels, nowMs)];
  });
  const sweeper = setInterval(() => {
    for (const store of stores) store.sweep();
  }, SWEEP_MS);
  sweeper.unref();
  return {
    ports: ports.slice(0, -1),
    mirrorPort: ports[2 * shards] ?? 0,
    async close() {
      clearInterval(sweeper);
      await Promise.all(nodes.map((node) => node.close()));
    },
  };
}
