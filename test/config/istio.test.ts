/** EnvoyFilters: what each patch does, and in which order (config page, 1.3). */
import assert from 'node:assert/strict';
import test from 'node:test';
import { parseIstioName } from '../../src/config/istio-name.js';
import {
  cluster,
  codes,
  found,
  k8sService,
  listener,
  load,
  theOne,
} from '../helpers/mesh-files.js';

type Filter = {
  readonly name?: string;
  readonly namespace?: string;
  readonly spec?: string;
  readonly patches: readonly string[];
};

/** An EnvoyFilter of these patches, in flow style. */
function envoyFilter({ name = 'f', namespace = 'shop', spec = '', patches }: Filter): string {
  return `---\napiVersion: networking.istio.io/v1alpha3\nkind: EnvoyFilter\nmetadata: {name: ${name}, namespace: ${namespace}}\nspec: {${spec}configPatches: [${patches.join(', ')}]}\n`;
}

const LISTENER = 'name: 10.96.0.1_6379';
const TCP = 'filterChain: {filter: {name: envoy.filters.network.tcp_proxy}}';
const redis = (to: string, more = ''): string =>
  `{name: envoy.filters.network.redis_proxy, typed_config: {"@type": type.googleapis.com/envoy.extensions.filters.network.redis_proxy.v3.RedisProxy, stat_prefix: ${to}, settings: {op_timeout: 1s}, prefix_routes: {catch_all_route: {cluster: ${to}}}${more}}}`;
const network = (operation: string, value: string, match = `${LISTENER}, ${TCP}`): string =>
  `{applyTo: NETWORK_FILTER, match: {listener: {${match}}}, patch: {operation: ${operation}, value: ${value}}}`;
const clusterPatch = (operation: string, value: string, match = '{}'): string =>
  `{applyTo: CLUSTER, match: ${match}, patch: {operation: ${operation}${value === '' ? '' : `, value: ${value}`}}}`;
const ADD_A = clusterPatch('ADD', cluster('a'));

test('every operation that puts a redis_proxy there makes a listener, on the port of its name', () => {
  for (const operation of ['REPLACE', 'INSERT_BEFORE', 'INSERT_AFTER', 'INSERT_FIRST', 'ADD']) {
    const { wishedPort, name } = listener(
      load(envoyFilter({ patches: [network(operation, redis('a')), ADD_A] })),
    );
    assert.deepEqual([wishedPort, name], [6379, '10.96.0.1_6379'], operation);
  }
  const byPort = load(
    envoyFilter({ patches: [network('ADD', redis('a'), 'portNumber: 7000'), ADD_A] }),
  );
  assert.equal(listener(byPort).wishedPort, 7000);
});

test('a listener is called after the Service whose address it has', () => {
  const mesh = load(
    `${envoyFilter({ patches: [network('REPLACE', redis('a')), ADD_A] })}${k8sService('cart', ['x', 1])}`,
  );
  assert.equal(listener(mesh).name, 'cart.shop.svc.cluster.local');
});

test('MERGE: scalars of the patch win, lists append; REMOVE takes the proxy away', () => {
  const faults = (percent: number): string =>
    `faults: [{fault_type: ERROR, fault_enabled: {default_value: {numerator: ${percent}}}}]`;
  const merge = `{name: envoy.filters.network.redis_proxy, typed_config: {settings: {op_timeout: 9s}, ${faults(2)}}}`;
  const mesh = load(
    envoyFilter({
      patches: [
        network('REPLACE', redis('a', `, ${faults(1)}`)),
        network('MERGE', merge, LISTENER),
        ADD_A,
      ],
    }),
  );
  const { config } = listener(mesh);
  assert.equal(config.settings.opTimeoutMs, 9000);
  assert.deepEqual(
    config.faults.map(({ percent }) => percent),
    [1, 2],
  );
  const gone = load(
    envoyFilter({
      patches: [
        network('REPLACE', redis('a')),
        network(
          'REMOVE',
          '{}',
          `${LISTENER}, filterChain: {filter: {name: envoy.filters.network.redis_proxy}}`,
        ),
        ADD_A,
      ],
    }),
  );
  assert.deepEqual(gone.listeners, []);
});

test('a second REPLACE of the TCP proxy finds none any more: the first counts', () => {
  const mesh = load(
    envoyFilter({
      patches: [network('REPLACE', redis('a')), network('REPLACE', redis('b')), ADD_A],
    }),
  );
  assert.equal(listener(mesh).statPrefix, 'a');
  assert.match(theOne(mesh, 'EF-IGNORED').message, /has a redis_proxy already/);
});

