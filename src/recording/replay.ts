/**
 * A recording's commands sent again, with cause and effect kept: a command goes out when its time has come and every command whose reply
 * had arrived before it was received has its reply again (recording page, 5). Opens no socket: bytes go through links it is given.
 */
import type { Command } from '../commands/command.js';
import { type Comparison, compareReplies } from '../compare/compare.js';
import type { Tolerances } from '../compare/tolerances.js';
import type { CommandEvent } from '../events/event.js';
import { Pace, type ReplayClock, type ReplayProgress } from './replay-pace.js';
import { planReplay, type ReplayGroup, type ReplayItems, type ReplayPlan } from './replay-plan.js';

/** One command to send. Times in µs since the recording began. */
export type ReplayItem = {
  readonly seq: number;
  readonly atUs: number;
  /** When its reply had been written; null where it never was. */
  readonly doneUs: number | null;
  readonly connection: number;
  /** Number of the first command of its pipeline burst. */
  readonly burst: number;
  readonly command: Command;
  readonly request: Buffer;
  /** The recorded reply; null where it is not there to be compared. */
  readonly expected: Buffer | null;
  /** Compared with what was recorded; housekeeping and cut replies are not. */
  readonly compared: boolean;
  /** What it was made of; null where its way is not to be compared: it was edited, and that is not what is sent. */
  readonly recorded: CommandEvent | null;
};

/** A connection that replayed commands go over. */
export type ReplayLink = {
  /** `items` are those whose requests are in `bytes`: a replay says so. */
  send(bytes: Buffer, items?: readonly ReplayItem[]): void;
  close(): void;
};

/** Opens a link: `reply` is called for each reply in order, `closed` once, when no more will come. */
export type DialLink = (
  connection: number,
  reply: (bytes: Buffer) => void,
  closed: (why: string) => void,
) => ReplayLink;

export type ReplayOrder = 'causal' | 'conn' | 'serial' | 'none';

export type ReplayOptions = {
  /** 1: as recorded; 'max': as fast as the order allows. */
  readonly speed: number | 'max';
  /** So many a second, evenly, whatever their recorded times; null or left out: by `speed`. */
  readonly perSecond?: number | null;
  /** Nothing is sent until `allow` is called. */
  readonly byStep?: boolean;
  /** In the place of a reply, before it is compared. */
  readonly translate?: (reply: Buffer) => Buffer;
  readonly order: ReplayOrder;
  /** Longer silences are shortened to this; null: they are not. */
  readonly maxGapMs: number | null;
  /** How much longer than recorded a reply is waited for. */
  readonly guardMs: number;
  readonly pipeline: boolean;
  readonly tolerances: Tolerances;
};

/** What came of one command. */
export type ReplayResult = {
  readonly item: ReplayItem;
  readonly reply: Buffer | null;
  /** Null where nothing was to be compared. */
  readonly comparison: Comparison | null;
  readonly latencyUs: number;
  /** How much after its time it was sent, ms; 0 at full speed. */
  readonly lateMs: number;
};

/** What came of all of them. */
export type ReplayOutcome = {
  readonly sent: number;
  readonly connections: number;
  readonly durationMs: number;
  /** From which command on the order is not guaranteed, for a reply did not come in time; null: it always was. */
  readonly unorderedFrom: number | null;
  /** Connections that the other side closed. */
  readonly closed: readonly { readonly connection: number; readonly why: string }[];
};

/** A command that is on its way. */
type State = {
  readonly item: ReplayItem;
  readonly index: number;
  readonly group: ReplayGroup;
  readonly sentMs: number;
  /** The same without the time that the replay was held. */
  readonly activeMs: number;
  readonly lateMs: number;
  answered: boolean;
};

/** `last` is the index of its last command. */
type Line = {
  link: ReplayLink | null;
  readonly waiting: State[];
  last: number;
  isOver: boolean;
};

/** Without an order all could go out at once: millions of them would fill the memory. */
const MOST_ON_THE_WAY = 10_000;

/** How often late replies are looked for. */
const WATCH_MS = 250;

