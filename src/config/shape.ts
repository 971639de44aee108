/** The Envoy shape: what every reader turns its files into, and the only thing that MeshConfig is made of. */
import type { EnvoyLevel } from '../mesh/config.js';
import type { Findings, Position } from './diagnostic.js';
import type { Services } from './kubernetes.js';
import type { MapNode } from './node.js';

/** One listener with a redis_proxy filter. */
export type ListenerShape = {
  /** The listener's name in Envoy (`10.96.7.11_6379`, `carts`); '' where it has none. */
  readonly name: string;
  /** The service names that clients know it by. */
  readonly hosts: readonly string[];
  readonly port: number | null;
  /** The filter's configuration: a normalised RedisProxy. */
  readonly proxy: MapNode;
  readonly at: Position;
};

/** One Envoy cluster: a normalised Cluster. */
export type ClusterShape = { readonly name: string; readonly body: MapNode; readonly at: Position };

/** A host of an EDS cluster. */
export type EndpointShape = {
  readonly address: string;
  readonly hostname: string | null;
  readonly weight: number;
};

/** What a mesh's files come to; readers add to it. */
export type Shape = {
  listeners: ListenerShape[];
  readonly clusters: Map<string, ClusterShape>;
  /** Hosts of EDS clusters by cluster name, where a dump tells them. */
  readonly endpoints: Map<string, readonly EndpointShape[]>;
  /** Names that look like Istio's and that the mesh has no cluster of. */
  readonly absent: Set<string>;
};

/** What readers may look at besides their document. */
export type World = {
  readonly findings: Findings;
  readonly services: Services;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The text of a file that the configuration names; null where it cannot be read. */
  readonly readFile: (path: string) => string | null;
  readonly envoy: EnvoyLevel;
  /** Aeraki as its CRDs read instead of as it generates. */
  readonly intended: boolean;
};

/** Adds a cluster; one of the same name is replaced, and that is said. */
export function addCluster(shape: Shape, cluster: ClusterShape, world: World): void {
  const before = shape.clusters.get(cluster.name);
  if (before !== undefined) {
    world.findings.say(
      'ENVOY-DUPCLUSTER',
      cluster.at,
      `a second cluster '${cluster.name}'; the first is at ${before.at.file}:${before.at.line}`,
      {
        consequence: 'Envoy refuses the second; the last one counts here',
        advice: 'remove one of them',
      },
    );
  }
  shape.clusters.set(cluster.name, cluster);
}
