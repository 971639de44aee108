/** States a mesh in a few lines, and says what it decides in one: for the tables of `test/mesh`. */
import { Command, NEW_SESSION, type SessionView } from '../../src/commands/command.js';
import { authReply, type Credentials, helloReply, refusalText } from '../../src/mesh/answers.js';
import { type CompiledConfig, compileConfig } from '../../src/mesh/compile.js';
import {
  type Balancer,
  DEFAULT_BALANCER,
  DEFAULT_SETTINGS,
  type EnvoyLevel,
  type FaultRule,
  type MeshConfig,
  type MeshFault,
  NEWEST_ENVOY,
  type Route,
  type Settings,
  singleUpstreamConfig,
  type Upstream,
  upstreamOf,
} from '../../src/mesh/config.js';
import { decide } from '../../src/mesh/decide.js';
import { type Decision, type Part, partsOf } from '../../src/mesh/decision.js';
import { type Rng, replayRng } from '../../src/mesh/rng.js';
import {
  aliasOf,
  type Placement,
  type SlotRange,
  slotPlacement,
  type Topology,
} from '../../src/mesh/topology.js';

/** Address of the primary of shard `i`, and of its replica `r` (from 1). */
export function primaryOf(shard: number): string {
  return `10.0.0.${shard}:6379`;
}
export function replicaOf(shard: number, replica = 1): string {
  return `10.0.${replica}.${shard}:6379`;
}

/** Slot ranges as `redis-cli --cluster create` deals them to `shards` primaries with `replicas` each. */
export function dealtRanges(shards: number, replicas = 1): SlotRange[] {
  return Array.from({ length: shards }, (_, i) => ({
    start: Math.round((16384 * i) / shards),
    end: Math.round((16384 * (i + 1)) / shards) - 1,
    primary: primaryOf(i),
    replicas: Array.from({ length: replicas }, (_each, r) => replicaOf(i, r + 1)),
  }));
}

/** A cluster of `shards` with `replicas` each. `down`: what a health checker has given up, as aliases (`s0.p`, `s1.r2`). */
export function clusterOf(shards: number, replicas = 1, down: readonly string[] = []): Placement {
  const unhealthy = down.map((alias) => {
    const [, shard, role, replica] = /^s(\d+)\.(p|r(\d+))$/.exec(alias) ?? [];
    return role === 'p' ? primaryOf(Number(shard)) : replicaOf(Number(shard), Number(replica));
  });
  return slotPlacement(dealtRanges(shards, replicas), new Set(unhealthy));
}

/** What a mesh is made of; everything left out is Envoy's default, over three shards with a replica each. */
export type MeshOptions = Partial<Settings> & {
  readonly envoy?: EnvoyLevel;
  /** Prefix routes; without a catch-all unless one (prefix null) is among them. */
  readonly routes?: readonly Route[];
  readonly upstreams?: Readonly<Record<string, Placement>>;
  readonly credentials?: Credentials;
  readonly faults?: readonly MeshFault[];
  readonly rules?: readonly FaultRule[];
};

/** A topology and a configuration. */
export type Mesh = {
  readonly topology: Topology;
  readonly config: CompiledConfig;
  readonly plain: MeshConfig;
  readonly credentials: Credentials | null;
};

/** The mesh that `options` say. */
export function meshOf(options: MeshOptions = {}): Mesh {
  const {
    envoy = NEWEST_ENVOY,
    routes,
    upstreams = { redis: clusterOf(3) },
    credentials = null,
    faults = [],
    rules = [],
    ...settings
  } = options;
  const single = singleUpstreamConfig(
    ['seed:6379'],
    { ...DEFAULT_SETTINGS, ...settings },
    { envoy },
  );
  const upstream = single.upstreams.redis;
  const plain: MeshConfig = {
    ...single,
    routes: [...(routes ?? single.routes)].sort(
      (a, b) => (b.prefix?.length ?? -1) - (a.prefix?.length ?? -1),
    ),
    upstreams: Object.fromEntries(
      Object.keys(upstreams).map((name) => [name, upstream]),
    ) as MeshConfig['upstreams'],
    faults,
    rules,
  };
  return { topology: { version: 7, upstreams }, config: compileConfig(plain), plain, credentials };
}

/** Draws 0 again and again: the first of every choice. */
export const FIRST_DRAW: Rng = replayRng([]);

/**
 * A decision in a line: `answer pong`, `-NOAUTH …`, or its parts joined by ` | ` with what is sent, to whom and how merged:
 * `get 1>s0.p | get 2>s2.r1 (mget)`; `=` stands for the name as the client spelled it, `*` for the request as it came, `[1=key]` for a
 * key that is rewritten, `+s0.p` for a copy.
 */