/** Runs one replay. */
export class Replay {
  private readonly options: ReplayOptions;
  private readonly clock: ReplayClock;
  private readonly pace: Pace;
  private readonly dial: DialLink;
  private readonly each: (result: ReplayResult) => void;
  private readonly items: ReplayItems;
  private readonly plan: ReplayPlan;
  private readonly lines = new Map<number, Line>();
  private readonly queued = new Map<number, Command[]>();
  private readonly closed: { connection: number; why: string }[] = [];
  private total: number;
  private readonly firstUs: number;
  /** When the last command that was sent came, in the recording. */
  private lastUs: number;
  private startMs = 0;
  private sent = 0;
  private finished = 0;
  private connections = 0;
  private unorderedFrom: number | null = null;
  private cancel: (() => void) | null = null;
  private done: () => void = () => {};
  private cancelWatch: (() => void) | null = null;
  private isStarted = false;
  private pumping = false;
  private again = false;
  /** Sent, and without a reply in the recording: nobody waits for those. */
  private hopeless = 0;

  private isStopped = false;
  /** How many may be sent, where steps are asked for. */
  private allowed: number;

  /** `each` is told every result as it comes. */
  constructor(
    items: ReplayItems,
    dial: DialLink,
    options: ReplayOptions,
    clock: ReplayClock,
    each: (result: ReplayResult) => void,
  ) {
    this.options = options;
    this.clock = clock;
    this.pace = new Pace(clock, options.perSecond == null ? options.speed : 1);
    this.dial = dial;
    this.each = each;
    this.items = items;
    this.total = items.length;
    this.allowed = options.byStep === true ? 0 : Number.POSITIVE_INFINITY;
    this.firstUs = items.length === 0 ? 0 : items.atUs(0);
    this.lastUs = this.firstUs;
    this.plan = planReplay(items, options);
    for (let i = 0; i < items.length; i++) this.line(items.connection(i)).last = i;
  }

  /** Sends everything and waits for what comes back. */
  async run(): Promise<ReplayOutcome> {
    this.startMs = this.clock.nowMs();
    this.isStarted = true;
    this.pace.start();
    if (this.total > 0)
      await new Promise<void>((resolve) => {
        this.done = resolve;
        this.watch();
        this.pump();
      });
    this.cancel?.();
    this.cancelWatch?.();
    for (const { link } of this.lines.values()) link?.close();
    return {
      sent: this.sent,
      connections: this.connections,
      durationMs: this.clock.nowMs() - this.startMs,
      unorderedFrom: this.unorderedFrom,
      closed: this.closed,
    };
  }

  /** Lets `count` more be sent, one after the other. */
  allow(count: number): void {
    this.allowed += count;
    this.pump();
  }

  /** Nothing more is sent until it goes on; `allow` sends single ones meanwhile. */
  hold(): void {
    if (this.isStopped) return;
    this.pace.hold();
    this.allowed = this.sent;
    this.pump();
  }

  /** Goes on from where it is, at its speed. */
  goOn(): void {
    this.pace.release();
    this.allowed = Number.POSITIVE_INFINITY;
    this.pump();
  }

  /** From now on; see `ReplayOptions.speed`. */
  setSpeed(speed: number | 'max'): void {
    this.pace.setSpeed(speed);
    this.pump();
  }

  get progress(): ReplayProgress {
    const { sent, finished, lastUs, pace, items } = this;
    const next = sent < items.length ? Math.max(lastUs, items.atUs(sent)) : lastUs;
    const atUs = Math.min(next, lastUs + pace.sinceLastMs * 1000);
    return { isHeld: pace.isHeld, speed: pace.speed, sent, finished, atUs };
  }

  /** Sends no more; what is on its way is still waited for. */
  stop(): void {
    if (this.isStopped) return;
    this.isStopped = true;
    this.pace.release();
    this.total = this.sent;
    this.pump();
  }

  /** Stops, and does not wait: what is on its way counts as nothing. Gives how much that was. */
  cut(): number {
    this.stop();
    const left = this.sent - this.finished;
    for (const { waiting } of this.lines.values()) waiting.length = 0;
    this.hopeless = 0;
    this.finished = this.total;
    this.done();
    return left;
  }

