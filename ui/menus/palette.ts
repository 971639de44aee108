/** `:`: everything that can be done, by name; with what may follow a name, when one is typed. */
import { COMMANDS, type Command, commandOf, perform } from '../commands.js';
import { type Menu, type MenuDialog, type MenuEntry, setQuery } from '../menu.js';
import type { Model } from '../model.js';

/** The palette; `keys` gives the keys with what they do. */
export function makePalette(keys: (model: Model) => readonly MenuEntry[]): Menu {
  return {
    title: () => ':',
    hint: 'Enter does it   Tab completes   ctrl-r earlier lines',
    entries: (model, query) => entriesFor(model, query, keys(model)),
    enter,
    press: (model, dialog, key, entry) => {
      if (key === 'tab') {
        if (entry !== undefined) take(dialog, completionOf(dialog.query.text, entry));
        return true;
      }
      if (key !== 'ctrl-r') return false;
      recall(model, dialog);
      return true;
    },
  };
}

/** `theme li` → the command and what was typed after it; null while its name is not whole. */
function begun(query: string): { readonly command: Command; readonly rest: string } | null {
  const [, name = '', rest = ''] = /^\s*(\S+)\s(.*)$/s.exec(query) ?? [];
  const command = commandOf(name.toLowerCase());
  return command === undefined ? null : { command, rest: rest.trimStart() };
}

function entriesFor(model: Model, query: string, keys: readonly MenuEntry[]): readonly MenuEntry[] {
  const line = begun(query);
  if (line !== null) {
    const { command, rest } = line;
    const options = command.options?.(model, rest) ?? [];
    const entry = (left: string): MenuEntry => ({ section: '', left, right: '', run: null });
    return options
      .filter((option) => option.toLowerCase().startsWith(rest.toLowerCase()))
      .map((option) => entry(`${command.name} ${option}`));
  }
  const commands = COMMANDS.map(
    (command): MenuEntry => ({
      section: 'Command',
      left: `${command.name} ${command.usage}`.trim(),
      right: command.help,
      run: null,
    }),
  );
  return ranked([...commands, ...keys], query);
}

/** Those that fit, best first: whose name begins so, who have all the words, who have the letters in this order. */
function ranked(all: readonly MenuEntry[], query: string): readonly MenuEntry[] {
  const wanted = query.trim().toLowerCase();
  if (wanted === '') return all;
  const words = wanted.split(/\s+/);
  const letters = [...wanted.replaceAll(' ', '')];
  const rank = ({ left, right, section }: MenuEntry): number => {
    const name = left.toLowerCase();
    const text = `${name} ${right} ${section}`.toLowerCase();
    if (section === 'Command' && name.startsWith(wanted)) return 0;
    if (words.every((word) => text.includes(` ${word}`) || text.startsWith(word))) return 1;
    if (words.every((word) => text.includes(word))) return 2;
    return isWithin(letters, name) ? 3 : 4;
  };
  return all
    .map((entry, i) => ({ entry, i, rank: rank(entry) }))
    .filter((each) => each.rank < 4)
    .sort((a, b) => a.rank - b.rank || a.i - b.i)
    .map(({ entry }) => entry);
}

function isWithin(letters: readonly string[], text: string): boolean {
  let at = -1;
  return letters.every((letter) => {
    at = text.indexOf(letter, at + 1);
    return at !== -1;
  });
}

/** What Tab makes of the line. */
function completionOf(query: string, entry: MenuEntry): string {
  if (begun(query) !== null) return entry.left;
  const name = entry.left.split(' ')[0] ?? '';
  return entry.section === 'Command' ? `${name} ` : query;
}

function take(dialog: MenuDialog, text: string): void {
  setQuery(dialog, { text, cursor: text.length });
}

function enter(model: Model, dialog: MenuDialog, entry: MenuEntry | undefined): void {
  const { text } = dialog.query;
  const line = begun(text);
  if (line !== null) {
    // What was typed counts, unless another line was chosen, or it is only the begin of one.
    const isChosen = dialog.at > 0 && entry !== undefined;
    if (isChosen) runs(model, dialog, entry.left);
    else if (!runs(model, dialog, text) && entry !== undefined && entry.left !== text.trim())
      runs(model, dialog, entry.left);
    return;
  }
  if (commandOf(text.trim().toLowerCase())?.alone === true) runs(model, dialog, text);
  else if (entry === undefined) dialog.note = 'there is nothing like that';
  else if (entry.section !== 'Command') {
    model.dialog = null;
    entry.run?.(model);
  } else {
    const name = entry.left.split(' ')[0] ?? '';
    if (commandOf(name)?.usage === '') runs(model, dialog, name);
    else take(dialog, `${name} `);
  }
}

/** Does what `text` says; where something is wrong with it, that is said, and the palette stays. */
function runs(model: Model, dialog: MenuDialog, text: string): boolean {
  model.dialog = null;
  const problem = perform(model, text);
  if (problem === null) {
    const { typed } = model;
    if (typed[0] !== text) typed.unshift(text);
    return true;
  }
  model.dialog = dialog;
  dialog.note = problem;
  return false;
}

/** The line before the one that is there. */
function recall(model: Model, dialog: MenuDialog): void {
  const { typed } = model;
  const older = typed[typed.indexOf(dialog.query.text) + 1];
  if (older !== undefined) take(dialog, older);
}
