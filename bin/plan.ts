/** What rmtop is to run: one proxy from flags, or one for each Redis listener of the mesh's files. */
import {
  type Access,
  applyOverrides,
  type Credentials,
  type Dialling,
  diagnosticLines,
  type LoadedListener,
  type LoadedMesh,
  loadMesh,
  type MeshConfig,
  NEWEST_ENVOY,
  parseAddressMap,
  parseFilter,
  parseFlags,
  RmtopError,
  type UpstreamAccess,
} from 'rmtop';
import {
  DEFAULT_LISTEN,
  type ProxyFlags,
  parseEnvoy,
  type Resolved,
  resolve,
  usage,
} from './options.js';
import { override } from './overrides.js';

/** One proxy to run. */
export type PlannedProxy = Resolved & {
  /** What `--service` picks it by; null where there is but one, from flags. */
  readonly name: string | null;
  readonly statPrefix: string;
  readonly credentials: Credentials | null;
  /** Ports to try, in this order; the last is 0 where any will do. */
  readonly ports: readonly number[];
  readonly latencyInMicros: boolean;
};

/** The one proxy of `planned`, for what looks at a single one. Throws USAGE where there are several. */
export function onlyProxy({ proxies }: Planned, forWhat: string): PlannedProxy {
  const [only] = proxies;
  if (only !== undefined && proxies.length === 1) return only;
  throw new RmtopError(
    'USAGE',
    `${forWhat} is of one listener, and the files have ${proxies.length}`,
    {
      why: proxies.map(({ name }) => name).join(', '),
      next: proxies.slice(0, 3).map(({ name }) => `--service ${name}`),
    },
  );
}

/** Everything to run, and what there is to say about it. */
export type Planned = {
  readonly proxies: readonly PlannedProxy[];
  /** Findings of the files and what flags changed, as lines for people. */
  readonly notes: readonly string[];
  readonly mesh: LoadedMesh | null;
  /** The files to watch for changes; empty where they are not to be watched. */
  readonly watch: readonly string[];
  /** Reads everything again. Throws as `planOf`. */
  readonly again: () => Planned;
};

const [, DEFAULT_PORT] = DEFAULT_LISTEN.split(':').map(Number);

/** Reads flags, environment and files. Throws as `resolve` does, and MESH where the files give nothing to run. */
export function planOf(flags: ProxyFlags, env: NodeJS.ProcessEnv = process.env): Planned {
  const resolved = resolve(flags, env);
  if (flags.mesh === undefined || flags.mesh.length === 0) {
    const { config, notes } = withFlags(resolved.config, flags, resolved.credentials);
    const single: PlannedProxy = {
      ...resolved,
      config,
      name: null,
      statPrefix: 'rmtop',
      ports: [resolved.listen.port],
      latencyInMicros: false,
    };
    return { proxies: [single], notes, mesh: null, watch: [], again: () => planOf(flags, env) };
  }
  const mesh = loadMesh(flags.mesh, {
    intended: flags.intended === true,
    set: assignments(flags.set ?? []),
    env,
    envoy: flags.envoy === undefined ? NEWEST_ENVOY : parseEnvoy(flags.envoy),
    ...(flags.service === undefined ? {} : { service: flags.service }),
  });
  if (mesh.listeners.length === 0) throw nothingToRun(flags.mesh, mesh);
  if (mesh.listeners.length > 1 && flags.listen !== undefined) {
    throw new RmtopError(
      'USAGE',
      `--listen is one address, and the files have ${mesh.listeners.length} Redis listeners`,
      {
        why: mesh.listeners.map(({ name }) => name).join(', '),
        next: mesh.listeners
          .slice(0, 3)
          .map(({ name }) => `rmtop --service ${name} --listen ${flags.listen}`),
      },
    );
  }
  const notes = mesh.diagnostics.filter(({ level }) => level !== 'info').flatMap(diagnosticLines);
  const proxies = mesh.listeners.map((listener) => {
    const planned = plannedFor(listener, flags, resolved, mesh);
    notes.push(...planned.notes.map((note) => `${listener.name}: ${note}`));
    return planned.proxy;
  });
  return {
    proxies,
    notes,
    mesh,
    watch: flags.watch === false ? [] : flags.mesh,
    again: () => planOf(flags, env),
  };
}