  /** Looks now and then for replies that will not come any more. */
  private watch(): void {
    this.cancelWatch = this.clock.after(WATCH_MS, () => {
      this.expire();
      if (this.finished < this.total) this.watch();
    });
  }

  private line(connection: number): Line {
    let line = this.lines.get(connection);
    if (line === undefined) {
      line = { link: null, waiting: [], last: -1, isOver: false };
      this.lines.set(connection, line);
    }
    return line;
  }

  /** Sends all that may be sent now, and comes back when the next is due. */
  private pump(): void {
    this.again = true;
    if (this.pumping || !this.isStarted) return;
    this.pumping = true;
    let soonest = Number.POSITIVE_INFINITY;
    while (this.again) {
      this.again = false;
      soonest = this.sendDue();
    }
    this.pumping = false;
    this.cancel?.();
    this.cancel = null;
    if (this.finished === this.total) this.done();
    else if (this.finished + this.hopeless === this.total) this.abandon();
    else if (soonest === Number.POSITIVE_INFINITY) this.unlock();
    else this.cancel = this.clock.after(soonest, () => this.pump());
  }

  /** Nothing is due and nothing on its way, though not all is sent: times that contradict each other. What is next goes all the same. */
  private unlock(): void {
    if (this.isGated || [...this.lines.values()].some(({ waiting }) => waiting.length > 0)) return;
    const group = this.plan.groups.find((each) => each.next < each.members.length);
    const next = group?.members[group.next];
    if (group === undefined || next === undefined) return;
    this.unorderedFrom ??= this.items.seq(next);
    group.prefix = this.plan.need[next] as number;
    this.pump();
  }

  private get isGated(): boolean {
    const onTheWay = this.sent - this.finished - this.hopeless;
    return this.sent >= this.allowed || onTheWay >= MOST_ON_THE_WAY;
  }

  /** Sends what is due and has what it waits for; gives how long until the next is due, ms. */
  private sendDue(): number {
    let soonest = Number.POSITIVE_INFINITY;
    if (this.isStopped) return soonest;
    const { groups, need, dueMs } = this.plan;
    const { pace } = this;
    const writes = new Map<number, ReplayItem[]>();
    for (const group of pace.isHeld ? this.nextGroup() : groups) {
      for (; group.next < group.members.length && !this.isGated; group.next++) {
        const index = group.members[group.next] as number;
        if ((need[index] as number) > group.prefix) break;
        const waitMs = pace.untilMs(dueMs[index] as number);
        if (waitMs > 0) {
          soonest = Math.min(soonest, waitMs);
          break;
        }
        this.enqueue(index, group, pace.sent(dueMs[index] as number), writes);
        if (!pace.isHeld) continue;
        group.next++;
        this.again = true; // which group the next step is of is looked for anew
        break;
      }
    }
    for (const [connection, items] of writes) this.write(connection, items);
    return soonest;
  }

  /** Of the groups that may send: the one whose next command came first. */
  private nextGroup(): readonly ReplayGroup[] {
    const next = ({ members, next }: ReplayGroup): number => members[next] ?? Infinity;
    const [first] = this.plan.groups
      .filter((group) => (this.plan.need[next(group)] ?? Infinity) <= group.prefix)
      .sort((a, b) => next(a) - next(b));
    return first === undefined || this.isGated ? [] : [first];
  }

  /** Only commands are left that had no reply when they were recorded either: their clients had gone. */
  private abandon(): void {
    for (const { waiting } of this.lines.values())
      for (const state of waiting.splice(0)) this.settle(state, null);
    this.done();
  }

  private enqueue(
    index: number,
    group: ReplayGroup,
    lateMs: number,
    writes: Map<number, ReplayItem[]>,
  ): void {
    const item = this.items.load(index);
    const { connection } = item;
    this.sent++;
    if (item.doneUs === null) this.hopeless++;
    this.lastUs = Math.max(this.lastUs, item.atUs);
    const sentMs = this.clock.nowMs();
    const { activeMs } = this.pace;
    const state = { item, index, group, sentMs, activeMs, lateMs, answered: false };
    this.line(connection).waiting.push(state);
    const items = writes.get(connection);
    if (items === undefined) writes.set(connection, [item]);
    else items.push(item);
  }

