/** The scenes that `recordings/` holds: what the mesh is, what clients do in front of real servers, and what a replay of it needs. */

import { slotsOfShard } from '../../bin/demo/nodes-conf.js';
import type { ReplayFlags } from '../../bin/replay/flags.js';
import {
  type FaultAction,
  type MeshConfig,
  type MirrorPolicy,
  plainRoute,
  READ_POLICIES,
  type ReadPolicy,
  upstreamOf,
} from '../../src/mesh/config.js';
import { slotOf } from '../../src/mesh/place.js';
import { encodeRequest } from '../../src/resp/encode.js';
import type { TestClient } from '../helpers/client.js';
import { ask } from '../helpers/cluster.js';
import { until } from '../helpers/until.js';

/** The servers of a scene. */
export type Stage = {
  /** Of a Redis Cluster: three primaries in slot order, then the replica of each. */
  readonly ports: readonly number[];
  /** Of a server that is in no cluster. */
  readonly aside: number;
  kill(port: number): Promise<void>;
};

/** The proxy of a scene that is being recorded. */
export type Playing = {
  readonly stage: Stage;
  connect(): Promise<TestClient>;
  /** Waits until the mesh knows another topology than before `change`. */
  learns(change: () => Promise<void>): Promise<void>;
};

/** One recording. */
export type Scene = {
  readonly name: string;
  readonly mesh: (base: MeshConfig, stage: Stage) => MeshConfig;
  /** What the servers hold before it. */
  readonly setUp?: (stage: Stage) => Promise<void>;
  readonly act: (playing: Playing) => Promise<void>;
  /** The flags that a replay against fresh servers ends with 0 by; null: its servers failed, which fresh ones do not. */
  readonly replay: Partial<ReplayFlags> | null;
};

/** Asks commands one after another, words by spaces. */
async function each(client: TestClient, commands: readonly string[]): Promise<void> {
  for (const command of commands) await client.ask(...command.split(' '));
}

/** Three clients of a shop: pipelines, keys of many slots, a transaction, mistakes, and bytes that are no text. */
const session: Scene = {
  name: 'session',
  mesh: (base) => ({
    ...base,
    routes: [plainRoute('cart:', 'redis'), plainRoute('user:', 'redis'), ...base.routes],
  }),
  async act({ connect }) {
    const [shop, worker, board] = [await connect(), await connect(), await connect()];
    await shop.ask('CLIENT', 'SETNAME', 'shop');
    await worker.ask('CLIENT', 'SETNAME', 'worker');
    await shop.ask('AUTH', 'not-needed');
    for (let i = 0; i < 12; i++) {
      await Promise.all([
        shop.pipeline([
          ['SET', `user:${i}`, JSON.stringify({ id: i, lang: 'en' }), 'EX', '1800'],
          ['HSET', `cart:{${i}}:items`, `sku:${i % 5}`, String(i)],
          ['INCRBYFLOAT', `cart:{${i}}:total`, `${i}.5`],
        ]),
        worker.ask('INCR', `rate:10.0.0.${i % 4}`),
        board.ask('ZADD', 'board', String(i * 7), `user:${i}`),
      ]);
      await Promise.all([
        shop.pipeline([
          ['GET', `user:${i}`],
          ['HGETALL', `cart:{${i}}:items`],
          ['TTL', `user:${i}`],
        ]),
        board.ask('ZREVRANGE', 'board', '0', '2', 'WITHSCORES'),
      ]);
    }
    await shop.ask('MGET', 'user:1', 'user:2', 'user:none');
    await shop.ask('MSET', 'price:1', '9.90', 'price:2', '19.90', 'price:3', '29.90');
    await shop.ask('DEL', 'user:1', 'user:2', 'user:none');
    await shop.ask('SET', 'bytes', Buffer.from([0, 255, 13, 10, 128]));
    await shop.ask('GET', 'bytes');
    await worker.pipeline([
      ['MULTI'],
      ['SADD', 'seen:{1}', 'a', 'b', 'c'],
      ['SMEMBERS', 'seen:{1}'],
      ['EXEC'],
    ]);
    await each(worker, [
      'LPUSH user:3 oops',
      'BLPOP jobs 1',
      'GET',
      'EVAL return{KEYS[1],ARGV[1]} 1 k v',
    ]);
  },
  replay: {},
};

