/** `rmtop record --snapshot` in front of a real cluster that has data, and its replay against one that has none. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test, { type TestContext } from 'node:test';
import { Cluster } from 'ioredis';
import { TestClient } from '../helpers/client.js';
import { ask, sharedCluster } from '../helpers/cluster.js';
import { runProgram, startProgram } from '../helpers/program.js';
import { folder } from '../helpers/record-files.js';
import { until } from '../helpers/until.js';

const { cluster } = sharedCluster();

function seed(): string {
  return `127.0.0.1:${cluster().nodes[0]?.port ?? 0}`;
}

async function flush(): Promise<void> {
  for (const node of cluster().nodes) await ask(node.port, ['FLUSHALL']).catch(() => {});
}

type Request = readonly string[];

/** Sends commands to the cluster itself. */
async function direct(requests: readonly Request[]): Promise<unknown[]> {
  const redis = new Cluster([{ host: '127.0.0.1', port: cluster().nodes[0]?.port ?? 0 }]);
  try {
    const replies: unknown[] = [];
    for (const [name = '', ...args] of requests) replies.push(await redis.call(name, ...args));
    return replies;
  } finally {
    redis.disconnect();
  }
}

const COUNTERS: readonly string[] = Array.from({ length: 300 }, (_, i) => `counter:${i}`);

/** Keys of every type, with and without a time to live. */
const BEFORE: readonly Request[] = [
  ['SET', 'text', 'was there', 'EX', '1000'],
  ['SET', 'number', '41'],
  ['SET', 'dear', 'x', 'PX', '500000'],
  ['RPUSH', 'list', 'a', 'b', 'c'],
  ['SADD', 'set', 'x', 'y', 'z'],
  ['SADD', 'ints', '1', '2', '3'],
  ['HSET', 'hash', 'f', '1', 'g', 'two'],
  ['EXPIRE', 'hash', '2000'],
  ['ZADD', 'sorted', '1', 'one', '2', 'two'],
  ['XADD', 'stream', '1-1', 'f', 'v'],
  ['XGROUP', 'CREATE', 'stream', 'workers', '0'],
  ['PFADD', 'many', 'a', 'b', 'c'],
  ['SETBIT', 'bits', '17', '1'],
  ['GEOADD', 'places', '13.4', '52.5', 'Berlin'],
  ['SET', 'key with \u00fc and space', '\u0001\u0002'],
  ['SET', '{t}:a', '1'],
  ['RPUSH', '{t}:b', 'first'],
  ['SET', 'large:before', 'v'.repeat(300_000)],
  ['SET', 'large:written', 'small before'],
  ...COUNTERS.map((key, i) => ['SET', key, String(i)]),
];

/** Reads and overwrites all of it. */
async function session(client: TestClient): Promise<void> {
  const ask = (...request: readonly string[]): Promise<unknown> => client.ask(...request);
  await ask('APPEND', 'text', ' and more');
  await ask('TTL', 'text');
  await ask('INCR', 'number');
  await ask('DEL', 'dear', 'not-there');
  await ask('LPUSH', 'list', 'z');
  await ask('RPOP', 'list');
  await ask('LRANGE', 'list', '0', '-1');
  await ask('SADD', 'set', 'x', 'w');
  await ask('SMEMBERS', 'set');
  await ask('SISMEMBER', 'ints', '2');
  await ask('HINCRBY', 'hash', 'f', '5');
  await ask('HGETALL', 'hash');
  await ask('TTL', 'hash');
  await ask('ZINCRBY', 'sorted', '1.5', 'one');
  await ask('ZRANGE', 'sorted', '0', '-1', 'WITHSCORES');
  await ask('XADD', 'stream', '2-1', 'f', 'w');
  await ask('XLEN', 'stream');
  await ask('PFADD', 'many', 'a');
  await ask('PFCOUNT', 'many');
  await ask('GETBIT', 'bits', '17');
  await ask('GEODIST', 'places', 'Berlin', 'Berlin');
  await ask('GETSET', 'key with \u00fc and space', 'now text');
  await ask('SETNX', 'number', '1');
  await ask('MGET', 'number', 'text', 'never-there');
  await ask('MSET', 'number', '5', 'brand-new', '6');
  await ask('EVAL', "return redis.call('INCRBY', KEYS[1], 7)", '1', 'number');
  await client.pipeline(COUNTERS.map((key) => ['INCR', key]));
  await client.pipeline([
    ['MULTI'],
    ['INCR', '{t}:a'],
    ['RPUSH', '{t}:b', 'second'],
    ['EXEC'],
    ['STRLEN', 'large:before'],
  ]);
  await ask('GETRANGE', 'large:before', '0', '3');
  await ask('SET', 'large:written', 'w'.repeat(3_000_000));
}

