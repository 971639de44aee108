/** A scanned line says what a parsed one says, or is left to be parsed; damage is never taken for a command. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test, { type TestContext } from 'node:test';
import fc from 'fast-check';
import { NO_PEER } from '../../src/commands/command.js';
import { RecordedCommand } from '../../src/recording/command.js';
import { openRecording, type RecordingReader } from '../../src/recording/reader.js';
import { CommandScanner } from '../../src/recording/scan.js';
import { holds } from '../helpers/check.js';
import { folder, RECORDINGS } from '../helpers/record-files.js';

/** What is compared of a command. */
const said = (event: {
  readonly seq: number;
  readonly atUs: number;
  readonly draws: readonly number[];
  readonly decidedBy: readonly [number, number];
  readonly command: RecordedCommand['command'];
}): unknown => ({
  seq: event.seq,
  atUs: event.atUs,
  draws: event.draws,
  decidedBy: event.decidedBy,
  name: event.command.name,
  argv: event.command.argv.map((arg) => arg.toString('latin1')),
  keys: [...event.command.keys],
  session: event.command.session,
});

async function parsed(reader: RecordingReader): Promise<unknown[]> {
  const all: unknown[] = [];
  for await (const entries of reader.batches())
    for (const { event, line } of entries)
      all.push(event instanceof RecordedCommand ? said(event) : [line, event?.type]);
  return all;
}

async function scanned(
  reader: RecordingReader,
): Promise<{ readonly all: unknown[]; readonly count: number }> {
  const all: unknown[] = [];
  let count = 0;
  await reader.scan({
    command(command) {
      count++;
      assert.deepEqual(said(command.event()), said(command));
      all.push(said(command));
    },
    entry: ({ event, line }) =>
      all.push(event instanceof RecordedCommand ? said(event) : [line, event?.type]),
    pause: async () => {},
  });
  return { all, count };
}

for (const name of readdirSync(RECORDINGS))
  test(`${name}: scanned as parsed, and told the same at the end`, async () => {
    const file = path.join(RECORDINGS, name);
    const [one, other] = [await openRecording(file), await openRecording(file)];
    const all = await parsed(one);
    const found = await scanned(other);
    assert.deepEqual(found.all, all);
    assert.deepEqual(other.summary(), one.summary());
    assert.ok(name === 'resp3.rmtop' || found.count > 5, `${found.count} were scanned`);
  });

function written(t: TestContext, change: (lines: string[]) => readonly string[]): string {
  const file = path.join(folder(t), 'a.rmtop');
  const lines = readFileSync(path.join(RECORDINGS, 'session.rmtop'), 'utf8').trimEnd().split('\n');
  writeFileSync(file, `${change(lines).join('\n')}\n`);
  return file;
}

test('lines that are cut, damaged, empty or commented: counted as when they are parsed', async (t) => {
  const file = written(t, (lines) =>
    lines.flatMap((line, i) => {
      if (i < 5 || i % 3 > 0) return [line];
      return [
        line.slice(0, 7 * (i % 20) + 1),
        '# a comment',
        '',
        `${line}}`,
        line.replace('"t":', '"t":x'),
      ];
    }),
  );
  const [one, other] = [await openRecording(file), await openRecording(file)];
  const all = await parsed(one);
  assert.deepEqual((await scanned(other)).all, all);
  assert.deepEqual(other.summary(), one.summary());
  assert.ok(one.summary().damagedCount > 50);
});

const text = fc.oneof(
  fc.string(),
  fc.string({ unit: 'grapheme' }),
  fc.constantFrom('a"b', '\u0001\n"\t', '{"a":"ü/\\u0041"}', '\u2028"', '\\', '}', ',"a":['),
);
const line = fc
  .record(
    {
      n: fc.nat(),
      t: fc.nat(10_000_000).map((us) => us / 1e6),
      c: fc.nat(9),
      a: fc.array(
        fc.oneof(
          { weight: 40, arbitrary: text },
          { weight: 1, arbitrary: fc.constant({ b64: 'AP8=' }) },
        ),
        { maxLength: 20 },
      ),
      d: fc.nat(1000).map((us) => us / 1e6),
      dr: fc.array(fc.integer({ min: -1, max: 100_000 }), { maxLength: 4 }),
      x: fc.constantFrom('T', 'TW', 'L'),
      r: fc.jsonValue(),
      other: fc.jsonValue(),
      'a"b': text,
    },
    { requiredKeys: ['n', 't', 'c', 'a'] },
  )
  .chain((fields) =>
    fc
      .shuffledSubarray(Object.entries(fields), { minLength: Object.keys(fields).length })
      .map((entries) => ({ k: 'cmd', ...Object.fromEntries(entries) }) as Record<string, unknown>),
  );

test('whatever stands in a line, in any order: the same, or left to be parsed', () => {
  const scanner = new CommandScanner();
  let count = 0;
  holds(
    fc.property(line, (fields) => {
      const json = JSON.stringify(fields);
      const bytes = Buffer.from(`xx${json}\n{"k"`);
      const end = scanner.scan(bytes, 2, bytes.length);
      if (end === -1) return;
      count++;
      assert.equal(end, 2 + Buffer.byteLength(json));
      assert.equal(scanner.text, json);
      const command = scanner.load(NO_PEER);
      assert.deepEqual(command.argv.map(String), fields.a);
      const { seq, connection, atUs, draws } = scanner;
      assert.deepEqual(
        [seq, connection, atUs],
        [fields.n, fields.c, Math.round(Number(fields.t) * 1e6)],
      );
      assert.deepEqual(draws, fields.dr ?? []);
      assert.equal(command.session.multi, String(fields.x ?? '').includes('T'));
    }),
    2000,
  );
  assert.ok(count > 300, `${count} were scanned`);
});

test('a line that is cut anywhere is no command', () => {
  const scanner = new CommandScanner();
  const whole =
    '{"k":"cmd","n":7,"t":1.5,"d":0.1,"c":2,"a":["SET","k","v"],"p":["write","P"],"x":"W","r":{"+":"OK"}}';
  for (let length = 0; length < whole.length; length++)
    for (const end of ['', '\n{"k":"cmd"'])
      assert.equal(
        scanner.scan(Buffer.from(whole.slice(0, length) + end), 0, length + end.length),
        -1,
      );
  assert.equal(scanner.scan(Buffer.from(whole), 0, whole.length), whole.length);
  for (const wrong of [
    `${whole} `,
    whole.replace('"x"', '"x'),
    whole.replace('7', '7.5'),
    whole.replace('"k"', '"k\u0001"'),
  ])
    assert.equal(scanner.scan(Buffer.from(wrong), 0, wrong.length), -1, wrong);
});
