/**
 * The keys by what they do: names, help, and which keys do it unless the user's settings say otherwise. Data only, so that settings can
 * be checked against it before there is a screen; `keys.ts` says how each is done.
 *
 * A key has one meaning in every pane; where it makes no sense it does nothing. Keys of `ux.md` c.2 that are not here have no meaning
 * yet, and must not get another.
 */
import { nearest } from 'rmtop';

/** By section, in the order of the help: `[action, its keys, help, hint]`; the hint is for the line of keys, empty where it has none. */
export const KEY_TABLE = {
  Move: [
    ['next-row', 'j down', 'next row', 'move'],
    ['previous-row', 'k up', 'previous row; stops following', ''],
    ['half-page-down', 'ctrl-d', 'half a page down', ''],
    ['half-page-up', 'ctrl-u', 'half a page up', ''],
    ['page-down', 'ctrl-f pgdn space', 'a page down', ''],
    ['page-up', 'ctrl-b pgup', 'a page up', ''],
    ['first-row', 'g home', 'first row in memory', 'first'],
    ['last-row', 'G end', 'last row; follows again', 'last'],
    ['left', 'h left', 'the column to the left, for * and #; 5 % less on a rule', ''],
    ['right', 'l right', 'the column to the right, for * and #; 5 % more on a rule', ''],
    ['open', 'enter', 'open the command in focus; a list: its commands', 'open'],
    ['close', 'esc', 'close, back', 'back'],
  ],
  Find: [
    ['filter', '/ f', 'filter, in force as you type; finds in Detail, Log', 'filter'],
    ['filter-toggle', '!', 'filter off and on', ''],
    ['only-this', '*', 'show only commands like this in the marked column', 'only this'],
    ['hide-this', '#', 'hide commands like this in the marked column', ''],
    ['find', '\\', 'find without hiding: a command, or text in the other panes', 'find'],
    ['find-next', 'n', 'the next that was found; in a replay, the next difference', ''],
    ['find-previous', 'N', 'the one found before; in a replay, the difference before', ''],
    ['jump-back', 'ctrl-o', 'back to where the last jump began', ''],
    ['order', 'o', 'order by a column', 'order'],
    ['order-reverse', 'v', 'reverse the order', ''],
    ['columns', 'c', 'choose columns', 'columns'],
    ['follow', 'F', 'follow the newest command on and off', 'follow'],
    ['clear', 'z', 'clear the list; asks', ''],
    ['clear-hidden', 'Z', 'clear what the filter hides; asks', ''],
    [
      'freeze',
      'p',
      'freeze the screen, traffic goes on; play and pause a recording, or a replay',
      '',
    ],
  ],
  Marks: [
    ['mark', 'm', 'mark the command in focus, or take its mark away', 'mark'],
    ['only-marked', 'M', 'show only what is marked', ''],
    [
      'compare',
      '=',
      'compare the replies of two marks, of a mark and this, of a copy, or of a replay',
      '',
    ],
    ['unmark-all', 'U', 'take all marks away', ''],
    ['note', ';', 'write a note to the command in focus', ''],
  ],
  Panes: [
    ['show-stream', '1', 'show Stream; again: it alone', ''],
    ['show-detail', '2', 'show Detail; again: it alone', ''],
    ['show-slots', '3', 'show Slots; again: it alone', ''],
    ['show-mirror', '4', 'show Mirror; again: it alone', ''],
    ['show-faults', '5', 'show Faults; again: it alone', ''],
    ['show-stats', '6', 'show Stats; again: it alone', ''],
    ['show-hot', '7', 'show Hot; again: it alone', ''],
    ['show-conns', '8', 'show Conns; again: it alone', ''],
    ['show-log', '9', 'show Log; again: it alone', ''],
    ['layout-auto', '0', 'back to the usual layout', ''],
    ['next-pane', 'tab', 'next pane', ''],
    ['previous-pane', 'shift-tab', 'previous pane', ''],
    ['previous-tab', '[', 'previous tab of the pane', 'tabs'],
    ['next-tab', ']', 'next tab of the pane', ''],
    ['zoom-in', '+', 'more room for the pane in focus', ''],
    ['zoom-out', '_', 'less room for the pane in focus', ''],
    ['next-layout', '-', 'the next layout', ''],
  ],
  Faults: [
    [
      'faults',
      't',
      'faults: then 1-9 toggle, t last, . focused, 0 all off, n new, e edit, l load, s save',
      'fault',
    ],
    ['edit', 'e', 'edit the rule in focus', 'edit'],
    ['remove', 'd', 'remove the rule in focus; in the stream: the row', 'remove'],
    ['duplicate', 'D', 'a copy of the rule in focus', ''],
    ['undo', 'u', 'undo the last change of rules, filter or options', 'undo'],
    ['redo', 'ctrl-r', 'do again what was undone', ''],
  ],
  Clients: [['close-client', 'x', 'close the client in focus in pane 8; asks', '']],
  Copy: [
    ['copy', 'y', 'copy: a menu, or the URL while nothing has come', 'copy'],
    ['copy-to-file', 'Y', 'the same menu, into a file', ''],
    ['save-reply', 'b', "save the reply's bytes to a file", ''],
  ],
  Playing: [
    ['open-recording', 'L', 'open a recording; what is shown goes on behind it', ''],
    ['replay', 'r', 'send the opened recording again, to servers that are asked for; asks', ''],
    ['step', '.', 'play the next command of the recording; in a replay, send it', ''],
    ['step-back', ',', 'back by one command', ''],
    ['slower', '<', 'play slower', ''],
    ['faster', '>', 'play faster', ''],
  ],
  Record: [
    ['record', 'W', 'record everything from now on, and end that', 'record'],
    ['save-rows', 'w', 'save the commands that are shown as a recording', ''],
  ],
  Screen: [
    ['palette', ': ctrl-p', 'everything by name: the palette', 'all'],
    ['done', '@', 'what was done, as lines that do it again', ''],
    ['options', 'O', 'options: theme, symbols, mouse, time', ''],
    ['bindings', 'K', 'which keys do what: give an action another key', ''],
    ['log', 'E', 'what happened: pane 9', ''],
    ['help', '? f1', 'this help; ? again: the filter language', 'help'],
    ['key-line', 'H', 'show and hide the line of keys', ''],
    ['repaint', 'ctrl-l', 'paint everything again', ''],
    ['suspend', 'ctrl-z', 'does not suspend: that would stop your traffic; :shell', ''],
    ['back-or-quit', 'q', 'close; at the root: quit, after asking', 'quit'],
    ['quit', 'Q', 'quit now', 'quit'],
    ['interrupt', 'ctrl-c', 'twice: quit', ''],
  ],
} as const;

