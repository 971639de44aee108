/** Real client libraries through the proxy: what the mesh allows works with each of them. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import test from 'node:test';
import { promisify } from 'node:util';
import { Redis } from 'ioredis';
import { createClient } from 'redis';
import { sharedCluster } from '../helpers/cluster.js';
import { startProxy } from '../helpers/proxy.js';

const run = promisify(execFile);
const { cluster } = sharedCluster();
const seeds = (): number[] => [cluster().nodes[0]?.port ?? 0];

test('ioredis: commands, pipelines, transactions, scripts and its errors', async (t) => {
  const proxy = await startProxy(t, { seeds: seeds() });
  const redis = new Redis({ port: proxy.port, host: '127.0.0.1', enableReadyCheck: true });
  t.after(() => redis.disconnect());
  assert.equal(await redis.set('io:a', 'x', 'EX', 60), 'OK');
  assert.equal(await redis.get('io:a'), 'x');
  assert.deepEqual(await redis.mget('io:a', 'io:none'), ['x', null]);
  const piped = await redis.pipeline().incr('io:n').hset('io:h', { f: 'v' }).hgetall('io:h').exec();
  assert.deepEqual(
    piped?.map(([error, value]) => error ?? value),
    [1, 1, { f: 'v' }],
  );
  assert.deepEqual(await redis.multi().set('{io}1', '1').incr('{io}1').exec(), [
    [null, 'OK'],
    [null, 2],
  ]);
  assert.equal(await redis.eval('return ARGV[1]', 1, 'k', 'arg'), 'arg');
  await assert.rejects(redis.blpop('io:q', 1), /unknown command/i);
  const buffer = Buffer.from([0, 255, 10, 13]);
  await redis.set('io:bin', buffer);
  assert.deepEqual(await redis.getBuffer('io:bin'), buffer);
});

test('node-redis without RESP: 2 says HELLO 3, and cannot connect through a RESP2 listener', async (t) => {
  const proxy = await startProxy(t, { seeds: seeds() });
  const socket = { port: proxy.port, host: '127.0.0.1', reconnectStrategy: false } as const;
  const client = createClient({ socket });
  client.on('error', () => {});
  await assert.rejects(client.connect(), /NOPROTO/);
});

test('node-redis: RESP2 against the mesh, RESP3 with --open', async (t) => {
  const proxy = await startProxy(t, { seeds: seeds() });
  const client = createClient({ url: `redis://127.0.0.1:${proxy.port}`, RESP: 2 });
  await client.connect();
  t.after(() => client.destroy());
  assert.equal(await client.set('nr:a', 'x'), 'OK');
  assert.equal(await client.get('nr:a'), 'x');
  await client.hSet('nr:h', { a: '1', b: '2' });
  assert.deepEqual({ ...(await client.hGetAll('nr:h')) }, { a: '1', b: '2' });
  assert.deepEqual(await client.mGet(['nr:a', 'nr:none']), ['x', null]);
  assert.deepEqual(await client.multi().set('{nr}1', '1').incr('{nr}1').exec(), ['OK', 2]);
  const open = await startProxy(t, { seeds: seeds(), settings: { open: true } });
  const three = createClient({ url: `redis://127.0.0.1:${open.port}`, RESP: 3 });
  await three.connect();
  t.after(() => three.destroy());
  await three.hSet('nr:h', { a: '1' });
  assert.deepEqual({ ...(await three.hGetAll('nr:h')) }, { a: '1', b: '2' });
  const subscriber = three.duplicate();
  await subscriber.connect();
  t.after(() => subscriber.destroy());
  const heard = new Promise<string>((resolve) => {
    void subscriber.subscribe('nr:news', resolve).then(() => three.publish('nr:news', 'hello'));
  });
  assert.equal(await heard, 'hello');
});

const PYTHON = `
import sys, redis
r = redis.Redis(port=int(sys.argv[1]), decode_responses=True)
assert r.set('py:a', 'x', ex=60) is True
assert r.get('py:a') == 'x'
assert r.mget('py:a', 'py:none') == ['x', None]
assert r.hset('py:h', mapping={'f': 'v'}) == 1
assert r.hgetall('py:h') == {'f': 'v'}
p = r.pipeline(transaction=False); p.incr('py:n'); p.get('py:a')
assert p.execute() == [1, 'x']
p = r.pipeline(transaction=True); p.set('{py}1', 1); p.incr('{py}1')
assert p.execute() == [True, 2], 'transaction'
assert r.delete('py:a', 'py:h') == 2
assert r.execute_command('INFO')
try:
    r.blpop('py:q', 1); sys.exit('blpop was not refused')
except redis.ResponseError as e:
    assert 'unknown command' in str(e)
print('good')
`;

test('redis-py', async (t) => {
  const proxy = await startProxy(t, { seeds: seeds() });
  const { stdout } = await run('/usr/bin/python3', ['-c', PYTHON, String(proxy.port)]);
  assert.equal(stdout, 'good\n');
});

test('redis-cli: one command, a pipe of inline and RESP commands, and its own greeting', async (t) => {
  const proxy = await startProxy(t, { seeds: seeds() });
  const cli = async (...args: string[]): Promise<string> =>
    (await run('redis-cli', ['-p', String(proxy.port), ...args])).stdout;
  assert.equal(await cli('SET', 'cli', 'with space'), 'OK\n');
  assert.equal(await cli('GET', 'cli'), 'with space\n');
  assert.match(await cli('BLPOP', 'x', '1'), /unknown command 'BLPOP'/);
  assert.match(await cli('INFO', 'server'), /redis_mode:cluster/);
  // redis-cli ends what it pipes with an empty line and an ECHO; Redis ignores the line, Envoy calls it an invalid request.
  const child = run('redis-cli', ['-p', String(proxy.port), '--pipe']);
  child.child.stdin?.end(Array.from({ length: 1000 }, (_, i) => `SET cli:${i} ${i}\r\n`).join(''));
  const piped = await child.catch((error: { stdout: string; stderr: string }) => error);
  assert.match(piped.stdout, /errors: 1, replies: 1001/);
  assert.match(piped.stderr, /invalid request/);
  assert.equal(await cli('GET', 'cli:999'), '999\n');
});
