/** What is counted under Envoy's names, compared with what was sent: on real servers, and with their own counts where they have some. */
import assert from 'node:assert/strict';
import test, { type TestContext } from 'node:test';
import {
  DEFAULT_BALANCER,
  type MeshConfig,
  type MeshFault,
  type MirrorPolicy,
  plainRoute,
  upstreamOf,
} from '../../src/mesh/config.js';
import { type Stats, statsOf } from '../helpers/admin.js';
import { bulk, type TestClient } from '../helpers/client.js';
import { ask, sharedCluster, sharedServer } from '../helpers/cluster.js';
import { type FakeRedis, fakeRedis } from '../helpers/fake-redis.js';
import { startProxy, type TestProxy, type TestProxyOptions } from '../helpers/proxy.js';
import { until } from '../helpers/until.js';

const { cluster } = sharedCluster();
const server = sharedServer();
const other = sharedServer();

type Counted = { readonly proxy: TestProxy; readonly client: TestClient; readonly stats: Stats };

async function counted(t: TestContext, options: TestProxyOptions): Promise<Counted> {
  const proxy = await startProxy(t, options);
  return { proxy, client: await proxy.client(), stats: await statsOf(t, proxy) };
}

/** `name` of the listener, of a command, of the cluster `redis`, of a command there. */
const of = (fields: Readonly<Record<string, number>>): Record<string, number> =>
  Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [
      /^(downstream|splitter|command)/.test(name) ? `redis.test.${name}` : `cluster.${name}`,
      value,
    ]),
  );

function counts(name: string, total: number, success: number, error: number): object {
  const at = `command.${name}`;
  return { [`${at}.total`]: total, [`${at}.success`]: success, [`${at}.error`]: error };
}

function upstreamCounts(name: string, total: number, success: number, failure: number): object {
  const at = `redis.redis_cluster.upstream_commands.${name}`;
  return { [`${at}.total`]: total, [`${at}.success`]: success, [`${at}.failure`]: failure };
}

/** How often `port` has carried a command out, as it says itself. */
async function callsAt(port: number, name: string): Promise<number> {
  const text = String(await ask(port, ['INFO', 'commandstats']));
  return Number(new RegExp(`cmdstat_${name}:calls=(\\d+)`).exec(text)?.[1] ?? 0);
}

const alone = { kind: 'hosts' } as const;
/** A set of one host that is never asked what it is. */
function lone(base: MeshConfig, port: number): MeshConfig {
  const address = `127.0.0.1:${port}`;
  const hostSet = {
    hosts: [{ address, weight: 1, hashKey: null, hostname: null }],
    resolve: 'static',
    balancer: DEFAULT_BALANCER,
  } as const;
  return {
    ...base,
    upstreams: { redis: upstreamOf([address], { ...alone, hostSet }) },
  };
}

test('commands that go to one server: an error of the server is a success of the listener and a failure at the cluster', async (t) => {
  const { client, stats } = await counted(t, {
    seeds: [server.port()],
    settings: { commandStats: true },
  });
  await ask(server.port(), ['CONFIG', 'RESETSTAT']);
  await client.ask('SET', 'one', 'text');
  for (let i = 0; i < 5; i++) assert.equal(await client.ask('GET', 'one'), bulk('text'));
  assert.match(await client.ask('INCR', 'one'), /^-ERR value is not an integer/);
  assert.match(await client.ask('Config', 'GET', 'save'), /^\*/);
  await stats.are(
    of({
      downstream_cx_total: 1,
      downstream_cx_active: 1,
      downstream_rq_total: 8,
      downstream_rq_active: 0,
      ...counts('set', 1, 1, 0),
      ...counts('get', 5, 5, 0),
      ...counts('incr', 1, 1, 0),
      ...counts('config', 1, 1, 0),
      ...counts('mget', 0, 0, 0),
      'redis.upstream_cx_active': 1,
      'redis.upstream_cx_total': 1,
      'redis.upstream_rq_total': 8,
      'redis.upstream_rq_active': 0,
      ...upstreamCounts('set', 1, 1, 0),
      ...upstreamCounts('get', 5, 5, 0),
      ...upstreamCounts('incr', 1, 0, 1),
      ...upstreamCounts('unknown', 1, 1, 0),
    }),
  );
  assert.deepEqual(
    [await callsAt(server.port(), 'get'), await callsAt(server.port(), 'set')],
    [5, 1],
  );
});