async function record(
  t: TestContext,
  args: readonly string[],
  run: (client: TestClient) => Promise<void>,
): Promise<{ file: string; said: string }> {
  const file = path.join(folder(t), 'a.rmtop');
  const listen = ['-q', '-o', file, '-l', '127.0.0.1:0', '-u', seed()];
  const rmtop = startProgram(t, ['record', ...listen, ...args]);
  const [, port] = await rmtop.says(/listening on 127\.0\.0\.1:(\d+)/);
  const client = await TestClient.connect(Number(port));
  await run(client);
  client.close();
  rmtop.child.kill('SIGINT');
  assert.equal(await rmtop.ended, 130);
  return { file, said: rmtop.stderr() };
}

const MAX = ['--speed', 'max'];

function replay(t: TestContext, file: string, ...args: readonly string[]) {
  return runProgram(t, ['replay', file, '-u', seed(), ...MAX, ...args]);
}

test('what keys held before the recording is put back: the replay is the same, and so is the next one', async (t) => {
  await flush();
  await direct(BEFORE);
  const { file } = await record(t, ['--snapshot'], session);
  // A large request goes by in pieces, on a connection of its own: what it overwrites was saved before all the same.
  assert.match(noteOf(file, 'large:written') ?? '', /"dump":\{"b64":"[^"]{20,60}"\},"ttl":-1/);
  await flush();
  const first = await replay(t, file);
  assert.match(first.stdout, /^snapshot {2}\d+ keys restored {3}3 that were not there removed$/m);
  assert.equal(first.code, 0, first.stdout + first.stderr);
  const again = await replay(t, file, '--times', '2');
  assert.equal(again.code, 0, again.stdout + again.stderr);
  assert.equal(statusOf(await direct([['GET', 'counter:7']])), '8');
  const fixture = `${file}.fixture.rmtop`;
  const cat = await runProgram(t, ['cat', '--fixture', '--json', file]);
  writeFileSync(fixture, cat.stdout);
  assert.match(noteOf(fixture, 'text') ?? '', /"ttl":\d+000\}/);
  await flush();
  const kept = await replay(t, fixture);
  assert.equal(kept.code, 0, kept.stdout + kept.stderr);
  await flush();
  const without = await replay(t, file, '--no-snapshot');
  assert.equal(without.code, 1, without.stdout);
  assert.doesNotMatch(without.stdout, /^snapshot/m);
});

/** The line of what was saved of a key. */
function noteOf(file: string, key: string): string | undefined {
  const lines = readFileSync(file, 'utf8').split('\n');
  return lines.find((line) => line.includes(`"snap":{"key":"${key}"`));
}

function statusOf(replies: readonly unknown[]): string {
  return String(replies[0]);
}

