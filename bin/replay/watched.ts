/** A replay as the screen sees it: who plays it, and which command of the data plane is which of the recording. */
import {
  type Comparison,
  Facts,
  NumberList,
  type ProxyHandle,
  RECORD_KEEP,
  type Redecided,
  type Replay,
  type ReplayItem,
  type ReplayItems,
  type ReplayOutcome,
  type ReplayResult,
  RmtopError,
} from 'rmtop';
import type { Replayed, Replaying, ReplayState, ReplyState } from '../../ui/replays.js';
import type { Say } from '../recording-files.js';
import { ScreenRecorder } from '../screen-recorder.js';
import { type ReplayFlags, repetitionOf } from './flags.js';
import type { Routed } from './routes.js';
import { exitCodeOf, type OpenedReplay, type Replayed as Outcome, openReplay } from './run.js';

/** How long what is on its way may take when the user ends it. */
const GRACE_MS = 1000;
/** While it waits for the next command, the position is told this often. */
const TELL_MS = 250;
/** Replies that differ are kept up to so many bytes together, and so many of them. */
const MOST_BYTES = 32 * 1024 * 1024;
const MOST_KEPT = 10_000;

const STATES: readonly ReplyState[] = [
  'open',
  'same',
  'tolerated',
  'diff',
  'missing',
  'extra',
  'none',
];
const DIFFERENT: ReadonlySet<ReplyState> = new Set(['diff', 'missing', 'extra']);
/** Added to the number of a state: the command went elsewhere. */
const ELSEWHERE = 16;

/** What is known of a command so far: its reply and its way are told one after the other, either first. */
type Known = {
  readonly n: number;
  readonly round: number;
  seq: number | null;
  state: ReplyState;
  comparison: Comparison | null;
  reply: Buffer | null;
  route: Redecided | null;
};

/** What it came to when it ended; `early`: what was not done, as the user wanted no more; empty where all was. */
export type Ended = Outcome & { readonly early: string };

/** Opened by `watchReplay`. */
export class WatchedReplay implements Replaying {
  readonly label: string;
  readonly upstream: string;
  readonly differences: number[] = [];
  /** Settles when nothing more is sent; rejects where the servers could not be prepared. */
  readonly over: Promise<void>;
  /** What is recorded of it from the screen. */
  readonly recordings: ScreenRecorder;
  private readonly opened: OpenedReplay;
  private readonly varies: boolean;
  private readonly plane: ProxyHandle;
  private readonly changed = new Set<(seq: number | null) => void>();
  /** By the data plane's number: those of the recording, the rounds, and states with what is added to them. */
  private readonly ns = new NumberList();
  private readonly rounds = new NumberList();
  private readonly codes = new NumberList();
  /** By `idOf`: of which the reply or the way is not known yet. */
  private readonly half = new Map<number, Known>();
  /** By the data plane's number: what is not simply the same. */
  private readonly kept = new Map<number, Known>();
  private keptBytes = 0;
  private current: Replay | null = null;
  private items: ReplayItems | null = null;
  private round = 0;
  private isHeld: boolean;
  /** The next difference is where it pauses. */
  private stopsAtDifference = false;
  private speed: number | 'max';
  private late = { lastMs: 0, mostMs: 0 };
  private readonly ending = new AbortController();
  private isOver = false;
  private cut = 0;
  private outcome: ReplayOutcome | null = null;
  private timer: NodeJS.Timeout | null = null;
  /** Called when nothing is half known any more. */
  private allKnown: () => void = () => {};
  private settle: { resolve: () => void; reject: (error: unknown) => void } | null = null;

  constructor(opened: OpenedReplay, flags: ReplayFlags, label: string) {
    const { proxy } = opened.target;
    if (proxy === null) throw new RmtopError('INTERNAL', 'a replay without a data plane');
    this.opened = opened;
    this.plane = proxy;
    this.recordings = new ScreenRecorder(proxy, opened.target.label, RECORD_KEEP, flags);
    this.label = label;
    this.upstream = opened.target.label;
    this.varies = repetitionOf(flags).varies;
    this.isHeld = flags.step === true;
    this.speed = opened.options.speed;
    this.over = new Promise((resolve, reject) => {
      this.settle = { resolve, reject };
    });
    this.over.catch(() => {}); // whoever waits for it hears of it
  }

  get proxy(): ProxyHandle {
    return this.plane;
  }

  // ——— from the replay ———

