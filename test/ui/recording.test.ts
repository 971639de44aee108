/** `W` and `w`: what is recorded from the screen is a recording like any other. */
import assert from 'node:assert/strict';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { SCREEN_KEEP } from '../../bin/screen.js';
import { ScreenRecorder } from '../../bin/screen-recorder.js';
import { RecordedCommand } from '../../src/recording/command.js';
import { TestScreen } from '../helpers/model.js';
import { folder, readAll } from '../helpers/record-files.js';
import { TestStream } from '../helpers/stream.js';
import { until } from '../helpers/until.js';

/** The commands of a file, each decided again. */
async function commandsOf(file: string): Promise<string[]> {
  const { entries, reader } = await readAll(file, true);
  assert.equal(reader.summary().fin?.why, 'quit');
  assert.deepEqual(reader.header.cut, SCREEN_KEEP, 'the header says what values are cut to');
  return entries.flatMap(({ event }) => {
    if (!(event instanceof RecordedCommand)) return [];
    assert.ok(event.decision.action.kind === 'forward', 'the context it was decided with is there');
    return [`${event.seq} ${event.command.argv.map(String).join(' ')}`];
  });
}

test('W records what comes, whatever is shown, until it is pressed again', async (t) => {
  const screen = new TestScreen(120, 36);
  const file = path.join(folder(t), 'a.rmtop');
  screen.stream.client(1, 'api');
  screen.stream.command({ argv: ['SET', 'before', '1'] });
  screen.type('/cmd=GET\rW');
  assert.match(screen.news(), /^record to> rmtop-\d{8}-\d{6}\.rmtop/);
  screen.type(`\x15${file}\r`);
  assert.match(screen.header(), /REC 0B|REC [\d.]+k?B/);
  screen.stream.command({ argv: ['SET', 'during', '2'] });
  screen.update();
  screen.type(':record start other.rmtop\r');
  assert.match(JSON.stringify(screen.model.dialog), /is being recorded: W ends it/);
  screen.type('\x1b\x1bW');
  await until(() => /recorded \S+a\.rmtop \(.*1 commands/.test(screen.news()), 'the end');
  assert.match(screen.header(), /REC off/);
  screen.stream.command({ argv: ['SET', 'after', '3'] });
  screen.update();
  assert.deepEqual(await commandsOf(file), ['2 SET during 2']);
  assert.equal(statSync(file).mode & 0o777, 0o600);
});

test('w saves what is shown of the past, with what it rests on', async (t) => {
  const screen = new TestScreen();
  const file = path.join(folder(t), 'past.rmtop');
  screen.stream.client(1, 'api');
  for (let i = 1; i <= 300; i++)
    screen.stream.command({ argv: i % 3 === 0 ? ['SET', `k${i}`, 'v'] : ['GET', `k${i}`] });
  screen.type('/cmd=SET key=k1*\r');
  screen.type('w');
  assert.match(screen.news(), /those of the 300 commands in memory/);
  screen.type(`\x15${file}\r`);
  await until(() => /recorded/.test(screen.news()), 'the end of saving');
  const wanted = Array.from({ length: 300 }, (_, i) => i + 1)
    .filter((i) => i % 3 === 0 && `${i}`.startsWith('1'))
    .map((i) => `${i} SET k${i} v`);
  assert.deepEqual(await commandsOf(file), wanted);
});

test('what cannot be recorded is said, and nothing is overwritten', (t) => {
  const screen = new TestScreen();
  const file = path.join(folder(t), 'there.rmtop');
  writeFileSync(file, 'mine');
  screen.type(`:save ${file}\r`);
  assert.match(JSON.stringify(screen.model.dialog), /no command in memory yet/);
  screen.stream.command({ argv: ['GET', 'k'] });
  screen.type(`\x1b\x1b:record start ${file}\r`);
  assert.match(JSON.stringify(screen.model.dialog), /there\.rmtop/);
  assert.equal(statSync(file).size, 4);
  screen.type('\x1b\x1b:record stop\r');
  assert.match(JSON.stringify(screen.model.dialog), /nothing is being recorded/);
});

test('W and w leave out what the settings’ rules and --redact say', async (t) => {
  const redaction = [{ if: 'key=user:*', json: '$.email' }];
  for (const flags of [{ settings: { redaction } }, { redact: 'values' }]) {
    const stream = new TestStream();
    stream.client(1, 'api');
    const blocks: [ArrayBuffer, number][] = [];
    stream.subscribe({
      lossless: true,
      behind: false,
      accept: (block, used) => {
        blocks.push([block, used]);
        return true;
      },
    });
    const recorder = new ScreenRecorder(stream, 'HOST:PORT', SCREEN_KEEP, flags);
    const [live, past] = ['live.rmtop', 'past.rmtop'].map((name) => path.join(folder(t), name));
    recorder.start(live ?? '');
    const reply = '$23\r\n{"email":"ada@here.org"}\r\n';
    stream.command({ argv: ['GET', 'user:1'], reply });
    stream.flush();
    await recorder.stop();
    await recorder.save(past ?? '', blocks.splice(0));
    await recorder.close();
    for (const file of [live, past]) {
      const text = readFileSync(file ?? '', 'utf8');
      assert.ok(text.includes('"GET","user:1"') && !text.includes('ada@here.org'), text);
    }
  }
});