function plannedFor(
  listener: LoadedListener,
  flags: ProxyFlags,
  resolved: Resolved,
  mesh: LoadedMesh,
): { readonly proxy: PlannedProxy; readonly notes: readonly string[] } {
  const credentials = resolved.credentials ?? listener.credentials;
  const overridden = override(listener.config, flags, resolved);
  const { config, notes } = withFlags(overridden.config, flags, credentials);
  const asked = flags.listen === undefined ? null : resolved.listen.port;
  const proxy: PlannedProxy = {
    name: listener.name,
    statPrefix: listener.statPrefix,
    config,
    dialling: diallingOf(listener, flags, resolved, mesh, config),
    credentials,
    listen: resolved.listen,
    ports: asked === null ? [listener.wishedPort ?? DEFAULT_PORT ?? 0, 0] : [asked],
    label: listener.name,
    latencyInMicros: listener.latencyInMicros,
  };
  return { proxy, notes: [...overridden.notes, ...notes] };
}

/** Routes, mirrors, fault rules and the clients' login of the flags. Throws USAGE, or FILTER where a rule's scope is none. */
function withFlags(
  config: MeshConfig,
  flags: ProxyFlags,
  credentials: Credentials | null,
): { readonly config: MeshConfig; readonly notes: readonly string[] } {
  const seed = Number(flags.seed ?? Math.floor(Math.random() * 0x7fffffff));
  if (!Number.isInteger(seed)) throw usage('--seed', flags.seed ?? '', 'a whole number');
  const applied = applyOverrides(config, parseFlags(flags, seed));
  for (const { scope } of applied.config.rules) {
    const filter = parseFilter(scope, 'decision');
    if (filter.kind === 'problem')
      throw new RmtopError(
        'FILTER',
        `--fault … ${scope}: ${filter.message} at column ${filter.column}`,
        { why: filter.hint, next: ["rmtop --fault 'error 50% cmd=GET'"] },
      );
  }
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

/** Logins and TLS of the files, under those of flags; entries of `--map` come last, so that they win. */
function diallingOf(
  listener: LoadedListener,
  flags: ProxyFlags,
  resolved: Resolved,
  mesh: LoadedMesh,
  config: MeshConfig,
): Dialling {
  const told = resolved.dialling.access.redis;
  const access = Object.fromEntries(
    Object.keys(config.upstreams).map((name): [string, Access] => {
      const found = accessOf(listener.access[name]);
      return [name, { ...found, login: told?.login ?? found.login, tls: told?.tls ?? found.tls }];
    }),
  );
  return { map: parseAddressMap([...mesh.addressMap, ...(flags.map ?? [])]), access };
}

function accessOf(found: UpstreamAccess | undefined): Access {
  if (found === undefined) return { tls: null, login: null };
  const { tls, login, byAddress } = found;
  return {
    login,
    byAddress,
    tls: tls && {
      ...(tls.ca === null ? {} : { ca: tls.ca }),
      ...(tls.cert === null ? {} : { cert: tls.cert }),
      ...(tls.key === null ? {} : { key: tls.key }),
      ...(tls.serverName === null ? {} : { servername: tls.serverName }),
      rejectUnauthorized: tls.verify,
      names: tls.names,
    },
  };
}

function assignments(texts: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    texts.map((text) => {
      const at = text.indexOf('=');
      if (at < 1)
        throw new RmtopError('USAGE', `--set '${text}' is not NAME=VALUE`, {
          next: ['rmtop --mesh FILE --set REDIS_VIP=10.96.1.2'],
        });
      return [text.slice(0, at), text.slice(at + 1)];
    }),
  );
}

function nothingToRun(paths: readonly string[], mesh: LoadedMesh): RmtopError {
  const errors = mesh.diagnostics.filter(({ level }) => level === 'error');
  const shown = (errors.length > 0 ? errors : mesh.diagnostics).slice(0, 5);
  return new RmtopError('MESH', `${paths.join(', ')}: no Redis listener to run`, {
    why: shown.length === 0 ? null : shown.flatMap(diagnosticLines).join('\n  '),
    next: [`rmtop check ${paths.join(' ')}`],
  });
}
