/** A cluster that changes while traffic flows, and the ways to reach one: failover, resharding, maps, TLS, passwords, health. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { startCluster } from '../../bin/demo/servers.js';
import { slotOf } from '../../src/mesh/place.js';
import { bulk } from '../helpers/client.js';
import { ask, servers } from '../helpers/cluster.js';
import { clusterNode, clusterSlots, fakeRedis } from '../helpers/fake-redis.js';
import { startProxy, type TestProxy } from '../helpers/proxy.js';
import { until } from '../helpers/until.js';

const QUICK_REFRESH = {
  rateMs: 200,
  timeoutMs: 1000,
  redirectIntervalMs: 100,
  redirectThreshold: 5,
  failureThreshold: 0,
  degradedThreshold: 0,
};

/** Keeps setting and reading back keys until stopped; counts what came back. */
async function traffic(
  proxy: TestProxy,
  keys: readonly string[],
  stopped: () => boolean,
): Promise<Map<string, number>> {
  const client = await proxy.client();
  const seen = new Map<string, number>();
  for (let i = 0; !stopped(); i++) {
    const key = keys[i % keys.length] ?? '';
    for (const reply of await client.pipeline([
      ['SET', key, `${i}`],
      ['GET', key],
    ])) {
      const kind =
        reply.startsWith('$') || reply === '+OK\r\n'
          ? 'good'
          : reply.split(' ').slice(0, 2).join(' ').trim();
      seen.set(kind, (seen.get(kind) ?? 0) + 1);
    }
  }
  return seen;
}

test('a primary is killed under load: clients see upstream failure, then its replica takes over', async (t) => {
  const all = servers();
  t.after(() => all.stop());
  const { nodes } = await startCluster(all);
  const proxy = await startProxy(t, {
    seeds: [nodes[1]?.port ?? 0],
    upstream: { refresh: QUICK_REFRESH },
  });
  let isOver = false;
  const keys = ['a', 'b', 'c', 'd', 'e', 'f'];
  const running = [1, 2, 3].map(() => traffic(proxy, keys, () => isOver));
  await until(async () => (await proxy.handle.totals()).all.calls > 200);
  const dead = nodes[0];
  await dead?.kill();
  const promoted = `127.0.0.1:${nodes[3]?.port}`;
  await until(() =>
    proxy.others.some(
      (e) =>
        e.type === 'topology' &&
        e.upstreams.redis?.ranges?.some((range) => range.primary === promoted),
    ),
  );
  const { failed } = await proxy.handle.totals();
  await until(async () => (await proxy.handle.totals()).all.calls > 2000);
  isOver = true;
  const results = await Promise.all(running);
  const kinds = new Set(results.flatMap((seen) => [...seen.keys()]));
  kinds.delete('good');
  // While the cluster votes, the surviving nodes may say CLUSTERDOWN, which Envoy passes on with redirection off.
  for (const kind of kinds) assert.match(kind, /^-(upstream failure|CLUSTERDOWN)/);
  assert.ok(failed > 0);
  const client = await proxy.client();
  for (const key of keys) assert.equal(await client.ask('SET', key, 'x'), '+OK\r\n');
  const cause = proxy.commands.find(
    (e) => e.outcome.kind === 'reply' && e.outcome.cause !== null,
  )?.outcome;
  assert.ok(cause?.kind === 'reply' && /^(refused|closed|reset)$/.test(cause.cause?.code ?? ''));
});

/** Moves one slot with its keys from the first to the second primary, `between` run while it is half moved. */
async function moveSlot(
  slot: number,
  from: number,
  to: number,
  key: string,
  between: () => Promise<void>,
): Promise<void> {
  const [fromId, toId] = [
    await ask(from, ['CLUSTER', 'MYID']),
    await ask(to, ['CLUSTER', 'MYID']),
  ].map(String);
  await ask(to, ['CLUSTER', 'SETSLOT', String(slot), 'IMPORTING', fromId ?? '']);
  await ask(from, ['CLUSTER', 'SETSLOT', String(slot), 'MIGRATING', toId ?? '']);
  await ask(from, ['MIGRATE', '127.0.0.1', String(to), key, '0', '5000']);
  await between();
  await ask(to, ['CLUSTER', 'SETSLOT', String(slot), 'NODE', toId ?? '']);
  await ask(from, ['CLUSTER', 'SETSLOT', String(slot), 'NODE', toId ?? '']);
}

