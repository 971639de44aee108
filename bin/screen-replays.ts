/** Recordings that are sent again from the screen: `r` on one that is open. */
import path from 'node:path';
import { messageOf, RmtopError } from 'rmtop';
import type { Replaying, Replays } from '../ui/replays.js';
import { resolve } from './options.js';
import { REPLAY_DEFAULTS, type ReplayFlags } from './replay/flags.js';
import { replayLines } from './replay/told.js';
import { type WatchedReplay, watchReplay } from './replay/watched.js';

/** How servers are reached: what a replay from the screen takes over of the flags that the screen was started with. */
type ReachFlags = Pick<
  ReplayFlags,
  | 'settings'
  | 'upstream'
  | 'map'
  | 'authFile'
  | 'tlsCa'
  | 'tlsCert'
  | 'tlsKey'
  | 'tlsSkipVerify'
  | 'connectTimeout'
>;

const REACH: readonly (keyof ReachFlags)[] = [
  'settings',
  'map',
  'authFile',
  'tlsCa',
  'tlsCert',
  'tlsKey',
  'tlsSkipVerify',
  'connectTimeout',
];

/** Begins them, and knows what they came to. Writes go to this machine only. */
export class ScreenReplays implements Replays {
  readonly upstream: string;
  private readonly flags: ReachFlags;
  private readonly begun: WatchedReplay[] = [];

  constructor(flags: ReachFlags) {
    this.flags = Object.fromEntries(
      REACH.flatMap((name) => (flags[name] === undefined ? [] : [[name, flags[name]]])),
    ) as ReachFlags;
    this.upstream = flags.upstream ?? this.usual();
  }

  /** What is replayed to where nothing is said: see `--upstream`. */
  private usual(): string {
    try {
      return resolve({ listen: '127.0.0.1:0' }).label;
    } catch {
      return '127.0.0.1:6379';
    }
  }

  check(upstream: string): string | null {
    try {
      resolve({ ...this.flags, upstream, listen: '127.0.0.1:0' });
      return upstream === '' ? 'HOST:PORT' : null;
    } catch (error) {
      return error instanceof RmtopError ? (error.why ?? error.message) : messageOf(error);
    }
  }

  async open(file: string, upstream: string): Promise<Replaying> {
    const told: string[] = [];
    const flags = { ...REPLAY_DEFAULTS, ...this.flags, upstream };
    const label = path.basename(file);
    const replay = await watchReplay(file, flags, label, (text) => told.push(text));
    for (const text of told) replay.proxy.note('info', text.replace(/^rmtop: /, ''), null);
    this.begun.push(replay);
    return replay;
  }

  /** Ends what has not ended; gives what is to be said of all of them when the screen is gone. */
  async close(): Promise<readonly string[]> {
    const lines: string[] = [];
    for (const replay of this.begun) {
      lines.push(`${replay.label} > ${replay.upstream}:`);
      try {
        lines.push(...replayLines(await replay.ended(), 'x1, causal'));
      } catch (error) {
        lines.push(`rmtop: ${messageOf(error)}`);
      }
      lines.push(...replay.recordings.said);
    }
    return lines;
  }
}
