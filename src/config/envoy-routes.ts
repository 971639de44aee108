/** The routes of a normalised RedisProxy, with their mirrors (mesh page, 3 and 7). */
import { type MirrorPolicy, plainRoute, type Route } from '../mesh/config.js';
import { readFraction } from './envoy-faults.js';
import { get, isTrue, items, type MapNode, type Node, placeOf, str } from './node.js';
import type { World } from './shape.js';

/** What a route without a cluster leads to. */
const NOWHERE = '';

/** The routes, longest prefix first and the catch-all last. */
export function readRoutes(proxy: MapNode, world: World): Route[] {
  const { findings } = world;
  const written = get(proxy, 'prefix_routes');
  const caseInsensitive = isTrue(written, 'case_insensitive');
  const seen = new Set<string>();
  const routes: Route[] = [];
  for (const node of items(written, 'routes')) {
    const prefix = str(node, 'prefix') ?? '';
    const id = caseInsensitive ? asciiLower(prefix) : prefix;
    if (seen.has(id)) {
      findings.say(
        'ENVOY-DUPPREFIX',
        placeOf(node, 'prefix'),
        `prefix \`${prefix}\` already exists.`,
        {
          consequence: 'Envoy refuses the configuration in these words; the first one counts here',
          advice: 'remove one of the two routes',
        },
      );
      continue;
    }
    seen.add(id);
    if (Buffer.byteLength(prefix) > 1000)
      findings.say('ENVOY-REFUSED', placeOf(node, 'prefix'), 'a prefix longer than 1000 bytes', {
        consequence: 'Envoy refuses the configuration',
      });
    routes.push(readRoute(node, prefix, world));
  }
  routes.sort((a, b) => Buffer.byteLength(b.prefix ?? '') - Buffer.byteLength(a.prefix ?? ''));
  const all = catchAll(proxy, world);
  if (all !== null && seen.has('')) {
    const empty = items(written, 'routes').find((node) => (str(node, 'prefix') ?? '') === '');
    findings.say(
      'ENVOY-EMPTYPREFIX',
      empty?.at ?? proxy.at,
      'a route with an empty prefix matches every key',
      { consequence: 'the catch-all never gets one', advice: 'remove one of the two' },
    );
  }
  if (all === null && routes.length === 0) {
    findings.say(
      'ENVOY-NOUPSTREAM',
      written?.at ?? proxy.at,
      'neither routes nor a catch-all: cannot configure a redis-proxy without any upstream',
      {
        consequence: 'Envoy refuses the configuration',
        advice: 'add prefix_routes: {catch_all_route: {cluster: NAME}}',
      },
    );
  }
  return all === null ? routes : [...routes, all];
}

function clusterIn(node: Node | undefined): string | null {
  const name = str(node, 'cluster');
  return name === null ? null : keyable(name);
}

/** Upstreams are kept in plain objects, which take this one name for something else. */
function keyable(name: string): string {
  return name === '__proto__' ? '(__proto__)' : name;
}

/** As Envoy folds case: ASCII only. */
function asciiLower(text: string): string {
  return text.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
}

/** The catch-all, in today's spelling or in one of the two of v2. */
function catchAll(proxy: MapNode, world: World): Route | null {
  const written = get(proxy, 'prefix_routes', 'catch_all_route');
  if (written === undefined) {
    const old = str(proxy, 'prefix_routes', 'catch_all_cluster') ?? str(proxy, 'cluster');
    return old === null ? null : plainRoute(null, keyable(old));
  }
  const route = readRoute(written, str(written, 'prefix') ?? '', world);
  if (route.strip > 0) {
    world.findings.say(
      'ENVOY-CATCHALLPREFIX',
      placeOf(written, 'remove_prefix'),
      `the catch-all has prefix '${route.prefix}' and remove_prefix`,
      {
        consequence: `Envoy cuts the first ${route.strip} bytes off every key that falls through, whether or not it begins with the prefix`,
        advice: 'make it a route of its own under routes, and keep prefix off the catch-all',
      },
    );
  }
  return { ...route, prefix: null };
}

function readRoute(node: Node, prefix: string, world: World): Route {
  const upstream = clusterIn(node);
  if (upstream === null)
    world.findings.say('ENVOY-REQUIRED', node.at, 'a route without cluster', {
      consequence:
        'Envoy refuses the configuration; keys of this route get "no upstream host" here',
      advice: 'add cluster: NAME',
    });
  return {
    prefix,
    upstream: upstream ?? NOWHERE,
    strip: isTrue(node, 'remove_prefix') ? Buffer.byteLength(prefix) : 0,
    keyFormatter: readFormatter(node, world),
    readUpstream: clusterIn(get(node, 'read_command_policy')),
    mirrors: items(node, 'request_mirror_policy').flatMap((mirror) => readMirror(mirror, world)),
  };
}

function readMirror(node: Node, world: World): MirrorPolicy[] {
  const upstream = clusterIn(node);
  if (upstream === null) {
    world.findings.say('ENVOY-REQUIRED', node.at, 'a mirror without cluster', {
      consequence: 'Envoy refuses the configuration; it is left out here',
      advice: 'add cluster: NAME',
    });
    return [];
  }
  const fraction = get(node, 'runtime_fraction');
  return [
    {
      upstream,
      excludeReads: isTrue(node, 'exclude_read_commands'),
      fraction: fraction === undefined ? { numerator: 100, of: 100 } : readFraction(fraction),
    },
  ];
}

/** What `mesh/key-format.ts` fills in for each command. */
const LATER = new Set([
  'KEY',
  'DOWNSTREAM_REMOTE_ADDRESS',
  'DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT',
  'DOWNSTREAM_LOCAL_PORT',
  'DOWNSTREAM_LOCAL_ADDRESS',
]);

/** The key formatter with `%ENVIRONMENT(X)%` filled in: it is the same for every command. */
function readFormatter(node: Node, world: World): string | null {
  const written = str(node, 'key_formatter');
  if (written === null || written === '') return null;
  const at = placeOf(node, 'key_formatter');
  const filled = written.replace(/%ENVIRONMENT\((\w+)\)(?::\d+)?%/g, (_, name: string) => {
    if (world.env[name] === undefined)
      world.findings.say('ENVOY-FORMATTER', at, `key_formatter: ${name} is not set here`, {
        consequence: "Envoy would write '-' in its place; so is it here",
        advice: `${name}=… rmtop …, with the pod's value`,
      });
    return world.env[name] ?? '-';
  });
  for (const [whole, word = ''] of filled.matchAll(/%([A-Z_]+)(?:\([^)]*\))?(?::\d+)?%/g)) {
    if (LATER.has(word) && whole === `%${word}%`) continue;
    world.findings.say('ENVOY-FORMATTER', at, `key_formatter: ${whole} is not known here`, {
      consequence: 'keys will differ from those in the mesh',
      advice:
        'use %KEY%, %DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%, %DOWNSTREAM_LOCAL_PORT% or %ENVIRONMENT(NAME)%',
    });
  }
  if (!written.includes('%KEY%'))
    world.findings.say('ENVOY-FORMATTER', at, 'key_formatter without %KEY%', {
      consequence: 'every key of this route becomes one and the same',
      advice: 'put %KEY% where the key belongs',
    });
  return filled;
}
