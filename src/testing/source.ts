/** What a test says of a mesh and its servers → what a proxy is made of. */
import { dialAccess, NO_ACCESS } from '../config/access.js';
import { diagnosticLines } from '../config/diagnostic.js';
import type { LoadedListener } from '../config/envoy.js';
import { applyOverrides, parseFlags } from '../config/flags.js';
import { loadMesh } from '../config/load.js';
import { parseSeed, type Seed } from '../config/seed.js';
import { RmtopError } from '../errors.js';
import { joinAddress } from '../mesh/address.js';
import { parseAddressMap } from '../mesh/address-map.js';
import {
  type EnvoyLevel,
  type MeshConfig,
  NEWEST_ENVOY,
  type ReadPolicy,
  singleUpstreamConfig,
  type Upstream,
} from '../mesh/config.js';
import type { Access, Dialling } from '../proxy/dial.js';
import type { ProxyOptions } from '../proxy/proxy.js';

/** Where commands go, and by which rules. */
export type MeshSource = {
  /**
   * The servers: `host:port`, a `redis://` or `rediss://` URL, several with commas between them. With `mesh`, they take the place of the
   * servers of all its upstreams, or of those that are named: `{ 'redis-cart': '127.0.0.1:7001' }`.
   */
  readonly upstream?: string | Readonly<Record<string, string>>;
  /** The mesh's YAML, files or folders: Envoy, Istio, Aeraki, Kubernetes. Without it the mesh is one upstream behind a catch-all. */
  readonly mesh?: string | readonly string[];
  /** With `mesh`: the listener of this service, where there are several. */
  readonly service?: string;
  /** Where reads go on a Redis Cluster. */
  readonly readPolicy?: ReadPolicy;
  /** `PREFIX=HOST:PORT`: keys with this prefix go there. */
  readonly routes?: readonly string[];
  /** `HOST:PORT[,PERCENT%][,writes]`: copies go there. */
  readonly mirrors?: readonly string[];
  /** `error 50% cmd=GET`, `delay 200ms 10% class=read`: what `--fault` takes. */
  readonly faults?: readonly string[];
  /** `FROM=TO`: the announced address FROM is reached at TO. */
  readonly map?: readonly string[];
  /** The minor version of the Envoy to behave like: 40 for 1.40, the default. */
  readonly envoy?: EnvoyLevel;
  /** Forward what the mesh refuses, as a good cluster client would. */
  readonly open?: boolean;
  /** Follow MOVED and ASK, as Envoy does only when told to. */
  readonly enableRedirection?: boolean;
};

/** Of `ProxyOptions`, what a source says. */
export type Sourced = Pick<ProxyOptions, 'config' | 'dialling' | 'credentials'>;

/** Reads it. Throws MESH, FILE_UNREADABLE, USAGE or BAD_ADDRESS. */
export function readSource(source: MeshSource): Sourced {
  const sourced = source.mesh === undefined ? ofUpstream(source) : ofMesh(source, source.mesh);
  return { ...sourced, config: withSettings(sourced.config, source) };
}

function seedsOf(text: string): readonly Seed[] {
  return text.split(',').map((part) => parseSeed(part.trim()));
}

function addressesOf(seeds: readonly Seed[]): readonly string[] {
  return seeds.map(({ host, port }) => joinAddress(host, port));
}

function accessOf(seeds: readonly Seed[]): Access {
  return {
    tls: seeds.some(({ tls }) => tls) ? {} : null,
    login: seeds.find(({ login }) => login !== null)?.login ?? null,
  };
}

function ofUpstream({ upstream, map = [], envoy = NEWEST_ENVOY }: MeshSource): Sourced {
  if (typeof upstream !== 'string')
    throw new RmtopError('USAGE', 'a proxy wants to know its servers', {
      why: 'without `mesh`, `upstream` is to be an address such as 127.0.0.1:6379',
    });
  const seeds = seedsOf(upstream);
  const access = accessOf(seeds);
  return {
    config: singleUpstreamConfig(addressesOf(seeds), {}, { envoy, tls: access.tls !== null }),
    dialling: { map: parseAddressMap(map), access: { redis: access } },
    credentials: null,
  };
}

