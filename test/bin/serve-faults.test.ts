/** `rmtop serve --fault`: new faults on top of a recording, by the rules and the draws of the proxy. */
import assert from 'node:assert/strict';
import test, { type TestContext } from 'node:test';
import { Redis } from 'ioredis';
import { serve } from 'rmtop/test';
import { bulk, TestClient } from '../helpers/client.js';
import { sharedServer } from '../helpers/cluster.js';
import { cmd, handMade } from '../helpers/hand-made.js';
import { type Program, runProgram, startProgram } from '../helpers/program.js';
import { recorded } from '../helpers/recorded.js';
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

async function connected(t: TestContext, port: number): Promise<TestClient> {
  const client = await TestClient.connect(port);
  t.after(() => client.close());
  return client;
}

type Served = { readonly rmtop: Program; readonly port: number; readonly client: TestClient };

async function serving(t: TestContext, file: string, ...args: string[]): Promise<Served> {
  const rmtop = startProgram(t, ['serve', file, '-l', '127.0.0.1:0', ...args]);
  const [, port] = await rmtop.says(/serving .* on 127\.0\.0\.1:(\d+)/);
  return { rmtop, port: Number(port), client: await connected(t, Number(port)) };
}

const fault = (...rules: string[]): string[] => rules.flatMap((rule) => ['--fault', rule]);

test('the same seed hits the same commands as in the proxy; what was hit is told', async (t) => {
  const asked = Array.from({ length: 60 }, (_, i) => ['GET', `sf:${i % 7}`]);
  const upstream = `127.0.0.1:${redis()}`;
  const { file } = await recorded(t, { seeds: [upstream] }, async ({ handle }) => {
    const client = await connected(t, handle.address.port);
    await client.ask('MSET', 'sf:1', 'one', 'sf:2', 'two');
    return client.pipeline(asked);
  });
  const rule = ['--fault', 'error 30% LOADING if cmd=GET', '--seed', '77'];
  const proxy = startProgram(t, ['--no-tui', '-u', upstream, '-l', '127.0.0.1:0', ...rule]);
  const [, port] = await proxy.says(/listening on 127\.0\.0\.1:(\d+)/);
  const real = await (await connected(t, Number(port))).pipeline(asked);
  const { rmtop, client } = await serving(t, file, ...rule);
  const served = await client.pipeline(asked);
  assert.deepEqual(served, real);
  const hits = served.filter((reply) => reply.startsWith('-LOADING')).length;
  assert.ok(hits > 5 && hits < 40, `${hits} were hit`);
  rmtop.child.kill('SIGTERM');
  await rmtop.ended;
  assert.match(
    rmtop.stderr(),
    new RegExp(`--fault t1 \\(error 30% LOADING if cmd=GET\\) hit ${hits} of 60\\b`),
  );
});

test('a command that is not carried out keeps its reply for later; one whose reply is replaced does not', async (t) => {
  const file = handMade(t, [
    cmd(1, ['INCR', 'a'], 1),
    cmd(2, ['INCR', 'a'], 2),
    cmd(3, ['GET', 'k'], 'v'),
  ]);
  const before = await serving(t, file, ...fault('error "ERR no" max 1 if cmd=INCR'));
  assert.deepEqual(
    await before.client.pipeline([
      ['INCR', 'a'],
      ['INCR', 'a'],
      ['GET', 'k'],
    ]),
    ['-ERR no\r\n', ':1\r\n', bulk('v')],
  );
  const after = await serving(t, file, ...fault('error "ERR no" on reply max 1 if cmd=INCR'));
  assert.deepEqual(
    await after.client.pipeline([
      ['INCR', 'a'],
      ['INCR', 'a'],
    ]),
    ['-ERR no\r\n', ':2\r\n'],
  );
  // What is answered without the recording is not hit, as in the proxy.
  const all = await serving(t, file, ...fault('error "ERR no"'));
  assert.deepEqual(await all.client.pipeline([['PING'], ['SELECT', '0'], ['GET', 'k']]), [
    '+PONG\r\n',
    '+OK\r\n',
    '-ERR no\r\n',
  ]);
});

test('delays keep the order of replies; drip, close, half a reply, hang and down', async (t) => {
  const file = handMade(t, [
    cmd(1, ['GET', 'slow'], 'a'),
    cmd(2, ['GET', 'late'], 'b'),
    cmd(3, ['GET', 'drip'], 'x'.repeat(40)),
    cmd(4, ['GET', 'k'], 'v'),
  ]);
  const { client, port } = await serving(
    t,
    file,
    ...fault(
      'delay 120ms if key=slow',
      'delay 120ms on reply if key=late',
      'drip 10/20ms if key=drip',
      'close RST if key=cut',
      'close after3B if key=k',
      'hang if key=never',
      'hang 50ms if key=soon',
      'down if key=dead',
    ),
  );
  const from = performance.now();
  const asked = [['GET', 'slow'], ['GET', 'drip'], ['GET', 'late'], ['PING']];
  assert.deepEqual(await client.pipeline(asked), [
    bulk('a'),
    bulk('x'.repeat(40)),
    bulk('b'),
    '+PONG\r\n',
  ]);
  assert.ok(performance.now() - from >= 230, 'one delay after the other');
  assert.equal(await client.ask('GET', 'dead'), '-upstream failure\r\n');
  assert.match(await client.ask('GET', 'soon'), /^-RMTOPMISS/);
  const half = await connected(t, port);
  let got = '';
  half.socket.on('data', (chunk: Buffer) => {
    got += chunk.toString();
  });
  half.write('*2\r\n$3\r\nGET\r\n$1\r\nk\r\n*1\r\n$4\r\nPING\r\n');
  await until(() => half.socket.destroyed || half.socket.readableEnded, 'it is closed');
  assert.equal(got, '$1\r');
  const cut = await connected(t, port);
  assert.equal(await cut.ask('GET', 'cut'), '(closed)');
  const hung = await connected(t, port);
  const replies = hung.pipeline([['PING'], ['GET', 'never'], ['PING']]);
  await until(() => hung.socket.bytesRead > 0, 'the first reply');
  hung.close();
  assert.deepEqual(await replies, ['+PONG\r\n', '(closed)', '(closed)']);
});

