/** Faults in front of a real cluster: what the client gets, what the servers do not, what later commands and other clients feel. */
import assert from 'node:assert/strict';
import test, { type TestContext } from 'node:test';
import type { FaultAction, FaultRule, MeshFault } from '../../src/mesh/config.js';
import { bulk } from '../helpers/client.js';
import { sharedCluster } from '../helpers/cluster.js';
import { startProxy, type TestProxy } from '../helpers/proxy.js';
import { until } from '../helpers/until.js';

const { cluster } = sharedCluster();

function faulty(
  t: TestContext,
  faults: readonly MeshFault[],
  rules: readonly FaultRule[] = [],
): Promise<TestProxy> {
  return startProxy(t, {
    seeds: [cluster().nodes[0]?.port ?? 0],
    config: (base) => ({ ...base, faults, rules }),
  });
}

function rule(action: FaultAction, more: Partial<FaultRule> = {}): FaultRule {
  return { id: 't1', on: true, percent: 100, scope: '', action, seed: 7, max: null, ...more };
}

const ERROR = { kind: 'error', text: 'Fault Injected: Error', delayMs: 0, at: 'request' } as const;

test("Envoy's ERROR is answered and nothing is sent", async (t) => {
  const fault: MeshFault = { id: 'm1', on: true, percent: 100, commands: ['set'], action: ERROR };
  const proxy = await faulty(t, [fault]);
  const client = await proxy.client();
  assert.equal(await client.ask('DEL', 'f:a'), ':0\r\n');
  assert.equal(await client.ask('SET', 'f:a', '1'), '-Fault Injected: Error\r\n');
  assert.equal(await client.ask('GET', 'f:a'), '$-1\r\n');
  const event = await proxy.event((e) => e.command.name === 'SET');
  assert.equal(event.decision.fault?.id, 'm1');
  assert.deepEqual((await proxy.handle.totals()).faults.m1?.hits, 1);
});

test("Envoy's DELAY sends at once and holds the reply; later replies of the client wait, others do not", async (t) => {
  const action = { kind: 'delay', ms: 300, jitterMs: 0, at: 'reply' } as const;
  const proxy = await faulty(t, [{ id: 'm1', on: true, percent: 100, commands: ['incr'], action }]);
  const client = await proxy.client();
  const other = await proxy.client();
  await other.ask('SET', 'f:n', '5');
  const order: string[] = [];
  const slow = client.pipeline([['INCR', 'f:n'], ['PING']]).then((replies) => {
    order.push('slow');
    return replies;
  });
  await until(async () => (await other.ask('GET', 'f:n')) === bulk('6'));
  order.push('other');
  assert.deepEqual(await slow, [':6\r\n', '+PONG\r\n']);
  assert.deepEqual(order, ['other', 'slow']);
  const event = await proxy.event((e) => e.command.name === 'INCR');
  assert.ok(event.durationUs >= 299_000, `${event.durationUs} µs`);
});

test('an error after the command: it is carried out, and the client told otherwise', async (t) => {
  const action = { kind: 'error', text: 'OOM no', delayMs: 0, at: 'reply' } as const;
  const proxy = await faulty(t, [], [rule(action, { scope: 'cmd=SET' })]);
  const client = await proxy.client();
  assert.equal(await client.ask('SET', 'f:after', 'x'), '-OOM no\r\n');
  assert.equal(await client.ask('GET', 'f:after'), bulk('x'));
});

test('a delay before the server keeps the order of the client’s commands', async (t) => {
  const action = { kind: 'delay', ms: 50, jitterMs: 0, at: 'request' } as const;
  const proxy = await faulty(t, [], [rule(action, { scope: 'cmd=SET' })]);
  const client = await proxy.client();
  const replies = await client.pipeline([
    ['SET', 'f:order', '1'],
    ['GET', 'f:order'],
  ]);
  assert.deepEqual(replies, ['+OK\r\n', bulk('1')]);
});

test('closing: instead of the command, or in the middle of its reply; the connection only', async (t) => {
  const before = rule({ kind: 'close', reset: false, afterBytes: null }, { scope: 'key=f:close' });
  const middle = rule(
    { kind: 'close', reset: false, afterBytes: 3 },
    { id: 't2', scope: 'key=f:cut' },
  );
  const proxy = await faulty(t, [], [before, middle]);
  const first = await proxy.client();
  assert.deepEqual(await first.pipeline([['PING'], ['GET', 'f:close']]), ['+PONG\r\n', '(closed)']);
  const second = await proxy.client();
  let raw = '';
  second.socket.on('data', (chunk: Buffer) => {
    raw += chunk.toString();
  });
  assert.equal(await second.ask('SET', 'f:cut', 'whole'), '(closed)');
  assert.equal(raw, '+OK');
  const third = await proxy.client();
  assert.equal(await third.ask('PING'), '+PONG\r\n');
});

