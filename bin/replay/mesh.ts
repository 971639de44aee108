/** Which mesh a replay runs under: the recorded one with other servers, or another one. */
import {
  alignUpstreams,
  applyOverrides,
  type Dialling,
  type FaultScript,
  type MeshConfig,
  parseFlags,
} from 'rmtop';
import { type ProxyFlags, resolve } from '../options.js';
import { override } from '../overrides.js';
import { onlyProxy, planOf } from '../plan.js';

/** A mesh and the way to its servers; `label`: what people call them. */
export type ReplayMesh = {
  readonly config: MeshConfig;
  readonly dialling: Dialling;
  readonly label: string;
};

const SEED = 1;

/**
 * The mesh to replay through. Of `--mesh` it is everything; of the recording everything but its servers, mirrors and faults; flags go
 * before both. `faults`: what had hit hits again.
 */
export function replayMesh(
  recorded: MeshConfig | null,
  flags: ProxyFlags,
  faults: FaultScript | null,
): ReplayMesh {
  const { config, dialling, label } =
    flags.mesh === undefined ? ofRecording(recorded, flags) : ofFiles(recorded, flags);
  return {
    config: {
      ...config,
      faults: faults === null ? config.faults : [],
      rules: faults === null ? config.rules : [...faults.rules, ...config.rules],
      settings: { ...config.settings, downstreamAuth: null },
    },
    dialling,
    label,
  };
}

function local(flags: ProxyFlags): ProxyFlags {
  const { route, mirror, fault, ...others } = flags;
  return { ...others, listen: '127.0.0.1:0' };
}

/** Its servers under their recorded names, so that decisions can be compared. */
function ofFiles(recorded: MeshConfig | null, flags: ProxyFlags): ReplayMesh {
  const { config, dialling, label } = onlyProxy(planOf(local(flags)), 'a replay');
  const { config: aligned, names } = alignUpstreams(config, recorded ?? config);
  const access = Object.entries(dialling.access).map(([name, each]) => [
    names.get(name) ?? name,
    each,
  ]);
  return {
    config: withFlags(aligned, flags),
    dialling: { ...dialling, access: Object.fromEntries(access) },
    label,
  };
}

/** All upstreams of the recording lead to the one that is given. */
function ofRecording(recorded: MeshConfig | null, flags: ProxyFlags): ReplayMesh {
  const resolved = resolve(local(flags));
  const { label } = resolved;
  const [upstream] = Object.values(resolved.config.upstreams);
  if (recorded === null || upstream === undefined)
    return { config: withFlags(resolved.config, flags), dialling: resolved.dialling, label };
  const names = Object.keys(recorded.upstreams);
  const base: MeshConfig = {
    ...recorded,
    version: 1,
    routes: recorded.routes.map((route) => ({ ...route, mirrors: [] })),
    upstreams: Object.fromEntries(names.map((name) => [name, upstream])),
    faults: [],
    rules: [],
  };
  const [access] = Object.values(resolved.dialling.access);
  return {
    config: changed(base, { ...flags, upstream: undefined }),
    dialling: {
      ...resolved.dialling,
      access: access === undefined ? {} : Object.fromEntries(names.map((name) => [name, access])),
    },
    label,
  };
}

/** The recorded mesh as files and flags change it, its servers under their recorded names. `forWhat` is the flag that errors name. */
export function changedMesh(
  flags: ProxyFlags,
  forWhat = '--decide-only',
): (recorded: MeshConfig) => MeshConfig {
  const loaded = flags.mesh === undefined ? null : onlyProxy(planOf(local(flags)), forWhat).config;
  return (recorded) => {
    const { downstreamAuth } = recorded.settings;
    const config =
      loaded === null
        ? changed(recorded, flags)
        : alignUpstreams(withFlags(loaded, flags), recorded).config;
    return { ...config, settings: { ...config.settings, downstreamAuth } };
  };
}

type Flags = { readonly [Name in keyof ProxyFlags]: ProxyFlags[Name] | undefined };

function changed(config: MeshConfig, flags: Flags): MeshConfig {
  const given = Object.fromEntries(
    Object.entries(flags).filter(([, value]) => value !== undefined),
  ) as ProxyFlags;
  return withFlags(override(config, given, resolve(local(given))).config, given);
}

function withFlags(config: MeshConfig, { route, mirror, fault }: ProxyFlags): MeshConfig {
  const texts = {
    ...(route === undefined ? {} : { route }),
    ...(mirror === undefined ? {} : { mirror }),
    ...(fault === undefined ? {} : { fault }),
  };
  return applyOverrides(config, parseFlags(texts, SEED)).config;
}
