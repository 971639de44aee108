/** Playing a recording. */
import type { Playback } from 'rmtop';
import type { Command } from '../commands.js';
import type { Model } from '../model.js';
import { jumpTo, playUntil, setSpeed, togglePlay } from '../transport.js';

const NONE = 'only a recording is played: open FILE shows one';

function onPlayback(
  run: (playback: Playback, rest: string, model: Model) => string | null,
): Command['run'] {
  return (model, rest) => (model.playback === null ? NONE : run(model.playback, rest, model));
}

export const playingCommands: readonly Command[] = [
  {
    name: 'play',
    usage: '',
    help: 'play the recording, or pause it',
    alone: true,
    run: onPlayback((playback) => {
      togglePlay(playback);
      return null;
    }),
  },
  {
    name: 'speed',
    usage: 'FACTOR | max',
    help: 'how fast the recording is played',
    alone: false,
    options: () => ['0.1', '0.5', '1', '2', '10', '100', 'max'],
    run: onPlayback(setSpeed),
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
];