test('what is turned back is counted where Envoy does, and reaches no server', async (t) => {
  const { client, stats } = await counted(t, { seeds: [server.port()] });
  assert.match(await client.ask('BLPOP', 'q', '0'), /^-ERR unknown command/);
  assert.match(await client.ask('NOSUCH'), /^-ERR unknown command/);
  client.write('*1\r\n:5\r\n');
  assert.equal(await client.next(), '-invalid request\r\n');
  assert.equal(await client.ask('GET'), '-invalid request\r\n');
  assert.equal(await client.ask('PING'), '+PONG\r\n');
  assert.match(await client.ask('EVAL', 'return 1', '0'), /^-wrong number/);
  assert.match(await client.ask('MSET', 'a'), /^-wrong number/);
  await stats.are(
    of({
      downstream_rq_total: 7,
      'splitter.unsupported_command': 2,
      'splitter.invalid_request': 2,
      ...counts('eval', 1, 0, 1),
      ...counts('mset', 1, 0, 1),
      ...counts('get', 0, 0, 0),
      'redis.upstream_rq_total': 0,
      'redis.upstream_cx_total': 0,
      downstream_cx_protocol_error: 0,
    }),
  );
  client.write('^nonsense\r\n');
  await client.closed;
  await stats.are(of({ downstream_cx_protocol_error: 1, downstream_cx_active: 0 }));
});

test('logins: what a client is refused for want of one is counted nowhere but as a request', async (t) => {
  const { client, stats } = await counted(t, {
    seeds: [server.port()],
    settings: { downstreamAuth: { username: null, passwords: 1 } },
    credentials: { username: null, passwords: ['letmein'] },
  });
  assert.match(await client.ask('GET', 'k'), /^-NOAUTH/);
  assert.equal(await client.ask('AUTH', 'letmein'), '+OK\r\n');
  await client.ask('GET', 'k');
  await stats.are(of({ downstream_rq_total: 3, ...counts('get', 1, 1, 0) }));
});

test('bytes: of what came from clients and went to them, those that have left included', async (t) => {
  const { client, proxy, stats } = await counted(t, { seeds: [server.port()] });
  const request = '*3\r\n$3\r\nSET\r\n$5\r\nbytes\r\n$3\r\nabc\r\n';
  client.write(request);
  assert.equal(await client.next(), '+OK\r\n');
  const gone = await proxy.client();
  gone.write(request);
  assert.equal(await gone.next(), '+OK\r\n');
  gone.close();
  await stats.are(
    of({
      downstream_cx_total: 2,
      downstream_cx_active: 1,
      downstream_cx_rx_bytes_total: 2 * request.length,
      downstream_cx_tx_bytes_total: 10,
      downstream_cx_rx_bytes_buffered: 0,
      downstream_cx_tx_bytes_buffered: 0,
    }),
  );
  client.write(request.slice(0, 20));
  await stats.are(of({ downstream_cx_rx_bytes_buffered: 20 }));
});

