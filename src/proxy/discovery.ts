/**
 * Finds out what is behind one upstream: a Redis Cluster and its slots, or one server; and again whenever Envoy would (mesh page, 4.2
 * to 4.4). A bad answer changes nothing: the old map stays, and the next try is due after the refresh rate.
 */
import type { Cause } from '../events/event.js';
import type { ClusterStats } from '../events/mesh-stats.js';
import { joinAddress } from '../mesh/address.js';
import type { Upstream } from '../mesh/config.js';
import { forwardText } from '../mesh/forward.js';
import type { Rng } from '../mesh/rng.js';
import type { PlacedHost, SlotRange } from '../mesh/topology.js';
import type { Clock } from './clock.js';
import { ControlConnection, type ControlReply } from './control.js';
import { accessTo, type Dialling, describeCause, dialledFor } from './dial.js';

/** What was found: a Redis Cluster's slots, one server, or a set of hosts. `source` says how, for people. */
export type Found =
  | { readonly kind: 'slots'; readonly source: string; readonly ranges: readonly SlotRange[] }
  | { readonly kind: 'single'; readonly source: string; readonly address: string }
  | { readonly kind: 'hosts'; readonly source: string; readonly hosts: readonly PlacedHost[] };

/** Something that finds the servers of one upstream, and is told what may call for looking again. */
export type Finder = {
  start(): void;
  /** A redirect was followed, a request failed, a host went unhealthy. */
  redirected(): void;
  failed(): void;
  hostDegraded(): void;
  close(): void;
};

/** Why nothing was found, in a sentence, and what to do about it. */
export type NotFound = {
  readonly text: string;
  readonly next: string | null;
  readonly cause: Cause | null;
};

export type DiscoveryOptions = {
  readonly name: string;
  readonly upstream: Upstream;
  readonly dialling: Dialling;
  readonly clock: Clock;
  readonly rng: Rng;
  readonly stats: ClusterStats;
  readonly found: (found: Found) => void;
  readonly notFound: (why: NotFound) => void;
};

/** Until the first success; Envoy waits the whole refresh rate, a person at a terminal would rather not. */
const FIRST_RETRY_MS = 1000;

export class Discovery implements Finder {
  private readonly options: DiscoveryOptions;
  private readonly connections = new Map<string, ControlConnection>();
  private known: readonly string[] = [];
  private timer: NodeJS.Timeout | null = null;
  private asking = false;
  private closed = false;
  private single = false;
  private nextSeed: number;
  private redirects = 0;
  private failures = 0;
  private degraded = 0;
  private triggeredUs = Number.NEGATIVE_INFINITY;

  constructor(options: DiscoveryOptions) {
    this.options = options;
    this.nextSeed = options.rng.below(options.upstream.seeds.length);
  }

  start(): void {
    void this.refresh();
  }

  /** A redirect was followed, a request failed, a host went unhealthy: each may call for a refresh before its time. */
  redirected(): void {
    this.redirects++;
    this.maybeTrigger(this.redirects, this.options.upstream.refresh.redirectThreshold);
  }

  failed(): void {
    this.failures++;
    this.maybeTrigger(this.failures, this.options.upstream.refresh.failureThreshold);
  }

  hostDegraded(): void {
    this.degraded++;
    this.maybeTrigger(this.degraded, this.options.upstream.refresh.degradedThreshold);
  }

  private maybeTrigger(count: number, threshold: number): void {
    if (threshold === 0 || count < threshold || this.single) return;
    const nowUs = this.options.clock.nowUs();
    if (nowUs - this.triggeredUs < this.options.upstream.refresh.redirectIntervalMs * 1000) return;
    this.triggeredUs = nowUs;
    this.redirects = 0;
    this.failures = 0;
    this.degraded = 0;
    void this.refresh();
  }

  /** Asks one server; a random known one, else the seeds in turn. One question at a time. */
  private async refresh(): Promise<void> {
    if (this.asking || this.closed) return;
    this.asking = true;
    if (this.timer !== null) clearTimeout(this.timer);
    const { stats } = this.options;
    stats.updateAttempt++;
    const address = this.pick();
    const reply = await this.ask(address);
    this.asking = false;
    if (this.closed) return;
    const result = this.read(address, reply);
    if ('text' in result) {
      stats.updateFailure++;
      this.connections.get(address)?.close();
      this.connections.delete(address);
      this.options.notFound(result);
      this.again(
        this.known.length === 0
          ? Math.min(FIRST_RETRY_MS, this.options.upstream.refresh.rateMs)
          : this.options.upstream.refresh.rateMs,
      );
      return;
    }
    stats.updateSuccess++;
    this.single = result.kind !== 'slots';
    this.known =
      result.kind === 'slots'
        ? [...new Set(result.ranges.flatMap((range) => [range.primary, ...range.replicas]))]
        : [];
    this.options.found(result);
    if (!this.single) this.again(this.options.upstream.refresh.rateMs);
    else this.forget();
  }

