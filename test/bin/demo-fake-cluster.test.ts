/** The fake cluster as clients of Redis Clusters see it: slots, redirects, replicas, and three clients that know nothing of it. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { type TestContext, test } from 'node:test';
import { promisify } from 'node:util';
import { Cluster } from 'ioredis';
import { createCluster } from 'redis';
import { slotOf } from 'rmtop';
import { type FakeCluster, startFakeCluster } from '../../bin/demo/fake-cluster.js';
import { bulk, TestClient } from '../helpers/client.js';
import { until } from '../helpers/until.js';

async function start(t: TestContext, nowMs?: () => number): Promise<FakeCluster> {
  const fake = await startFakeCluster(3, nowMs);
  t.after(() => fake.close());
  return fake;
}

/** A client of node `i`: 0 to 2 are the primaries, 3 to 5 their replicas. */
async function clientOf(t: TestContext, fake: FakeCluster, i: number): Promise<TestClient> {
  const client = await TestClient.connect(fake.ports[i] ?? 0);
  t.after(() => client.close());
  return client;
}

// foo is in slot 12182, of the third shard; bar in 5061, of the first.
test('a key of another shard is MOVED there, on primaries and replicas', async (t) => {
  const fake = await start(t);
  assert.equal(slotOf(Buffer.from('foo')), 12182);
  const moved = `-MOVED 12182 127.0.0.1:${fake.ports[2]}\r\n`;
  for (const i of [0, 1, 3, 4, 5])
    assert.equal(await (await clientOf(t, fake, i)).ask('GET', 'foo'), moved);
  assert.equal(await (await clientOf(t, fake, 2)).ask('GET', 'foo'), '$-1\r\n');
});

test('a replica answers reads after READONLY, with its primary’s data, and moves writes', async (t) => {
  const fake = await start(t);
  const primary = await clientOf(t, fake, 2);
  const replica = await clientOf(t, fake, 5);
  assert.equal(await primary.ask('SET', 'foo', 'bar'), '+OK\r\n');
  assert.equal(await replica.ask('READONLY'), '+OK\r\n');
  assert.equal(await replica.ask('GET', 'foo'), bulk('bar'));
  assert.match(await replica.ask('SET', 'foo', 'x'), /^-MOVED 12182 /);
  assert.match(await replica.ask('GET', 'bar'), /^-MOVED 5061 /);
  assert.equal(await replica.ask('READWRITE'), '+OK\r\n');
  assert.match(await replica.ask('GET', 'foo'), /^-MOVED 12182 /);
});

test('keys of several slots are refused, those of one hash tag are not', async (t) => {
  const client = await clientOf(t, await start(t), 0);
  assert.equal(
    await client.ask('MGET', 'foo', 'bar'),
    "-CROSSSLOT Keys in request don't hash to the same slot\r\n",
  );
  assert.equal(await client.ask('MSET', '{bar}1', 'a', '{bar}2', 'b'), '+OK\r\n');
});

test('a transaction with a key of another shard is aborted', async (t) => {
  const client = await clientOf(t, await start(t), 0);
  assert.deepEqual(await client.pipeline([['MULTI'], ['SET', 'bar', '1'], ['SET', 'foo', '1']]), [
    '+OK\r\n',
    '+QUEUED\r\n',
    `-MOVED 12182 127.0.0.1:${(await client.ask('GET', 'foo')).split(':')[1]}`,
  ]);
  assert.match(await client.ask('EXEC'), /^-EXECABORT /);
});

test('SELECT 1 and commands that are none of its cluster are refused as by a node', async (t) => {
  const fake = await start(t);
  const client = await clientOf(t, fake, 0);
  assert.equal(await client.ask('SELECT', '1'), '-ERR SELECT is not allowed in cluster mode\r\n');
  assert.equal(await client.ask('CLUSTER', 'KEYSLOT', 'foo'), ':12182\r\n');
  assert.equal(
    await client.ask('CLUSTER', 'KEYSLOT'),
    "-ERR wrong number of arguments for 'cluster|keyslot' command\r\n",
  );
});

test('keys end when their time is over', async (t) => {
  let nowMs = 1_700_000_000_000;
  const client = await clientOf(t, await start(t, () => nowMs), 0);
  assert.equal(await client.ask('SET', 'bar', 'x', 'PX', '1500'), '+OK\r\n');
  nowMs += 1000;
  assert.equal(await client.ask('PTTL', 'bar'), ':500\r\n');
  assert.equal(await client.ask('GET', 'bar'), bulk('x'));
  nowMs += 500;
  assert.equal(await client.ask('GET', 'bar'), '$-1\r\n');
  assert.equal(await client.ask('DBSIZE'), ':0\r\n');
});

