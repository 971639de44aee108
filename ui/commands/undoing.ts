/** Taking changes back, and doing them again. */
import type { Command } from '../commands.js';

export const undoingCommands: readonly Command[] = [
  {
    name: 'undo',
    usage: '',
    help: 'take back the last change of rules, filter or options',
    alone: true,
    run: (model) => model.history.undo(model),
  },
  {
    name: 'redo',
    usage: '',
    help: 'do again what was taken back',
    alone: true,
    run: (model) => model.history.redo(model),
  },
];
