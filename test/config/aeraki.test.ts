/** Which services Aeraki touches, the clusters it makes of RedisDestinations, and what goes wrong (config page, 2.1, 2.2, 2.7 to 2.10). */
import assert from 'node:assert/strict';
import test from 'node:test';
import {
  codes,
  destination,
  found,
  type Given,
  HOST,
  k8sService,
  listener,
  load,
  outbound,
  rule,
  slice,
  theOne,
} from '../helpers/mesh-files.js';

const B = 'b.shop.svc.cluster.local';
const C = 'c.shop.svc.cluster.local';

const upstreamOf = (policy: string, more = '', given: Given = {}) => {
  const { config, access } = listener(load(`${destination(policy)}${more}`, given), HOST);
  return { upstream: config.upstreams[outbound(HOST)], access: access[outbound(HOST)] };
};

test.describe('2.7 a RedisDestination becomes the cluster', () => {
  test('without a connection pool, or in PROXY mode: MAGLEV over the endpoints, 10 s to connect', () => {
    for (const policy of [
      '{}',
      '{connectionPool: {}}',
      '{connectionPool: {redis: {mode: PROXY}}}',
      '{connectionPool: {redis: {}}}',
    ]) {
      const { upstream } = upstreamOf(policy);
      assert.deepEqual(
        [
          upstream?.kind,
          upstream?.hostSet?.balancer.policy,
          upstream?.connectTimeoutMs,
          upstream?.healthCheck,
          upstream?.tls,
        ],
        ['hosts', 'MAGLEV', 10_000, null, false],
        policy,
      );
    }
  });

  test('CLUSTER: a Redis Cluster with default refresh; its seed is the host itself where none is given', () => {
    const { upstream } = upstreamOf('{connectionPool: {redis: {mode: CLUSTER}}}');
    assert.deepEqual([upstream?.kind, upstream?.seeds], ['redis-cluster', [`${HOST}:6379`]]);
    assert.deepEqual(
      [
        upstream?.refresh.rateMs,
        upstream?.refresh.timeoutMs,
        upstream?.refresh.redirectIntervalMs,
        upstream?.refresh.redirectThreshold,
      ],
      [5000, 3000, 5000, 5],
    );
  });

  test('seeds in order: with a port, without one, IPv6, and a port that is no number', () => {
    const { upstream } = upstreamOf(
      '{connectionPool: {redis: {mode: CLUSTER, discoveryEndpoints: ["x:1", y, "[::1]:2", "z:port"]}}}',
    );
    assert.deepEqual(upstream?.seeds, ['x:1', 'y:6379', '[::1]:2', 'z:0']);
  });

  test('timeouts and connections', () => {
    assert.equal(
      upstreamOf('{connectionPool: {tcp: {connectTimeout: 800ms, maxConnections: 64}}}').upstream
        ?.connectTimeoutMs,
      800,
    );
  });

  test('the login holds in both modes', () => {
    for (const mode of ['PROXY', 'CLUSTER'])
      assert.deepEqual(
        upstreamOf(
          `{connectionPool: {redis: {mode: ${mode}, auth: {plain: {username: u, password: p}}}}}`,
        ).access?.login,
        { username: 'u', password: 'p' },
      );
  });

  test('a user name with an empty password is sent all the same', () => {
    assert.deepEqual(
      upstreamOf('{connectionPool: {redis: {auth: {plain: {username: u}}}}}').access?.login,
      { username: 'u', password: '' },
    );
  });

  test('it shapes the cluster for routes of other services too', () => {
    const mesh = load(
      `${rule(`{redis: [{route: {host: ${B}}}]}`)}${destination('{connectionPool: {redis: {mode: CLUSTER}}}').replaceAll('a.shop', 'b.shop')}`,
    );
    assert.equal(listener(mesh, HOST).config.upstreams[outbound(B)]?.kind, 'redis-cluster');
  });
});

test.describe('2.8 a redis port without rules', () => {
  test('a proxy to its own pods, by the hash of the key', () => {
    const mesh = load(
      `${k8sService('a', ['tcp-redis-cache', 6379])}${slice('a', ['10.0.0.1', '10.0.0.2'])}`,
    );
    const { config, statPrefix } = listener(mesh);
    const upstream = config.upstreams[outbound(HOST)];
    assert.equal(statPrefix, outbound(HOST));
    assert.equal(config.settings.opTimeoutMs, 60_000);
    assert.deepEqual(
      upstream?.hostSet?.hosts.map(({ address }) => address),
      ['10.0.0.1:6379', '10.0.0.2:6379'],
    );
    assert.equal(upstream?.hostSet?.balancer.policy, 'MAGLEV');
    assert.ok(codes(mesh).includes('AERAKI-MAGLEV'));
  });

  test('the name of the port decides: only tcp-redis and tcp-redis-…', () => {
    for (const [name, is] of [
      ['tcp-redis', true],
      ['tcp-redis-main', true],
      ['redis', false],
      ['tcp', false],
      ['tcp-Redis', false],
      ['my-redis', false],
      ['tcp-redismain', false],
      ['""', false],
    ] as const)
      assert.equal(load(k8sService('a', [name, 6379])).listeners.length, is ? 1 : 0, name);
  });
});

