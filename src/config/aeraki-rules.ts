/** A RedisService → the RedisProxy that Aeraki generates of it, or (`--intended`) that it reads like (config page, 2.3 to 2.5). */
import type { ReadPolicy } from '../mesh/config.js';
import type { AerakiLogin } from './aeraki-auth.js';
import type { Position } from './diagnostic.js';
import { outboundName } from './istio-name.js';
import {
  get,
  isTrue,
  items,
  type MapNode,
  make,
  makeMap,
  type Node,
  num,
  type Plain,
  placeOf,
  str,
  strings,
} from './node.js';
import type { World } from './shape.js';
import { perMillion } from './units.js';

/** What Aeraki generates for each read policy. The fourth line is Aeraki's slip, kept: see AERAKI-PREFERREPLICA. */
export const GENERATED_POLICY: Readonly<Record<ReadPolicy, ReadPolicy>> = {
  MASTER: 'MASTER',
  PREFER_MASTER: 'PREFER_MASTER',
  REPLICA: 'REPLICA',
  PREFER_REPLICA: 'PREFER_MASTER',
  ANY: 'ANY',
};

const DEFAULT_OP_TIMEOUT_MS = 60_000;

/** The listener a RedisService is applied to, and how its hosts are looked up. */
export type RuleContext = {
  /** The host of the service that the RedisService claims. */
  readonly host: string;
  readonly listenPort: number;
  readonly login: AerakiLogin | null;
  /** The full name of a host as a rule writes it, and the port a route to it goes to. */
  readonly target: (
    host: string,
    port: number,
    at: Position,
  ) => { readonly host: string; readonly port: number };
  /** Told of each cluster that is led to. */
  readonly use: (host: string, port: number, at: Position) => void;
  readonly world: World;
};

/** The filter Aeraki makes for a redis port without a RedisService. */
export function plainProxy(host: string, port: number, at: Position): MapNode {
  const name = outboundName(host, port);
  return makeMap(
    {
      stat_prefix: name,
      settings: { op_timeout: DEFAULT_OP_TIMEOUT_MS },
      prefix_routes: { catch_all_route: { cluster: name } },
    },
    at,
  );
}

/** The filter for a normalised RedisServiceSpec. */
export function generateProxy(spec: MapNode, context: RuleContext): MapNode {
  const { host, listenPort, login, world } = context;
  const settings = get(spec, 'settings');
  const caseInsensitive = get(settings, 'caseInsensitive');
  if (caseInsensitive !== undefined && isTrue(caseInsensitive))
    dropped(
      settings,
      'caseInsensitive',
      'settings.caseInsensitive: true',
      'prefixes are compared with their case',
      world,
    );
  const routes = generateRoutes(spec, context);
  return makeMap(
    {
      stat_prefix: outboundName(host, listenPort),
      settings: generateSettings(settings, spec.at, world),
      prefix_routes: {
        ...routes,
        ...(world.intended ? { case_insensitive: caseInsensitive } : {}),
      },
      ...(login === null || login.password === ''
        ? {}
        : { downstream_auth_password: inline(login.password, login.at) }),
      ...(login === null || login.username === ''
        ? {}
        : { downstream_auth_username: inline(login.username, login.at) }),
      faults: items(spec, 'faults').map((fault) => generateFault(fault, world)),
    },
    spec.at,
  );
}

function inline(text: string, at: Position): Node {
  return make({ inline_string: text }, at);
}

/** Notes a setting that Aeraki accepts and never forwards. */
export function dropped(
  owner: Node | undefined,
  field: string,
  setting: string,
  instead: string,
  world: World,
): void {
  if (owner === undefined) return;
  const at = placeOf(owner, field);
  world.findings.say('AERAKI-DROPPED', at, `${setting} is accepted and never forwarded to Envoy`, {
    consequence: world.intended
      ? `in the mesh: ${instead}; with --intended it holds here`
      : instead,
    advice: 'remove it, or use an EnvoyFilter',
  });
  world.findings.withoutEffect(at, setting, instead);
}

function generateSettings(settings: Node | undefined, at: Position, world: World): Node {
  const unknown = get(settings, 'maxUpstreamUnknownConnections');
  if (unknown !== undefined)
    dropped(
      settings,
      'maxUpstreamUnknownConnections',
      `settings.maxUpstreamUnknownConnections: ${str(unknown)}`,
      "Envoy's own 100 holds",
      world,
    );
  return make(
    {
      op_timeout: get(settings, 'opTimeout') ?? DEFAULT_OP_TIMEOUT_MS,
      enable_command_stats: get(settings, 'enableCommandStats'),
      enable_hashtagging: get(settings, 'enableHashtagging'),
      enable_redirection: get(settings, 'enableRedirection'),
      buffer_flush_timeout: get(settings, 'bufferFlushTimeout'),
      max_buffer_size_before_flush: get(settings, 'maxBufferSizeBeforeFlush'),
      read_policy: generatePolicy(settings, world),
      ...(world.intended ? { max_upstream_unknown_connections: unknown } : {}),
    },
    settings?.at ?? at,
  );
}

