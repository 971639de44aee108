/** `/config_dump`: what is loaded comes out in Envoy's words, so that loading it again gives the same; secrets never do. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { configDump, type DumpedListener } from '../../src/admin/config-dump.js';
import type { LoadedListener } from '../../src/config/envoy.js';
import type { LoadedMesh } from '../../src/config/mesh.js';
import { type MeshConfig, singleUpstreamConfig } from '../../src/mesh/config.js';
import { bootstrap, cluster, fixture, listener, load } from '../helpers/mesh-files.js';

const EXAMPLES = [
  'cluster-seeds',
  'prefix-routes',
  'read-policies',
  'server-password',
  'client-password',
  'bootstrap-v2',
  'bootstrap-v3',
  'envoy-filters',
  'mirrors',
  'faults',
];

const ROUTES = bootstrap(
  `
settings: {op_timeout: 1.5s, enable_hashtagging: true, enable_redirection: true, max_upstream_unknown_connections: 0, read_policy: ANY, enable_command_stats: true}
latency_in_micros: true
custom_commands: [json.get]
protocol_version: RESP3
prefix_routes:
  case_insensitive: true
  routes:
  - {prefix: "user:", remove_prefix: true, cluster: a, key_formatter: "x-%KEY%", read_command_policy: {cluster: b}}
  - {prefix: "", cluster: b, request_mirror_policy: [
      {cluster: a, exclude_read_commands: true},
      {cluster: b, runtime_fraction: {default_value: {numerator: 25, denominator: TEN_THOUSAND}}}]}
  catch_all_route: {cluster: a}
downstream_auth_username: {inline_string: app}
downstream_auth_passwords: [{inline_string: s3cret-1}, {inline_string: s3cret-2}]
faults:
- {fault_type: DELAY, delay: 0.25s, fault_enabled: {default_value: {numerator: 10, denominator: HUNDRED}}, commands: [GET]}
- {fault_type: ERROR, fault_enabled: {default_value: {numerator: 3, denominator: HUNDRED}}}
`,
  [
    cluster(
      'a',
      [7001, 7002],
      'type: STATIC, lb_policy: MAGLEV, maglev_lb_config: {table_size: 251}, common_lb_config: {healthy_panic_threshold: {value: 0}}, health_checks: [{interval: 2s, timeout: 1s, unhealthy_threshold: 3, healthy_threshold: 2, custom_health_check: {name: envoy.health_checkers.redis}}]',
    ),
    `{name: b, type: STRICT_DNS, connect_timeout: 0.3s, lb_policy: RING_HASH, ring_hash_lb_config: {minimum_ring_size: 64, hash_function: MURMUR_HASH_2}, common_lb_config: {consistent_hashing_lb_config: {use_hostname_for_hashing: true}}, typed_extension_protocol_options: {envoy.filters.network.redis_proxy: {"@type": type.googleapis.com/envoy.extensions.filters.network.redis_proxy.v3.RedisProtocolOptions, auth_password: {inline_string: s3cret-3}, auth_username: {inline_string: s3cret-user}}}, transport_socket: {name: envoy.transport_sockets.tls, typed_config: {"@type": type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext, sni: redis}}, load_assignment: {cluster_name: b, endpoints: [{lb_endpoints: [{endpoint: {hostname: one, address: {socket_address: {address: one.example, port_value: 6379}}}, load_balancing_weight: 3, metadata: {filter_metadata: {envoy.lb: {hash_key: k1}}}}]}]}}`,
  ],
);

function dumped(each: LoadedListener): DumpedListener {
  return {
    ...each,
    address: { host: '127.0.0.1', port: each.wishedPort ?? 6379 },
    logins: Object.keys(each.access).filter((name) => each.access[name]?.login !== null),
  };
}

/** Passwords and users are redacted, and nobody can log in with that. */
function withoutLogins(config: MeshConfig): MeshConfig {
  return { ...config, settings: { ...config.settings, downstreamAuth: null } };
}

