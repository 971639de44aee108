/** Flags and environment → what a proxy is made of. Passwords go to `dialling`, never into the configuration. */
import { readFileSync } from 'node:fs';
import type { ConnectionOptions } from 'node:tls';
import type { Command } from 'commander';
import {
  type Credentials,
  type Dialling,
  joinAddress,
  type Login,
  type MeshConfig,
  messageOf,
  NEWEST_ENVOY,
  OLDEST_ENVOY,
  parseAddressMap,
  parseDownstreamAuth,
  parseSeed,
  READ_POLICIES,
  type ReadPolicy,
  RmtopError,
  type Seed,
  singleUpstreamConfig,
  splitAddress,
  type TlsSettings,
} from 'rmtop';

/** What commander gives for the flags that `withProxyFlags` adds. */
export type ProxyFlags = {
  readonly upstream?: string;
  readonly mesh?: readonly string[];
  readonly service?: string;
  readonly intended?: boolean;
  readonly namespace?: string;
  readonly set?: readonly string[];
  readonly watch?: boolean;
  readonly route?: readonly string[];
  readonly mirror?: readonly string[];
  readonly fault?: readonly string[];
  readonly downstreamAuthFile?: string;
  readonly seed?: string;
  readonly listen?: string;
  readonly map?: readonly string[];
  readonly readPolicy?: string;
  readonly envoy?: string;
  readonly open?: boolean;
  readonly enableRedirection?: boolean;
  readonly opTimeout?: string;
  readonly connectTimeout?: string;
  readonly refreshRate?: string;
  readonly healthCheck?: string | true;
  readonly protocolVersion?: string;
  readonly customCommand?: readonly string[];
  readonly authFile?: string;
  readonly tlsCa?: string;
  readonly tlsCert?: string;
  readonly tlsKey?: string;
  readonly tlsSkipVerify?: boolean;
};

const DEFAULT_UPSTREAM = '127.0.0.1:6379';
export const DEFAULT_LISTEN = '127.0.0.1:6380';

/** Adds the flags that say what is proxied, and how. */
export function withProxyFlags(command: Command): Command {
  for (const add of [withServerFlags, withFileFlags, withRuleFlags, withEnvoyFlags]) add(command);
  return command.optionsGroup('Options:');
}

/** For a flag that may be given several times. */
function collect(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value];
}

function withServerFlags(command: Command): void {
  command
    .optionsGroup('Servers and clients:')
    .option(
      '-u, --upstream <host:port,..>',
      `seed nodes or redis:// and rediss:// URLs (default: $RMTOP_UPSTREAM, $REDIS_URL, ${DEFAULT_UPSTREAM})`,
    )
    .option(
      '-l, --listen <address>',
      `where clients connect; port 0 picks one (default: $RMTOP_LISTEN, ${DEFAULT_LISTEN})`,
    )
    .option('--map <from=to>', 'announced address FROM is reached at TO; repeatable', collect)
    .option(
      '--auth-file <file>',
      'password, or user:password, for the servers (also $REDISCLI_AUTH)',
    )
    .option('--tls-ca <file>', 'CA certificates for rediss://')
    .option('--tls-cert <file>', 'client certificate')
    .option('--tls-key <file>', "client certificate's key")
    .option('--tls-skip-verify', 'accept any certificate');
}

function withFileFlags(command: Command): void {
  command
    .optionsGroup('Files of the mesh (Envoy, Istio, Aeraki, Kubernetes):')
    .option(
      '-m, --mesh <path>',
      "the mesh's YAML, a file or a folder; repeatable, - is stdin",
      collect,
    )
    .option('--service <host>', 'only the listener of this service')
    .option('--intended', "Aeraki's resources as they read, not as Aeraki generates them")
    .option('--namespace <name>', 'the namespace of Aeraki resources that do not say theirs')
    .option('--set <name=value>', 'a value for a placeholder; repeatable', collect)
    .option('--no-watch', 'do not take changed files while running');
}

