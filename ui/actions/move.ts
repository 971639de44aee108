/** Moving within a pane, and between panes. */

import { ARRANGEMENTS, type Zoom } from '../layout.js';
import type { Model, PaneId } from '../model.js';
import { isLinesPane, type LinesPane, PANES, paneOf } from '../panes.js';
import { CELLS } from '../stream/columns.js';
import { columnsOf } from '../stream/draw.js';
import { isSummedUp } from '../stream/summary.js';
import type { Motion } from '../stream/viewport.js';
import { togglePlay } from '../transport.js';
import { changePercent } from './faults.js';
import { showInStream } from './find.js';
import { keepPlace } from './jumps.js';
import { orderByArrival } from './order.js';
import { toggleReplay } from './replay.js';

/** Moves the focus of the stream, or scrolls the pane. */
export function move(motion: Motion): (model: Model) => void {
  return (model) => {
    const pane = paneOf(model.pane);
    if (!isLinesPane(pane)) {
      if (motion.kind === 'first' || motion.kind === 'last') keepPlace(model);
      model.viewport.move(motion);
    } else if ((pane.count?.(model) ?? 0) === 0) model.scrolls[pane.id].move(motion);
    else moveCursor(model, pane, motion);
  };
}

const PAGE = 10;

/** Moves the focus of a list. At its end it scrolls on, for there may be more than items. */
function moveCursor(model: Model, pane: LinesPane, motion: Motion): void {
  const count = pane.count?.(model) ?? 0;
  const at = model.cursorOf(pane.id, count);
  const by =
    motion.kind === 'rows'
      ? motion.by
      : motion.kind === 'pages'
        ? Math.round(motion.by * PAGE)
        : motion.kind === 'first'
          ? -count
          : count;
  model.setCursor(pane.id, Math.max(0, Math.min(count - 1, at + by)));
}

/** Chooses the column that `*` and `#` act on. */
export function moveCell(by: 1 | -1): (model: Model) => void {
  return (model) => {
    if (model.pane === 'faults') changePercent(model, 5 * by);
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

/** A number key: shows that pane; again: alone on the screen; once more: among the others. */
export function showPane(id: PaneId): (model: Model) => void {
  return (model) => {
    if (model.pane === id) model.zoom = model.zoom === 'full' ? 'normal' : 'full';
    else model.show(id);
  };
}

const ZOOMS: readonly Zoom[] = ['normal', 'half', 'full'];

/** `+` and `_`: more or less room for the pane in focus. */
export function zoom(by: 1 | -1): (model: Model) => void {
  return (model) => {
    const at = ZOOMS.indexOf(model.zoom) + by;
    // The stream has its half already.
    const next = ZOOMS[Math.max(0, Math.min(ZOOMS.length - 1, at))] ?? 'normal';
    model.zoom = next === 'half' && model.pane === 'stream' ? (by > 0 ? 'full' : 'normal') : next;
  };
}

/** `-`: the next arrangement of the panes. */
export function nextArrangement(model: Model): void {
  const at = ARRANGEMENTS.indexOf(model.arrangement);
  model.arrangement = ARRANGEMENTS[(at + 1) % ARRANGEMENTS.length] ?? 'auto';
  model.zoom = 'normal';
  model.toasts.answer(
    `layout: ${model.arrangement}   (${model.keyOf('next-layout')} next, ${model.keyOf('layout-auto')} automatic)`,
  );
}

/** Opens the focused command, or what the pane has in focus. */
export function open(model: Model): void {
  const pane = paneOf(model.pane);
  if (isLinesPane(pane)) {
    if (pane.open !== undefined) pane.open(model);
    else showInStream(model);
    return;
  }
  if (model.viewport.focused === null) return;
  model.show('detail');
  model.scrolls.detail.reset();
}

/** Closes what is open; at the root nothing happens. */
export function back(model: Model): boolean {
  if (model.pane === 'stream') return false;
  model.show(model.pane === 'detail' ? model.cameFrom : 'stream');
  return true;
}

/** The previous or next tab of the pane. */
export function nextTab(by: 1 | -1): (model: Model) => void {
  return (model) => {
    const pane = paneOf(model.pane);
    if (!isLinesPane(pane) || pane.tabs === undefined) return;
    model.tabs[pane.id] = (model.tabOf(pane.id) + by + pane.tabs.length) % pane.tabs.length;
    model.scrolls[pane.id].reset();
  };
}

/** `F`: follow on or off; where the stream is summed up, single rows again. */
export function toggleFollow(model: Model): void {
  if (isSummedUp(model)) model.feed.overload.dismiss();
  else if (model.viewport.follow) model.viewport.stay();
  else {
    orderByArrival(model);
    model.viewport.move({ kind: 'last' });
  }
}

/** `p`: the screen stands still; traffic goes on. */
export function toggleFreeze(model: Model): void {
  if (model.replay !== null && !model.replay.state.isOver) {
    toggleReplay(model.replay, model);
    return;
  }
  if (model.playback !== null) {
    togglePlay(model.playback);
    return;
  }
  if (model.feed.frozen) model.feed.thaw();
  else model.feed.freeze();
}

/** `0`: everything where it was at the start. */
export function automatic(model: Model): void {
  model.arrangement = 'auto';
  model.zoom = 'normal';
  model.show('stream');
}
