/** Commands of MONITOR logs, append-only files and RESP: from real servers, and from files with all that may be in them. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import {
  createReadStream,
  createWriteStream,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import test, { type TestContext } from 'node:test';
import fc from 'fast-check';
import { REPLAY_DEFAULTS } from '../../bin/replay/flags.js';
import { replayRecording } from '../../bin/replay/run.js';
import { RmtopError } from '../../src/errors.js';
import { readWords } from '../../src/recording/imports/monitor.js';
import {
  IMPORT_FORMATS,
  type ImportFormat,
  type ImportNotes,
  importCommands,
} from '../../src/recording/imports.js';
import { encodeRequest } from '../../src/resp/encode.js';
import { holds } from '../helpers/check.js';
import { TestClient } from '../helpers/client.js';
import { ask, servers, sharedServer } from '../helpers/cluster.js';
import { runProgram } from '../helpers/program.js';
import { folder, HEADER, readAll, writing } from '../helpers/record-files.js';
import { until } from '../helpers/until.js';

const server = sharedServer();

type Back = {
  readonly file: string;
  readonly notes: ImportNotes;
  /** `connection: arguments`, at µs. */
  readonly commands: readonly (readonly [us: number, client: number, words: string])[];
};

async function imported(
  t: TestContext,
  name: ImportFormat['name'],
  from: string,
  scripts = false,
): Promise<Back> {
  const format = IMPORT_FORMATS.find((each) => each.name === name);
  assert.ok(format !== undefined);
  const file = path.join(folder(t), 'a.rmtop');
  const options = writing(file, { header: { ...HEADER, src: name } });
  const { totals, notes } = await importCommands(format, from, options, () => 0, {
    scripts,
  });
  const { entries, reader } = await readAll(file, true);
  const commands = entries.flatMap(({ event }) =>
    event?.type === 'command'
      ? [
          [
            event.atUs,
            event.connection,
            event.args.map((arg) => arg.bytes.toString('latin1')).join(' '),
          ] as const,
        ]
      : [],
  );
  assert.deepEqual([reader.header.src, reader.summary().fin?.why], [name, 'quit']);
  assert.equal(totals.commands, commands.length);
  return { file, notes, commands };
}

function written(t: TestContext, text: string | Buffer): string {
  const file = path.join(folder(t), 'in');
  writeFileSync(file, text);
  return file;
}

test('MONITOR: times, clients, databases, scripts, secrets and bytes', async (t) => {
  const log = [
    'OK',
    '1700000000.000100 [0 127.0.0.1:51830] "set" "k" "a \\"b\\" \\x00\\xff\\n\\\\"',
    '1700000000.500000 [0 unix:/run/redis.sock] "GET" "k"',
    '1700000001.000100 [0 127.0.0.1:51830] "select" "2"',
    '1700000001.000200 [2 127.0.0.1:51830] "get" "k"',
    '1700000001.000300 [3 127.0.0.1:9] "get" "k"',
    '1700000001.000400 [2 lua] "get" "k"',
    '1700000001.000500 [0 127.0.0.1:7] "AUTH" "(redacted)"',
    '1700000001.000600 [0 127.0.0.1:7] "set" "cut',
    'some other line',
  ].join('\n');
  const { commands, notes, file } = await imported(t, 'monitor', written(t, log));
  assert.deepEqual(commands, [
    [0, 1, 'set k a "b" \x00\xff\n\\'],
    [499_900, 2, 'GET k'],
    [1_000_000, 1, 'select 2'],
    [1_000_100, 1, 'get k'],
    [1_000_200, 3, 'SELECT 3'],
    [1_000_200, 3, 'get k'],
    [1_000_400, 4, 'AUTH (redacted)'],
  ]);
  assert.deepEqual([...notes.skipped.values()], [1, 1, 1]);
  const { reader, entries } = await readAll(file);
  assert.equal(reader.header.t0, '2023-11-14T22:13:20.000000Z');
  const auth = entries.findLast(({ json }) => json.k === 'cmd');
  assert.deepEqual(auth?.json.a, ['AUTH', { red: 'auth' }]);
});

