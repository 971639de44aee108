/** What stands beside a command: its redirects and tries, and in the pane of slots those that are busy or on their way. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { relatedTo } from '../../ui/detail/related.js';
import { TestScreen } from '../helpers/model.js';
import { RANGES } from '../helpers/stream.js';
import { until } from '../helpers/until.js';

const FIRST = RANGES[0]?.primary ?? '';
const ERROR = '-ERR Fault Injected: Error\r\n';

function triesOf(screen: TestScreen, seq: number): readonly number[] {
  const { feed } = screen.model;
  return relatedTo(feed.rows.row(feed.rows.indexOf(seq)), feed).tries.map((row) => row.seq);
}

test('a request that came again within a second of its failure was tried again; nothing else was', () => {
  const screen = new TestScreen(120, 36);
  const { stream } = screen;
  const say = (argv: readonly string[], atMs: number, connection: number, reply = '+OK\r\n') =>
    stream.command({ argv, atMs, connection, reply });
  const lone = say(['SET', 'a', '1'], 0, 1, ERROR);
  const tries = [
    say(['SET', 'a', '1'], 5000, 1, ERROR),
    say(['SET', 'a', '1'], 5600, 1, ERROR),
    say(['SET', 'a', '1'], 6200, 1),
  ];
  say(['SET', 'a', '2'], 5100, 1, ERROR);
  say(['SET', 'a', '1'], 5200, 2, ERROR);
  const next = say(['SET', 'a', '1'], 6300, 1);
  screen.update();
  for (const seq of tries) assert.deepEqual(triesOf(screen, seq), tries, `#${seq}`);
  assert.deepEqual(triesOf(screen, lone), [], 'five seconds later is another request');
  assert.deepEqual(triesOf(screen, next), [], 'what had worked is not tried again');
});

test('the Related tab shows the requests of a redirected command, and the tries of a failed one', () => {
  const screen = new TestScreen(80, 24);
  const { stream } = screen;
  stream.command({ argv: ['GET', 'user:42:flags'], atMs: 1, askedTo: FIRST });
  screen.update();
  screen.type('k\r]]]]');
  assert.match(screen.panes(), /requests\n.*s2\.p .*sent \+0\.03 ms.*\n.*s0\.p .* after ASK/);
  assert.doesNotMatch(screen.panes(), /tried again/);
  screen.type('\x1b');
  stream.command({ argv: ['SET', 'b', '1'], atMs: 10, reply: ERROR });
  stream.command({ argv: ['SET', 'b', '1'], atMs: 20 });
  screen.update();
  screen.type('G\r');
  assert.match(screen.panes(), /tried again by the client/);
});

test('slots by number: rate, owner and busiest key; those on their way are marked, also over the heat', () => {
  const screen = new TestScreen(100, 30);
  const { stream, model } = screen;
  for (let i = 0; i < 30; i++) stream.command({ argv: ['GET', 'user:42:flags'], atMs: i });
  for (let i = 0; i < 20; i++) stream.command({ argv: ['SET', 'price:eur', '1'], atMs: 30 + i });
  stream.command({ argv: ['GET', 'price:eur'], atMs: 60, askedTo: FIRST });
  model.feed.nowUs = () => 1e6;
  screen.type('3]]');
  const [, heads = '', first = '', second = ''] = screen.panes().split('\n');
  assert.match(heads, /SLOT +OPS\/S +CALLS +WRITES +ERR +NODE +BUSIEST KEY/);
  assert.match(first, /^> ?13863 +30 +30 +0 +0 +s2\.p +user:42:flags$/);
  assert.match(second, /^ +14964 +21 +21 +20 +0 +s2\.p > s0\.p +price:eur$/);
  screen.type('*');
  assert.equal(model.filterBar.text, 'slot=13863');
  screen.type('[[');
  const nodes = screen.panes();
  assert.match(nodes, /owner \|[^|]*2>2[^|]*\|/);
  assert.match(nodes, /redirects +1 followed since the start: MOVED 0, ASK 1/);
  assert.match(nodes, /last redirect +ASK +14964 +s2\.p > s0\.p \(price:eur\)/);
  assert.match(nodes, /migrating \(>\) +14964 s2\.p > s0\.p/);
});

test('the Related tab follows what comes while it is looked at', async () => {
  const screen = new TestScreen(80, 24);
  const { stream, model } = screen;
  stream.command({ argv: ['SET', 'user:1', 'a'], atMs: 1 });
  screen.update();
  screen.type('\r[[');
  assert.match(screen.panes(), /\[Related\][\s\S]*same key/);
  const sent = stream.command({ argv: ['GET', 'user:1'], atMs: 2 });
  stream.command({ argv: ['GET', 'other'], atMs: 3 });
  const before = model.viewport.focus;
  await until(() => new RegExp(` ${sent} .*GET +user:1`).test(screen.panes()), 'the later one');
  assert.equal(model.viewport.focus, before);
});
