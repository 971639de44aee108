/** A stream of events without sockets: commands are decided by the real `decide` and written into real blocks, at times the test says. */
import { Command, NEW_SESSION, type SessionView } from '../../src/commands/command.js';
import { type AttemptNote, FLAG } from '../../src/events/block.js';
import { EventBus } from '../../src/events/bus.js';
import type { Cause, OtherEvent, ServerState, TrafficEvent } from '../../src/events/event.js';
import { addTo, Stats } from '../../src/events/stats.js';
import { readEvents } from '../../src/events/subscribe.js';
import { compileConfig } from '../../src/mesh/compile.js';
import { type MeshConfig, type Settings, singleUpstreamConfig } from '../../src/mesh/config.js';
import { decide } from '../../src/mesh/decide.js';
import { partsOf } from '../../src/mesh/decision.js';
import { seededRng } from '../../src/mesh/rng.js';
import {
  rangesOf,
  type SlotRange,
  serversOf,
  slotPlacement,
  type Topology,
} from '../../src/mesh/topology.js';
import type { ProxyHandle } from '../../src/proxy/proxy.js';
import { isNilReply } from '../../src/resp/bytes.js';
import { encodeRequest } from '../../src/resp/encode.js';

/** Three shards with a replica each, as in the drawings of the screens. */
export const RANGES: readonly SlotRange[] = [
  { start: 0, end: 5460, primary: '10.1.2.3:6379', replicas: ['10.1.2.6:6379'] },
  { start: 5461, end: 10922, primary: '10.1.2.4:6379', replicas: ['10.1.2.7:6379'] },
  { start: 10923, end: 16383, primary: '10.1.2.5:6379', replicas: ['10.1.2.8:6379'] },
];

/** One finished command. Times in ms; `reply` as RESP. */
export type Said = {
  readonly argv: readonly (string | Buffer)[];
  readonly reply?: string | Buffer;
  readonly atMs?: number;
  readonly ms?: number;
  readonly queueMs?: number;
  readonly connection?: number;
  readonly seq?: number;
  readonly session?: Partial<SessionView>;
  readonly cause?: Cause;
  readonly movedTo?: string;
  readonly askedTo?: string;
  readonly clientClosed?: boolean;
  readonly burst?: { readonly first: number; size: number };
};

export class TestStream implements ProxyHandle {
  readonly address: { host: string; port: number } = { host: '127.0.0.1', port: 6380 };
  readonly startedAt = '2026-11-30T12:04:05.000000Z';
  readonly died: Promise<Error>;
  readonly bus: EventBus = new EventBus();
  readonly config: MeshConfig;
  closed: number | null = null;
  nowUs = 0;
  private readonly stats = new Stats();
  private readonly rng = seededRng(1);
  private topology: Topology = { version: 0, upstreams: {} };
  private servers: readonly ServerState[] = [];
  private seq = 0;
  private die: (error: Error) => void = () => {};

  /** `ranges` null: nothing is known of the upstream yet. */
  constructor(settings: Partial<Settings> = {}, ranges: readonly SlotRange[] | null = RANGES) {
    this.died = new Promise((resolve) => {
      this.die = resolve;
    });
    this.config = singleUpstreamConfig(['redis-cluster:6379'], settings);
    this.bus.other({ type: 'config', atUs: 0, config: this.config });
    this.bus.other({
      type: 'hello',
      atUs: 0,
      startedAt: this.startedAt,
      listen: ['127.0.0.1:6380'],
      upstream: 'redis-cluster:6379',
    });
    this.place(ranges);
  }

  /** Makes the core die. */
  kill(error: Error): void {
    this.die(error);
  }

  /** A new topology; `unreachable` holds addresses and why. */
  place(
    ranges: readonly SlotRange[] | null,
    unreachable: Readonly<Record<string, string>> = {},
  ): void {
    const placement = slotPlacement(ranges ?? []);
    this.topology = { version: this.topology.version + 1, upstreams: { redis: placement } };
    this.servers = serversOf(placement).map((server) => ({
      ...server,
      dialled: server.address,
      reachable: unreachable[server.address] === undefined,
      error: unreachable[server.address] ?? null,
    }));
    this.other({
      type: 'topology',
      atUs: this.nowUs,
      version: this.topology.version,
      upstreams: {
        redis: {
          kind: ranges === null ? 'unknown' : 'slots',
          source: 'CLUSTER SLOTS from 127.0.0.1:7001',
          ranges: ranges === null ? null : rangesOf(placement),
          hosts: null,
          servers: this.servers,
        },
      },
    });
  }

  /** A client connects, or says more about itself. */
  client(connection: number, name: string | null = null, library: string | null = null): void {
    this.stats.clients++;
    this.stats.clientsTotal++;
    this.other({
      type: 'session',
      atUs: this.nowUs,
      connection,
      state: 'opened',
      address: `127.0.0.1:${51800 + connection}`,
      name,
      library,
      resp: 2,
    });
  }