  private again(afterMs: number): void {
    this.timer = setTimeout(() => void this.refresh(), afterMs);
  }

  private pick(): string {
    const { rng, upstream } = this.options;
    if (this.known.length > 0) return this.known[rng.below(this.known.length)] as string;
    return upstream.seeds[this.nextSeed++ % upstream.seeds.length] as string;
  }

  private ask(address: string): Promise<ControlReply> {
    const { dialling, name, upstream } = this.options;
    let connection = this.connections.get(address);
    if (connection === undefined || connection.closed) {
      connection = new ControlConnection(
        address,
        dialledFor(dialling, address),
        accessTo(dialling, name, address),
        upstream.connectTimeoutMs,
      );
      this.connections.set(address, connection);
    }
    return connection.ask(['CLUSTER', 'SLOTS'], upstream.refresh.timeoutMs);
  }

  private read(address: string, reply: ControlReply): Found | NotFound {
    switch (reply.kind) {
      case 'failed':
        return {
          text: `cannot ask ${this.options.name} for its topology: ${describeCause(reply.cause)}`,
          next:
            wayTo(reply.cause) ??
            'is the server running, and the address right?  --upstream HOST:PORT, --map FROM=TO',
          cause: reply.cause,
        };
      case 'error':
        return this.readError(address, reply.text);
      case 'value': {
        const ranges = readSlots(reply.value);
        if (typeof ranges !== 'string')
          return { kind: 'slots', source: `CLUSTER SLOTS from ${address}`, ranges };
        return {
          text: `the CLUSTER SLOTS reply of ${address} is refused, as Envoy would: ${ranges}`,
          next: 'cluster-announce-ip on the nodes, or redis-cli -p PORT cluster slots to see it',
          cause: null,
        };
      }
    }
  }

  /** Errors that mean "this is no Redis Cluster" rather than "ask again". */
  private readError(address: string, error: string): Found | NotFound {
    if (/cluster support disabled|unknown command|unknown subcommand/i.test(error)) {
      if (this.options.upstream.kind === 'redis-cluster') {
        return {
          text: `${address} is no Redis Cluster (${error}), but the mesh takes it for one: in Envoy this cluster never becomes ready`,
          next: 'a cluster with type STRICT_DNS or EDS and lb_policy MAGLEV, or RedisDestination mode PROXY, for a single server',
          cause: null,
        };
      }
      return { kind: 'single', source: `${address} (no Redis Cluster)`, address };
    }
    const isLogin = /^(NOAUTH|WRONGPASS|NOPERM)/.test(error);
    const refusal = this.connections.get(address)?.loginRefusal ?? null;
    return {
      text: `${address} refuses CLUSTER SLOTS: ${error}${refusal === null ? '' : `; it refused the proxy's login: ${refusal}`}`,
      next: isLogin
        ? 'give the server password with $REDISCLI_AUTH, --auth-file, or a URL in $RMTOP_UPSTREAM'
        : null,
      cause: null,
    };
  }

  private forget(): void {
    for (const connection of this.connections.values()) connection.close();
    this.connections.clear();
  }

  close(): void {
    this.closed = true;
    if (this.timer !== null) clearTimeout(this.timer);
    this.forget();
  }
}

/**
 * The ranges of a CLUSTER SLOTS reply as redis-parser gives it, or why Envoy would refuse it: one bad entry spoils all of it
 * (mesh page, 4.2).
 */
export function readSlots(reply: unknown): SlotRange[] | string {
  if (!Array.isArray(reply)) return 'it is no array';
  if (reply.length === 0) return 'it is empty: no slots are assigned';
  const ranges: SlotRange[] = [];
  for (const entry of reply as unknown[]) {
    if (!Array.isArray(entry) || entry.length < 3) return 'a range has fewer than three elements';
    const [start, end, ...servers] = entry as unknown[];
    if (!isSlot(start) || !isSlot(end) || start > end)
      return 'a range does not start or end at a slot';
    const addresses: string[] = [];
    for (const server of servers) {
      const address = readServer(server);
      if (address === null) return `the server of ${start}-${end} has no usable address`;
      addresses.push(address);
    }
    const [primary, ...replicas] = addresses as [string, ...string[]];
    ranges.push({ start, end, primary, replicas });
  }
  return ranges;
}

/** How a name that only the cluster knows is reached from here. */
function wayTo({ code, address }: Cause): string | null {
  return code === 'unresolved' || code === 'connect-timeout' ? forwardText(address) : null;
}

function isSlot(value: unknown): value is number {
  return typeof value === 'number' && value >= 0 && value < 16384;
}

/** host, port and what else there may be; an empty host is not understood. */
function readServer(server: unknown): string | null {
  if (!Array.isArray(server) || server.length < 2) return null;
  const [host, port] = server as unknown[];
  if (
    typeof host !== 'string' ||
    host === '' ||
    typeof port !== 'number' ||
    port < 0 ||
    port > 65535
  )
    return null;
  return joinAddress(host, port);
}
