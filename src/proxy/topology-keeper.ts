/** Keeps the topology of all upstreams: what discovery found, what is healthy, what can be reached; and says when it changes. */
import type { EventBus } from '../events/bus.js';
import type { ServerState, UpstreamState } from '../events/event.js';
import type { MeshStats } from '../events/mesh-stats.js';
import { DEFAULT_BALANCER, type MeshConfig, type Upstream } from '../mesh/config.js';
import { seededRng } from '../mesh/rng.js';
import {
  coveredSlots,
  hostPlacement,
  NO_SERVERS,
  type Placement,
  rangesOf,
  SLOTS,
  serversOf,
  singleServer,
  slotPlacement,
  type Topology,
} from '../mesh/topology.js';
import type { Clock } from './clock.js';
import { type Dialling, dialledFor } from './dial.js';
import { Discovery, type Finder, type Found, type NotFound } from './discovery.js';
import { HealthChecker, probe } from './health.js';
import { HostFinder } from './hosts.js';

const PROBE_TIMEOUT_MS = 2000;

type Known = {
  readonly upstream: Upstream;
  readonly finder: Finder;
  readonly health: HealthChecker | null;
  found: Found | null;
  placement: Placement;
  readonly unhealthy: Set<string>;
  readonly reach: Map<string, string | null>;
  /** The last complaint, so that the same is not said every five seconds. */
  complaint: string | null;
};

/** What the keeper is made with. */
export type KeeperOptions = {
  readonly clock: Clock;
  readonly bus: EventBus;
  readonly stats: MeshStats;
  /** Hears of each new topology. */
  readonly changed: (topology: Topology) => void;
  /** Hears when each upstream has been found, or has failed once. */
  readonly settled: () => void;
};

export class TopologyKeeper {
  topology: Topology = { version: 0, upstreams: {} };
  private readonly upstreams = new Map<string, Known>();
  private readonly options: KeeperOptions;
  private dialling: Dialling;
  private readonly waitingFor = new Set<string>();
  private started = false;
  private closed = false;

  constructor(config: MeshConfig, dialling: Dialling, options: KeeperOptions) {
    this.options = options;
    this.dialling = dialling;
    for (const [name, upstream] of Object.entries(config.upstreams)) this.add(name, upstream);
    this.publish();
  }

  private add(name: string, upstream: Upstream): void {
    const { dialling } = this;
    const found = (what: Found): void => this.found(name, known, what);
    const notFound = (why: NotFound): void => this.notFound(name, known, why);
    const { clock } = this.options;
    const stats = this.options.stats.cluster(name);
    const finder: Finder =
      upstream.hostSet !== null && upstream.kind === 'hosts'
        ? new HostFinder({ name, hostSet: upstream.hostSet, dialling, stats, found, notFound })
        : new Discovery({
            name,
            upstream,
            dialling,
            clock,
            rng: seededRng(Date.now()),
            stats,
            found,
            notFound,
          });
    const health =
      upstream.healthCheck &&
      new HealthChecker(name, upstream.healthCheck, dialling, (address, healthy) =>
        this.healthChanged(known, address, healthy),
      );
    const known: Known = {
      upstream,
      finder,
      health,
      found: null,
      placement: NO_SERVERS,
      unhealthy: new Set(),
      reach: new Map(),
      complaint: null,
    };
    this.upstreams.set(name, known);
    this.waitingFor.add(name);
  }

  /**
   * Takes a new configuration: upstreams that are new or have changed are looked for anew, those that are gone are forgotten. Gives
   * the names of the latter two.
   */
  reconfigure(config: MeshConfig, dialling: Dialling): string[] {
    const isSameDialling = JSON.stringify(dialling.map) === JSON.stringify(this.dialling.map);
    const access = this.dialling.access;
    this.dialling = dialling;
    const gone: string[] = [];
    for (const [name, known] of [...this.upstreams]) {
      const now = config.upstreams[name];
      const isSame =
        now !== undefined &&
        isSameDialling &&
        JSON.stringify(now) === JSON.stringify(known.upstream) &&
        JSON.stringify(access[name]) === JSON.stringify(dialling.access[name]);
      if (isSame) continue;
      gone.push(name);
      close(known);
      this.upstreams.delete(name);
      this.waitingFor.delete(name);
    }
    const added = Object.entries(config.upstreams).filter(([name]) => !this.upstreams.has(name));
    for (const [name, upstream] of added) this.add(name, upstream);
    if (gone.length === 0 && added.length === 0) return gone;
    this.publish();
    if (this.started) for (const [name] of added) this.upstreams.get(name)?.finder.start();
    return gone;
  }

  start(): void {
    this.started = true;
    for (const known of this.upstreams.values()) known.finder.start();
  }

  redirected(upstream: string): void {
    this.upstreams.get(upstream)?.finder.redirected();
  }

  failed(upstream: string): void {
    this.upstreams.get(upstream)?.finder.failed();
  }

  private found(name: string, known: Known, found: Found): void {
    if (known.complaint !== null) this.log('info', `${name} answers again: ${found.source}`, null);
    known.complaint = null;
    const before = known.placement;
    const isFirst = known.found === null;
    known.found = found;
    if (isFirst || found.kind !== 'hosts' || !isSameHosts(before, found))
      known.placement = this.place(known, found);
    if (isFirst || !isSame(before, known.placement)) {
      this.publish();
      known.health?.watch(serversOf(known.placement).map((server) => server.address));
      void this.probeAll(name, known);
    }
    this.settle(name);
  }

