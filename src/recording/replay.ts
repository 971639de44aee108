/**
 * A recording's commands sent again, with cause and effect kept: a command goes out when its time has come and every command whose reply
 * had arrived before it was received has its reply again (recording page, 5). Opens no socket: bytes go through links it is given.
 */
import type { Command } from '../commands/command.js';
import { type Comparison, compareReplies } from '../compare/compare.js';
import type { Tolerances } from '../compare/tolerances.js';

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
};

/** A connection that replayed commands go over. */
export type ReplayLink = {
  send(bytes: Buffer): void;
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
  readonly order: ReplayOrder;
  /** Longer silences are shortened to this; null: they are not. */
  readonly maxGapMs: number | null;
  /** How much longer than recorded a reply is waited for. */
  readonly guardMs: number;
  readonly pipeline: boolean;
  readonly tolerances: Tolerances;
};

/** Time as an argument. */
export type ReplayClock = {
  nowMs(): number;
  after(ms: number, call: () => void): () => void;
};

/** The time of this process. */
export const PROCESS_CLOCK: ReplayClock = {
  nowMs: () => performance.now(),
  after: (ms, call) => {
    const timer = setTimeout(call, ms);
    return () => clearTimeout(timer);
  },
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

type State = {
  readonly item: ReplayItem;
  readonly group: Group;
  readonly need: number;
  sentMs: number;
  lateMs: number;
  answered: boolean;
  /** Position among the completions of its group; -1 where it never completed. */
  completion: number;
};

/** Items that wait for each other: all, or those of one connection. */
type Group = {
  readonly states: State[];
  next: number;
  /** By order of completion in the recording: whether it has completed now; `prefix` of them have without a gap. */
  readonly completed: boolean[];
  prefix: number;
};

type Line = { link: ReplayLink | null; readonly waiting: State[]; last: State | null };

/** How often late replies are looked for. */
const WATCH_MS = 250;

/** Runs one replay. */
export class Replay {
  private readonly options: ReplayOptions;
  private readonly clock: ReplayClock;
  private readonly dial: DialLink;
  private readonly each: (result: ReplayResult) => void;
  private readonly groups: Group[];
  private readonly dueMs: Map<State, number> = new Map();
  private readonly lines = new Map<number, Line>();
  private readonly queued = new Map<number, Command[]>();
  private readonly closed: { connection: number; why: string }[] = [];
  private readonly total: number;
  private readonly firstUs: number;
  private startMs = 0;
  private sent = 0;
  private finished = 0;
  private connections = 0;
  private unorderedFrom: number | null = null;
  private cancel: (() => void) | null = null;
  private done: () => void = () => {};
  private cancelWatch: (() => void) | null = null;
  private pumping = false;
  private again = false;
  /** Sent, and without a reply in the recording: nobody waits for those. */
  private hopeless = 0;

  /** `items` in the order of their arrival. `each` is told every result as it comes. */
  constructor(
    items: readonly ReplayItem[],
    dial: DialLink,
    options: ReplayOptions,
    clock: ReplayClock,
    each: (result: ReplayResult) => void,
  ) {
    this.options = options;
    this.clock = clock;
    this.dial = dial;
    this.each = each;
    this.total = items.length;
    this.firstUs = items[0]?.atUs ?? 0;
    this.groups = groupsOf(items, options.order);
    this.schedule();
    for (const group of this.groups)
      for (const state of group.states) {
        const line = this.line(state.item.connection);
        line.last = state;
      }
  }

  /** Sends everything and waits for what comes back. */
  async run(): Promise<ReplayOutcome> {
    this.startMs = this.clock.nowMs();
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

  /** Looks now and then for replies that will not come any more. */
  private watch(): void {
    this.cancelWatch = this.clock.after(WATCH_MS, () => {
      this.expire();
      if (this.finished < this.total) this.watch();
    });
  }

  /** When each command is due, ms after the start: silences shortened, then scaled. */
  private schedule(): void {
    const { speed, maxGapMs } = this.options;
    if (speed === 'max') return;
    const states = this.groups
      .flatMap((group) => group.states)
      .sort((a, b) => a.item.atUs - b.item.atUs);
    let atMs = 0;
    let before = this.firstUs;
    for (const state of states) {
      const gapMs = (state.item.atUs - before) / 1000;
      atMs += maxGapMs === null ? gapMs : Math.min(gapMs, maxGapMs);
      before = state.item.atUs;
      this.dueMs.set(state, atMs / speed);
    }
  }

  private line(connection: number): Line {
    let line = this.lines.get(connection);
    if (line === undefined) {
      line = { link: null, waiting: [], last: null };
      this.lines.set(connection, line);
    }
    return line;
  }

  /** Sends all that may be sent now, and comes back when the next is due. */
  private pump(): void {
    this.again = true;
    if (this.pumping) return;
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
    else
      this.cancel = this.clock.after(
        Math.max(0, soonest - (this.clock.nowMs() - this.startMs)),
        () => this.pump(),
      );
  }

  /** Nothing is due and nothing on its way, though not all is sent: times that contradict each other. What is next goes all the same. */
  private unlock(): void {
    if ([...this.lines.values()].some(({ waiting }) => waiting.length > 0)) return;
    const group = this.groups.find((each) => each.next < each.states.length);
    const next = group?.states[group.next];
    if (group === undefined || next === undefined) return;
    this.unorderedFrom ??= next.item.seq;
    group.prefix = next.need;
    this.pump();
  }

  /** Sends what is due and has what it waits for; gives when the next is due, ms after the start. */
  private sendDue(): number {
    let soonest = Number.POSITIVE_INFINITY;
    const now = this.clock.nowMs() - this.startMs;
    const writes = new Map<number, Buffer[]>();
    for (const group of this.groups) {
      for (; group.next < group.states.length; group.next++) {
        const state = group.states[group.next] as State;
        if (state.need > group.prefix) break;
        const due = this.dueMs.get(state) ?? 0;
        if (due > now) {
          soonest = Math.min(soonest, due);
          break;
        }
        state.lateMs = this.options.speed === 'max' ? 0 : now - due;
        this.enqueue(state, writes);
      }
    }
    for (const [connection, requests] of writes) this.write(connection, requests);
    return soonest;
  }

  /** Only commands are left that had no reply when they were recorded either: their clients had gone. */
  private abandon(): void {
    for (const { waiting } of this.lines.values())
      for (const state of waiting.splice(0)) this.settle(state, null);
    this.done();
  }

  private enqueue(state: State, writes: Map<number, Buffer[]>): void {
    const { connection, request } = state.item;
    state.sentMs = this.clock.nowMs();
    this.sent++;
    if (state.item.doneUs === null) this.hopeless++;
    this.line(connection).waiting.push(state);
    const requests = writes.get(connection);
    if (requests === undefined) writes.set(connection, [request]);
    else requests.push(request);
  }

  private write(connection: number, requests: readonly Buffer[]): void {
    const line = this.line(connection);
    if (line.link === null) {
      this.connections++;
      line.link = this.dial(
        connection,
        (reply) => this.replied(connection, reply),
        (why) => this.lost(connection, why),
      );
    }
    if (this.options.pipeline) line.link.send(Buffer.concat(requests));
    else for (const request of requests) line.link.send(request);
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
    const isEarly = line.waiting.length > 0 || line.last?.answered === false;
    // What had no reply when it was recorded may well have been closed then, too: by a fault that is repeated, for one.
    const isExpected = isQuit(line.last) || line.waiting[0]?.item.doneUs === null;
    if (isEarly && !isExpected) this.closed.push({ connection, why });
    for (const state of line.waiting.splice(0)) this.settle(state, null);
    this.pump();
  }

  /** Gives up what has waited for too long. */
  private expire(): void {
    const now = this.clock.nowMs();
    for (const { waiting } of [...this.lines.values()]) {
      const [first] = waiting;
      if (
        first !== undefined &&
        first.sentMs + recordedMs(first.item) + this.options.guardMs <= now
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
    const { group, completion, item } = state;
    if (completion !== -1) {
      group.completed[completion] = true;
      while (group.completed[group.prefix] === true) group.prefix++;
    }
    const nowMs = this.clock.nowMs();
    const queued = this.transaction(item);
    const comparison = !item.compared
      ? null
      : compareReplies(item.command, item.expected, reply, this.options.tolerances, {
          laterMs: nowMs - this.startMs - ((item.doneUs ?? item.atUs) - this.firstUs) / 1000,
          ...(queued === null ? {} : { queued }),
        });
    const latencyUs = Math.round((nowMs - state.sentMs) * 1000);
    this.each({ item, reply, comparison, latencyUs, lateMs: state.lateMs });
    const line = this.line(item.connection);
    if (line.last !== state) return;
    line.link?.close(); // as its client did
    line.link = null;
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

function isQuit(state: State | null): boolean {
  return state?.item.command.name === 'QUIT';
}

function recordedMs({ atUs, doneUs }: ReplayItem): number {
  return doneUs === null ? 0 : (doneUs - atUs) / 1000;
}

/** Who waits for whom, and for how many completions. */
function groupsOf(items: readonly ReplayItem[], order: ReplayOrder): Group[] {
  if (order !== 'conn') return [groupOf(items, order)];
  const byConnection = new Map<number, ReplayItem[]>();
  for (const item of items) {
    const list = byConnection.get(item.connection);
    if (list === undefined) byConnection.set(item.connection, [item]);
    else list.push(item);
  }
  return [...byConnection.values()].map((each) => groupOf(each, 'causal'));
}

/**
 * One pass: completions sorted by time; an item needs as many of them as there were before it arrived. What had no reply in the
 * recording is no completion, or everything after it would wait for ever.
 */
function groupOf(items: readonly ReplayItem[], order: ReplayOrder): Group {
  const finished = items
    .filter((item) => item.doneUs !== null)
    .sort((a, b) => (a.doneUs as number) - (b.doneUs as number) || a.seq - b.seq);
  const inSerial = order === 'serial' ? items.filter((item) => item.doneUs !== null) : finished;
  const positions = new Map(inSerial.map((item, i) => [item, i]));
  const group: Group = { states: [], next: 0, completed: inSerial.map(() => false), prefix: 0 };
  let before = 0;
  let serial = 0;
  for (const item of items) {
    while (before < finished.length && isBefore(finished[before] as ReplayItem, item)) before++;
    const completion = positions.get(item) ?? -1;
    const need = order === 'none' ? 0 : order === 'serial' ? serial : before;
    if (completion !== -1) serial++;
    group.states.push({ item, group, need, sentMs: 0, lateMs: 0, answered: false, completion });
  }
  return group;
}

/** Whether `earlier` had completed when `item` arrived. What takes no time has not when it arrives itself, nor for what comes before it. */
function isBefore(earlier: ReplayItem, item: ReplayItem): boolean {
  const doneUs = earlier.doneUs as number;
  return doneUs < item.atUs || (doneUs === item.atUs && earlier.seq < item.seq);
}
