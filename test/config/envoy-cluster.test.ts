/** An Envoy cluster: where its hosts come from, how one is chosen, what its servers are reached with (config page, 1.2). */
import assert from 'node:assert/strict';
import test from 'node:test';
import type { Upstream } from '../../src/mesh/config.js';
import {
  bootstrap,
  codes,
  type Given,
  HOST,
  k8sService,
  listener,
  load,
  outbound,
  slice,
  socket,
  TO_A,
  theOne,
} from '../helpers/mesh-files.js';

/** Cluster `a` of a bootstrap, from its fields in flow style. */
function upstream(fields: string, given: Given = {}, more = ''): Upstream {
  return (
    listener(load(`${bootstrap(TO_A, [`{name: a, ${fields}}`])}${more}`, given), 'test').config
      .upstreams.a ?? assert.fail()
  );
}
const endpoints = (...addresses: string[]): string =>
  `load_assignment: {endpoints: [{lb_endpoints: [${addresses
    .map(
      (address) =>
        `{endpoint: {address: ${socket(address.split(':')[0] ?? '', Number(address.split(':')[1]))}}}`,
    )
    .join(', ')}]}]}`;
const TWO = endpoints('10.0.0.1:1', '10.0.0.2:2');
const hosts = ({ hostSet }: Upstream) => hostSet?.hosts.map(({ address }) => address);
const balancer = (fields: string) => upstream(`type: STATIC, ${fields}, ${TWO}`).hostSet?.balancer;

test('STATIC, STRICT_DNS and LOGICAL_DNS, by type or by the extensions that stand for them', () => {
  const resolve = (type: string, to = TWO) =>
    upstream(`${type}, lb_policy: MAGLEV, ${to}`).hostSet?.resolve;
  const named = endpoints('redis:1');
  assert.equal(resolve('type: STATIC'), 'static');
  assert.equal(resolve('connect_timeout: 1s'), 'static', 'the default');
  assert.equal(resolve('type: STRICT_DNS', named), 'strict-dns');
  assert.equal(resolve('type: LOGICAL_DNS', named), 'logical-dns');
  assert.equal(resolve('cluster_type: {name: envoy.cluster.strict_dns}', named), 'strict-dns');
  assert.equal(resolve('cluster_type: {name: envoy.clusters.dns}', named), 'strict-dns');
  assert.equal(
    resolve(
      'cluster_type: {name: envoy.clusters.dns, typed_config: {"@type": x/envoy.extensions.clusters.dns.v3.DnsCluster, all_addresses_in_single_endpoint: true}}',
      named,
    ),
    'logical-dns',
  );
  assert.deepEqual(hosts(upstream(`type: LOGICAL_DNS, ${TWO}`)), ['10.0.0.1:1'], 'one host only');
});

test('a headless service whose endpoints are loaded is its pods, on the port that is written', () => {
  const headless = k8sService('a', ['tcp', 6379]).replace(
    'clusterIP: 10.96.0.1',
    'clusterIP: None',
  );
  const found = upstream(
    `type: STRICT_DNS, lb_policy: MAGLEV, ${endpoints(`${HOST}:6379`)}`,
    {},
    `${headless}${slice('a', ['10.1.0.1', '10.1.0.2'])}`,
  );
  assert.deepEqual(hosts(found), ['10.1.0.1:6379', '10.1.0.2:6379']);
});

test('EDS: of the endpoints that are loaded; else the one address that the name tells; else nobody', () => {
  const eds = (name: string, more = '') => {
    const text = bootstrap(`prefix_routes: {catch_all_route: {cluster: "${name}"}}`, [
      `{name: "${name}", type: EDS, lb_policy: MAGLEV}`,
    ]);
    return hosts(listener(load(`${text}${more}`), 'test').config.upstreams[name] ?? assert.fail());
  };
  assert.deepEqual(eds(outbound(HOST), slice('a', ['10.1.0.1', '10.1.0.2'], 6390)), [
    '10.1.0.1:6390',
    '10.1.0.2:6390',
  ]);
  assert.deepEqual(eds(outbound(HOST)), [`${HOST}:6379`]);
  assert.deepEqual(eds('whatever'), []);
});