function generatePolicy(settings: Node | undefined, world: World): Plain {
  const written = get(settings, 'readPolicy');
  const policy = str(written);
  if (settings === undefined || written === undefined || policy === null) return undefined;
  const generated = GENERATED_POLICY[policy as ReadPolicy] ?? 'MASTER';
  if (generated !== policy) {
    const at = placeOf(settings, 'readPolicy');
    world.findings.say(
      'AERAKI-PREFERREPLICA',
      at,
      `Aeraki generates ${generated} for ${policy}: a slip there since 2021`,
      {
        consequence: world.intended
          ? `${policy} holds here (--intended); in the mesh reads go to the primary`
          : 'reads go to the primary as long as it counts as healthy',
        advice: 'REPLICA, or an EnvoyFilter that merges read_policy: PREFER_REPLICA',
      },
    );
    world.findings.withoutEffect(at, `settings.readPolicy: ${policy}`, generated);
  }
  return make(world.intended ? policy : generated, written.at);
}

type Routes = { readonly routes: readonly Plain[]; readonly catch_all_route: Plain };

function generateRoutes(spec: MapNode, context: RuleContext): Routes {
  const { world } = context;
  const rules = items(spec, 'redis');
  if (rules.length === 0) {
    context.use(context.host, context.listenPort, spec.at);
    return {
      routes: [],
      catch_all_route: { cluster: outboundName(context.host, context.listenPort) },
    };
  }
  const routes: Plain[] = [];
  const catchAlls: Node[] = [];
  let catchAll: Plain;
  for (const rule of rules) {
    const key = get(rule, 'match', 'key');
    const made = generateRoute(rule, context);
    if (key === undefined) {
      catchAlls.push(rule);
      catchAll = make(made, rule.at);
    } else {
      // `key: {}` is no catch-all to Aeraki, but a route whose empty prefix every key begins with.
      routes.push(
        make(
          {
            ...made,
            prefix: get(key, 'prefix') ?? make('', key.at),
            remove_prefix: get(key, 'removePrefix'),
          },
          rule.at,
        ),
      );
    }
  }
  if (catchAlls.length === 0) {
    world.findings.say(
      'AERAKI-CATCHALL',
      placeOf(spec, 'redis'),
      'no route without match: no catch-all',
      {
        consequence: 'keys that no prefix fits get "no upstream host"',
        advice: `add - route: {host: ${context.host}}`,
      },
    );
  } else if (catchAlls.length > 1) {
    world.findings.say(
      'AERAKI-CATCHALL',
      catchAlls[0]?.at ?? spec.at,
      `${catchAlls.length} routes without match.key`,
      {
        consequence: `the last one is the catch-all (line ${catchAlls.at(-1)?.at.line}); the others are lost`,
        advice: 'keep one',
      },
    );
  }
  return { routes, catch_all_route: catchAll };
}

function generateRoute(rule: Node, context: RuleContext): { readonly [key: string]: Plain } {
  const route = get(rule, 'route');
  if (route === undefined)
    crash(
      rule.at,
      'a route without route.host',
      `taken as a route to ${context.host} here`,
      context.world,
    );
  const written = str(route, 'host') ?? context.host;
  const at = route?.at ?? rule.at;
  const { host, port } = context.target(written, num(route, 'port') ?? 0, at);
  context.use(host, port, at);
  const mirrors = items(rule, 'mirror').map((mirror) => generateMirror(mirror, port, context));
  return {
    cluster: make(outboundName(host, port), at),
    ...(mirrors.length === 0 ? {} : { request_mirror_policy: mirrors }),
  };
}

function generateMirror(mirror: Node, primaryPort: number, context: RuleContext): Plain {
  const { world } = context;
  const route = get(mirror, 'route');
  const at = route?.at ?? mirror.at;
  if (route === undefined) crash(mirror.at, 'a mirror without route', 'it is left out here', world);
  const port = get(route, 'port');
  if (port !== undefined)
    dropped(
      route,
      'port',
      `mirror[].route.port: ${str(port)}`,
      `the port of the route itself holds: ${primaryPort}`,
      world,
    );
  const full = context.target(
    str(route, 'host') ?? context.host,
    world.intended ? (num(port) ?? 0) : primaryPort,
    at,
  );
  context.use(full.host, full.port, at);
  return make(
    {
      cluster: route === undefined ? undefined : make(outboundName(full.host, full.port), at),
      runtime_fraction: share(mirror, 'mirror', world),
      exclude_read_commands: get(mirror, 'excludeReadCommands'),
    },
    mirror.at,
  );
}

/** `percentage` as Envoy's fraction; Aeraki crashes on a missing one. */
function share(owner: Node, what: string, world: World): Plain {
  const percentage = get(owner, 'percentage');
  if (percentage === undefined) {
    crash(owner.at, `a ${what} without percentage`, 'taken as 100 percent here', world);
    return make({ default_value: { numerator: 100, denominator: 'HUNDRED' } }, owner.at);
  }
  const percent = num(percentage, 'value') ?? 0;
  if (percent === 0)
    world.findings.say('AERAKI-DROPPED', percentage.at, `a ${what} of 0 percent`, {
      consequence: 'it never happens',
      advice: 'percentage: {value: 100}',
      level: 'info',
    });
  return make(
    { default_value: { numerator: perMillion(percent), denominator: 'MILLION' } },
    percentage.at,
  );
}

function generateFault(fault: Node, world: World): Node {
  return make(
    {
      fault_type: get(fault, 'type') ?? 'DELAY',
      fault_enabled: share(fault, 'fault', world),
      delay: get(fault, 'delay'),
      commands: strings(fault, 'commands'),
    },
    fault.at,
  );
}

/** Notes what kills Aeraki's process. */
export function crash(at: Position, what: string, here: string, world: World): void {
  world.findings.say('AERAKI-CRASH', at, `Aeraki would crash on this: ${what}`, {
    consequence: `it restarts for ever and updates nobody's rules; ${here}`,
    advice: 'write it out',
  });
}