test('clusters: ADD and the inserts add, REMOVE before ADD replaces, MERGE changes', () => {
  for (const operation of ['ADD', 'INSERT_FIRST', 'INSERT_BEFORE', 'INSERT_AFTER']) {
    const mesh = load(
      envoyFilter({
        patches: [network('REPLACE', redis('a')), clusterPatch(operation, cluster('a', [1, 2]))],
      }),
    );
    assert.equal(listener(mesh).config.upstreams.a?.seeds.length, 2, operation);
    assert.deepEqual(codes(mesh), [], operation);
  }
  const twice = load(
    envoyFilter({
      patches: [network('REPLACE', redis('a')), ADD_A, clusterPatch('ADD', cluster('a', [9]))],
    }),
  );
  assert.deepEqual(listener(twice).config.upstreams.a?.seeds, ['127.0.0.1:9'], 'the last one');
  assert.equal(found(twice, 'ENVOY-DUPCLUSTER').length, 1);
  const replaced = load(
    envoyFilter({
      patches: [
        network('REPLACE', redis('a')),
        ADD_A,
        clusterPatch('REMOVE', '', '{cluster: {name: a}}'),
        clusterPatch('ADD', cluster('a', [9])),
      ],
    }),
  );
  assert.deepEqual(listener(replaced).config.upstreams.a?.seeds, ['127.0.0.1:9']);
  assert.deepEqual(codes(replaced), []);
  const merged = load(
    envoyFilter({
      patches: [
        network('REPLACE', redis('a')),
        ADD_A,
        clusterPatch('MERGE', '{connect_timeout: 7s}', '{cluster: {name: a}}'),
      ],
    }),
  );
  assert.equal(listener(merged).config.upstreams.a?.connectTimeoutMs, 7000);
});

test("MERGE into a cluster of Istio's own makes a Redis Cluster of a service", () => {
  const name = 'outbound|6379||cart.shop.svc.cluster.local';
  const value = `{lb_policy: CLUSTER_PROVIDED, cluster_type: {name: envoy.clusters.redis}, load_assignment: {endpoints: [{lb_endpoints: [{endpoint: {address: {socket_address: {address: cart-0, port_value: 6379}}}}]}]}}`;
  for (const match of [
    `{cluster: {name: "${name}"}}`,
    '{cluster: {service: cart.shop.svc.cluster.local, portNumber: 6379}}',
  ]) {
    const mesh = load(
      envoyFilter({
        patches: [network('REPLACE', redis(`"${name}"`)), clusterPatch('MERGE', value, match)],
      }),
    );
    const upstream = listener(mesh).config.upstreams[name];
    assert.deepEqual([upstream?.kind, upstream?.seeds], ['redis-cluster', ['cart-0:6379']]);
    assert.deepEqual(codes(mesh), []);
  }
});

test("Istio's order: the root namespace first, then by priority, then by age, then as they stand", () => {
  const timeout = (name: string, ms: number, namespace: string, more = '', metadata = ''): string =>
    envoyFilter({
      name: `${name}${metadata}`,
      namespace,
      spec: more,
      patches: [
        network(
          'MERGE',
          `{name: envoy.filters.network.redis_proxy, typed_config: {settings: {op_timeout: ${ms / 1000}s}}}`,
          LISTENER,
        ),
      ],
    });
  const base = envoyFilter({
    name: 'base',
    namespace: 'istio-system',
    patches: [network('REPLACE', redis('a')), ADD_A],
  });
  const opTimeout = (...filters: string[]): number =>
    listener(load([...filters, base].join(''))).config.settings.opTimeoutMs;
  assert.equal(opTimeout(timeout('x', 2000, 'shop')), 2000, 'though it stands before the base');
  assert.equal(
    opTimeout(
      timeout('x', 2000, 'shop', 'priority: 5, '),
      timeout('y', 3000, 'shop', 'priority: -5, '),
    ),
    2000,
  );
  assert.equal(
    opTimeout(
      timeout('x', 2000, 'shop', '', ', creationTimestamp: "2026-02-01"'),
      timeout('y', 3000, 'shop', '', ', creationTimestamp: "2026-01-01"'),
    ),
    2000,
  );
  assert.equal(opTimeout(timeout('x', 2000, 'shop'), timeout('y', 3000, 'shop')), 3000);
});

test('inbound patches and other kinds of patches are left out, and said', () => {
  const mesh = load(
    envoyFilter({
      patches: [
        network('REPLACE', redis('a')),
        ADD_A,
        network(
          'REPLACE',
          redis('in'),
          'name: virtualInbound, filterChain: {destinationPort: 6379}',
        ),
        '{applyTo: HTTP_FILTER, patch: {operation: ADD, value: {name: x}}}',
        '{applyTo: NETWORK_FILTER, patch: {operation: ADD, value: {name: envoy.filters.network.mongo_proxy}}}',
      ],
    }),
  );
  assert.equal(mesh.listeners.length, 1);
  assert.equal(found(mesh, 'EF-IGNORED').length, 3);
});

test("Istio's names of clusters, in both spellings", () => {
  assert.deepEqual(parseIstioName('outbound|6379||h.ns.svc.cluster.local'), {
    direction: 'outbound',
    port: 6379,
    subset: '',
    host: 'h.ns.svc.cluster.local',
  });
  assert.deepEqual(parseIstioName('outbound|6379|v1|h'), {
    direction: 'outbound',
    port: 6379,
    subset: 'v1',
    host: 'h',
  });
  assert.deepEqual(parseIstioName('outbound_.6379_._.h.ns'), {
    direction: 'outbound',
    port: 6379,
    subset: '',
    host: 'h.ns',
  });
  assert.deepEqual(parseIstioName('inbound|6379||'), {
    direction: 'inbound',
    port: 6379,
    subset: '',
    host: '',
  });
  for (const name of [
    'PassthroughCluster',
    'redis',
    'outbound|x||h',
    'outbound|1|h',
    'sideways|1||h',
  ])
    assert.equal(parseIstioName(name), null, name);
});
