/** Files: what a recorder writes, parts, limits, what is left out; and what a reader makes of whole, torn and damaged ones. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test, { type TestContext } from 'node:test';
import { gzipSync } from 'node:zlib';
import { RmtopError } from '../../src/errors.js';
import type { OtherEvent } from '../../src/events/event.js';
import { Block } from '../../src/events/reader.js';
import { RecordedCommand } from '../../src/recording/command.js';
import { openRecording, readRecording } from '../../src/recording/reader.js';
import { Recorder } from '../../src/recording/recorder.js';
import { checkOutput, partPath } from '../../src/recording/sink.js';
import type { JsonObject } from '../../src/recording/values.js';
import type { WriterOptions } from '../../src/recording/writer.js';
import { folder, readAll, writing } from '../helpers/record-files.js';
import { RANGES, TestStream } from '../helpers/stream.js';

/** Records what `say` makes happen; the clock is the test's. */
function record(
  options: WriterOptions,
  say: (stream: TestStream, clock: { ms: number }) => void,
  end: string | null = 'quit',
): Recorder {
  const clock = { ms: 0 };
  const recorder = new Recorder(options, () => clock.ms);
  const stream = new TestStream();
  const stop = stream.subscribe({
    lossless: true,
    behind: false,
    accept: (block, used) => {
      recorder.block(new Block(block, used));
      return true;
    },
  });
  say(stream, clock);
  stream.flush();
  stop();
  if (end !== null) recorder.end(end);
  return recorder;
}

function aDay(stream: TestStream): void {
  stream.client(1, 'worker', 'ioredis 5.4.1');
  for (let i = 0; i < 20; i++) {
    stream.command({ argv: ['SET', `k${i}`, `value ${i}`], atMs: i });
    stream.command({ argv: ['GET', `k${i}`], reply: `$7\r\nvalue ${i % 10}\r\n`, atMs: i });
  }
  stream.command({ argv: ['GET', 'k1'], movedTo: '10.1.2.5:6379' });
  stream.pending('BLPOP', 'q');
  stream.place(RANGES.slice(0, 2));
  stream.command({ argv: ['MGET', 'a', 'b'], reply: '*2\r\n$-1\r\n$-1\r\n' });
  stream.other({
    type: 'push',
    atUs: 9,
    connection: 1,
    reply: '*3\r\n$1\r\na\r\n$1\r\nb\r\n:1\r\n',
  });
  stream.other({ type: 'log', atUs: 9, level: 'warning', text: 'no route', next: '--map' });
  stream.other({ type: 'session-closed', atUs: 99, connection: 1, by: 'client', error: null });
}

function kinds(entries: readonly { readonly json: JsonObject }[]): unknown[] {
  return entries.map((entry) => entry.json.k);
}

test('what is read is what was written: every event, every decision, and the file is private', async (t) => {
  const file = path.join(folder(t), 'a.rmtop');
  const stream = new TestStream();
  const events = stream.events(() => aDay(stream));
  record(writing(file), aDay);
  assert.equal(statSync(file).mode & 0o777, 0o600);
  const { entries, reader } = await readAll(file, true);
  const summary = reader.summary();
  assert.deepEqual(
    [summary.commands, summary.torn, summary.damagedCount, summary.fin?.why],
    [42, null, 0, 'quit'],
  );
  assert.deepEqual(
    summary.running.map((each) => each.key),
    ['q'],
  );
  const isKept = (event: { type: string }): boolean => event.type !== 'server';
  const read = entries.flatMap((entry) => entry.event ?? []).filter(isKept);
  const said = events.filter(isKept);
  assert.deepEqual(read.map((event) => event.type).sort(), said.map((event) => event.type).sort());
  for (const event of said) {
    if (event.type !== 'command') {
      assert.ok(
        read.some(
          (each) => each.type === event.type && each.atUs === event.atUs && equal(each, event),
        ),
        event.type,
      );
      continue;
    }
    const same = read.find((each) => each.type === 'command' && each.seq === event.seq);
    assert.ok(same instanceof RecordedCommand);
    assert.deepEqual(same.decision, event.decision);
    assert.deepEqual(same.attempts, event.attempts);
    assert.deepEqual(same.reply, event.reply);
    assert.deepEqual(same.request, event.request);
  }
});

