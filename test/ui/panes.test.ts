/** What panes keep of the stream beside its rows: connections to servers, mirrors' differences, two replies in columns. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { decodeReply } from 'rmtop';
import { mostTelling, type Statement } from '../../ui/detail/decision.js';
import { besideEachOther, replyLines } from '../../ui/detail/two-replies.js';
import { makeLook } from '../../ui/look.js';
import { Links } from '../../ui/store/links.js';
import { TestScreen } from '../helpers/model.js';

const LOOK = makeLook('mono', 'none', false);

test('connections to servers: shared and own ones are counted, and why the last one failed', () => {
  const links = new Links();
  const hear = (
    state: 'ready' | 'closed' | 'failed',
    own: boolean,
    code: 'reset' | 'refused' | 'removed' | null = null,
  ): void =>
    links.hear({
      type: 'upstream',
      atUs: 0,
      upstream: 'redis',
      address: '10.0.0.1:6379',
      dialled: '10.0.0.1:6379',
      state,
      own,
      cause: code === null ? null : { code, address: '10.0.0.1:6379' },
    });
  hear('ready', false);
  hear('failed', false, 'refused');
  assert.equal(links.list[0]?.shared, 1, 'one that was never ready does not end another');
  hear('ready', true);
  hear('ready', true);
  hear('closed', true, 'removed');
  hear('closed', false, 'reset');
  const [link] = links.list;
  assert.deepEqual(
    [link?.shared, link?.own, link?.opened, link?.failed],
    [0, 1, 3, 2],
    'a connection that was let go has not failed',
  );
  assert.match(link?.lastCause ?? '', /10\.0\.0\.1:6379/);
});

test('a reply as lines: nested elements are numbered and set in', () => {
  const reply = decodeReply(Buffer.from('*3\r\n$1\r\na\r\n*2\r\n:1\r\n$-1\r\n*0\r\n'));
  assert.ok(reply !== null);
  assert.deepEqual(replyLines(reply), ['1) "a"', '2) 1) (integer) 1', '   2) (nil)', '3) (empty)']);
});

test('two replies in columns: what differs has an x between them, also where one is shorter', () => {
  const lines = besideEachOther(
    Buffer.from('*2\r\n$1\r\na\r\n$1\r\nb\r\n'),
    Buffer.from('*1\r\n$1\r\na\r\n'),
    LOOK,
    60,
  );
  assert.deepEqual(
    lines.map((line) => line.trimEnd()),
    [
      ' ours                          theirs',
      ' 1) "a"                        1) "a"',
      ' 2) "b"                      x',
    ],
  );
  const none = besideEachOther(null, null, LOOK, 60).join('\n');
  assert.match(none, /\(no longer in memory\).* x \(no reply\)/);
});

test('the longest in Stats is the longest there was, and no share of all is said to take longer', async () => {
  const screen = new TestScreen(120, 36);
  const { stream, model } = screen;
  for (const ms of [1, 2, 40.7]) stream.command({ argv: ['GET', 'a'], ms });
  stream.command({ argv: ['SET', 'a', 'b'], ms: 12.34 });
  screen.update();
  model.feed.meter.add(await stream.totals());
  screen.type('66');
  const [heads = '', get = '', set = '', all = ''] = (
    /COMMAND[\s\S]*/.exec(screen.panes())?.[0] ?? ''
  ).split('\n');
  const names = heads.replaceAll(' ms', '').split(/\s+/);
  const of = (line: string, name: string): string | undefined =>
    line.trim().split(/\s+/)[names.indexOf(name)];
  assert.deepEqual(
    [get, set, all].map((line) => [of(line, 'COMMAND'), of(line, 'MAX')]),
    [
      ['GET', '40.70'],
      ['SET', '12.34'],
      ['all', '40.70'],
    ],
  );
  assert.equal(of(set, 'p50'), '12.34');
});

test('Hot has bytes a second, and counts prefixes by the delimiter that is chosen', () => {
  const screen = new TestScreen(80, 24);
  const { stream, model } = screen;
  const say = (): void => {
    for (let i = 0; i < 20; i++)
      stream.command({ argv: ['SET', `user.${i % 4}:x`, 'v'.repeat(100)], atMs: i * 500 });
  };
  say();
  stream.nowUs = 10e6;
  screen.update();
  screen.type('7]');
  assert.match(screen.panes(), /PREFIXES .*R:W +p99 ms +B\/S +ERR/);
  screen.type(':delimiter .\r');
  say();
  screen.update();
  assert.match(screen.news(), /prefixes end at \./);
  assert.match(screen.panes(), /^>user\.\* /m);
  screen.type('*');
  assert.equal(model.filterBar.text, 'key=~/^user\\./');
  assert.equal(model.filterBar.problem, null);
  screen.update();
  assert.equal(model.feed.rows.shown, 40);
  screen.type(':delimiter a b\r');
  assert.match(model.dialog?.kind === 'menu' ? model.dialog.note : '', /a sign or a few/);
  screen.type('\x1b');
  screen.type(':keep project\r');
  assert.deepEqual(screen.kept.at(-1), { where: 'project', path: ['delimiter'], value: '.' });
});

test('where the strip has no room, what says least goes first, and how much is said', () => {
  const say = (label: string, text: string, meaning: 'dim' | null = null): Statement => ({
    label,
    text,
    meaning,
  });
  const list = [
    say('route', 'catch-all > redis'),
    say('place', 'slot 1'),
    say('choose', 'a read'),
    say('node', 's0.r1'),
    say('mirror', 'no copy', 'dim'),
    say('reply', '$5', 'dim'),
  ];
  const labels = (height: number): readonly string[] =>
    mostTelling(list, height).map(({ label }) => label);
  assert.deepEqual(labels(6).length, 6);
  assert.deepEqual(labels(5), ['route', 'place', 'choose', 'node', 'reply']);
  assert.deepEqual(labels(4), ['place', 'choose', 'node', 'reply']);
  assert.deepEqual(labels(3), ['place', 'choose', 'reply']);
  const screen = new TestScreen(80, 24);
  screen.stream.command({ argv: ['MGET', 'a', 'b', 'c'] });
  screen.update();
  assert.match(screen.panes(), /#1 MGET a b c ─+ Enter: \d+ more ─$/m);
  assert.match(screen.panes(), /^ reply /m);
});
