/** The proxy: listens, ties clients, servers, topology and events together, and ends cleanly. */
import { createServer, type Server as NetServer, type Socket } from 'node:net';
import { Command } from '../commands/command.js';
import { readTolerances, type ToleranceSource } from '../compare/tolerances.js';
import { messageOf, RmtopError, systemCode } from '../errors.js';
import { type Consumer, EventBus } from '../events/bus.js';
import {
  condenseRequest,
  hasSecretReply,
  type KeepLimits,
  PieceKeeper,
  ReplyKeeper,
  redactedMarker,
} from '../events/condense.js';
import { Stats, type Totals } from '../events/stats.js';
import { Scopes } from '../filter/scopes.js';
import type { Credentials } from '../mesh/answers.js';
import { compileConfig } from '../mesh/compile.js';
import type { MeshConfig } from '../mesh/config.js';
import { isOpened } from '../mesh/decision.js';
import { type Rng, seededRng } from '../mesh/rng.js';
import { DOLLAR, isNilReply } from '../resp/bytes.js';
import { REQUEST, RequestParser } from '../resp/request.js';
import { Turns } from './chance.js';
import { startClock } from './clock.js';
import type { Core } from './core.js';
import { countEnd } from './count.js';
import type { Dialling } from './dial.js';
import { type ClientState, Downstream } from './downstream.js';
import type { Exchange } from './exchange.js';
import { Hung } from './faults.js';
import { Gauges, keepBytes } from './gauges.js';
import { HOLD } from './hold.js';
import { Mirrors } from './mirrors.js';
import { Loop } from './output.js';
import { Pool } from './pool.js';
import { Snapshots } from './snapshots.js';
import { TopologyKeeper } from './topology-keeper.js';

/** What a proxy is made of. */
export type ProxyOptions = {
  readonly config: MeshConfig;
  readonly listen: { readonly host: string; readonly port: number };
  readonly dialling: Dialling;
  /** Passwords clients log in with; null: none are asked for. */
  readonly credentials: Credentials | null;
  /** What is kept of each command for the events' readers. */
  readonly keep: KeepLimits;
  /** Whether large values are hashed, for those who write them down. */
  readonly hashes: boolean;
  readonly seed: number;
  /** What replies of mirrors may differ in, besides the usual. */
  readonly tolerances?: ToleranceSource;
  /** Save what keys hold before the first command on them, for a recording; absent: no. */
  readonly snapshot?: boolean;
  /** What is drawn for the client that connects from `address`: for a replay, whose faults hit what they had hit. Not across threads. */
  readonly chanceOf?: (address: string) => Rng;
};

/** What of the secrets and addresses changes with a configuration; what is left out stays. */
export type NewAccess = {
  readonly dialling?: Dialling;
  readonly credentials?: Credentials | null;
  /** Rules of rmtop's own, and which faults are on, stay as they are: files know nothing of what was switched while running. */
  readonly keepFaults?: boolean;
};

/** A running proxy, in this thread or another. */
export type ProxyHandle = {
  readonly address: { readonly host: string; readonly port: number };
  /** The wall clock of the moment that the events' `atUs` counts from, ISO 8601. */
  readonly startedAt: string;
  /** What it was told last: by its maker, or by `reconfigure`. */
  readonly config: MeshConfig;
  /** Gets the stream of events: first the state so far. Gives the way to stop. */
  subscribe(consumer: Consumer): () => void;
  totals(): Promise<Totals>;
  /** How each client stands now. Asked for by whoever shows it: events of it would cost each transaction two. */
  clients(): Promise<readonly ClientState[]>;
  /**
   * Takes effect between two commands; clients stay connected. Connections to upstreams that have changed or are gone close at once,
   * as Envoy's do. Settles when it is done.
   */
  reconfigure(config: MeshConfig, access?: NewAccess): Promise<void>;
  /** Ends the connection of a client, by its number; what it was still waiting for is not answered. False: there is none any more. */
  closeClient(connection: number): Promise<boolean>;
  /** Puts a line into the log that all consumers read; `next` is what to do about it. */
  note(level: 'info' | 'warning' | 'error', text: string, next: string | null): void;
  /** Stops accepting, lets commands in flight finish for at most `graceMs`, and closes everything. */
  close(graceMs?: number): Promise<void>;
  /** Settles when the core has died of an error; never while it lives, nor when it was closed. */
  readonly died: Promise<Error>;
};

