/** What a click and the wheel do. Never needed: each has its key. Off unless asked for, so that the terminal's own selection works. */

import { open } from './actions/move.js';
import { perform } from './commands.js';
import { keyHints, tabSpans } from './components/foot.js';
import { menuTop } from './components/menu.js';
import { bindingOf, doAction } from './keys.js';
import type { Cell, Layout } from './layout.js';
import { menuKey } from './menu.js';
import { MENUS } from './menus.js';
import type { Model } from './model.js';
import { isLinesPane, paneOf } from './panes.js';
import { columnsOf } from './stream/draw.js';
import type { Input } from './terminal/keys.js';

type MouseInput = Extract<Input, { kind: 'mouse' }>;

/** Rows that one turn of the wheel goes. */
const WHEEL_ROWS = 3;

/** Deals with a report about a cell of a screen laid out as `layout`; what it changed can be undone. */
export function point(model: Model, input: MouseInput, layout: Layout): void {
  model.history.look(model);
  pointAt(model, input, layout);
  model.history.look(model);
}

function pointAt(model: Model, { what, x, y }: MouseInput, layout: Layout): void {
  model.inputs++;
  if (layout.kind === 'totals') return;
  const bodyTop = 2 + Number(layout.hasTabs) + layout.filterHelpRows;
  const isBody = y >= bodyTop && y < bodyTop + layout.bodyRows;
  if (model.dialog?.kind === 'menu') {
    if (isBody) pointAtMenu(model, what, y - bodyTop, layout.bodyRows);
    return;
  }
  if (model.dialog !== null || model.filterBar.line !== null) return;
  if (what !== 'click') {
    const cell = isBody ? cellAt(layout.cells, x, y - bodyTop) : undefined;
    if (cell !== undefined) wheel(model, cell, what === 'wheel-up' ? -WHEEL_ROWS : WHEEL_ROWS);
  } else if (layout.hasTabs && y === 1) {
    const tab = tabSpans(model, layout.columns).find((each) => x >= each.from && x < each.to);
    if (tab !== undefined) model.show(tab.pane.id);
  } else if (y === 1 + Number(layout.hasTabs)) doAction(model, 'filter');
  else if (isBody) {
    const cell = cellAt(layout.cells, x, y - bodyTop);
    if (cell !== undefined) clickPane(model, cell, x, y - bodyTop);
  } else if (layout.hasKeyLine && y === layout.rows - 1) {
    const hint = keyHints(model, layout.columns).find((each) => x >= each.from && x < each.to);
    if (hint !== undefined) press(model, hint.name);
  }
}

function press(model: Model, key: string): void {
  bindingOf(model, key)?.run(model);
}

function cellAt(cells: readonly Cell[], x: number, y: number): Cell | undefined {
  return cells.find(
    (cell) => x >= cell.x && x < cell.x + cell.width && y >= cell.y && y < cell.y + cell.height,
  );
}

function wheel(model: Model, { pane }: Cell, by: number): void {
  model.show(pane === 'strip' ? 'stream' : pane);
  for (let i = 0; i < Math.abs(by); i++) doAction(model, by > 0 ? 'next-row' : 'previous-row');
}

function clickPane(model: Model, cell: Cell, x: number, y: number): void {
  const line = y - cell.y - Number(cell.titled);
  if (cell.pane === 'strip') {
    open(model);
    return;
  }
  const wasHere = model.pane === cell.pane;
  model.show(cell.pane);
  if (cell.pane === 'stream') clickStream(model, cell.width, x - cell.x, line, wasHere);
  else clickLines(model, cell, line);
}

/** A head sorts; a row gets the focus, and the one that has it is opened. */
function clickStream(model: Model, width: number, x: number, line: number, wasHere: boolean): void {
  if (line === 0) {
    let at = 0;
    for (const column of columnsOf(model, width)) {
      if (x >= at && x <= at + column.width) {
        if (model.viewport.ordered?.order.column === column.id) doAction(model, 'order-reverse');
        else perform(model, `order ${column.id}`);
        return;
      }
      at += column.width + 1;
    }
    return;
  }
  const row = model.viewport.rows[line - 1];
  if (row === undefined) return;
  const isAgain = wasHere && !model.viewport.follow && model.viewport.focus === row.seq;
  model.viewport.goTo(row.seq);
  if (isAgain) open(model);
}

function clickLines(model: Model, cell: Cell, line: number): void {
  const pane = paneOf(model.pane);
  if (!isLinesPane(pane) || pane.count === undefined) return;
  const edge = cell.x > 0 ? 2 : 0;
  const room = { width: cell.width - edge, height: cell.height - Number(cell.titled) };
  const at = model.scrolls[pane.id].top + line - pane.head(model, room).length;
  if (at >= 0 && at < pane.count(model)) model.setCursor(pane.id, at);
}

function pointAtMenu(model: Model, what: MouseInput['what'], y: number, height: number): void {
  const { dialog } = model;
  if (dialog?.kind !== 'menu') return;
  const menu = MENUS[dialog.id];
  if (what !== 'click') menuKey(model, menu, dialog, what === 'wheel-up' ? 'up' : 'down', '');
  else {
    const count = menu.entries(model, dialog.query.text).length;
    const at = menuTop(dialog, count, height) + y - 2;
    if (y < 2 || at >= count) return;
    dialog.at = at;
    menuKey(model, menu, dialog, 'enter', '');
  }
}
