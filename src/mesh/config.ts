/** What the mesh was told to do, as plain JSON: posted to the worker, kept in recordings, compared. It never holds a secret. */
import type { RespVersion } from '../resp/encode.js';
import { DEFAULT_TABLE_SIZE } from './maglev.js';
import { DEFAULT_RING, type RingOptions } from './ring.js';

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

/** A share as Envoy states it; drawn as a whole number below `of`. Without `runtime_fraction` Envoy always copies: 100 of 100. */
export type Fraction = { readonly numerator: number; readonly of: 100 | 10_000 | 1_000_000 };

/** One `request_mirror_policy` of a route. */
export type MirrorPolicy = {
  readonly upstream: string;
  readonly fraction: Fraction;
  readonly excludeReads: boolean;
};

/** One prefix route. The catch-all has a null prefix; a route with prefix '' matches every key as well, and before it. */
export type Route = {
  readonly prefix: string | null;
  readonly upstream: string;
  /**
   * How many bytes are cut off the front of the key before it is placed and sent: the prefix's length with `remove_prefix`. A catch-all
   * that carries a prefix cuts as many off every key, whatever it starts with (config page, trap 12).
   */
  readonly strip: number;
  /** `%KEY%` is the key after cutting; null: the key stays. See `mesh/key-format.ts` for what else is understood. */
  readonly keyFormatter: string | null;
  /** Where reads go; null: with everything else. */
  readonly readUpstream: string | null;
  readonly mirrors: readonly MirrorPolicy[];
};

/** A route that does nothing but lead to `upstream`. */
export function plainRoute(prefix: string | null, upstream: string): Route {
  return { prefix, upstream, strip: 0, keyFormatter: null, readUpstream: null, mirrors: [] };
}

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

/** How a set of hosts that is no Redis Cluster is chosen among (mesh page, 5). */
export type Balancer = {
  readonly policy: 'MAGLEV' | 'RING_HASH' | 'ROUND_ROBIN' | 'RANDOM' | 'LEAST_REQUEST';
  /** Of MAGLEV; prime. */
  readonly tableSize: number;
  /** Of RING_HASH. */
  readonly ring: RingOptions;
  /** Hosts are hashed by their name instead of their address. */
  readonly hashByHostname: boolean;
  /** Below this share of healthy hosts, in percent, all count as healthy (Envoy's panic mode). */
  readonly panicThreshold: number;
};

/** One endpoint of a set of hosts. */
export type HostSpec = {
  /** `host:port`; a name where Envoy would resolve it. */
  readonly address: string;
  readonly weight: number;
  /** `hash_key` of the endpoint's metadata. */
  readonly hashKey: string | null;
  readonly hostname: string | null;
};

/** The hosts of an upstream that is no Redis Cluster, and how one of them is chosen. */
export type HostSet = {
  readonly hosts: readonly HostSpec[];
  /**
   * Whether names are looked up: never; every address of every name is a host (STRICT_DNS); the first address of the first name is
   * the only host (LOGICAL_DNS). An address that the address map has an entry for is never looked up.
   */
  readonly resolve: 'static' | 'strict-dns' | 'logical-dns';
  readonly balancer: Balancer;
};

/** One destination: what Envoy calls a cluster. */
export type Upstream = {
  /**
   * A Redis Cluster, whose seeds are asked for the slots; a set of hosts; or `auto`: a Redis Cluster if the seed says so, else that one
   * server.
   */
  readonly kind: 'auto' | 'redis-cluster' | 'hosts';
  /** Of `hosts`; else null. */
  readonly hostSet: HostSet | null;
  /** Seeds, `host:port`; of `hosts` the addresses of its hosts. */
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
  /** Whether `{tag}` counts on upstreams that are no Redis Cluster. */
  readonly hashtagging: boolean;
  /** Whether prefixes are compared without regard to ASCII case. */
  readonly caseInsensitive: boolean;
  /** Whether statistics are kept for each command at each upstream (`enable_command_stats`). */
  readonly commandStats: boolean;
  /** Forward what the mesh refuses as a good cluster client would. */
  readonly open: boolean;
};

