/** A recording at work as a server: one port, or one for each node of the recorded cluster (recording page, 7). */
import { createServer, type Server, type Socket } from 'node:net';
import { RmtopError } from '../errors.js';
import type { FaultTally } from '../events/stats.js';
import type { FaultRule } from '../mesh/config.js';
import { listenError } from '../proxy/proxy.js';
import { Matcher, type MatchOptions } from '../recording/matching.js';
import type { Script } from '../recording/script.js';
import type { Spoken } from '../recording/spoken.js';
import { encodeError } from '../resp/encode.js';
import { type OnMiss, ServedClient, type Shared } from './client.js';
import { checkRules, ServedFaults } from './faults.js';
import type { Place } from './greeting.js';
import { dialSocket } from './links.js';
import { Subscriptions } from './listeners.js';
import { Logins } from './logins.js';
import {
  nodeAt,
  type RecordedNode,
  recordedNodes,
  ServedCluster,
  type ServedNode,
} from './nodes.js';

/** How a recording is served. */
export type ServeOptions = MatchOptions & {
  readonly listen: { readonly host: string; readonly port: number };
  /** A port for each recorded node: port, port + 1, … or free ones. */
  readonly cluster: boolean;
  /** Recorded durations are multiplied by it; 0: replies come at once. */
  readonly latency: number;
  /** Whether any login will do, or those that were recorded. */
  readonly auth: 'any' | 'recorded';
  readonly onMiss: OnMiss;
  /** The port of this machine that misses are forwarded to, with `onMiss: 'forward'`. */
  readonly forwardPort: number;
  /** Faults on top of the recording; those that were recorded are `faults`. */
  readonly inject: readonly FaultRule[];
  /** Further clients are refused, as Redis refuses them. */
  readonly maxClients: number;
  /** Added to what a miss says. */
  readonly hint: string;
};

/** How it goes. `commands` counts all that came, `served` the recorded replies that were asked for. */
export type ServeStats = {
  readonly clients: number;
  readonly commands: number;
  readonly served: number;
  readonly missed: number;
  readonly left: number;
};

/** A served recording. */
export type ServeHandle = {
  readonly nodes: readonly [ServedNode, ...ServedNode[]];
  stats(): ServeStats;
  /** What no recorded reply was found for, and how often. */
  misses(): ReadonlyMap<string, number>;
  /** What nobody asked for. */
  leftovers(): readonly Spoken[];
  /** What each rule of `inject` has done, by its id. */
  faults(): ReadonlyMap<string, Readonly<FaultTally>>;
  /** Settles when no command has come for so long, counted from the first one. */
  idle(ms: number): Promise<void>;
  close(): Promise<void>;
};

const NO_FAULTS: ReadonlyMap<string, FaultTally> = new Map();
const DEFAULT_VERSION = '7.0.0';
/** Where there is no cluster: one server, with everything. */
const ALONE: RecordedNode = { alias: 's0.p', recorded: '', shard: 0, isPrimary: true };

/** Opens the ports. Throws LISTEN_IN_USE, LISTEN_FAILED, or USAGE where there is no cluster to serve, and for rules that mean nothing here. */
export async function serveScript(script: Script, options: ServeOptions): Promise<ServeHandle> {
  if (options.cluster && script.ranges === null)
    throw new RmtopError('USAGE', 'the recording has no Redis Cluster', {
      next: ['without --cluster it is served as one server'],
    });
  if (options.cluster && options.match === 'strict')
    throw new RmtopError('USAGE', '--match strict and --cluster do not go together', {
      why: 'a cluster client spreads over several connections what was one in the recording',
      next: ['--match key'],
    });
  checkRules(options.inject, options.cluster);
  const server = new RunningServer(script, options);
  await server.listen();
  return server;
}

class RunningServer implements ServeHandle {
  nodes: readonly [ServedNode, ...ServedNode[]];
  private readonly script: Script;
  private readonly options: ServeOptions;
  private readonly matcher: Matcher;
  private readonly servers: Server[] = [];
  private readonly clients = new Set<ServedClient>();
  private readonly shared: Shared;
  /** By the address that a client came to: the one it is told. */
  private readonly clusters = new Map<string, ServedCluster>();
  private connections = 0;
  private commands = 0;
  private heardMs = 0;

