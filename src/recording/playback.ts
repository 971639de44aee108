/**
 * A recording as a source of the same events as a live proxy: played at a speed, paused, stepped through, entered at any moment.
 *
 * A jump makes a new source, for what readers have counted so far is of another moment. It begins with the state there and the commands
 * that led up to it, at most `LEAD_BYTES` of lines: what is counted since `since` is exact.
 */
import type { MeshConfig } from '../mesh/config.js';
import { singleUpstreamConfig } from '../mesh/config.js';
import { RecordedCommand } from './command.js';
import type { FileIndex } from './file-index.js';
import { PlaybackSource } from './playback-source.js';
import {
  openPlaylist,
  type Place,
  type PlaybackTarget,
  type Playlist,
  timeOf,
} from './playlist.js';
import type { Entry } from './reader.js';
import type { ReplayClock } from './replay-pace.js';

/** Where a playback stands. */
export type PlaybackState = {
  readonly playing: boolean;
  /** Factor of the recorded speed; 'max': as fast as it goes. */
  readonly speed: number | 'max';
  /** µs since the recording began, and the number of the last command. */
  readonly atUs: number;
  readonly seq: number;
  /** From when on counts are exact; 0 where all of it was played. */
  readonly sinceUs: number;
  readonly atEnd: boolean;
};

/** What is played before the place of a jump, in bytes of the file: about 25,000 commands, a quarter of a second. */
const LEAD_BYTES = 4 * 1024 * 1024;
/** How far after its neighbours a command is looked for, in entries. */
const MOST_PAST = 20_000;
/** How many entries are handed out before others get their turn. */
const TURN = 500;
/** While it waits for the next event the position is told this often. */
const TELL_MS = 100;

/** One recording, or the parts of one, being played. Created by `openPlayback`. */
export class Playback {
  /** The events from here on; another after each jump. */
  source: PlaybackSource;
  private readonly list: Playlist;
  private readonly clock: ReplayClock;
  private readonly jumped = new Set<(source: PlaybackSource) => void>();
  private readonly changed = new Set<(state: PlaybackState) => void>();
  private entries: AsyncGenerator<Entry[]> | null = null;
  private waiting: readonly Entry[] = [];
  private next = 0;
  private isPlaying = false;
  private speed: number | 'max' = 1;
  private atUs = 0;
  private seq = 0;
  private sinceUs = 0;
  private atEnd = false;
  /** Moment of the recording, and of the clock, that playing counts from. */
  private anchor = { atUs: 0, nowMs: 0 };
  private wake: () => void = () => {};
  /** Jumps and steps one after another; what they wait for is the one before. */
  private turn: Promise<void> = Promise.resolve();
  private closed = false;

  constructor(list: Playlist, clock: ReplayClock) {
    this.list = list;
    this.clock = clock;
    this.source = new PlaybackSource(list.header, startConfig(list), () => this.atUs);
  }

  /** The last moment of the recording in µs, its highest number, and how many commands it has. */
  get end(): Pick<FileIndex, 'lastUs' | 'lastSeq' | 'commands'> {
    return this.list.end;
  }

  get state(): PlaybackState {
    const { isPlaying: playing, speed, atUs, seq, sinceUs, atEnd } = this;
    return { playing, speed, atUs, seq, sinceUs, atEnd };
  }

  /** Calls `each` whenever the state changes; while playing ten times a second. Gives the way to stop. */
  onChange(each: (state: PlaybackState) => void): () => void {
    this.changed.add(each);
    return () => this.changed.delete(each);
  }

  /** Calls `each` with the new source of a jump, before its first event. Gives the way to stop. */
  onJump(each: (source: PlaybackSource) => void): () => void {
    this.jumped.add(each);
    return () => this.jumped.delete(each);
  }

  /** Goes on at `speed`, or at the one before. */
  play(speed: number | 'max' = this.speed): void {
    this.setSpeed(speed);
    if (this.isPlaying || this.closed) return;
    this.isPlaying = true;
    this.anchorHere();
    this.inTurn(() => this.run());
    this.tell();
  }

  pause(): void {
    if (!this.isPlaying) return;
    this.isPlaying = false;
    this.wake();
    this.tell();
  }

  setSpeed(speed: number | 'max'): void {
    this.speed = speed;
    this.anchorHere();
    this.wake();
    this.tell();
  }

  /** Pauses and goes on by `count` commands; negative: back. */
  async step(count = 1): Promise<void> {
    this.pause();
    if (count < 0) return this.jump({ seq: Math.max(0, this.seq + count) });
    await this.inTurn(async () => {
      for (let left = count; left > 0; ) {
        const entry = await this.take();
        if (entry === null) break;
        if (entry.event?.type === 'command') left--;
      }
      this.source.flush();
    });
    this.tell();
  }

  /** Goes there. It settles when everything up to there has been handed out; playing goes on. */
  async jump(target: PlaybackTarget): Promise<void> {
    const wasPlaying = this.isPlaying;
    this.pause();
    await this.inTurn(() => this.enter(target));
    this.tell();
    if (wasPlaying) this.play();
  }

  /** Closes the file. */
  async close(): Promise<void> {
    this.closed = true;
    this.pause();
    await this.turn;
    await this.entries?.return(undefined);
    await this.list.close();
  }

