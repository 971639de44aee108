/** A flight recorder: what it keeps, what it lets go of, and that what it writes can be read alone. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import test, { type TestContext } from 'node:test';
import { Block } from '../../src/events/reader.js';
import { RingRecorder } from '../../src/recording/ring.js';
import { checkOutput } from '../../src/recording/sink.js';
import type { RingOptions, WrittenTotals } from '../../src/recording/writer.js';
import { folder, readAll, writing } from '../helpers/record-files.js';
import { RANGES, TestStream } from '../helpers/stream.js';

const WIDE: RingOptions = { ms: null, bytes: 2 ** 30, text: '1GiB', flushOn: '' };

/** A ring over a stream, its clock the test's. */
function ringOf(
  t: TestContext,
  options: Partial<RingOptions>,
): {
  readonly ring: RingRecorder;
  readonly stream: TestStream;
  readonly clock: { ms: number };
  readonly file: string;
  readonly written: [string, WrittenTotals][];
  readonly say: (from: number, to: number) => void;
} {
  const file = path.join(folder(t), 'a.rmtop');
  checkOutput(file, false);
  const clock = { ms: 0 };
  const written: [string, WrittenTotals][] = [];
  const ring = new RingRecorder(
    { ...writing(file), ring: { ...WIDE, ...options } },
    () => clock.ms,
    (name, totals) => written.push([path.basename(name), totals]),
  );
  const stream = new TestStream();
  stream.subscribe({
    lossless: true,
    behind: false,
    accept: (block, used) => {
      ring.block(new Block(block, used));
      return true;
    },
  });
  const say = (from: number, to: number): void => {
    for (let i = from; i < to; i++) {
      stream.command({ argv: ['SET', `k${i}`, 'v'.repeat(1000)] });
      stream.flush();
    }
  };
  return { ring, stream, clock, file, written, say };
}

async function numbersIn(file: string): Promise<number[]> {
  const { entries } = await readAll(file, true);
  for (const { event } of entries)
    if (event?.type === 'command') assert.equal(event.decision.action.kind, 'forward');
  return entries.flatMap(({ json }) => (json.k === 'cmd' ? [Number(json.n)] : []));
}

function upTo(from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_, i) => from + i);
}

test('the last so many seconds are written at the end, with the state they need', async (t) => {
  const { ring, stream, clock, file, written, say } = ringOf(t, { ms: 1000, text: '1s' });
  stream.client(1, 'gone');
  stream.client(2, 'worker');
  stream.pending('BLPOP', 'q');
  say(0, 10);
  stream.other({ type: 'session-closed', atUs: 9, connection: 1, by: 'client', error: null });
  stream.place(RANGES.slice(0, 2));
  stream.place(RANGES);
  say(10, 20);
  clock.ms = 5000;
  say(20, 30);
  clock.ms = 5900;
  say(30, 40);
  const totals = ring.end();
  assert.deepEqual([totals.commands, totals.parts], [20, 1]);
  assert.equal(written[0]?.[0], 'a.rmtop');
  const numbers = await numbersIn(file);
  assert.equal(numbers.length, 20);
  const { entries, reader } = await readAll(file, true);
  assert.equal(reader.header.note, 'ring 1s');
  const before = entries.slice(
    0,
    entries.findIndex(({ json }) => json.k === 'cmd'),
  );
  const kinds = before.map(({ json }) => json.k);
  assert.deepEqual([kinds[0], kinds.at(-1)], ['rmtop', 'pend']);
  assert.deepEqual(
    before.filter(({ json }) => json.k === 'conn').map(({ json }) => json.name),
    ['worker'],
  );
  assert.ok(kinds.includes('cfg') && kinds.includes('topo'));
  assert.equal(reader.summary().running.length, 1);
});

test('memory is bounded by the size, however long it runs', async (t) => {
  const most = 200_000;
  const { ring, file, say } = ringOf(t, { bytes: most });
  for (let i = 0; i < 100; i++) {
    say(i * 20, i * 20 + 20);
    assert.ok(ring.textBytes <= most, `${ring.textBytes}`);
  }
  ring.end();
  const numbers = await numbersIn(file);
  assert.ok(numbers.length > 50 && numbers.length < 200, `${numbers.length}`);
  assert.deepEqual(numbers, upTo(2001 - numbers.length, 2000));
});

test('on demand a file is written and the ring goes on: nothing twice, nothing lost', async (t) => {
  const { ring, file, written, say } = ringOf(t, {});
  say(0, 5000); // several steps
  ring.flush();
  assert.ok(ring.isWriting);
  say(5000, 5010); // comes while the file is being written
  while (ring.step());
  say(5010, 5020);
  ring.flush();
  while (ring.step());
  ring.flush(); // nothing since: a file that says so
  const totals = ring.end();
  const names = written.map(([name]) => name);
  assert.deepEqual(names, ['a.rmtop', 'a-0002.rmtop', 'a-0003.rmtop']);
  assert.equal(totals.commands, 5020);
  const numbers = await Promise.all(
    names.map((name) => numbersIn(path.join(path.dirname(file), name))),
  );
  assert.deepEqual(numbers.flat(), upTo(1, 5020));
  assert.equal(numbers[0]?.length, 5000);
});

test('--flush-on: written once, at the first command that fits; without one there is no file', async (t) => {
  const { ring, stream, file, written, say } = ringOf(t, { flushOn: 'err' });
  say(0, 10);
  stream.command({ argv: ['GET', 'k'], reply: '-ERR no\r\n' });
  stream.flush();
  while (ring.step());
  assert.equal(written.length, 1);
  stream.command({ argv: ['GET', 'k'], reply: '-ERR no\r\n' });
  stream.flush();
  say(10, 20);
  assert.deepEqual([ring.end().parts, await numbersIn(file)], [1, upTo(1, 11)]);

  const quiet = ringOf(t, { flushOn: 'err' });
  quiet.say(0, 10);
  assert.equal(quiet.ring.end().parts, 0);
  assert.deepEqual(readdirSync(path.dirname(quiet.file)), []);
  assert.ok(!existsSync(quiet.file));
});