test('what is not saved is told with its reason, in the file and by the replay', async (t) => {
  await flush();
  const text = (length: number): string => randomBytes(length / 2).toString('hex');
  await direct([
    ['SET', 'huge', text(6_000_000)],
    ['SET', 'too-much', text(3_000_000)],
    ['SET', 'enough', text(1_000_000)],
    ['SET', 'secret:1', 'hidden value'],
  ]);
  const args = ['--snapshot', '--redact', 'keys=secret:*'];
  const { file, said } = await record(t, args, async (client) => {
    for (const key of ['huge', 'too-much', 'enough', 'secret:1']) await client.ask('STRLEN', key);
  });
  assert.match(said, /a snapshot of 1 keys, 3 NOT saved/);
  assert.match(noteOf(file, 'huge') ?? '', /"left":"large","why":"\d+ bytes"/);
  assert.match(noteOf(file, 'too-much') ?? '', /"left":"large","why":"\d+ bytes"/);
  assert.match(noteOf(file, 'enough') ?? '', /"dump"/);
  assert.match(
    noteOf(file, 'secret:1') ?? '',
    /"snap":\{"key":"secret:1","up":"redis","left":"redacted"\}/,
  );
  await flush();
  const { code, stdout } = await replay(t, file);
  assert.match(stdout, /^snapshot {2}1 keys restored/m);
  assert.match(
    stdout,
    /^ +2 not saved, too large: "huge" \(\d+ bytes\), "too-much" \(\d+ bytes\)$/m,
  );
  assert.match(stdout, /^ +1 not saved, redacted: "secret:1"$/m);
  assert.match(stdout, /^#1 STRLEN huge/m);
  assert.equal(code, 1);
  const check = await runProgram(t, ['check', file]);
  assert.match(check.stdout, /a snapshot of 1 key; of 3 others it is not known what they held/);
  assert.equal(check.code, 0, check.stdout);
  const shared = await runProgram(t, ['cat', '--json', '--redact', 'values', file]);
  assert.doesNotMatch(shared.stdout, /"dump"/);
  assert.equal(shared.stdout.split('"left":"redacted"').length, 3);
});

const STRIP = `
apiVersion: redis.aeraki.io/v1alpha1
kind: RedisService
metadata: {name: shop, namespace: shop}
spec:
  host: [redis.shop.svc.cluster.local]
  redis:
  - match: {key: {prefix: "cart:", removePrefix: true}}
    route: {host: redis.shop.svc.cluster.local}
  - route: {host: redis.shop.svc.cluster.local}
---
apiVersion: redis.aeraki.io/v1alpha1
kind: RedisDestination
metadata: {name: redis, namespace: shop}
spec: {host: redis.shop.svc.cluster.local, trafficPolicy: {connectionPool: {redis: {mode: CLUSTER}}}}
`;

test('a key is saved under the name that its server knows, and goes back by the way of the replay', async (t) => {
  await flush();
  await direct([
    ['SET', '42', '7'],
    ['SET', 'cart:42', 'what the mesh never reads'],
  ]);
  const mesh = path.join(folder(t), 'mesh.yaml');
  writeFileSync(mesh, STRIP);
  const { file } = await record(t, ['--snapshot', '--mesh', mesh], async (client) => {
    assert.equal(await client.ask('INCR', 'cart:42'), ':8\r\n');
  });
  await flush();
  const { code, stdout, stderr } = await replay(t, file);
  assert.equal(code, 0, stdout + stderr);
  assert.equal(statusOf(await direct([['GET', '42']])), '8');
});

test('with --open, what may block waits until its key is saved', async (t) => {
  await flush();
  await direct([['RPUSH', 'queue', 'job 1', 'job 2']]);
  const { file } = await record(t, ['--snapshot', '--open'], async (client) => {
    assert.match(await client.ask('BLPOP', 'queue', '5'), /job 1/);
    assert.equal(await client.ask('LLEN', 'queue'), ':1\r\n');
  });
  await flush();
  const { code, stdout, stderr } = await replay(t, file);
  assert.match(stdout, /^snapshot {2}1 keys restored {3}0 that/m);
  assert.equal(code, 0, stdout + stderr);
});

test('a key that is first read from a replica is saved there', async (t) => {
  await flush();
  await direct([['RPUSH', 'list', 'a', 'b']]);
  const nodes = await Promise.all(cluster().nodes.map(({ port }) => TestClient.connect(port)));
  t.after(() => {
    for (const node of nodes) node.close();
  });
  for (const node of nodes) await node.ask('READONLY');
  // Its primary and the replica have it; the others say MOVED.
  const have = async (): Promise<number> => {
    const lengths = await Promise.all(nodes.map((node) => node.ask('LLEN', 'list')));
    return lengths.filter((length) => length === ':2\r\n').length;
  };
  await until(async () => (await have()) === 2, 'replication');
  const { file } = await record(t, ['--snapshot', '--read-policy', 'REPLICA'], async (client) => {
    assert.equal(await client.ask('LLEN', 'list'), ':2\r\n');
    assert.equal(await client.ask('RPUSH', 'list', 'c'), ':3\r\n');
  });
  assert.match(noteOf(file, 'list') ?? '', /"dump"/);
  assert.match(readFileSync(file, 'utf8'), /"LLEN","list"\].*"u":"s\d\.r1"/);
  await flush();
  const { code, stdout, stderr } = await replay(
    t,
    file,
    '--read-policy',
    'MASTER',
    '--routing',
    'off',
  );
  assert.equal(code, 0, stdout + stderr);
});