test('split commands count once on the listener and once for each key at the cluster; one bad key makes them an error', async (t) => {
  const { client, stats } = await counted(t, {
    seeds: [cluster().nodes[0]?.port ?? 0],
    settings: { commandStats: true },
  });
  await client.ask('MSET', 's:a', '1', 's:b', '2', 's:c', '3');
  await client.ask('LPUSH', 's:list', 'x');
  assert.match(await client.ask('MGET', 's:a', 's:b', 's:none'), /^\*3/);
  assert.match(await client.ask('MGET', 's:a', 's:list'), /^\*2[\s\S]*-WRONGTYPE/);
  assert.equal(await client.ask('EXISTS', 's:a', 's:b'), ':2\r\n');
  assert.equal(await client.ask('DEL', 's:a', 's:b', 's:c', 's:list'), ':4\r\n');
  assert.match(await client.ask('INFO'), /cluster_enabled:1/);
  await stats.are(
    of({
      ...counts('mset', 1, 1, 0),
      ...counts('mget', 2, 1, 1),
      ...counts('exists', 1, 1, 0),
      ...counts('del', 1, 1, 0),
      ...counts('info', 1, 1, 0),
      ...counts('get', 0, 0, 0),
      ...upstreamCounts('set', 3, 3, 0),
      ...upstreamCounts('get', 5, 4, 1),
      ...upstreamCounts('exists', 2, 2, 0),
      ...upstreamCounts('del', 4, 4, 0),
      ...upstreamCounts('unknown', 3, 3, 0),
      'redis.upstream_rq_total': 3 + 1 + 5 + 2 + 4 + 3,
      'redis.upstream_cx_total': 3,
      'redis.upstream_cx_active': 3,
    }),
  );
  assert.ok((await stats.value('cluster.redis.update_attempt')) >= 1);
  assert.equal(await stats.value('cluster.redis.update_failure'), 0);
});

test('transactions count under multi', async (t) => {
  const { client, stats } = await counted(t, { seeds: [cluster().nodes[0]?.port ?? 0] });
  const replies = await client.pipeline([
    ['MULTI'],
    ['SET', 't:k', '1'],
    ['INCR', 't:k'],
    ['EXISTS', 't:k'],
    ['EXEC'],
    ['EXEC'],
  ]);
  assert.match(replies[3] ?? '', /^-'EXISTS' command is not supported/);
  assert.equal(replies[4], '*2\r\n+OK\r\n:2\r\n');
  await stats.are(
    of({
      'command.multi.total': 5,
      'command.exec.total': 1,
      'command.set.total': 0,
      'command.incr.total': 0,
    }),
  );
});

test('copies count at the mirror, and not again at the listener', async (t) => {
  const mirrors: MirrorPolicy[] = [
    { upstream: 'copy', fraction: { numerator: 100, of: 100 }, excludeReads: true },
  ];
  const { client, stats } = await counted(t, {
    seeds: [server.port()],
    settings: { commandStats: true },
    config: (base) => ({
      ...base,
      routes: [{ ...plainRoute(null, 'redis'), mirrors }],
      upstreams: { ...base.upstreams, copy: upstreamOf([`127.0.0.1:${other.port()}`]) },
    }),
  });
  await ask(other.port(), ['CONFIG', 'RESETSTAT']);
  for (let i = 0; i < 4; i++) await client.ask('SET', `copied:${i}`, 'v');
  for (let i = 0; i < 3; i++) await client.ask('GET', `copied:${i}`);
  await stats.are(
    of({
      ...counts('set', 4, 4, 0),
      'redis.upstream_rq_total': 7,
      'copy.upstream_rq_total': 4,
      'copy.upstream_rq_active': 0,
      'copy.upstream_cx_total': 1,
      'copy.redis_cluster.upstream_commands.set.success': 4,
    }),
  );
  assert.equal(await callsAt(other.port(), 'set'), 4);
});