function ofMesh(source: MeshSource, mesh: string | readonly string[]): Sourced {
  const paths = typeof mesh === 'string' ? [mesh] : mesh;
  const { envoy = NEWEST_ENVOY, service } = source;
  const loaded = loadMesh(paths, {
    intended: false,
    set: {},
    env: process.env,
    envoy,
    ...(service === undefined ? {} : { service }),
  });
  const [listener, ...others] = loaded.listeners;
  if (listener === undefined)
    throw new RmtopError('MESH', `${paths.join(', ')}: no Redis listener to run`, {
      why: loaded.diagnostics.slice(0, 5).flatMap(diagnosticLines).join('\n  ') || null,
      next: [`rmtop check ${paths.join(' ')}`],
    });
  if (others.length > 0)
    throw new RmtopError('USAGE', `the files have ${loaded.listeners.length} Redis listeners`, {
      why: loaded.listeners.map(({ name }) => name).join(', '),
      next: [`service: '${listener.name}'`],
    });
  const map = [...loaded.addressMap, ...(source.map ?? [])];
  return withServers(listener, source.upstream, map);
}

/** The mesh with its own servers, or those given in their place. */
function withServers(
  { config, access, credentials }: LoadedListener,
  upstream: MeshSource['upstream'],
  map: readonly string[],
): Sourced {
  const given = (name: string): string | undefined =>
    typeof upstream === 'string' ? upstream : upstream?.[name];
  const unknown =
    typeof upstream === 'object' &&
    Object.keys(upstream).find((name) => config.upstreams[name] === undefined);
  if (typeof unknown === 'string')
    throw new RmtopError('USAGE', `the mesh has no upstream '${unknown}'`, {
      why: `it has: ${Object.keys(config.upstreams).join(', ')}`,
    });
  const accesses: Record<string, Access> = {};
  const upstreams = Object.fromEntries(
    Object.entries(config.upstreams).map(([name, found]) => {
      const text = given(name);
      if (text === undefined) {
        accesses[name] = dialAccess(access[name] ?? NO_ACCESS);
        return [name, found];
      }
      const seeds = seedsOf(text);
      accesses[name] = accessOf(seeds);
      return [name, { ...found, ...serversOf(found, seeds), tls: accesses[name]?.tls != null }];
    }),
  );
  const dialling: Dialling = { map: parseAddressMap(map), access: accesses };
  return { config: { ...config, upstreams }, dialling, credentials };
}

/** A set of hosts stays one, and goes on being hashed: it has other members. */
function serversOf(
  { hostSet }: Upstream,
  seeds: readonly Seed[],
): Pick<Upstream, 'seeds' | 'hostSet'> {
  const hosts = seeds.map(({ host, port }) => ({
    address: joinAddress(host, port),
    weight: 1,
    hashKey: null,
    hostname: host,
  }));
  return {
    seeds: addressesOf(seeds),
    hostSet: hostSet === null ? null : { ...hostSet, hosts, resolve: 'strict-dns' },
  };
}

function withSettings(config: MeshConfig, source: MeshSource): MeshConfig {
  const { readPolicy, open, enableRedirection } = source;
  const overrides = parseFlags(
    {
      route: source.routes ?? [],
      mirror: source.mirrors ?? [],
      fault: source.faults ?? [],
    },
    1,
  );
  const { config: changed } = applyOverrides(config, overrides);
  return {
    ...changed,
    settings: {
      ...changed.settings,
      ...(readPolicy === undefined ? {} : { readPolicy }),
      ...(open === undefined ? {} : { open }),
      ...(enableRedirection === undefined ? {} : { enableRedirection }),
    },
  };
}
