/** Keeps the topology of all upstreams: what discovery found, what is healthy, what can be reached; and says when it changes. */
import type { EventBus } from '../events/bus.js';
import type { ServerState, UpstreamState } from '../events/event.js';
import type { MeshConfig } from '../mesh/config.js';
import { seededRng } from '../mesh/rng.js';
import {
  coveredSlots,
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
import { Discovery, type Found, type NotFound } from './discovery.js';
import { HealthChecker, probe } from './health.js';

const PROBE_TIMEOUT_MS = 2000;

type Known = {
  readonly discovery: Discovery;
  readonly health: HealthChecker | null;
  found: Found | null;
  placement: Placement;
  readonly unhealthy: Set<string>;
  readonly reach: Map<string, string | null>;
  /** The last complaint, so that the same is not said every five seconds. */
  complaint: string | null;
};

export class TopologyKeeper {
  topology: Topology = { version: 0, upstreams: {} };
  private readonly upstreams = new Map<string, Known>();
  private readonly clock: Clock;
  private readonly bus: EventBus;
  private readonly dialling: Dialling;
  private readonly changed: (topology: Topology) => void;
  private readonly settled: () => void;
  private waitingFor: Set<string>;
  private closed = false;

  /** `changed` hears of each new topology, `settled` when each upstream has been found or has failed once. */
  constructor(
    config: MeshConfig,
    clock: Clock,
    bus: EventBus,
    dialling: Dialling,
    changed: (topology: Topology) => void,
    settled: () => void,
  ) {
    this.clock = clock;
    this.bus = bus;
    this.dialling = dialling;
    this.changed = changed;
    this.settled = settled;
    this.waitingFor = new Set(Object.keys(config.upstreams));
    for (const [name, upstream] of Object.entries(config.upstreams)) {
      const discovery = new Discovery({
        name,
        upstream,
        dialling,
        clock,
        rng: seededRng(Date.now()),
        found: (found) => this.found(name, found),
        notFound: (why) => this.notFound(name, why),
      });
      const health =
        upstream.healthCheck &&
        new HealthChecker(name, upstream.healthCheck, dialling, (address, healthy) =>
          this.healthChanged(name, address, healthy),
        );
      this.upstreams.set(name, {
        discovery,
        health,
        found: null,
        placement: { kind: 'single', shards: [] },
        unhealthy: new Set(),
        reach: new Map(),
        complaint: null,
      });
    }
    this.publish();
  }

  start(): void {
    for (const known of this.upstreams.values()) known.discovery.start();
  }

  redirected(upstream: string): void {
    this.upstreams.get(upstream)?.discovery.redirected();
  }

  failed(upstream: string): void {
    this.upstreams.get(upstream)?.discovery.failed();
  }

  private found(name: string, found: Found): void {
    const known = this.upstreams.get(name);
    if (known === undefined) return;
    if (known.complaint !== null) this.log('info', `${name} answers again: ${found.source}`, null);
    known.complaint = null;
    const before = known.placement;
    const isFirst = known.found === null;
    known.found = found;
    known.placement = this.place(known, found);
    if (isFirst || !isSame(before, known.placement)) {
      this.publish();
      known.health?.watch(serversOf(known.placement).map((server) => server.address));
      void this.probeAll(name, known);
    }
    this.settle(name);
  }

  private place(known: Known, found: Found): Placement {
    if (found.ranges === null)
      return singleServer(found.address, !known.unhealthy.has(found.address));
    return slotPlacement(found.ranges, known.unhealthy);
  }

  private notFound(name: string, why: NotFound): void {
    const known = this.upstreams.get(name);
    if (known === undefined) return;
    if (known.complaint !== why.text) this.log('error', why.text, why.next);
    known.complaint = why.text;
    this.settle(name);
  }

  private settle(name: string): void {
    if (!this.waitingFor.delete(name) || this.waitingFor.size > 0) return;
    this.settled();
  }

  private healthChanged(name: string, address: string, healthy: boolean): void {
    const known = this.upstreams.get(name);
    if (known === undefined || known.found === null) return;
    if (healthy) known.unhealthy.delete(address);
    else known.unhealthy.add(address);
    this.log(
      healthy ? 'info' : 'warning',
      `${address} is ${healthy ? 'healthy again' : 'unhealthy'} for the health checker`,
      null,
    );
    known.placement = this.place(known, known.found);
    this.publish();
    if (!healthy) known.discovery.hostDegraded();
  }

  private publish(): void {
    const upstreams = Object.fromEntries(
      [...this.upstreams].map(([name, known]) => [name, known.placement]),
    );
    this.topology = { version: this.topology.version + 1, upstreams };
    this.say();
    this.changed(this.topology);
  }

  private say(): void {
    const upstreams = Object.fromEntries(
      [...this.upstreams].map(([name, known]) => [name, this.stateOf(known)]),
    );
    this.bus.other({
      type: 'topology',
      atUs: this.clock.nowUs(),
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
      placement.kind === 'single'
        ? 0
        : coveredBy(
            placement,
            reachable.map((shard) => shard.primary.address),
          );
    const share = Math.round((100 * slots) / SLOTS);
    const list = unreachable
      .slice(0, 6)
      .map((server) => server.address)
      .join(', ');
    this.log(
      'error',
      `${unreachable.length} of ${servers.length} announced nodes cannot be reached from here: ${list}; ${share} % of the slots work (${coveredSlots(placement)} of ${SLOTS} are assigned)`,
      unreachable
        .map((server) => `--map ${server.address}=127.0.0.1:PORT`)
        .slice(0, 3)
        .join(' ')
        .concat('  (for pods: kubectl port-forward pod/NAME PORT:6379, one for each)'),
    );
  }

  private log(level: 'info' | 'warning' | 'error', text: string, next: string | null): void {
    this.bus.other({ type: 'log', atUs: this.clock.nowUs(), level, text, next });
  }

  close(): void {
    this.closed = true;
    for (const known of this.upstreams.values()) {
      known.discovery.close();
      known.health?.close();
    }
  }
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