test('transactions: what is queued and what is executed can be hit', async (t) => {
  const file = handMade(t, [
    cmd(1, ['MULTI'], { '+': 'OK' }),
    cmd(2, ['INCR', 'n'], { '+': 'QUEUED' }, { x: 'T' }),
    cmd(3, ['EXEC'], [7], { x: 'T' }),
  ]);
  const { client } = await serving(
    t,
    file,
    ...fault('error "ERR exec" max 1 if cmd=EXEC', 'error "ERR queued" max 1 if cmd=INCR tx'),
  );
  const asked = [['MULTI'], ['INCR', 'n'], ['INCR', 'n'], ['EXEC']];
  assert.deepEqual(await client.pipeline(asked), [
    '+OK\r\n',
    '-ERR queued\r\n',
    '+QUEUED\r\n',
    '-ERR exec\r\n',
  ]);
  assert.deepEqual(await client.pipeline([['MULTI'], ['INCR', 'n'], ['EXEC']]), [
    '+OK\r\n',
    '+QUEUED\r\n',
    '*1\r\n:7\r\n',
  ]);
});

test('nodes of a cluster: scopes by node, redirects to where a node is served', async (t) => {
  // foo is in slot 12182 (s1), bar in 5061 (s0).
  const file = handMade(t, [TOPOLOGY, cmd(1, ['GET', 'foo'], 'f'), cmd(2, ['GET', 'bar'], 'b')]);
  const { rmtop, port, client } = await serving(
    t,
    file,
    '--cluster',
    ...fault(
      'error "ERR s1" max 1 if node=s1.*',
      'moved max 1 if slot=5061 role=primary',
      'ask s0.r1 max 1 if cmd=GET shard=s0',
      'error "ERR replica" max 1 if role=replica node.addr=10.0.0.2:6379',
    ),
  );
  await until(() => /s1\.p +127\.0\.0\.1:\d+/.test(rmtop.stderr()));
  const ports = [...rmtop.stderr().matchAll(/^ {2}s\S+ +127\.0\.0\.1:(\d+)/gm)].map(([, p]) => p);
  const [first, replica, other] = ports.map(Number);
  assert.equal(first, port);
  assert.equal(await client.ask('GET', 'bar'), `-MOVED 5061 127.0.0.1:${other}\r\n`);
  assert.equal(await client.ask('GET', 'bar'), `-ASK 5061 127.0.0.1:${replica}\r\n`);
  assert.equal(await client.ask('GET', 'bar'), bulk('b'));
  const s1 = await connected(t, other ?? 0);
  assert.deepEqual(
    await s1.pipeline([
      ['GET', 'foo'],
      ['GET', 'foo'],
    ]),
    ['-ERR s1\r\n', bulk('f')],
  );
  const r = await connected(t, replica ?? 0);
  assert.deepEqual(await r.pipeline([['READONLY'], ['GET', 'bar'], ['GET', 'bar']]), [
    '+OK\r\n',
    '-ERR replica\r\n',
    bulk('b'),
  ]);
});

test('a real client sees them, and the library gives them; rules that mean nothing are refused', async (t) => {
  const file = handMade(t, [TOPOLOGY, cmd(1, ['GET', 'a'], '1'), cmd(2, ['GET', 'b'], '2')]);
  const fake = await serve(file, { fault: 'error LOADING max 2 if key=a', seed: 3 });
  const client = new Redis(fake.port, fake.host, { lazyConnect: true });
  t.after(() => client.disconnect());
  await client.connect();
  await assert.rejects(client.get('a'), /LOADING Redis is loading/);
  await assert.rejects(client.get('a'), /LOADING/);
  assert.deepEqual([await client.get('a'), await client.get('b')], ['1', '2']);
  await fake.done({ expectAll: true });
  await assert.rejects(serve(file, { fault: ['error if role=replica'] }), { code: 'USAGE' });

  for (const [rule, why] of [
    ['error if node=s0.*', /without --cluster there is but one server, for every node/],
    ['error if key=a !(slot<5)', /for every slot/],
    ['error if ~d s0', /for every node/],
    ['error if route=user:', /route is a mesh's, and a served recording has none/],
    ['error if split', /split is a mesh's/],
    ['moved', /without --cluster there is no other server/],
    ['ask 50%', /say where to: ask HOST:PORT/],
    ['explode', /no fault is called explode/],
    ['error if rtt>5ms', /rtt/],
  ] as const) {
    const { code, stderr } = await runProgram(t, ['serve', file, ...fault(rule)]);
    assert.deepEqual([code, /error\[(?:USAGE|FILTER)\]/.test(stderr)], [64, true], rule);
    assert.match(stderr, why);
  }
  const seed = await runProgram(t, ['serve', file, ...fault('error'), '--seed', 'x']);
  assert.deepEqual([seed.code, /--seed 'x'/.test(seed.stderr)], [64, true]);
  const moved = await serving(t, file, ...fault('moved 127.0.0.1:7009'));
  assert.equal(await moved.client.ask('GET', 'a'), '-MOVED 15495 127.0.0.1:7009\r\n');
});
