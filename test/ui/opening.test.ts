/** A recording that is opened from the screen: what was shown goes on behind it, and is there again afterwards. */
import assert from 'node:assert/strict';
import { copyFileSync, mkdirSync, utimesSync } from 'node:fs';
import path from 'node:path';
import test, { type TestContext } from 'node:test';
import { openPlayback, PROCESS_CLOCK } from 'rmtop';
import { recordingsAt } from '../../ui/actions/open.js';
import { keyLine, newsLine } from '../../ui/components/foot.js';
import { plain } from '../../ui/text/styles.js';
import { TestScreen } from '../helpers/model.js';
import { folder, RECORDINGS } from '../helpers/record-files.js';
import { until } from '../helpers/until.js';
import { WholeScreen } from '../helpers/whole-screen.js';

const RECORDING = path.join(RECORDINGS, 'fault-error.rmtop');

/** A screen with three live commands, one of them marked, and a filter. */
async function live(t: TestContext): Promise<WholeScreen> {
  const whole = new WholeScreen(t, { columns: 120, rows: 36, depth: 'none', unicode: true });
  for (const key of ['a', 'b', 'c']) whole.stream.command({ argv: ['GET', key] });
  await whole.settle();
  await whole.press('m');
  await whole.press('/');
  await whole.press('cmd=GET\r');
  return whole;
}

async function open(whole: WholeScreen): Promise<void> {
  await whole.press(':');
  await whole.press(`open ${RECORDING}\r`);
  const playback = (): boolean => whole.screen.model.playback?.state.atEnd === true;
  await until(playback, 'the end of the recording');
  await until(() => whole.screen.model.feed.rows.length === 21, 'its rows');
}

test('marks, the filter and all that came meanwhile are there again; the recording has none of it', async (t) => {
  const whole = await live(t);
  const home = whole.screen.model;
  await open(whole);
  const guest = whole.screen.model;
  assert.notEqual(guest, home);
  assert.equal(guest.filterBar.text, '');
  assert.deepEqual(guest.feed.marks.list, []);
  assert.match(plain(keyLine(guest, 80)), /^ Esc live /);
  guest.toasts.clear();
  assert.match(plain(newsLine(guest, 120)), /^ live :\d+ goes on, 0\/s +Esc leads back +p plays, /);
  await whole.press('m');
  for (const key of ['d', 'e']) whole.stream.command({ argv: ['GET', key] });
  whole.stream.flush();
  await whole.press('\x1b');
  assert.equal(whole.screen.model, home);
  assert.deepEqual(home.feed.marks.list, [3]);
  assert.equal(home.filterBar.text, 'cmd=GET');
  assert.equal(home.feed.rows.arrived, 5);
  const { lines } = await whole.whole();
  assert.match(lines.join('\n'), /GET +e/);
  await whole.press('q');
  assert.equal(home.dialog?.kind, 'quit');
});

test('what the user set and typed is the same before, in between and afterwards', async (t) => {
  const whole = await live(t);
  const home = whole.screen.model;
  await whole.press(':');
  await whole.press('theme light\r');
  await open(whole);
  assert.equal(whole.screen.model.styling.theme, 'light');
  await whole.press(':');
  await whole.press('theme contrast\r');
  await whole.press('H');
  await whole.press(':');
  await whole.press('live\r');
  assert.equal(whole.screen.model, home);
  assert.equal(home.styling.theme, 'contrast');
  assert.equal(home.keyLine, false);
  assert.deepEqual(home.typed.slice(0, 2), ['theme contrast', `open ${RECORDING}`]);
});

test('another recording takes the place of the one that was opened', async (t) => {
  const whole = await live(t);
  const home = whole.screen.model;
  await open(whole);
  const first = whole.screen.model;
  await whole.press(':');
  await whole.press(`open ${RECORDING}\r`);
  await until(() => whole.screen.model !== first && whole.screen.model.playback !== null, 'it');
  await whole.press('q');
  assert.equal(whole.screen.model, home, 'q leads back as Esc does');
});

test('what cannot be opened is said, and what is shown stays', async (t) => {
  const whole = await live(t);
  const home = whole.screen.model;
  await whole.press(':');
  await whole.press('open /no/such.rmtop\r');
  assert.match(JSON.stringify(home.dialog), /there is no file \/no\/such\.rmtop/);
  await whole.press('\x15');
  await whole.press(`open ${import.meta.dirname}\r`);
  assert.match(JSON.stringify(home.dialog), /is a folder/);
  await whole.press('\x15');
  await whole.press(`open ${import.meta.filename}\r`);
  await until(() => home.toasts.current?.level === 'error', 'the problem');
  assert.equal(whole.screen.model, home);
});

test('L offers the recordings of the folder, the newest first, and folders once something is typed', (t) => {
  const at = folder(t);
  for (const [i, name] of ['old.rmtop', 'new.rmtop.gz'].entries()) {
    copyFileSync(RECORDING, path.join(at, name));
    utimesSync(path.join(at, name), 1000 + i, 1000 + i);
  }
  copyFileSync(RECORDING, path.join(at, 'other.txt'));
  mkdirSync(path.join(at, 'more'));
  assert.deepEqual(
    recordingsAt(`${at}/`).map((name) => path.relative(at, name)),
    ['new.rmtop.gz', 'old.rmtop', 'more'],
  );
  assert.deepEqual(recordingsAt('/no/such/folder/'), []);
  const screen = new TestScreen();
  screen.type('L');
  assert.match(JSON.stringify(screen.model.dialog), /palette.*open /);
  screen.type(`${at}/ol\r`);
  assert.deepEqual(screen.opened, [[path.join(at, 'old.rmtop')]]);
  assert.match(screen.news(), /^opening /);
  screen.type(`:open ${at}/old.rmtop ${at}/new.rmtop.gz\r`);
  assert.deepEqual(screen.opened[1], [path.join(at, 'old.rmtop'), path.join(at, 'new.rmtop.gz')]);
});

test(':live says where there is nothing to go back to', async (t) => {
  const screen = new TestScreen();
  screen.type(':live\r');
  assert.match(JSON.stringify(screen.model.dialog), /this is the live traffic/);
  const playback = await openPlayback([RECORDING], PROCESS_CLOCK);
  t.after(() => playback.close());
  const recorded = new TestScreen(100, 30, [], playback);
  recorded.type(':live\r');
  assert.match(JSON.stringify(recorded.model.dialog), /there is no live traffic here/);
});
