/** `rmtop serve`, as its user starts it. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import path from 'node:path';
import test, { type TestContext } from 'node:test';
import { bulk, TestClient } from '../helpers/client.js';
import { sharedServer } from '../helpers/cluster.js';
import { cmd, handMade } from '../helpers/hand-made.js';
import { type Program, runProgram, startProgram } from '../helpers/program.js';
import { folder } from '../helpers/record-files.js';
import { until } from '../helpers/until.js';

const { port: redis } = sharedServer();

const TOPOLOGY = {
  k: 'topo',
  t: 0,
  ep: 1,
  src: 'CLUSTER SLOTS',
  nodes: [
    { id: 's0.p', addr: '10.0.0.1:6379', slots: [[0, 8191]] },
    { id: 's0.r1', addr: '10.0.0.2:6379', of: 's0.p' },
    { id: 's1.p', addr: '10.0.0.3:6379', slots: [[8192, 16383]] },
  ],
};

type Served = { readonly rmtop: Program; client(): Promise<TestClient>; readonly port: number };

async function serving(t: TestContext, file: string, ...args: string[]): Promise<Served> {
  const rmtop = startProgram(t, ['serve', file, '-l', '127.0.0.1:0', ...args]);
  const [, port] = await rmtop.says(/serving .* on 127\.0\.0\.1:(\d+)/);
  return {
    rmtop,
    port: Number(port),
    async client() {
      const client = await TestClient.connect(Number(port));
      t.after(() => client.close());
      return client;
    },
  };
}

test('a miss is an error that names the nearest; it is told at the end; a signal ends it', async (t) => {
  const file = handMade(t, [cmd(1, ['GET', 'user:42'], 'ada')]);
  const { rmtop, client } = await serving(t, file);
  const c = await client();
  assert.equal(await c.ask('GET', 'user:42'), bulk('ada'));
  assert.equal(await c.ask('PING'), '+PONG\r\n');
  assert.match(
    await c.ask('GET', 'user:43'),
    /^-RMTOPMISS no recorded reply for GET user:43 \(nearest: GET user:42 #1, differs in argument 1\) run: rmtop serve .*made\.rmtop --on-miss forward=HOST:PORT\r\n$/,
  );
  assert.match(await c.ask('NOSUCHCOMMAND'), /^-RMTOPMISS .*no NOSUCHCOMMAND was recorded/);
  rmtop.child.kill('SIGTERM');
  assert.equal(await rmtop.ended, 143);
  assert.match(rmtop.stderr(), /4 commands, 1 recorded replies served, 2 missed, 0 not asked for/);
  assert.match(rmtop.stderr(), /no recorded reply:\n {2}no recorded reply for GET user:43/);
  assert.equal(await c.next(), '(closed)');
});

test('--expect-all: 1 with a list of what was left, 0 when all was asked for', async (t) => {
  const file = handMade(t, [cmd(1, ['GET', 'a'], '1'), cmd(2, ['SET', 'b', '2'], { '+': 'OK' })]);
  const half = await serving(t, file, '--expect-all', '--idle-exit', '50ms');
  await (await half.client()).ask('GET', 'a');
  assert.equal(await half.rmtop.ended, 1);
  assert.match(half.rmtop.stderr(), /nobody asked for:\n {2}#2 SET b 2\n/);
  const all = await serving(t, file, '--expect-all', '--idle-exit', '50ms');
  await (await all.client()).pipeline([
    ['GET', 'a'],
    ['SET', 'b', '2'],
  ]);
  assert.equal(await all.rmtop.ended, 0);
});

test('a cluster: a port a node, MOVED, READONLY, CROSSSLOT', async (t) => {
  // foo is in slot 12182, bar in 5061.
  const file = handMade(t, [TOPOLOGY, cmd(1, ['GET', 'foo'], 'f'), cmd(2, ['GET', 'bar'], 'b')]);
  const { rmtop, client, port: first } = await serving(t, file, '--cluster');
  const ports = await until(() =>
    /s1\.p +127\.0\.0\.1:\d+ +was 10\.0\.0\.3:6379/.test(rmtop.stderr()),
  ).then(() =>
    [...rmtop.stderr().matchAll(/^ {2}s\S+ +127\.0\.0\.1:(\d+)/gm)].map(([, p]) => Number(p)),
  );
  assert.equal(ports.length, 3);
  assert.equal(ports[0], first);
  const [primary = 0, replica = 0, other = 0] = ports;
  const c = await client();
  assert.equal(await c.ask('GET', 'foo'), `-MOVED 12182 127.0.0.1:${other}\r\n`);
  assert.equal(await c.ask('GET', 'bar'), bulk('b'));
  assert.match(await c.ask('MGET', 'foo', 'bar'), /^-CROSSSLOT/);
  const [, firstRange = ''] =
    /^\*2\r\n(\*4[\s\S]*?)\*3/.exec(await c.ask('CLUSTER', 'SLOTS')) ?? [];
  assert.match(
    firstRange,
    new RegExp(
      `^\\*4\\r\\n:0\\r\\n:8191\\r\\n\\*4\\r\\n\\$9\\r\\n127.0.0.1\\r\\n:${primary}\\r\\n`,
    ),
  );
  const r = await TestClient.connect(replica);
  t.after(() => r.close());
  assert.equal(await r.ask('GET', 'bar'), `-MOVED 5061 127.0.0.1:${primary}\r\n`);
  await r.ask('READONLY');
  assert.equal(await r.ask('GET', 'bar'), bulk('b'));
  assert.match(await r.ask('INFO'), /role:slave/);
  const plain = await runProgram(t, [
    'serve',
    handMade(t, [cmd(1, ['GET', 'a'], '1')]),
    '--cluster',
  ]);
  assert.equal(plain.code, 64);
  assert.match(plain.stderr, /error\[USAGE\]: the recording has no Redis Cluster/);
  const both = await runProgram(t, ['serve', file, '--cluster', '--match', 'strict']);
  assert.equal(both.code, 64);
});

test('transactions: queued, executed as one, discarded, refused', async (t) => {
  const file = handMade(t, [
    cmd(1, ['MULTI'], { '+': 'OK' }),
    cmd(2, ['INCR', 'n'], { '+': 'QUEUED' }, { x: 'T' }),
    cmd(3, ['EXEC'], [7], { x: 'T' }),
  ]);
  const { client } = await serving(t, file);
  const c = await client();
  const asked = [['WATCH', 'n'], ['MULTI'], ['INCR', 'n'], ['EXEC']];
  assert.deepEqual(await c.pipeline(asked), ['+OK\r\n', '+OK\r\n', '+QUEUED\r\n', '*1\r\n:7\r\n']);
  assert.deepEqual(await c.pipeline([['MULTI'], ['GET', 'x'], ['DISCARD']]), [
    '+OK\r\n',
    '+QUEUED\r\n',
    '+OK\r\n',
  ]);
  await c.pipeline([['MULTI'], ['GET', 'x']]);
  assert.match(await c.ask('EXEC'), /^-RMTOPMISS no recorded reply for MULTI \[GET x\] EXEC/);
});

test('what becomes of a miss: nil, close, hang, or a real server', async (t) => {
  const file = handMade(t, [cmd(1, ['GET', 'known'], 'recorded')]);
  const nil = await (await serving(t, file, '--on-miss', 'nil')).client();
  assert.equal(await nil.ask('GET', 'x'), '$-1\r\n');
  const close = await (await serving(t, file, '--on-miss', 'close')).client();
  assert.equal(await close.ask('GET', 'x'), '(closed)');
  const hang = await serving(t, file, '--on-miss', 'hang');
  const hanging = await hang.client();
  const never = hanging.pipeline([['GET', 'x'], ['PING']]);
  hang.rmtop.child.kill('SIGINT');
  assert.deepEqual(await never, ['(closed)', '(closed)']);
  assert.equal(await hang.rmtop.ended, 130);

  const forward = await serving(t, file, '--on-miss', `forward=127.0.0.1:${redis()}`);
  const c = await forward.client();
  const replies = await c.pipeline([
    ['SET', 'serve:x', '1'],
    ['GET', 'known'],
    ['INCR', 'serve:x'],
    ['MULTI'],
    ['INCR', 'serve:x'],
    ['EXEC'],
  ]);
  assert.deepEqual(replies, [
    '+OK\r\n',
    bulk('recorded'),
    ':2\r\n',
    '+OK\r\n',
    '+QUEUED\r\n',
    '*1\r\n:3\r\n',
  ]);
  assert.equal(await c.ask('GET', 'serve:x'), bulk('3'));
});

test('what was missed is added to the recording, and served the next time', async (t) => {
  const file = handMade(t, [cmd(1, ['GET', 'known'], 'recorded')]);
  const first = await serving(t, file, '--on-miss', `record=127.0.0.1:${redis()}`, '--expect-all');
  const c = await first.client();
  assert.equal(await c.ask('GET', 'known'), bulk('recorded'));
  assert.equal(await c.ask('SET', 'serve:new', 'kept'), '+OK\r\n');
  assert.equal(await c.ask('GET', 'serve:new'), bulk('kept'));
  first.rmtop.child.kill('SIGTERM');
  assert.equal(await first.rmtop.ended, 143, first.rmtop.stderr());
  assert.match(first.rmtop.stderr(), /2 commands were added to .*made\.rmtop/);
  const second = await (await serving(t, file)).client();
  assert.deepEqual(
    await second.pipeline([
      ['SET', 'serve:new', 'kept'],
      ['GET', 'serve:new'],
      ['GET', 'known'],
    ]),
    ['+OK\r\n', bulk('kept'), bulk('recorded')],
  );
  assert.equal((await runProgram(t, ['cat', file, '--strict'])).code, 0);
});

test('latency and faults as recorded', async (t) => {
  const file = handMade(t, [
    cmd(1, ['GET', 'slow'], '1', { d: 0.2 }),
    cmd(2, ['GET', 'e'], { '-': 'LOADING' }, { f: [{ id: 't1', kind: 'error', roll: 0 }] }),
    cmd(3, ['GET', 'c'], undefined, {
      f: [{ id: 't2', kind: 'close', roll: 0 }],
      e: 'client_closed',
    }),
  ]);
  const { client } = await serving(t, file, '--latency', 'x2', '--faults', 'recorded');
  const c = await client();
  const before = performance.now();
  assert.deepEqual(await c.pipeline([['GET', 'slow'], ['PING']]), [bulk('1'), '+PONG\r\n']);
  assert.ok(performance.now() - before >= 395, 'the reply came before its time');
  assert.equal(await c.ask('GET', 'e'), '-LOADING\r\n');
  assert.equal(await c.ask('GET', 'c'), '(closed)');
  const fast = await (await serving(t, file)).client();
  assert.match(await fast.ask('GET', 'e'), /^-RMTOPMISS GET e has only replies that were injected/);
});

test('subscribers get the recorded messages', async (t) => {
  const file = handMade(t, [
    cmd(1, ['SUBSCRIBE', 'news'], ['subscribe', 'news', 1]),
    { k: 'push', t: 0.01, c: 1, r: ['message', 'news', 'hello'] },
    cmd(30, ['GET', 'a'], '1'),
  ]);
  const { client } = await serving(t, file);
  const c = await client();
  assert.equal(await c.ask('SUBSCRIBE', 'news'), '*3\r\n$9\r\nsubscribe\r\n$4\r\nnews\r\n:1\r\n');
  assert.equal(await c.next(), '*3\r\n$7\r\nmessage\r\n$4\r\nnews\r\n$5\r\nhello\r\n');
  assert.match(
    await c.ask('SUBSCRIBE', 'other'),
    /^-RMTOPMISS no recorded subscription to "other"/,
  );
  const three = await client();
  await three.ask('HELLO', '3');
  assert.equal(
    await three.ask('SUBSCRIBE', 'news'),
    '>3\r\n$9\r\nsubscribe\r\n$4\r\nnews\r\n:1\r\n',
  );
  assert.equal(await three.next(), '>3\r\n$7\r\nmessage\r\n$4\r\nnews\r\n$5\r\nhello\r\n');
});

test('no more clients than allowed; what is no RESP', async (t) => {
  const file = handMade(t, [cmd(1, ['GET', 'a'], '1')]);
  const { client } = await serving(t, file, '--max-clients', '1');
  const first = await client();
  assert.equal(await first.ask('ECHO', 'x'), bulk('x'));
  assert.equal(await (await client()).next(), '-ERR max number of clients reached\r\n');
  first.write('*1\r\n!oops\r\n');
  assert.match(await first.next(), /^-ERR/);
});

test('what cannot be served is said, with the exit code for it', async (t) => {
  const fine = handMade(t, [cmd(1, ['GET', 'a'], '1')]);
  const noFile = await runProgram(t, ['serve', '/nonexistent/x.rmtop']);
  assert.deepEqual([noFile.code, /error\[FILE_UNREADABLE\]/.test(noFile.stderr)], [64, true]);
  const text = path.join(folder(t), 'x.rmtop');
  writeFileSync(text, 'hello\n');
  const wrong = await runProgram(t, ['serve', text]);
  assert.deepEqual([wrong.code, /error\[NO_RECORDING\]/.test(wrong.stderr)], [5, true]);
  const args = handMade(t, [cmd(1, ['GET', 'a'], undefined)], { capture: 'args' });
  const without = await runProgram(t, ['serve', args]);
  assert.equal(without.code, 5);
  assert.match(without.stderr, /error\[REC_NO_REPLIES\][\s\S]*--capture args/);
  const empty = await runProgram(t, ['serve', handMade(t, [cmd(1, ['PING'], { '+': 'PONG' })])]);
  assert.deepEqual([empty.code, /no command/.test(empty.stderr)], [5, true]);
  for (const flags of [
    ['--match', 'fuzzy'],
    ['--exhausted', 'x'],
    ['--on-miss', 'forward=nowhere'],
    ['--latency', 'fast'],
    ['--faults', 'all'],
    ['--max-clients', '0'],
    ['--argument', 'SET 2 json'],
    ['--idle-exit', 'soon'],
  ]) {
    const { code, stderr } = await runProgram(t, ['serve', fine, ...flags]);
    assert.deepEqual([code, /error\[USAGE\]/.test(stderr)], [64, true], flags.join(' '));
  }
  const taken = createServer();
  await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
  t.after(() => taken.close());
  const address = taken.address();
  const port = address !== null && typeof address === 'object' ? address.port : 0;
  const inUse = await runProgram(t, ['serve', fine, '-l', `127.0.0.1:${port}`]);
  assert.deepEqual([inUse.code, /error\[LISTEN_IN_USE\]/.test(inUse.stderr)], [4, true]);
});