test('hanging lasts until its rule is switched off, and then the command goes on', async (t) => {
  const hang = rule({ kind: 'hang', ms: null }, { scope: 'cmd=GET' });
  const proxy = await faulty(t, [], [hang]);
  const client = await proxy.client();
  await client.ask('SET', 'f:h', 'v');
  const reply = client.ask('GET', 'f:h');
  await until(async () => ((await proxy.handle.totals()).faults.t1?.hits ?? 0) === 1);
  const config = proxy.others.find((event) => event.type === 'config');
  assert.ok(config?.type === 'config');
  await proxy.handle.reconfigure({ ...config.config, rules: [{ ...hang, on: false }] });
  assert.equal(await reply, bulk('v'));
});

test('a slow drip brings the whole reply, in pieces', async (t) => {
  const drip = rule({ kind: 'drip', bytes: 4, pauseMs: 1 }, { scope: 'cmd=GET' });
  const proxy = await faulty(t, [], [drip]);
  const client = await proxy.client();
  await client.ask('SET', 'f:drip', 'a value of some length');
  let chunks = 0;
  client.socket.on('data', () => chunks++);
  assert.deepEqual(await client.pipeline([['GET', 'f:drip'], ['PING']]), [
    bulk('a value of some length'),
    '+PONG\r\n',
  ]);
  assert.ok(chunks > 1, `${chunks} chunks`);
  const event = await proxy.event((e) => e.command.name === 'GET');
  assert.equal(event.reply.bytes.toString(), bulk('a value of some length'));
});

test('a redirect to a server that does not own the slot, and a server that counts as dead', async (t) => {
  const moved = rule({ kind: 'moved', to: null }, { scope: 'key=foo' });
  const down = rule({ kind: 'down' }, { id: 't2', scope: 'node=s0.p' });
  const proxy = await faulty(t, [], [moved, down]);
  const client = await proxy.client();
  assert.match(await client.ask('GET', 'foo'), /^-MOVED 12182 127\.0\.0\.1:\d+\r\n$/);
  assert.equal(await client.ask('GET', 'bar'), '-upstream failure\r\n'); // slot 5061 is shard 0's
  assert.doesNotMatch(await client.ask('GET', 'a'), /^-/);
  const event = await proxy.event((e) => e.command.argv[1]?.toString() === 'bar');
  assert.equal(event.outcome.kind === 'reply' && event.outcome.cause?.code, 'fault');
});

test('scopes look at the client, and a maximum ends a rule', async (t) => {
  const named = rule(ERROR, { scope: 'client.name=worker' });
  const twice = rule(ERROR, { id: 't2', scope: 'cmd=ECHO or cmd=TTL', max: 2 });
  const proxy = await faulty(t, [], [named, twice]);
  const worker = await proxy.client();
  const web = await proxy.client();
  assert.equal(await worker.ask('CLIENT', 'SETNAME', 'worker'), '+OK\r\n');
  assert.equal(await worker.ask('GET', 'f:x'), '-Fault Injected: Error\r\n');
  assert.equal(await web.ask('GET', 'f:x'), '$-1\r\n');
  const replies = await web.pipeline([
    ['TTL', 'k'],
    ['TTL', 'k'],
    ['TTL', 'k'],
  ]);
  assert.deepEqual(replies, [
    '-Fault Injected: Error\r\n',
    '-Fault Injected: Error\r\n',
    ':-2\r\n',
  ]);
});

test('the same seed hits the same commands of a connection again', async (t) => {
  const half = rule(ERROR, { percent: 50, scope: 'cmd=GET', seed: 42 });
  const run = async (): Promise<string[]> => {
    const proxy = await faulty(t, [], [half]);
    const client = await proxy.client();
    return client.pipeline(Array.from({ length: 40 }, (_, i) => ['GET', `f:${i}`]));
  };
  const first = await run();
  const hits = first.filter((reply) => reply.startsWith('-')).length;
  assert.ok(hits > 8 && hits < 32, `${hits} of 40`);
  assert.deepEqual(await run(), first);
});

test('every fault is made again from its event: the replay law', async (t) => {
  const half = rule(ERROR, { percent: 50 });
  const mesh: MeshFault = { id: 'm1', on: true, percent: 30, commands: [], action: ERROR };
  const proxy = await faulty(
    t,
    [mesh],
    [half, rule({ kind: 'delay', ms: 1, jitterMs: 1, at: 'reply' }, { id: 't2' })],
  );
  const client = await proxy.client();
  const replies = await client.pipeline(Array.from({ length: 60 }, (_, i) => ['GET', `f:${i}`]));
  await until(() => proxy.commands.length === 60);
  for (const [i, event] of proxy.commands.sort((a, b) => a.seq - b.seq).entries())
    assert.equal(
      event.decision.fault?.error ?? null,
      replies[i]?.startsWith('-') ? 'Fault Injected: Error' : null,
    );
});
