/** The arrangement of panes: at every size they tile the room there is, and the pane in focus is among them. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { bannerLines } from '../../ui/components/banner.js';
import { ARRANGEMENTS, type Layout, layoutOf, type Zoom } from '../../ui/layout.js';
import type { PaneId } from '../../ui/model.js';
import { widthOf } from '../../ui/text/fit.js';
import { plain } from '../../ui/text/styles.js';
import { TestScreen } from '../helpers/model.js';

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
const BOTH = [
  [false, false],
  [true, false],
  [false, true],
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
          for (const [isTyping, hasMirror] of BOTH) {
            const what = `${columns}x${rows} ${focus} ${arrangement} ${zoom}`;
            const layout = layoutOf(columns, rows, {
              isTyping,
              bannerRows: 0,
              hasMirror,
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
    bannerRows: 0,
    hasMirror: false,
    keyLine: true,
    focus: 'stream',
    recent: [],
    arrangement: 'auto',
    zoom: 'normal',
  } as const;
  assert.equal(layoutOf(59, 40, how).kind, 'totals');
  assert.equal(layoutOf(100, 11, how).kind, 'totals');
});

test('where the mesh has a mirror, a large screen shows its pane, with room for a difference', () => {
  for (const [columns, rows] of [
    [180, 45],
    [200, 50],
  ] as const) {
    const layout = layoutOf(columns, rows, {
      isTyping: false,
      bannerRows: 0,
      hasMirror: true,
      keyLine: true,
      focus: 'stream',
      recent: [],
      arrangement: 'auto',
      zoom: 'normal',
    });
    assert.deepEqual(
      layout.cells.map(({ pane }) => pane),
      ['stream', 'detail', 'stats', 'slots', 'mirror', 'faults', 'hot'],
    );
    // The pane's name, its four lines of totals and tabs, and one difference.
    assert.ok((layout.cells.find(({ pane }) => pane === 'mirror')?.height ?? 0) >= 6);
  }
});

test('what a banner says is wrapped: what to do is there to its last word at every width', () => {
  const text =
    '6 of 6 nodes of redis-cluster cannot be reached from here: 10.1.2.3:6379 and 5 more';
  const next =
    'kubectl port-forward --namespace shop-production pod/redis-cluster-0 7001:6379, then rmtop with --map 10.1.2.3:6379=127.0.0.1:7001';
  const other = { text: 'something else', next: '' };
  for (let columns = 80; columns <= 220; columns++) {
    const { model } = new TestScreen(columns, 24, [{ text, next }, other]);
    const lines = bannerLines(model, columns).map(plain);
    for (const line of lines) assert.equal(widthOf(line), columns, line);
    const words = lines.join(' ').split(/\s+/);
    const from = words.indexOf('next:');
    assert.deepEqual(words.slice(2, 2 + text.split(' ').length), text.split(' '));
    assert.deepEqual(words.slice(from + 1, from + 1 + next.split(' ').length), next.split(' '));
    assert.match(lines.at(-1) ?? '', /Esc closes $/);
  }
  const { model } = new TestScreen(80, 24, [{ text: text.repeat(9), next: next.repeat(9) }]);
  assert.equal(bannerLines(model, 80).length, 6, 'the stream keeps most of the screen');
});
