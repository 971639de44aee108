/** Redaction of what is no command, and of recordings that were made without it. */
import assert from 'node:assert/strict';
import path from 'node:path';
import test, { type TestContext } from 'node:test';
import { Block } from '../../src/events/reader.js';
import { EXPORTERS } from '../../src/recording/exporters.js';
import { Recorder } from '../../src/recording/recorder.js';
import {
  REDACT_AUTH,
  type RedactOptions,
  Redactor,
  redactedEntry,
} from '../../src/recording/redact.js';
import { folder, readAll, writing } from '../helpers/record-files.js';
import { TestStream } from '../helpers/stream.js';

const SECRET = 'top-secret-value';
const PUBLIC = 'public-value';

async function recorded(t: TestContext, redact: RedactOptions) {
  const file = path.join(folder(t), 'a.rmtop');
  const recorder = new Recorder(writing(file, { redact }), () => 0);
  const stream = new TestStream();
  stream.subscribe({
    lossless: true,
    behind: false,
    accept: (block, used) => {
      recorder.block(new Block(block, used));
      return true;
    },
  });
  stream.client(1, 'worker');
  stream.command({ argv: ['SET', 'session:1', SECRET, 'EX', '60'] });
  stream.command({ argv: ['GET', 'session:1'], reply: `$${SECRET.length}\r\n${SECRET}\r\n` });
  stream.command({ argv: ['SET', 'other', PUBLIC] });
  stream.other({
    ...{ type: 'mirror', atUs: 9, seq: 2, part: 0, upstream: 'new', address: '10.0.0.1:6379' },
    ...{ state: 'diff', lagUs: 1, durationUs: 2, cause: null },
    ...{ detail: `"${SECRET}" > "x"`, reply: `$${SECRET.length}\r\n${SECRET}\r\n` },
  });
  for (const [channel, message] of [
    ['session:news', SECRET],
    ['weather', PUBLIC],
  ] as const) {
    const reply = `>3\r\n$7\r\nmessage\r\n$${channel.length}\r\n${channel}\r\n$${message.length}\r\n${message}\r\n`;
    stream.other({ type: 'push', atUs: 9, connection: 1, reply });
  }
  stream.flush();
  recorder.end('quit');
  return (await readAll(file, true)).entries;
}

const OPTIONS: readonly RedactOptions[] = [
  { mode: 'values', glob: '', key: 'k', capture: 'replies', rules: [] },
  { mode: 'keys', glob: 'session:*', key: 'k', capture: 'replies', rules: [] },
  { mode: 'auth', glob: '', key: '', capture: 'keys', rules: [] },
];

test('nothing of a removed value is in any line: not in mirrors, nor in what was pushed', async (t) => {
  for (const options of OPTIONS) {
    const text = (await recorded(t, options)).map((entry) => entry.text).join('\n');
    assert.ok(!text.includes(SECRET), JSON.stringify(options));
    assert.equal(text.includes(PUBLIC), options.mode === 'keys');
    for (const kept of ['session:1', 'session:news', '"k":"mir"', '"st":"diff"'])
      assert.ok(text.includes(kept), kept);
  }
});

test('a recording that is cleaned later is as if it had been recorded so', async (t) => {
  const plain = await recorded(t, REDACT_AUTH);
  assert.ok(plain.some((entry) => entry.text.includes(SECRET)));
  for (const options of OPTIONS) {
    const redactor = new Redactor(options);
    const header = { mode: options.mode, key: 'given' } as const;
    const cleaned = plain.map((entry) => redactedEntry(entry, redactor, header));
    const wanted = await recorded(t, options);
    const lines = (of: typeof plain): unknown[] =>
      of.filter(({ json }) => json.k !== 'rmtop' && json.k !== 'fin').map(({ json }) => json);
    assert.deepEqual(lines(cleaned), lines(wanted));
    assert.deepEqual(cleaned[0]?.json.redact, header);
    for (const entry of cleaned) {
      assert.deepEqual(JSON.parse(entry.text), entry.json);
      for (const exporter of EXPORTERS.filter(({ name }) => /text|json|flat|csv/.test(name)))
        assert.ok(!String(exporter.entry(entry)).includes(SECRET), exporter.name);
    }
  }
});
