/** A recording that is sent again, on the screen: its keys, its differences, and how one is begun. */
import assert from 'node:assert/strict';
import path from 'node:path';
import test from 'node:test';
import { openPlayback, PROCESS_CLOCK } from 'rmtop';
import { heedReplay } from '../../ui/actions/replay.js';
import { keyLine } from '../../ui/components/foot.js';
import { plain } from '../../ui/text/styles.js';
import { TestScreen } from '../helpers/model.js';
import { RECORDINGS } from '../helpers/record-files.js';
import { TestReplay } from '../helpers/replaying.js';

const PRICE = { argv: ['GET', 'price:eur'], reply: '$4\r\n0.93\r\n' };
const OTHER = { kind: 'diff', path: '', a: '"0.92"', b: '"0.93"', at: 3 } as const;
const ELSEWHERE = { change: 'role', from: 's1.P', to: 's1.R' } as const;

/** A screen on a replay of which nothing is sent yet; it hears of what changes as a view does. */
function replaying(columns = 100, rows = 30): { screen: TestScreen; replay: TestReplay } {
  let made: TestReplay | null = null;
  const screen = new TestScreen(columns, rows, [], null, (stream) => {
    made = new TestReplay(stream);
    return made;
  });
  const replay = made as TestReplay | null;
  if (replay === null) throw new TypeError('there is no replay');
  replay.onChange((seq) => {
    if (seq !== null) screen.model.feed.rows.recheck(seq);
    screen.update();
    heedReplay(screen.model, replay);
  });
  return { screen, replay };
}

/** Two that are as recorded, one whose reply is another, one that is as recorded, one that went elsewhere. */
function five(replay: TestReplay): void {
  for (const key of ['a', 'b']) replay.send({ argv: ['GET', key] });
  replay.send(PRICE, { comparison: OTHER, recorded: { ...PRICE, reply: '$4\r\n0.92\r\n' } });
  replay.send({ argv: ['GET', 'c'] });
  replay.send({ argv: ['GET', 'd'] }, { route: ELSEWHERE });
}

test('p plays and pauses, . sends one, < and > change the speed; it does not go back', () => {
  const { screen, replay } = replaying();
  assert.match(screen.news(), /^0 of 40 sent +0 same +0 different +p plays, \. one command$/);
  screen.type('p.');
  assert.deepEqual(replay.did, ['play', 'step']);
  replay.set({ isPlaying: true });
  screen.type('p');
  assert.deepEqual(replay.did, ['play', 'step', 'pause']);
  screen.type('>>');
  assert.equal(replay.state.speed, 5);
  screen.type('<');
  assert.equal(replay.state.speed, 2);
  screen.type(',');
  assert.match(screen.news(), /a replay does not go back/);
  screen.type(':speed max\r');
  assert.equal(replay.state.speed, 'max');
  screen.type(':jump start\r');
  assert.match(JSON.stringify(screen.model.dialog), /a replay goes forward only/);
});

test('the header has position, speed and lateness; the keys that play come first', () => {
  const { screen, replay } = replaying(80, 24);
  replay.set({ atUs: 12_400_000, isPlaying: true });
  assert.match(
    screen.header(),
    /^replay session\.rmtop > 127\.0\.0\.1:7001 +\d+\/s {2}> 12\.4s\/60\.0s x1 late 0\.4ms +T0$/,
  );
  assert.match(plain(keyLine(screen.model, 80)), /^ p pause {3}\. step {3}n next difference/);
  replay.set({ isPlaying: false });
  assert.match(plain(keyLine(screen.model, 80)), /^ p play /);
  replay.set({ isOver: true, speed: 'max' });
  assert.match(screen.header(), /\[\] 12\.4s\/60\.0s xmax +T0$/);
  assert.match(screen.news(), /^over, 0 of 40 sent .*q ends, and reports$/);
  screen.type('.');
  assert.match(screen.news(), /the replay is over/);
});

