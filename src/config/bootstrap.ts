/** Envoy's own files → the Envoy shape: a bootstrap, an admin `/config_dump`, a lone cluster, a lone filter (config page, 1.2 and 1.6). */
import { joinAddress } from '../mesh/address.js';
import { get, items, type MapNode, type Node, num, placeOf, str } from './node.js';
import { normalise } from './normalise.js';
import { ONLY_V2 } from './schema.js';
import { addCluster, type EndpointShape, type Shape, type World } from './shape.js';
import { field, peel } from './typed.js';

const FILTER_NAMES = ['envoy.filters.network.redis_proxy', 'envoy.redis_proxy'];
const FILTER_TYPE = /\.redis_proxy\.(v2|v3)\.RedisProxy$/;

/** A redis_proxy filter's normalised configuration; null where the filter is another one. */
export function readFilter(filter: Node, world: World): MapNode | null {
  const written = field(filter, 'typed_config') ?? get(filter, 'config');
  const { type, body } = written === undefined ? { type: '', body: undefined } : peel(written);
  // The name proves nothing where a type is given.
  if (type === '' ? !FILTER_NAMES.includes(str(filter, 'name') ?? '') : !FILTER_TYPE.test(type))
    return null;
  const proxy = normalise(
    body ?? { kind: 'map', entries: new Map(), at: filter.at },
    'RedisProxy',
    'envoy',
    world.findings,
  );
  sayV2(
    proxy,
    type.includes('.v2.') ||
      get(filter, 'config') !== undefined ||
      str(filter, 'name') === 'envoy.redis_proxy',
    world,
  );
  return proxy;
}

function sayV2(proxy: MapNode, isV2: boolean, world: World): void {
  const old = [...ONLY_V2].filter(
    (name) => get(proxy, name) !== undefined || get(proxy, 'prefix_routes', name) !== undefined,
  );
  if (!isV2 && old.length === 0) return;
  world.findings.say(
    'ENVOY-V2',
    proxy.at,
    `v2 spelling${old.length > 0 ? ` (${old.join(', ')})` : ''}: too old for today's Envoy`,
    {
      consequence: 'any Envoy from 1.18 on refuses it; it is read here',
      advice:
        'type.googleapis.com/envoy.extensions.filters.network.redis_proxy.v3.RedisProxy, with prefix_routes.catch_all_route',
    },
  );
}

/** `static_resources`. */
export function readBootstrap(root: MapNode, shape: Shape, world: World): void {
  const resources = field(root, 'static_resources');
  for (const listener of items(field(resources, 'listeners')))
    readEnvoyListener(listener, shape, world);
  for (const cluster of items(field(resources, 'clusters')))
    readEnvoyCluster(cluster, shape, world);
}

function readEnvoyListener(listener: Node, shape: Shape, world: World): void {
  for (const chain of items(field(listener, 'filter_chains'))) {
    for (const filter of items(get(chain, 'filters'))) {
      const proxy = readFilter(filter, world);
      if (proxy === null) continue;
      const name = str(listener, 'name') ?? '';
      const address = field(listener, 'address', 'socket_address');
      const port = Number(str(field(address, 'port_value')) ?? Number.NaN);
      shape.listeners.push({
        name,
        hosts: hostsOf(name, world),
        port: Number.isInteger(port) ? port : null,
        proxy,
        at: listener.at,
      });
      return; // the first chain that has one
    }
  }
}

/** The service whose address Istio named the listener after. */
function hostsOf(name: string, world: World): readonly string[] {
  const at = name.lastIndexOf('_');
  return at === -1 ? [] : (world.services.byAddress(name.slice(0, at))?.hosts ?? []);
}

/** One Envoy cluster; nothing where the node has no name. */
export function readEnvoyCluster(node: Node, shape: Shape, world: World): void {
  const body = normalise(node, 'Cluster', 'envoy', world.findings);
  const name = str(body, 'name');
  if (name === null) {
    world.findings.say('ENVOY-REQUIRED', node.at, 'a cluster without a name', {
      consequence: 'Envoy refuses the configuration; it is left out here',
      advice: 'add name: NAME',
    });
    return;
  }
  if (get(body, 'hosts') !== undefined) {
    world.findings.say(
      'ENVOY-V2',
      placeOf(body, 'hosts'),
      `cluster ${name}: hosts is v2 spelling`,
      {
        consequence: 'any Envoy from 1.18 on refuses it; it is read here',
        advice: 'load_assignment with endpoints',
      },
    );
  }
  addCluster(shape, { name, body, at: placeOf(body, 'name') }, world);
}

/** A redis_proxy configuration on its own: a listener without a port. */
export function readLoneFilter(root: MapNode, shape: Shape, world: World): void {
  const { type, body } = peel(root);
  const proxy = normalise(body, 'RedisProxy', 'envoy', world.findings);
  sayV2(proxy, type.includes('.v2.'), world);
  shape.listeners.push({ name: '', hosts: [], port: null, proxy, at: root.at });
}

/** `/config_dump`: what really runs, after every EnvoyFilter and Aeraki rule. */
export function readConfigDump(root: MapNode, shape: Shape, world: World): void {
  for (const config of items(root, 'configs')) {
    const { type } = peel(config);
    if (type.endsWith('ClustersConfigDump')) {
      const clusters = ['static_clusters', 'dynamic_active_clusters'].flatMap((key) =>
        items(field(config, key)),
      );
      for (const each of clusters) {
        const cluster = get(each, 'cluster');
        if (cluster !== undefined) readEnvoyCluster(peel(cluster).body, shape, world);
      }
    } else if (type.endsWith('ListenersConfigDump')) {
      const fixed = items(field(config, 'static_listeners')).map((each) => get(each, 'listener'));
      const dynamic = items(field(config, 'dynamic_listeners')).map((each) =>
        field(each, 'active_state', 'listener'),
      );
      for (const listener of [...fixed, ...dynamic])
        if (listener !== undefined) readEnvoyListener(peel(listener).body, shape, world);
    } else if (type.endsWith('EndpointsConfigDump')) {
      const all = ['static_endpoint_configs', 'dynamic_endpoint_configs'].flatMap((key) =>
        items(field(config, key)),
      );
      for (const each of all) readEndpoints(field(each, 'endpoint_config'), shape, world);
    }
  }
}

function readEndpoints(node: Node | undefined, shape: Shape, world: World): void {
  if (node === undefined) return;
  const assignment = normalise(peel(node).body, 'ClusterLoadAssignment', 'envoy', world.findings);
  const name = str(assignment, 'cluster_name');
  if (name === null) return;
  const endpoints = items(assignment, 'endpoints')
    .flatMap((locality) => items(locality, 'lb_endpoints'))
    .flatMap((each): EndpointShape[] => {
      const host = str(each, 'endpoint', 'address', 'socket_address', 'address');
      const port = num(each, 'endpoint', 'address', 'socket_address', 'port_value');
      if (host === null || port === null) return [];
      return [
        {
          address: joinAddress(host, port),
          hostname: str(each, 'endpoint', 'hostname'),
          weight: num(each, 'load_balancing_weight') ?? 1,
        },
      ];
    });
  shape.endpoints.set(name, endpoints);
}
