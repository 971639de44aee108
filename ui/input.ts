/** What an input does: it goes to the dialog that is open, else to the filter being typed, else to the keys. */
import { pickCopy } from './actions/copy.js';
import { pickFault } from './actions/faults.js';
import { promptKey, promptPaste } from './actions/prompt.js';
import { answerQuit, interrupt } from './actions/quit.js';
import { helpEntries } from './help-entries.js';
import { bindingOf } from './keys.js';
import type { Dialog, Model } from './model.js';
import type { Input } from './terminal/keys.js';
import { editLine, insert } from './text/line-edit.js';

/** Deals with one input of the user. */
export function act(model: Model, input: Input): void {
  if (input.kind === 'paste') paste(model, input.text);
  if (input.kind !== 'key') return;
  const { name, text } = input;
  model.inputs++;
  model.toasts.seen();
  if (name === 'ctrl-c') {
    interrupt(model);
    return;
  }
  const { dialog } = model;
  const isTyping =
    dialog?.kind === 'help' || dialog?.kind === 'prompt' || model.filterBar.line !== null;
  if (name.startsWith('alt-') && !isTyping) {
    // No key here has Alt: over a slow line, Esc and the key after it come in one piece and look like this.
    const after = name.slice('alt-'.length);
    act(model, { kind: 'key', name: 'esc', text: '' });
    act(model, { kind: 'key', name: after, text: after.length === 1 ? after : '' });
    return;
  }
  if (dialog?.kind === 'quit') answerQuit(model, name);
  else if (dialog?.kind === 'copy') pickCopy(model, name);
  else if (dialog?.kind === 'fault') pickFault(model, name);
  else if (dialog?.kind === 'prompt') promptKey(model, dialog, name, text);
  else if (dialog?.kind === 'help') helpKey(model, dialog, name, text);
  else if (model.filterBar.line !== null) model.filterBar.press(name, text);
  else bindingOf(name)?.run(model);
}

/** Pasted text is text: it never runs keys. */
function paste(model: Model, text: string): void {
  if (model.dialog?.kind === 'help') model.dialog.query = insert(model.dialog.query, text);
  else if (model.dialog?.kind === 'prompt') promptPaste(model.dialog, text);
  else if (model.dialog === null) model.filterBar.paste(text);
}

const HELP_PAGE = 10;

function helpKey(
  model: Model,
  dialog: Extract<Dialog, { kind: 'help' }>,
  name: string,
  text: string,
): void {
  const entries = helpEntries(dialog);
  const to = (at: number): void => {
    dialog.at = Math.max(0, Math.min(entries.length - 1, at));
  };
  switch (name) {
    case 'esc':
      model.dialog = null;
      return;
    case 'enter': {
      const entry = entries[dialog.at];
      if (entry?.run == null) return;
      model.dialog = null;
      entry.run(model);
      return;
    }
    case 'down':
      to(dialog.at + 1);
      return;
    case 'up':
      to(dialog.at - 1);
      return;
    case 'pgdn':
      to(dialog.at + HELP_PAGE);
      return;
    case 'pgup':
      to(dialog.at - HELP_PAGE);
      return;
    case '?':
      if (dialog.query.text === '') {
        const topic = dialog.topic === 'keys' ? 'filter' : 'keys';
        model.dialog = { kind: 'help', topic, query: dialog.query, at: 0 };
        return;
      }
  }
  const edited = editLine(dialog.query, name, text);
  if (edited === null) return;
  dialog.query = edited;
  dialog.at = 0;
}
