/** SUMMARY: when more comes than the screen can take in, one row a command and prefix; and the way back to single rows. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { Overload } from '../../ui/store/overload.js';
import { groupsOf } from '../../ui/stream/summary.js';
import { TestScreen } from '../helpers/model.js';

test('it begins when the ring was crowded for a second on end, and ends three seconds after it last was', () => {
  const overload = new Overload();
  overload.hear(0.6, 1000);
  overload.hear(0.4, 1400);
  overload.hear(0.6, 1950);
  overload.hear(1, 2900);
  assert.equal(overload.at(2900), false, 'it had been better meanwhile');
  overload.hear(0.51, 2950);
  assert.equal(overload.at(2950), true);
  overload.hear(0.2, 3500);
  assert.equal(overload.at(5900), true);
  overload.hear(0.9, 5900);
  assert.equal(overload.at(8000), true);
  assert.equal(overload.at(8900), false);
  overload.hear(0.9, 9000);
  assert.equal(overload.at(9000), false, 'it has to last again');
});

test('a ring that is emptied between two bursts is crowded all the same', () => {
  const overload = new Overload();
  for (let ms = 0; ms < 1000; ms += 200) {
    overload.hear(0.9, ms);
    overload.hear(0.1, ms + 10);
  }
  assert.equal(overload.at(999), false);
  overload.hear(0.9, 1000);
  assert.equal(overload.at(1000), true);
});

test('who wants single rows has them until the next overload', () => {
  const overload = new Overload();
  overload.hear(1, 0);
  overload.hear(1, 1000);
  overload.dismiss();
  assert.equal(overload.at(1000), false);
  overload.hear(1, 3000);
  assert.equal(overload.at(3000), false);
  overload.hear(1, 7000);
  overload.hear(1, 8000);
  assert.equal(overload.at(8000), true);
});

function busy(columns?: number, rows?: number): TestScreen {
  const screen = new TestScreen(columns, rows);
  const { stream } = screen;
  stream.client(1, 'api');
  for (let i = 0; i < 312; i++)
    stream.command({ argv: ['GET', `user:${i}`], ms: 1 + (i === 7 ? 40 : 0) });
  for (let i = 0; i < 20; i++) stream.command({ argv: ['SET', 'user:1', 'v'], ms: 2 });
  for (let i = 0; i < 3; i++) stream.command({ argv: ['GET', 'plain'], reply: '-ERR no\r\n' });
  stream.command({ argv: ['SET', '\x1b[2Jbad', 'v'] });
  stream.command({ argv: ['SET', 'other', 'v'] });
  stream.command({ argv: ['PING'] });
  stream.pending('GET', 'user:1');
  screen.update();
  return screen;
}

function overloaded(screen: TestScreen): void {
  const nowMs = performance.now();
  screen.model.feed.overload.hear(1, nowMs - 1000);
  screen.model.feed.overload.hear(1, nowMs);
}

test('commands of one name and prefix are one group, counted exactly', () => {
  const { groups, of } = groupsOf(busy().model.feed, 1000);
  assert.equal(of, 338);
  assert.deepEqual(
    groups.map(({ command, keys, count, errors }) => [command, keys, count, errors]),
    [
      ['GET', 'user:*', 312, 0],
      ['SET', 'user:1', 20, 0],
      ['GET', 'plain', 3, 3],
      ['SET', '*', 2, 0],
      ['PING', '', 1, 0],
    ],
  );
  assert.equal(groups[0]?.maxUs, 41_000);
  assert.deepEqual(groupsOf(busy().model.feed, 2).groups.length, 2, 'only the newest');
});

test('the stream says SUMMARY and shows the groups; F brings single rows back, and they follow', () => {
  const screen = busy();
  assert.match(screen.bar(), /FOLLOW/);
  overloaded(screen);
  assert.match(screen.bar(), /SUMMARY/);
  assert.match(screen.news(), /SUMMARY: more comes than can be shown.*; F or a filter brings/);
  assert.match(screen.panes(), /COUNT +SHARE +CMD +KEYS OF THE LAST 338/);
  assert.match(screen.panes(), /x312 +92% +GET +user:\* +0 +1\.13 +41\.00/);
  screen.type('F');
  assert.match(screen.bar(), /FOLLOW/);
  assert.ok(screen.model.viewport.follow);
  assert.match(screen.panes(), /SLOT NODE/);
});

test('a filter, looking back, and freezing show single rows', () => {
  const screen = busy(120, 36);
  overloaded(screen);
  screen.type('/set\r');
  assert.match(screen.bar(), /FOLLOW/);
  screen.type('/\x15\r');
  assert.match(screen.bar(), /SUMMARY/);
  screen.type('p');
  assert.match(screen.bar(), /FROZEN/);
  assert.match(screen.panes(), /SLOT NODE/);
  screen.type('p');
  assert.match(screen.bar(), /SUMMARY/);
  screen.type('k');
  assert.match(screen.bar(), /ANCHOR/);
  for (const [columns, rows] of [
    [60, 15],
    [200, 50],
  ] as const) {
    const other = busy(columns, rows);
    overloaded(other);
    assert.match(other.panes(), /x312/);
    for (const line of other.panes().split('\n')) assert.ok(line.length <= columns, line);
  }
});
