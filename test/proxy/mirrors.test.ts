/** Copies to mirrors, on real servers: what they get, that nobody waits for them, and how their replies compare. */
import assert from 'node:assert/strict';
import test, { type TestContext } from 'node:test';
import type { ToleranceSource } from '../../src/compare/tolerances.js';
import type { OtherEvent } from '../../src/events/event.js';
import {
  type MeshConfig,
  type MirrorPolicy,
  plainRoute,
  upstreamOf,
} from '../../src/mesh/config.js';
import { bulk } from '../helpers/client.js';
import { ask, sharedCluster, sharedServer } from '../helpers/cluster.js';
import { fakeRedis } from '../helpers/fake-redis.js';
import { hostsOf } from '../helpers/mesh.js';
import { startProxy, type TestProxy } from '../helpers/proxy.js';
import { until } from '../helpers/until.js';

const { cluster } = sharedCluster();
const mirrorServer = sharedServer();

type MirrorEvent = Extract<OtherEvent, { type: 'mirror' }>;

type Options = {
  readonly to: number;
  readonly strip?: string;
  readonly policy?: Partial<MirrorPolicy>;
  readonly tolerances?: ToleranceSource;
};

/** A proxy in front of the cluster, with one mirror on port `to`. */
function mirrored(
  t: TestContext,
  { to, strip, policy, tolerances = [] }: Options,
): Promise<TestProxy> {
  const mirror: MirrorPolicy = {
    upstream: 'copy',
    fraction: { numerator: 100, of: 100 },
    excludeReads: false,
    ...policy,
  };
  return startProxy(t, {
    seeds: [cluster().nodes[0]?.port ?? 0],
    tolerances,
    config: (base) => ({
      ...base,
      routes: [
        { ...plainRoute(null, 'redis'), mirrors: [mirror] },
        ...(strip === undefined
          ? []
          : [{ ...plainRoute(strip, 'redis'), strip: strip.length, mirrors: [mirror] }]),
      ],
      upstreams: { ...base.upstreams, copy: upstreamOf([`127.0.0.1:${to}`]) },
    }),
  });
}

async function mirrorEvents(proxy: TestProxy, count: number): Promise<MirrorEvent[]> {
  const found = (): MirrorEvent[] =>
    proxy.others.filter((event): event is MirrorEvent => event.type === 'mirror');
  await until(() => found().length >= count);
  return found();
}

test.beforeEach(async () => {
  await ask(mirrorServer.port(), ['FLUSHALL']);
});

test('a mirror gets what the servers get, and its equal replies are counted', async (t) => {
  const proxy = await mirrored(t, { to: mirrorServer.port() });
  const client = await proxy.client();
  assert.equal(await client.ask('SET', 'm:a', '1'), '+OK\r\n');
  assert.equal(await client.ask('INCR', 'm:a'), ':2\r\n');
  assert.equal(await client.ask('MSET', 'm:b', '3', 'm:c', '4'), '+OK\r\n');
  const events = await mirrorEvents(proxy, 4);
  assert.deepEqual(
    events.map((event) => event.state),
    ['same', 'same', 'same', 'same'],
  );
  assert.equal(await ask(mirrorServer.port(), ['MGET', 'm:a', 'm:b', 'm:c']).then(String), '2,3,4');
  const { mirrors } = await proxy.handle.totals();
  assert.deepEqual(
    [mirrors.copy?.chosen, mirrors.copy?.sent, mirrors.copy?.same, mirrors.copy?.different],
    [4, 4, 4, 0],
  );
});

test('a reply that differs is told with the place, and with what the mirror said', async (t) => {
  const proxy = await mirrored(t, { to: mirrorServer.port() });
  await ask(mirrorServer.port(), ['SET', 'm:n', '16']);
  const client = await proxy.client();
  await client.ask('DEL', 'm:other');
  await client.ask('SET', 'm:n', '17', 'GET');
  assert.equal(await client.ask('INCR', 'm:n'), ':18\r\n');
  await ask(mirrorServer.port(), ['SET', 'm:n', '40']);
  await client.ask('INCR', 'm:n');
  const events = await mirrorEvents(proxy, 4);
  const last = events.at(-1);
  assert.equal(last?.state, 'diff');
  assert.match(last?.detail ?? '', /19.*41/);
  assert.equal(last?.reply, ':41\r\n');
  assert.ok((last?.durationUs ?? 0) > 0);
});

