/** Another mesh over a recording's servers: upstreams that are the same under another name, and those the recording never saw. Pure. */
import type { MeshConfig, Route, Upstream } from '../mesh/config.js';
import { hostPlacement, type Placement, singleServer, type Topology } from '../mesh/topology.js';

/** A mesh under recorded names: new name → recorded name, where the two differ. */
export type Aligned = { readonly config: MeshConfig; readonly names: ReadonlyMap<string, string> };

/**
 * `config` with the recorded names for upstreams that are recorded ones: by name, by a common seed, and the catch-all's by being that.
 * So a mesh that only calls its cluster otherwise decides the same.
 */
export function alignUpstreams(config: MeshConfig, recorded: MeshConfig): Aligned {
  const names = sameUpstreams(config, recorded);
  const named = (name: string): string => names.get(name) ?? name;
  const route = (each: Route): Route => ({
    ...each,
    upstream: named(each.upstream),
    readUpstream: each.readUpstream === null ? null : named(each.readUpstream),
    mirrors: each.mirrors.map((mirror) => ({ ...mirror, upstream: named(mirror.upstream) })),
  });
  const upstreams = Object.entries(config.upstreams).map(([name, each]) => [named(name), each]);
  return {
    config: {
      ...config,
      routes: config.routes.map(route),
      upstreams: Object.fromEntries(upstreams),
    },
    names,
  };
}

/** New name → recorded name, where the two differ. */
function sameUpstreams(config: MeshConfig, recorded: MeshConfig): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  const free = new Set(Object.keys(recorded.upstreams));
  for (const name of Object.keys(config.upstreams)) free.delete(name);
  const take = (name: string | undefined, as: string | undefined): void => {
    if (name === undefined || as === undefined || !free.has(as) || found.has(name)) return;
    if (recorded.upstreams[name] !== undefined) return;
    found.set(name, as);
    free.delete(as);
  };
  for (const [name, { seeds }] of Object.entries(config.upstreams))
    take(
      name,
      [...free].find((each) =>
        recorded.upstreams[each]?.seeds.some((seed) => seeds.includes(seed)),
      ),
    );
  take(catchAll(config), catchAll(recorded));
  return found;
}

function catchAll({ routes }: MeshConfig): string | undefined {
  return routes.find(({ prefix }) => prefix === null)?.upstream;
}

/** Upstreams of `config` whose servers the recording does not know. */
export function unknownUpstreams(config: MeshConfig, topology: Topology): string[] {
  return Object.keys(config.upstreams).filter((name) => topology.upstreams[name] === undefined);
}

/** `topology` with those upstreams as their configuration has them: its hosts, or one server at the first seed. */
export function withUnknown(topology: Topology, config: MeshConfig): Topology {
  const added = unknownUpstreams(config, topology).map((name): [string, Placement] => [
    name,
    placementOf(config.upstreams[name]),
  ]);
  return added.length === 0
    ? topology
    : { ...topology, upstreams: { ...topology.upstreams, ...Object.fromEntries(added) } };
}

function placementOf(upstream: Upstream | undefined): Placement {
  const { hostSet = null, seeds = [] } = upstream ?? {};
  if (hostSet !== null) {
    const placed = hostSet.hosts.map(({ address, weight, hashKey, hostname }) => ({
      address,
      weight,
      key: hashKey ?? (hostSet.balancer.hashByHostname ? hostname : null) ?? address,
    }));
    return hostPlacement(placed, hostSet.balancer);
  }
  return singleServer(seeds[0] ?? '127.0.0.1:6379');
}
