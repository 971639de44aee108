/** Recording and saving rows. */
import { saveRows, startRecording, stopRecording } from '../actions/record.js';
import type { Command } from '../commands.js';

export const recordingCommands: readonly Command[] = [
  {
    name: 'record',
    usage: 'start [FILE] | stop',
    help: 'record everything from now on, or end that',
    alone: false,
    options: () => ['start', 'stop'],
    run: (model, rest) => {
      const [, verb = '', file = ''] = /^(\S+)\s*(.*)$/s.exec(rest) ?? [];
      if (verb === 'start') return startRecording(model, file);
      return verb === 'stop' ? stopRecording(model) : 'start [FILE], or stop';
    },
  },
  {
    name: 'save',
    usage: '[FILE]',
    help: 'the rows that are shown, into a recording',
    alone: true,
    run: saveRows,
  },
];