  began(replay: Replay, items: ReplayItems, round: number): void {
    this.current = replay;
    this.items = items;
    this.round = round;
    if (this.isHeld) replay.hold();
    if (this.speed !== this.opened.options.speed) replay.setSpeed(this.speed);
    this.tell(null);
  }

  answered({ item, comparison, reply, lateMs }: ReplayResult, round: number): void {
    this.late = { lastMs: lateMs, mostMs: Math.max(this.late.mostMs, lateMs) };
    const known = this.known(item.seq, round);
    known.state = comparison?.kind ?? 'none';
    // At once: until the data plane has told of it, much more could be sent.
    if (DIFFERENT.has(known.state) && this.stopsAtDifference) this.pause();
    known.comparison = comparison;
    if (comparison !== null && comparison.kind !== 'same') known.reply = reply;
    this.learned(known);
  }

  routed({ seq, n, round, found }: Routed): void {
    const known = this.known(n, round);
    known.seq = seq;
    known.route = found;
    if (found !== null && this.stopsAtDifference) this.pause();
    while (this.ns.length <= seq) for (const list of [this.ns, this.rounds]) list.push(0);
    this.ns.set(seq, n);
    this.rounds.set(seq, round);
    this.learned(known);
  }

  private known(n: number, round: number): Known {
    const id = idOf(n, round);
    let known = this.half.get(id);
    if (known === undefined) {
      known = { n, round, seq: null, state: 'open', comparison: null, reply: null, route: null };
      this.half.set(id, known);
    }
    return known;
  }

  private learned(known: Known): void {
    const { seq, state, route } = known;
    if (seq !== null) {
      while (this.codes.length <= seq) this.codes.push(0);
      this.codes.set(seq, STATES.indexOf(state) + (route === null ? 0 : ELSEWHERE));
      if (state !== 'open') {
        this.half.delete(idOf(known.n, known.round));
        this.keep(known, seq);
        if (this.half.size === 0) this.allKnown();
      }
    }
    this.tell(seq);
  }

  private keep(known: Known, seq: number): void {
    const isDifferent = DIFFERENT.has(known.state) || known.route !== null;
    if (isDifferent) this.differences.push(seq);
    if (known.state === 'same' && !isDifferent) return;
    if (known.state === 'none' && !isDifferent) return;
    if (this.kept.size >= MOST_KEPT) return;
    this.keptBytes += known.reply?.length ?? 0;
    if (this.keptBytes > MOST_BYTES) known.reply = null;
    this.kept.set(seq, known);
  }

  // ——— for the screen ———

  get state(): ReplayState {
    const { report, script } = this.opened;
    const { same, tolerated, different, notCompared, routedElsewhere: elsewhere, lost } = report;
    const progress = this.current?.progress;
    const { items } = this;
    const of = items?.length ?? 0;
    return {
      isPlaying: !this.isHeld && !this.isOver,
      isOver: this.isOver,
      speed: this.speed,
      round: this.round,
      sent: progress?.sent ?? 0,
      of: items === null ? script.items(1, false).length : of,
      atUs: progress?.atUs ?? 0,
      lastUs: of === 0 || items === null ? 0 : items.atUs(of - 1),
      lateMs: this.late.lastMs,
      mostLateMs: this.late.mostMs,
      same,
      tolerated,
      different,
      notCompared,
      elsewhere,
      lost: lost === null ? null : `from #${lost.n} on: ${lost.why}`,
    };
  }

  stateOf(seq: number): { readonly reply: ReplyState; readonly isElsewhere: boolean } | null {
    if (!(this.ns.at(seq) > 0)) return null;
    const code = this.codes.at(seq);
    return { reply: STATES[code % ELSEWHERE] ?? 'open', isElsewhere: code >= ELSEWHERE };
  }

  of(seq: number): Replayed | null {
    const about = this.stateOf(seq);
    if (about === null) return null;
    const [n, round] = [this.ns.at(seq), this.rounds.at(seq)];
    const known = this.kept.get(seq);
    const item = this.itemOf(n, round);
    const recorded = item?.recorded ?? null;
    const { context } = this.opened.script;
    return {
      n,
      round,
      state: about.reply,
      comparison: known?.comparison ?? (about.reply === 'same' ? { kind: 'same' } : null),
      recorded:
        recorded === null
          ? null
          : new Facts({
              topology: (version) => context.topology(version),
              config: (version) => context.config(version),
              client: () => undefined,
              slowUs: () => null,
              nowUs: () => 0,
            }).load(recorded),
      expected: item?.expected ?? null,
      reply: known?.reply ?? null,
      route: known?.route ?? null,
    };
  }

