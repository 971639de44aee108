/** Server → the connection that all clients share, one for each RESP version (mesh page, 10.1). */
import type { EventBus } from '../events/bus.js';
import type { Stats } from '../events/stats.js';
import type { CompiledConfig } from '../mesh/compile.js';
import type { ReadPolicy } from '../mesh/config.js';
import type { Hop } from '../mesh/decision.js';
import { serversOf, type Topology } from '../mesh/topology.js';
import type { RespVersion } from '../resp/encode.js';
import type { ReplyReader } from '../resp/reply.js';
import type { Clock } from './clock.js';
import { accessTo, type Dialling, dialledFor, type Login, refusalText } from './dial.js';
import type { Loop } from './output.js';
import { UpstreamConnection, type UpstreamOptions } from './upstream.js';

/** Since which Envoy RESP3 types from a server are no protocol error. */
const RESP3_TYPES_SINCE = 40;

type ByAddress = Map<string, UpstreamConnection>;

/** What a client's own connection is opened with. */
export type OwnOptions = {
  readonly resp: RespVersion;
  readonly opTimeoutMs: number;
  readonly onPush?: (reader: ReplyReader, connection: UpstreamConnection) => boolean;
  readonly onClosed?: (connection: UpstreamConnection) => void;
};

export class Pool {
  private readonly resp2 = new Map<string, ByAddress>();
  private readonly resp3 = new Map<string, ByAddress>();
  private readonly own = new Set<UpstreamConnection>();
  private readonly draining = new Set<UpstreamConnection>();
  private last: ByAddress | undefined = undefined;
  private lastUpstream = '';
  /** The one before: with a mirror two are asked for in turn. */
  private other: ByAddress | undefined = undefined;
  private otherUpstream = '';
  private lastOf: Map<string, ByAddress> | null = null;
  private topology: Topology = { version: 0, upstreams: {} };
  private config: CompiledConfig;
  private readonly clock: Clock;
  private readonly loop: Loop;
  private readonly bus: EventBus;
  private readonly stats: Stats;
  private dialling: Dialling;
  /** By upstream and address: what a server said to the login last. Each connection logs in anew; the same is told once. */
  private readonly refusedLogins = new Map<string, string>();

  constructor(
    config: CompiledConfig,
    clock: Clock,
    loop: Loop,
    bus: EventBus,
    stats: Stats,
    dialling: Dialling,
  ) {
    this.config = config;
    this.clock = clock;
    this.loop = loop;
    this.bus = bus;
    this.stats = stats;
    this.dialling = dialling;
  }

  /** The connection to the server of `hop`; opened on first use. A RESP3 listener speaks RESP3 to its servers too. */
  shared(hop: Hop, resp: RespVersion): UpstreamConnection {
    const connections = resp === 3 ? this.resp3 : this.resp2;
    const found = this.byAddress(connections, hop.upstream)?.get(hop.address);
    return found ?? this.openShared(connections, hop.upstream, hop.address, resp);
  }

  /** Most configurations have one upstream, or two: the maps found last are nearly always those. */
  private byAddress(connections: Map<string, ByAddress>, upstream: string): ByAddress | undefined {
    if (connections === this.lastOf) {
      if (upstream === this.lastUpstream) return this.last;
      if (upstream === this.otherUpstream && this.other !== undefined) return this.other;
      this.other = this.last;
      this.otherUpstream = this.lastUpstream;
    } else {
      this.other = undefined;
      this.otherUpstream = '';
    }
    this.last = connections.get(upstream);
    this.lastUpstream = upstream;
    this.lastOf = connections;
    return this.last;
  }

  /** How many requests wait for a reply of one server. */
  inFlight(upstream: string, address: string): number {
    return this.resp2.get(upstream)?.get(address)?.waiting.length ?? 0;
  }

  /** The connection a redirect leads to; null when it is to a server that is not known, and there are too many of those. */
  redirectTarget(upstream: string, address: string, resp: RespVersion): UpstreamConnection | null {
    const connections = resp === 3 ? this.resp3 : this.resp2;
    const found = connections.get(upstream)?.get(address);
    if (found !== undefined) return found;
    if (
      !this.isKnown(upstream, address) &&
      this.unknownCount(upstream) >= this.config.settings.maxUpstreamUnknownConnections
    ) {
      this.stats.mesh.cluster(upstream).maxUnknownReached++;
      return null;
    }
    return this.openShared(connections, upstream, address, resp);
  }

  private openShared(
    connections: Map<string, ByAddress>,
    upstream: string,
    address: string,
    resp: RespVersion,
  ): UpstreamConnection {
    const byAddress = connections.get(upstream) ?? new Map<string, UpstreamConnection>();
    connections.set(upstream, byAddress);
    this.lastOf = null;
    const connection = this.open(
      upstream,
      address,
      resp,
      this.config.settings.opTimeoutMs,
      false,
      (closed, state) => {
        if (byAddress.get(address) === closed) byAddress.delete(address);
        if (state === 'detached') this.draining.add(closed);
        else this.draining.delete(closed);
      },
    );
    byAddress.set(address, connection);
    return connection;
  }

  private loggedIn(
    upstream: string,
    address: string,
    login: Login | null,
    refusal: string | null,
  ): void {
    const key = `${upstream} ${address}`;
    if (refusal === null) {
      this.refusedLogins.delete(key);
      return;
    }
    if (this.refusedLogins.get(key) === refusal) return;
    this.refusedLogins.set(key, refusal);
    this.bus.other({
      type: 'log',
      atUs: this.clock.nowUs(),
      level: 'warning',
      text: `${address} (${upstream}) refused the proxy's login: ${refusalText(refusal, login)}`,
      next: "Envoy ignores this and goes on: what the server then says of commands is what clients get. Check the upstream's password and user",
    });
  }

