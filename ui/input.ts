/** What an input does: it goes to the dialog that is open, else to the filter being typed, else to the keys. */
import { answerClear } from './actions/clear.js';
import { answerClose } from './actions/clients.js';
import { pickFault } from './actions/faults.js';
import { promptKey, promptPaste } from './actions/prompt.js';
import { answerQuit, interrupt } from './actions/quit.js';
import { answerReplay } from './actions/replay.js';
import { bindLine } from './commands/keys.js';
import { perform } from './commands.js';
import type { Action } from './key-table.js';
import { bindingOf } from './keys.js';
import { menuKey, menuPaste, openMenu } from './menu.js';
import { MENUS } from './menus.js';
import type { Model } from './model.js';
import type { Input } from './terminal/keys.js';

/** Deals with one input of the user; what it changed can be undone. */
export function act(model: Model, input: Input): void {
  model.history.look(model);
  deal(model, input);
  model.history.look(model);
}

function deal(model: Model, input: Input): void {
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
    dialog?.kind === 'menu' || dialog?.kind === 'prompt' || model.filterBar.line !== null;
  if (name.startsWith('alt-') && !isTyping) {
    // No key here has Alt: over a slow line, Esc and the key after it come in one piece and look like this.
    const after = name.slice('alt-'.length);
    deal(model, { kind: 'key', name: 'esc', text: '' });
    deal(model, { kind: 'key', name: after, text: after.length === 1 ? after : '' });
    return;
  }
  if (dialog?.kind === 'quit') answerQuit(model, name);
  else if (dialog?.kind === 'close') answerClose(model, dialog.connection, name);
  else if (dialog?.kind === 'replay') answerReplay(model, dialog, name);
  else if (dialog?.kind === 'clear') answerClear(model, dialog.which, name);
  else if (dialog?.kind === 'fault') pickFault(model, name);
  else if (dialog?.kind === 'bind') pickKey(model, dialog.action, name);
  else if (dialog?.kind === 'prompt') promptKey(model, dialog, name, text);
  else if (dialog?.kind === 'menu') menuKey(model, MENUS[dialog.id], dialog, name, text);
  else if (model.filterBar.line !== null) model.filterBar.press(name, text);
  else bindingOf(model, name)?.run(model);
}

/** The key after Enter in the list of keys: it does `action` from now on, unless it does something already, which is said. */
function pickKey(model: Model, action: Action, key: string): void {
  openMenu(model, 'bindings', action);
  const problem = key === 'esc' ? null : perform(model, bindLine(action, key));
  if (problem !== null && model.dialog?.kind === 'menu') model.dialog.note = problem;
}

/** Pasted text is text: it never runs keys. */
function paste(model: Model, text: string): void {
  if (model.dialog?.kind === 'menu') menuPaste(model.dialog, text);
  else if (model.dialog?.kind === 'prompt') promptPaste(model.dialog, text);
  else if (model.dialog === null) model.filterBar.paste(text);
}
