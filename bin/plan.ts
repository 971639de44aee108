/** What rmtop is to run: one proxy from flags, or one for each Redis listener of the mesh's files. */
import {
  type Access,
  type Credentials,
  type Dialling,
  diagnosticLines,
  dialAccess,
  type LoadedListener,
  type LoadedMesh,
  loadMesh,
  type MeshConfig,
  mapAddress,
  NEWEST_ENVOY,
  NO_ACCESS,
  type Overrides,
  parseAddressMap,
  RmtopError,
  splitAddress,
} from 'rmtop';
import { type AdminFlags, type AdminPlan, planAdmin } from './admin.js';
import {
  DEFAULT_LISTEN,
  type ProxyFlags,
  parseEnvoy,
  type Resolved,
  resolve,
  sameHost,
  usage,
} from './options.js';
import { override, readRules, withRules } from './overrides.js';

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
  readonly admin: AdminPlan;
  /** The files to watch for changes; empty where they are not to be watched. */
  readonly watch: readonly string[];
  /** Reads everything again. Throws as `planOf`. */
  readonly again: () => Planned;
};

const [, DEFAULT_PORT] = DEFAULT_LISTEN.split(':').map(Number);

/**
 * Reads flags, environment and files; the rules of `--fault` draw from `seed`. Throws as `resolve` does, and MESH where the files give
 * nothing to run.
 */
export function planOf(
  flags: ProxyFlags & AdminFlags,
  env: NodeJS.ProcessEnv = process.env,
  seed: number = seedOf(flags.seed),
): Planned {
  // With the same seed, so that rules which have not changed go on as they were.
  const again = (): Planned => planOf(flags, env, seed);
  const admin = planAdmin(flags);
  if (flags.mesh === undefined || flags.mesh.length === 0)
    return { ...planSingle(flags, env, seed), mesh: null, admin, watch: [], again };
  const mesh = readMesh(flags.mesh, flags, env);
  if (mesh.listeners.length === 0) throw nothingToRun(flags.mesh, mesh);
  const found = mesh.diagnostics.filter(({ level }) => level !== 'info').flatMap(diagnosticLines);
  const { proxies, notes } = planMesh(mesh, flags, env, seed);
  const watch = flags.watch === false ? [] : flags.mesh;
  return { proxies, notes: [...found, ...notes], mesh, admin, watch, again };
}

/** What `--seed` says, else a random one. Throws USAGE. */
export function seedOf(seed: string | undefined): number {
  const number = Number(seed ?? Math.floor(Math.random() * 0x7fffffff));
  if (!Number.isInteger(number)) throw usage('--seed', seed ?? '', 'a whole number');
  return number;
}

type Proxies = Pick<Planned, 'proxies' | 'notes'>;

/** The one proxy that flags alone describe. Throws as `planOf`. */
export function planSingle(flags: ProxyFlags, env: NodeJS.ProcessEnv, seed: number): Proxies {
  const resolved = resolve(flags, env);
  const { config, notes } = withRules(
    resolved.config,
    readRules(flags, seed),
    resolved.credentials,
  );
  const single: PlannedProxy = {
    ...resolved,
    config,
    dialling: { ...resolved.dialling, access: flagAccess(config, resolved) },
    name: null,
    statPrefix: 'rmtop',
    ports: [resolved.listen.port],
    latencyInMicros: false,
  };
  return { proxies: [single], notes };
}

/** What runs of loaded files under flags, and what the flags changed. Throws as `resolve`, and USAGE. */
export function planMesh(
  mesh: LoadedMesh,
  flags: ProxyFlags,
  env: NodeJS.ProcessEnv,
  seed: number,
): Proxies {
  const resolved = resolve(flags, env);
  const rules = readRules(flags, seed);
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
  const notes: string[] = [];
  const proxies = mesh.listeners.map((listener) => {
    const planned = plannedFor(listener, { flags, resolved, rules, mesh });
    notes.push(...planned.notes.map((note) => `${listener.name}: ${note}`));
    return planned.proxy;
  });
  return { proxies, notes };
}

