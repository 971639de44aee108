/** 'rmtop/test' as the README shows it: a session in front of a real cluster, kept as a fixture, served back without one. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { Cluster, Redis } from 'ioredis';
import { decide, explain, loadMesh, readRecording } from 'rmtop';
import { readCommands, record, replay, serve, serveOrRecord, startProxy } from 'rmtop/test';
import { sharedCluster, sharedServer } from '../helpers/cluster.js';
import { folder } from '../helpers/record-files.js';
import { until } from '../helpers/until.js';

const { cluster } = sharedCluster();
const { port: single } = sharedServer();

const MESH = `
apiVersion: redis.aeraki.io/v1alpha1
kind: RedisService
metadata: {name: shop, namespace: shop}
spec:
  host: [redis.shop.svc.cluster.local]
  settings: {readPolicy: REPLICA}
  redis:
  - match: {key: {prefix: "cart:"}}
    route: {host: carts.shop.svc.cluster.local}
  - route: {host: redis.shop.svc.cluster.local}
---
apiVersion: redis.aeraki.io/v1alpha1
kind: RedisDestination
metadata: {name: carts, namespace: shop}
spec: {host: carts.shop.svc.cluster.local, trafficPolicy: {connectionPool: {redis: {mode: CLUSTER}}}}
---
apiVersion: redis.aeraki.io/v1alpha1
kind: RedisDestination
metadata: {name: redis, namespace: shop}
spec: {host: redis.shop.svc.cluster.local, trafficPolicy: {connectionPool: {redis: {mode: CLUSTER}}}}
`;

function seed(): string {
  return `127.0.0.1:${cluster().nodes[0]?.port ?? 0}`;
}

/** cart:2 is in slot 13807, which is shard 2's. Its replica must have it before it is read there. */
async function fill(): Promise<void> {
  const [host = '', port = ''] = seed().split(':');
  const client = new Cluster([{ host, port: Number(port) }], { scaleReads: 'slave' });
  await client.set('cart:2', 'apples');
  await until(async () => (await client.get('cart:2')) === 'apples', 'replication');
  client.disconnect();
}

test('record, keep, serve back, and say where commands went', async (t) => {
  await fill();
  const dir = folder(t);
  const mesh = path.join(dir, 'mesh.yaml');
  writeFileSync(mesh, MESH);
  const fixture = path.join(dir, 'cart.rmtop');

  const session = await record(fixture, { upstream: seed(), mesh });
  const recording = new Redis(session.url);
  assert.equal(await recording.get('cart:2'), 'apples');
  assert.equal(await recording.set('cart:2', 'pears'), 'OK');
  const asked = await session.command('GET cart:2');
  assert.deepEqual(
    [asked.prefix, asked.role, asked.shard, asked.slot, asked.node, asked.policy],
    ['cart:', 'replica', 2, 13807, 's2.r1', 'REPLICA'],
    asked.explained.join('\n'),
  );
  recording.disconnect();
  const { commands } = await session.done();
  assert.ok(commands >= 2);
  assert.equal(statSync(fixture).mode & 0o777, 0o600);
  await assert.rejects(record(fixture, { upstream: seed(), mesh }), { code: 'OUTPUT_EXISTS' });

  // From here on there is no Redis: the decisions are those of the recording, and those of a mesh in front of it.
  const known = (await readCommands(fixture)).find(({ text }) => text === 'get cart:2');
  assert.deepEqual(
    [known?.prefix, known?.role, known?.shard, known?.reply],
    ['cart:', 'replica', 2, '"apples"'],
  );

  const fake = await serve(fixture, { cluster: true });
  assert.equal(fake.nodes.length, 6);
  const proxy = await startProxy({ upstream: fake.url, mesh });
  const client = new Redis(proxy.url);
  assert.equal(await client.get('cart:2'), 'apples');
  assert.equal(await client.set('cart:2', 'pears'), 'OK');
  const [read, write] = [await proxy.command('GET cart:2'), await proxy.command(/^set cart/)];
  assert.deepEqual([read.prefix, read.role, read.node], ['cart:', 'replica', 's2.r1']);
  assert.deepEqual(
    [write.role, write.why, write.upstream],
    ['primary', 'write', 'outbound|6379||carts.shop.svc.cluster.local'],
  );
  const other = proxy.decide('GET', 'price:1');
  assert.deepEqual([other.prefix, other.outcome], [null, 'forwarded']);
  assert.equal(proxy.decide('BLPOP', 'q', '0').refusal, 'unknown-command');
  client.disconnect();
  await proxy.close();
  await fake.done({ expectAll: true });
});