  private inTurn(work: () => Promise<void>): Promise<void> {
    const turn = this.turn.then(() => (this.closed ? undefined : work()));
    this.turn = turn.catch(() => {});
    return turn;
  }

  private tell(): void {
    for (const each of this.changed) each(this.state);
  }

  private anchorHere(): void {
    this.anchor = { atUs: this.atUs, nowMs: this.clock.nowMs() };
  }

  private async run(): Promise<void> {
    for (let handed = 1; this.isPlaying; handed++) {
      const entry = await this.peek();
      if (entry === null) {
        this.isPlaying = false;
        break;
      }
      const waitMs = this.dueMs(timeOf(entry));
      if (waitMs > 0) {
        this.source.flush();
        await this.sleep(Math.min(waitMs, TELL_MS));
        this.atUs = Math.min(timeOf(entry), Math.max(this.atUs, this.nowUs()));
        this.tell();
        continue;
      }
      await this.take();
      if (handed % TURN === 0) await this.yield();
    }
    this.source.flush();
    this.tell();
  }

  /** How long until `atUs` has come. */
  private dueMs(atUs: number): number {
    if (this.speed === 'max') return 0;
    const { anchor, clock } = this;
    return (atUs - anchor.atUs) / 1000 / this.speed - (clock.nowMs() - anchor.nowMs);
  }

  private nowUs(): number {
    const { anchor, clock, speed } = this;
    return speed === 'max'
      ? this.atUs
      : anchor.atUs + (clock.nowMs() - anchor.nowMs) * 1000 * speed;
  }

  private sleep(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.clock.after(ms, resolve);
      this.wake = () => {
        cancel();
        resolve();
      };
    });
  }

  /** Others get their turn, and those that must not lose anything catch up. */
  private async yield(): Promise<void> {
    this.source.flush();
    this.tell();
    do await new Promise((resolve) => setImmediate(resolve));
    while (this.source.congested && !this.closed);
  }

  /** The next entry, left where it is; null at the end. */
  private async peek(): Promise<Entry | null> {
    while (this.next >= this.waiting.length) {
      this.entries ??= this.list.from(this.list.start);
      const { done, value } = await this.entries.next();
      if (done) {
        this.atEnd = true;
        return null;
      }
      this.waiting = value;
      this.next = 0;
    }
    this.atEnd = false;
    return this.waiting[this.next] ?? null;
  }

  /** Hands the next entry out; null at the end. */
  private async take(): Promise<Entry | null> {
    const entry = await this.peek();
    if (entry === null) return null;
    this.next++;
    this.source.hand(entry);
    if (entry.event instanceof RecordedCommand) this.seq = entry.event.seq;
    this.atUs = Math.max(this.atUs, timeOf(entry));
    return entry;
  }

  private async enter(target: PlaybackTarget): Promise<void> {
    const place: Place = this.list.before(target, LEAD_BYTES);
    await this.entries?.return(undefined);
    this.entries = this.list.from(place);
    this.waiting = [];
    this.next = 0;
    this.seq = place.mark.seq;
    this.atUs = place.mark.atUs;
    this.sinceUs = place.mark.atUs;
    this.source = new PlaybackSource(this.list.header, this.source.config, () => this.atUs);
    for (const each of this.jumped) each(this.source);
    await this.reach(target);
    this.source.flush();
  }

  /** Hands out everything up to `target`. */
  private async reach(target: PlaybackTarget): Promise<void> {
    if (target === 'start') return;
    if (target !== 'end' && 'seq' in target) return this.reachCommand(target.seq);
    const toUs = target === 'end' ? Number.POSITIVE_INFINITY : target.atUs;
    for (let handed = 1; !this.closed; handed++) {
      const entry = await this.peek();
      if (entry === null || timeOf(entry) > toUs) break;
      await this.take();
      if (handed % TURN === 0) await this.yield();
    }
    if (target !== 'end') this.atUs = Math.max(0, Math.min(target.atUs, this.end.lastUs));
  }

  /** Numbers are of arrival, lines of completion: others may stand before it. One that is not recorded stands where it would have. */
  private async reachCommand(seq: number): Promise<void> {
    if (seq <= 0) return;
    let pastUs: number | null = null;
    for (let handed = 1, past = 0; !this.closed && past < MOST_PAST; handed++) {
      const event = (await this.take())?.event;
      if (event === undefined) break;
      if (event?.type === 'command') {
        if (event.seq === seq) return;
        if (event.seq > seq) pastUs ??= event.atUs + event.durationUs;
      }
      if (pastUs !== null) past++;
      if (handed % TURN === 0) await this.yield();
    }
    if (pastUs !== null) await this.enter({ atUs: pastUs });
  }
}

function startConfig({ header }: Playlist): MeshConfig {
  return singleUpstreamConfig([typeof header.up === 'string' ? header.up : '127.0.0.1:6379']);
}

/** Opens the recording `files`, the parts of one in their order, before its first event. Throws what opening one throws. */
export async function openPlayback(
  files: readonly string[],
  clock: ReplayClock,
): Promise<Playback> {
  return new Playback(await openPlaylist(files), clock);
}
