/** Taking rows off the list: what goes, what stays, and that the counters still add up. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { TestScreen } from '../helpers/model.js';
import { until } from '../helpers/until.js';

function withMany(): TestScreen {
  const screen = new TestScreen();
  screen.stream.client(1, 'api');
  for (let i = 0; i < 6; i++)
    screen.stream.command({ argv: i % 2 === 0 ? ['SET', `k:${i}`, 'v'] : ['GET', `k:${i}`] });
  screen.stream.pending('GET', 'slow');
  screen.update();
  return screen;
}

function adds(screen: TestScreen): void {
  const { rows, lost } = screen.model.feed;
  const finished = rows.length - rows.waiting;
  assert.equal(finished + rows.evicted + rows.cleared + lost, rows.arrived);
}

test('z asks, clears the list but for what waits, and goes on with what comes; the figures stay', () => {
  const screen = withMany();
  const { model } = screen;
  screen.type('kkz');
  assert.match(screen.news(), /^Clear 6 rows from the list\? .* y\/N$/);
  screen.type('\r');
  assert.equal(screen.rows.length, 7, 'Enter never confirms');
  screen.type('zy');
  assert.deepEqual(screen.rows, [7]);
  assert.match(screen.news(), /6 rows cleared/);
  adds(screen);
  assert.equal(model.feed.tallies.keys.size, 6);
  screen.stream.command({ argv: ['GET', 'new'] });
  screen.update();
  assert.deepEqual(screen.rows, [7, 8]);
  assert.ok(model.viewport.follow);
  adds(screen);
  screen.type(':clear\r');
  screen.type('z');
  assert.match(screen.news(), /the list is empty/);
  screen.type('@');
  assert.match(screen.menu(), /:clear$/m);
});

test('Z clears what the filter hides and leaves the eye where it is', () => {
  const screen = withMany();
  const { model } = screen;
  screen.type('Z');
  assert.match(screen.news(), /no row is hidden/);
  screen.type('/get !pending\r');
  screen.type('k');
  assert.equal(model.viewport.focus, 4);
  screen.type('Z');
  assert.match(screen.news(), /^Clear 3 hidden rows from the list/);
  screen.type('y');
  assert.equal(model.viewport.focus, 4);
  assert.deepEqual(screen.rows, [2, 4, 6]);
  screen.type('!');
  assert.deepEqual(screen.rows, [2, 4, 6, 7]);
  adds(screen);
});

test('d takes the row in focus away, the next has the focus; what waits, or is sorted, does no harm', async () => {
  const screen = withMany();
  const { model } = screen;
  screen.type('gjd');
  assert.deepEqual(screen.rows, [1, 3, 4, 5, 6, 7]);
  assert.equal(model.viewport.focus, 3);
  screen.type('Gd');
  assert.match(screen.news(), /#7 waits for its reply/);
  screen.type(':order key\r');
  await until(() => model.viewport.ordered !== null, 'sorted');
  screen.type('d');
  assert.equal(screen.rows.length, 5);
  adds(screen);
  screen.type(':clear hidden\r');
  screen.type(':clear nothing\r');
  assert.equal(model.dialog?.kind === 'menu' && model.dialog.note, 'all, hidden');
});

test('blocks whose last row is cleared are given back', () => {
  const screen = new TestScreen();
  for (let i = 0; i < 50; i++) {
    screen.stream.command({ argv: ['SET', `k:${i}`, 'v'] });
    screen.stream.flush();
  }
  const { rows } = screen.model.feed;
  assert.ok(rows.sizeBytes > 0);
  screen.update();
  screen.type('zy');
  assert.equal(rows.sizeBytes, 0);
  assert.equal(rows.cleared, 50);
});