test('done says what was missed and what nobody asked for', async (t) => {
  const file = path.join(folder(t), 'a.rmtop');
  const session = await record(file, { upstream: `127.0.0.1:${single()}` });
  const client = new Redis(session.url);
  await client.set('a', '1');
  await client.get('a');
  client.disconnect();
  await session.done();
  const fake = await serve(file);
  const reader = new Redis(fake.url);
  await reader.get('a');
  await assert.rejects(
    reader.get('b'),
    /RMTOPMISS no recorded reply for GET b \(nearest: GET a #\d+/,
  );
  reader.disconnect();
  assert.deepEqual(
    fake.leftovers().map((text) => text.replace(/#\d+ /, '')),
    ['SET a 1'],
  );
  await assert.rejects(
    fake.done({ expectAll: true }),
    (error: { code?: string; message?: string }) => {
      assert.equal(error.code, 'UNMET');
      assert.match(
        error.message ?? '',
        /no recorded reply for GET b.*\n.*nobody asked for #\d+ SET a 1/,
      );
      return true;
    },
  );

  const again = await replay(file, { url: `redis://127.0.0.1:${single()}` });
  assert.deepEqual([again.different, again.differences], [0, []]);
  assert.ok(again.sent >= 2 && again.same >= 2);
  const ruled = await replay(file, {
    url: `redis://127.0.0.1:${single()}`,
    tolerances: [{ if: 'all', ignore: true }],
  });
  assert.deepEqual([ruled.different, ruled.latency], [0, []]);
  await assert.rejects(
    replay(file, { url: `redis://127.0.0.1:${single()}`, tolerances: [{ if: 'all' }] }),
    { code: 'USAGE' },
  );
  await assert.rejects(replay(file, { url: '10.255.255.1:6379' }), { code: 'WRITES_REFUSED' });
});

test('what was there before is saved and put back, where that is wanted', async (t) => {
  const file = path.join(folder(t), 'a.rmtop');
  const upstream = `127.0.0.1:${single()}`;
  const redis = new Redis({ port: single() });
  t.after(() => redis.disconnect());
  await redis.set('saved:count', '41', 'EX', '1000');
  const session = await record(file, { upstream, snapshot: true });
  const client = new Redis(session.url);
  assert.equal(await client.incr('saved:count'), 42);
  assert.equal(await client.get('saved:new'), null);
  client.disconnect();
  await session.done();

  await redis.del('saved:count');
  const without = await replay(file, { url: upstream, snapshot: false });
  assert.deepEqual([without.different, without.snapshot], [1, null]);
  await redis.set('saved:new', 'left over');
  const put = await replay(file, { url: upstream });
  assert.equal(put.different, 0, JSON.stringify(put.differences));
  assert.deepEqual([put.snapshot?.restored, put.snapshot?.removed], [1, 1]);
  assert.ok((await redis.ttl('saved:count')) > 900);
  await assert.rejects(record(`${file}.b.rmtop`, { upstream, snapshot: true, filter: 'write' }), {
    code: 'USAGE',
  });
});

test('what rules take out of a recording is not in it, and it is served and replayed all the same', async (t) => {
  const file = path.join(folder(t), 'redacted.rmtop');
  const redact = [{ if: 'key=user:*', json: '$.email' }];
  await assert.rejects(
    record(file, { upstream: `127.0.0.1:${single()}`, redact: [{ if: 'all' }] }),
    { code: 'USAGE' },
  );
  const session = await record(file, { upstream: `127.0.0.1:${single()}`, redact });
  const client = new Redis(session.url);
  await client.set('user:7', '{"email":"ada@here.org"}');
  assert.equal(await client.get('user:7'), '{"email":"ada@here.org"}');
  client.disconnect();
  await session.done();
  assert.ok(!readFileSync(file, 'utf8').includes('ada@here.org'));
  const fake = await serve(file);
  const served = new Redis(fake.url);
  await served.set('user:7', '{"email":"bob@there.org"}');
  assert.equal(await served.get('user:7'), '{"email":"(redacted)"}');
  served.disconnect();
  await fake.done({ expectAll: true });
  const again = await replay(file, { url: `redis://127.0.0.1:${single()}` });
  assert.deepEqual([again.different, again.differences], [0, []]);
});

test('recorded the first time, served from then on', async (t) => {
  const file = path.join(folder(t), 'once.rmtop');
  const options = { record: { upstream: `127.0.0.1:${single()}` } };
  await assert.rejects(serveOrRecord(file, { ...options, mode: 'none' }), {
    code: 'FILE_UNREADABLE',
  });
  for (const isRecording of [true, false]) {
    const redis = await serveOrRecord(file, options);
    assert.equal(redis.isRecording, isRecording);
    const client = new Redis(redis.url);
    assert.equal(await client.set('once', '1'), 'OK');
    assert.equal(await client.get('once'), '1');
    client.disconnect();
    await redis.done({ expectAll: true });
  }
});

test('new: what is recorded is served, the rest comes from the server and is added; all: recorded anew, if anything came', async (t) => {
  const file = path.join(folder(t), 'modes.rmtop');
  const options = { record: { upstream: `127.0.0.1:${single()}` } };
  const direct = new Redis(single(), '127.0.0.1');
  t.after(() => direct.disconnect());
  const use = async (
    mode: 'once' | 'none' | 'new' | 'all',
    session: (client: Redis) => Promise<unknown>,
  ): Promise<boolean> => {
    const redis = await serveOrRecord(file, { ...options, mode });
    const client = new Redis(redis.url, { lazyConnect: true });
    try {
      await client.connect();
      await session(client);
    } finally {
      client.disconnect();
      await redis.done();
    }
    return redis.isRecording;
  };
  assert.equal(await use('new', (client) => client.set('modes:a', 'old')), true);
  const isAnew = await use('new', async (client) => {
    assert.equal(await client.set('modes:a', 'old'), 'OK');
    assert.equal(await client.set('modes:b', '2'), 'OK');
  });
  assert.deepEqual([isAnew, await direct.get('modes:b')], [false, '2']);
  await direct.del('modes:a', 'modes:b');
  await use('none', async (client) => {
    assert.equal(await client.set('modes:a', 'old'), 'OK');
    assert.equal(await client.set('modes:b', '2'), 'OK');
  });
  assert.equal(await direct.exists('modes:a', 'modes:b'), 0);

  const before = readFileSync(file);
  const nobody = await serveOrRecord(file, { ...options, mode: 'all' });
  await nobody.done();
  assert.deepEqual(readFileSync(file), before);
  assert.equal(await use('all', (client) => client.set('modes:c', '3')), true);
  await assert.rejects(
    use('none', (client) => client.set('modes:a', 'old')),
    /no recorded reply for SET modes:a/i,
  );
  await use('none', (client) => client.set('modes:c', '3'));
  assert.deepEqual(readdirSync(path.dirname(file)), ['modes.rmtop']);
});

test('what is wrong with the options is said', async (t) => {
  const mesh = path.join(folder(t), 'mesh.yaml');
  writeFileSync(mesh, MESH);
  await assert.rejects(startProxy({}), { code: 'USAGE' });
  await assert.rejects(startProxy({ upstream: '127.0.0.1:1' }), { code: 'UPSTREAM_UNREACHABLE' });
  await assert.rejects(startProxy({ mesh: '/nonexistent.yaml' }), { code: 'FILE_UNREADABLE' });
  await assert.rejects(
    startProxy({ mesh, upstream: { nobody: seed() } }),
    /it has: outbound|no upstream 'nobody'/,
  );
  await assert.rejects(serve('/nonexistent.rmtop'), { code: 'FILE_UNREADABLE' });
  const proxy = await startProxy({
    upstream: `127.0.0.1:${single()}`,
    faults: ['error 100% cmd=GET'],
  });
  t.after(() => proxy.close());
  const client = new Redis(proxy.url);
  t.after(() => client.disconnect());
  await assert.rejects(client.get('x'), /Fault Injected/);
  const seen = await proxy.command((each) => each.fault !== null);
  assert.deepEqual([seen.text, seen.error], ['get x', 'Fault Injected: Error']);
  await assert.rejects(proxy.command('SET nothing', 20), /no command fits SET nothing[\s\S]*/);
});

test("the main entry: what 'rmtop' gives", async (t) => {
  for (const each of [decide, explain, loadMesh, readRecording])
    assert.equal(typeof each, 'function');
  const file = path.join(folder(t), 'x.rmtop');
  writeFileSync(file, 'hello');
  await assert.rejects(
    async () => {
      for await (const _event of readRecording(file));
    },
    { code: 'NO_RECORDING' },
  );
});