  private place({ unhealthy, upstream }: Known, found: Found): Placement {
    switch (found.kind) {
      case 'single':
        return singleServer(found.address, !unhealthy.has(found.address));
      case 'slots':
        return slotPlacement(found.ranges, unhealthy);
      case 'hosts':
        return hostPlacement(
          found.hosts,
          upstream.hostSet?.balancer ?? DEFAULT_BALANCER,
          unhealthy,
        );
    }
  }

  private notFound(name: string, known: Known, why: NotFound): void {
    if (known.complaint !== why.text) this.log('error', why.text, why.next);
    known.complaint = why.text;
    this.settle(name);
  }

  private settle(name: string): void {
    if (!this.waitingFor.delete(name) || this.waitingFor.size > 0) return;
    this.options.settled();
  }

  private healthChanged(known: Known, address: string, healthy: boolean): void {
    if (known.found === null) return;
    if (healthy) known.unhealthy.delete(address);
    else known.unhealthy.add(address);
    this.log(
      healthy ? 'info' : 'warning',
      `${address} is ${healthy ? 'healthy again' : 'unhealthy'} for the health checker`,
      null,
    );
    known.placement = this.place(known, known.found);
    this.publish();
    if (!healthy) known.finder.hostDegraded();
  }

  private publish(): void {
    const upstreams = Object.fromEntries(
      [...this.upstreams].map(([name, known]) => [name, known.placement]),
    );
    this.topology = { version: this.topology.version + 1, upstreams };
    this.say();
    this.options.changed(this.topology);
  }

  private say(): void {
    const upstreams = Object.fromEntries(
      [...this.upstreams].map(([name, known]) => [name, this.stateOf(known)]),
    );
    this.options.bus.other({
      type: 'topology',
      atUs: this.options.clock.nowUs(),
      version: this.topology.version,
      upstreams,
    });
  }

  private stateOf(known: Known): UpstreamState {
    const { placement, found, reach } = known;
    return {
      kind: found === null ? 'unknown' : placement.kind,
      source: found?.source ?? '',
      ranges: placement.kind === 'slots' ? rangesOf(placement) : null,
      hosts:
        placement.kind === 'hosts'
          ? { placed: placement.hosts, balancer: placement.balancer }
          : null,
      servers: serversOf(placement).map(
        ({ address, healthy }): ServerState => ({
          address,
          dialled: dialledFor(this.dialling, address),
          healthy,
          reachable: reach.has(address) ? reach.get(address) === null : null,
          error: reach.get(address) ?? null,
        }),
      ),
    };
  }

  /** Tries to connect to every server, once after each change, and says which cannot be reached and what that costs. */
  private async probeAll(name: string, known: Known): Promise<void> {
    const { placement } = known;
    const servers = serversOf(placement);
    const results = await Promise.all(
      servers.map(({ address }) => probe(name, address, this.dialling, PROBE_TIMEOUT_MS)),
    );
    if (this.closed || known.placement !== placement) return;
    known.reach.clear();
    servers.forEach(({ address }, i) => {
      known.reach.set(address, results[i] ?? null);
    });
    this.say();
    const unreachable = servers.filter((_, i) => results[i] !== null);
    if (unreachable.length === 0) return;
    const reachable = placement.shards.filter(
      (shard) => known.reach.get(shard.primary.address) === null,
    );
    const slots =
      placement.kind !== 'slots'
        ? 0
        : coveredBy(
            placement,
            reachable.map((shard) => shard.primary.address),
          );
    const share = Math.round((100 * slots) / SLOTS);
    const slotsText =
      placement.kind === 'slots'
        ? `; ${share} % of the slots work (${coveredSlots(placement)} of ${SLOTS} are assigned)`
        : '';
    const list = unreachable
      .slice(0, 6)
      .map((server) => server.address)
      .join(', ');
    this.log(
      'error',
      `${unreachable.length} of ${servers.length} ${placement.kind === 'slots' ? 'announced nodes' : `servers of ${name}`} cannot be reached from here: ${list}${slotsText}`,
      unreachable
        .map((server) => `--map ${server.address}=127.0.0.1:PORT`)
        .slice(0, 3)
        .join(' ')
        .concat('  (for pods: kubectl port-forward pod/NAME PORT:6379, one for each)'),
    );
  }

  private log(level: 'info' | 'warning' | 'error', text: string, next: string | null): void {
    this.options.bus.other({ type: 'log', atUs: this.options.clock.nowUs(), level, text, next });
  }

  close(): void {
    this.closed = true;
    for (const known of this.upstreams.values()) close(known);
  }
}

function close(known: Known): void {
  known.finder.close();
  known.health?.close();
}

function isSameHosts(before: Placement, found: Extract<Found, { kind: 'hosts' }>): boolean {
  return before.kind === 'hosts' && JSON.stringify(before.hosts) === JSON.stringify(found.hosts);
}

function coveredBy(placement: Placement, primaries: readonly string[]): number {
  const shards = placement.shards.filter((shard) => primaries.includes(shard.primary.address));
  return shards.reduce(
    (sum, shard) => sum + shard.ranges.reduce((slots, [start, end]) => slots + end - start + 1, 0),
    0,
  );
}

function isSame(a: Placement, b: Placement): boolean {
  if (a.kind !== b.kind || a.shards.length !== b.shards.length) return false;
  return JSON.stringify(a.shards) === JSON.stringify(b.shards);
}
