/** A list over the panes that is searched by typing: the help, the palette, and whatever else is chosen from. */
import type { Dialog, Model } from './model.js';
import { EMPTY_LINE, editLine, insert, type LineEdit } from './text/line-edit.js';

/** One line. `run` does what it says, where that can be done. */
export type MenuEntry = {
  readonly section: string;
  readonly left: string;
  readonly right: string;
  readonly run: ((model: Model) => void) | null;
};

/** Which list: what is in it is found in `menus.ts`. */
export type MenuId =
  | 'keys'
  | 'filter-help'
  | 'palette'
  | 'order'
  | 'columns'
  | 'bindings'
  | 'copy'
  | 'write'
  | 'options'
  | 'did';

export type MenuDialog = Extract<Dialog, { kind: 'menu' }>;

/** What a list is made of. */
export type Menu = {
  readonly title: (model: Model) => string;
  /** Whether what is typed searches it; it does where this is missing. */
  readonly typed?: false;
  /** What its special keys do, for the line of keys. */
  readonly hint: string;
  /** The lines that fit what is typed. */
  readonly entries: (model: Model, query: string) => readonly MenuEntry[];
  /** What Enter does, where it is more than the entry's `run`. */
  readonly enter?: (model: Model, dialog: MenuDialog, entry: MenuEntry | undefined) => void;
  /** A key that means something here; false: it does not, and types or moves. */
  readonly press?: (
    model: Model,
    dialog: MenuDialog,
    key: string,
    entry: MenuEntry | undefined,
  ) => boolean;
};

/** Opens list `id`, with `text` typed. */
export function openMenu(model: Model, id: MenuId, text = ''): void {
  const query = text === '' ? EMPTY_LINE : { text, cursor: text.length };
  model.dialog = { kind: 'menu', id, query, at: 0, note: '' };
}

/** The entries all of whose words are typed. */
export function fitting(all: readonly MenuEntry[], query: string): readonly MenuEntry[] {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean);
  return all.filter(({ section, left, right }) => {
    const text = `${section} ${left} ${right}`.toLowerCase();
    return words.every((word) => text.includes(word));
  });
}

const PAGE = 10;

const STEPS: Readonly<Record<string, number>> = {
  down: 1,
  up: -1,
  'ctrl-n': 1,
  'ctrl-p': -1,
  pgdn: PAGE,
  pgup: -PAGE,
};

/** A key while the list is open. */
export function menuKey(
  model: Model,
  menu: Menu,
  dialog: MenuDialog,
  key: string,
  typed: string,
): void {
  const entries = menu.entries(model, dialog.query.text);
  const entry = entries[dialog.at];
  if (menu.press?.(model, dialog, key, entry)) return;
  const step = STEPS[key];
  if (step !== undefined) {
    dialog.at = Math.max(0, Math.min(entries.length - 1, dialog.at + step));
  } else if (key === 'esc') model.dialog = null;
  else if (key === 'enter') enter(model, menu, dialog, entry);
  else {
    const edited = editLine(dialog.query, key, typed);
    if (edited !== null) setQuery(dialog, edited);
  }
}

function enter(model: Model, menu: Menu, dialog: MenuDialog, entry: MenuEntry | undefined): void {
  if (menu.enter !== undefined) {
    menu.enter(model, dialog, entry);
    return;
  }
  if (entry?.run == null) return;
  model.dialog = null;
  entry.run(model);
}

/** Text pasted into the list's search. */
export function menuPaste(dialog: MenuDialog, text: string): void {
  setQuery(dialog, insert(dialog.query, text));
}

/** Types `line` instead of what is typed. */
export function setQuery(dialog: MenuDialog, line: LineEdit): void {
  if (line.text !== dialog.query.text) {
    dialog.at = 0;
    dialog.note = '';
  }
  dialog.query = line;
}
