/** Real servers for a test file: started before its first test, gone after its last. */
import { after, before } from 'node:test';
import {
  ask,
  findServerProgram,
  type RedisCluster,
  type RedisServer,
  Servers,
  startCluster,
} from '../../bin/demo/servers.js';

function servers(): Servers {
  const program = findServerProgram();
  if (program === null)
    throw new TypeError('these tests need a real redis-server: npm test looks for one');
  return new Servers(program);
}

/** A cluster of three primaries with a replica each, shared by the tests of a file. */
export function sharedCluster(options: readonly string[] = []): {
  readonly cluster: () => RedisCluster;
} {
  let cluster: RedisCluster | null = null;
  before(async () => {
    cluster = await startCluster(servers(), 3, options);
  });
  after(async () => cluster?.servers.stop());
  return {
    cluster: () => {
      if (cluster === null) throw new TypeError('the cluster is used before it is there');
      return cluster;
    },
  };
}

/** One server that is no cluster, shared by the tests of a file. */
export function sharedServer(options: readonly string[] = []): {
  readonly port: () => number;
  readonly server: () => RedisServer;
} {
  let all: Servers | null = null;
  let server: RedisServer | null = null;
  before(async () => {
    all = servers();
    server = await all.start(options);
  });
  after(async () => all?.stop());
  const running = (): RedisServer => {
    if (server === null) throw new TypeError('the server is used before it is there');
    return server;
  };
  return { port: () => running().port, server: running };
}

export { ask, servers };
