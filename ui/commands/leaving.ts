/** Showing something else for a while: a recording, a shell. What was shown goes on behind it. */
import { leaveRecording, openRecording, recordingsAt } from '../actions/open.js';
import type { Command } from '../commands.js';

export const leavingCommands: readonly Command[] = [
  {
    name: 'open',
    usage: 'FILE',
    help: 'show a recording; the proxy goes on, and Esc leads back',
    alone: false,
    options: (_, typed) => recordingsAt(typed),
    run: openRecording,
  },
  {
    name: 'live',
    usage: '',
    help: 'back from a recording that was opened here',
    alone: true,
    run: (model) => {
      if (leaveRecording(model)) return null;
      return model.playback === null && model.replay === null
        ? 'this is the live traffic'
        : 'there is no live traffic here';
    },
    silent: true,
  },
  {
    name: 'shell',
    usage: '',
    help: 'your shell, with REDIS_URL set to the proxy, which goes on; exit leads back',
    alone: true,
    run: (model) => model.effects.shell(),
  },
];
