/** The screen on a recording: what has happened is shown, and no key changes it. */
import assert from 'node:assert/strict';
import path from 'node:path';
import test, { type TestContext } from 'node:test';
import { openPlayback, type Playback, PROCESS_CLOCK } from 'rmtop';
import { keyLine } from '../../ui/components/foot.js';
import { plain } from '../../ui/text/styles.js';
import { TestScreen } from '../helpers/model.js';
import { RECORDINGS } from '../helpers/record-files.js';

/** A screen after the first 40 commands of a recording in which a rule is on. */
async function onRecording(t: TestContext): Promise<{ screen: TestScreen; playback: Playback }> {
  const playback = await openPlayback([path.join(RECORDINGS, 'fault-error.rmtop')], PROCESS_CLOCK);
  t.after(() => playback.close());
  const screen = new TestScreen(100, 30, [], playback);
  await playback.step(40);
  screen.update();
  return { screen, playback };
}

test('keys that would change faults say that a recording cannot be changed, and the rules stay as recorded', async (t) => {
  const { screen } = await onRecording(t);
  const { model } = screen;
  const recorded = model.feed.context.latest.config?.config.rules ?? [];
  assert.ok(recorded.length > 0 && recorded.some(({ on }) => on), 'the recording has a rule');
  screen.type('5');
  const shown = screen.panes();
  assert.match(shown, /as recorded/);
  assert.ok(shown.includes(recorded[0]?.scope ?? ''), shown);
  for (const key of ['t', 'e', 'd', 'D', 'h', 'l']) {
    model.toasts.clear();
    screen.type(key);
    assert.equal(screen.news(), 'a recording cannot be changed', JSON.stringify(key));
    assert.equal(model.dialog, null);
    assert.deepEqual(model.desk.rules, recorded);
    assert.equal(screen.panes(), shown);
  }
  for (const line of ['fault off', 'fault add error 20%', 'close c1']) {
    screen.type(`:${line}\r`);
    assert.match(JSON.stringify(model.dialog), /a recording cannot be changed/, line);
    screen.type('\x1b\x1b');
  }
  assert.deepEqual(model.diary.list, []);
});

test('x says so, too, whatever is in focus', async (t) => {
  const { screen } = await onRecording(t);
  screen.type('8x');
  assert.equal(screen.news(), 'a recording cannot be changed');
  assert.equal(screen.model.dialog, null);
});

test('the line of keys says what p does to a recording', async (t) => {
  const { screen, playback } = await onRecording(t);
  const hint = (): string => plain(keyLine(screen.model, 100));
  assert.match(hint(), / p play /);
  playback.play(0.001);
  assert.match(hint(), / p pause /);
  playback.pause();
  assert.match(hint(), / p play /);
  const live = new TestScreen();
  live.stream.command({ argv: ['GET', 'a'] });
  live.update();
  assert.match(plain(keyLine(live.model, 100)), / p freeze /);
  assert.match(plain(keyLine(live.model, 80)), / t fault /);
  assert.match(plain(keyLine(screen.model, 80)), / p (play|pause) /);
  assert.doesNotMatch(hint(), / t fault | W record /);
});