test('resharding while traffic flows: ASK and MOVED are followed when Envoy is told to, else they leak out', async (t) => {
  const all = servers();
  t.after(() => all.stop());
  const { nodes } = await startCluster(all);
  const [from, to] = [nodes[0]?.port ?? 0, nodes[1]?.port ?? 0];
  const key = 'c'; // slot 7365: the second shard's
  const slot = slotOf(Buffer.from(key));
  const quiet = { ...QUICK_REFRESH, rateMs: 3_600_000, redirectThreshold: 0 };
  const follows = await startProxy(t, {
    seeds: [from],
    settings: { enableRedirection: true },
    upstream: { refresh: quiet },
  });
  const leaks = await startProxy(t, { seeds: [from], upstream: { refresh: quiet } });
  const [a, b] = [await follows.client(), await leaks.client()];
  assert.equal(await a.ask('SET', key, 'moved value'), '+OK\r\n');
  assert.equal(await b.ask('GET', key), bulk('moved value'));
  await moveSlot(slot, to, from, key, async () => {
    assert.equal(await a.ask('GET', key), bulk('moved value'));
    assert.match(await b.ask('GET', key), /^-ASK 7365 /);
  });
  assert.equal(await a.ask('GET', key), bulk('moved value'));
  assert.match(await b.ask('GET', key), /^-MOVED 7365 /);
  await follows.event((e) => e.seq === 3);
  const hops = follows.commands
    .filter((e) => e.command.name === 'GET')
    .map((e) => e.attempts.at(-1)?.kind);
  assert.deepEqual(hops, ['ASK', 'MOVED']);
  // With the refresh on, the new owner is asked directly before long.
  const learns = await startProxy(t, {
    seeds: [from],
    settings: { enableRedirection: true },
    upstream: { refresh: QUICK_REFRESH },
  });
  const c = await learns.client();
  await until(async () => {
    await c.ask('GET', key);
    return learns.commands.at(-1)?.attempts.length === 1;
  });
});

test('a node that hangs is given up after op_timeout, and nobody else is held up', async (t) => {
  const all = servers();
  t.after(() => all.stop());
  const { nodes } = await startCluster(all, 3, ['--cluster-node-timeout', '60000']);
  const proxy = await startProxy(t, {
    seeds: [nodes[1]?.port ?? 0],
    settings: { opTimeoutMs: 300 },
  });
  const [stuck, quick] = [await proxy.client(), await proxy.client()];
  await stuck.ask('SET', 'b', '1'); // slot 3300: the first shard's
  nodes[0]?.freeze();
  const reply = stuck.ask('GET', 'b');
  for (let i = 0; i < 50; i++) assert.equal(await quick.ask('SET', 'a', '1'), '+OK\r\n');
  assert.equal(await reply, '-upstream failure\r\n');
  nodes[0]?.thaw();
  await until(async () => (await stuck.ask('GET', 'b')) === bulk('1'));
});

test('with a health checker, PREFER_MASTER and PREFER_REPLICA fall back; without one they do not', async (t) => {
  const all = servers();
  t.after(() => all.stop());
  const { nodes } = await startCluster(all, 3, [
    '--cluster-node-timeout',
    '60000',
    '--replica-serve-stale-data',
    'yes',
  ]);
  const healthCheck = {
    intervalMs: 50,
    timeoutMs: 500,
    unhealthyThreshold: 2,
    healthyThreshold: 1,
  };
  const settings = { readPolicy: 'PREFER_MASTER' as const, opTimeoutMs: 300 };
  const checked = await startProxy(t, {
    seeds: [nodes[1]?.port ?? 0],
    settings,
    upstream: { healthCheck },
  });
  const blind = await startProxy(t, { seeds: [nodes[1]?.port ?? 0], settings });
  const [a, b] = [await checked.client(), await blind.client()];
  await a.ask('SET', 'b', 'v');
  await until(async () => (await ask(nodes[0]?.port ?? 0, ['WAIT', '1', '100'])) === 1);
  nodes[0]?.freeze();
  await until(() =>
    checked.others.some(
      (e) => e.type === 'topology' && e.upstreams.redis?.servers.some((server) => !server.healthy),
    ),
  );
  assert.equal(await b.ask('GET', 'b'), '-upstream failure\r\n');
  // Of primary and replica only the replica is healthy: nothing is drawn.
  assert.equal(await a.ask('GET', 'b'), bulk('v'));
  const event = await checked.event((e) => e.command.name === 'GET');
  const action = event.decision.action;
  assert.equal(action.kind === 'forward' && action.parts[0]?.why[2]?.code, 'fallback');
  assert.equal(event.attempts[0]?.address, `127.0.0.1:${nodes[3]?.port}`);
  nodes[0]?.thaw();
  await until(() => {
    const last = checked.others.findLast((e) => e.type === 'topology');
    return (
      last?.type === 'topology' &&
      last.upstreams.redis?.servers.every((server) => server.healthy) === true
    );
  });
});