  private write(connection: number, items: readonly ReplayItem[]): void {
    const line = this.line(connection);
    if (line.link === null) {
      this.connections++;
      line.link = this.dial(
        connection,
        (reply) => this.replied(connection, reply),
        (why) => this.lost(connection, why),
      );
    }
    const { link } = line;
    if (this.options.pipeline) link.send(Buffer.concat(items.map(({ request }) => request)), items);
    else for (const item of items) link.send(item.request, [item]);
  }

  private replied(connection: number, reply: Buffer): void {
    const state = this.line(connection).waiting.shift();
    if (state === undefined) return; // a push, or a reply to what was given up
    this.settle(state, reply);
    this.pump();
  }

  /** The other side closed: what waits gets no reply; what comes later opens the connection again. */
  private lost(connection: number, why: string): void {
    const line = this.line(connection);
    line.link = null;
    const isEarly = line.waiting.length > 0 || !line.isOver;
    // What had no reply when it was recorded may well have been closed then, too: by a fault that is repeated, for one.
    const isExpected = this.quits(line.last) || line.waiting[0]?.item.doneUs === null;
    if (isEarly && !isExpected) this.closed.push({ connection, why });
    for (const state of line.waiting.splice(0)) this.settle(state, null);
    this.pump();
  }

  /** Gives up what has waited for too long. */
  private expire(): void {
    const now = this.pace.activeMs;
    for (const { waiting } of [...this.lines.values()]) {
      const [first] = waiting;
      if (
        first !== undefined &&
        first.activeMs + recordedMs(first.item) + this.options.guardMs <= now
      )
        this.giveUp(first);
    }
  }

  /** Its reply may still come, and then belongs to nobody: the connection goes with it. */
  private giveUp(state: State): void {
    if (state.item.doneUs !== null) this.unorderedFrom ??= state.item.seq;
    const line = this.line(state.item.connection);
    line.link?.close();
    line.link = null;
    for (const each of line.waiting.splice(0)) this.settle(each, null);
    this.pump();
  }

  private settle(state: State, reply: Buffer | null): void {
    if (state.answered) return;
    state.answered = true;
    this.finished++;
    if (state.item.doneUs === null) this.hopeless--;
    const { group, item } = state;
    const completion = this.plan.completion[state.index] as number;
    if (completion !== -1) {
      group.completed[completion] = 1;
      while (group.completed[group.prefix] === 1) group.prefix++;
    }
    const nowMs = this.clock.nowMs();
    const queued = this.transaction(item);
    const comparison = !item.compared
      ? null
      : compareReplies(item.command, item.expected, this.said(reply), this.options.tolerances, {
          laterMs: nowMs - this.startMs - ((item.doneUs ?? item.atUs) - this.firstUs) / 1000,
          ...(queued === null ? {} : { queued }),
        });
    const latencyUs = Math.round((nowMs - state.sentMs) * 1000);
    this.each({ item, reply, comparison, latencyUs, lateMs: state.lateMs });
    const line = this.line(item.connection);
    if (line.last !== state.index) return;
    line.isOver = true;
    line.link?.close(); // as its client did
    line.link = null;
  }

  private said(reply: Buffer | null): Buffer | null {
    const { translate } = this.options;
    return reply === null || translate === undefined ? reply : translate(reply);
  }

  private quits(last: number): boolean {
    return last !== -1 && this.items.load(last).command.name === 'QUIT';
  }

  /** The commands between MULTI and this EXEC of the same connection; null for any other command. */
  private transaction({ command, connection }: ReplayItem): readonly Command[] | null {
    const queue = this.queued.get(connection);
    switch (command.name) {
      case 'MULTI':
        this.queued.set(connection, []);
        return null;
      case 'EXEC':
      case 'DISCARD':
        this.queued.delete(connection);
        return command.name === 'EXEC' ? (queue ?? null) : null;
      default:
        queue?.push(command);
        return null;
    }
  }
}

function recordedMs({ atUs, doneUs }: ReplayItem): number {
  return doneUs === null ? 0 : (doneUs - atUs) / 1000;
}