test('policies and their settings, of lb_policy and of load_balancing_policy', () => {
  for (const policy of ['ROUND_ROBIN', 'LEAST_REQUEST', 'RANDOM', 'RING_HASH', 'MAGLEV'])
    assert.equal(balancer(`lb_policy: ${policy}`)?.policy, policy);
  assert.equal(balancer('connect_timeout: 1s')?.policy, 'ROUND_ROBIN', 'the default');
  assert.equal(balancer('lb_policy: MAGLEV, maglev_lb_config: {table_size: 251}')?.tableSize, 251);
  assert.deepEqual(
    balancer(
      'lb_policy: RING_HASH, ring_hash_lb_config: {minimum_ring_size: 10, maximum_ring_size: 20, hash_function: MURMUR_HASH_2}',
    )?.ring,
    {
      minimumSize: 10,
      maximumSize: 20,
      hash: 'MURMUR_HASH_2',
    },
  );
  assert.equal(
    balancer(
      'lb_policy: MAGLEV, common_lb_config: {consistent_hashing_lb_config: {use_hostname_for_hashing: true}, healthy_panic_threshold: {value: 10}}',
    )?.hashByHostname,
    true,
  );
  assert.equal(
    balancer('lb_policy: MAGLEV, common_lb_config: {healthy_panic_threshold: {value: 10}}')
      ?.panicThreshold,
    10,
  );
  const newer = (message: string, body = '') =>
    balancer(
      `lb_policy: ROUND_ROBIN, load_balancing_policy: {policies: [{typed_extension_config: {name: unknown, typed_config: {"@type": x/y.Unheard}}}, {typed_extension_config: {name: x, typed_config: {"@type": type.googleapis.com/envoy.extensions.load_balancing_policies.${message}${body}}}}]}`,
    );
  assert.equal(newer('maglev.v3.Maglev', ', table_size: 251')?.tableSize, 251);
  assert.equal(newer('maglev.v3.Maglev')?.policy, 'MAGLEV', 'it goes before lb_policy');
  assert.equal(newer('ring_hash.v3.RingHash')?.policy, 'RING_HASH');
});

test('weights, names and hash keys of endpoints', () => {
  const [host] =
    upstream(
      `lb_policy: MAGLEV, load_assignment: {endpoints: [{lb_endpoints: [{load_balancing_weight: 3, metadata: {filter_metadata: {envoy.lb: {hash_key: k}}}, endpoint: {hostname: h, address: ${socket('10.0.0.1', 1)}}}]}]}`,
    ).hostSet?.hosts ?? [];
  assert.deepEqual(host, { address: '10.0.0.1:1', weight: 3, hashKey: 'k', hostname: 'h' });
});

test('a Redis Cluster: its refresh, wrapped or not, and health checks of type redis', () => {
  const config =
    '{cluster_refresh_rate: 1s, cluster_refresh_timeout: 2s, redirect_refresh_interval: 3s, redirect_refresh_threshold: 0, failure_refresh_threshold: 7, host_degraded_refresh_threshold: 8}';
  const wraps = [
    `{"@type": type.googleapis.com/google.protobuf.Struct, value: ${config}}`,
    `{"@type": type.googleapis.com/udpa.type.v1.TypedStruct, type_url: x/envoy.extensions.clusters.redis.v3.RedisClusterConfig, value: ${config}}`,
    `{"@type": type.googleapis.com/envoy.extensions.clusters.redis.v3.RedisClusterConfig, ${config.slice(1)}`,
  ];
  for (const wrapped of wraps) {
    const found = upstream(
      `lb_policy: CLUSTER_PROVIDED, cluster_type: {name: envoy.clusters.redis, typed_config: ${wrapped}}, ${TWO}, health_checks: [{interval: 4s, timeout: 1s, unhealthy_threshold: 5, healthy_threshold: 6, custom_health_check: {name: envoy.health_checkers.redis}}]`,
    );
    assert.deepEqual(found.refresh, {
      rateMs: 1000,
      timeoutMs: 2000,
      redirectIntervalMs: 3000,
      redirectThreshold: 0,
      failureThreshold: 7,
      degradedThreshold: 8,
    });
    assert.deepEqual(found.healthCheck, {
      intervalMs: 4000,
      timeoutMs: 1000,
      unhealthyThreshold: 5,
      healthyThreshold: 6,
    });
  }
});

const access = (fields: string, given: Given = {}) =>
  listener(load(bootstrap(TO_A, [`{name: a, lb_policy: MAGLEV, ${TWO}, ${fields}}`]), given)).access
    .a;