function equal(a: unknown, b: unknown): boolean {
  try {
    assert.deepEqual(a, b);
    return true;
  } catch {
    return false;
  }
}

test('cut at every byte: all lines before the tear are there, and the tear is told', async (t) => {
  const file = path.join(folder(t), 'a.rmtop');
  record(writing(file), (stream) => {
    stream.client(1);
    stream.command({ argv: ['SET', 'k', 'é'] });
    stream.command({ argv: ['GET', 'k'], reply: '$2\r\né\r\n' });
  });
  const bytes = readFileSync(file);
  const header = bytes.indexOf('\n');
  for (let end = header + 1; end <= bytes.length; end++) {
    writeFileSync(file, bytes.subarray(0, end));
    const { entries, reader } = await readAll(file, true);
    const whole = bytes.subarray(0, end).toString('latin1').split('\n').length - 1;
    assert.equal(entries.length, whole, `${end} bytes`);
    const isTorn = bytes[end - 1] !== 0x0a;
    assert.equal(reader.summary().torn !== null, isTorn);
    assert.equal(reader.summary().fin === null, end < bytes.length);
  }
});

test('a line that is no record is damage, the last one a torn tail; comments and what is new are passed over', async (t) => {
  const file = path.join(folder(t), 'a.rmtop');
  record(writing(file), aDay);
  const lines = readFileSync(file, 'utf8').trimEnd().split('\n');
  const fresh = ['# a comment', '', '{"k":"new","t":1,"x":{}}', lines[5] ?? ''];
  writeFileSync(
    file,
    `${[
      ...lines.slice(0, 5),
      ...fresh,
      '{"k":"cmd","n":',
      '[1]',
      '{"k":"cmd","n":"x"}',
      ...lines.slice(6),
      '{"k"',
    ].join('\n')}\n`,
  );
  const { reader } = await readAll(file);
  const { damaged, damagedCount, torn, commands } = reader.summary();
  assert.deepEqual([damaged, damagedCount, commands], [[10, 11, 12], 3, 42]);
  assert.match(torn ?? '', /line \d+, which is no record/);
  await assert.rejects(
    readAll(file, true),
    (error) =>
      error instanceof RmtopError && error.code === 'REC_DAMAGED' && /line 10 /.test(error.message),
  );
});

test('gzip: members that stand alone, read with and without their end', async (t) => {
  const file = path.join(folder(t), 'a.rmtop.gz');
  record(writing(file), (stream, clock) => {
    for (let i = 0; i < 50; i++) {
      stream.command({ argv: ['SET', `k${i}`, 'v'] });
      stream.flush();
      clock.ms += 100;
    }
  });
  const bytes = readFileSync(file);
  assert.deepEqual([bytes[0], bytes[1]], [0x1f, 0x8b]);
  const { reader } = await readAll(file, true);
  assert.equal(reader.summary().commands, 50);
  assert.equal(reader.summary().fin?.cmds, 50);
  writeFileSync(file, Buffer.concat([gzipSync(readFileSyncText(bytes)), bytes.subarray(0, -20)]));
  const torn = await readAll(file);
  assert.ok(torn.reader.summary().torn !== null);
});

function readFileSyncText(_bytes: Buffer): string {
  return '{"k":"rmtop","v":1,"min":1,"t0":"2026-11-30T12:04:05Z"}\n';
}

test('waiting gzip lines are written after a second', (t) => {
  const file = path.join(folder(t), 'a.rmtop.gz');
  const clock = { ms: 0 };
  const recorder = new Recorder(writing(file), () => clock.ms);
  new TestStream().subscribe({
    lossless: true,
    behind: false,
    accept: (block, used) => {
      recorder.block(new Block(block, used));
      return true;
    },
  });
  recorder.tick();
  assert.equal(statSync(file).size, 0);
  clock.ms = 1000;
  recorder.tick();
  assert.ok(statSync(file).size > 0);
  recorder.end('quit');
});

