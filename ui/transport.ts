/** Playing a recording: what the keys do, and what the header shows of it. */
import path from 'node:path';
import { Facts, type Playback, type PlaybackTarget, parseFilter } from 'rmtop';
import type { Model } from './model.js';
import type { Replaying } from './replays.js';
import { count } from './text/figures.js';

/** What `<` and `>` go through. */
const SPEEDS: readonly (number | 'max')[] = [0.1, 0.25, 0.5, 1, 2, 5, 10, 25, 100, 'max'];
/** Commands that are played between two looks for the one that is wanted. */
const STRIDE = 500;

/** A recording of no more commands than this is played through when it is opened: about a second. */
const READ_WHOLE = 200_000;

/** All of a small recording is counted; of a large one the end is shown at once. */
export async function playToEnd(playback: Playback): Promise<void> {
  if (playback.end.commands > READ_WHOLE) await playback.jump('end');
  else playback.play('max');
}

/** What a recording is called on the screen. */
export function labelOf(files: readonly string[]): string {
  const [first = ''] = files;
  return `${path.basename(first)}${files.length > 1 ? ` +${files.length - 1}` : ''}`;
}

/** What keys say that would change what has happened. */
export const UNCHANGEABLE = 'a recording cannot be changed';

/** A key that plays, a recording or one that is sent again; where neither is shown it says so. */
export function playing(
  act: (playback: Playback, model: Model) => void,
  actAgain: (replay: Replaying, model: Model) => void,
): (model: Model) => void {
  return (model) => {
    if (model.replay !== null) actAgain(model.replay, model);
    else if (model.playback !== null) act(model.playback, model);
    else
      model.toasts.answer(`only a recording is played: ${model.keyOf('open-recording')} opens one`);
  };
}

/** `p`: play and pause; at the end, again from the start. */
export function togglePlay(playback: Playback): void {
  const { playing: isPlaying, atEnd } = playback.state;
  if (isPlaying) playback.pause();
  else if (atEnd) void playback.jump('start').then(() => playback.play(1));
  else playback.play();
}

/** What goes on at a speed: a recording that is played, or sent again. */
type Paced = {
  readonly state: { readonly speed: number | 'max' };
  setSpeed(speed: number | 'max'): void;
};

/** `<` and `>`. */
export function changeSpeed(by: 1 | -1): (played: Paced) => void {
  return (played) => {
    const at = SPEEDS.indexOf(played.state.speed);
    const next = SPEEDS[(at === -1 ? SPEEDS.indexOf(1) : at) + by];
    if (next !== undefined) played.setSpeed(next);
  };
}

/** `x2`, `0.5`, `max`; gives what is wrong instead. */
export function setSpeed(played: Paced, text: string): string | null {
  const speed = text === 'max' ? 'max' : Number(text.replace(/^x/, ''));
  if (speed !== 'max' && !(speed > 0 && speed <= 1000)) return 'a factor from 0.1 to 100, or max';
  played.setSpeed(speed);
  return null;
}

/** `12.5s`, `1:30`, `#120`, `start`, `end`, or null where it is none. */
export function placeOf(text: string): PlaybackTarget | null {
  if (text === 'start' || text === 'end') return text;
  const number = /^#(\d+)$/.exec(text);
  if (number !== null) return { seq: Number(number[1]) };
  const [, minutes = '0', seconds] = /^(?:(\d+):)?(\d+(?:\.\d+)?)s?$/.exec(text) ?? [];
  return seconds === undefined ? null : { atUs: (Number(minutes) * 60 + Number(seconds)) * 1e6 };
}

function enter(model: Model, playback: Playback, place: PlaybackTarget): void {
  model.awaited = typeof place === 'object' && 'seq' in place ? place.seq : null;
  void playback.jump(place);
}

/** Goes to a place; gives what is wrong instead. */
export function jumpTo(model: Model, playback: Playback, text: string): string | null {
  const place = placeOf(text);
  if (place === null) return 'a moment such as 12.5s or 1:30, a number such as #120, start or end';
  enter(model, playback, place);
  return null;
}

/** Plays on until a command fits the filter, and pauses there. Gives what is wrong with the filter instead. */
export function playUntil(model: Model, playback: Playback, text: string): string | null {
  const filter = parseFilter(text);
  if (filter.kind === 'problem') return `${filter.message} at column ${filter.column}`;
  const from = playback.state.seq;
  const { toasts, effects } = model;
  toasts.answer(`looking for ${text} after #${from} ...`);
  const search = async (): Promise<void> => {
    for (let seen = from; ; ) {
      await playback.step(STRIDE);
      const { feed } = model;
      const facts = new Facts(feed);
      for (let i = feed.rows.indexOf(seen + 1); i < feed.rows.length; i++) {
        const row = feed.rows.row(i);
        if (row.kind === 'pending') continue;
        if (!filter.matches(facts.load(row.block.command(row.offset, feed.context)))) continue;
        enter(model, playback, { seq: row.seq });
        return;
      }
      if (playback.state.atEnd) {
        toasts.answer(`no command after #${from} fits ${text}`);
        effects.changed();
        return;
      }
      seen = Math.max(seen, feed.rows.seqAt(feed.rows.length - 1));
    }
  };
  search().catch((error: unknown) => toasts.say('error', String(error), null));
  return null;
}

/** `> 12.4s/60.0s x1`; `||` while it pauses. */
export function transportBar({ state, end }: Playback): string {
  const sign = state.playing ? '>' : state.atEnd ? '[]' : '||';
  const seconds = (us: number): string => `${(us / 1e6).toFixed(1)}s`;
  return `${sign} ${seconds(state.atUs)}/${seconds(end.lastUs)} x${state.speed}`;
}

/** `> 12.4s/60.0s x1 late 0.1ms` of a recording that is sent again; `[]` when all is sent. */
export function replayBar({ state }: Replaying): string {
  const { isOver, isPlaying, atUs, lastUs, speed, lateMs } = state;
  const sign = isOver ? '[]' : isPlaying ? '>' : '||';
  const seconds = (us: number): string => `${(us / 1e6).toFixed(1)}s`;
  const late = speed === 'max' ? '' : ` late ${lateMs.toFixed(lateMs < 10 ? 1 : 0)}ms`;
  return `${sign} ${seconds(atUs)}/${seconds(lastUs)} x${speed}${late}`;
}

/** What figures are of, where they are not of all that came before; `playKey` plays. */
export function sinceText({ state, end }: Playback, playKey: string): string | null {
  if (state.sinceUs === 0) return null;
  return `figures are of what came after ${(state.sinceUs / 1e6).toFixed(1)}s of ${(end.lastUs / 1e6).toFixed(1)}s (${count(end.commands)} commands in all): :jump start, :speed max, ${playKey} for all`;
}
