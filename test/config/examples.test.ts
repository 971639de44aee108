/** The examples of the config page, section 4, that are Aeraki's or Istio's; those of Envoy's own files are in bootstrap.test.ts. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { codes, fixture, found, listener, load, theOne } from '../helpers/mesh-files.js';

const example = (name: string, given = {}): ReturnType<typeof load> =>
  load(fixture(`examples/${name}.yaml`), given);
const errors = (mesh: ReturnType<typeof load>): string[] =>
  mesh.diagnostics.filter((each) => each.level === 'error').map((each) => each.message);
const of = (service: string, port = 6379): string =>
  `outbound|${port}||${service}.shop.svc.cluster.local`;

test("4.1 the proxy's login: without a password field the Secret's token counts", () => {
  const mesh = example('server-password');
  const { config, access } = listener(mesh);
  assert.deepEqual(access[of('session-cache')]?.login, { username: null, password: 's3cr3t-up' });
  assert.deepEqual(errors(mesh), []);
  assert.doesNotMatch(JSON.stringify([config, mesh.diagnostics]), /s3cr3t/);
});

test("4.2 the clients' login, by the fields that are named, trimmed", () => {
  const mesh = example('client-password');
  const { credentials, config } = listener(mesh);
  assert.deepEqual(credentials, { username: 'appuser', passwords: ['s3cr3t-up'] });
  assert.deepEqual(config.settings.downstreamAuth, { username: 'appuser', passwords: 1 });
  assert.deepEqual(errors(mesh), []);
});

test('4.3 CLUSTER mode: a Redis Cluster with its seeds, 6379 where none says its port', () => {
  const upstream = listener(example('cluster-seeds')).config.upstreams[of('cart-cache')];
  assert.equal(upstream?.kind, 'redis-cluster');
  assert.deepEqual(upstream?.seeds, [
    'cart-cache-0.cart-cache-headless.shop.svc.cluster.local:6379',
    'cart-cache-1.cart-cache-headless.shop.svc.cluster.local:6379',
  ]);
  assert.equal(upstream?.connectTimeoutMs, 800);
});

test('4.4 prefix routes: the longest first, whatever the order of the file', () => {
  const { config, name, wishedPort } = listener(example('prefix-routes'));
  assert.deepEqual([name, wishedPort], ['cart-cache.shop.svc.cluster.local', 6379]);
  assert.deepEqual(
    config.routes.map(({ prefix, upstream, strip }) => [prefix, upstream, strip]),
    [
      ['session:audit:', of('audit-cache', 6380), 0],
      ['session:', of('session-cache'), 8],
      [null, of('cart-cache'), 0],
    ],
  );
  const { opTimeoutMs, enableRedirection, commandStats } = config.settings;
  assert.deepEqual([opTimeoutMs, enableRedirection, commandStats], [2000, true, true]);
});

test('4.5 read policies: PREFER_REPLICA is generated as PREFER_MASTER, or intended', () => {
  const policies = (mesh: ReturnType<typeof load>): string[] =>
    mesh.listeners.map((each) => `${each.name.split('.')[0]} ${each.config.settings.readPolicy}`);
  const generated = example('read-policies');
  assert.deepEqual(policies(generated), [
    'cart-a MASTER',
    'cart-b PREFER_MASTER',
    'cart-c REPLICA',
    'cart-d PREFER_MASTER',
    'cart-e ANY',
  ]);
  assert.equal(theOne(generated, 'AERAKI-PREFERREPLICA').line, 27);
  assert.ok(
    generated.notInForce.some(
      (each) =>
        each.setting === 'settings.readPolicy: PREFER_REPLICA' && each.instead === 'PREFER_MASTER',
    ),
  );
  assert.deepEqual(policies(example('read-policies', { intended: true })), [
    'cart-a MASTER',
    'cart-b PREFER_MASTER',
    'cart-c REPLICA',
    'cart-d PREFER_REPLICA',
    'cart-e ANY',
  ]);
  assert.equal(
    listener(example('read-policies', { service: 'cart-d.shop' })).hosts[0],
    'cart-d.shop.svc.cluster.local',
  );
});

test('4.6 mirrors: percent as millionths, reads left out', () => {
  const [route] = listener(example('mirrors')).config.routes;
  assert.deepEqual(route?.mirrors, [
    {
      upstream: of('audit-cache'),
      excludeReads: true,
      fraction: { numerator: 125_000, of: 1_000_000 },
    },
    {
      upstream: of('session-cache'),
      excludeReads: false,
      fraction: { numerator: 1_000_000, of: 1_000_000 },
    },
  ]);
});

test('4.7 faults: in order, an error may be late, no commands means all', () => {
  const { faults } = listener(example('faults')).config;
  const error = (delayMs: number) => ({
    kind: 'error',
    text: 'Fault Injected: Error',
    delayMs,
    at: 'request',
  });
  assert.deepEqual(faults, [
    { id: 'm1', on: true, percent: 30, commands: ['get', 'hgetall'], action: error(0) },
    { id: 'm2', on: true, percent: 10, commands: ['set'], action: error(250) },
    {
      id: 'm3',
      on: true,
      percent: 50,
      commands: [],
      action: { kind: 'delay', ms: 100, jitterMs: 0, at: 'reply' },
    },
  ]);
});

test('4.8 Redis outside: the ready address of the EndpointSlice, on its own port', () => {
  const mesh = example('outside');
  const upstream = listener(mesh).config.upstreams[of('legacy-redis')];
  assert.deepEqual(
    upstream?.hostSet?.hosts.map((host) => host.address),
    ['192.0.2.17:6390'],
  );
  assert.equal(upstream?.hostSet?.resolve, 'static');
  assert.ok(mesh.addressMap.includes('legacy-redis.shop.svc.cluster.local:6379=192.0.2.17:6390'));
  assert.deepEqual(codes(mesh), []);
});

test('4.11 a pair of EnvoyFilters: Redis Cluster, write mirror, a placeholder in the listener', () => {
  const mesh = example('envoy-filters');
  const { config, name, wishedPort } = listener(mesh);
  assert.deepEqual([name, wishedPort], ['carts', 6379]);
  assert.equal(config.upstreams['cart-nodes']?.kind, 'redis-cluster');
  assert.deepEqual(
    [
      config.upstreams['cart-nodes']?.refresh.rateMs,
      config.upstreams['cart-nodes']?.refresh.redirectThreshold,
    ],
    [10_000, 1],
  );
  assert.deepEqual(config.routes[0]?.mirrors, [
    { upstream: of('audit-cache'), excludeReads: true, fraction: { numerator: 100, of: 100 } },
  ]);
  assert.equal(config.settings.readPolicy, 'PREFER_REPLICA');
  assert.equal(theOne(mesh, 'EF-PLACEHOLDER').level, 'info');
  assert.equal(found(mesh, 'ISTIO-CLUSTER').length, 1);
  assert.equal(
    listener(example('envoy-filters', { set: { CART_VIP: '10.96.7.11' } })).name,
    '10.96.7.11_6379',
  );
});