test('who waits in BLPOP gets what is pushed, the first one first', async (t) => {
  const fake = await start(t);
  const [first, second, pusher] = await Promise.all([0, 0, 0].map((i) => clientOf(t, fake, i)));
  assert(first && second && pusher);
  const areBlocked = (count: number): Promise<void> =>
    until(async () => (await pusher.ask('INFO', 'clients')).includes(`blocked_clients:${count}`));
  const one = first.ask('BLPOP', 'bar', '0');
  await areBlocked(1);
  const two = second.pipeline([
    ['BLPOP', 'bar', '0'],
    ['GET', 'none{bar}'],
  ]);
  await areBlocked(2);
  assert.equal(await pusher.ask('RPUSH', 'bar', 'a', 'b', 'c'), ':3\r\n');
  assert.equal(await one, `*2\r\n${bulk('bar')}${bulk('a')}`);
  assert.deepEqual(await two, [`*2\r\n${bulk('bar')}${bulk('b')}`, '$-1\r\n']);
  assert.equal(await pusher.ask('LRANGE', 'bar', '0', '-1'), `*1\r\n${bulk('c')}`);
});

test('a message published on one node is heard on another', async (t) => {
  const fake = await start(t);
  const listener = await clientOf(t, fake, 0);
  const speaker = await clientOf(t, fake, 4);
  assert.equal(
    await listener.ask('SUBSCRIBE', 'news'),
    `*3\r\n${bulk('subscribe')}${bulk('news')}:1\r\n`,
  );
  assert.equal(await speaker.ask('PUBLISH', 'news', 'hello'), ':0\r\n');
  assert.equal(await listener.next(), `*3\r\n${bulk('message')}${bulk('news')}${bulk('hello')}`);
});

test('what is no RESP ends that connection, and no other', async (t) => {
  const fake = await start(t);
  const bad = await clientOf(t, fake, 0);
  const good = await clientOf(t, fake, 0);
  bad.write('*1\r\n$x\r\n');
  assert.equal(await bad.next(), '-ERR Protocol error\r\n');
  await bad.closed;
  assert.equal(await good.ask('PING'), '+PONG\r\n');
});

const KEYS = Array.from({ length: 40 }, (_, i) => `key:${i}`);

test('ioredis: a cluster with reads from replicas, transactions and pipelines', async (t) => {
  const fake = await start(t);
  const cluster = new Cluster([{ host: '127.0.0.1', port: fake.ports[4] ?? 0 }], {
    scaleReads: 'slave',
  });
  t.after(() => cluster.disconnect());
  for (const key of KEYS) assert.equal(await cluster.set(key, `of ${key}`, 'EX', 100), 'OK');
  for (const key of KEYS) assert.equal(await cluster.get(key), `of ${key}`);
  assert.equal(cluster.nodes('master').length, 3);
  assert.equal(cluster.nodes('slave').length, 3);
  const replies = await cluster
    .multi()
    .incr('{a}n')
    .zadd('{a}z', 1, 'm')
    .hset('{a}h', 'f', 'v')
    .exec();
  assert.deepEqual(replies, [
    [null, 1],
    [null, 1],
    [null, 1],
  ]);
  assert.deepEqual(await cluster.hgetall('{a}h'), { f: 'v' });
  await assert.rejects(cluster.lpush('{a}n', 'x'), /WRONGTYPE/);
});

for (const RESP of [2, 3] as const) {
  test(`node-redis: a cluster on RESP${RESP}`, async (t) => {
    const fake = await start(t);
    const cluster = createCluster({
      rootNodes: [{ url: `redis://127.0.0.1:${fake.ports[1]}` }],
      RESP,
    });
    cluster.on('error', () => {});
    await cluster.connect();
    t.after(() => cluster.destroy());
    for (const key of KEYS) assert.equal(await cluster.set(key, `of ${key}`), 'OK');
    for (const key of KEYS) assert.equal(await cluster.get(key), `of ${key}`);
    await cluster.zAdd('board', [
      { score: 2, value: 'b' },
      { score: 1.5, value: 'a' },
    ]);
    assert.deepEqual(await cluster.zRangeWithScores('board', 0, -1), [
      { value: 'a', score: 1.5 },
      { value: 'b', score: 2 },
    ]);
    await cluster.hSet('h', { f: 'v', g: 'w' });
    assert.deepEqual({ ...(await cluster.hGetAll('h')) }, { f: 'v', g: 'w' });
    assert.deepEqual([...(await cluster.multi().incr('{x}n').get('{x}n').exec())], [1, '1']);
  });
}

test('redis-cli: follows redirects, and finds nothing wrong with the cluster', async (t) => {
  const fake = await start(t);
  const cli = async (...words: string[]): Promise<string> =>
    (await promisify(execFile)('redis-cli', words)).stdout.trim();
  const port = String(fake.ports[0]);
  assert.equal(await cli('-c', '-p', port, 'SET', 'foo', 'bar'), 'OK');
  assert.equal(await cli('-c', '-p', port, 'GET', 'foo'), 'bar');
  assert.equal(await cli('-3', '-c', '-p', port, 'GET', 'foo'), 'bar');
  assert.match(await cli('--cluster', 'check', `127.0.0.1:${port}`), /All 16384 slots covered/);
});
