/** How what the keys do is done. Which key does what is in `key-table.ts`, and in the user's settings. */
import { askClear, removeFocused } from './actions/clear.js';
import { askClose } from './actions/clients.js';
import { askSaveReply, startCopy, startWrite } from './actions/copy.js';
import { duplicateRule, editRule, startFaults } from './actions/faults.js';
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
import { askOpen } from './actions/open.js';
import { reverseOrder } from './actions/order.js';
import { backOrQuit, close, interrupt, quit } from './actions/quit.js';
import { askSaveRows, toggleRecording } from './actions/record.js';
import { askReplay, nextFound, refuseBack, stepReplay } from './actions/replay.js';
import { askFind } from './actions/seek.js';
import { performing } from './commands.js';
import { type Action, chosenRows, type KeyChoices, type KeyRow } from './key-table.js';
import { type MenuId, openMenu } from './menu.js';
import type { Model, PaneId } from './model.js';
import { isTextPane } from './panes.js';
import { changeSpeed, playing } from './transport.js';

/** One action with its keys, as they are now. */
export type Binding = KeyRow & { readonly run: (model: Model) => void };

const rows = (by: number): ((model: Model) => void) => move({ kind: 'rows', by });
const list =
  (id: MenuId): ((model: Model) => void) =>
  (model) =>
    openMenu(model, id);
const pages = (by: number): ((model: Model) => void) => move({ kind: 'pages', by });

const RUN: Readonly<Record<Action, (model: Model) => void>> = {
  'next-row': rows(1),
  'previous-row': rows(-1),
  'half-page-down': pages(0.5),
  'half-page-up': pages(-0.5),
  'page-down': pages(1),
  'page-up': pages(-1),
  'first-row': move({ kind: 'first' }),
  'last-row': move({ kind: 'last' }),
  left: moveCell(-1),
  right: moveCell(1),
  open,
  close,
  filter: editFilter,
  'filter-toggle': toggleFilter,
  'only-this': addCell(true),
  'hide-this': addCell(false),
  find: askFind,
  'find-next': nextFound(1),
  'find-previous': nextFound(-1),
  'jump-back': (model) => goBack(model),
  order: list('order'),
  'order-reverse': reverseOrder,
  columns: list('columns'),
  follow: toggleFollow,
  clear: askClear('all'),
  'clear-hidden': askClear('hidden'),
  freeze: toggleFreeze,
  mark: performing('mark'),
  'only-marked': toggleOnlyMarked,
  compare: performing('diff'),
  'unmark-all': performing('unmark'),
  note: askNote,
  'show-stream': showPane('stream'),
  'show-detail': showPane('detail'),
  'show-slots': showPane('slots'),
  'show-mirror': showPane('mirror'),
  'show-faults': showPane('faults'),
  'show-stats': showPane('stats'),
  'show-hot': showPane('hot'),
  'show-conns': showPane('conns'),
  'show-log': showPane('log'),
  'layout-auto': automatic,
  'next-pane': nextPane(1),
  'previous-pane': nextPane(-1),
  'previous-tab': nextTab(-1),
  'next-tab': nextTab(1),
  'zoom-in': zoom(1),
  'zoom-out': zoom(-1),
  'next-layout': nextArrangement,
  faults: startFaults,
  edit: editRule,
  remove: removeFocused,
  duplicate: duplicateRule,
  undo: performing('undo'),
  redo: performing('redo'),
  'close-client': askClose,
  copy: startCopy,
  'copy-to-file': startWrite,
  'save-reply': askSaveReply,
  'open-recording': askOpen,
  replay: askReplay,
  step: playing((each) => void each.step(1), stepReplay),
  'step-back': playing((each) => void each.step(-1), refuseBack),
  slower: playing(changeSpeed(-1), changeSpeed(-1)),
  faster: playing(changeSpeed(1), changeSpeed(1)),
  record: toggleRecording,
  'save-rows': askSaveRows,
  palette: list('palette'),
  done: list('did'),
  options: list('options'),
  bindings: list('bindings'),
  log: (model) => model.show('log'),
  help: openHelp,
  'key-line': (model) => {
    model.keyLine = !model.keyLine;
  },
  repaint: (model) => model.effects.repaint(),
  suspend: (model) =>
    model.toasts.answer('rmtop does not suspend, that would stop your traffic: use :shell'),
  'back-or-quit': backOrQuit,
  quit,
  interrupt,
};

