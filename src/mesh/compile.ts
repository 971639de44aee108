/** A MeshConfig made ready for `decide`: what is looked up for every command is worked out once. */
import { COMMANDS, type CommandSpec, commandByName, type MeshClass } from '../commands/table.js';
import type {
  EnvoyLevel,
  FaultRule,
  MeshConfig,
  MeshFault,
  MirrorPolicy,
  Route,
  Settings,
} from './config.js';
import type { Hop, Reason, RouteMatch } from './decision.js';
import { compileFormat, type KeyFormat } from './key-format.js';
import type { Topology } from './topology.js';

/** A route ready to be compared with keys. Its matches and reasons are made once: they are part of every decision. */
export type CompiledRoute = {
  readonly route: Route;
  /** The prefix; in lower case where case does not count. */
  readonly bytes: Buffer;
  readonly writes: RouteWay;
  readonly reads: RouteWay;
  readonly strip: number;
  readonly format: KeyFormat | null;
  readonly mirrors: readonly CompiledMirror[];
  /** What comes of a read where that is the same for every one: there are no mirrors, or all exclude reads. */
  readonly readCopies: Copies | null;
};

/** A mirror, and the reasons that are the same for every command. */
export type CompiledMirror = MirrorPolicy & {
  readonly excluded: MirrorReason;
  /** Copied without a draw. */
  readonly copied: MirrorReason;
  /** Where a write's copy goes if that is one server, and in which topology; else empty. */
  readonly only: { topology: Topology | null; hops: readonly Hop[] };
};

/** The servers that get a copy of a request, and a reason for each mirror of its route. */
export type Copies = { readonly hops: readonly Hop[]; readonly why: readonly Reason[] };

export type MirrorReason = Extract<Reason, { stage: 'mirror' }>;

/** Where a route leads, and why. */
export type RouteWay = { readonly match: RouteMatch; readonly why: Reason };

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
  /** Longest prefix first, the catch-all last. */
  readonly routes: readonly CompiledRoute[];
  readonly fork: RouteFork;
  /** Null where no fault is on. */
  readonly faults: CompiledFaults | null;
  /** Rules that are on, in order. */
  readonly rules: readonly FaultRule[];
  /** Whether requests are sent as they came, and none is meddled with: large ones may then pass by in pieces. */
  readonly isPlain: boolean;
  /** Where all keys go, whatever they are called, and nothing is copied; null where routes, mirrors, faults or a greeting matter. */
  readonly onlyUpstream: string | null;
};

/**
 * Where prefixes begin to differ: of the routes only those are looked at that a key with this byte at `at` can match. Without it each key
 * is compared with each prefix before its own, and these often begin alike (`shop:cart:`, `shop:user:`).
 */
export type RouteFork = {
  readonly at: number;
  /** By the byte of the key at `at`, routes in their order. */
  readonly byByte: readonly (readonly CompiledRoute[])[];
};

/** Envoy's faults by what a command is called in lower case; `others` concern every command that none names. */
export type CompiledFaults = {
  /** By `CommandSpec.id`: those of `named`, or else `others`. */
  readonly bySpec: readonly (readonly MeshFault[])[];
  readonly named: ReadonlyMap<string, readonly MeshFault[]>;
  readonly others: readonly MeshFault[];
};

/** Since which Envoy custom_commands exist (mesh page, 0). */
const CUSTOM_COMMANDS_SINCE = 34;

/** Works out what `decide` needs of `config`. */
export function compileConfig(config: MeshConfig): CompiledConfig {
  const custom = config.envoy >= CUSTOM_COMMANDS_SINCE ? config.settings.customCommands : [];
  const routes = config.routes
    .map((route) => compileRoute(route, config.settings.caseInsensitive))
    .sort(longestFirst);
  const faults = compileFaults(config.faults);
  const rules = config.rules.filter((rule) => rule.on);
  const isPlain =
    faults === null &&
    rules.length === 0 &&
    routes.every((route) => route.strip === 0 && route.format === null);
  return {
    config,
    version: config.version,
    settings: config.settings,
    envoy: config.envoy,
    open: config.settings.open,
    classes: COMMANDS.map((spec) => classAt(spec, config.envoy)),
    custom: new Set(custom),
    routes,
    fork: forkOf(routes),
    faults,
    rules,
    isPlain,
    onlyUpstream:
      isPlain && custom.length === 0 && config.settings.protocolVersion === 2
        ? onlyUpstream(routes)
        : null,
  };
}