/** Commands that wait longer than this are announced while they wait. */
const PENDING_MS = 250;

/** Opens the port and starts to discover the upstreams. Throws LISTEN_IN_USE or LISTEN_FAILED. */
export async function createProxy(options: ProxyOptions): Promise<ProxyHandle> {
  const proxy = new RunningProxy(options);
  await proxy.listen();
  return proxy;
}

class RunningProxy implements ProxyHandle {
  readonly startedAt: string;
  readonly died: Promise<Error> = new Promise(() => {});
  address = { host: '', port: 0 };
  private readonly options: ProxyOptions;
  private readonly core: Core;
  private readonly keeper: TopologyKeeper;
  private readonly server: NetServer;
  private readonly connected = new Set<Downstream>();
  private readonly pendingTimer: NodeJS.Timeout;
  private readonly gauges = new Gauges();
  private seq = 0;
  private connections = 0;
  private held = false;
  private dialling: Dialling;

  constructor(options: ProxyOptions) {
    this.options = options;
    this.dialling = options.dialling;
    const clock = startClock();
    const loop = new Loop();
    const bus = new EventBus();
    const config = compileConfig(options.config);
    this.startedAt = clock.startedAt;
    const stats = new Stats();
    const pool = new Pool(config, clock, loop, bus, stats, options.dialling);
    this.core = {
      clock,
      loop,
      bus,
      pool,
      stats,
      rng: seededRng(options.seed),
      turns: new Turns(),
      scopes: new Scopes(() => this.core),
      hung: new Hung(),
      mirrors: new Mirrors(
        () => this.core,
        options.tolerances === undefined ? undefined : readTolerances(options.tolerances),
      ),
      snapshots: options.snapshot === true ? new Snapshots(() => this.core) : null,
      chanceOf: options.chanceOf ?? null,
      config,
      topology: { version: 0, upstreams: {} },
      credentials: options.credentials,
      ready: false,
      nextSeq: () => ++this.seq,
      newKeeper: () => new PieceKeeper(options.hashes),
      newReplyKeeper: () => new ReplyKeeper(options.hashes),
      redirected: (upstream) => {
        this.core.stats.redirects++;
        this.keeper.redirected(upstream);
      },
      failed: (upstream) => this.keeper.failed(upstream),
      finished: (exchange, nowUs) => this.finished(exchange, nowUs),
    };
    bus.other({ type: 'config', atUs: clock.nowUs(), config: options.config });
    this.keeper = new TopologyKeeper(options.config, options.dialling, {
      clock,
      bus,
      stats: stats.mesh,
      changed: (topology) => {
        this.core.topology = topology;
        pool.topologyChanged(topology);
      },
      settled: () => this.settled(),
    });
    this.server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) =>
      this.accept(socket),
    );
    this.pendingTimer = setInterval(() => this.sayPending(), PENDING_MS);
    this.pendingTimer.unref();
  }

  async listen(): Promise<void> {
    const { host, port } = this.options.listen;
    await new Promise<void>((resolve, reject) => {
      this.server.once('error', (error) => reject(listenError(error, host, port)));
      this.server.listen({ host, port }, () => resolve());
    }).catch((error: unknown) => {
      this.stop();
      throw error;
    });
    const bound = this.server.address();
    if (bound !== null && typeof bound === 'object')
      this.address = { host: bound.address, port: bound.port };
    this.core.bus.other({
      type: 'hello',
      atUs: 0,
      startedAt: this.startedAt,
      listen: [`${this.address.host}:${this.address.port}`],
      upstream: Object.values(this.options.config.upstreams)
        .map((upstream) => upstream.seeds.join(','))
        .join(' '),
    });
    this.keeper.start();
  }

  /** The first topology is known, or known not to be had now: commands that came early go on. */
  private settled(): void {
    if (this.core.ready) return;
    this.core.ready = true;
    for (const client of this.connected) client.release(HOLD.starting);
  }

  get config(): MeshConfig {
    return this.core.config.config;
  }

  private accept(socket: Socket): void {
    const client = new Downstream(this.core, socket, ++this.connections, (gone) => {
      this.connected.delete(gone);
      this.core.stats.clients--;
      keepBytes(this.core.stats.mesh, gone);
    });
    this.connected.add(client);
    if (this.held) client.pauseFor(HOLD.congested);
    this.core.stats.clients++;
    this.core.stats.clientsTotal++;
  }

  // ——— what has ended ———

  private finished(exchange: Exchange, nowUs: number): void {
    const { stats, bus } = this.core;
    const { spec, decision } = exchange;
    const durationUs = nowUs - exchange.atUs;
    const bytesIn = exchange.requestTotal;
    const isNil =
      exchange.keeper === null &&
      isNilReply(exchange.replyBuf, exchange.replyStart, exchange.replyEnd);
    stats.command(spec, durationUs, bytesIn, exchange.replyTotal, exchange.isError, isNil);
    if (exchange.counts !== null) countEnd(exchange, exchange.counts, nowUs);
    switch (decision.action.kind) {
      case 'forward':
        if (spec?.envoyWrite) stats.writes++;
        else stats.reads++;
        if (isOpened(decision)) stats.opened++;
        break;
      case 'answer':
        stats.answered++;
        break;
      case 'refuse':
        stats.refused++;
    }
    if (exchange.cause !== null) stats.failed++;
    if (
      spec?.secret ||
      exchange.large !== null ||
      exchange.keeper !== null ||
      this.isLong(exchange)
    )
      this.condense(exchange);
    bus.command(exchange, durationUs);
    if (bus.congested && !this.held) this.holdAll();
  }

  private isLong(exchange: Exchange): boolean {
    const { value } = this.options.keep;
    return exchange.end - exchange.start > value || exchange.replyEnd - exchange.replyStart > value;
  }

  /** Secrets and large values do not get into the stream of events. */
  private condense(exchange: Exchange): void {
    const { keep, hashes } = this.options;
    if (exchange.large !== null) exchange.condenseRequest(exchange.large.condensed());
    else {
      const parser = new RequestParser();
      parser.push(exchange.frame.subarray(exchange.start, exchange.end));
      if (parser.next() === REQUEST) {
        const command = new Command();
        command.load(parser, exchange.session);
        if (exchange.spec?.secret && hasSecretReply(command))
          exchange.condenseReply(redactedMarker('auth'));
        if (exchange.spec?.secret || exchange.end - exchange.start > keep.value) {
          exchange.condenseRequest(condenseRequest(command, keep));
        }
      }
    }
    const replyBytes = exchange.replyEnd - exchange.replyStart;
    if (exchange.keeper !== null) exchange.condenseReply(exchange.keeper.marker());
    else if (
      replyBytes > keep.value &&
      (exchange.replyBuf[exchange.replyStart] === DOLLAR || replyBytes > keep.record)
    ) {
      const keeper = new ReplyKeeper(hashes);
      keeper.add(exchange.replyBuf.subarray(exchange.replyStart, exchange.replyEnd));
      exchange.condenseReply(keeper.marker());
    }
  }

  /** A consumer that must lose nothing is behind: nothing more is read from clients until it has caught up. */
  private holdAll(): void {
    this.held = true;
    for (const client of this.connected) client.pauseFor(HOLD.congested);
    const timer = setInterval(() => {
      if (this.core.bus.congested) return;
      clearInterval(timer);
      this.held = false;
      for (const client of this.connected) client.release(HOLD.congested);
    }, 5);
  }

  private sayPending(): void {
    const nowUs = this.core.clock.nowUs();
    for (const client of this.connected) {
      for (let exchange = client.replies.head; exchange !== null; exchange = exchange.next) {
        if (nowUs - exchange.atUs < PENDING_MS * 1000) break;
        if (exchange.pendingSaid || exchange.complete) continue;
        exchange.pendingSaid = true;
        const { part, key } = describe(exchange);
        this.core.bus.other({
          type: 'pending',
          atUs: nowUs,
          seq: exchange.seq,
          arrivedUs: exchange.atUs,
          connection: client.id,
          name: part,
          key,
        });
      }
    }
  }

  // ——— the handle ———

  subscribe(consumer: Consumer): () => void {
    return this.core.bus.subscribe(consumer);
  }

  totals(): Promise<Totals> {
    const { stats, clock, pool, topology } = this.core;
    const gauges = this.gauges.read(this.connected, this.seq, pool, topology);
    return Promise.resolve(stats.totals(clock.nowUs(), gauges));
  }

  reconfigure(config: MeshConfig, access: NewAccess = {}): Promise<void> {
    const { core } = this;
    const wanted = access.keepFaults === true ? withFaultsOf(core.config.config, config) : config;
    const newer = { ...wanted, version: core.config.version + 1 };
    core.config = compileConfig(newer);
    if (access.credentials !== undefined) this.takeCredentials(access.credentials);
    this.dialling = access.dialling ?? this.dialling;
    core.bus.other({ type: 'config', atUs: core.clock.nowUs(), config: newer });
    const gone = this.keeper.reconfigure(newer, this.dialling);
    core.pool.configChanged(core.config, this.dialling, gone);
    core.hung.release((rule) => core.config.rules.some(({ id }) => id === rule));
    return Promise.resolve();
  }

  /** Who is logged in stays so; where nobody had to, new clients will have to. */
  private takeCredentials(credentials: Credentials | null): void {
    this.core.credentials = credentials;
  }

  clients(): Promise<readonly ClientState[]> {
    return Promise.resolve(Array.from(this.connected, (client) => client.state));
  }

  closeClient(connection: number): Promise<boolean> {
    for (const client of this.connected) {
      if (client.id !== connection) continue;
      client.kick();
      return Promise.resolve(true);
    }
    return Promise.resolve(false);
  }

  note(level: 'info' | 'warning' | 'error', text: string, next: string | null): void {
    this.core.bus.other({ type: 'log', atUs: this.core.clock.nowUs(), level, text, next });
  }

  async close(graceMs = 0): Promise<void> {
    this.server.close();
    // What has arrived is answered; nothing more is read, or a busy client would keep us for ever.
    for (const client of this.connected) client.pauseFor(HOLD.closing);
    const deadline = performance.now() + graceMs;
    while (
      performance.now() < deadline &&
      [...this.connected].some((client) => client.replies.head !== null)
    ) {
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    for (const client of [...this.connected]) client.shutDown();
    this.stop();
    this.core.bus.flush();
  }

  private stop(): void {
    clearInterval(this.pendingTimer);
    this.keeper.close();
    this.core.pool.close();
    this.server.close();
  }
}

