/**
 * What the keys do: one table, which binds them, fills the line at the bottom and is the help.
 *
 * A key has one meaning in every pane; where it makes no sense it does nothing. Keys of `ux.md` c.2 that are not here have no meaning
 * yet, and must not get another.
 */
import { askClose } from './actions/clients.js';
import { askSaveReply, startCopy, startWrite } from './actions/copy.js';
import { duplicateRule, editRule, removeRule, startFaults } from './actions/faults.js';
import { addCell, editFilter, toggleFilter } from './actions/find.js';
import { openHelp } from './actions/help.js';
import { goBack } from './actions/jumps.js';
import { askNote, toggleOnlyMarked } from './actions/marks.js';
import {
  automatic,
  move,
  moveCell,
  nextArrangement,
  nextPane,
  nextTab,
  open,
  showPane,
  toggleFollow,
  toggleFreeze,
  zoom,
} from './actions/move.js';
import { reverseOrder } from './actions/order.js';
import { backOrQuit, close, interrupt, quit } from './actions/quit.js';
import { askSaveRows, toggleRecording } from './actions/record.js';
import { askFind, findAgain } from './actions/seek.js';
import { performing } from './commands.js';
import { type MenuId, openMenu } from './menu.js';

import type { Model } from './model.js';
import { PANES } from './panes.js';
import { changeSpeed, playing } from './transport.js';

/** In a word or two, for the line at the bottom; empty where the key does nothing now. */
type Hint = string | ((model: Model) => string);

export type Binding = {
  /** As the decoder names them; the first stands for all of them. */
  readonly keys: readonly string[];
  readonly section: string;
  readonly help: string;
  readonly hint?: Hint;
  readonly run: (model: Model) => void;
};

function bind(
  section: string,
  keys: string,
  help: string,
  run: (model: Model) => void,
  hint?: Hint,
): Binding {
  const names = keys.split(' ').map((name) => (name === 'space' ? ' ' : name));
  return { section, keys: names, help, run, ...(hint === undefined ? {} : { hint }) };
}

const rows = (by: number): ((model: Model) => void) => move({ kind: 'rows', by });
const list =
  (id: MenuId): ((model: Model) => void) =>
  (model) =>
    openMenu(model, id);
const pages = (by: number): ((model: Model) => void) => move({ kind: 'pages', by });