test('faults: an error sends nothing and is an error, a delay is counted when it ends and is in the latency', async (t) => {
  const faults: MeshFault[] = [
    {
      id: 'm1',
      on: true,
      percent: 100,
      commands: ['get'],
      action: { kind: 'error', text: 'Fault Injected: Error', delayMs: 0, at: 'request' },
    },
    {
      id: 'm2',
      on: true,
      percent: 100,
      commands: ['set'],
      action: { kind: 'delay', ms: 60, jitterMs: 0, at: 'reply' },
    },
  ];
  const { client, stats } = await counted(t, {
    seeds: [server.port()],
    config: (base) => ({ ...base, faults }),
  });
  for (let i = 0; i < 3; i++) assert.match(await client.ask('GET', 'k'), /^-Fault Injected/);
  for (let i = 0; i < 2; i++) assert.equal(await client.ask('SET', 'k', 'v'), '+OK\r\n');
  await stats.are(
    of({
      ...counts('get', 3, 0, 3),
      'command.get.error_fault': 3,
      'command.get.delay_fault': 0,
      ...counts('set', 2, 2, 0),
      'command.set.delay_fault': 2,
      'command.set.error_fault': 0,
      'redis.upstream_rq_total': 2,
    }),
  );
  const latency = (await stats.lines('?filter=command.set.latency')).get(
    'redis.test.command.set.latency',
  );
  const fastest = Number(/^P0\(nan,([\d.]+)\)/.exec(latency ?? '')?.[1]);
  assert.ok(fastest >= 58, `the latency holds the delay of 60 ms: ${latency}`);
});

test('redirects that are followed, and those that are not for want of connections', async (t) => {
  // The MOVED trap: one node of a Redis Cluster taken for a server that has every key.
  const [node] = cluster().nodes;
  const followed = await counted(t, {
    seeds: [node?.port ?? 0],
    settings: { enableRedirection: true },
    config: (base) => lone(base, node?.port ?? 0),
  });
  const keys = Array.from({ length: 30 }, (_, i) => `r:${i}`);
  for (const key of keys) assert.equal(await followed.client.ask('SET', key, 'v'), '+OK\r\n');
  const moved = (
    await Promise.all(keys.map((key) => ask(node?.port ?? 0, ['SET', key, 'v']).catch(String)))
  ).filter((reply) => /MOVED/.test(String(reply))).length;
  assert.ok(moved > 5);
  await followed.stats.are(
    of({
      ...counts('set', 30, 30, 0),
      'redis.upstream_internal_redirect_succeeded_total': moved,
      'redis.upstream_internal_redirect_failed_total': 0,
      'redis.upstream_rq_total': 30 + moved,
    }),
  );
  const refused = await counted(t, {
    seeds: [node?.port ?? 0],
    settings: { enableRedirection: true, maxUpstreamUnknownConnections: 0 },
    config: (base) => lone(base, node?.port ?? 0),
  });
  let told = 0;
  for (const key of keys) if (/^-MOVED/.test(await refused.client.ask('SET', key, 'v'))) told++;
  assert.equal(told, moved);
  await refused.stats.are(
    of({
      ...counts('set', 30, 30, 0),
      'redis.upstream_internal_redirect_succeeded_total': 0,
      'redis.upstream_internal_redirect_failed_total': moved,
      'redis.redis_cluster.max_upstream_unknown_connections_reached': moved,
    }),
  );
});

/** A proxy before a server that does what the test says. */
async function before(
  t: TestContext,
  options: Partial<TestProxyOptions> = {},
): Promise<Counted & { readonly node: FakeRedis }> {
  const node = await fakeRedis(t, () => null);
  const all = await counted(t, {
    seeds: [node.port],
    ...options,
    config: (base) => lone(base, node.port),
  });
  return { ...all, node };
}

test('a server that cannot be reached: each try is a failed connection and an error', async (t) => {
  const { client, stats, node } = await before(t);
  await node.close();
  assert.equal(await client.ask('GET', 'k'), '-upstream failure\r\n');
  await stats.are(
    of({
      ...counts('get', 1, 0, 1),
      'redis.upstream_cx_total': 1,
      'redis.upstream_cx_active': 0,
      'redis.upstream_cx_connect_fail': 1,
      'redis.upstream_rq_total': 1,
      'redis.upstream_rq_active': 0,
    }),
  );
});