test('what scripts ran is kept as notes, beside the command that ran them; never a secret', async (t) => {
  const port = server.port();
  const [monitor, one] = await Promise.all([1, 2].map(() => TestClient.connect(port)));
  assert.ok(monitor !== undefined && one !== undefined);
  t.after(() => {
    for (const client of [monitor, one]) client.close();
  });
  let log = '';
  monitor.socket.on('data', (chunk: Buffer) => {
    log += chunk.toString('latin1').replace(/^\+/gm, '').replace(/\r/g, '');
  });
  monitor.write('MONITOR\r\n');
  await until(() => log.includes('OK'));
  await one.ask('GET', 'lua:a');
  const script =
    'redis.call("SET", KEYS[1], "x y"); redis.call("APPEND", KEYS[1], ARGV[1]); return 1';
  await one.ask('EVAL', script, '1', 'lua:a', Buffer.from([0, 255]));
  await one.ask('GET', 'lua:last');
  await until(() => log.includes('lua:last'));
  const from = written(t, Buffer.from(log, 'latin1'));
  const notesOf = async (file: string): Promise<unknown[]> =>
    (await readAll(file)).entries.flatMap(({ json }) => (json.k === 'note' ? [json.text] : []));
  const kept = await imported(t, 'monitor', from, true);
  assert.equal(kept.commands.length, 3);
  assert.deepEqual(
    [await notesOf(kept.file), [...kept.notes.skipped]],
    [['script of #2: SET lua:a "x y"', String.raw`script of #2: APPEND lua:a "\x00\xff"`], []],
  );
  const shared = await runProgram(t, ['cat', '--json', '--redact', 'keys=other:*', kept.file]);
  assert.match(shared.stdout, /"script of #2: SET \(arguments removed\)"/);
  assert.match(shared.stdout, /"script of #2: APPEND \(arguments removed\)"/);
  const left = await imported(t, 'monitor', from);
  assert.deepEqual(await notesOf(left.file), []);
  assert.match([...left.notes.skipped.keys()].join(), /^commands of scripts.*--lua keeps them/);

  const output = path.join(folder(t), 'o.rmtop');
  const secret = written(
    t,
    '1700000000.1 [0 x] "get" "k"\n1700000000.000100 [0 1.2.3.4:5] "eval" "" "0"\n' +
      '1700000000.000200 [0 lua] "CONFIG" "SET" "requirepass" "s3cret"\n',
  );
  const args = ['import', '--from', 'monitor', '--lua', secret, '-o', output];
  assert.equal((await runProgram(t, args)).code, 0);
  assert.deepEqual(await notesOf(output), ['script of #1: CONFIG SET requirepass "(redacted)"']);
  assert.equal((await runProgram(t, [...args, '--force', '--redact', 'values'])).code, 0);
  assert.deepEqual(await notesOf(output), ['script of #1: CONFIG (arguments removed)']);
  const aof = await runProgram(t, ['import', '--from', 'aof', '--lua', secret]);
  assert.deepEqual([aof.code, /used with --from monitor/.test(aof.stderr)], [64, true]);
});

