/**
 * The stream of events as it comes from the core: commands into the rows, all else to those whom it concerns.
 *
 * While the screen is frozen, blocks wait here, no more of them than memory holds; what happens besides commands is still heard.
 */
import {
  aliasOf,
  Block,
  type ClientInfo,
  type Consumer,
  type Mark,
  type MirrorEvent,
  type OtherEvent,
  type PendingEvent,
  type ProxyHandle,
  type ReplayDiff,
  StreamContext,
  type World,
} from 'rmtop';
import { WallClock } from '../text/clock.js';
import { FaultTimes } from './fault-times.js';
import { Journal } from './journal.js';
import { Links } from './links.js';
import { Marks } from './marks.js';
import { Mirrors } from './mirrors.js';
import { Overload } from './overload.js';
import { Past } from './past.js';
import { RateMeter } from './rates.js';
import { type Limits, MEMORY, RowStore } from './rows.js';
import { Sessions } from './sessions.js';
import { Tallies } from './tallies.js';

type Waiting = {
  readonly block: Block;
  readonly offsets: readonly number[];
  readonly pending: readonly PendingEvent[];
};

export class Feed implements Consumer, World {
  readonly lossless = false;
  readonly behind = false;
  readonly context: StreamContext = new StreamContext();
  readonly rows: RowStore;
  readonly sessions: Sessions = new Sessions();
  readonly journal: Journal = new Journal();
  readonly meter: RateMeter = new RateMeter();
  readonly tallies: Tallies;
  readonly copies: Mirrors = new Mirrors();
  readonly faultTimes: FaultTimes = new FaultTimes();
  readonly links: Links = new Links();
  readonly marks: Marks = new Marks();
  readonly past: Past = new Past();
  readonly overload: Overload = new Overload();
  readonly clock: WallClock;
  /** The newest topology event, which says more than the Topology: what can be reached. */
  topologyEvent: Extract<OtherEvent, { type: 'topology' }> | null = null;
  /** The longest of the servers' aliases. */
  aliasWidth = 5;
  /** Rows that the core could not hand over. */
  lost = 0;
  /** Commands that came while the screen was frozen. */
  heldBack = 0;
  /** What is known of a command that is sent again; see `World.replayed`. */
  replayed: (seq: number) => ReplayDiff | null = () => null;
  /** Called when something came in. */
  onNews: () => void = () => {};
  private readonly limits: Limits;
  private readonly now: () => number;
  private readonly queue: Waiting[] = [];
  private queued = { rows: 0, bytes: 0 };
  private isFrozen = false;

  constructor(
    proxy: Pick<ProxyHandle, 'startedAt'> & { readonly momentUs?: () => number },
    limits: Limits = MEMORY,
  ) {
    this.now = proxy.momentUs ?? (() => (Date.now() - Date.parse(proxy.startedAt)) * 1000);
    this.limits = limits;
    this.rows = new RowStore(limits);
    this.tallies = new Tallies(this);
    this.clock = new WallClock(proxy.startedAt);
    this.marks.onChange = (seq) => this.rows.recheck(seq);
  }

  // ——— from the core ———

  accept(bytes: ArrayBuffer, used: number): boolean {
    // A block has room for 256 KiB; at a few commands a second most of that is empty.
    const own = used * 2 < bytes.byteLength ? bytes.slice(0, used) : bytes;
    const block = new Block(own, used);
    const offsets: number[] = [];
    const pending: PendingEvent[] = [];
    block.walk((_, offset) => {
      if (block.isCommand(offset)) {
        offsets.push(offset);
        return;
      }
      const event = block.other(offset);
      this.context.learn(event);
      this.past.hear(event);
      if (event.type === 'pending') pending.push(event);
      else this.hear(event);
    });
    this.tallies.count(block, offsets, (offset) => block.command(offset, this.context));
    const waiting = { block, offsets, pending };
    if (this.isFrozen) this.hold(waiting);
    else this.take(waiting);
    this.onNews();
    return true;
  }

  pressure(share: number): void {
    this.overload.hear(share, performance.now());
  }

  private take({ block, offsets, pending }: Waiting): void {
    for (const event of pending) this.rows.addPending(event);
    this.rows.add(block, offsets);
  }

  private hear(event: OtherEvent): void {
    this.journal.hear(event);
    switch (event.type) {
      case 'config':
        this.faultTimes.hear(event);
        return;
      case 'topology':
        this.topologyEvent = event;
        this.aliasWidth = widestAlias(this.context, event);
        return;
      case 'session':
        this.sessions.hear(event);
        return;
      case 'session-closed':
        this.sessions.hear(event);
        this.rows.forgetPending((pending) => pending.connection === event.connection);
        return;
      case 'upstream':
        this.links.hear(event);
        return;
      case 'mirror':
        this.copies.hear(event);
        this.rows.recheck(event.seq);
        return;
      case 'gap':
        this.lost += event.dropped;
        this.rows.forgetPending(({ seq }) => event.from <= seq && seq <= event.to);
        return;
      default:
        return;
    }
  }

  // ——— frozen ———

  get frozen(): boolean {
    return this.isFrozen;
  }

  freeze(): void {
    this.isFrozen = true;
  }

  /** Takes in what has waited. */
  thaw(): void {
    this.isFrozen = false;
    for (const waiting of this.queue) this.take(waiting);
    this.queue.length = 0;
    this.queued = { rows: 0, bytes: 0 };
    this.heldBack = 0;
  }

  private hold(waiting: Waiting): void {
    this.heldBack += waiting.offsets.length;
    if (waiting.offsets.length === 0 && waiting.pending.length === 0) return;
    this.queue.push(waiting);
    this.count(waiting, 1);
    while (this.queued.rows > this.limits.rows || this.queued.bytes > this.limits.bytes) {
      const oldest = this.queue.shift();
      if (oldest === undefined) return;
      this.count(oldest, -1);
      this.rows.arrived += oldest.offsets.length;
      this.rows.evicted += oldest.offsets.length;
    }
  }

  private count({ block, offsets }: Waiting, sign: 1 | -1): void {
    this.queued.rows += sign * offsets.length;
    this.queued.bytes += sign * block.bytes.length;
  }

  // ——— the world of a command ———

  topology(version: number): ReturnType<World['topology']> {
    return this.context.topology(version);
  }

  config(version: number): ReturnType<World['config']> {
    return this.context.config(version);
  }

  client(connection: number): ClientInfo | undefined {
    return this.sessions.get(connection);
  }

  slowUs(name: string): number | null {
    return this.meter.slowUs(name);
  }

  mirrors(seq: number): readonly MirrorEvent[] {
    return this.copies.of(seq);
  }

  mark(seq: number): Mark | undefined {
    return this.marks.of(seq);
  }

  /** Of a recording: the moment that is being played. */
  nowUs(): number {
    return this.now();
  }
}

function widestAlias(
  context: StreamContext,
  event: Extract<OtherEvent, { type: 'topology' }>,
): number {
  const topology = context.topology(event.version);
  if (topology === undefined) return 0;
  const widths = Object.entries(event.upstreams).flatMap(([name, state]) =>
    state.servers.map((server) => aliasOf(topology, name, server.address).length),
  );
  return Math.max(0, ...widths);
}