function withRuleFlags(command: Command): void {
  command
    .optionsGroup('Without files, or over them:')
    .option(
      '--route <prefix=host:port>',
      'keys with this prefix go there ([,strip]: without it; *= is all other keys); repeatable',
      collect,
    )
    .option(
      '--mirror <host:port>',
      'copy there: HOST:PORT[,PERCENT%][,writes]; repeatable',
      collect,
    )
    .option(
      '--fault <rule>',
      "inject: 'error 50% cmd=GET', 'delay 200ms 10% class=read'; repeatable",
      collect,
    )
    .option(
      '--downstream-auth-file <file>',
      'clients must log in: a password, or user:password, a line',
    )
    .option('--seed <number>', 'for the draws of fault rules: the same traffic is hit again');
}

function withEnvoyFlags(command: Command): void {
  command
    .optionsGroup('As Envoy (over files too):')
    .option(
      '--read-policy <policy>',
      `where reads go on a Redis Cluster: ${READ_POLICIES.join(' ')}`,
    )
    .option('--envoy <version>', `behave like this Envoy, 1.${OLDEST_ENVOY} to 1.${NEWEST_ENVOY}`)
    .option('--open', 'forward what the mesh refuses as a good cluster client would')
    .option('--enable-redirection', 'follow MOVED and ASK, as Envoy does only when told to')
    .option('--op-timeout <duration>', "Envoy's op_timeout (default: 60s)")
    .option('--connect-timeout <duration>', "Envoy's connect_timeout (default: 5s)")
    .option('--refresh-rate <duration>', "Envoy's cluster_refresh_rate (default: 5s)")
    .option(
      '--health-check [interval]',
      "check hosts as Envoy's redis health checker (default: off, as in Envoy; 5s)",
    )
    .option('--protocol-version <version>', "the listener's: RESP2 or RESP3 (default: RESP2)")
    .option('--custom-command <name>', "a name for Envoy's custom_commands; repeatable", collect);
}

/** Logins for servers by where they were found; what applies to which server is the plan's to say. */
export type Logins = {
  /** In the URL of `--upstream` or its environment variables: of those servers alone. */
  readonly url: Login | null;
  /** `--auth-file`. */
  readonly file: Login | null;
  /** `$REDISCLI_AUTH`. */
  readonly env: Login | null;
};

/** Everything that flags and environment say about a proxy. */
export type Resolved = {
  readonly config: MeshConfig;
  readonly dialling: Dialling;
  readonly logins: Logins;
  /** What TLS flags say for every server; null where there are none. */
  readonly tls: TlsSettings | null;
  readonly listen: { readonly host: string; readonly port: number };
  /** What clients log in with; null: nothing is asked for. */
  readonly credentials: Credentials | null;
  /** The upstream as the user wrote it, without its password. */
  readonly label: string;
};

const UPSTREAM = 'redis';

/**
 * Reads flags and environment. With `--mesh` the files say where the servers are: an upstream of the environment is another's then, and
 * its login goes to none of theirs. Throws USAGE, BAD_ADDRESS, BAD_MAP, FILE_UNREADABLE or UPSTREAM_LOOP.
 */