/** What a key can do. */
export type Action = (typeof KEY_TABLE)[keyof typeof KEY_TABLE][number][0];

/** One action with the keys that do it, as the decoder names them; the first stands for all of them. */
export type KeyRow = {
  readonly action: Action;
  readonly section: string;
  readonly keys: readonly string[];
  readonly help: string;
  readonly hint: string;
};

/** The table as it is built in. */
export const KEY_ROWS: readonly KeyRow[] = Object.entries(KEY_TABLE).flatMap(([section, rows]) =>
  rows.map(([action, keys, help, hint]) => ({
    action,
    section,
    keys: keys.split(' ').map((name) => (name === 'space' ? ' ' : name)),
    help,
    hint,
  })),
);

/** The keys that a user wants instead: all of an action's, by the action's name. */
export type KeyChoices = ReadonlyMap<Action, readonly string[]>;

/** Keys that stay what they are, for without them nobody would find the way out. */
const FIXED: readonly Action[] = ['interrupt'];

const NAMED: Readonly<Record<string, string>> = {
  ' ': 'space',
  enter: 'Enter',
  esc: 'Esc',
  tab: 'Tab',
  'shift-tab': 'shift-Tab',
  pgdn: 'PgDn',
  pgup: 'PgUp',
  home: 'Home',
  end: 'End',
};