  /** A finished command; gives its number. */
  command(said: Said): number {
    const seq = said.seq ?? ++this.seq;
    this.seq = Math.max(this.seq, seq);
    const session = { ...NEW_SESSION, ...said.session };
    const command = Command.of(said.argv, session);
    const decision = decide(command, this.topology, compileConfig(this.config), this.rng);
    const request = encodeRequest(said.argv);
    const reply = Buffer.from(said.reply ?? '+OK\r\n');
    const atUs = Math.round((said.atMs ?? seq) * 1000);
    const durationUs = Math.round((said.ms ?? 0.41) * 1000);
    const queueUs = Math.round((said.queueMs ?? 0.03) * 1000);
    const only = partsOf(decision)[0]?.to ?? null;
    const redirectedTo = said.askedTo ?? said.movedTo;
    const attempts: AttemptNote[] | null =
      redirectedTo === undefined || only === null
        ? null
        : [
            {
              part: 0,
              address: only.address,
              kind: 'decided',
              sentUs: atUs + queueUs,
              doneUs: atUs + queueUs + 200,
            },
            {
              part: 0,
              address: redirectedTo,
              kind: said.askedTo === undefined ? 'MOVED' : 'ASK',
              sentUs: atUs + queueUs + 210,
              doneUs: atUs + durationUs - 20,
            },
          ];
    const isError = reply[0] === 0x2d;
    const isNil = isNilReply(reply, 0, reply.length);
    this.stats.command(command.spec, durationUs, request.length, reply.length, isError, isNil);
    if (command.spec?.writes === true) this.stats.writes++;
    else this.stats.reads++;
    if (decision.action.kind === 'refuse') this.stats.refused++;
    if (only !== null)
      addTo(
        this.stats.node(only.address, 'redis'),
        durationUs,
        request.length,
        reply.length,
        isError,
      );
    this.bus.command(
      {
        seq,
        atUs,
        connection: said.connection ?? 1,
        flags:
          FLAG.authenticated |
          (session.multi ? FLAG.multi : 0) |
          (session.resp === 3 ? FLAG.resp3 : 0) |
          (said.clientClosed ? FLAG.clientClosed : 0),
        topologyVersion: decision.topologyVersion,
        configVersion: decision.configVersion,
        draws: decision.draws,
        attempts,
        queueUs,
        upstreamUs: Math.max(0, durationUs - queueUs - 50),
        burst: said.burst ?? { first: seq, size: 1 },
        transactionKey: session.transactionKey,
        pinned: session.pinned,
        home: session.home,
        cause: said.cause ?? null,
        requestBuf: request,
        requestStart: 0,
        requestEnd: request.length,
        requestTotal: request.length,
        replyBuf: reply,
        replyStart: 0,
        replyEnd: reply.length,
        replyTotal: reply.length,
      },
      durationUs,
    );
    return seq;
  }

  /** A command that waits: its number is taken, its event comes with `command({ seq })`. */
  pending(name: string, key: string | null, connection = 1, atMs?: number): number {
    const seq = ++this.seq;
    const arrivedUs = (atMs ?? seq) * 1000;
    this.other({
      type: 'pending',
      atUs: arrivedUs + 250_000,
      seq,
      arrivedUs,
      connection,
      name,
      key,
    });
    return seq;
  }

  other(event: OtherEvent): void {
    this.bus.other(event);
  }

  flush(): void {
    this.bus.flush();
  }

  subscribe: ProxyHandle['subscribe'] = (consumer) => this.bus.subscribe(consumer);

  totals: ProxyHandle['totals'] = () => Promise.resolve(this.stats.totals(this.nowUs));

  /** How the clients stand, as the test says. */
  standing: Awaited<ReturnType<ProxyHandle['clients']>> = [];

  clients: ProxyHandle['clients'] = () => Promise.resolve(this.standing);

  reconfigure: ProxyHandle['reconfigure'] = () => Promise.resolve();

  /** The clients that were closed by hand. */
  readonly kicked: number[] = [];

  closeClient: ProxyHandle['closeClient'] = (connection) => {
    this.kicked.push(connection);
    return Promise.resolve(true);
  };

  note: ProxyHandle['note'] = () => {};

  close: ProxyHandle['close'] = (graceMs = 0) => {
    this.closed = graceMs;
    return Promise.resolve();
  };

  /** Every event that `say` causes, after the state so far. */
  events(say: () => void): TrafficEvent[] {
    const events: TrafficEvent[] = [];
    const stop = readEvents(this, (event) => events.push(event));
    say();
    this.flush();
    stop();
    return events;
  }
}
