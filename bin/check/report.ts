/** What `rmtop check` has to say, as data: `--json` prints it, the text is made of it. It holds no secret. */
import {
  COMMANDS,
  type Diagnostic,
  type LoadedMesh,
  type MeshConfig,
  type MirrorPolicy,
  type NotInForce,
  type Position,
  type Route,
  ruleText,
  sortedDiagnostics,
  type Upstream,
} from 'rmtop';
import type { PlannedProxy } from '../plan.js';
import type { AskedUpstream, Seen } from './probe.js';

/** The report; `v` counts its changes. */
export type Report = {
  readonly v: 1;
  readonly ok: boolean;
  readonly files: readonly string[];
  readonly diagnostics: readonly Diagnostic[];
  /** What flags changed of the files. */
  readonly notes: readonly string[];
  readonly notInForce: readonly NotInForce[];
  /** Documents that are none of the mesh's, by kind. */
  readonly skipped: Readonly<Record<string, number>>;
  readonly listeners: readonly ListenerReport[];
};

export type ListenerReport = {
  readonly name: string;
  readonly hosts: readonly string[];
  readonly statPrefix: string;
  /** Where it will listen if the port is free; port 0: wherever there is one. */
  readonly listen: { readonly host: string; readonly port: number };
  readonly envoy: string;
  readonly settings: MeshConfig['settings'];
  readonly routes: readonly RouteReport[];
  readonly upstreams: readonly UpstreamReport[];
  readonly faults: readonly FaultReport[];
  /** Commands of Redis that the mesh refuses at this level. */
  readonly refuses: readonly string[];
  /** What the servers turned out to be; null: they were not asked. */
  readonly asked: readonly AskedUpstream[] | null;
};

export type RouteReport = {
  /** Null: the catch-all. */
  readonly prefix: string | null;
  readonly upstream: string;
  /** `Redis Cluster`, `3 hosts` … */
  readonly kind: string;
  /** How one of its servers is chosen. */
  readonly policy: string;
  readonly stripBytes: number;
  readonly keyFormatter: string | null;
  /** Where reads go; null: with everything else. */
  readonly readUpstream: string | null;
  readonly mirrors: readonly {
    readonly upstream: string;
    readonly percent: number;
    readonly writesOnly: boolean;
  }[];
};

export type UpstreamReport = {
  readonly name: string;
  readonly kind: string;
  readonly policy: string;
  readonly servers: readonly string[];
  readonly tls: boolean;
  readonly login: { readonly username: string | null } | null;
  readonly healthChecked: boolean;
};

export type FaultReport = {
  readonly id: string;
  readonly text: string;
  /** Of the mesh's own; else of rmtop's. */
  readonly isMesh: boolean;
};

/** What was found out, of which the report is made. */
export type Checked = {
  /** Null: there are no files, only `--upstream`. */
  readonly mesh: LoadedMesh | null;
  readonly proxies: readonly PlannedProxy[];
  readonly notes: readonly string[];
  /** By name of the proxy; one that is not in it was not asked. */
  readonly asked: ReadonlyMap<string | null, readonly AskedUpstream[]>;
  /** What asking brought to light. */
  readonly findings: readonly Diagnostic[];
};

export function reportOf({ mesh, proxies, notes, asked, findings }: Checked): Report {
  const diagnostics = sortedDiagnostics([...(mesh?.diagnostics ?? []), ...findings]);
  const skipped: Record<string, number> = {};
  for (const { kind } of mesh?.skipped ?? []) skipped[kind] = (skipped[kind] ?? 0) + 1;
  return {
    v: 1,
    ok: diagnostics.every(({ level }) => level !== 'error'),
    files: mesh?.files ?? [],
    diagnostics,
    notes,
    notInForce: [...(mesh?.notInForce ?? [])].sort(byPlace),
    skipped,
    listeners: proxies.map((proxy) => {
      const found = mesh?.listeners.find(({ name }) => name === proxy.name);
      return listenerReport(proxy, found?.hosts ?? [], asked.get(proxy.name) ?? null);
    }),
  };
}

function byPlace(a: Position, b: Position): number {
  return a.file === b.file ? a.line - b.line || a.column - b.column : a.file < b.file ? -1 : 1;
}