  private itemOf(n: number, round: number): ReplayItem | null {
    const items = round === this.round ? this.items : this.opened.script.items(round, this.varies);
    if (items === null) return null;
    for (let i = 0; i < items.length; i++) if (items.seq(i) === n) return items.load(i);
    return null;
  }

  seqOf(n: number): number | null {
    for (let seq = this.ns.length - 1; seq > 0; seq--) if (this.ns.at(seq) === n) return seq;
    return null;
  }

  onChange(each: (seq: number | null) => void): () => void {
    this.changed.add(each);
    return () => this.changed.delete(each);
  }

  private tell(seq: number | null): void {
    for (const each of this.changed) each(seq);
  }

  // ——— playing ———

  begin(): void {
    this.timer = setInterval(() => {
      if (this.state.isPlaying) this.tell(null);
    }, TELL_MS);
    this.timer.unref();
    this.opened
      .run(this.ending.signal)
      .then(async (outcome) => {
        this.outcome = outcome;
        await this.told();
        this.finish();
        this.settle?.resolve();
      })
      .catch((error: unknown) => {
        this.finish();
        this.settle?.reject(error);
      });
  }

  /** Waits until the data plane has told of all that was answered; of what it never heard of, it tells nothing. */
  private async told(): Promise<void> {
    if (this.half.size === 0) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, GRACE_MS);
      this.allKnown = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  private finish(): void {
    this.isOver = true;
    if (this.timer !== null) clearInterval(this.timer);
    this.tell(null);
  }

  play(toDifference = false): void {
    if (this.isOver) return;
    this.stopsAtDifference = toDifference;
    this.isHeld = false;
    this.current?.goOn();
    this.tell(null);
  }

  pause(): void {
    this.stopsAtDifference = false;
    if (this.isOver || this.isHeld) return;
    this.isHeld = true;
    this.current?.hold();
    this.tell(null);
  }

  step(): void {
    this.pause();
    this.current?.allow(1);
    this.tell(null);
  }

  setSpeed(speed: number | 'max'): void {
    this.speed = speed;
    this.current?.setSpeed(speed);
    this.tell(null);
  }

  // ——— the end ———

  /** See `Replaying.end`; may be called again. */
  async end(): Promise<void> {
    this.ending.abort();
    const timer = setTimeout(() => {
      this.cut += this.current?.cut() ?? 0;
    }, GRACE_MS);
    await this.over.catch(() => {});
    clearTimeout(timer);
    await this.opened.close();
    await this.recordings.close();
  }

  /** Ends it where it has not ended; what it came to. Rejects where the servers could not be prepared. */
  async ended(): Promise<Ended> {
    const isEarly = !this.isOver;
    await this.end();
    await this.over;
    const { outcome, opened, cut } = this;
    const { report, script } = opened;
    if (outcome === null) throw new RmtopError('INTERNAL', 'a replay that never ended');
    const of = script.items(1, false).length;
    const left = of * report.round - outcome.sent;
    const early = [
      ...(left > 0 ? [`${left} of ${of * report.round} commands were not sent`] : []),
      ...(cut > 0 ? [`${cut} had no reply yet`] : []),
    ];
    return {
      report,
      outcome,
      script,
      exitCode: exitCodeOf(report, outcome),
      early: isEarly || early.length > 0 ? early.join(', ') : '',
    };
  }
}

function idOf(n: number, round: number): number {
  return round * 2 ** 32 + n;
}

/** Opens the replay of `file`, as flags say; it begins when it is told to. `say` is told what to know beforehand. Throws as `openReplay`. */
export async function watchReplay(
  file: string,
  flags: ReplayFlags,
  label: string,
  say: Say,
): Promise<WatchedReplay> {
  // What is told before there is a replay is told of nothing that is sent.
  const watched: { replay: WatchedReplay | null } = { replay: null };
  const note: Say = (text) =>
    watched.replay === null
      ? say(text)
      : watched.replay.proxy.note('info', text.replace(/^rmtop: /, ''), null);
  const opened = await openReplay(file, flags, {
    say: note,
    began: (...told) => watched.replay?.began(...told),
    answered: (result, _, round) => watched.replay?.answered(result, round),
    routed: (routed) => watched.replay?.routed(routed),
  });
  watched.replay = new WatchedReplay(opened, flags, label);
  return watched.replay;
}
