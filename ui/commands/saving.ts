/** Copying and saving. */
import { COPY_FORMS, copyForm, saveForm, saveReply } from '../actions/copy.js';
import type { Command } from '../commands.js';

function formNames(): readonly string[] {
  return COPY_FORMS.map(({ id }) => id);
}

export const savingCommands: readonly Command[] = [
  {
    name: 'copy',
    usage: 'FORM',
    help: 'copy the command in focus, in one of the forms of y',
    alone: false,
    options: formNames,
    run: copyForm,
  },
  {
    name: 'write',
    usage: 'FORM FILE',
    help: 'the same into a new file that only you can read',
    alone: false,
    options: (_, typed) => formNames().map((id) => `${id} ${typed.split(/\s+/)[1] ?? ''}`),
    run: (model, rest) => {
      const [, form = '', file = ''] = /^(\S+)\s*(.*)$/.exec(rest) ?? [];
      return file === '' ? 'write FORM FILE' : saveForm(model, form, file);
    },
  },
  {
    name: 'save-reply',
    usage: 'FILE',
    help: "the reply's bytes into a new file that only you can read",
    alone: false,
    run: saveReply,
  },
];
