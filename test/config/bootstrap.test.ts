import assert from 'node:assert/strict';
import test from 'node:test';
import {
  bootstrap,
  cluster,
  codes,
  fixture,
  listener,
  load,
  socket,
  TO_A,
  theOne,
} from '../helpers/mesh-files.js';

test('example 4.9: prefix, mirror, fault and both logins of a bootstrap', () => {
  const mesh = load(fixture('examples/bootstrap-v3.yaml'));
  const { config, credentials, access, wishedPort } = listener(mesh, 'carts');
  assert.deepEqual(codes(mesh), []);
  assert.equal(wishedPort, 6400);
  assert.deepEqual(
    config.routes.map(({ prefix, upstream, strip }) => [prefix, upstream, strip]),
    [
      ['session:', 'session', 8],
      [null, 'shards', 0],
    ],
  );
  assert.deepEqual(config.routes[1]?.mirrors, [
    { upstream: 'session', excludeReads: true, fraction: { numerator: 25, of: 100 } },
  ]);
  assert.deepEqual(config.faults, [
    {
      id: 'm1',
      on: true,
      percent: 10,
      commands: ['get'],
      action: { kind: 'error', text: 'Fault Injected: Error', delayMs: 0, at: 'request' },
    },
  ]);
  assert.deepEqual(
    config.upstreams.shards?.hostSet?.hosts.map((host) => host.address),
    ['127.0.0.1:7001', '127.0.0.1:7002', '127.0.0.1:7003'],
  );
  assert.equal(config.upstreams.shards?.hostSet?.balancer.policy, 'MAGLEV');
  assert.equal(config.upstreams.session?.hostSet?.resolve, 'strict-dns');
  assert.equal(config.settings.hashtagging, true);
  assert.deepEqual(credentials, { username: null, passwords: ['letmein'] });
  assert.deepEqual(access.session?.login, { username: null, password: 's3cr3t-up' });
  assert.doesNotMatch(JSON.stringify(config), /letmein|s3cr3t/, 'a configuration holds no secret');
});

test('example 4.10: v2 spelling is read, and said to be too old', () => {
  const mesh = load(fixture('examples/bootstrap-v2.yaml'));
  const { config, name, wishedPort } = listener(mesh);
  assert.deepEqual([name, wishedPort], ['old', 6401]);
  assert.deepEqual(
    config.routes.map(({ prefix, upstream }) => [prefix, upstream]),
    [[null, 'farm']],
  );
  const { farm } = config.upstreams;
  assert.deepEqual(farm?.seeds, ['farm-1.example.test:6379', 'farm-2.example.test:6379']);
  assert.equal(farm?.hostSet?.balancer.policy, 'RING_HASH');
  assert.equal(farm?.connectTimeoutMs, 250);
  assert.deepEqual(codes(mesh), ['ENVOY-V2']);
});

const filter = (name: string, config: string): string => `
static_resources:
  listeners:
  - name: l
    filter_chains:
    - filters: [{name: envoy.filters.network.http_connection_manager, typed_config: {"@type": type.googleapis.com/x.HttpConnectionManager}}]
    - filters:
      - name: ${name}
${config}
`;
const BODY =
  '{stat_prefix: s, settings: {op_timeout: 1s}, prefix_routes: {catch_all_route: {cluster: c}}}';

test.describe('a filter is a redis_proxy', () => {
  const YES: readonly (readonly [why: string, name: string, config: string])[] = [
    [
      'by its v3 type, whatever its name',
      'anything',
      `        typed_config: {"@type": type.googleapis.com/envoy.extensions.filters.network.redis_proxy.v3.RedisProxy, ${BODY.slice(1)}`,
    ],
    [
      'by its v2 type',
      'x',
      `        typed_config: {"@type": type.googleapis.com/envoy.config.filter.network.redis_proxy.v2.RedisProxy, ${BODY.slice(1)}`,
    ],
    [
      'by its name where no type is given',
      'envoy.filters.network.redis_proxy',
      `        typed_config: ${BODY}`,
    ],
    ['by its old name with config', 'envoy.redis_proxy', `        config: ${BODY}`],
    [
      'within a TypedStruct',
      'x',
      `        typed_config: {"@type": type.googleapis.com/udpa.type.v1.TypedStruct, type_url: type.googleapis.com/envoy.extensions.filters.network.redis_proxy.v3.RedisProxy, value: ${BODY}}`,
    ],
    [
      'within a TypedStruct of xds, camelCase',
      'x',
      `        typedConfig: {"@type": type.googleapis.com/xds.type.v3.TypedStruct, typeUrl: type.googleapis.com/envoy.extensions.filters.network.redis_proxy.v3.RedisProxy, value: ${BODY}}`,
    ],
    [
      'within a Struct',
      'envoy.filters.network.redis_proxy',
      `        typed_config: {"@type": type.googleapis.com/google.protobuf.Struct, value: ${BODY}}`,
    ],
  ];
  for (const [why, name, config] of YES) {
    test(why, () => assert.equal(listener(load(filter(name, config))).statPrefix, 's'));
  }
  test('and not by its name alone where the type is another', () => {
    const config = `        typed_config: {"@type": type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy, ${BODY.slice(1)}`;
    assert.equal(load(filter('envoy.filters.network.redis_proxy', config)).listeners.length, 0);
  });
});