function withFaultsOf(running: MeshConfig, config: MeshConfig): MeshConfig {
  const faults = config.faults.map((fault) => ({
    ...fault,
    on: running.faults.find(({ id }) => id === fault.id)?.on ?? fault.on,
  }));
  return { ...config, faults, rules: running.rules };
}

/** Name and first key of a command that is still running; never a secret's arguments. */
function describe(exchange: Exchange): { readonly part: string; readonly key: string | null } {
  const parser = new RequestParser();
  parser.push(exchange.frame.subarray(exchange.start, exchange.end));
  if (parser.next() !== REQUEST) return { part: exchange.spec?.name ?? '?', key: null };
  const command = new Command();
  command.load(parser, exchange.session);
  const at = exchange.spec?.secret ? undefined : command.keys[0];
  return {
    part: command.name,
    key: at === undefined ? null : command.arg(at).toString('latin1').slice(0, 256),
  };
}

/** What to say of a port that cannot be opened: LISTEN_IN_USE or LISTEN_FAILED. */
export function listenError(error: unknown, host: string, port: number): RmtopError {
  const where = `${host}:${port}`;
  if (systemCode(error) === 'EADDRINUSE') {
    return new RmtopError('LISTEN_IN_USE', `cannot listen on ${where}: address in use`, {
      next: ['rmtop --listen 127.0.0.1:0        use a free port'],
    });
  }
  return new RmtopError('LISTEN_FAILED', `cannot listen on ${where}`, {
    why: messageOf(error),
    next: ['rmtop --listen 127.0.0.1:6380'],
  });
}