test('any bytes come back from the way MONITOR writes them', () => {
  const escaped = (byte: number): string =>
    byte >= 0x20 && byte < 0x7f
      ? String.fromCharCode(byte).replace(/["\\]/g, '\\$&')
      : `\\x${byte.toString(16).padStart(2, '0')}`;
  holds(
    fc.property(fc.array(fc.uint8Array(), { minLength: 1 }), (words) => {
      const text = words.map((word) => `"${[...word].map(escaped).join('')}"`).join(' ');
      assert.deepEqual(
        readWords(text)?.map(({ bytes }) => [...bytes]),
        words.map((word) => [...word]),
      );
    }),
    200,
  );
});

test('a real MONITOR log replays, in the order of execution', async (t) => {
  const port = server.port();
  await ask(port, ['FLUSHALL']);
  const [monitor, one, two] = await Promise.all([1, 2, 3].map(() => TestClient.connect(port)));
  assert.ok(monitor !== undefined && one !== undefined && two !== undefined);
  t.after(() => {
    for (const client of [monitor, one, two]) client.close();
  });
  let log = '';
  monitor.socket.on('data', (chunk: Buffer) => {
    log += chunk.toString('latin1').replace(/^\+/gm, '').replace(/\r/g, '');
  });
  monitor.write('MONITOR\r\n');
  await until(() => log.includes('OK'));
  for (let i = 0; i < 20; i++) {
    await one.ask('RPUSH', 'list', `one ${i}`);
    await two.ask('RPUSH', 'list', Buffer.from([i, 255, 10]));
  }
  await one.ask('EVAL', 'return redis.call("INCR", KEYS[1])', '1', 'n');
  await until(() => log.includes('"INCR"'));
  const text = Buffer.from(log, 'latin1'); // without what is asked from here on
  const before = await ask(port, ['LRANGE', 'list', '0', '-1']);
  const { file, commands } = await imported(t, 'monitor', written(t, text));
  assert.equal(commands.length, 41);
  for (const direct of [false, true]) {
    const flags = {
      ...REPLAY_DEFAULTS,
      speed: 'max',
      upstream: `127.0.0.1:${port}`,
      flush: true,
      direct,
    };
    const { report, exitCode, outcome } = await replayRecording(file, flags);
    assert.deepEqual([exitCode, outcome.sent, report.notCompared], [0, 41, 41]);
    assert.deepEqual(await ask(port, ['LRANGE', 'list', '0', '-1']), before);
    assert.equal(await ask(port, ['GET', 'n']), '1');
  }
});

test("Redis's own append-only folder, with its times; a torn one, and one that begins with an RDB", async (t) => {
  const all = servers();
  t.after(() => all.stop());
  const redis = await all.start([
    '--appendonly',
    'yes',
    '--aof-timestamp-enabled',
    'yes',
    '--appendfsync',
    'always',
  ]);
  await ask(redis.port, ['SET', 'k', '#TS:1\r\n#TS:2']);
  await ask(redis.port, ['EXPIRE', 'k', '100']);
  await ask(redis.port, ['INCR', 'n']);
  const dir = path.join(all.folder, 'appendonlydir');
  const { commands, notes } = await imported(t, 'aof', dir);
  const words = commands.map(([, , text]) => text.replace(/\d{13}$/, 'MS'));
  assert.deepEqual(words, ['SELECT 0', 'SET k #TS:1\r\n#TS:2', 'PEXPIREAT k MS', 'INCR n']);
  assert.ok((notes.startedMs ?? 0) > 1_700_000_000_000);
  assert.match([...notes.skipped.keys()].join(), /base .*RDB/);
  const torn = Buffer.concat([encodeRequest(['SET', 'a', '1']), Buffer.from('*2\r\n$4\r\nINC')]);
  const cut = await imported(t, 'aof', written(t, torn));
  assert.deepEqual(
    [cut.commands.length, [...cut.notes.skipped.keys()]],
    [1, ['last request, which is cut']],
  );
  const empty = path.join(folder(t), 'dir');
  mkdirSync(empty);
  for (const from of [written(t, 'REDIS0009'), empty])
    await assert.rejects(
      imported(t, 'aof', from),
      (error) => error instanceof RmtopError && error.code === 'NO_RECORDING',
    );
});

test('annotations at any place of the chunks are no commands', async (t) => {
  const parts: Buffer[] = [];
  for (let i = 0; i < 8000; i++)
    parts.push(
      Buffer.from(`#TS:${1_700_000_000 + i}\r\n`),
      encodeRequest(['SET', `k${i}`, '#TS:']),
    );
  const { commands } = await imported(t, 'aof', written(t, Buffer.concat(parts)));
  assert.equal(commands.length, 8000);
  assert.deepEqual(commands.at(-1), [7_999_000_000, 1, 'SET k7999 #TS:']);
});

test('RESP: arrays and inline commands of one connection; secrets are taken out', async (t) => {
  const text = Buffer.concat([
    encodeRequest(['SET', 'k', Buffer.from([0, 255])]),
    Buffer.from('GET k\r\n'),
    encodeRequest(['AUTH', 'hunter2']),
  ]);
  const { commands, file } = await imported(t, 'resp', written(t, text));
  assert.deepEqual(
    commands.map(([, , words]) => words),
    ['SET k \x00\xff', 'GET k', 'AUTH (redacted)'],
  );
  assert.ok(!readFileSync(file, 'utf8').includes('hunter2'));
});

test('RESP whose lines end without a carriage return is refused, not read as one request that never ends', async (t) => {
  const dir = folder(t);
  const from = path.join(dir, 'in');
  writeFileSync(from, '*2\n$3\nGET\n$1\nk\n');
  const done = await runProgram(t, [
    ...['import', from, '--from', 'resp'],
    ...['-o', path.join(dir, 'out.rmtop')],
  ]);
  assert.equal(done.code, 5, done.stderr);
  assert.match(done.stderr, /lines end with \\n[\s\S]*sed /);
});

test('rmtop import says what came of it, and what to do next', async (t) => {
  const dir = folder(t);
  const from = path.join(dir, 'in');
  writeFileSync(from, encodeRequest(['SET', 'k', 'v']));
  const out = path.join(dir, 'out.rmtop');
  const done = await runProgram(t, ['import', from, '--from', 'resp', '-o', out]);
  assert.equal(done.code, 0, done.stderr);
  assert.match(
    done.stderr,
    /^imported 1 commands into .*out\.rmtop \(.*\)\nnext: {2}rmtop replay /m,
  );
  const before = readFileSync(out);
  const wrong = await runProgram(t, ['import', from, '--from', 'monitor', '-o', out, '--force']);
  assert.deepEqual([wrong.code, /no log of MONITOR/.test(wrong.stderr)], [5, true], wrong.stderr);
  assert.deepEqual(readFileSync(out), before, 'the recording that was there');
  assert.deepEqual(readdirSync(dir).sort(), ['in', 'out.rmtop']);
});

test('a link stays one and what it leads to is replaced; a pipe is written to; nobody at its other end is told', async (t) => {
  const dir = folder(t);
  const from = written(t, '1700000000.100000 [0 1.2.3.4:5] "set" "k" "v"\n');
  const [real, link, pipe, got] = ['real.rmtop', 'link.rmtop', 'pipe', 'got.rmtop'].map((name) =>
    path.join(dir, name),
  ) as [string, string, string, string];
  const args = ['import', from, '--from', 'monitor', '-o'];
  writeFileSync(real, 'before\n');
  symlinkSync('real.rmtop', link);
  assert.equal((await runProgram(t, [...args, link, '--force'])).code, 0);
  assert.equal(readlinkSync(link), 'real.rmtop');
  assert.deepEqual((await readAll(real)).entries.length > 1, true);

  execFileSync('mkfifo', [pipe]);
  const unread = await runProgram(t, [...args, pipe]);
  assert.match(unread.stderr, /error\[OUTPUT_FAILED\][\s\S]*nobody reads this pipe/);
  const read = once(createReadStream(pipe).pipe(createWriteStream(got)), 'finish');
  // Whoever opens a pipe to read waits for a writer: from then on one is let in.
  await until(async () => (await runProgram(t, [...args, pipe])).code === 0);
  await read;
  assert.ok((await readAll(got)).entries.length > 1);
  assert.ok(lstatSync(pipe).isFIFO());
});