test('what a rule of the user lets differ counts as the same, under its name; all else does not', async (t) => {
  const proxy = await mirrored(t, {
    to: mirrorServer.port(),
    strip: 'pre:',
    tolerances: [{ name: 'counters', if: 'key=pre:m:n cmd=INCR', within: 30 }],
  });
  const client = await proxy.client();
  let copies = 0;
  for (const theirs of ['20', '99']) {
    await client.ask('SET', 'pre:m:n', '1');
    await mirrorEvents(proxy, ++copies);
    await ask(mirrorServer.port(), ['SET', 'm:n', theirs]);
    await client.ask('INCR', 'pre:m:n');
    await mirrorEvents(proxy, ++copies);
  }
  const events = await mirrorEvents(proxy, 4);
  const states = events.map(({ state, detail }) => [state, detail]);
  assert.deepEqual(states[1], ['same', 'counters']);
  assert.equal(states[3]?.[0], 'diff');
});

test('the key is cut before it is copied', async (t) => {
  const proxy = await mirrored(t, { to: mirrorServer.port(), strip: 'pre:' });
  const client = await proxy.client();
  await client.ask('SET', 'pre:short', 'v');
  assert.equal(await client.ask('MGET', 'pre:short', 'pre:none'), `*2\r\n${bulk('v')}$-1\r\n`);
  await mirrorEvents(proxy, 3);
  assert.equal(await ask(mirrorServer.port(), ['GET', 'short']), 'v');
});

test('reads may be left out', async (t) => {
  const proxy = await mirrored(t, { to: mirrorServer.port(), policy: { excludeReads: true } });
  const client = await proxy.client();
  await client.ask('GET', 'm:x');
  await client.ask('SET', 'm:x', '1');
  const [event] = await mirrorEvents(proxy, 1);
  assert.equal(event?.seq, 2);
  assert.equal((await proxy.handle.totals()).mirrors.copy?.chosen, 1);
});

test('a transaction is copied on a connection of its own, EXEC and all', async (t) => {
  const proxy = await mirrored(t, { to: mirrorServer.port() });
  const client = await proxy.client();
  const replies = await client.pipeline([
    ['MULTI'],
    ['SET', 'm:tx', '1'],
    ['INCR', 'm:tx'],
    ['EXEC'],
  ]);
  assert.equal(replies.at(-1), '*2\r\n+OK\r\n:2\r\n');
  const events = await mirrorEvents(proxy, 3);
  assert.deepEqual(
    events.map((event) => event.state),
    ['same', 'same', 'same'],
  );
  assert.equal(await ask(mirrorServer.port(), ['GET', 'm:tx']), '2');
});

test('a mirror that is dead costs the client nothing: copies fail, then are dropped, and are counted', async (t) => {
  const gone = await fakeRedis(t, () => '+OK\r\n');
  await gone.close();
  const proxy = await mirrored(t, { to: gone.port });
  await proxy.handle.reconfigure(withoutDiscovery(await configOf(proxy), gone.port));
  const client = await proxy.client();
  for (let i = 0; i < 50; i++) assert.equal(await client.ask('SET', 'm:d', `${i}`), '+OK\r\n');
  const events = await mirrorEvents(proxy, 50);
  assert.equal(events[0]?.state, 'failed');
  assert.equal(events[0]?.cause?.code, 'refused');
  assert.ok(events.slice(1).some((event) => event.state === 'dropped'));
  const { mirrors } = await proxy.handle.totals();
  assert.equal(mirrors.copy?.chosen, 50);
  assert.equal((mirrors.copy?.sent ?? 0) + (mirrors.copy?.dropped ?? 0), 50);
});

test('a mirror that never answers holds so much and no more', async (t) => {
  const silent = await fakeRedis(t, (argv) =>
    argv[0] === 'CLUSTER' ? '-ERR unknown command\r\n' : null,
  );
  const proxy = await mirrored(t, { to: silent.port });
  const client = await proxy.client();
  const value = 'x'.repeat(64 * 1024);
  for (let i = 0; i < 10; i++)
    await client.pipeline(Array.from({ length: 50 }, (_, n) => ['SET', `m:s${n}`, value]));
  const { mirrors } = await proxy.handle.totals();
  assert.equal(mirrors.copy?.chosen, 500);
  assert.ok((mirrors.copy?.dropped ?? 0) > 200, `${mirrors.copy?.dropped} dropped`);
  assert.equal(await client.ask('GET', 'm:s1'), bulk(value));
});

async function configOf(proxy: TestProxy): Promise<MeshConfig> {
  let config: Extract<OtherEvent, { type: 'config' }> | undefined;
  await until(() => {
    config = proxy.others.find((event) => event.type === 'config');
    return config !== undefined;
  });
  if (config === undefined) throw new TypeError('no configuration');
  return config.config;
}

/** The mirror as a set of one host: it counts as there, whether it is or not. */
function withoutDiscovery(config: MeshConfig, port: number): MeshConfig {
  const address = `127.0.0.1:${port}`;
  return {
    ...config,
    upstreams: { ...config.upstreams, copy: hostsOf([address]) },
  };
}