test('a server that does not answer in time, and one that does not speak RESP', async (t) => {
  const { client, stats, node } = await before(t, { settings: { opTimeoutMs: 50 } });
  assert.deepEqual(
    await client.pipeline([
      ['GET', 'a'],
      ['GET', 'b'],
    ]),
    ['-upstream failure\r\n', '-upstream failure\r\n'],
  );
  // One connection was given up, with both requests on it.
  await stats.are(of({ ...counts('get', 2, 0, 2), 'redis.upstream_rq_timeout': 1 }));
  node.answer = () => 'HTTP/1.1 400\r\n';
  assert.equal(await client.ask('GET', 'a'), '-upstream failure\r\n');
  await stats.are(
    of({
      'redis.upstream_cx_protocol_error': 1,
      'redis.upstream_cx_total': 2,
      ...counts('get', 3, 0, 3),
    }),
  );
});

test('a client that leaves before its reply: the request is cancelled, and neither success nor error', async (t) => {
  let answer: (() => void) | null = null;
  const { client, proxy, stats, node } = await before(t);
  node.answer = (_argv, socket) => {
    answer = () => socket.write('+late\r\n');
    return null;
  };
  client.write('*2\r\n$3\r\nGET\r\n$1\r\nk\r\n');
  await until(() => answer !== null);
  await stats.are(of({ downstream_rq_active: 1, 'redis.upstream_rq_active': 1 }));
  client.socket.resetAndDestroy(); // one that only ends its half is still answered
  await stats.are(of({ downstream_cx_active: 0 }));
  (answer as (() => void) | null)?.();
  await stats.are(
    of({
      downstream_rq_active: 0,
      'redis.upstream_rq_active': 0,
      'redis.upstream_rq_cancelled': 1,
      ...counts('get', 1, 0, 0),
    }),
  );
  assert.equal((await proxy.handle.totals()).clients, 0);
});

test('no route and no host are errors of the command', async (t) => {
  const { client, stats } = await counted(t, {
    seeds: [server.port()],
    config: (base) => ({
      ...base,
      routes: [plainRoute('known:', 'redis'), plainRoute('empty:', 'empty')],
      upstreams: {
        ...base.upstreams,
        empty: upstreamOf([], {
          kind: 'hosts',
          hostSet: { hosts: [], resolve: 'static', balancer: DEFAULT_BALANCER },
        }),
      },
    }),
  });
  for (const key of ['nowhere', 'empty:k'])
    assert.equal(await client.ask('GET', key), '-no upstream host\r\n');
  assert.equal(await client.ask('GET', 'known:k'), '$-1\r\n');
  await stats.are(
    of({ ...counts('get', 3, 1, 2), 'redis.upstream_rq_total': 1, 'empty.upstream_rq_total': 0 }),
  );
});

test('a new configuration goes on counting, and forgets the clusters that are gone', async (t) => {
  const { client, proxy, stats } = await counted(t, { seeds: [server.port()] });
  await client.ask('SET', 'k', 'v');
  await stats.are(of({ ...counts('set', 1, 1, 0), 'redis.upstream_rq_total': 1 }));
  await proxy.handle.reconfigure({
    ...proxy.handle.config,
    routes: [plainRoute(null, 'newer')],
    upstreams: { newer: upstreamOf([`127.0.0.1:${other.port()}`]) },
  });
  await until(() =>
    proxy.others.some(
      (event) => event.type === 'topology' && event.upstreams.newer?.kind === 'single',
    ),
  );
  await client.ask('SET', 'k', 'v');
  await stats.are(of({ ...counts('set', 2, 2, 0), 'newer.upstream_rq_total': 1 }));
  assert.ok(![...(await stats.lines()).keys()].some((name) => name.startsWith('cluster.redis.')));
});