export function say(decision: Decision, command: Command, mesh: Mesh): string {
  const { action } = decision;
  const opened = decision.why.some((reason) => reason.code === 'opened') ? 'opened ' : '';
  if (action.kind === 'answer') return `${opened}answer ${action.reply}`;
  if (action.kind === 'refuse')
    return `-${refusalText(action.error, command, mesh.plain.envoy, action.of)}`;
  const merge = action.merge === 'pass' ? '' : ` (${action.merge})`;
  return `${opened}${action.parts.map((part) => partText(part, mesh)).join(' | ')}${merge}`;
}

function partText(part: Part, mesh: Mesh): string {
  const what = part.args === 'all' ? '*' : [part.name ?? '=', ...part.args].join(' ');
  const to =
    part.to === null ? 'nobody' : aliasOf(mesh.topology, part.to.upstream, part.to.address);
  const via = part.via === 'shared' ? '' : ` ${part.via}`;
  const rekey = part.rekey === null ? '' : `[${part.rekey.at}=${part.rekey.bytes}]`;
  const copies = part.mirrors.map(
    (mirror) => ` +${aliasOf(mesh.topology, mirror.upstream, mirror.address)}`,
  );
  return `${what}${rekey}>${to}${via}${copies.join('')}`;
}

/** One client's connection, as far as decisions know of it. */
export class Client {
  session: SessionView;
  /** The decision about the last command. */
  last: Decision | null = null;
  private readonly mesh: Mesh;
  private readonly rng: Rng;

  constructor(mesh: Mesh, session: Partial<SessionView> = {}, rng: Rng = FIRST_DRAW) {
    this.mesh = mesh;
    this.rng = rng;
    this.session = { ...NEW_SESSION, authenticated: mesh.credentials === null, ...session };
  }

  /** Decides one command, given as a line of words, and lets the session follow as the proxy does. */
  says(line: string | readonly (string | Buffer)[]): string {
    const command = Command.of(typeof line === 'string' ? line.split(' ') : line, this.session);
    const { topology, config } = this.mesh;
    const decision = decide(command, topology, config, this.rng);
    this.last = decision;
    this.follow(command, decision);
    return say(decision, command, this.mesh);
  }

  private follow(command: Command, { action, session: change }: Decision): void {
    const { credentials, plain } = this.mesh;
    const to = action.kind === 'forward' ? (action.parts[0]?.to?.address ?? null) : null;
    if (action.kind === 'forward' && action.parts[0]?.via === 'transaction')
      this.set({ pinned: this.session.pinned ?? to });
    if (action.kind === 'answer' && action.reply === 'auth') {
      const { authenticated } = authReply(command, credentials);
      if (authenticated !== null) this.set({ authenticated });
    }
    if (action.kind === 'answer' && action.reply === 'hello') {
      const listener = plain.settings.open ? null : plain.settings.protocolVersion;
      const { accepted } = helloReply(command, this.session.resp, listener, credentials);
      if (accepted !== null)
        this.set({ resp: accepted.resp, authenticated: accepted.authenticated });
    }
    if (change === 'begin') this.set({ multi: true });
    else if (change === 'end') this.set({ multi: false, transactionKey: null, pinned: null });
    else if (change === 'clear-key') this.set({ transactionKey: null });
    else if (change === 'settle') this.set({ home: to });
    else if (change !== null)
      this.set({ transactionKey: Buffer.from(command.arg(change.storeKey)) });
  }

  private set(change: Partial<SessionView>): void {
    this.session = { ...this.session, ...change };
  }
}

/** A set of hosts as they stand, of one weight. */
export function hostsOf(
  addresses: readonly string[],
  balancer: Partial<Balancer> = {},
  more: Partial<Upstream> = {},
): Upstream {
  return upstreamOf(addresses, {
    kind: 'hosts',
    hostSet: {
      hosts: addresses.map((address) => ({ address, weight: 1, hashKey: null, hostname: null })),
      resolve: 'static',
      balancer: { ...DEFAULT_BALANCER, ...balancer },
    },
    ...more,
  });
}

/** What is done, without why: what the data path's brief decision has in common with a whole one. */
export function withoutReasons({ action, ...rest }: Decision): object {
  const parts = partsOf({ ...rest, action }).map((part) => ({ ...part, why: [] }));
  return { ...rest, why: [], action: { ...action, parts } };
}