test('n and N go from difference to difference, replies and ways beside each other', () => {
  const { screen, replay } = replaying();
  five(replay);
  assert.match(screen.news(), /^5 of 40 sent +4 same +1 DIFFERENT +1 ELSEWHERE/);
  assert.match(screen.panes(), / x +3 .*price:eur/);
  screen.type('n');
  assert.equal(screen.model.viewport.focus, 3);
  const shown = screen.panes();
  assert.match(shown, /\[Diff\]/);
  assert.match(shown, /the reply differs: "0\.92" {2}> {2}"0\.93" {3}\(byte 3\)/);
  assert.match(shown, /recorded {2}#103 s2\.p .* now {2}#3 s2\.p/);
  assert.match(shown, /"0\.92" +x "0\.93"/);
  assert.match(shown, /it goes where it went/);
  screen.type('n');
  assert.equal(screen.model.viewport.focus, 5);
  assert.match(screen.panes(), /the reply is the recorded one/);
  assert.match(screen.panes(), /it goes elsewhere, another role: s1\.P {2}> {2}s1\.R/);
  screen.type('N');
  assert.equal(screen.model.viewport.focus, 3);
  screen.type(':difference #105\r');
  assert.equal(screen.model.viewport.focus, 5);
  screen.type(':difference #999\r');
  assert.match(JSON.stringify(screen.model.dialog), /#999 of the recording is not sent yet/);
});

test('where no difference is known yet, n plays on to the next and stands still there', () => {
  const { screen, replay } = replaying();
  screen.type('n');
  assert.deepEqual(replay.did, ['play']);
  assert.match(screen.news(), /going on to the next difference/);
  five(replay);
  screen.update();
  assert.deepEqual(replay.did, ['play', 'pause']);
  assert.equal(screen.model.viewport.focus, 3);
  screen.type('n');
  assert.equal(screen.model.viewport.focus, 5, 'that one had come meanwhile');
  screen.type('n');
  assert.deepEqual(replay.did, ['play', 'pause', 'play']);
  replay.set({ isPlaying: false, isOver: true });
  assert.match(screen.news(), /there was no other difference/);
  screen.type('n');
  assert.equal(screen.model.viewport.focus, 3, 'from the other end');
});

test('what was looked for comes first where it was, and replay.diff filters', () => {
  const { screen, replay } = replaying();
  five(replay);
  screen.type('\\key=d\rn');
  assert.match(screen.news(), /#5 is the only one that fits/);
  assert.equal(screen.model.pane, 'stream');
  screen.type('/replay.diff!=same\r');
  assert.deepEqual(screen.rows, [3, 5]);
  screen.type('/\x15replay.diff=elsewhere\r');
  assert.deepEqual(screen.rows, [5]);
});

test('marks are compared as ever, and = without them shows the replay again', () => {
  const { screen, replay } = replaying();
  five(replay);
  screen.type('gmjjm=');
  assert.match(screen.panes(), /#1 GET a .*#3 GET price:eur/);
  screen.type('\x1bU=');
  assert.match(screen.panes(), /recorded {2}#103/);
});

test('values that would act on a terminal, and long ones, are shown escaped and cut', () => {
  const { screen, replay } = replaying(80, 24);
  const evil = `\x1b[2J${'v'.repeat(20_000)}`;
  replay.send(
    { argv: ['GET', 'evil\x1b]0;x\x07'], reply: `$${evil.length}\r\n${evil}\r\n` },
    {
      comparison: { kind: 'diff', path: '', a: '"\\x1b[2Ja"', b: '"\\x1b[2Jv"', at: 4 },
      recorded: { argv: ['GET', 'evil'], reply: '$5\r\n\x1b[2Ja\r\n' },
    },
  );
  screen.type('n');
  const shown = screen.panes();
  assert.match(shown, /"\\x1b\[2Ja" +x "\\x1b\[2Jv"/);
  assert.doesNotMatch(shown, /[\x00-\x09\x0b-\x1f]/);
  for (const line of shown.split('\n')) assert.ok(line.length <= 80, line);
});

test('servers that are gone are told before anything else', () => {
  const { screen, replay } = replaying();
  replay.set({ lost: 'from #48 on: 127.0.0.1:7001 closed the connection', different: 3 });
  assert.match(screen.news(), /^servers were lost from #48 on: .* closed the connection +3 diff/);
});

test('begun from the screen, what came of it stands before what goes on behind it', () => {
  const { screen, replay } = replaying(160, 40);
  const behind = new TestScreen().model;
  screen.model.behind = () => behind;
  five(replay);
  assert.match(
    screen.news(),
    /^5 of 40 sent .*1 DIFFERENT.* live :6380 goes on, 0\/s +Esc leads back$/,
  );
});

test('q asks, saying how far it is', () => {
  const { screen, replay } = replaying();
  five(replay);
  screen.type('q');
  assert.match(screen.news(), /^Quit\? y\/N \(5 of 40 commands are sent\)/);
  screen.type('\r');
  assert.equal(screen.quits, 0);
  screen.type('qy');
  assert.equal(screen.quits, 1);
});

test('r on an opened recording asks where to, and then whether; anything but y is no', async (t) => {
  const playback = await openPlayback([path.join(RECORDINGS, 'session.rmtop')], PROCESS_CLOCK);
  t.after(() => playback.close());
  const screen = new TestScreen(100, 30, [], playback);
  screen.type('r');
  assert.match(screen.news(), /^replay to> 127\.0\.0\.1:7001.*nothing is sent before/);
  screen.type('\x15nowhere\r');
  assert.match(screen.news(), /replay to> nowhere.*HOST:PORT/);
  screen.type('\x15redis:6379\r');
  assert.match(
    screen.news(),
    /^Send the 124 commands of a\.rmtop to redis:6379, writes too\? y\/N$/,
  );
  screen.type('\r');
  assert.deepEqual([screen.replayed, screen.model.dialog], [[], null]);
  screen.type('r\ry');
  assert.deepEqual(screen.replayed, [['recordings/a.rmtop', '127.0.0.1:7001']]);
  assert.match(screen.news(), /^reading a\.rmtop/);
  screen.type(':replay redis:1\r');
  assert.equal(screen.model.dialog?.kind, 'replay');
});

test('r says why where there is nothing to send', () => {
  const live = new TestScreen();
  live.type('r');
  assert.match(live.news(), /only a recording is sent again: L opens one/);
  const { screen } = replaying();
  screen.type('r');
  assert.match(screen.news(), /this is a replay/);
  screen.type(':difference previous\r');
  assert.match(screen.news(), /there is no difference/);
});
