/** What the mesh was told to do, as plain JSON: posted to the worker, kept in recordings, compared. It never holds a secret. */
import { COMMANDS, type CommandSpec, commandByName, type MeshClass } from '../commands/table.js';
import type { RespVersion } from '../resp/encode.js';

/** Which Envoy to behave like, by its minor version: 40 is Envoy 1.40. */
export type EnvoyLevel = number;

export const NEWEST_ENVOY: EnvoyLevel = 40;
export const OLDEST_ENVOY: EnvoyLevel = 20;

/** Envoy's read policies on a Redis Cluster (mesh page, 6), as its configuration spells them. */
export type ReadPolicy = 'MASTER' | 'PREFER_MASTER' | 'REPLICA' | 'PREFER_REPLICA' | 'ANY';

export const READ_POLICIES: readonly ReadPolicy[] = [
  'MASTER',
  'PREFER_MASTER',
  'REPLICA',
  'PREFER_REPLICA',
  'ANY',
];

/** One prefix route. The catch-all has a null prefix; a route with prefix '' matches every key as well, and before it. */
export type Route = { readonly prefix: string | null; readonly upstream: string };

/** When Envoy asks for CLUSTER SLOTS (mesh page, 4.2 and 4.4); a threshold of 0 is off. */
export type Refresh = {
  readonly rateMs: number;
  readonly timeoutMs: number;
  readonly redirectIntervalMs: number;
  readonly redirectThreshold: number;
  readonly failureThreshold: number;
  readonly degradedThreshold: number;
};

/** Envoy's active health checker of type redis: PING on a connection of its own. Without one every host counts as healthy. */
export type HealthCheck = {
  readonly intervalMs: number;
  readonly timeoutMs: number;
  readonly unhealthyThreshold: number;
  readonly healthyThreshold: number;
};

/** One destination: what Envoy calls a cluster. */
export type Upstream = {
  /** Seeds, `host:port`. */
  readonly seeds: readonly string[];
  readonly tls: boolean;
  readonly connectTimeoutMs: number;
  readonly refresh: Refresh;
  readonly healthCheck: HealthCheck | null;
};

/** Envoy's ConnPoolSettings and the few settings of rmtop's own. */
export type Settings = {
  readonly readPolicy: ReadPolicy;
  readonly opTimeoutMs: number;
  readonly enableRedirection: boolean;
  readonly maxUpstreamUnknownConnections: number;
  /** The listener's version (mesh page, 2.13). */
  readonly protocolVersion: RespVersion;
  /** Whether clients must log in. The passwords themselves are no part of the configuration. */
  readonly downstreamAuth: { readonly username: string | null; readonly passwords: number } | null;
  readonly customCommands: readonly string[];
  /** Forward what the mesh refuses as a good cluster client would. */
  readonly open: boolean;
};

/** Everything `decide` is told but the command and the topology. */
export type MeshConfig = {
  readonly version: number;
  readonly envoy: EnvoyLevel;
  /** Longest prefix first, the catch-all last. */
  readonly routes: readonly Route[];
  readonly upstreams: Readonly<Record<string, Upstream>>;
  readonly settings: Settings;
};

/** Envoy's defaults for a Redis Cluster's refresh. */
export const DEFAULT_REFRESH: Refresh = {
  rateMs: 5000,
  timeoutMs: 3000,
  redirectIntervalMs: 5000,
  redirectThreshold: 5,
  failureThreshold: 0,
  degradedThreshold: 0,
};

/** Envoy's defaults; `op_timeout`, which Envoy has none for, is what Aeraki generates: 60 s. */
export const DEFAULT_SETTINGS: Settings = {
  readPolicy: 'MASTER',
  opTimeoutMs: 60_000,
  enableRedirection: false,
  maxUpstreamUnknownConnections: 100,
  protocolVersion: 2,
  downstreamAuth: null,
  customCommands: [],
  open: false,
};

/** The connect timeout Envoy takes when none is given. */
export const DEFAULT_CONNECT_TIMEOUT_MS = 5000;

/** A configuration of one upstream behind the catch-all route. */
export function singleUpstreamConfig(
  seeds: readonly string[],
  overrides: Partial<Settings> = {},
  more: Partial<Upstream> & { readonly name?: string; readonly envoy?: EnvoyLevel } = {},
): MeshConfig {
  const { name = 'redis', envoy = NEWEST_ENVOY, ...upstream } = more;
  return {
    version: 1,
    envoy,
    routes: [{ prefix: null, upstream: name }],
    upstreams: {
      [name]: {
        seeds,
        tls: false,
        connectTimeoutMs: DEFAULT_CONNECT_TIMEOUT_MS,
        refresh: DEFAULT_REFRESH,
        healthCheck: null,
        ...upstream,
      },
    },
    settings: { ...DEFAULT_SETTINGS, ...overrides },
  };
}

/** A route ready to be compared with keys. */
export type CompiledRoute = { readonly match: Route; readonly bytes: Buffer };

/** A MeshConfig with what `decide` looks up for every command worked out beforehand. */
export type CompiledConfig = {
  readonly config: MeshConfig;
  readonly version: number;
  readonly settings: Settings;
  readonly envoy: EnvoyLevel;
  readonly open: boolean;
  /** By `CommandSpec.id`: how this level's Envoy treats the command; null where it is unknown to it. */
  readonly classes: readonly (MeshClass | null)[];
  /** Names that, as configured, equal the lower-cased name sent: they are routed like simple commands (2.12). */
  readonly custom: ReadonlySet<string>;
  readonly routes: readonly CompiledRoute[];
};

/** Since which Envoy custom_commands exist (mesh page, 0). */
const CUSTOM_COMMANDS_SINCE = 34;

/** Works out what `decide` needs of `config`. */
export function compileConfig(config: MeshConfig): CompiledConfig {
  const custom = config.envoy >= CUSTOM_COMMANDS_SINCE ? config.settings.customCommands : [];
  return {
    config,
    version: config.version,
    settings: config.settings,
    envoy: config.envoy,
    open: config.settings.open,
    classes: COMMANDS.map((spec) => classAt(spec, config.envoy)),
    custom: new Set(custom),
    routes: config.routes.map((route) => ({
      match: route,
      bytes: Buffer.from(route.prefix ?? ''),
    })),
  };
}

/** HELLO was sent to all shards before it was answered by the proxy (2.10). */
const HELLO_IS_LOCAL_SINCE = 40;

function classAt(spec: CommandSpec, envoy: EnvoyLevel): MeshClass | null {
  // Envoy looks at the first word only: a subcommand is what its container is, whatever else becomes of it.
  const row = spec.parent === null ? spec : (commandByName(spec.parent) ?? spec);
  if (row.mesh === null || envoy < row.since) return null;
  if (row.name === 'HELLO' && envoy < HELLO_IS_LOCAL_SINCE) return 'everywhere';
  return row.mesh;
}
