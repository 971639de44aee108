/** Sessions recorded in front of a real cluster, served back to the clients that people use: they cannot tell the difference. */
import assert from 'node:assert/strict';
import test, { type TestContext } from 'node:test';
import { Redis, Cluster as RedisCluster } from 'ioredis';
import { createClient, createCluster } from 'redis';
import { sharedCluster } from '../helpers/cluster.js';
import { startProgram } from '../helpers/program.js';
import { recorded } from '../helpers/recorded.js';
import { findRedisPy, runPython } from '../helpers/redis-py.js';

const { cluster } = sharedCluster();

/** Runs a session against one port: of a proxy or a served recording, as a server or as a cluster. */
type Session = (port: number, asCluster: boolean) => Promise<unknown>;

/** The same commands in the words of each client; each key is the client's own, for the cluster is shared. */
async function ioredisSession(port: number, asCluster: boolean): Promise<unknown> {
  const client = asCluster
    ? new RedisCluster([{ host: '127.0.0.1', port }], { scaleReads: 'slave' })
    : new Redis(port, '127.0.0.1');
  try {
    return [
      await client.set('io:a', 'one', 'EX', 100),
      await client.get('io:a'),
      await client.get('io:none'),
      (await client.getBuffer('io:a'))?.toString('hex'),
      await client.set(Buffer.from([255, 0, 13]), Buffer.from([0, 1, 254])),
      (await client.getBuffer(Buffer.from([255, 0, 13])))?.toString('hex'),
      await client.mset('{io}1', 'x', '{io}2', 'y'),
      await client.mget('{io}1', '{io}2', '{io}3'),
      await client.hset('io:h', 'f', '1', 'g', '2'),
      await client.hgetall('io:h'),
      await client.sadd('io:s', 'm'),
      await client.smembers('io:s'),
      await client.zadd('io:z', 1.5, 'p', 2, 'q'),
      await client.zrange('io:z', '0', '-1', 'WITHSCORES'),
      await client.zscore('io:z', 'p'),
      await client.incr('io:n'),
      await client.incr('io:n'),
      await client.xadd('io:x', '1-1', 'k', 'v'),
      await client.xrange('io:x', '-', '+'),
      await client.eval('return {KEYS[1], ARGV[1], 7}', 1, 'io:a', 'z'),
      await client.multi().incr('{io}m').get('{io}m').exec(),
      await client.lpush('io:a', '1').catch(String),
      await client.del('io:n'),
      await client.get('io:n'),
    ];
  } finally {
    client.disconnect();
  }
}

async function nodeRedisSession(port: number, asCluster: boolean): Promise<unknown> {
  const url = `redis://127.0.0.1:${port}`;
  // The mesh's listener speaks RESP2; what was recorded there is also served to clients of RESP3.
  const client = asCluster
    ? createCluster({ rootNodes: [{ url }], useReplicas: true, RESP: 3 })
    : createClient({ url, RESP: 2, socket: { reconnectStrategy: false } });
  client.on('error', () => {});
  await client.connect();
  try {
    const set = await client.set('nr:a', 'one', { expiration: { type: 'EX', value: 100 } });
    return [
      set,
      await client.get('nr:a'),
      await client.get('nr:none'),
      await client.mSet([
        ['{nr}1', 'x'],
        ['{nr}2', 'y'],
      ]),
      await client.mGet(['{nr}1', '{nr}2', '{nr}3']),
      await client.hSet('nr:h', { f: '1', g: '2' }),
      { ...(await client.hGetAll('nr:h')) },
      await client.sAdd('nr:s', 'm'),
      await client.sMembers('nr:s'),
      await client.zAdd('nr:z', [
        { score: 1.5, value: 'p' },
        { score: 2, value: 'q' },
      ]),
      (await client.zRangeWithScores('nr:z', 0, -1)).map((each) => ({ ...each })),
      await client.zScore('nr:z', 'p'),
      await client.incr('nr:n'),
      await client.incr('nr:n'),
      await client.eval('return {KEYS[1], ARGV[1], 7}', { keys: ['nr:a'], arguments: ['z'] }),
      await client.multi().incr('{nr}m').get('{nr}m').exec(),
      await client.lPush('nr:a', '1').catch(String),
      await client.del('nr:n'),
      await client.get('nr:n'),
    ];
  } finally {
    client.destroy();
  }
}

