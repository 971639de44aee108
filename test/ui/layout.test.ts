/** The arrangement of panes: at every size they tile the room there is, and the pane in focus is among them. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { ARRANGEMENTS, type Layout, layoutOf, type Zoom } from '../../ui/layout.js';
import type { PaneId } from '../../ui/model.js';

const PANES: readonly PaneId[] = [
  'stream',
  'detail',
  'slots',
  'mirror',
  'faults',
  'stats',
  'hot',
  'conns',
  'log',
];
const SIZES = [
  [60, 12],
  [79, 23],
  [80, 24],
  [90, 60],
  [100, 30],
  [119, 80],
  [120, 30],
  [120, 36],
  [150, 40],
  [180, 45],
  [200, 50],
  [300, 90],
] as const;
const ZOOMS: readonly Zoom[] = ['normal', 'half', 'full'];

function assertTiles(layout: Layout, what: string): void {
  const { cells, columns, bodyRows } = layout;
  const area = cells.reduce((sum, cell) => sum + cell.width * cell.height, 0);
  assert.equal(area, columns * bodyRows, `${what}: the panes fill the body`);
  for (const [i, a] of cells.entries()) {
    assert.ok(a.width >= 20 && a.height >= 3, `${what}: ${a.pane} has ${a.width}x${a.height}`);
    for (const b of cells.slice(i + 1)) {
      const apart =
        a.x + a.width <= b.x ||
        b.x + b.width <= a.x ||
        a.y + a.height <= b.y ||
        b.y + b.height <= a.y;
      assert.ok(apart, `${what}: ${a.pane} and ${b.pane} overlap`);
      assert.notEqual(a.pane, b.pane, `${what}: a pane stands twice`);
    }
  }
}

test('panes tile the body at every size, focus, arrangement and zoom', () => {
  for (const [columns, rows] of SIZES)
    for (const focus of PANES)
      for (const arrangement of ARRANGEMENTS)
        for (const zoom of ZOOMS)
          for (const isTyping of [false, true]) {
            const what = `${columns}x${rows} ${focus} ${arrangement} ${zoom}`;
            const layout = layoutOf(columns, rows, {
              isTyping,
              hasBanner: false,
              keyLine: true,
              focus,
              recent: ['log', 'hot', 'conns', 'mirror'],
              arrangement,
              zoom,
            });
            assertTiles(layout, what);
            assert.ok(
              layout.cells.some((cell) => cell.pane === focus),
              `${what}: the focus is not shown`,
            );
          }
});

test('below 60x12 there are totals only', () => {
  const how = {
    isTyping: false,
    hasBanner: false,
    keyLine: true,
    focus: 'stream',
    recent: [],
    arrangement: 'auto',
    zoom: 'normal',
  } as const;
  assert.equal(layoutOf(59, 40, how).kind, 'totals');
  assert.equal(layoutOf(100, 11, how).kind, 'totals');
});