export const KEYS: readonly Binding[] = [
  bind('Move', 'j down', 'next row', rows(1), 'move'),
  bind('Move', 'k up', 'previous row; stops following', rows(-1)),
  bind('Move', 'ctrl-d', 'half a page down', pages(0.5)),
  bind('Move', 'ctrl-u', 'half a page up', pages(-0.5)),
  bind('Move', 'ctrl-f pgdn space', 'a page down', pages(1)),
  bind('Move', 'ctrl-b pgup', 'a page up', pages(-1)),
  bind('Move', 'g home', 'first row in memory', move({ kind: 'first' }), 'first'),
  bind('Move', 'G end', 'last row; follows again', move({ kind: 'last' }), 'last'),
  bind('Move', 'h left', 'the column to the left, for * and #; 5 % less on a rule', moveCell(-1)),
  bind('Move', 'l right', 'the column to the right, for * and #; 5 % more on a rule', moveCell(1)),
  bind('Move', 'enter', 'open the focused command', open, 'open'),
  bind('Move', 'esc', 'close, back', close, 'back'),
  bind('Find', '/ f', 'edit the filter; it is in force as you type', editFilter, 'filter'),
  bind('Find', '!', 'filter off and on', toggleFilter),
  bind(
    'Find',
    '*',
    'show only commands like this in the marked column',
    addCell(true),
    'only this',
  ),
  bind('Find', '#', 'hide commands like this in the marked column', addCell(false)),
  bind('Find', '\\', 'find without hiding: a command, or text in the other panes', askFind, 'find'),
  bind('Find', 'n', 'the next that was found', findAgain(1)),
  bind('Find', 'N', 'the one found before', findAgain(-1)),
  bind('Find', 'ctrl-o', 'back to where the last jump began', (model) => goBack(model)),
  bind('Find', 'o', 'order by a column', list('order'), 'order'),
  bind('Find', 'v', 'reverse the order', reverseOrder),
  bind('Find', 'c', 'choose columns', list('columns'), 'columns'),
  bind('Find', 'F', 'follow the newest command on and off', toggleFollow, 'follow'),
  bind(
    'Find',
    'p',
    'freeze the screen, traffic goes on; play and pause a recording',
    toggleFreeze,
    ({ playback }) => (playback === null ? 'freeze' : playback.state.playing ? 'pause' : 'play'),
  ),
  bind(
    'Marks',
    'm',
    'mark the command in focus, or take its mark away',
    performing('mark'),
    'mark',
  ),
  bind('Marks', 'M', 'show only what is marked', toggleOnlyMarked),
  bind(
    'Marks',
    '=',
    'compare the replies of two marks, of a mark and this, or of a copy',
    performing('diff'),
  ),
  bind('Marks', 'U', 'take all marks away', performing('unmark')),
  bind('Marks', ';', 'write a note to the command in focus', askNote),
  ...PANES.map((pane) =>
    bind('Panes', pane.key, `show ${pane.title}; again: it alone`, showPane(pane.id)),
  ),
  bind('Panes', '0', 'back to the usual layout', automatic),
  bind('Panes', 'tab', 'next pane', nextPane(1)),
  bind('Panes', 'shift-tab', 'previous pane', nextPane(-1)),
  bind('Panes', '[', 'previous tab of the pane', nextTab(-1), 'tabs'),
  bind('Panes', ']', 'next tab of the pane', nextTab(1)),
  bind('Panes', '+', 'more room for the pane in focus', zoom(1)),
  bind('Panes', '_', 'less room for the pane in focus', zoom(-1)),
  bind('Panes', '-', 'the next layout', nextArrangement),
  bind(
    'Faults',
    't',
    'faults: then 1-9 toggle, t last, . focused, 0 all off, n new, e edit, l load, s save',
    startFaults,
    'fault',
  ),
  bind('Faults', 'e', 'edit the rule in focus', editRule, 'edit'),
  bind('Faults', 'd', 'remove the rule in focus', removeRule, 'remove'),
  bind('Faults', 'D', 'a copy of the rule in focus', duplicateRule),
  bind('Faults', 'u', 'undo the last change of rules', (model) => model.desk.undo(), 'undo'),
  bind('Faults', 'ctrl-r', 'redo it', (model) => model.desk.undo(true)),
  bind('Clients', 'x', 'close the client in focus in pane 8; asks', askClose, (model) =>
    model.tabOf('conns') === 0 && model.playback === null ? 'close' : '',
  ),
  bind('Copy', 'y', 'copy: a menu, or the URL while nothing has come', startCopy, 'copy'),
  bind('Copy', 'Y', 'the same menu, into a file', startWrite),
  bind(
    'Playing',
    '.',
    'play the next command of the recording',
    playing((each) => void each.step(1)),
  ),
  bind(
    'Playing',
    ',',
    'back by one command',
    playing((each) => void each.step(-1)),
  ),
  bind('Playing', '<', 'play slower', playing(changeSpeed(-1))),
  bind('Playing', '>', 'play faster', playing(changeSpeed(1))),
  bind('Record', 'W', 'record everything from now on, and end that', toggleRecording, 'record'),
  bind('Record', 'w', 'save the commands that are shown as a recording', askSaveRows),
  bind('Copy', 'b', "save the reply's bytes to a file", askSaveReply),
  bind('Screen', ': ctrl-p', 'everything by name: the palette', list('palette'), 'all'),
  bind('Screen', '@', 'what was done, as lines that do it again', list('did')),
  bind('Screen', 'O', 'options: theme, symbols, mouse, time', list('options')),
  bind('Screen', 'E', 'what happened: pane 9', (model) => model.show('log')),
  bind('Screen', '?', 'this help; ? again: the filter language', openHelp, 'help'),
  bind('Screen', 'H', 'show and hide the line of keys', (model) => {
    model.keyLine = !model.keyLine;
  }),
  bind('Screen', 'ctrl-l', 'paint everything again', (model) => model.effects.repaint()),
  bind('Screen', 'ctrl-z', 'does not suspend: that would stop your traffic', (model) =>
    model.toasts.answer('rmtop does not suspend: that would stop your traffic'),
  ),
  bind('Screen', 'q', 'close; at the root: quit, after asking', backOrQuit, 'quit'),
  bind('Screen', 'Q', 'quit now', quit, 'quit'),
  bind('Screen', 'ctrl-c', 'twice: quit', interrupt),
];

const BY_NAME: ReadonlyMap<string, Binding> = new Map(
  KEYS.flatMap((binding) => binding.keys.map((name) => [name, binding] as const)),
);

export function bindingOf(key: string): Binding | undefined {
  return BY_NAME.get(key);
}

/** A key as people write it. */
export function shownKey(name: string): string {
  const known: Readonly<Record<string, string>> = {
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
  return known[name] ?? name;
}
