/** Playing a recording. */
import type { Playback } from 'rmtop';
import {
  askReplay,
  beginReplay,
  goToDifference,
  goToRecorded,
  toggleReplay,
} from '../actions/replay.js';
import type { Command } from '../commands.js';
import type { Model } from '../model.js';
import type { Replaying } from '../replays.js';
import { jumpTo, playUntil, setSpeed, togglePlay } from '../transport.js';

const NONE = 'only a recording is played: open FILE shows one';
const AHEAD = 'a replay goes forward only: difference leads to what is not as recorded';

function onPlayback(
  run: (playback: Playback, rest: string, model: Model) => string | null,
  again: (replay: Replaying, rest: string, model: Model) => string | null = () => AHEAD,
): Command['run'] {
  return (model, rest) => {
    if (model.replay !== null) return again(model.replay, rest, model);
    return model.playback === null ? NONE : run(model.playback, rest, model);
  };
}

export const playingCommands: readonly Command[] = [
  {
    name: 'play',
    usage: '',
    help: 'play the recording or the replay, or pause it',
    alone: true,
    run: onPlayback(
      (playback) => {
        togglePlay(playback);
        return null;
      },
      (replay, _, model) => {
        toggleReplay(replay, model);
        return null;
      },
    ),
  },
  {
    name: 'speed',
    usage: 'FACTOR | max',
    help: 'how fast the recording is played, or sent again',
    alone: false,
    options: () => ['0.1', '0.5', '1', '2', '10', '100', 'max'],
    run: onPlayback(setSpeed, setSpeed),
  },
  {
    name: 'jump',
    usage: '12.5s | #120 | start | end',
    help: 'go to a moment or a command of the recording',
    alone: false,
    options: () => ['start', 'end'],
    run: onPlayback((playback, rest, model) => jumpTo(model, playback, rest)),
  },
  {
    name: 'until',
    usage: 'EXPR',
    help: 'play the recording until a command fits the filter',
    alone: false,
    options: () => ['err', 'diff', 'fault', 'refused'],
    run: onPlayback((playback, rest, model) => playUntil(model, playback, rest)),
  },
  {
    name: 'replay',
    usage: '[HOST:PORT]',
    help: 'send the opened recording again, and compare; asks',
    alone: true,
    run: (model, rest) => {
      if (rest !== '') return beginReplay(model, rest);
      askReplay(model);
      return null;
    },
    silent: true,
  },
  {
    name: 'difference',
    usage: '[next | previous | #1042]',
    help: 'in a replay: what is not as recorded; #: a command by its number in the recording',
    alone: true,
    options: () => ['next', 'previous'],
    run: (model, rest) => {
      const { replay } = model;
      if (replay === null) return 'only a replay has differences: replay HOST:PORT begins one';
      const number = /^#?(\d+)$/.exec(rest)?.[1];
      if (number !== undefined) return goToRecorded(model, replay, Number(number));
      if (!['', 'next', 'previous'].includes(rest)) return 'next, previous, or #1042';
      goToDifference(model, replay, rest === 'previous' ? -1 : 1);
      return null;
    },
    silent: true,
  },
];