/** Panes where Enter shows an item's commands. */
const LISTS: readonly PaneId[] = ['slots', 'hot', 'conns'];

/** Where one gets from a recording that was opened from the screen; null: this is none, or there is a pane to close first. */
function wayBack({ behind, pane }: Model): string | null {
  if (behind === null || pane !== 'stream') return null;
  const { playback, replay } = behind();
  return playback === null && replay === null ? 'live' : 'back';
}

/** Where the word in the line of keys depends on what is going on. */
const HINTS: Partial<Record<Action, (model: Model) => string>> = {
  open: ({ pane }) => (LISTS.includes(pane) ? 'its commands' : 'open'),
  filter: (model) => (isTextPane(model.pane) ? 'find' : 'filter'),
  // What has happened is not changed, nor recorded again.
  faults: ({ playback }) => (playback === null ? 'fault' : ''),
  record: ({ playback }) => (playback === null ? 'record' : ''),
  freeze: ({ playback, replay }) => {
    if (replay !== null && !replay.state.isOver) return replay.state.isPlaying ? 'pause' : 'play';
    if (playback === null) return 'freeze';
    return playback.state.playing ? 'pause' : 'play';
  },
  step: ({ replay }) => (replay === null || replay.state.isOver ? '' : 'step'),
  'find-next': ({ replay }) => (replay === null ? '' : 'next difference'),
  replay: ({ playback, effects }) =>
    playback === null || effects.replays === null ? '' : 'replay',
  close: (model) => wayBack(model) ?? 'back',
  'back-or-quit': (model) => wayBack(model) ?? 'quit',
  'close-client': (model) => (model.tabOf('conns') === 0 && model.playback === null ? 'close' : ''),
};

function bindings(choices: KeyChoices): readonly Binding[] {
  return chosenRows(choices).map((row) => ({ ...row, run: RUN[row.action] }));
}

/** The keys as they are built in. */
export const KEYS: readonly Binding[] = bindings(new Map());

/** What the keys of one user do. */
type Keymap = {
  readonly all: readonly Binding[];
  readonly byKey: ReadonlyMap<string, Binding>;
  readonly byAction: ReadonlyMap<Action, Binding>;
};

const keymaps = new WeakMap<KeyChoices, Keymap>();

function keymapOf(choices: KeyChoices): Keymap {
  const known = keymaps.get(choices);
  if (known !== undefined) return known;
  const all = bindings(choices);
  const made: Keymap = {
    all,
    byKey: new Map(all.flatMap((each) => each.keys.map((name) => [name, each] as const))),
    byAction: new Map(all.map((each) => [each.action, each])),
  };
  keymaps.set(choices, made);
  return made;
}

/** All that keys do here, in the order of the help. */
export function bindingsOf(model: Model): readonly Binding[] {
  return keymapOf(model.keyChoices).all;
}

/** What a key does. */
export function bindingOf(model: Model, key: string): Binding | undefined {
  return keymapOf(model.keyChoices).byKey.get(key);
}

/** Does what an action's keys do, whichever they are. */
export function doAction(model: Model, action: Action): void {
  RUN[action](model);
}

/** The first key of an action and the word for it in the line of keys; null where it has none of either. */
export function keyHint(
  model: Model,
  action: Action,
): { readonly name: string; readonly hint: string } | null {
  const binding = keymapOf(model.keyChoices).byAction.get(action);
  const name = binding?.keys[0];
  const hint = HINTS[action]?.(model) ?? binding?.hint ?? '';
  return name === undefined || hint === '' ? null : { name, hint };
}