/** How many passwords and users the loader misses in a dump. */
function secretsOf({ config, access }: LoadedListener): number {
  const auth = config.settings.downstreamAuth;
  const logins = Object.values(access).filter(({ login }) => login !== null);
  return logins.length + (auth === null ? 0 : auth.passwords + (auth.username === null ? 0 : 1));
}

function checkRoundTrip(what: string, mesh: LoadedMesh): void {
  assert.ok(mesh.listeners.length > 0, what);
  for (const each of mesh.listeners) {
    const text = JSON.stringify(configDump([dumped(each)]));
    const again = load({ 'dump.json': text });
    const errors = again.diagnostics.filter((found) => found.level === 'error');
    assert.deepEqual(
      errors.map(({ message }) => message).filter((message) => !/ is redacted: /.test(message)),
      [],
      `${what}, ${each.name}`,
    );
    assert.equal(errors.length, secretsOf(each), what);
    const loaded = listener(again);
    assert.deepEqual(withoutLogins(loaded.config), withoutLogins(each.config), what);
    assert.deepEqual(
      [loaded.statPrefix, loaded.latencyInMicros, loaded.wishedPort],
      [each.statPrefix, each.latencyInMicros, each.wishedPort ?? 6379],
    );
  }
}

test('every setting comes back when the dump is loaded', () => {
  const mesh = load(ROUTES);
  const { config } = listener(mesh);
  assert.equal(config.faults.length, 2);
  assert.equal(config.routes[1]?.mirrors.length, 2);
  assert.equal(config.upstreams.b?.tls, true);
  checkRoundTrip('everything', mesh);
});

for (const name of EXAMPLES)
  test(`the example ${name} comes back when its dump is loaded`, () =>
    checkRoundTrip(name, load(fixture(`examples/${name}.yaml`))));

test('no secret is in it, be it a password or a user at a server', () => {
  const text = JSON.stringify(configDump(load(ROUTES).listeners.map(dumped)));
  assert.doesNotMatch(text, /s3cret/);
  assert.equal(text.match(/\[redacted\]/g)?.length, 4, 'a user and two passwords, and one at b');
});

test('several listeners stand side by side, a cluster of both once', () => {
  const [one] = load(ROUTES).listeners.map(dumped);
  assert.ok(one !== undefined);
  const text = JSON.stringify(configDump([one, { ...one, name: 'two', statPrefix: 'two' }]));
  const again = load({ 'dump.json': text });
  assert.deepEqual(
    again.listeners.map((each) => each.statPrefix),
    ['test', 'two'],
  );
  assert.equal(text.match(/"name":"a"/g)?.length, 1);
});

test('what Envoy has no words for: rules stand apart, a fault that is off never fires, auto is a Redis Cluster with a remark', () => {
  const base = singleUpstreamConfig(['127.0.0.1:6379'], { open: true });
  const config: MeshConfig = {
    ...base,
    faults: [
      {
        id: 'm1',
        on: false,
        percent: 30,
        commands: [],
        action: { kind: 'error', text: 'Fault Injected: Error', delayMs: 0, at: 'request' },
      },
    ],
    rules: [
      {
        id: 't1',
        on: true,
        percent: 100,
        scope: 'cmd=GET',
        action: { kind: 'down' },
        seed: 1,
        max: null,
      },
    ],
  };
  const dump = configDump([
    {
      name: 'rmtop',
      statPrefix: 'rmtop',
      address: { host: '127.0.0.1', port: 6380 },
      latencyInMicros: false,
      config,
      logins: [],
    },
  ]);
  const loaded = listener(load({ 'dump.json': JSON.stringify(dump) }));
  assert.equal(loaded.config.faults[0]?.percent, 0);
  assert.equal(loaded.config.upstreams.redis?.kind, 'redis-cluster');
  assert.match(JSON.stringify(dump.configs), /"filter_metadata":\{"rmtop":\{"kind":"auto"\}\}/);
  assert.deepEqual(dump.rmtop, [
    { listener: 'rmtop', version: 1, envoy: '1.40', open: true, rules: config.rules },
  ]);
});
