import type { Cell } from '../layout.js';
import type { Model } from '../model.js';
import { isLinesPane, type LinesPane, paneOf, type Room } from '../panes.js';
import { streamLines, stripLines } from '../stream/draw.js';
import { fitStyled, widthOf } from '../text/fit.js';
import { plain } from '../text/styles.js';

/** The lines of `cells`, which tile a region of `width` times `height`. */
export function cellsLines(
  model: Model,
  cells: readonly Cell[],
  width: number,
  height: number,
): string[] {
  const all = cells.map((cell) => ({ cell, lines: cellLines(model, cell) }));
  const byX = all.sort((a, b) => a.cell.x - b.cell.x);
  return Array.from({ length: height }, (_, y) => {
    let line = '';
    let at = 0;
    for (const { cell, lines } of byX) {
      if (y < cell.y || y >= cell.y + cell.height) continue;
      line += fitStyled(lines[y - cell.y] ?? '', cell.width);
      at = cell.x + cell.width;
    }
    return at < width ? line + ' '.repeat(width - at) : line;
  });
}

function cellLines(model: Model, cell: Cell): readonly string[] {
  const { look } = model;
  // A pane that is not at the left edge has a line at its own.
  const edge = cell.x > 0 ? 2 : 0;
  const width = cell.width - edge;
  const height = cell.height - (cell.titled ? 1 : 0);
  const content = contentLines(model, cell, width, height);
  const lines = cell.titled ? [titleLine(model, cell, width), ...content] : [...content];
  if (edge === 0) return lines;
  const bar = look.theme.paint('dim', look.unicode ? '│ ' : '| ');
  return Array.from({ length: cell.height }, (_, i) => bar + (lines[i] ?? ''));
}

function contentLines(model: Model, cell: Cell, width: number, height: number): readonly string[] {
  if (cell.pane === 'stream') return streamLines(model, width, height);
  if (cell.pane === 'strip') return stripLines(model, width, height);
  const pane = paneOf(cell.pane);
  if (!isLinesPane(pane)) return [];
  const { head, lines, cursor } = drawn(model, pane, { width, height });
  const scroll = model.scrolls[pane.id];
  const shown = scroll.view(lines, height - head.length, cursor);
  const found = scroll.found === null ? -1 : scroll.found - scroll.top;
  const { theme } = model.look;
  return [...head, ...shown.map((line, i) => (i === found ? theme.reverse(plain(line)) : line))];
}

/** Figures that change with every command are for reading, not for watching: such panes are drawn anew twice a second, or at a key. */
const PANE_MS = 500;

type Drawn = {
  readonly head: readonly string[];
  readonly lines: readonly string[];
  readonly cursor: number | null;
};

const kept = new WeakMap<Model, Map<string, { key: string; ms: number; drawn: Drawn }>>();

function drawn(model: Model, pane: LinesPane, room: Room): Drawn {
  const own = kept.get(model) ?? new Map();
  kept.set(model, own);
  const key = [room.width, room.height, model.inputs, model.look.theme.name].join();
  const nowMs = performance.now();
  const known = own.get(pane.id);
  // The detail is of the focused command, and follows it; it remembers itself.
  if (pane.id !== 'detail' && known?.key === key && nowMs - known.ms < PANE_MS) return known.drawn;
  const made: Drawn = {
    head: pane.head(model, room),
    lines: pane.lines(model, room),
    cursor: cursorIn(model, pane),
  };
  own.set(pane.id, { key, ms: nowMs, drawn: made });
  return made;
}

/** The item in focus; none where there are no items: such lines scroll. */
function cursorIn(model: Model, pane: LinesPane): number | null {
  const count = pane.count?.(model) ?? 0;
  return count === 0 ? null : model.cursorOf(pane.id, count);
}

function titleLine(model: Model, cell: Cell, width: number): string {
  const { look } = model;
  if (cell.pane === 'strip') return '';
  const pane = paneOf(cell.pane);
  const where = isLinesPane(pane) ? model.scrolls[pane.id].position : '';
  const name = ` ${model.keyOf(`show-${pane.id}`)} ${pane.title} `;
  const title = model.pane === cell.pane ? look.theme.reverse(name) : look.theme.bold(name);
  const position = where === '' ? '' : ` ${where} `;
  const rest = Math.max(0, width - 1 - widthOf(name) - widthOf(position));
  const rule = (n: number): string => look.theme.paint('dim', look.rule.repeat(n));
  return `${rule(1)}${title}${rule(rest)}${look.theme.paint('dim', position)}`;
}
