/** Istio EnvoyFilters → the Envoy shape: patches applied in Istio's order (config page, 1.3). */
import { readEnvoyCluster, readFilter } from './bootstrap.js';
import type { Position } from './diagnostic.js';
import { type Document, placeholdersIn } from './documents.js';
import { outboundName, parseIstioName } from './istio-name.js';
import { get, items, type MapNode, makeMap, merge, type Node, num, placeOf, str } from './node.js';
import { normalise } from './normalise.js';
import type { ListenerShape, Shape, World } from './shape.js';

/** EnvoyFilters of this namespace hold for the whole mesh, and come first. */
const ROOT_NAMESPACE = 'istio-system';

const ADDS = new Set(['ADD', 'INSERT_FIRST', 'INSERT_BEFORE', 'INSERT_AFTER']);

type Patch = {
  readonly node: Node;
  readonly operation: string;
  readonly match: Node | undefined;
  readonly value: Node | undefined;
};

/** Applies the patches of all EnvoyFilters to what the other files gave. */
export function readEnvoyFilters(documents: readonly Document[], shape: Shape, world: World): void {
  const ordered = documents
    .map((document, i) => ({ root: document.root, i }))
    .sort(
      (a, b) =>
        rank(a.root) - rank(b.root) ||
        priority(a.root) - priority(b.root) ||
        byAge(a.root, b.root) ||
        a.i - b.i,
    );
  for (const { root } of ordered) {
    const old = get(root, 'spec', 'config_patches');
    if (old !== undefined)
      world.findings.say(
        'READ-SPELLING',
        placeOf(root, 'spec', 'config_patches'),
        'spec.config_patches: only camelCase is read in a Kubernetes object',
        {
          consequence: 'the API server cuts it off: the EnvoyFilter does nothing',
          advice: 'write configPatches',
        },
      );
    for (const node of items(root, 'spec', 'configPatches')) applyPatch(node, shape, world);
  }
}

function rank(root: MapNode): number {
  return str(root, 'metadata', 'namespace') === ROOT_NAMESPACE ? 0 : 1;
}

function priority(root: MapNode): number {
  return num(root, 'spec', 'priority') ?? 0;
}

/** Older first, where both say when they were made; files rarely do. */
function byAge(a: MapNode, b: MapNode): number {
  const [one, other] = [a, b].map((root) => str(root, 'metadata', 'creationTimestamp') ?? '');
  return one === '' || other === '' || one === undefined || other === undefined
    ? 0
    : one < other
      ? -1
      : one > other
        ? 1
        : 0;
}

function applyPatch(node: Node, shape: Shape, world: World): void {
  const patch: Patch = {
    node,
    operation: str(node, 'patch', 'operation') ?? '',
    match: get(node, 'match'),
    value: get(node, 'patch', 'value'),
  };
  const applyTo = str(node, 'applyTo') ?? '';
  if (applyTo === 'NETWORK_FILTER') applyToFilter(patch, shape, world);
  else if (applyTo === 'CLUSTER') applyToCluster(patch, shape, world);
  else ignore(node.at, `a patch of ${applyTo || 'nothing (applyTo is missing)'}`, world);
}

function ignore(at: Position, what: string, world: World): void {
  world.findings.say('EF-IGNORED', at, `${what} has no bearing on Redis here; it is left out`);
}

/** `<address>_<port>` or a port alone, as `match.listener` says it. */
type Wanted = { readonly name: string; readonly port: number | null };

function wantedListener(match: Node | undefined): Wanted {
  const name = str(match, 'listener', 'name') ?? '';
  const port = /_(\d+)$/.exec(name)?.[1] ?? str(match, 'listener', 'portNumber');
  return {
    name,
    port: port === null || port === undefined || !/^\d+$/.test(port) ? null : Number(port),
  };
}

function isInbound(match: Node | undefined): boolean {
  return (
    str(match, 'context') === 'SIDECAR_INBOUND' ||
    /^virtualInbound$/.test(str(match, 'listener', 'name') ?? '')
  );
}

function applyToFilter(patch: Patch, shape: Shape, world: World): void {
  const { node, operation, match, value } = patch;
  const wanted = wantedListener(match);
  const there = shape.listeners.filter((listener) => fits(listener, wanted));
  if (operation === 'REMOVE') {
    if (/redis/.test(filterName(match) ?? 'redis'))
      shape.listeners = shape.listeners.filter((listener) => !there.includes(listener));
    return;
  }
  const proxy = value === undefined ? null : readFilter(value, world);
  if (proxy === null) {
    ignore(
      node.at,
      `a network filter that is no redis_proxy${str(value, 'name') === null ? '' : ` (${str(value, 'name')})`}`,
      world,
    );
    return;
  }
  if (isInbound(match)) {
    ignore(node.at, "a patch of the server's own sidecar (inbound)", world);
    return;
  }
  if (operation === 'MERGE') {
    if (there.length === 0)
      world.findings.say('EF-IGNORED', node.at, 'MERGE into a redis_proxy that no file defines', {
        level: 'warning',
        consequence: 'it does nothing',
        advice: 'load the EnvoyFilter that adds the redis_proxy as well',
      });
    shape.listeners = shape.listeners.map((listener) =>
      there.includes(listener) ? merged(listener, proxy) : listener,
    );
    return;
  }
  if (operation !== 'REPLACE' && !ADDS.has(operation)) {
    ignore(node.at, `operation ${operation || '(none)'} on a network filter`, world);
    return;
  }
  if (operation === 'REPLACE' && filterName(match) === null) {
    world.findings.say(
      'EF-NOMATCH',
      node.at,
      'REPLACE without match.listener.filterChain.filter.name',
      {
        consequence:
          'Istio finds no filter to replace and changes nothing; it is taken for the TCP proxy here',
        advice: 'add filterChain: {filter: {name: envoy.filters.network.tcp_proxy}}',
      },
    );
  }
  addListener({ patch, wanted, proxy }, there, shape, world);
}

