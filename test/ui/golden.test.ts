/**
 * Frames as they are painted, compared with those in `golden/`: every size of the layouts with colour, without, and in ASCII; every pane.
 *
 * A change of the screen changes them: `UPDATE_GOLDEN=1 npm test -- ui/golden` writes them anew, and the diff is read like code.
 */
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test, { mock, type TestContext } from 'node:test';
import { PANES } from '../../ui/panes.js';
import { TestReplay } from '../helpers/replaying.js';
import { WholeScreen } from '../helpers/whole-screen.js';

process.env.TZ = 'UTC';
const NOW = '2026-11-30T12:05:05.000Z';
const FOLDER = path.join(import.meta.dirname, '..', '..', '..', 'test', 'ui', 'golden');
const isUpdate = process.env.UPDATE_GOLDEN === '1';

const SIZES = [
  [60, 15],
  [80, 24],
  [100, 30],
  [120, 36],
  [200, 50],
] as const;

const MODES = {
  colour: { depth: 'true', unicode: true },
  plain: { depth: 'none', unicode: true },
  ascii: { depth: 'none', unicode: false },
} as const;

/** A minute of a shop: reads, writes, errors, and what the mesh refuses. */
async function shop(
  t: TestContext,
  columns: number,
  rows: number,
  mode: keyof typeof MODES,
): Promise<WholeScreen> {
  mock.timers.enable({ apis: ['Date'], now: Date.parse(NOW) });
  t.after(() => mock.timers.reset());
  const whole = new WholeScreen(t, { columns, rows, ...MODES[mode] });
  const { stream } = whole;
  stream.client(1, 'api-1', 'redis-py');
  stream.client(2, 'worker');
  stream.client(3, null, 'ioredis');
  for (let i = 1; i <= 60; i++) {
    const atMs = i * 1000;
    const connection = 1 + (i % 3);
    const key = `user:${i % 7}:profile`;
    if (i % 20 === 0)
      stream.command({
        argv: ['BLPOP', 'jobs', '1'],
        connection: 2,
        atMs,
        reply: "-ERR unknown command 'BLPOP', with args beginning with: jobs 1\r\n",
      });
    else if (i % 15 === 0)
      stream.command({
        argv: ['LPUSH', 'session:1', 'x'],
        connection,
        atMs,
        reply: '-WRONGTYPE no\r\n',
      });
    else if (i % 5 === 0)
      stream.command({ argv: ['SET', key, 'beta,dark', 'EX', '60'], connection, atMs, ms: 1.5 });
    else if (i % 4 === 0)
      stream.command({
        argv: ['MGET', `cart:{${i}}:items`, `cart:{${i}}:total`],
        connection,
        atMs,
        reply: '*2\r\n$6\r\n[1, 2]\r\n$-1\r\n',
      });
    else
      stream.command({
        argv: ['GET', key],
        connection,
        atMs,
        ms: i % 11 === 0 ? 48.2 : 0.41,
        reply: '$23\r\n{"id":42,"name":"Anna"}\r\n',
      });
    stream.nowUs = atMs * 1000;
    stream.flush();
    await whole.figures();
  }
  await whole.settle();
  await whole.press('\x0c');
  // How many rows pass unseen while the stream follows depends on the machine.
  await whole.press('k');
  return whole;
}

/** Compares with the file, or writes it. Escapes are written as `␛`. */
function check(name: string, text: string): void {
  const file = path.join(FOLDER, `${name}.txt`);
  const shown = `${text.replaceAll('\x1b', '␛')}\n`;
  if (isUpdate) {
    mkdirSync(FOLDER, { recursive: true });
    writeFileSync(file, shown);
    return;
  }
  assert.equal(
    shown,
    readFileSync(file, 'utf8'),
    `${name}: UPDATE_GOLDEN=1 npm test -- ui/golden writes it anew`,
  );
}