export function resolve(flags: ProxyFlags, env: NodeJS.ProcessEnv = process.env): Resolved {
  const listen = parseListen(flags.listen ?? (env.RMTOP_LISTEN || DEFAULT_LISTEN));
  const hasFiles = (flags.mesh ?? []).length > 0;
  const fromEnv = hasFiles ? undefined : env.RMTOP_UPSTREAM || env.REDIS_URL;
  const written = flags.upstream ?? fromEnv ?? DEFAULT_UPSTREAM;
  const seeds = written.split(',').map((part) => parseSeed(part.trim()));
  if (!hasFiles || (flags.upstream !== undefined && flags.listen !== undefined))
    refuseLoop(seeds, listen);
  const tls = seeds.some((seed) => seed.tls) || hasTlsFlags(flags) ? tlsOptions(flags) : null;
  const logins: Logins = {
    url:
      seeds.find((seed) => seed.login !== null)?.login ??
      (hasFiles ? null : urlLogin(env.RMTOP_UPSTREAM)),
    file: fileLogin(flags.authFile),
    env: envLogin(env),
  };
  const login = logins.url ?? logins.file ?? logins.env;
  const config = singleUpstreamConfig(
    seeds.map((seed) => joinAddress(seed.host, seed.port)),
    {
      readPolicy: parsePolicy(flags.readPolicy),
      enableRedirection: flags.enableRedirection ?? false,
      opTimeoutMs: parseDuration('--op-timeout', flags.opTimeout ?? '60s'),
      protocolVersion: parseProtocol(flags.protocolVersion),
      customCommands: flags.customCommand ?? [],
      open: flags.open ?? false,
    },
    {
      name: UPSTREAM,
      envoy: parseEnvoy(flags.envoy),
      tls: tls !== null,
      connectTimeoutMs: parseDuration('--connect-timeout', flags.connectTimeout ?? '5s'),
      healthCheck: parseHealthCheck(flags.healthCheck),
    },
  );
  return {
    config: withRefreshRate(config, flags.refreshRate),
    dialling: { map: parseAddressMap(flags.map ?? []), access: { [UPSTREAM]: { tls, login } } },
    logins,
    tls: hasTlsFlags(flags) ? tls : null,
    listen,
    credentials: clientLogin(flags.downstreamAuthFile),
    label: seeds.map((seed) => joinAddress(seed.host, seed.port)).join(','),
  };
}

function refuseLoop(seeds: readonly Seed[], listen: Resolved['listen']): void {
  const loop = seeds.find((seed) => seed.port === listen.port && sameHost(seed.host, listen.host));
  if (loop === undefined || listen.port === 0) return;
  throw new RmtopError(
    'UPSTREAM_LOOP',
    `the upstream ${loop.host}:${loop.port} is rmtop's own listen address`,
    { next: ['rmtop --upstream HOST:PORT', 'rmtop --listen 127.0.0.1:0'] },
  );
}

function withRefreshRate(config: MeshConfig, rate: string | undefined): MeshConfig {
  const upstream = config.upstreams[UPSTREAM];
  if (rate === undefined || upstream === undefined) return config;
  const refresh = { ...upstream.refresh, rateMs: parseDuration('--refresh-rate', rate) };
  return { ...config, upstreams: { [UPSTREAM]: { ...upstream, refresh } } };
}

/** An address to listen at; a port alone is of 127.0.0.1. Throws BAD_ADDRESS. */
export function parseListen(text: string): { host: string; port: number } {
  const address = splitAddress(/^\d+$/.test(text) ? `:${text}` : text);
  if (address === null) {
    throw new RmtopError('BAD_ADDRESS', `--listen '${text}' is not an address`, {
      why: 'wanted: host:port or :port',
      next: [`rmtop --listen ${DEFAULT_LISTEN}`],
    });
  }
  return { host: address.host === '' ? '127.0.0.1' : address.host, port: address.port };
}

/** Whether two hosts are one for a listener: all of this machine are. */
export function sameHost(a: string, b: string): boolean {
  const local = new Set(['127.0.0.1', 'localhost', '::1', '0.0.0.0', '::']);
  return a === b || (local.has(a) && local.has(b));
}

function urlLogin(url: string | undefined): Login | null {
  return url === undefined || !url.includes('://')
    ? null
    : parseSeed(url.split(',')[0] ?? '').login;
}

function envLogin(env: NodeJS.ProcessEnv): Login | null {
  return env.REDISCLI_AUTH ? { username: null, password: env.REDISCLI_AUTH } : null;
}

