/** Flags given beside `--mesh`: they override what the files say, and each says so. */
import {
  applyOverrides,
  type Credentials,
  type MeshConfig,
  type Overrides,
  parseFilter,
  parseFlags,
  RmtopError,
  splitAddress,
  upstreamOf,
} from 'rmtop';
import type { ProxyFlags, Resolved } from './options.js';

/** Reads `--route`, `--mirror` and `--fault`, whose rules draw from `seed`. Throws USAGE, or FILTER where a rule's scope is none. */
export function readRules(flags: ProxyFlags, seed: number): Overrides {
  const read = parseFlags(flags, seed);
  for (const { scope } of read.rules) {
    const filter = parseFilter(scope, 'decision');
    if (filter.kind === 'problem')
      throw new RmtopError(
        'FILTER',
        `--fault … ${scope}: ${filter.message} at column ${filter.column}`,
        { why: filter.hint, next: ["rmtop --fault 'error 50% cmd=GET'"] },
      );
  }
  return read;
}

/** A configuration under the rules of flags; clients log in with `credentials`. */
export function withRules(
  config: MeshConfig,
  rules: Overrides,
  credentials: Credentials | null,
): Overridden {
  const applied = applyOverrides(config, rules);
  const downstreamAuth =
    credentials === null
      ? null
      : { username: credentials.username, passwords: credentials.passwords.length };
  const { settings } = applied.config;
  return {
    config: { ...applied.config, settings: { ...settings, downstreamAuth } },
    notes: applied.notes,
  };
}

/** A configuration with flags applied, and what they changed, in words. */
export type Overridden = { readonly config: MeshConfig; readonly notes: readonly string[] };

/** Applies those of `flags` that were given to `config`; `resolved` is what the flags alone come to. */
export function override(
  config: MeshConfig,
  flags: ProxyFlags,
  resolved: Resolved,
): Overridden & {
  /** The upstream whose servers `--upstream` gave. */
  readonly replaced: string | null;
} {
  const notes: string[] = [];
  const told = resolved.config;
  const { settings } = config;
  const given = <T>(flag: unknown, name: string, before: T, after: T): T => {
    if (flag === undefined || before === after) return before;
    notes.push(`${name} overrides the files: ${String(after)} instead of ${String(before)}`);
    return after;
  };
  const upstreams = Object.fromEntries(
    Object.entries(config.upstreams).map(([name, upstream]) => {
      const { connectTimeoutMs, refresh, healthCheck } = told.upstreams.redis ?? upstream;
      return [
        name,
        {
          ...upstream,
          connectTimeoutMs:
            flags.connectTimeout === undefined ? upstream.connectTimeoutMs : connectTimeoutMs,
          refresh: flags.refreshRate === undefined ? upstream.refresh : refresh,
          healthCheck: flags.healthCheck === undefined ? upstream.healthCheck : healthCheck,
        },
      ] as const;
    }),
  );
  const { connectTimeout, refreshRate, healthCheck } = flags;
  for (const [flag, name] of [
    [connectTimeout, '--connect-timeout'],
    [refreshRate, '--refresh-rate'],
    [healthCheck, '--health-check'],
  ] as const)
    if (flag !== undefined) notes.push(`${name} overrides the files, for every upstream`);
  const replaced = flags.upstream === undefined ? null : mainUpstream(config);
  if (flags.upstream !== undefined && replaced === null)
    notes.push(
      '--upstream is left out: there is no catch-all whose servers it could take the place of',
    );
  const before: MeshConfig = { ...config, upstreams };
  return {
    replaced,
    config: {
      ...(replaced === null ? before : withUpstream(before, replaced, resolved, notes)),
      envoy: given(flags.envoy, '--envoy', config.envoy, told.envoy),
      settings: {
        ...settings,
        readPolicy: given(
          flags.readPolicy,
          '--read-policy',
          settings.readPolicy,
          told.settings.readPolicy,
        ),
        enableRedirection: given(
          flags.enableRedirection,
          '--enable-redirection',
          settings.enableRedirection,
          told.settings.enableRedirection,
        ),
        opTimeoutMs: given(
          flags.opTimeout,
          '--op-timeout',
          settings.opTimeoutMs,
          told.settings.opTimeoutMs,
        ),
        protocolVersion: given(
          flags.protocolVersion,
          '--protocol-version',
          settings.protocolVersion,
          told.settings.protocolVersion,
        ),
        customCommands: [...new Set([...settings.customCommands, ...told.settings.customCommands])],
        open: given(flags.open, '--open', settings.open, told.settings.open),
      },
    },
    notes,
  };
}

/** The upstream that `--upstream` is for: the catch-all's; without a catch-all, the only one. */
export function mainUpstream({ routes, upstreams }: MeshConfig): string | null {
  const names = Object.keys(upstreams);
  const all = routes.find((route) => route.prefix === null)?.upstream;
  return all ?? (names.length === 1 ? (names[0] ?? null) : null);
}

/** The servers of `--upstream` in the place of those of `name`. */
function withUpstream(
  config: MeshConfig,
  name: string,
  resolved: Resolved,
  notes: string[],
): MeshConfig {
  const told = resolved.config.upstreams.redis;
  const seeds = told?.seeds ?? [];
  const upstream = config.upstreams[name] ?? upstreamOf(seeds);
  notes.push(`--upstream overrides the servers of ${name}: ${seeds.join(', ')}`);
  const hosts = seeds.map((address) => ({
    address,
    weight: 1,
    hashKey: null,
    hostname: splitAddress(address)?.host ?? null,
  }));
  return {
    ...config,
    upstreams: {
      ...config.upstreams,
      [name]: {
        ...upstream,
        seeds,
        tls: upstream.tls || told?.tls === true,
        hostSet:
          upstream.hostSet === null ? null : { ...upstream.hostSet, hosts, resolve: 'strict-dns' },
      },
    },
  };
}