/** The painted lines of a frame, an escape sequence for the place before each taken off. */
function paintedLines(bytes: string): string {
  return bytes
    .replaceAll(/\x1b\[\?2026[hl]/g, '')
    .split(/\x1b\[\d+;1H\x1b\[m\x1b\[K/)
    .slice(1)
    .map((line) => line.trimEnd())
    .join('\n');
}

for (const [columns, rows] of SIZES)
  for (const mode of ['colour', 'plain', 'ascii'] as const)
    test(`the screen at ${columns}x${rows}, ${mode}`, async (t) => {
      const whole = await shop(t, columns, rows, mode);
      const { lines, bytes } = await whole.whole();
      for (const line of lines) assert.ok([...line].length <= columns, line);
      if (mode === 'ascii') assert.match(lines.join(''), /^[\x20-\x7e]*$/);
      if (mode !== 'colour') assert.doesNotMatch(bytes, /\x1b\[[34]8;[25];/);
      check(
        `${columns}x${rows}-${mode}`,
        mode === 'colour' ? paintedLines(bytes) : lines.join('\n'),
      );
    });

/** Every pane at the least comfortable size, its tabs, and what is asked over it. */
const VIEWS: readonly (readonly [string, readonly string[]])[] = [
  ['detail-decision', ['\r']],
  ['detail-decoded', ['\r', ']']],
  ['detail-hex', ['\r', ']]']],
  ['detail-resp', ['\r', ']]]']],
  ['detail-related', ['\r', ']]]]']],
  ['slots', ['3']],
  ['load', ['3', ']']],
  ['slots-hottest', ['3', ']', ']']],
  ['mirror', ['4']],
  ['faults', ['5']],
  ['stats', ['6']],
  ['hot-keys', ['7']],
  ['hot-prefixes', ['7', ']']],
  ['conns', ['8']],
  ['servers', ['8', ']']],
  ['log', ['9']],
  ['help', ['?']],
  ['filter', ['/', 'key=user:* rtt>']],
  ['copy', ['y']],
  ['fault-leader', ['t']],
];

test('every pane and question at 80x24', async (t) => {
  const whole = await shop(t, 80, 24, 'plain');
  for (const [name, keys] of VIEWS) {
    for (const each of keys) await whole.press(each);
    const { lines } = await whole.whole();
    check(`80x24-${name}`, lines.join('\n'));
    for (let i = 0; i < 3; i++) await whole.press('\x1b');
    const { tabs } = whole.screen.model;
    for (const pane of PANES) tabs[pane.id] = 0;
  }
});

/** A recording sent again: one reply is another, one command went elsewhere, and one reply is long and not text. */
async function replayed(
  t: TestContext,
  columns: number,
  rows: number,
  mode: keyof typeof MODES,
): Promise<WholeScreen> {
  mock.timers.enable({ apis: ['Date'], now: Date.parse(NOW) });
  t.after(() => mock.timers.reset());
  const made: TestReplay[] = [];
  const whole = new WholeScreen(t, { columns, rows, ...MODES[mode] }, (stream) => {
    const replay = new TestReplay(stream);
    made.push(replay);
    return replay;
  });
  const [replay] = made as [TestReplay];
  whole.stream.client(1, 'api-1', 'redis-py');
  const cart = (quantity: string): string =>
    `*4\r\n$3\r\nsku\r\n$1\r\n3\r\n$3\r\nqty\r\n$1\r\n${quantity}\r\n`;
  for (const key of ['user:1', 'user:2', 'user:3']) replay.send({ argv: ['GET', key] });
  const argv = ['HGETALL', 'cart:1'];
  replay.send(
    { argv, reply: cart('7') },
    {
      comparison: { kind: 'diff', path: '.qty', a: '"2"', b: '"7"', at: 0 },
      route: { change: 'role', from: 's0.P', to: 's0.R' },
      recorded: { argv, reply: cart('2'), ms: 1.1 },
    },
  );
  const long = `\x00\x1b[2J\xff${'v'.repeat(5000)}`;
  replay.send(
    {
      argv: ['GET', 'session:9f3a'],
      reply: Buffer.from(`$${long.length}\r\n${long}\r\n`, 'latin1'),
    },
    {
      comparison: {
        kind: 'diff',
        path: '',
        a: '"\\x00\\x1b[2J\\xfe"...',
        b: '"\\x00\\x1b[2J\\xff"...',
        at: 5,
      },
      recorded: { argv: ['GET', 'session:9f3a'], reply: '$1\r\nv\r\n' },
    },
  );
  for (const key of ['price:eur', 'price:usd']) replay.send({ argv: ['GET', key] });
  whole.stream.nowUs = 7_000_000;
  await whole.settle();
  await whole.figures();
  return whole;
}

for (const [columns, rows] of [SIZES[1], SIZES[3], SIZES[4]])
  for (const mode of ['colour', 'plain', 'ascii'] as const)
    test(`a recording that is sent again at ${columns}x${rows}, ${mode}`, async (t) => {
      const whole = await replayed(t, columns, rows, mode);
      for (const [name, keys] of [
        ['stream', 'g'],
        ['difference', 'n'],
        ['bytes', 'n'],
      ] as const) {
        await whole.press(keys);
        const { lines, bytes } = await whole.whole();
        for (const line of lines) assert.ok([...line].length <= columns, line);
        if (mode === 'ascii') assert.match(lines.join(''), /^[\x20-\x7e]*$/);
        assert.ok(!bytes.includes('\x1b[2J\xff'), 'bytes of a reply went to the terminal');
        check(
          `replay-${columns}x${rows}-${name}-${mode}`,
          mode === 'colour' ? paintedLines(bytes) : lines.join('\n'),
        );
      }
    });