test('a user who may not is told once what is refused, and clients go on', async (t) => {
  await flush();
  const rules = ['on', '>pw', '~*', '+@all', '-eval'];
  for (const node of cluster().nodes) await ask(node.port, ['ACL', 'SETUSER', 'app', ...rules]);
  const auth = path.join(folder(t), 'auth');
  writeFileSync(auth, 'app:pw');
  const { file } = await record(t, ['--snapshot', '--auth-file', auth], async (client) => {
    for (const key of ['a', 'b', 'c']) assert.equal(await client.ask('INCR', key), ':1\r\n');
  });
  for (const key of ['a', 'b', 'c'])
    assert.match(noteOf(file, key) ?? '', /"left":"refused","why":"NOPERM [^"]*eval/);
  await flush();
  const { code, stdout } = await replay(t, file);
  assert.match(stdout, /^ +3 not saved, refused by the server: "a" \(NOPERM/m);
  assert.equal(code, 0, stdout);
});

test('a value that a server cannot read is listed, and the replay goes on', async (t) => {
  await flush();
  await direct([
    ['SET', 'a', '1'],
    ['SET', 'b', '2'],
  ]);
  const { file } = await record(t, ['--snapshot'], async (client) => {
    await client.ask('INCR', 'a');
    await client.ask('INCR', 'b');
  });
  const lines = readFileSync(file, 'utf8').split('\n');
  const at = lines.findIndex((line) => line.includes('"snap":{"key":"a"'));
  lines[at] = (lines[at] ?? '').replace(/"b64":"([^"]*)"/, (_all, text: string) => {
    const dump = Buffer.from(text, 'base64');
    dump.writeUInt16LE(99, dump.length - 10);
    return `"b64":"${dump.toString('base64')}"`;
  });
  writeFileSync(file, lines.join('\n'));
  await flush();
  const { code, stdout } = await replay(t, file, '--json');
  const report = JSON.parse(stdout) as {
    readonly snapshot: {
      readonly restored: number;
      readonly refused: readonly { key: string; why: string }[];
    };
    readonly differences: readonly { readonly command: string }[];
  };
  assert.equal(report.snapshot.restored, 1);
  assert.deepEqual(report.snapshot.refused, [
    { key: '"a"', why: 'its value is in RDB version 99, which this server is too old for' },
  ]);
  assert.deepEqual(
    report.differences.map(({ command }) => command),
    ['INCR a'],
  );
  assert.equal(code, 1);
});

test('what a snapshot does not go with is said, and part of a recording puts its own keys back only', async (t) => {
  for (const other of [
    ['--redact', 'values'],
    ['--capture', 'keys'],
    ['--filter', 'write'],
    ['--ring', '60s'],
    ['--rotate', '1MiB'],
  ]) {
    const file = path.join(folder(t), 'x.rmtop');
    const args = ['record', '--snapshot', '-o', file, '-u', seed(), '-l', '127.0.0.1:0', ...other];
    const { code, stderr } = await runProgram(t, args);
    assert.equal(code, 64, stderr);
    assert.match(stderr, /--snapshot does not go with --/);
  }
  await flush();
  await direct([
    ['SET', 'a', '1'],
    ['SET', 'b', '2'],
  ]);
  const { file } = await record(t, ['--snapshot'], async (client) => {
    await client.ask('INCR', 'a');
    await client.ask('GET', 'b');
  });
  await flush();
  const { code, stdout } = await replay(t, file, '--filter', 'cmd=GET');
  assert.match(stdout, /^snapshot {2}1 keys restored/m);
  assert.equal(code, 0, stdout);
});