type New = { readonly patch: Patch; readonly wanted: Wanted; readonly proxy: MapNode };

function addListener(
  { patch, wanted, proxy }: New,
  there: readonly ListenerShape[],
  shape: Shape,
  world: World,
): void {
  const { node, operation, match } = patch;
  sayListener(node, wanted, world);
  const [before] = there;
  if (before !== undefined && wanted.name !== '') {
    if (operation === 'REPLACE' && !/redis/.test(filterName(match) ?? '')) {
      world.findings.say(
        'EF-IGNORED',
        node.at,
        `listener ${wanted.name} has a redis_proxy already, from ${before.at.file}:${before.at.line}`,
        {
          level: 'warning',
          consequence:
            'the TCP proxy that this patch replaces is gone by then: the first one counts',
          advice: 'remove one of the two',
        },
      );
      return;
    }
    shape.listeners = shape.listeners.map((listener) =>
      there.includes(listener) ? { ...listener, proxy } : listener,
    );
    return;
  }
  const service =
    wanted.name === ''
      ? null
      : world.services.byAddress(wanted.name.slice(0, Math.max(0, wanted.name.lastIndexOf('_'))));
  shape.listeners.push({
    name: wanted.name,
    hosts: service?.hosts ?? [],
    port: wanted.port,
    proxy,
    at: node.at,
  });
}

function sayListener(node: Node, wanted: Wanted, world: World): void {
  const at = placeOf(node, 'match', 'listener', 'name');
  const left = placeholdersIn(wanted.name);
  if (left.length > 0) {
    world.findings.say('EF-PLACEHOLDER', at, `\${${left[0]}} is left in a listener's name`, {
      consequence: 'nothing here: only its port is needed',
      advice: `--set ${left[0]}=ADDRESS to name the listener after its service`,
    });
  }
  if (wanted.port === null) {
    world.findings.say('EF-LISTENER', at, 'the patch names no listener and no portNumber', {
      consequence:
        'in the mesh it holds for every listener; here it is one listener without a port',
      advice: '--listen 127.0.0.1:PORT',
    });
  }
}

function filterName(match: Node | undefined): string | null {
  return str(match, 'listener', 'filterChain', 'filter', 'name');
}

function fits(listener: ListenerShape, wanted: Wanted): boolean {
  if (wanted.name !== '') return listener.name === wanted.name;
  return wanted.port === null || listener.port === wanted.port;
}

function merged(listener: ListenerShape, patch: MapNode): ListenerShape {
  const proxy = merge(listener.proxy, patch);
  return proxy.kind === 'map' ? { ...listener, proxy } : listener;
}

function applyToCluster(patch: Patch, shape: Shape, world: World): void {
  const { node, operation, match, value } = patch;
  const name = clusterName(match);
  if (ADDS.has(operation)) {
    if (value === undefined) ignore(node.at, 'a cluster patch without a value', world);
    else readEnvoyCluster(value, shape, world);
    return;
  }
  if (operation === 'REMOVE') {
    if (name === null) ignore(node.at, 'REMOVE of every cluster', world);
    else shape.clusters.delete(name);
    return;
  }
  if (operation !== 'MERGE' || value === undefined) {
    ignore(node.at, `operation ${operation || '(none)'} on a cluster`, world);
    return;
  }
  const change = normalise(value, 'Cluster', 'envoy', world.findings);
  const names = name === null ? [...shape.clusters.keys()] : [name];
  for (const each of names) mergeCluster(each, change, node.at, shape);
}

/** Merges into a cluster; into what Istio makes of the service where no file defines it. */
function mergeCluster(name: string, change: MapNode, at: Position, shape: Shape): void {
  const before = shape.clusters.get(name);
  if (before === undefined && parseIstioName(name) === null) return;
  const own =
    before?.body ??
    makeMap({ name, type: 'EDS', lb_policy: 'LEAST_REQUEST', connect_timeout: 10_000 }, at);
  const body = merge(own, change);
  if (body.kind === 'map')
    shape.clusters.set(name, { name, body: exclusive(body, change), at: before?.at ?? at });
}

/** `type` and `cluster_type` are one choice in Envoy: setting the one unsets the other. */
function exclusive(body: MapNode, change: MapNode): MapNode {
  const gone =
    get(change, 'cluster_type') !== undefined
      ? 'type'
      : get(change, 'type') !== undefined
        ? 'cluster_type'
        : null;
  if (gone === null) return body;
  const entries = new Map(body.entries);
  entries.delete(gone);
  return { ...body, entries };
}

/** The cluster a patch is for: by name, or by service, port and subset. */
function clusterName(match: Node | undefined): string | null {
  const name = str(match, 'cluster', 'name');
  if (name !== null) return name;
  const service = str(match, 'cluster', 'service');
  const port = num(match, 'cluster', 'portNumber');
  if (service === null || port === null) return null;
  const subset = str(match, 'cluster', 'subset');
  return subset === null ? outboundName(service, port) : `outbound|${port}|${subset}|${service}`;
}
