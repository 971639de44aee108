/** What the screen knows of a recording that is sent again, and may do with it. */
import type { Comparison, Facts, ProxyHandle, Redecided, ReplayDiff } from 'rmtop';
import type { Recordings } from './recordings.js';

/** How a reply compares with the recorded one; `open`: there is none yet, `none`: it is not compared. */
export type ReplyState = 'open' | 'same' | 'tolerated' | 'diff' | 'missing' | 'extra' | 'none';

/** A command that was sent again. */
export type Replayed = {
  /** Its number in the recording, and the round it was sent in. */
  readonly n: number;
  readonly round: number;
  readonly state: ReplyState;
  /** Null while there is no reply, and where it is not compared. */
  readonly comparison: Comparison | null;
  /** As it was recorded; null where that is another command than the one that was sent: it had been edited. */
  readonly recorded: Facts | null;
  /** The recorded reply; null: there is none that is whole. */
  readonly expected: Buffer | null;
  /** The whole reply of now; null where it is the recorded one, or too large to be kept. */
  readonly reply: Buffer | null;
  /** What is different about its way; null: it goes where it went. */
  readonly route: Redecided | null;
};

/** How far it is. Times in µs since the recording began, and in ms. */
export type ReplayState = {
  readonly isPlaying: boolean;
  /** Nothing more will be sent. */
  readonly isOver: boolean;
  readonly speed: number | 'max';
  readonly round: number;
  /** In this round, of how many. */
  readonly sent: number;
  readonly of: number;
  readonly atUs: number;
  readonly lastUs: number;
  /** How late the last command was sent, and the latest so far. */
  readonly lateMs: number;
  readonly mostLateMs: number;
  /** Replies, of all rounds. */
  readonly same: number;
  readonly tolerated: number;
  readonly different: number;
  readonly notCompared: number;
  /** Commands that went elsewhere. */
  readonly elsewhere: number;
  /** From which command on servers were gone, and why; null: none was. */
  readonly lost: string | null;
};

/** In the filter's words: how a command differs from what is recorded of it; null: it is none of the recording, or not answered yet. */
export function diffOf(replay: Replaying, seq: number): ReplayDiff | null {
  const about = replay.stateOf(seq);
  if (about === null) return null;
  switch (about.reply) {
    case 'open':
      return null;
    case 'diff':
    case 'missing':
    case 'extra':
      return about.reply;
    default:
      return about.isElsewhere ? 'elsewhere' : 'same';
  }
}

/** A replay that is shown. */
export type Replaying = {
  /** The data plane that it goes through. */
  readonly proxy: ProxyHandle;
  /** What the recording is called, and where it is sent to. */
  readonly label: string;
  readonly upstream: string;
  /** Recordings of what goes through the data plane. */
  readonly recordings: Recordings;
  readonly state: ReplayState;
  /** Numbers, as the data plane gives them, of commands whose reply or way is another, in the order that they were found in. */
  readonly differences: readonly number[];
  /** What command `seq` of the data plane was in the recording; null: it is none of it. */
  of(seq: number): Replayed | null;
  /** The same in a word, for a row; null: none of it. */
  stateOf(seq: number): { readonly reply: ReplyState; readonly isElsewhere: boolean } | null;
  /** The number that the data plane gave command `n` of the recording in the last round; null: it has none yet. */
  seqOf(n: number): number | null;
  /** Calls `each` when anything of this is another; `seq` is the command that more is known of. Gives the way to stop. */
  onChange(each: (seq: number | null) => void): () => void;
  /** Settles when nothing more is sent; rejects with RmtopError where the servers could not be prepared for it. */
  readonly over: Promise<void>;
  begin(): void;
  /** Goes on; with `toDifference` until a reply, or a way, is not as it was recorded: there it pauses. */
  play(toDifference?: boolean): void;
  pause(): void;
  step(): void;
  setSpeed(speed: number | 'max'): void;
  /** Sends no more, waits a moment for what is on its way, and closes the data plane. */
  end(): Promise<void>;
};

/** The way to begin one from the screen. */
export type Replays = {
  /** Where to, unless the user says otherwise. */
  readonly upstream: string;
  /** What is wrong with where to, before anything is tried; null: nothing. */
  check(upstream: string): string | null;
  /** Reads the recording and finds the servers; nothing is sent before it begins. Rejects with RmtopError where that cannot be. */
  open(file: string, upstream: string): Promise<Replaying>;
};