function listenerReport(
  { name, label, statPrefix, config, listen, ports, dialling }: PlannedProxy,
  hosts: readonly string[],
  asked: readonly AskedUpstream[] | null,
): ListenerReport {
  return {
    name: name ?? label,
    hosts,
    statPrefix,
    listen: { host: listen.host, port: ports[0] ?? 0 },
    envoy: `1.${config.envoy}`,
    settings: config.settings,
    routes: config.routes.map((route) => routeReport(route, config)),
    upstreams: Object.entries(config.upstreams).map(([upstreamName, upstream]) => {
      const login = dialling.access[upstreamName]?.login ?? null;
      return {
        name: upstreamName,
        kind: kindOf(upstream),
        policy: policyOf(upstream, config),
        servers: upstream.seeds,
        tls: dialling.access[upstreamName]?.tls != null,
        login: login === null ? null : { username: login.username },
        healthChecked: upstream.healthCheck !== null,
      };
    }),
    faults: faultReports(config),
    refuses: refusedBy(config),
    asked,
  };
}

function routeReport(route: Route, config: MeshConfig): RouteReport {
  const upstream = config.upstreams[route.upstream];
  return {
    prefix: route.prefix,
    upstream: route.upstream,
    kind: upstream === undefined ? 'unknown' : kindOf(upstream),
    policy: upstream === undefined ? '' : policyOf(upstream, config),
    stripBytes: route.strip,
    keyFormatter: route.keyFormatter,
    readUpstream: route.readUpstream,
    mirrors: route.mirrors.map(mirrorReport),
  };
}

function mirrorReport({
  upstream,
  fraction,
  excludeReads,
}: MirrorPolicy): RouteReport['mirrors'][number] {
  const percent = Math.min(100, (fraction.numerator * 100) / fraction.of);
  return { upstream, percent, writesOnly: excludeReads };
}

function kindOf({ kind, hostSet }: Upstream): string {
  if (kind === 'redis-cluster') return 'Redis Cluster';
  if (kind === 'auto') return 'server or Redis Cluster';
  const count = hostSet?.hosts.length ?? 0;
  if (count === 0) return 'nobody';
  if (hostSet?.resolve === 'logical-dns') return 'first address of a name';
  return count === 1 ? '1 host' : `${count} hosts`;
}

function policyOf({ kind, hostSet }: Upstream, { settings }: MeshConfig): string {
  if (kind !== 'hosts' || hostSet === null) return `slot, ${settings.readPolicy}`;
  const { policy } = hostSet.balancer;
  return policy === 'MAGLEV' || policy === 'RING_HASH' ? policy : `${policy}, whatever the key`;
}

function faultReports({ faults, rules }: MeshConfig): FaultReport[] {
  const ofMesh = faults.map(({ id, percent, commands, action }): FaultReport => {
    const what =
      action.kind === 'delay'
        ? `DELAY ${action.ms} ms`
        : `ERROR${action.delayMs > 0 ? ` after ${action.delayMs} ms` : ''}`;
    const of = commands.length === 0 ? 'every command' : commands.join(' ');
    return { id, isMesh: true, text: `${what}, ${percent}% of ${of}` };
  });
  const own = rules.map(
    (rule): FaultReport => ({ id: rule.id, isMesh: false, text: ruleText(rule) }),
  );
  return [...ofMesh, ...own];
}

function refusedBy({ envoy, settings }: MeshConfig): string[] {
  if (settings.open) return [];
  const custom = new Set(settings.customCommands.map((name) => name.toUpperCase()));
  return COMMANDS.filter(
    (spec) =>
      spec.parent === null && (spec.mesh === null || spec.since > envoy) && !custom.has(spec.name),
  ).map(({ name }) => name);
}

/** What a server turned out to be, in a few words. */
export function seenText({ down, isClusterNode, role, ownSlots, ranges }: Seen): string {
  if (down !== null) return down;
  const as = role === null ? '' : `, ${role}`;
  if (isClusterNode === null) return `answers${as}`;
  if (!isClusterNode) return `one server${as}`;
  const nodes = new Set((ranges ?? []).flatMap((range) => [range.primary, ...range.replicas]));
  return `node of a Redis Cluster of ${nodes.size}${as}${ownSlots > 0 ? ` of ${ownSlots} slots` : ''}`;
}