/** F1 to F12: some terminals keep a few for themselves. */
const FUNCTION_KEYS = Array.from({ length: 12 }, (_, i) => `f${i + 1}`);

const MOTIONS = 'up down left right home end pgup pgdn insert delete';

/** Every key with a name that a terminal sends as one; letters and signs are their own names. */
const NAMES: ReadonlySet<string> = new Set([
  ...Object.keys(NAMED),
  ...MOTIONS.split(' ').flatMap((name) => ['', 'ctrl-', 'shift-'].map((with_) => with_ + name)),
  ...FUNCTION_KEYS,
  'backspace',
  'ctrl-space',
  ...[...'abcdefgklnopqrstuvwxyz'].map((letter) => `ctrl-${letter}`),
]);

/** What a terminal sends for these is another key, which is therefore the one to name. */
const SAME_AS: Readonly<Record<string, string>> = {
  'ctrl-i': 'tab',
  'ctrl-m': 'enter',
  'ctrl-j': 'enter',
  'ctrl-h': 'backspace',
  'ctrl-[': 'esc',
};

/** A key as people write it. */
export function shownKey(name: string): string {
  return NAMED[name] ?? (FUNCTION_KEYS.includes(name) ? name.toUpperCase() : name);
}

/** What is wrong, and a word about what to write instead; empty where there is none. */
export type KeyProblem = { readonly problem: string; readonly next: string };

/** A key as people write it → its name; or why it is none. */
export function keyNamed(text: string): string | KeyProblem {
  if ([...text].length === 1 && !/[\x00-\x1f\x7f]/.test(text)) return text;
  const name = text.toLowerCase();
  if (name === 'space') return ' ';
  if (NAMES.has(name)) return name;
  const same = SAME_AS[name];
  if (same !== undefined)
    return { problem: `${name} is ${shownKey(same)} to a terminal`, next: shownKey(same) };
  if (name.startsWith('alt-'))
    return { problem: `${name}: alt is Esc and another key to many terminals`, next: 'ctrl-' };
  const near = nearest(name, ['space', ...NAMES]);
  return { problem: `there is no key ${text}`, next: near === null ? '' : shownKey(near) };
}

/** An action by its name; or that there is none, and which one is near. */
export function actionNamed(text: string): Action | KeyProblem {
  const row = KEY_ROWS.find(({ action }) => action === text);
  if (row !== undefined && FIXED.includes(row.action))
    return { problem: `${text} has its key for good: there must be a way out`, next: '' };
  if (row !== undefined) return row.action;
  const near = nearest(
    text,
    KEY_ROWS.map(({ action }) => action),
  );
  return { problem: `no key does ${text}`, next: near ?? '' };
}

/** The table with the user's keys in it. */
export function chosenRows(choices: KeyChoices): readonly KeyRow[] {
  return KEY_ROWS.map((row) => ({ ...row, keys: choices.get(row.action) ?? row.keys }));
}

const BY_ACTION: ReadonlyMap<Action, KeyRow> = new Map(KEY_ROWS.map((row) => [row.action, row]));

/** The first key of an action as people write it, for texts that name it; `:` where it has none: the palette can do it. */
export function keyIn(choices: KeyChoices, action: Action): string {
  const keys = choices.get(action) ?? BY_ACTION.get(action)?.keys;
  return shownKey(keys?.[0] ?? ':');
}

/** The first choice that takes a key which does something else; null: each key does one thing. */
export function conflictIn(
  choices: KeyChoices,
): (KeyProblem & { readonly action: Action; readonly key: string }) | null {
  const rows = chosenRows(choices);
  for (const [action, keys] of choices)
    for (const key of keys) {
      const other = rows.find((row) => row.action !== action && row.keys.includes(key));
      if (other === undefined) continue;
      const problem = `${shownKey(key)} is the key of ${other.action} (${other.help})`;
      const next = FIXED.includes(other.action) ? '' : `${other.action}: another key`;
      return { action, key, problem, next };
    }
  return null;
}
