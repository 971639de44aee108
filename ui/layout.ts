/** Which parts the screen has at its size, and which panes stand where: `ux.md` b.7. */
import type { PaneId } from './model.js';

/** A pane on the screen, in cells from the top left of the body. `strip`: the detail of the focused command in a few lines. */
export type Cell = {
  readonly pane: PaneId | 'strip';
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  /** Whether a rule with the pane's name is its first line. */
  readonly titled: boolean;
};

export type Layout = {
  /** `totals`: no room for a table; `narrow`: the table and little else. */
  readonly kind: 'totals' | 'narrow' | 'normal';
  readonly columns: number;
  readonly rows: number;
  readonly hasTabs: boolean;
  readonly hasKeyLine: boolean;
  /** Lines under the filter: while it is typed its problem, or how it was read; else the banner's, where there is one. */
  readonly filterHelpRows: number;
  /** What is left for the panes. */
  readonly bodyRows: number;
  readonly cells: readonly Cell[];
};

/** `-` goes through them. */
export const ARRANGEMENTS = ['auto', 'stream only', 'stream and detail', 'dashboard'] as const;
export type Arrangement = (typeof ARRANGEMENTS)[number];

/** How much of the screen the pane in focus takes. */
export type Zoom = 'normal' | 'half' | 'full';

/** What the user has chosen of it. */
export type Chosen = {
  readonly isTyping: boolean;
  /** Lines of the banner at this width; 0: there is none. */
  readonly bannerRows: number;
  /** Whether the mesh copies commands to a mirror. */
  readonly hasMirror: boolean;
  readonly keyLine: boolean;
  readonly focus: PaneId;
  /** The panes that were looked at, latest first: they get what room there is. */
  readonly recent: readonly PaneId[];
  readonly arrangement: Arrangement;
  readonly zoom: Zoom;
};

const STRIP_LEAST = 6;

export function layoutOf(columns: number, rows: number, how: Chosen): Layout {
  const base = { columns, rows };
  if (columns < 60 || rows < 12)
    return {
      ...base,
      kind: 'totals',
      hasTabs: false,
      hasKeyLine: false,
      filterHelpRows: 0,
      bodyRows: Math.min(3, rows),
      cells: [],
    };
  const kind = columns < 80 || rows < 22 ? 'narrow' : 'normal';
  const hasTabs = columns >= 80;
  const filterHelpRows = how.isTyping ? 2 : kind === 'normal' ? how.bannerRows : 0;
  // Header, filter and toast are always there.
  const bodyRows = rows - 3 - Number(hasTabs) - Number(how.keyLine) - filterHelpRows;
  const cells = cellsOf(kind, columns, rows, bodyRows, how);
  return { ...base, kind, hasTabs, hasKeyLine: how.keyLine, filterHelpRows, bodyRows, cells };
}

function cellsOf(
  kind: 'narrow' | 'normal',
  columns: number,
  rows: number,
  height: number,
  how: Chosen,
): Cell[] {
  const { focus, arrangement, zoom } = how;
  const whole = (pane: PaneId): Cell[] => [cell(pane, 0, 0, columns, height, false)];
  if (kind === 'narrow' || zoom === 'full') return whole(focus);
  if (zoom === 'half')
    return focus === 'stream' ? withStrip(columns, rows, height) : halves(focus, columns, height);
  switch (arrangement) {
    case 'stream only':
      return whole(focus);
    case 'stream and detail':
      return focus === 'stream' ? withStrip(columns, rows, height) : whole(focus);
    case 'dashboard':
      if (columns >= 120 && rows >= 24)
        return columns >= 180 && rows >= 45
          ? wide(columns, height, how)
          : middle(columns, height, how);
      if (rows >= 36) return stacked(columns, height, how);
      return focus === 'stream' ? withStrip(columns, rows, height) : halves(focus, columns, height);
    case 'auto':
      if (columns >= 180 && rows >= 45) return wide(columns, height, how);
      if (columns >= 120 && rows >= 30) return middle(columns, height, how);
      if (columns < 100 && rows >= 45) return stacked(columns, height, how);
      return focus === 'stream' ? withStrip(columns, rows, height) : whole(focus);
  }
}