test('several listeners are several proxies; --service picks by name or stat_prefix', () => {
  const two = `${bootstrap(TO_A)}---${bootstrap(TO_A)
    .replace('name: test', 'name: second')
    .replace('stat_prefix: test', 'stat_prefix: other')
    .replace('6400', '6401')
    .replace(/clusters:[\s\S]*/, '')}`;
  assert.deepEqual(
    load(two).listeners.map((each) => [each.name, each.wishedPort]),
    [
      ['test', 6400],
      ['second', 6401],
    ],
  );
  assert.equal(listener(load(two, { service: 'second' })).wishedPort, 6401);
  assert.equal(listener(load(two, { service: 'other' })).wishedPort, 6401);
  const none = load(two, { service: 'third' });
  assert.match(theOne(none, 'READ-NOTHING').advice, /test, second/);
});

test('a lone cluster and a lone filter make a mesh', () => {
  const mesh = load({
    'c.yaml': cluster('a', [1, 2]),
    'f.yaml': `"@type": type.googleapis.com/envoy.extensions.filters.network.redis_proxy.v3.RedisProxy\nstat_prefix: s\nsettings: {op_timeout: 1s}\n${TO_A}`,
  });
  assert.deepEqual(codes(mesh), []);
  assert.deepEqual(listener(mesh).config.upstreams.a?.seeds, ['127.0.0.1:1', '127.0.0.1:2']);
  assert.equal(listener(mesh).wishedPort, null);
});

test('a config dump: static and dynamic listeners and clusters, EDS endpoints, redacted passwords', () => {
  const listenerOf = (name: string, to: string, more = ''): string =>
    `{name: ${name}, address: ${socket('0.0.0.0', 6379)}, filter_chains: [{filters: [{name: x, typed_config: {"@type": type.googleapis.com/envoy.extensions.filters.network.redis_proxy.v3.RedisProxy, stat_prefix: ${to}, settings: {op_timeout: 5s}, prefix_routes: {catch_all_route: {cluster: ${to}}}${more}}}]}]}`;
  const mesh = load(`
configs:
- "@type": type.googleapis.com/envoy.admin.v3.ClustersConfigDump
  static_clusters: [{cluster: ${cluster('fixed')}}]
  dynamic_active_clusters: [{cluster: {"@type": type.googleapis.com/envoy.config.cluster.v3.Cluster, name: dyn, type: EDS, lb_policy: MAGLEV, eds_cluster_config: {service_name: eds-name}}}]
- "@type": type.googleapis.com/envoy.admin.v3.ListenersConfigDump
  static_listeners: [{listener: ${listenerOf('one', 'fixed', ', downstream_auth_password: {inline_string: "[redacted]"}')}}]
  dynamic_listeners: [{name: 10.96.7.11_6379, active_state: {listener: ${listenerOf('10.96.7.11_6379', 'dyn')}}}]
- "@type": type.googleapis.com/envoy.admin.v3.EndpointsConfigDump
  dynamic_endpoint_configs: [{endpoint_config: {cluster_name: eds-name, endpoints: [{lb_endpoints: [{endpoint: {address: ${socket('10.1.0.1', 6379)}}, load_balancing_weight: 3}, {endpoint: {address: ${socket('10.1.0.2', 6379)}}}]}]}}]
`);
  assert.deepEqual(
    mesh.listeners.map((each) => each.name),
    ['one', '10.96.7.11_6379'],
  );
  assert.deepEqual(
    listener(mesh, '10.96.7.11_6379').config.upstreams.dyn?.hostSet?.hosts.map((host) => [
      host.address,
      host.weight,
    ]),
    [
      ['10.1.0.1:6379', 3],
      ['10.1.0.2:6379', 1],
    ],
  );
  assert.equal(listener(mesh, 'one').credentials, null);
  assert.match(theOne(mesh, 'ENVOY-REDACTED').advice, /--downstream-auth-file/);
  assert.deepEqual(codes(mesh), ['ENVOY-REDACTED']);
});