const options = (body: string): string =>
  `typed_extension_protocol_options: {envoy.filters.network.redis_proxy: {"@type": type.googleapis.com/envoy.extensions.filters.network.redis_proxy.v3.RedisProtocolOptions, ${body}}}`;

test("logins: each kind of source, not trimmed; v2's place; by address", () => {
  const sources: readonly (readonly [source: string, login: string])[] = [
    ['{inline_string: " pw "}', ' pw '],
    ['{inline_bytes: cHcK}', 'pw\n'],
    ['{filename: /etc/pw}', 'of the file\n'],
    ['{environment_variable: PW}', 'of the environment '],
  ];
  const given = { files: { '/etc/pw': 'of the file\n' }, env: { PW: 'of the environment ' } };
  for (const [source, password] of sources) {
    assert.deepEqual(access(options(`auth_password: ${source}`), given)?.login, {
      username: null,
      password,
    });
    const mesh = load(
      bootstrap(TO_A, [
        `{name: a, lb_policy: MAGLEV, ${TWO}, ${options(`auth_password: ${source}`)}}`,
      ]),
      given,
    );
    assert.equal(theOne(mesh, 'ENVOY-WHITESPACE').level, 'warning', 'what is not trimmed is said');
  }
  assert.deepEqual(
    access('extension_protocol_options: {envoy.redis_proxy: {auth_password: {inline_string: p}}}')
      ?.login,
    { username: null, password: 'p' },
  );
  assert.deepEqual(access(options('auth_username: {inline_string: u}'))?.login, {
    username: 'u',
    password: '',
  });
  assert.deepEqual(
    access(
      options(
        'credentials: [{address: {socket_address: {address: 10.0.0.2, port_value: 2}}, auth_password: {inline_string: two}}], auth_password: {inline_string: all}',
      ),
    )?.byAddress,
    { '10.0.0.2:2': { username: null, password: 'two' } },
  );
});

test('TLS: of a transport socket or of v2, with what it trusts and shows', () => {
  const context =
    '{sni: redis.example.com, common_tls_context: {validation_context: {trusted_ca: {inline_string: CA}, match_typed_subject_alt_names: [{san_type: DNS, matcher: {exact: redis.example.com}}]}, tls_certificates: [{certificate_chain: {inline_string: CERT}, private_key: {inline_string: KEY}}]}}';
  const wanted = {
    ca: 'CA',
    cert: 'CERT',
    key: 'KEY',
    serverName: 'redis.example.com',
    verify: true,
    names: ['redis.example.com'],
  };
  assert.deepEqual(
    access(
      `transport_socket: {name: envoy.transport_sockets.tls, typed_config: {"@type": type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext, ${context.slice(1)}}`,
    )?.tls,
    wanted,
  );
  assert.deepEqual(access(`tls_context: ${context}`)?.tls, wanted);
  assert.equal(access('tls_context: {}')?.tls?.verify, false, 'without a CA Envoy checks nothing');
  assert.equal(access('connect_timeout: 1s')?.tls, null);
});

test('a field in the wrong place: where it belongs is said', () => {
  const advice = (proxy: string): string => theOne(load(bootstrap(proxy)), 'READ-UNKNOWN').advice;
  assert.match(advice(`${TO_A}\nread_policy: ANY`), /read_policy belongs under settings/);
  assert.match(
    advice('prefix_routes: {catch_all_route: {cluster: a}, enable_redirection: true}'),
    /belongs under settings/,
  );
  assert.match(
    advice(`settings: {op_timeout: 1s, case_insensitive: true}\n${TO_A}`),
    /belongs under prefix_routes/,
  );
  assert.match(
    advice(`settings: {op_timeout: 1s, enable_hashtaging: true}\n${TO_A}`),
    /did you mean enable_hashtagging/,
  );
  assert.match(advice(`${TO_A}\ncluster_refresh_rate: 1s`), /cluster_type\.typed_config/);
  const crd = load(
    `apiVersion: redis.aeraki.io/v1alpha1\nkind: RedisService\nmetadata: {name: a, namespace: n}\nspec: {host: [${HOST}], readPolicy: ANY}\n`,
  );
  assert.match(theOne(crd, 'READ-SPELLING').advice, /readPolicy belongs under spec\.settings/);
  assert.ok(!codes(crd).includes('READ-UNKNOWN'));
});
