/** Several upstreams behind one port, hashed hosts, and new configurations while clients are connected: on real servers. */
import assert from 'node:assert/strict';
import test from 'node:test';
import type { OtherEvent } from '../../src/events/event.js';
import { type MeshConfig, plainRoute, upstreamOf } from '../../src/mesh/config.js';
import { bulk } from '../helpers/client.js';
import { ask, sharedCluster, sharedServer } from '../helpers/cluster.js';
import { hostsOf } from '../helpers/mesh.js';
import { startProxy, type TestProxy } from '../helpers/proxy.js';
import { until } from '../helpers/until.js';

const { cluster } = sharedCluster();
const one = sharedServer();
const two = sharedServer();
const three = sharedServer();
const local = (port: number): string => `127.0.0.1:${port}`;

function configOf(proxy: TestProxy): MeshConfig {
  const event = proxy.others.findLast((each) => each.type === 'config');
  if (event?.type !== 'config') throw new TypeError('no configuration yet');
  return event.config;
}

/** The first error in the log. */
async function complaint(proxy: TestProxy): Promise<Extract<OtherEvent, { type: 'log' }>> {
  let found: OtherEvent | undefined;
  await until(() => {
    found = proxy.others.find((event) => event.type === 'log' && event.level === 'error');
    return found !== undefined;
  });
  if (found?.type !== 'log') throw new TypeError('no complaint');
  return found;
}

test('each prefix has its upstream; an MGET may span them', async (t) => {
  const proxy = await startProxy(t, {
    seeds: [cluster().nodes[0]?.port ?? 0],
    config: (base) => ({
      ...base,
      routes: [
        plainRoute(null, 'redis'),
        { ...plainRoute('one:', 'one'), strip: 4 },
        plainRoute('two:', 'two'),
      ],
      upstreams: {
        ...base.upstreams,
        one: upstreamOf([local(one.port())]),
        two: upstreamOf([local(two.port())]),
      },
    }),
  });
  const client = await proxy.client();
  assert.equal(await client.ask('MSET', 'one:k', '1', 'two:k', '2', 'k', '3'), '+OK\r\n');
  assert.equal(
    await client.ask('MGET', 'one:k', 'two:k', 'k'),
    `*3\r\n${bulk('1')}${bulk('2')}${bulk('3')}`,
  );
  assert.equal(await ask(one.port(), ['GET', 'k']), '1');
  assert.equal(await ask(two.port(), ['GET', 'two:k']), '2');
  assert.equal(await client.ask('EVAL', 'return KEYS[1]', '1', 'one:k'), bulk('k'));
  const event = await proxy.event((e) => e.command.name === 'EVAL');
  assert.equal(
    event.decision.action.kind === 'forward' && event.decision.action.parts[0]?.to?.address,
    local(one.port()),
  );
  assert.equal(
    event.request.bytes.toString().includes('one:k'),
    true,
    'the record has what the client sent',
  );
});

test('MAGLEV over three servers shards by key, as the mesh’s table says', async (t) => {
  const ports = [one.port(), two.port(), three.port()];
  const proxy = await startProxy(t, {
    seeds: ports,
    config: (base) => ({
      ...base,
      upstreams: { redis: hostsOf(ports.map(local), { policy: 'MAGLEV' }) },
    }),
  });
  const client = await proxy.client();
  const keys = Array.from({ length: 60 }, (_, i) => `maglev:${i}`);
  for (const key of keys) assert.equal(await client.ask('SET', key, key), '+OK\r\n');
  await until(() => proxy.commands.length >= keys.length);
  const placed = await Promise.all(ports.map((port) => ask(port, ['KEYS', 'maglev:*'])));
  const counts = placed.map((found) => (Array.isArray(found) ? found.length : 0));
  assert.equal(
    counts.reduce((sum, count) => sum + count, 0),
    keys.length,
  );
  assert.ok(
    counts.every((count) => count > 5),
    counts.join(' '),
  );
  for (const event of proxy.commands) {
    const to = event.attempts[0]?.address ?? '';
    const found = placed[ports.map(local).indexOf(to)];
    assert.ok(Array.isArray(found) && found.includes(event.command.text(1)));
  }
});

