/** Moving within a pane, and between panes. */

import type { Model } from '../model.js';
import { DETAIL_TABS } from '../panes/detail.js';
import { isLinesPane, PANES, paneOf } from '../panes.js';
import { CELLS } from '../stream/columns.js';
import { columnsOf } from '../stream/draw.js';
import type { Motion } from '../stream/viewport.js';

/** Moves the focus of the stream, or scrolls the pane. */
export function move(motion: Motion): (model: Model) => void {
  return (model) => {
    const pane = paneOf(model.pane);
    if (isLinesPane(pane)) model.scrolls[pane.id].move(motion);
    else model.viewport.move(motion);
  };
}

/** Chooses the column that `*` and `#` act on. */
export function moveCell(by: 1 | -1): (model: Model) => void {
  return (model) => {
    if (model.pane !== 'stream') return;
    const shown = columnsOf(model, model.size.columns).map((column) => column.id);
    const cells = CELLS.filter((id) => shown.includes(id));
    const at = cells.indexOf(model.cell) + by;
    model.cell = cells[Math.max(0, Math.min(cells.length - 1, at))] ?? model.cell;
  };
}

export function nextPane(by: 1 | -1): (model: Model) => void {
  return (model) => {
    const at = PANES.findIndex((pane) => pane.id === model.pane);
    const next = PANES[(at + by + PANES.length) % PANES.length];
    if (next !== undefined) model.show(next.id);
  };
}

/** Opens the focused command. */
export function open(model: Model): void {
  if (model.pane !== 'stream' || model.viewport.focused === null) return;
  model.show('detail');
  model.scrolls.detail.reset();
}

/** Closes what is open; at the root nothing happens. */
export function back(model: Model): boolean {
  if (model.pane === 'stream') return false;
  model.show(model.pane === 'detail' ? model.cameFrom : 'stream');
  return true;
}

/** The previous or next tab of the detail. */
export function nextTab(by: 1 | -1): (model: Model) => void {
  return (model) => {
    if (model.pane !== 'detail') return;
    model.detailTab = (model.detailTab + by + DETAIL_TABS.length) % DETAIL_TABS.length;
    model.scrolls.detail.reset();
  };
}

/** `F`: follow on or off. */
export function toggleFollow(model: Model): void {
  if (model.viewport.follow) model.viewport.stay();
  else model.viewport.move({ kind: 'last' });
}

/** `p`: the screen stands still; traffic goes on. */
export function toggleFreeze(model: Model): void {
  if (model.feed.frozen) model.feed.thaw();
  else model.feed.freeze();
}

/** `0`: everything where it was at the start. */
export function automatic(model: Model): void {
  model.strip = true;
  model.show('stream');
}