  /** A connection that belongs to one client. */
  openOwn(hop: Hop, options: OwnOptions): UpstreamConnection {
    const { resp, opTimeoutMs, onPush, onClosed } = options;
    const connection = this.open(
      hop.upstream,
      hop.address,
      resp,
      opTimeoutMs,
      true,
      (closed) => {
        this.own.delete(closed);
        onClosed?.(closed);
      },
      onPush,
    );
    this.own.add(connection);
    return connection;
  }

  private open(
    upstream: string,
    address: string,
    resp: RespVersion,
    opTimeoutMs: number,
    own: boolean,
    onGone: (connection: UpstreamConnection, state: 'detached' | 'closed') => void,
    onPush?: UpstreamOptions['onPush'],
  ): UpstreamConnection {
    const access = accessTo(this.dialling, upstream, address);
    const dialled = dialledFor(this.dialling, address);
    let wasReady = false;
    return new UpstreamConnection({
      upstream,
      address,
      dialled,
      tls: access.tls,
      login: access.login,
      readonly: this.config.settings.readPolicy !== 'MASTER',
      resp: this.config.settings.protocolVersion === 3 ? 3 : resp,
      decodeResp3: this.config.envoy >= RESP3_TYPES_SINCE,
      connectTimeoutMs: this.config.config.upstreams[upstream]?.connectTimeoutMs ?? 5000,
      opTimeoutMs,
      own,
      tally: this.stats.node(address, upstream),
      cluster: this.stats.mesh.cluster(upstream),
      commandStats: this.config.settings.commandStats,
      clock: this.clock,
      loop: this.loop,
      ...(onPush === undefined ? {} : { onPush }),
      onLogin: (refusal) => this.loggedIn(upstream, address, access.login, refusal),
      onState: (connection, state, cause) => {
        if (state !== 'ready') onGone(connection, state);
        if (state === 'detached') return;
        if (state === 'ready') wasReady = true;
        this.bus.other({
          type: 'upstream',
          atUs: this.clock.nowUs(),
          upstream,
          address,
          dialled,
          state: state === 'closed' && !wasReady ? 'failed' : state,
          own,
          cause,
        });
      },
    });
  }

  private isKnown(upstream: string, address: string): boolean {
    const placement = this.topology.upstreams[upstream];
    return (
      placement !== undefined && serversOf(placement).some((server) => server.address === address)
    );
  }

  private unknownCount(upstream: string): number {
    let count = 0;
    for (const connections of [this.resp2, this.resp3]) {
      for (const address of connections.get(upstream)?.keys() ?? [])
        if (!this.isKnown(upstream, address)) count++;
    }
    return count;
  }

  /** A server that is no longer listed gets no new requests; its connection closes when those in flight are answered. */
  topologyChanged(topology: Topology): void {
    const before = this.topology;
    this.topology = topology;
    for (const connections of [this.resp2, this.resp3]) {
      for (const [upstream, byAddress] of connections) {
        const wasKnown = new Set(
          serversOf(before.upstreams[upstream] ?? { kind: 'single', shards: [] }).map(
            (server) => server.address,
          ),
        );
        for (const [address, connection] of [...byAddress]) {
          if (!wasKnown.has(address) || this.isKnown(upstream, address)) continue;
          byAddress.delete(address);
          this.draining.add(connection);
          connection.isRemoved = connection.waiting.length > 0;
          connection.drain();
        }
      }
    }
  }

  /**
   * Takes a new configuration. Connections to the upstreams in `gone` close at once; where the greeting changes, the others take no more
   * requests and close when those in flight are answered.
   */
  configChanged(config: CompiledConfig, dialling: Dialling, gone: readonly string[]): void {
    const before = this.config.settings;
    this.config = config;
    this.dialling = dialling;
    this.lastOf = null;
    for (const upstream of gone) {
      for (const connections of [this.resp2, this.resp3]) {
        const byAddress = connections.get(upstream);
        connections.delete(upstream);
        for (const connection of byAddress?.values() ?? [])
          connection.close({ code: 'removed', address: connection.options.address });
      }
    }
    const { settings } = config;
    const saysReadonly = (policy: ReadPolicy): boolean => policy !== 'MASTER';
    if (
      saysReadonly(before.readPolicy) === saysReadonly(settings.readPolicy) &&
      before.protocolVersion === settings.protocolVersion &&
      before.opTimeoutMs === settings.opTimeoutMs
    )
      return;
    for (const connections of [this.resp2, this.resp3]) {
      for (const byAddress of connections.values()) {
        for (const connection of byAddress.values()) {
          this.draining.add(connection);
          connection.drain();
        }
        byAddress.clear();
      }
    }
  }

  /** Requests that wait for a reply, by upstream. */
  waitingByUpstream(): Record<string, number> {
    const waiting: Record<string, number> = {};
    for (const { options, inFlight } of this.connections())
      waiting[options.upstream] = (waiting[options.upstream] ?? 0) + inFlight;
    return waiting;
  }

  private connections(): UpstreamConnection[] {
    const shared = [this.resp2, this.resp3].flatMap((connections) =>
      [...connections.values()].flatMap((byAddress) => [...byAddress.values()]),
    );
    return [...shared, ...this.own, ...this.draining];
  }

  close(): void {
    for (const connection of this.connections())
      connection.close({ code: 'shutdown', address: connection.options.address });
  }
}
