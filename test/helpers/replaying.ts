/** A replay over a stream without sockets: what came of each command is what the test says. */
import { type Comparison, Facts, type Redecided, StreamContext } from 'rmtop';
import type { Replayed, Replaying, ReplayState, ReplyState } from '../../ui/replays.js';
import { type Said, TestStream } from './stream.js';

/** What came of a command: as it was recorded, unless something else is said. */
export type Came = {
  readonly comparison?: Comparison;
  readonly route?: Redecided;
  /** What was recorded, where that is not what came. */
  readonly recorded?: Said;
};

export class TestReplay implements Replaying {
  readonly label = 'session.rmtop';
  readonly upstream = '127.0.0.1:7001';
  readonly over: Promise<void> = new Promise(() => {});
  readonly differences: number[] = [];
  readonly proxy: TestStream;
  /** What keys did. */
  readonly did: string[] = [];
  state: ReplayState = {
    isPlaying: false,
    isOver: false,
    speed: 1,
    round: 1,
    sent: 0,
    of: 40,
    atUs: 0,
    lastUs: 60_000_000,
    lateMs: 0.4,
    mostLateMs: 8,
    same: 0,
    tolerated: 0,
    different: 0,
    notCompared: 0,
    elsewhere: 0,
    lost: null,
  };
  readonly recordings: Replaying['recordings'] = {
    now: null,
    name: () => 'test.rmtop',
    start: (file) => file,
    stop: () => Promise.resolve('nothing'),
    save: () => Promise.resolve('nothing'),
  };
  private readonly known = new Map<number, Replayed>();
  private readonly changed = new Set<(seq: number | null) => void>();

  constructor(stream: TestStream) {
    this.proxy = stream;
  }

  /** A command is sent, and answered. */
  send(said: Said, { comparison = { kind: 'same' }, route, recorded = said }: Came = {}): void {
    const seq = this.proxy.command(said);
    this.proxy.flush();
    const context = new StreamContext();
    const other = new TestStream();
    let facts: Facts | null = null;
    for (const event of other.events(() => other.command({ ...recorded, seq: seq + 100 })))
      if (event.type === 'command') facts = new Facts(worldOf(context)).load(event);
      else context.learn(event);
    const state: ReplyState = comparison.kind;
    this.known.set(seq, {
      n: seq + 100,
      round: 1,
      state,
      comparison,
      recorded: facts,
      expected: Buffer.from(recorded.reply ?? '+OK\r\n'),
      reply: Buffer.from(said.reply ?? '+OK\r\n'),
      route: route ?? null,
    });
    const isOther = state !== 'same' && state !== 'tolerated';
    if (isOther || route !== undefined) this.differences.push(seq);
    const { same, tolerated, different, elsewhere, sent } = this.state;
    this.set(
      {
        sent: sent + 1,
        atUs: seq * 1_000_000,
        same: same + Number(state === 'same'),
        tolerated: tolerated + Number(state === 'tolerated'),
        different: different + Number(isOther),
        elsewhere: elsewhere + Number(route !== undefined),
      },
      seq,
    );
  }

  /** The replay is further, or another way it is. */
  set(state: Partial<ReplayState>, seq: number | null = null): void {
    this.state = { ...this.state, ...state };
    for (const each of this.changed) each(seq);
  }

  of(seq: number): Replayed | null {
    return this.known.get(seq) ?? null;
  }

  stateOf(seq: number): ReturnType<Replaying['stateOf']> {
    const known = this.known.get(seq);
    return known === undefined ? null : { reply: known.state, isElsewhere: known.route !== null };
  }

  seqOf(n: number): number | null {
    return this.known.has(n - 100) ? n - 100 : null;
  }

  onChange(each: (seq: number | null) => void): () => void {
    this.changed.add(each);
    return () => this.changed.delete(each);
  }

  begin(): void {
    this.did.push('begin');
  }

  play(): void {
    this.did.push('play');
    this.set({ isPlaying: true });
  }

  pause(): void {
    this.did.push('pause');
    this.set({ isPlaying: false });
  }

  step(): void {
    this.did.push('step');
  }

  setSpeed(speed: number | 'max'): void {
    this.set({ speed });
  }

  end(): Promise<void> {
    this.did.push('end');
    return Promise.resolve();
  }
}

function worldOf(context: StreamContext): ConstructorParameters<typeof Facts>[0] {
  return {
    topology: (version) => context.topology(version),
    config: (version) => context.config(version),
    client: () => undefined,
    slowUs: () => null,
    nowUs: () => 0,
  };
}
