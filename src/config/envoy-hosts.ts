/** The hosts of an Envoy cluster that is no Redis Cluster, as its type says (config page, 1.2). */
import { isIpLiteral, joinAddress } from '../mesh/address.js';
import type { Balancer, HostSet, HostSpec } from '../mesh/config.js';
import type { Position } from './diagnostic.js';
import { placeholdersIn } from './documents.js';
import { parseIstioName } from './istio-name.js';
import { get, isTrue, items, type MapNode, type Node, num, placeOf, str } from './node.js';
import type { ClusterShape, EndpointShape, Shape, World } from './shape.js';
import { field, peel } from './typed.js';

/** What the `type`, or the extension that stands for it in newer Envoys, says. */
function discoveryType(body: MapNode, world: World): string {
  const custom = str(body, 'cluster_type', 'name');
  if (custom === null) return str(body, 'type') ?? 'STATIC';
  const known = /^envoy\.clusters?\.(static|strict_dns|logical_dns|eds)$/.exec(custom)?.[1];
  if (known !== undefined) return known.toUpperCase();
  if (custom === 'envoy.clusters.dns') {
    const config = get(body, 'cluster_type', 'typed_config');
    const isLogical =
      config !== undefined && isTrue(field(peel(config).body, 'all_addresses_in_single_endpoint'));
    return isLogical ? 'LOGICAL_DNS' : 'STRICT_DNS';
  }
  world.findings.say(
    'ENVOY-NOTLOCAL',
    placeOf(body, 'cluster_type'),
    `cluster_type ${custom} has no meaning here`,
    { consequence: 'its endpoints are taken as they stand' },
  );
  return 'STRICT_DNS';
}

/** The hosts of `cluster`, and how names among them are looked up. */
export function readHosts(
  cluster: ClusterShape,
  balancer: Balancer,
  shape: Shape,
  world: World,
): HostSet {
  const { body, name } = cluster;
  const type = discoveryType(body, world);
  const written = endpointsIn(body, world);
  if (type === 'EDS') return edsHosts(cluster, balancer, shape, world);
  if (type === 'ORIGINAL_DST') {
    world.findings.say(
      'ENVOY-NOTLOCAL',
      placeOf(body, 'type'),
      `cluster ${name} goes to the address the client meant (ORIGINAL_DST)`,
      {
        level: 'error',
        consequence: 'there is no such address here: no upstream host',
        advice: 'name the servers: type STRICT_DNS with a load_assignment',
      },
    );
    return { hosts: [], resolve: 'static', balancer };
  }
  if (written.length === 0)
    sayNoHosts(cluster, world, 'every command for it gets "no upstream host"');
  const hosts =
    type === 'STRICT_DNS' ? written.flatMap((host) => expandHeadless(host, world)) : written;
  const names = hosts.filter((host) => !isIpLiteral(hostOf(host.address)));
  if (type === 'STATIC' && names.length > 0) {
    world.findings.say(
      'ENVOY-ADDRESS',
      cluster.at,
      `cluster ${name} is STATIC, but ${names[0]?.address} is a name`,
      {
        consequence: 'Envoy refuses it; the name is looked up here',
        advice: 'write an IP address, or type: STRICT_DNS',
      },
    );
  }
  if (type === 'LOGICAL_DNS' && hosts.length > 1) {
    world.findings.say(
      'ENVOY-REFUSED',
      cluster.at,
      `cluster ${name} is LOGICAL_DNS with ${hosts.length} endpoints`,
      {
        consequence: 'Envoy refuses it; the first one counts here',
        advice: 'write type: STRICT_DNS',
      },
    );
  }
  const resolve =
    type === 'LOGICAL_DNS'
      ? 'logical-dns'
      : type === 'STATIC' && names.length === 0
        ? 'static'
        : 'strict-dns';
  sayPlacement(cluster, balancer, names, world);
  return { hosts: type === 'LOGICAL_DNS' ? hosts.slice(0, 1) : hosts, resolve, balancer };
}

function hostOf(address: string): string {
  return address.slice(0, address.lastIndexOf(':')).replace(/^\[(.*)\]$/, '$1');
}

/** Envoy hashes the address that a name resolves to in the mesh, which cannot be known here. */
function sayPlacement(
  { name, at }: ClusterShape,
  balancer: Balancer,
  names: readonly HostSpec[],
  world: World,
): void {
  const inMesh = names.filter((host) => /\.svc(\.|$)|\.svc\./.test(hostOf(host.address)));
  if (balancer.hashByHostname || !isHashing(balancer) || inMesh.length === 0) return;
  world.findings.say(
    'ENVOY-PLACEMENT',
    at,
    `cluster ${name}: ${balancer.policy} hashes the address that ${hostOf(inMesh[0]?.address ?? '')} has in the mesh, unknown here`,
    {
      consequence: 'which host a key is on cannot be promised',
      advice: `add the endpoints to the files: kubectl get endpointslices -A -o yaml`,
    },
  );
}

/** Whether the key decides the host. */
export function isHashing(balancer: Balancer): boolean {
  return balancer.policy === 'MAGLEV' || balancer.policy === 'RING_HASH';
}

/** STRICT_DNS of a headless service whose endpoints are in the files: the pods' addresses are what Envoy would find. */
function expandHeadless(host: HostSpec, world: World): HostSpec[] {
  const name = hostOf(host.address);
  const service = world.services.byName(name);
  const port = Number(host.address.slice(host.address.lastIndexOf(':') + 1));
  if (service?.headless !== true) {
    const pod = world.services.pod(name, port);
    return [
      pod === null
        ? host
        : { ...host, address: joinAddress(hostOf(pod), port), hostname: host.hostname ?? name },
    ];
  }
  const backends = world.services.backends(service.hosts[0] ?? '', port) ?? [];
  if (backends.length === 0) return [host];
  const ips = [...new Set(backends.map((backend) => backend.ip))];
  return ips.map((ip) => ({
    ...host,
    address: joinAddress(ip, port),
    hostname: host.hostname ?? name,
  }));
}