test('parts: each is complete by itself, the oldest go', async (t) => {
  const dir = folder(t);
  const file = path.join(dir, 'a.rmtop');
  const options = writing(file);
  const value = 'v'.repeat(10_000);
  record(
    {
      ...options,
      sink: { ...options.sink, rotateBytes: 1_000_000, keepParts: 2 } as typeof options.sink,
    },
    (stream) => {
      stream.client(4, 'worker');
      for (let i = 0; i < 400; i++) {
        stream.command({ argv: ['SET', `k${i}`, value], connection: 4 });
        stream.flush();
      }
    },
  );
  const names = readdirSync(dir).sort();
  assert.equal(names.length, 2);
  assert.ok(
    names.every((name) => /^a-000\d\.rmtop$/.test(name)),
    names.join(),
  );
  let commands = 0;
  for (const [i, name] of names.entries()) {
    const { entries, reader } = await readAll(path.join(dir, name), true);
    assert.deepEqual(kinds(entries).slice(0, 4), ['rmtop', 'cfg', 'topo', 'conn']);
    assert.equal(reader.header.prev, partPath('a.rmtop', Number(reader.header.part) - 1));
    assert.equal(reader.summary().fin?.why, i === names.length - 1 ? 'quit' : 'rotate');
    for (const entry of entries)
      if (entry.event?.type === 'command')
        assert.equal(entry.event.decision.action.kind, 'forward');
    commands += reader.summary().commands;
  }
  assert.ok(commands > 100 && commands < 400);
});

test('a limit ends the recording with its reason', async (t) => {
  const file = path.join(folder(t), 'a.rmtop');
  const options = writing(file);
  const recorder = record(
    { ...options, sink: { ...options.sink, maxBytes: 1_500_000 } as typeof options.sink },
    (stream) => {
      for (let i = 0; i < 400; i++) {
        stream.command({ argv: ['SET', `k${i}`, 'v'.repeat(10_000)] });
        stream.flush();
      }
    },
  );
  assert.equal(recorder.stopped, '--max-size is reached');
  const { reader } = await readAll(file, true);
  assert.equal(reader.summary().fin?.why, 'limit');
  assert.ok(statSync(file).size < 3_000_000);
});

test('check records say what is open', async (t) => {
  const file = path.join(folder(t), 'a.rmtop');
  record(writing(file), (stream, clock) => {
    stream.client(3);
    stream.command({ argv: ['GET', 'k'] });
    clock.ms = 6000;
  });
  const { entries } = await readAll(file, true);
  const check = entries.find((entry) => entry.json.k === 'ck')?.json;
  assert.deepEqual([check?.n, check?.cmds, check?.open], [1, 1, [3]]);
});

const SECRET_VALUE = 'top-secret-value';

async function redacted(
  t: TestContext,
  redact: Partial<WriterOptions['redact']>,
): Promise<{ text: string; entries: JsonObject[] }> {
  const file = path.join(folder(t), 'a.rmtop');
  const mode = {
    mode: 'auth',
    glob: '',
    key: 'k',
    capture: 'replies',
    rules: [],
    ...redact,
  } as const;
  record(writing(file, { redact: mode }), (stream) => {
    stream.command({ argv: ['SET', 'session:1', SECRET_VALUE, 'EX', '60'] });
    stream.command({ argv: ['GET', 'session:1'], reply: `$16\r\n${SECRET_VALUE}\r\n` });
    stream.command({ argv: ['HSET', 'other', 'field', 'plain'], reply: ':1\r\n' });
    stream.command({
      argv: ['EVAL', `return '${SECRET_VALUE}'`, '1', 'session:2'],
      reply: `*1\r\n$16\r\n${SECRET_VALUE}\r\n`,
    });
  });
  const { entries } = await readAll(file, true);
  for (const entry of entries)
    if (entry.event?.type === 'command') assert.equal(entry.event.decision.action.kind, 'forward');
  return {
    text: readFileSync(file, 'utf8'),
    entries: entries.map((entry) => entry.json).filter((json) => json.k === 'cmd'),
  };
}

function argsOf(line: JsonObject | undefined): readonly unknown[] {
  assert.ok(Array.isArray(line?.a));
  return line.a;
}

