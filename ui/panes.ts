/** The panes, in the order of their number keys. A new one is a file in `panes/`, an id in `model.ts` and a line here. */
import type { Action } from './key-table.js';
import type { Model, PaneId } from './model.js';
import { connsPane } from './panes/conns.js';
import { detailPane } from './panes/detail.js';
import { faultsPane } from './panes/faults.js';
import { hotPane } from './panes/hot.js';
import { logPane } from './panes/log.js';
import { mirrorPane } from './panes/mirror.js';
import { slotsPane } from './panes/slots.js';
import { statsPane } from './panes/stats.js';

/** The room a pane has, in cells. */
export type Room = { readonly width: number; readonly height: number };

/** A pane of lines. The stream is the one that is none: see `stream/`. */
export type LinesPane = {
  readonly id: Exclude<PaneId, 'stream'>;
  readonly title: string;
  /** Lines that stay when the others scroll. */
  readonly head: (model: Model, room: Room) => readonly string[];
  readonly lines: (model: Model, room: Room) => readonly string[];
  /** How many of its first lines are items that can have the focus; with none, or where this is missing, keys scroll. */
  readonly count?: (model: Model) => number;
  /** The filter that fits the item in focus: what `*` and `#` add. */
  readonly condition?: (model: Model) => string | null;
  /** What Enter does with the item in focus; where this is missing, it shows the commands of its condition in the stream. */
  readonly open?: (model: Model) => void;
  /** What `[` and `]` go through. */
  readonly tabs?: readonly string[];
  /** What its key line names first, by what the keys do. */
  readonly hints: readonly Action[];
};

export type Pane =
  | LinesPane
  | {
      readonly id: 'stream';
      readonly title: string;
      readonly hints: readonly Action[];
    };

export function isLinesPane(pane: Pane): pane is LinesPane {
  return pane.id !== 'stream';
}

/** Panes that are read: `/` finds in them. */
const TEXT: readonly PaneId[] = ['detail', 'log'];

export function isTextPane(id: PaneId): boolean {
  return TEXT.includes(id);
}

export const PANES: readonly Pane[] = [
  {
    id: 'stream',
    title: 'Stream',
    hints: [
      'open',
      'filter',
      'faults',
      'copy',
      'follow',
      'only-this',
      'record',
      'freeze',
      'replay',
      'find',
      'palette',
      'help',
      'back-or-quit',
    ],
  },
  detailPane,
  slotsPane,
  mirrorPane,
  faultsPane,
  statsPane,
  hotPane,
  connsPane,
  logPane,
];

export function paneOf(id: PaneId): Pane {
  const pane = PANES.find((each) => each.id === id);
  if (pane === undefined) throw new RangeError(`no pane ${id}`);
  return pane;
}