/** Loads mesh files as flags say. Throws FILE_UNREADABLE or USAGE; mistakes in the files are diagnostics of the result. */
export function readMesh(
  paths: readonly string[],
  flags: ProxyFlags,
  env: NodeJS.ProcessEnv,
): LoadedMesh {
  const { service, namespace } = flags;
  return loadMesh(paths, {
    intended: flags.intended === true,
    set: assignments(flags.set ?? []),
    env,
    envoy: flags.envoy === undefined ? NEWEST_ENVOY : parseEnvoy(flags.envoy),
    ...(service === undefined ? {} : { service }),
    ...(namespace === undefined ? {} : { namespace }),
  });
}

/** What every listener of the files is planned with. */
type Planning = {
  readonly flags: ProxyFlags;
  readonly resolved: Resolved;
  readonly rules: Overrides;
  readonly mesh: LoadedMesh;
};

function plannedFor(
  listener: LoadedListener,
  { flags, resolved, rules, mesh }: Planning,
): { readonly proxy: PlannedProxy; readonly notes: readonly string[] } {
  const { config: before, notes, replaced } = override(listener.config, flags, resolved);
  const credentials = resolved.credentials ?? listener.credentials;
  const { config, notes: more } = withRules(before, rules, credentials);
  const login =
    resolved.credentials === null
      ? []
      : [
          `--downstream-auth-file overrides the files, which ${listener.credentials === null ? 'asked for no login' : 'had a login of their own'}`,
        ];
  const map = parseAddressMap([...mesh.addressMap, ...(flags.map ?? [])]);
  const asked = flags.listen === undefined ? null : resolved.listen.port;
  const wished = listener.wishedPort ?? DEFAULT_PORT ?? 0;
  // An upstream on the port of the listener is on another machine in the mesh; here rmtop would talk to itself.
  const isOwn = Object.values(config.upstreams).some(({ seeds }) =>
    seeds.some((seed) => {
      const to = splitAddress(mapAddress(map, seed));
      return to?.port === wished && sameHost(to.host, resolved.listen.host);
    }),
  );
  const proxy: PlannedProxy = {
    name: listener.name,
    statPrefix: listener.statPrefix,
    config,
    dialling: { map, access: accessIn(listener, config, resolved, replaced) },
    credentials,
    logins: resolved.logins,
    tls: resolved.tls,
    listen: resolved.listen,
    ports: asked !== null ? [asked] : isOwn ? [0] : [wished, 0],
    label: listener.name,
    latencyInMicros: listener.latencyInMicros,
  };
  return { proxy, notes: [...notes, ...more, ...login] };
}

/** Logins and TLS of the files; what a flag says goes before them, what the environment says after them. */
function accessIn(
  listener: LoadedListener,
  config: MeshConfig,
  { logins, tls, dialling }: Resolved,
  replaced: string | null,
): Dialling['access'] {
  return Object.fromEntries(
    Object.keys(config.upstreams).map((name): [string, Access] => {
      const found = dialAccess(listener.access[name] ?? NO_ACCESS);
      const isReplaced = name === replaced;
      const login =
        (isReplaced ? logins.url : null) ?? logins.file ?? found.login ?? logins.env ?? null;
      const given = isReplaced ? (dialling.access.redis?.tls ?? null) : tls;
      return [name, { ...found, login, tls: given ?? found.tls }];
    }),
  );
}

/** Without files: what is said of `--upstream` holds for it; the servers of other flags get what is said of all. */
function flagAccess(config: MeshConfig, { dialling, logins, tls }: Resolved): Dialling['access'] {
  return Object.fromEntries(
    Object.keys(config.upstreams).map((name): [string, Access] => [
      name,
      dialling.access[name] ?? { tls, login: logins.file ?? logins.env },
    ]),
  );
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