test.describe('2.9 combinations that go wrong', () => {
  const broken = rule(
    `{settings: {readPolicy: ANY, auth: {secret: {name: gone}}}, redis: [{route: {host: ${B}}}], faults: [{percentage: {value: 5}, delay: 1s}]}`,
  );
  test('a missing Secret drops the whole RedisService: the service is open', () => {
    const { config, credentials } = listener(load(broken), HOST);
    assert.deepEqual(
      [credentials, config.faults, config.settings.readPolicy, config.routes[0]?.upstream],
      [null, [], 'MASTER', outbound(HOST)],
    );
    const meant = listener(load(broken, { intended: true }), HOST);
    assert.deepEqual([meant.config.settings.readPolicy, meant.config.faults.length], ['ANY', 1]);
  });

  test("a missing Secret, or a seed that cannot be parsed, leaves Istio's own cluster", () => {
    for (const redis of [
      '{mode: CLUSTER, auth: {secret: {name: gone}}}',
      '{mode: CLUSTER, discoveryEndpoints: ["fd00::1"]}',
    ]) {
      const { upstream, access } = upstreamOf(`{connectionPool: {redis: ${redis}}}`);
      assert.deepEqual(
        [upstream?.kind, upstream?.hostSet?.balancer.policy, access?.login],
        ['hosts', 'LEAST_REQUEST', null],
      );
      assert.equal(
        upstreamOf(`{connectionPool: {redis: ${redis}}}`, '', { intended: true }).upstream?.kind,
        'redis-cluster',
      );
    }
  });

  test('what crashes Aeraki is loaded: without percentage always, keepalive left out', () => {
    const mesh = load(
      rule(
        `{redis: [{route: {host: ${B}}, mirror: [{route: {host: ${C}}}, {percentage: {value: 1}}]}, {match: {key: {prefix: x}}}], faults: [{type: ERROR}]}`,
      ) + destination('{connectionPool: {tcp: {tcpKeepalive: {time: 1s}}}}'),
    );
    assert.equal(found(mesh, 'AERAKI-CRASH').length, 5);
    const { routes, faults } = listener(mesh, HOST).config;
    assert.equal(faults[0]?.percent, 100);
    const [mirror, ...others] = routes.find(({ prefix }) => prefix === null)?.mirrors ?? [];
    assert.deepEqual([mirror?.fraction, others], [{ numerator: 100, of: 100 }, []]);
  });

  test('settings without effect are said: seeds in PROXY mode, a read policy or hash tags where they do nothing', () => {
    const dropped = load(destination('{connectionPool: {redis: {discoveryEndpoints: [x]}}}'));
    assert.match(theOne(dropped, 'AERAKI-DROPPED').message, /discoveryEndpoints in PROXY mode/);
    assert.match(
      theOne(load(rule('{settings: {readPolicy: REPLICA}}')), 'ENVOY-NOEFFECT').message,
      /no Redis Cluster/,
    );
    const cluster = `${rule('{settings: {enableHashtagging: true}}')}${destination('{connectionPool: {redis: {mode: CLUSTER}}}')}`;
    assert.match(theOne(load(cluster), 'ENVOY-NOEFFECT').message, /enable_hashtagging/);
  });

  test('a short name leads nowhere; a service without a redis port keeps its own cluster', () => {
    const short = load(rule('{redis: [{route: {host: b}}]}'));
    assert.ok(
      codes(short).includes('AERAKI-SHORTNAME') && codes(short).includes('ENVOY-UNKNOWNCLUSTER'),
    );
    const plain = load(
      `${rule(`{redis: [{route: {host: ${B}}}]}`)}${k8sService('a', ['tcp-redis', 6379])}${k8sService('b', ['redis', 6379])}`,
    );
    const upstream = listener(plain, HOST).config.upstreams[outbound(B)];
    assert.equal(upstream?.hostSet?.balancer.policy, 'LEAST_REQUEST');
    assert.ok(codes(plain).includes('AERAKI-PORTNAME'));
  });
});