/** A file with `password` or `user:password`; the line end does not count. */
function fileLogin(file: string | undefined): Login | null {
  if (file === undefined) return null;
  const text = readFile('--auth-file', file).replace(/\r?\n$/, '');
  const colon = text.indexOf(':');
  return colon === -1
    ? { username: null, password: text }
    : { username: text.slice(0, colon), password: text.slice(colon + 1) };
}

function clientLogin(file: string | undefined): Credentials | null {
  return file === undefined
    ? null
    : parseDownstreamAuth(readFile('--downstream-auth-file', file), file);
}

function readFile(flag: string, file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new RmtopError('FILE_UNREADABLE', `${flag} ${file} cannot be read`, {
      why: messageOf(error),
    });
  }
}

function hasTlsFlags(flags: ProxyFlags): boolean {
  return (
    [flags.tlsCa, flags.tlsCert, flags.tlsKey].some((file) => file !== undefined) ||
    flags.tlsSkipVerify === true
  );
}

function tlsOptions(flags: ProxyFlags): ConnectionOptions {
  return {
    ...(flags.tlsCa === undefined ? {} : { ca: readFile('--tls-ca', flags.tlsCa) }),
    ...(flags.tlsCert === undefined ? {} : { cert: readFile('--tls-cert', flags.tlsCert) }),
    ...(flags.tlsKey === undefined ? {} : { key: readFile('--tls-key', flags.tlsKey) }),
    rejectUnauthorized: flags.tlsSkipVerify !== true,
  };
}

function parsePolicy(text: string | undefined): ReadPolicy {
  const policy = (text ?? 'MASTER').toUpperCase().replace(/-/g, '_');
  const found = READ_POLICIES.find((known) => known === policy);
  if (found === undefined)
    throw usage('--read-policy', text ?? '', `one of ${READ_POLICIES.join(', ')}`);
  return found;
}

/** The minor version of an Envoy such as `1.26`. Throws USAGE. */
export function parseEnvoy(text: string | undefined): number {
  if (text === undefined) return NEWEST_ENVOY;
  const minor = /^(?:v?1\.)?(\d{2})(?:\.\d+)?$/.exec(text)?.[1];
  const level = Number(minor);
  if (minor === undefined || level < OLDEST_ENVOY || level > NEWEST_ENVOY)
    throw usage('--envoy', text, `1.${OLDEST_ENVOY} to 1.${NEWEST_ENVOY}`);
  return level;
}

function parseProtocol(text: string | undefined): 2 | 3 {
  if (text === undefined || /^(resp)?2$/i.test(text)) return 2;
  if (/^(resp)?3$/i.test(text)) return 3;
  throw usage('--protocol-version', text, 'RESP2 or RESP3');
}

function parseHealthCheck(
  flag: string | true | undefined,
): MeshConfig['upstreams'][string]['healthCheck'] {
  if (flag === undefined) return null;
  const intervalMs = parseDuration('--health-check', flag === true ? '5s' : flag);
  return {
    intervalMs,
    timeoutMs: Math.min(intervalMs, 1000),
    unhealthyThreshold: 2,
    healthyThreshold: 1,
  };
}

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000 };

/** `200ms`, `1.5s`, `2m` in ms. Throws USAGE. */
export function parseDuration(flag: string, text: string): number {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m)$/.exec(text);
  const ms = match === null ? Number.NaN : Number(match[1]) * (UNITS[match[2] ?? ''] ?? Number.NaN);
  if (!(ms > 0) || ms > 0x7fffffff) throw usage(flag, text, 'a duration such as 200ms, 5s or 1m');
  return ms;
}

/** An error about a flag's value. */
export function usage(flag: string, value: string, wanted: string): RmtopError {
  return new RmtopError('USAGE', `${flag} '${value}' is not understood`, {
    why: `wanted: ${wanted}`,
    next: ['rmtop --help'],
  });
}

/** Two flags that exclude each other. */
export function conflict(one: string, other: string, why: string | null = null): RmtopError {
  return new RmtopError('USAGE', `${one} and ${other} do not go together`, {
    why,
    next: ['rmtop --help'],
  });
}