  constructor(script: Script, options: ServeOptions) {
    this.script = script;
    this.options = options;
    this.matcher = new Matcher(script, options);
    this.nodes = [nodeAt(ALONE, options.listen.host, options.listen.port)];
    this.shared = {
      matcher: this.matcher,
      subscriptions: new Subscriptions(script.subscriptions),
      faults:
        options.inject.length === 0
          ? null
          : new ServedFaults(options.inject, options.cluster ? script.ranges : null, () =>
              Math.round(performance.now() * 1000),
            ),
      logins:
        options.auth === 'any'
          ? null
          : new Logins(script, options.redactKey, (text) => this.matcher.miss(text)),
      onMiss: options.onMiss,
      latency: options.latency,
      hint: options.hint,
      nowMs: () => performance.now(),
      heard: () => {
        this.commands++;
        this.heardMs = performance.now();
      },
      forward: (reply, closed) =>
        dialSocket(
          { host: '127.0.0.1', port: options.forwardPort, greeting: null },
          () => {},
          reply,
          closed,
        ),
    };
  }

  async listen(): Promise<void> {
    const { cluster, listen } = this.options;
    const recorded = cluster ? recordedNodes(this.script.ranges ?? []) : [ALONE];
    const nodes: ServedNode[] = [];
    try {
      for (const [i, node] of recorded.entries()) {
        const port = await this.open(listen.host, listen.port === 0 ? 0 : listen.port + i, i);
        nodes.push(nodeAt(node, listen.host, port));
      }
    } catch (error) {
      await this.close();
      throw error;
    }
    this.nodes = nodes as [ServedNode, ...ServedNode[]];
  }

  private async open(host: string, port: number, index: number): Promise<number> {
    const server = createServer((socket) => this.accept(socket, index));
    this.servers.push(server);
    await new Promise<void>((resolve, reject) => {
      server.once('error', (error) => reject(listenError(error, host, port)));
      server.listen({ host, port }, resolve);
    });
    const bound = server.address();
    return bound !== null && typeof bound === 'object' ? bound.port : port;
  }

  private accept(socket: Socket, index: number): void {
    if (this.clients.size >= this.options.maxClients) {
      socket.on('error', () => {});
      socket.end(encodeError('ERR max number of clients reached'));
      return;
    }
    const client = new ServedClient(
      socket,
      ++this.connections,
      this.placeOf(index, socket),
      this.shared,
    );
    this.clients.add(client);
    socket.on('close', () => this.clients.delete(client));
  }

  private placeOf(index: number, socket: Socket): Place {
    const { cluster: isCluster } = this.options;
    const host = (socket.localAddress ?? '127.0.0.1').replace(/^::ffff:/, '');
    const nodes = this.nodes.map((node) => ({ ...node, host }));
    const cluster =
      this.clusters.get(host) ?? new ServedCluster(nodes, isCluster ? this.script.ranges : null);
    this.clusters.set(host, cluster);
    const [first] = nodes as [ServedNode, ...ServedNode[]];
    return {
      self: nodes[index] ?? first,
      cluster,
      nodes,
      isCluster,
      redisVersion: this.script.redisVersion ?? DEFAULT_VERSION,
    };
  }

  stats(): ServeStats {
    return {
      clients: this.clients.size,
      commands: this.commands,
      served: this.matcher.servedCount,
      missed: [...this.matcher.misses.values()].reduce((sum, count) => sum + count, 0),
      left: this.matcher.leftovers().length,
    };
  }

  misses(): ReadonlyMap<string, number> {
    return this.matcher.misses;
  }

  leftovers(): readonly Spoken[] {
    return this.matcher.leftovers();
  }

  faults(): ReadonlyMap<string, Readonly<FaultTally>> {
    return this.shared.faults?.tallies ?? NO_FAULTS;
  }

  idle(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setInterval(
        () => {
          if (this.commands === 0 || performance.now() - this.heardMs < ms) return;
          clearInterval(timer);
          resolve();
        },
        Math.min(100, Math.max(5, ms / 4)),
      );
      timer.unref();
    });
  }

  async close(): Promise<void> {
    const closed = this.servers.map(
      (server) =>
        new Promise<void>((resolve) => {
          if (server.listening) server.close(() => resolve());
          else resolve();
        }),
    );
    for (const client of [...this.clients]) client.close();
    await Promise.all(closed);
  }
}