test('announced addresses that cannot be reached: which, how much works, what to type; and with --map they can', async (t) => {
  const real = await fakeRedis(t, () => '+here\r\n');
  const unreachable = [1, 2]; // ports nobody listens on
  const slots = clusterNode(
    () => clusterSlots([[real.port], unreachable]),
    () => '+here\r\n',
  );
  real.answer = slots;
  const proxy = await startProxy(t, { seeds: [real.port] });
  const client = await proxy.client();
  assert.equal(await client.ask('GET', 'b'), '+here\r\n'); // slot 3300: the first half
  assert.equal(await client.ask('GET', 'a'), '-upstream failure\r\n'); // slot 15495
  await until(() =>
    proxy.others.some(
      (e) => e.type === 'log' && /2 of 3 announced nodes cannot be reached/.test(e.text),
    ),
  );
  const log = proxy.others.find((e) => e.type === 'log' && /announced/.test(e.text));
  assert.ok(
    log?.type === 'log' &&
      /50 % of the slots/.test(log.text) &&
      /--map 127\.0\.0\.1:1=/.test(log.next ?? ''),
  );
  const mapped = await startProxy(t, {
    seeds: ['redis-0.redis:6379'],
    map: [
      `redis-0.redis=127.0.0.1:${real.port}`,
      `127.0.0.1:1=${real.address}`,
      `*:2=:${real.port}`,
    ],
  });
  const other = await mapped.client();
  assert.equal(await other.ask('GET', 'a'), '+here\r\n');
  await until(() =>
    mapped.others.some(
      (e) =>
        e.type === 'topology' &&
        e.upstreams.redis?.servers.some(
          (server) => server.address === '127.0.0.1:1' && server.dialled === real.address,
        ),
    ),
  );
});

test('one server that is no cluster', async (t) => {
  const all = servers();
  t.after(() => all.stop());
  const { port } = await all.start();
  const proxy = await startProxy(t, { seeds: [port] });
  const client = await proxy.client();
  assert.equal(await client.ask('MSET', 'a', '1', 'b', '2'), '+OK\r\n');
  assert.equal(await client.ask('MGET', 'a', 'b'), `*2\r\n${bulk('1')}${bulk('2')}`);
  assert.equal((await client.ask('KEYS', '*')).split('\r\n')[0], '*2');
  const event = await proxy.event((e) => e.command.name === 'MGET');
  const action = event.decision.action;
  assert.equal(action.kind === 'forward' && action.parts[0]?.why[1]?.code, 'single');
});

test('a server password, right and wrong: wrong ones show up as the server’s NOAUTH, as with Envoy', async (t) => {
  const all = servers();
  t.after(() => all.stop());
  const { port } = await all.start(['--requirepass', 'server-secret']);
  const login = { username: null, password: 'server-secret' };
  const good = await startProxy(t, { seeds: [port], access: { tls: null, login } });
  assert.equal(await (await good.client()).ask('SET', 'a', '1'), '+OK\r\n');
  const bad = await startProxy(t, {
    seeds: [port],
    access: { tls: null, login: { ...login, password: 'nope' } },
  });
  await until(() =>
    bad.others.some(
      (e) => e.type === 'log' && /NOAUTH/.test(e.text) && /REDISCLI_AUTH/.test(e.next ?? ''),
    ),
  );
  assert.ok(!JSON.stringify([good.others, bad.others]).includes('server-secret'));
});

test('TLS to the servers: with the right CA, without it, and not verified', async (t) => {
  const all = servers();
  t.after(() => all.stop());
  const fixtures = path.join(process.cwd(), 'test', 'fixtures', 'tls');
  const files = [
    '--tls-cert-file',
    path.join(fixtures, 'server.crt'),
    '--tls-key-file',
    path.join(fixtures, 'server.key'),
  ];
  const caFile = path.join(fixtures, 'ca.crt');
  const { tlsPort } = await all.start([
    ...files,
    '--tls-ca-cert-file',
    caFile,
    '--tls-auth-clients',
    'no',
  ]);
  const tls = tlsPort ?? 0;
  const ca = readFileSync(caFile, 'utf8');
  const good = await startProxy(t, { seeds: [tls], access: { tls: { ca }, login: null } });
  assert.equal(await (await good.client()).ask('SET', 'a', '1'), '+OK\r\n');
  const careless = await startProxy(t, {
    seeds: [tls],
    access: { tls: { rejectUnauthorized: false }, login: null },
  });
  assert.equal(await (await careless.client()).ask('GET', 'a'), bulk('1'));
  const bad = await startProxy(t, { seeds: [tls], access: { tls: {}, login: null } });
  assert.equal(await (await bad.client()).ask('GET', 'a'), '-no upstream host\r\n');
  await until(() => bad.others.some((e) => e.type === 'log' && /TLS/.test(e.text)));
});