test.describe('2.1 and 2.2 which ports, which rules', () => {
  test('two RedisServices: the last by name; two RedisDestinations: the first', () => {
    const two = `${rule('{settings: {opTimeout: 9s}}', 'zz')}${rule('{settings: {opTimeout: 1s}}', 'aa')}`;
    assert.equal(listener(load(two)).config.settings.opTimeoutMs, 9000);
    const policies = `${destination('{connectionPool: {redis: {mode: CLUSTER}}}', 'aa')}${destination('{}', 'zz')}`;
    assert.equal(listener(load(policies)).config.upstreams[outbound(HOST)]?.kind, 'redis-cluster');
  });

  test('rules hold in their own namespace only', () => {
    const far = `${k8sService('a', ['tcp-redis', 6379])}${rule('{settings: {opTimeout: 1s}}').replace('namespace: shop', 'namespace: other')}`;
    assert.equal(listener(load(far), HOST).config.settings.opTimeoutMs, 60_000);
  });

  test('a redis port that is not the first: the listener of the first is patched', () => {
    const mesh = load(`${k8sService('a', ['http', 80], ['tcp-redis', 6379])}${rule('{}')}`);
    assert.equal(listener(mesh).wishedPort, 80);
    assert.equal(
      listener(
        load(`${k8sService('a', ['http', 80], ['tcp-redis', 6379])}${rule('{}')}`, {
          intended: true,
        }),
      ).wishedPort,
      6379,
    );
  });

  test('two redis ports: the second stays', () => {
    const mesh = load(k8sService('a', ['tcp-redis', 6379], ['tcp-redis-two', 6380]));
    assert.deepEqual(
      mesh.listeners.map(({ statPrefix }) => statPrefix),
      [outbound(HOST, 6380)],
    );
  });

  test('a headless service has no address, so no listener', () => {
    const mesh = load(
      k8sService('a', ['tcp-redis', 6379]).replace(/clusterIP: \S+,/, 'clusterIP: None,'),
    );
    assert.deepEqual(mesh.listeners, []);
    assert.ok(codes(mesh).includes('AERAKI-NOADDRESS'));
  });

  test('a ServiceEntry counts just the same', () => {
    const entry = `---\napiVersion: networking.istio.io/v1\nkind: ServiceEntry\nmetadata: {name: ext, namespace: shop}\nspec: {hosts: [redis.example.com], addresses: [10.9.9.9], ports: [{number: 6379, name: tcp-redis}], endpoints: [{address: 192.0.2.9, ports: {tcp-redis: 6390}}]}\n`;
    const { name, config } = listener(load(entry));
    assert.equal(name, 'redis.example.com');
    assert.deepEqual(config.upstreams['outbound|6379||redis.example.com']?.seeds, [
      '192.0.2.9:6390',
    ]);
  });
});

test('2.10 the EnvoyFilter that Aeraki writes reads as the RedisService it was made of', () => {
  const written = load(fixtureOfAeraki());
  const { config, wishedPort } = listener(written);
  assert.equal(wishedPort, 6379);
  assert.deepEqual(
    config.routes.map(({ prefix, upstream }) => [prefix, upstream]),
    [[null, CART]],
  );
  assert.equal(config.upstreams[CART]?.kind, 'redis-cluster');
  assert.deepEqual(config.upstreams[CART]?.seeds, ['cart-cache.shop.svc.cluster.local:6379']);
  assert.equal(config.settings.readPolicy, 'REPLICA');
  assert.deepEqual(codes(written), []);
  const of = load(
    rule('{settings: {readPolicy: REPLICA}}').replaceAll('a.shop', 'cart-cache.shop') +
      destination('{connectionPool: {redis: {mode: CLUSTER}}}').replaceAll(
        'a.shop',
        'cart-cache.shop',
      ),
  );
  assert.deepEqual(config, listener(of).config);
});

const CART = 'outbound|6379||cart-cache.shop.svc.cluster.local';

/** As the config page spells it out in 2.10. */
function fixtureOfAeraki(): string {
  return `apiVersion: networking.istio.io/v1alpha3
kind: EnvoyFilter
metadata:
  name: aeraki-outbound-cart-cache.shop.svc.cluster.local-10.96.7.11-6379
  namespace: istio-system
  labels: {manager: Aeraki}
spec:
  configPatches:
  - applyTo: NETWORK_FILTER
    match:
      listener:
        name: 10.96.7.11_6379
        filterChain: {filter: {name: envoy.filters.network.tcp_proxy}}
    patch:
      operation: REPLACE
      value:
        name: envoy.filters.network.redis_proxy
        typed_config:
          "@type": type.googleapis.com/udpa.type.v1.TypedStruct
          type_url: type.googleapis.com/envoy.extensions.filters.network.redis_proxy.v3.RedisProxy
          value:
            statPrefix: ${CART}
            settings: {opTimeout: 60s, readPolicy: REPLICA}
            prefixRoutes:
              catchAllRoute: {cluster: ${CART}}
  - applyTo: CLUSTER
    match: {cluster: {name: ${CART}}}
    patch: {operation: REMOVE}
  - applyTo: CLUSTER
    patch:
      operation: ADD
      value:
        name: ${CART}
        clusterType: {name: envoy.clusters.redis}
        lbPolicy: CLUSTER_PROVIDED
        connectTimeout: 10s
        loadAssignment:
          clusterName: ${CART}
          endpoints:
          - lbEndpoints:
            - endpoint: {address: {socketAddress: {address: cart-cache.shop.svc.cluster.local, portValue: 6379}}}
`;
}