test('ROUND_ROBIN takes turns whatever the key; names are resolved and say so', async (t) => {
  const ports = [one.port(), two.port()];
  const upstream = hostsOf(
    ports.map((port) => `localhost:${port}`),
    { policy: 'ROUND_ROBIN' },
  );
  const proxy = await startProxy(t, {
    seeds: ports,
    config: (base) => ({
      ...base,
      upstreams: {
        redis: {
          ...upstream,
          hostSet: upstream.hostSet && { ...upstream.hostSet, resolve: 'strict-dns' },
        },
      },
    }),
  });
  const client = await proxy.client();
  for (let i = 0; i < 4; i++) await client.ask('SET', 'same', `${i}`);
  await until(() => proxy.commands.length >= 4);
  assert.deepEqual(
    proxy.commands.map((event) => event.attempts[0]?.address),
    [0, 1, 0, 1].map((i) => local(ports[i] as number)),
  );
});

test('a name that cannot be resolved says what to type', async (t) => {
  const upstream = hostsOf(['redis-0.redis.invalid:6379']);
  const proxy = await startProxy(t, {
    seeds: [1],
    config: (base) => ({
      ...base,
      upstreams: {
        redis: {
          ...upstream,
          hostSet: upstream.hostSet && { ...upstream.hostSet, resolve: 'strict-dns' },
        },
      },
    }),
  });
  const client = await proxy.client();
  assert.equal(await client.ask('GET', 'k'), '-no upstream host\r\n');
  const log = await complaint(proxy);
  assert.match(log.text, /redis-0\.redis\.invalid/);
  assert.match(log.next ?? '', /--map redis-0\.redis\.invalid:6379=/);
});

test('a cluster that the mesh takes for one, and is none, never gets ready, and says why', async (t) => {
  const proxy = await startProxy(t, { seeds: [one.port()], upstream: { kind: 'redis-cluster' } });
  const client = await proxy.client();
  assert.equal(await client.ask('GET', 'k'), '-no upstream host\r\n');
  assert.match((await complaint(proxy)).text, /no Redis Cluster/);
});

test('a new configuration takes effect between two commands, clients stay', async (t) => {
  const proxy = await startProxy(t, { seeds: [one.port()] });
  const client = await proxy.client();
  await client.ask('SET', 'cfg', 'one');
  await until(() => proxy.others.some((event) => event.type === 'config'));
  const base = configOf(proxy);
  await proxy.handle.reconfigure({
    ...base,
    routes: [plainRoute(null, 'two')],
    upstreams: { two: hostsOf([local(two.port())]) },
  });
  await until(() =>
    proxy.others.some(
      (event) =>
        event.type === 'topology' &&
        'two' in event.upstreams &&
        (event.upstreams.two?.servers.length ?? 0) > 0,
    ),
  );
  assert.equal(await client.ask('SET', 'cfg', 'two'), '+OK\r\n');
  assert.equal(await ask(two.port(), ['GET', 'cfg']), 'two');
  assert.equal(await ask(one.port(), ['GET', 'cfg']), 'one');
  const last = await proxy.event((event) => event.seq === 2);
  assert.equal(last.decision.configVersion, 2);
});

test('another read policy makes connections that say READONLY', async (t) => {
  const proxy = await startProxy(t, { seeds: [cluster().nodes[0]?.port ?? 0] });
  const client = await proxy.client();
  await client.ask('SET', 'policy', 'v');
  await until(() => proxy.others.some((event) => event.type === 'config'));
  const base = configOf(proxy);
  await proxy.handle.reconfigure({
    ...base,
    settings: { ...base.settings, readPolicy: 'REPLICA' },
  });
  await until(async () => (await client.ask('GET', 'policy')) === bulk('v'));
  assert.equal(await client.ask('GET', 'policy'), bulk('v'));
});