function forkOf(routes: readonly CompiledRoute[]): RouteFork {
  const prefixes = routes.filter(({ bytes }) => bytes.length > 0).map(({ bytes }) => bytes);
  const [first] = prefixes;
  let at = 0;
  if (first !== undefined)
    while (at < first.length && prefixes.every((prefix) => prefix[at] === first[at])) at++;
  const byByte = Array.from({ length: 256 }, (_, byte) =>
    routes.filter(({ bytes }) => bytes.length <= at || bytes[at] === byte),
  );
  return { at, byByte };
}

function onlyUpstream(routes: readonly CompiledRoute[]): string | null {
  const [only] = routes;
  if (only === undefined || routes.length > 1 || only.bytes.length > 0) return null;
  const { upstream, readUpstream, mirrors } = only.route;
  return readUpstream === null && mirrors.length === 0 ? upstream : null;
}

function compileRoute(route: Route, caseInsensitive: boolean): CompiledRoute {
  const prefix = route.prefix ?? '';
  const writes = wayTo(route, route.upstream, false);
  const mirrors = route.mirrors.map(compileMirror);
  return {
    route,
    bytes: Buffer.from(caseInsensitive ? lowerAscii(prefix) : prefix),
    writes,
    reads: route.readUpstream === null ? writes : wayTo(route, route.readUpstream, true),
    strip: route.strip,
    format: route.keyFormatter === null ? null : compileFormat(route.keyFormatter),
    mirrors,
    readCopies: mirrors.every((mirror) => mirror.excludeReads)
      ? { hops: [], why: mirrors.map((mirror) => mirror.excluded) }
      : null,
  };
}

function compileMirror(mirror: MirrorPolicy): CompiledMirror {
  const { upstream, fraction } = mirror;
  const same = { stage: 'mirror', upstream, roll: -1, ...fraction } as const;
  return {
    ...mirror,
    excluded: { ...same, code: 'reads-excluded' },
    copied: { ...same, code: 'copied' },
    only: { topology: null, hops: [] },
  };
}

function wayTo({ prefix }: Route, upstream: string, isRead: boolean): RouteWay {
  return {
    match: { prefix, upstream },
    why:
      prefix === null
        ? { stage: 'route', code: 'catch-all', upstream, isRead }
        : { stage: 'route', code: 'prefix', prefix, upstream, isRead },
  };
}

function longestFirst(a: CompiledRoute, b: CompiledRoute): number {
  if (a.route.prefix === null || b.route.prefix === null)
    return Number(a.route.prefix === null) - Number(b.route.prefix === null);
  return b.bytes.length - a.bytes.length;
}

function lowerAscii(text: string): string {
  return text.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
}

/** A command that any fault names has those, in their order, and then the nameless (mesh page, 8). */
function compileFaults(all: readonly MeshFault[]): CompiledFaults | null {
  const on = all.filter((fault) => fault.on);
  if (on.length === 0) return null;
  const others = on.filter((fault) => fault.commands.length === 0);
  const named = new Map<string, readonly MeshFault[]>();
  for (const name of new Set(on.flatMap((fault) => fault.commands)))
    named.set(name, [...on.filter((fault) => fault.commands.includes(name)), ...others]);
  // Envoy looks faults up by the first word, whatever it contains.
  const bySpec = COMMANDS.map(
    ({ parent, name }) => named.get((parent ?? name).toLowerCase()) ?? others,
  );
  return { bySpec, named, others };
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