test('values redacted: keys, options and numbers stay, equal values stay equal, decisions can be made again', async (t) => {
  const { text, entries } = await redacted(t, { mode: 'values' });
  assert.ok(!text.includes(SECRET_VALUE) && !text.includes('plain'));
  const [set, get, hset] = entries;
  const removed = argsOf(set)[2] as JsonObject;
  assert.deepEqual(set?.a, ['SET', 'session:1', removed, 'EX', '60']);
  assert.deepEqual([removed?.red, removed?.len, String(removed?.h).length], ['value', 16, 12]);
  assert.deepEqual(get?.r, removed);
  assert.equal(hset?.r, 1);
});

test('values of some keys redacted', async (t) => {
  const { text, entries } = await redacted(t, { mode: 'keys', glob: 'session:*' });
  assert.ok(!text.includes(SECRET_VALUE));
  assert.deepEqual(entries[2]?.a, ['HSET', 'other', 'field', 'plain']);
});

test('args only, keys only', async (t) => {
  const args = await redacted(t, { capture: 'args' });
  assert.deepEqual(
    [args.entries[1]?.r, args.entries[1]?.rs, args.entries[0]?.a],
    [undefined, 23, ['SET', 'session:1', SECRET_VALUE, 'EX', '60']],
  );
  const keys = await redacted(t, { capture: 'keys' });
  assert.ok(!keys.text.includes(SECRET_VALUE));
  assert.deepEqual(argsOf(keys.entries[0])[4], { red: 'capture', len: 2 });
});

test('a filter records what fits; the header says so', async (t) => {
  const file = path.join(folder(t), 'a.rmtop');
  const options = writing(file, { filter: 'class=write' });
  record({ ...options, header: { ...options.header, filter: 'class=write' } }, aDay);
  const { entries, reader } = await readAll(file, true);
  assert.equal(reader.header.filter, 'class=write');
  assert.equal(entries.filter((entry) => entry.json.k === 'cmd').length, 20);
});

test('an output that cannot be is told before anything starts', (t) => {
  const file = path.join(folder(t), 'a.rmtop');
  checkOutput(file, false);
  assert.throws(
    () => checkOutput(file, false),
    (error) => error instanceof RmtopError && error.code === 'OUTPUT_EXISTS',
  );
  checkOutput(file, true);
  assert.ok(existsSync(file));
  assert.throws(
    () => checkOutput(path.join(file, 'x'), true),
    (error) => error instanceof RmtopError && error.code === 'OUTPUT_FAILED',
  );
});

test('what is no recording, or one of a later format, is told with what to do', async (t) => {
  const file = path.join(folder(t), 'a');
  const cases: [string, string, RegExp][] = [
    ['', 'NO_RECORDING', /record -o/],
    ['1700000000.123456 [0 127.0.0.1:5] "GET" "k"\n', 'NO_RECORDING', /--from monitor/],
    ['*1\r\n$4\r\nPING\r\n', 'NO_RECORDING', /--from resp/],
    ['{"k":"rmtop","v":1}\n', 'NO_RECORDING', /record -o/],
    ['{"k":"rmtop","v":9,"min":9,"tool":"rmtop 9"}\n', 'REC_TOO_NEW', /update/],
  ];
  for (const [text, code, next] of cases) {
    writeFileSync(file, text);
    await assert.rejects(openRecording(file), (error) => {
      assert.ok(error instanceof RmtopError);
      assert.equal(error.code, code);
      assert.match(error.next.join(), next);
      return true;
    });
  }
  await assert.rejects(
    openRecording('/nowhere.rmtop'),
    (error) => error instanceof RmtopError && error.code === 'FILE_UNREADABLE',
  );
  writeFileSync(
    file,
    '{"k":"rmtop","v":2,"min":1,"t0":"x","listen":[],"up":"y","tool":"rmtop 9"}\n{"k":"end","t":1,"c":3,"why":"client"}\n',
  );
  const { reader } = await readAll(file);
  assert.equal(reader.notes.length, 1);
  const events: OtherEvent[] = [];
  for await (const event of readRecording(file)) if (event.type !== 'command') events.push(event);
  assert.deepEqual(
    events.map((event) => event.type),
    ['hello', 'session-closed'],
  );
});