const PYTHON = `
import json, sys
import redis
port, cluster = int(sys.argv[1]), sys.argv[2] == 'cluster'
if cluster:
    r = redis.RedisCluster(host='127.0.0.1', port=port, read_from_replicas=True)
else:
    r = redis.Redis(host='127.0.0.1', port=port)
def plain(v):
    if isinstance(v, bytes): return v.decode('latin1')
    if isinstance(v, dict): return {plain(k): plain(x) for k, x in v.items()}
    if isinstance(v, (list, tuple, set)): return [plain(x) for x in v]
    return v
def attempt(f):
    try: return f()
    except redis.RedisError as e: return type(e).__name__ + ': ' + str(e)
out = [
    r.set('py:a', 'one', ex=100), r.get('py:a'), r.get('py:none'),
    r.set(b'py\\xff\\x00', b'\\x00\\xfe'), r.get(b'py\\xff\\x00'),
    r.mget('{py}1', '{py}2'), r.hset('py:h', mapping={'f': '1', 'g': '2'}), r.hgetall('py:h'),
    r.sadd('py:s', 'm'), r.smembers('py:s'), r.zadd('py:z', {'p': 1.5, 'q': 2}),
    r.zrange('py:z', 0, -1, withscores=True), r.zscore('py:z', 'p'), r.incr('py:n'), r.incr('py:n'),
    r.xadd('py:x', {'k': 'v'}, id='1-1'), r.xrange('py:x'), r.eval('return {KEYS[1], ARGV[1], 7}', 1, 'py:a', 'z'),
    attempt(lambda: r.lpush('py:a', '1')), r.delete('py:n'), r.get('py:n'),
]
if not cluster:
    p = r.pipeline(transaction=True)
    p.incr('{py}m'); p.get('{py}m')
    out.append(p.execute())
print(json.dumps(plain(out)))
`;

/** Records `session` at a proxy, then runs it again on the recording, as a server and as a cluster. */
async function sameFor(t: TestContext, session: Session, transactionAtEnd: boolean): Promise<void> {
  const seed = cluster().nodes[0]?.port ?? 0;
  const { file, result } = await recorded(t, { seeds: [seed] }, (proxy) =>
    session(proxy.port, false),
  );
  assert.ok(Array.isArray(result) && result.length > 15);

  const one = startProgram(t, ['serve', file, '-l', ':0', '--expect-all']);
  const [, port] = await one.says(/ on 127\.0\.0\.1:(\d+)/);
  assert.deepEqual(await session(Number(port), false), result);
  one.child.kill('SIGTERM');
  assert.equal(await one.ended, 143, one.stderr());
  assert.match(one.stderr(), / 0 missed, 0 not asked for/);

  const many = startProgram(t, ['serve', file, '-l', ':0', '--cluster']);
  const [, first] = await many.says(/ as a Redis Cluster of 6 nodes on 127\.0\.0\.1:(\d+)/);
  const again = await session(Number(first), true);
  assert.deepEqual(again, transactionAtEnd ? result.slice(0, -1) : result);
  many.child.kill('SIGTERM');
  assert.equal(await many.ended, 143, many.stderr());
  assert.match(many.stderr(), / 0 missed/);
}

test('ioredis', async (t) => sameFor(t, ioredisSession, false));

test('node-redis', async (t) => sameFor(t, nodeRedisSession, false));

const python = findRedisPy();
test(
  'redis-py',
  { skip: python === null ? 'needs redis-py: apt-get install python3-redis' : false },
  async (t) =>
    sameFor(
      t,
      (port, asCluster) =>
        runPython(python ?? '', PYTHON, [String(port), asCluster ? 'cluster' : 'server']),
      true,
    ),
);