function edsHosts(cluster: ClusterShape, balancer: Balancer, shape: Shape, world: World): HostSet {
  const known =
    shape.endpoints.get(str(cluster.body, 'eds_cluster_config', 'service_name') ?? cluster.name) ??
    shape.endpoints.get(cluster.name) ??
    serviceEndpoints(cluster.name, world);
  if (known !== null && known !== undefined) {
    if (known.length === 0)
      sayNoHosts(cluster, world, 'every command for it gets "no upstream host"');
    const hosts = known.map((each) => ({
      address: each.address,
      weight: each.weight,
      hashKey: null,
      hostname: each.hostname,
    }));
    return {
      hosts,
      resolve: hosts.every((host) => isIpLiteral(hostOf(host.address))) ? 'static' : 'strict-dns',
      balancer,
    };
  }
  const target = parseIstioName(cluster.name);
  if (target === null || target.host === '') {
    sayNoHosts(
      cluster,
      world,
      'its hosts come from the control plane, and nothing in the files tells them: no upstream host',
    );
    return { hosts: [], resolve: 'static', balancer };
  }
  world.findings.say(
    'ENVOY-PLACEMENT',
    cluster.at,
    `the hosts of ${cluster.name} come from the control plane; no EndpointSlice of ${target.host} is loaded`,
    {
      level: 'info',
      consequence: `${target.host}:${target.port} is taken as its one host; where keys would be spread, which host has a key cannot be promised`,
      advice: `add them: kubectl -n ${target.host.split('.')[1] ?? 'NAMESPACE'} get endpointslices -o yaml`,
    },
  );
  const address = joinAddress(target.host, target.port);
  return {
    hosts: [{ address, weight: 1, hashKey: null, hostname: null }],
    resolve: 'strict-dns',
    balancer,
  };
}

/** The hosts that Istio would send for a cluster named after a service; null where the files do not tell. */
export function serviceEndpoints(
  clusterName: string,
  world: World,
): readonly EndpointShape[] | null {
  const target = parseIstioName(clusterName);
  const backends = target === null ? null : world.services.backends(target.host, target.port);
  return (
    backends?.map((backend) => ({
      address: joinAddress(backend.ip, backend.port),
      hostname: backend.hostname,
      weight: 1,
    })) ?? null
  );
}

/** Says that a cluster has no hosts, and what follows. */
export function sayNoHosts(cluster: ClusterShape, world: World, consequence: string): void {
  world.findings.say('ENVOY-ADDRESS', cluster.at, `cluster ${cluster.name} has no hosts`, {
    consequence,
    advice: 'give it a load_assignment with endpoints',
  });
}

/** The endpoints of `load_assignment`, or of v2's `hosts`; of the first priority only. */
export function endpointsIn(body: MapNode, world: World): HostSpec[] {
  const localities = items(body, 'load_assignment', 'endpoints');
  const priorities = localities.map((locality) => num(locality, 'priority') ?? 0);
  const first = Math.min(...priorities);
  if (priorities.some((priority) => priority !== first)) {
    world.findings.say(
      'ENVOY-NOTLOCAL',
      placeOf(body, 'load_assignment'),
      'hosts of more than one priority',
      {
        consequence:
          'only those of the first count here; Envoy turns to the others when these are down',
      },
    );
  }
  const old = items(body, 'hosts').map((address) => ({ address, node: address }));
  const current = localities
    .filter((_, i) => priorities[i] === first)
    .flatMap((locality) => items(locality, 'lb_endpoints'))
    .map((node) => ({ address: get(node, 'endpoint', 'address'), node }));
  return [...old, ...current].flatMap(({ address, node }) => {
    const text = readAddress(address, node.at, world);
    if (text === null) return [];
    return [
      {
        address: text,
        weight: Math.max(1, num(node, 'load_balancing_weight') ?? 1),
        hashKey: hashKeyOf(node),
        hostname: str(node, 'endpoint', 'hostname'),
      },
    ];
  });
}

function hashKeyOf(node: Node): string | null {
  const lb = get(field(get(node, 'metadata'), 'filter_metadata'), 'envoy.lb');
  return str(lb, 'hash_key');
}

/** `host:port` of a normalised Address; null, and said, where there is none. */
function readAddress(address: Node | undefined, at: Position, world: World): string | null {
  const host = str(address, 'socket_address', 'address');
  const port = num(address, 'socket_address', 'port_value');
  if (host === null || port === null || port > 65535) {
    world.findings.say(
      'ENVOY-ADDRESS',
      at,
      get(address, 'pipe') !== undefined
        ? 'a pipe is no address rmtop can dial'
        : 'an endpoint without address or port_value',
      {
        consequence: 'this host is left out',
        advice: 'write address: {socket_address: {address: HOST, port_value: PORT}}',
      },
    );
    return null;
  }
  const [left] = placeholdersIn(host);
  if (left !== undefined) {
    world.findings.say('EF-PLACEHOLDER', address?.at ?? at, `\${${left}} is left in an address`, {
      level: 'error',
      consequence: 'this host is left out',
      advice: `--set ${left}=VALUE, or set the environment variable ${left}`,
    });
    return null;
  }
  return joinAddress(host, port);
}