/** A primary dies: what was on its way to it fails, its replica takes over, and things go on. */
const failover: Scene = {
  name: 'failover',
  mesh: (base) => refreshing(base, 200),
  async act({ connect, learns, stage }) {
    const client = await connect();
    const [dead = 0, , , heir = 0] = stage.ports;
    const key = keyOfShard(0);
    await each(client, [`SET ${key} before`, `GET ${key}`]);
    await ask(dead, ['WAIT', '1', '5000']);
    await stage.kill(dead);
    await each(client, [`GET ${key}`, `SET ${key} during`, 'SET other 1']);
    await learns(async () => {
      await ask(heir, ['CLUSTER', 'FAILOVER', 'TAKEOVER']);
    });
    await until(async () => (await client.ask('GET', key)).startsWith('$6'));
    await each(client, [`SET ${key} after`, `GET ${key}`, 'GET other']);
  },
  replay: null,
};

/** A slot moves while it is used: ASK while its keys are on both sides, MOVED once it has gone. */
const resharding: Scene = {
  name: 'resharding',
  mesh: (base) => ({ ...base, settings: { ...base.settings, enableRedirection: true } }),
  async act({ connect, stage }) {
    const client = await connect();
    const [from = 0, to = 0] = stage.ports;
    const slot = String(slotOf(Buffer.from(keyOfShard(0))));
    const tag = keyOfShard(0);
    const [fromId, toId] = [
      await ask(from, ['CLUSTER', 'MYID']),
      await ask(to, ['CLUSTER', 'MYID']),
    ];
    await each(client, [`SET {${tag}}:old 1`, `GET {${tag}}:old`]);
    await ask(to, ['CLUSTER', 'SETSLOT', slot, 'IMPORTING', String(fromId)]);
    await ask(from, ['CLUSTER', 'SETSLOT', slot, 'MIGRATING', String(toId)]);
    await each(client, [
      `GET {${tag}}:old`,
      `GET {${tag}}:new`,
      `SET {${tag}}:new 2`,
      `GET {${tag}}:new`,
    ]);
    await ask(from, ['MIGRATE', '127.0.0.1', String(to), `{${tag}}:old`, '0', '5000']);
    await each(client, [`GET {${tag}}:old`]);
    for (const port of [to, from])
      await ask(port, ['CLUSTER', 'SETSLOT', slot, 'NODE', String(toId)]);
    await each(client, [`GET {${tag}}:old`, `GET {${tag}}:new`, `INCR {${tag}}:new`]);
    await client.pipeline([
      ['GET', `{${tag}}:new`],
      ['GET', 'elsewhere'],
    ]);
  },
  replay: { routing: 'off' }, // fresh servers have not learnt what these have by then
};

/** Reads of data that the replicas have, and a few writes. */
function policyScene(readPolicy: ReadPolicy): Scene {
  return {
    name: `policy-${readPolicy.toLowerCase().replace('_', '-')}`,
    mesh: (base) => ({ ...base, settings: { ...base.settings, readPolicy } }),
    setUp: fill,
    async act({ connect }) {
      const client = await connect();
      for (let i = 0; i < 8; i++) await each(client, [`GET k${i}`, `SET w${i} ${i}`]);
      await client.ask('MGET', 'k0', 'k1', 'k2');
      await client.pipeline(Array.from({ length: 8 }, (_, i) => ['EXISTS', `k${i}`]));
      await each(client, ['TYPE k1', 'STRLEN k2', 'SMEMBERS none']);
    },
    replay: {},
  };
}

/** `k0` to `k7` on every primary and in every replica. */
async function fill({ ports }: Stage): Promise<void> {
  const primaries = ports.slice(0, 3);
  for (let i = 0; i < 8; i++) {
    const port = primaries[shardOf(`k${i}`)] ?? 0;
    await ask(port, ['SET', `k${i}`, `value ${i}`]);
  }
  for (const port of primaries)
    await until(async () => (await ask(port, ['WAIT', '1', '1000'])) === 1);
}

/** A mirror that has other data, and one value that is the same. */
const mirror: Scene = {
  name: 'mirror-diverges',
  mesh: (base, { aside }) => {
    const policy: MirrorPolicy = {
      upstream: 'copy',
      fraction: { numerator: 100, of: 100 },
      excludeReads: false,
    };
    return {
      ...base,
      routes: [{ ...plainRoute(null, 'redis'), mirrors: [policy] }],
      upstreams: { ...base.upstreams, copy: upstreamOf([`127.0.0.1:${aside}`]) },
    };
  },
  async setUp({ aside }) {
    await ask(aside, ['FLUSHALL']);
    await ask(aside, ['SET', 'count', '41']);
    await ask(aside, ['SADD', 'only-there', 'x']);
  },
  async act({ connect }) {
    const client = await connect();
    await each(client, [
      'SET same 1',
      'GET same',
      'INCR count',
      'INCR count',
      'SMEMBERS only-there',
      'HSET h f v',
      'HGETALL h',
      'LPUSH same oops',
    ]);
  },
  replay: {},
};