/** What a fault does to a command it hits. Times are in ms. */
export type FaultAction =
  /** `at` request: before it is forwarded; reply: once the reply is there, as Envoy does. The jitter is drawn for each hit. */
  | {
      readonly kind: 'delay';
      readonly ms: number;
      readonly jitterMs: number;
      readonly at: 'request' | 'reply';
    }
  /** `text` without its `-`. At `request` nothing is sent; at `reply` the command is carried out and its reply replaced. */
  | {
      readonly kind: 'error';
      readonly text: string;
      readonly delayMs: number;
      readonly at: 'request' | 'reply';
    }
  /** Closes the client's connection instead of forwarding; or after so many bytes of the reply. */
  | { readonly kind: 'close'; readonly reset: boolean; readonly afterBytes: number | null }
  /** Never answers; or for so long, then goes on. */
  | { readonly kind: 'hang'; readonly ms: number | null }
  /** The reply comes in pieces of `bytes`, `pauseMs` between them. */
  | { readonly kind: 'drip'; readonly bytes: number; readonly pauseMs: number }
  /** Answers a redirect to `to`, or (null) to a server of another shard. */
  | { readonly kind: 'moved' | 'ask'; readonly to: string | null }
  /** The servers the command would go to count as dead: nothing is sent, `upstream failure`. */
  | { readonly kind: 'down' };

/** One entry of Envoy's `faults`: only delay at the reply, and error at the request (mesh page, 8). */
export type MeshFault = {
  /** `m1`, `m2` … in the order of the file. */
  readonly id: string;
  readonly on: boolean;
  /** Whole percent, as Envoy cuts it. Percentages of faults for one command add up. */
  readonly percent: number;
  /** Lower case; empty: all commands that no fault names. */
  readonly commands: readonly string[];
  readonly action: Extract<FaultAction, { kind: 'delay' | 'error' }>;
};

/** One fault rule of rmtop's own. */
export type FaultRule = {
  /** `t1`, `t2` … */
  readonly id: string;
  readonly on: boolean;
  /** 0 to 100; at most three decimals. */
  readonly percent: number;
  /** A filter over what is known when a command is decided (ux page, d); empty: every command. */
  readonly scope: string;
  readonly action: FaultAction;
  /** Each client connection has a generator of its own, made of this. */
  readonly seed: number;
  /** How many commands it hits at most; null: without end. */
  readonly max: number | null;
};

/** Everything `decide` is told but the command and the topology. */
export type MeshConfig = {
  readonly version: number;
  readonly envoy: EnvoyLevel;
  /** Longest prefix first, the catch-all last. */
  readonly routes: readonly Route[];
  readonly upstreams: Readonly<Record<string, Upstream>>;
  readonly settings: Settings;
  readonly faults: readonly MeshFault[];
  readonly rules: readonly FaultRule[];
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
  hashtagging: false,
  caseInsensitive: false,
  commandStats: false,
  open: false,
};

/** The connect timeout Envoy takes when none is given. */
export const DEFAULT_CONNECT_TIMEOUT_MS = 5000;

/** Envoy's defaults for a set of hosts. */
export const DEFAULT_BALANCER: Balancer = {
  policy: 'ROUND_ROBIN',
  tableSize: DEFAULT_TABLE_SIZE,
  ring: DEFAULT_RING,
  hashByHostname: false,
  panicThreshold: 50,
};

/** An upstream with Envoy's defaults. */
export function upstreamOf(seeds: readonly string[], more: Partial<Upstream> = {}): Upstream {
  return {
    kind: 'auto',
    hostSet: null,
    seeds,
    tls: false,
    connectTimeoutMs: DEFAULT_CONNECT_TIMEOUT_MS,
    refresh: DEFAULT_REFRESH,
    healthCheck: null,
    ...more,
  };
}

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
    routes: [plainRoute(null, name)],
    upstreams: { [name]: upstreamOf(seeds, upstream) },
    settings: { ...DEFAULT_SETTINGS, ...overrides },
    faults: [],
    rules: [],
  };
}
