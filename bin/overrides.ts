/** Flags given beside `--mesh`: they override what the files say, and each says so. */
import { type MeshConfig, splitAddress, upstreamOf } from 'rmtop';
import type { ProxyFlags, Resolved } from './options.js';

/** A configuration with flags applied, and what they changed, in words. */
export type Overridden = { readonly config: MeshConfig; readonly notes: readonly string[] };

/** Applies those of `flags` that were given to `config`; `resolved` is what the flags alone come to. */
export function override(config: MeshConfig, flags: ProxyFlags, resolved: Resolved): Overridden {
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
  const before: MeshConfig = { ...config, upstreams };
  return {
    config: {
      ...withUpstream(before, flags, resolved, notes),
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

/** `--upstream` takes the place of the catch-all's servers; without a catch-all, of the only upstream's. */
function withUpstream(
  config: MeshConfig,
  flags: ProxyFlags,
  resolved: Resolved,
  notes: string[],
): MeshConfig {
  const seeds = resolved.config.upstreams.redis?.seeds ?? [];
  const names = Object.keys(config.upstreams);
  const name =
    config.routes.find((route) => route.prefix === null)?.upstream ??
    (names.length === 1 ? names[0] : undefined);
  if (flags.upstream === undefined || name === undefined) return config;
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
        hostSet:
          upstream.hostSet === null ? null : { ...upstream.hostSet, hosts, resolve: 'strict-dns' },
      },
    },
  };
}
