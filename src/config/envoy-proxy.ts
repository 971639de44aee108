/** A normalised RedisProxy → its settings, and who may log in (mesh page, 9.1 and 12.2). */
import type { Credentials } from '../mesh/answers.js';
import { DEFAULT_SETTINGS, type ReadPolicy, type Settings } from '../mesh/config.js';
import { get, isTrue, items, type MapNode, type Node, num, placeOf, str, strings } from './node.js';
import { SINCE } from './schema.js';
import { readDataSource } from './secrets.js';
import type { World } from './shape.js';

/** Passwords and user that clients log in with; null where they need not. */
export function readCredentials(proxy: MapNode, world: World): Credentials | null {
  const username = readDataSource(
    get(proxy, 'downstream_auth_username'),
    'downstream_auth_username',
    world,
  );
  const one = readDataSource(
    get(proxy, 'downstream_auth_password'),
    'downstream_auth_password',
    world,
  );
  const more = items(proxy, 'downstream_auth_passwords').map((each, i) =>
    readDataSource(each, `downstream_auth_passwords[${i}]`, world),
  );
  const passwords = [one, ...more].filter((password) => password !== null);
  const external = get(proxy, 'external_auth_provider');
  if (external !== undefined) {
    world.findings.say(
      'ENVOY-NOTLOCAL',
      placeOf(proxy, 'external_auth_provider'),
      'external_auth_provider cannot be asked from here',
      {
        consequence:
          passwords.length > 0
            ? 'the passwords written beside it are used instead'
            : 'clients are let in without a login here',
        advice: '--downstream-auth-file FILE makes clients log in',
      },
    );
  }
  return username === null && passwords.length === 0 ? null : { username, passwords };
}

/** The settings; `op_timeout`, which Envoy insists on, is taken for 60 s where it is missing. */
export function readSettings(
  proxy: MapNode,
  credentials: Credentials | null,
  world: World,
): Settings {
  const settings = get(proxy, 'settings');
  const opTimeoutMs = num(settings, 'op_timeout');
  if (settings === undefined || opTimeoutMs === null || opTimeoutMs === 0) {
    world.findings.say(
      'ENVOY-OPTIMEOUT',
      placeOf(proxy, 'settings', 'op_timeout'),
      opTimeoutMs === 0 ? 'settings.op_timeout is 0' : 'settings.op_timeout is missing',
      {
        consequence: `${opTimeoutMs === 0 ? 'Envoy would give every command up at once' : 'Envoy refuses the configuration'}; 60s is taken here`,
        advice: 'write settings: {op_timeout: 5s}',
      },
    );
  }
  sayLevels(proxy, world);
  return {
    ...DEFAULT_SETTINGS,
    readPolicy: readPolicy(settings, world),
    opTimeoutMs: opTimeoutMs || DEFAULT_SETTINGS.opTimeoutMs,
    enableRedirection: isTrue(settings, 'enable_redirection'),
    maxUpstreamUnknownConnections:
      num(settings, 'max_upstream_unknown_connections') ??
      DEFAULT_SETTINGS.maxUpstreamUnknownConnections,
    protocolVersion: str(proxy, 'protocol_version') === 'RESP3' ? 3 : 2,
    downstreamAuth:
      credentials === null
        ? null
        : { username: credentials.username, passwords: credentials.passwords.length },
    customCommands: strings(proxy, 'custom_commands'),
    hashtagging: isTrue(settings, 'enable_hashtagging'),
    caseInsensitive: isTrue(proxy, 'prefix_routes', 'case_insensitive'),
    commandStats: isTrue(settings, 'enable_command_stats'),
  };
}

function sayLevels(proxy: MapNode, world: World): void {
  for (const field of ['custom_commands', 'protocol_version']) {
    const since = SINCE[field] ?? 0;
    if (get(proxy, field) === undefined || world.envoy >= since) continue;
    world.findings.say(
      'ENVOY-LEVEL',
      placeOf(proxy, field),
      `${field} came with Envoy 1.${since}; this is 1.${world.envoy}`,
      {
        consequence: 'that Envoy refuses the configuration',
        advice: `--envoy 1.${since}, or remove it`,
      },
    );
  }
  for (const name of strings(proxy, 'custom_commands')) {
    if (name === name.toLowerCase()) continue;
    world.findings.say(
      'ENVOY-REFUSED',
      placeOf(proxy, 'custom_commands'),
      `custom command ${name} is not in lower case`,
      {
        consequence: 'Envoy never finds it: it stays unknown',
        advice: `write ${name.toLowerCase()}`,
        level: 'warning',
      },
    );
  }
}

function readPolicy(settings: Node | undefined, world: World): ReadPolicy {
  const written = str(settings, 'read_policy') ?? 'MASTER';
  if (settings !== undefined && written.startsWith('LOCAL_ZONE')) {
    world.findings.say(
      'ENVOY-NOTLOCAL',
      placeOf(settings, 'read_policy'),
      `read_policy ${written}: zones are not known here`,
      { consequence: 'reads go as with PREFER_REPLICA' },
    );
    world.findings.withoutEffect(
      placeOf(settings, 'read_policy'),
      `read_policy: ${written}`,
      'PREFER_REPLICA, for zones are not known here',
    );
    return 'PREFER_REPLICA';
  }
  return POLICIES[written] ?? 'MASTER';
}

const POLICIES: Readonly<Record<string, ReadPolicy>> = {
  MASTER: 'MASTER',
  PREFER_MASTER: 'PREFER_MASTER',
  REPLICA: 'REPLICA',
  PREFER_REPLICA: 'PREFER_REPLICA',
  ANY: 'ANY',
};