/** Each kind of fault, on every GET of `hit`. */
const FAULTS: Readonly<Record<FaultAction['kind'], FaultAction>> = {
  delay: { kind: 'delay', ms: 20, jitterMs: 5, at: 'request' },
  error: {
    kind: 'error',
    text: 'LOADING Redis is loading the dataset in memory',
    delayMs: 0,
    at: 'request',
  },
  close: { kind: 'close', reset: false, afterBytes: null },
  hang: { kind: 'hang', ms: 30 },
  drip: { kind: 'drip', bytes: 5, pauseMs: 2 },
  moved: { kind: 'moved', to: null },
  ask: { kind: 'ask', to: null },
  down: { kind: 'down' },
};

function faultScene(kind: FaultAction['kind']): Scene {
  return {
    name: `fault-${kind}`,
    mesh: (base) => ({
      ...base,
      rules: [
        {
          id: 't1',
          on: true,
          percent: 50,
          scope: 'cmd=GET',
          action: FAULTS[kind],
          seed: 1,
          max: null,
        },
      ],
    }),
    async act({ connect }) {
      let client = await connect();
      const other = await connect();
      await client.ask('SET', 'hit', 'a value of some length');
      for (let i = 0; i < 10; i++) {
        if ((await client.ask('GET', 'hit')) === '(closed)') client = await connect();
        await other.ask('INCR', 'count');
      }
    },
    replay: { faults: 'recorded' },
  };
}

/** The types that RESP3 has and RESP2 has not, for a client that asked for them. */
const resp3: Scene = {
  name: 'resp3',
  mesh: (base) => ({ ...base, settings: { ...base.settings, protocolVersion: 3 } }),
  async act({ connect }) {
    const [client, old] = [await connect(), await connect()];
    await client.ask('HELLO', '3');
    await each(client, [
      'HSET h a 1 b 2',
      'HGETALL h',
      'SADD s x',
      'SMEMBERS s',
      'ZADD z 1.5 m',
      'ZSCORE z m',
      'ZRANGE z 0 -1 WITHSCORES',
      'GET none',
      'EVAL return{double=3.25} 1 k',
      'EVAL return{map={a=1}} 1 k',
    ]);
    await client.ask('EVAL', 'redis.setresp(3) return redis.call("HGETALL", KEYS[1])', '1', 'h');
    await each(old, ['HGETALL h', 'ZSCORE z m']);
  },
  replay: {},
};

/** With `--open`: a subscriber that hears what another client publishes, and a worker that waits for a job. */
const pubsub: Scene = {
  name: 'pubsub-open',
  mesh: (base) => ({ ...base, settings: { ...base.settings, open: true } }),
  async act({ connect }) {
    const [listener, speaker, worker] = [await connect(), await connect(), await connect()];
    await listener.ask('SUBSCRIBE', 'news');
    await speaker.ask('PUBLISH', 'news', 'hello');
    await listener.next();
    await speaker.ask('PUBLISH', 'news', 'bytes \u0000 é');
    await listener.next();
    await listener.ask('UNSUBSCRIBE', 'news');
    worker.write(encodeRequest(['BLPOP', 'jobs', '5']));
    await speaker.ask('RPUSH', 'jobs', 'mail');
    await worker.next();
    await each(worker, ['GET jobs', 'XADD log 1-1 k v', 'XREAD COUNT 1 STREAMS log 0']);
  },
  replay: {},
};

/** All of them. */
export const SCENES: readonly Scene[] = [
  session,
  failover,
  resharding,
  ...READ_POLICIES.map(policyScene),
  mirror,
  ...(Object.keys(FAULTS) as FaultAction['kind'][]).map(faultScene),
  resp3,
  pubsub,
];

function refreshing(base: MeshConfig, rateMs: number): MeshConfig {
  const upstreams = Object.entries(base.upstreams).map(([name, upstream]) => [
    name,
    { ...upstream, refresh: { ...upstream.refresh, rateMs } },
  ]);
  return { ...base, upstreams: Object.fromEntries(upstreams) };
}

/** Which of three equal shards a key is of. */
function shardOf(key: string): number {
  const slot = slotOf(Buffer.from(key));
  return [0, 1, 2].find((shard) => slot <= slotsOfShard(shard, 3)[1]) ?? 0;
}

function keyOfShard(shard: number): string {
  for (let i = 0; ; i++) if (shardOf(`k${i}`) === shard) return `k${i}`;
}
