/** The inputs, in the order in which a document is tried: the first that knows it reads it (config page, 1.1). */
import { readBootstrap, readConfigDump, readEnvoyCluster, readLoneFilter } from './bootstrap.js';
import type { Document } from './documents.js';
import { get, items, str } from './node.js';
import type { Shape, World } from './shape.js';
import { field, peel } from './typed.js';

/** A kind of input. `read` is null where documents are gathered first, and read all together afterwards. */
export type Format = {
  readonly name:
    | 'config-dump'
    | 'bootstrap'
    | 'envoy-filter'
    | 'aeraki'
    | 'kubernetes'
    | 'address-map'
    | 'cluster'
    | 'filter';
  readonly knows: (document: Document) => boolean;
  readonly read: ((document: Document, shape: Shape, world: World) => void) | null;
};

const isOf = (document: Document, group: string, ...kinds: readonly string[]): boolean =>
  (document.apiVersion ?? '').startsWith(group) && kinds.includes(document.kind ?? '');

export const FORMATS: readonly Format[] = [
  {
    name: 'config-dump',
    knows: ({ root }) =>
      items(root, 'configs').some((config) =>
        /^envoy\.admin\.v(3|2alpha)\./.test(peel(config).type),
      ),
    read: ({ root }, shape, world) => readConfigDump(root, shape, world),
  },
  {
    name: 'bootstrap',
    knows: ({ root }) => field(root, 'static_resources') !== undefined,
    read: ({ root }, shape, world) => readBootstrap(root, shape, world),
  },
  {
    name: 'envoy-filter',
    knows: (document) => isOf(document, 'networking.istio.io/', 'EnvoyFilter'),
    read: null,
  },
  {
    name: 'aeraki',
    knows: (document) => isOf(document, 'redis.aeraki.io/', 'RedisService', 'RedisDestination'),
    read: null,
  },
  {
    name: 'kubernetes',
    knows: (document) =>
      (document.apiVersion === 'v1' &&
        ['Secret', 'Service', 'Endpoints'].includes(document.kind ?? '')) ||
      isOf(document, 'discovery.k8s.io/', 'EndpointSlice') ||
      isOf(document, 'networking.istio.io/', 'ServiceEntry'),
    read: null,
  },
  {
    name: 'address-map',
    knows: ({ root, kind }) => kind === null && get(root, 'addressMap') !== undefined,
    read: null,
  },
  {
    name: 'cluster',
    knows: ({ root, kind }) =>
      kind === null &&
      get(root, 'name') !== undefined &&
      ['load_assignment', 'lb_policy', 'cluster_type', 'hosts'].some(
        (key) => field(root, key) !== undefined,
      ),
    read: ({ root }, shape, world) => readEnvoyCluster(root, shape, world),
  },
  {
    name: 'filter',
    knows: ({ root }) =>
      (str(root, '@type') ?? '').endsWith('RedisProxy') ||
      /RedisProxy$/.test(peel(root).type) ||
      (field(root, 'stat_prefix') !== undefined &&
        (field(root, 'prefix_routes') !== undefined || field(root, 'settings') !== undefined)),
    read: ({ root }, shape, world) => readLoneFilter(root, shape, world),
  },
];

/** The format that knows a document; null where none does: such documents are skipped. */
export function formatOf(document: Document): Format | null {
  return FORMATS.find((format) => format.knows(document)) ?? null;
}