function cell(
  pane: Cell['pane'],
  x: number,
  y: number,
  width: number,
  height: number,
  titled = true,
): Cell {
  return { pane, x, y, width, height, titled };
}

/** b.2: the stream, and under it why the focused command went where it went. */
function withStrip(columns: number, rows: number, height: number): Cell[] {
  const strip = rows >= 30 ? Math.min(18, Math.round(rows / 3)) : STRIP_LEAST;
  return [
    cell('stream', 0, 0, columns, height - strip, false),
    cell('strip', 0, height - strip, columns, strip, false),
  ];
}

function halves(focus: PaneId, columns: number, height: number): Cell[] {
  const top = Math.floor(height / 2);
  return [cell('stream', 0, 0, columns, top, false), cell(focus, 0, top, columns, height - top)];
}

/** The panes of an arrangement: the usual ones, the last of which make room for those looked at that are not among them. */
function chosen(usual: readonly PaneId[], how: Chosen): readonly PaneId[] {
  const panes = [...usual];
  const wanted = [...new Set([how.focus, ...how.recent.slice(0, 2)])];
  const missing = wanted.filter(
    (pane) => pane !== 'stream' && pane !== 'detail' && !panes.includes(pane),
  );
  for (let at = panes.length - 1; at >= 0 && missing.length > 0; at--) {
    const pane = panes[at] as PaneId;
    if (pane === 'detail' || wanted.includes(pane)) continue;
    panes[at] = missing.shift() as PaneId;
  }
  // The pane in focus comes before those that were looked at lately.
  if (missing.includes(how.focus)) panes[panes.length - 1] = how.focus;
  return panes;
}

/** b.4: the stream on top, up to three panes below it. */
function middle(columns: number, height: number, how: Chosen): Cell[] {
  const top = Math.round(height * 0.52);
  const below = height - top;
  const panes = chosen(columns >= 150 ? ['detail', 'slots', 'stats'] : ['detail', 'slots'], how);
  const detail = Math.round(columns * (panes.length === 3 ? 0.4 : 0.48));
  const rest = Math.floor((columns - detail) / (panes.length - 1));
  return [
    cell('stream', 0, 0, columns, top, false),
    ...panes.map((pane, i) => {
      const x = i === 0 ? 0 : detail + (i - 1) * rest;
      const width = i === 0 ? detail : i === panes.length - 1 ? columns - x : rest;
      return cell(pane, x, top, width, below);
    }),
  ];
}

/** b.5: the stream and the detail on the left, the rest in a stack on the right. */
function wide(columns: number, height: number, how: Chosen): Cell[] {
  const left = Math.round(columns * 0.62);
  const top = Math.round(height * 0.6);
  const mirror: readonly PaneId[] = how.hasMirror ? ['mirror'] : [];
  const panes = chosen(['stats', 'slots', ...mirror, 'faults', 'hot'], how);
  const isLarge = (pane: PaneId): boolean => pane === 'stats' || pane === 'slots';
  const shares = panes.map((pane) => (isLarge(pane) ? 3 : how.hasMirror ? 1.5 : 2));
  const all = shares.reduce((a, b) => a + b, 0);
  let y = 0;
  return [
    cell('stream', 0, 0, left, top, false),
    cell('detail', 0, top, left, height - top),
    ...panes.map((pane, i) => {
      const last = i === panes.length - 1;
      const own = last ? height - y : Math.round((height * (shares[i] ?? 1)) / all);
      const made = cell(pane, left, y, columns - left, own);
      y += own;
      return made;
    }),
  ];
}

/** Tall and narrow: one under the other. */
function stacked(columns: number, height: number, how: Chosen): Cell[] {
  const panes = chosen(height >= 55 ? ['detail', 'slots', 'faults'] : ['detail', 'slots'], how);
  const top = Math.round(height * 0.4);
  const each = Math.floor((height - top) / panes.length);
  return [
    cell('stream', 0, 0, columns, top, false),
    ...panes.map((pane, i) => {
      const y = top + i * each;
      return cell(pane, 0, y, columns, i === panes.length - 1 ? height - y : each);
    }),
  ];
}
