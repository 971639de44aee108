/** Reading traffic: marks, notes, finding, sorting, columns, going about, copying and saving. On the model, key by key. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import test, { type TestContext } from 'node:test';
import { redisCliLine } from '../../ui/copy-forms.js';
import { TestScreen } from '../helpers/model.js';
import { until } from '../helpers/until.js';

/** Ten commands: reads and writes of user:1 … user:10, the tenth the slowest. */
function withTen(columns?: number, rows?: number): TestScreen {
  const screen = new TestScreen(columns, rows);
  screen.stream.client(1, 'api');
  screen.stream.client(2, 'worker');
  for (let i = 1; i <= 10; i++)
    screen.stream.command({
      argv: i % 2 === 0 ? ['SET', `user:${i}`, `v${i}`] : ['GET', `user:${i}`],
      reply: i % 2 === 0 ? '+OK\r\n' : i === 5 ? '-ERR no\r\n' : `$2\r\nv${i % 10}\r\n`,
      ms: i === 10 ? 50 : ((i * 7) % 10) + 1,
      connection: 1 + (i % 3 === 0 ? 1 : 0),
    });
  screen.update();
  return screen;
}

test('m marks and takes the mark away, M shows only what is marked, U ends it', () => {
  const screen = withTen();
  screen.type('kkm');
  assert.equal(screen.model.viewport.focus, 8);
  assert.match(screen.panes(), /^>\* +8 /m);
  screen.type('kkkm');
  assert.match(screen.panes(), /^>! +5 /m);
  screen.type('k');
  assert.match(screen.panes(), /^\*! +5 /m, 'a mark stands before what the command itself says');
  screen.type('M');
  assert.deepEqual(screen.rows, [5, 8]);
  assert.match(screen.bar(), /MARKED/);
  screen.stream.command({ argv: ['GET', 'later'] });
  screen.update();
  assert.deepEqual(screen.rows, [5, 8]);
  screen.type('m');
  assert.deepEqual(screen.rows, [8]);
  screen.type('U');
  assert.equal(screen.rows.length, 11);
  assert.doesNotMatch(screen.bar(), /MARKED/);
});

test('marks can be of all that fit, and of all between two', () => {
  const screen = withTen();
  screen.type(':mark cmd=SET\r');
  assert.deepEqual(screen.model.feed.marks.list, [2, 4, 6, 8, 10]);
  screen.type('U');
  screen.type('kkmkkkm:mark between\r');
  assert.deepEqual(screen.model.feed.marks.list, [5, 6, 7, 8]);
  screen.type('U:mark between\r');
  assert.match(JSON.stringify(screen.model.dialog), /mark two commands first/);
});

test('a note is shown with the decision, and can be filtered by', () => {
  const screen = withTen();
  screen.type('k;look here\r');
  assert.match(screen.panes(), /note +look here/);
  screen.type('/note=~/look/\r');
  assert.deepEqual(screen.rows, [9]);
  screen.type('/\x15marked\r');
  assert.deepEqual(screen.rows, [9]);
  screen.type(';\x15\r');
  assert.doesNotMatch(screen.panes(), /look here/);
});

test('finding goes from one that fits to the next and round the end, and hides nothing', () => {
  const screen = withTen();
  screen.type('\\');
  assert.match(screen.news(), /^find>/);
  screen.type('cmd=SET & key=user:4\r');
  assert.equal(screen.model.viewport.focus, 4);
  assert.equal(screen.rows.length, 10);
  screen.type('\\\x15set\r');
  assert.equal(screen.model.viewport.focus, 6);
  screen.type('nn');
  assert.equal(screen.model.viewport.focus, 10);
  screen.type('n');
  assert.equal(screen.model.viewport.focus, 2);
  assert.match(screen.news(), /from the other end/);
  screen.type('N');
  assert.equal(screen.model.viewport.focus, 10);
  screen.type('\x0f\x0f');
  assert.equal(screen.model.viewport.focus, 10, 'ctrl-o goes back to where the jumps began');
  screen.type(':forward\r');
  assert.equal(screen.model.viewport.focus, 2);
  screen.type('\\\x15del\r');
  assert.match(screen.news(), /none of 10 rows fits del/);
  screen.type('\\\x15kye=1\r');
  assert.match(screen.news(), /unknown field/);
});

test('in a pane of text, finding is of text', () => {
  const screen = withTen();
  screen.type('\r]');
  screen.panes();
  screen.type('\\user:10\r');
  assert.match(screen.news(), /^line \d+, 1 of 1/);
  screen.type('\\\x15nothing like it\r');
  assert.match(screen.news(), /there is no nothing like it in Detail/);
});

test('o sorts a snapshot by any column, v reverses it, F goes back to the newest', async () => {
  const screen = withTen();
  screen.type('o');
  assert.match(screen.menu(), /ms .*how long the client waited/);
  screen.type('ms\r');
  await until(() => screen.model.viewport.ordered !== null, 'sorted');
  screen.update();
  assert.deepEqual(screen.rows.slice(0, 2), [10, 7]);
  assert.match(screen.bar(), /BY ms v/);
  assert.equal(screen.model.viewport.focus, 10);
  screen.stream.command({ argv: ['GET', 'later'] });
  screen.update();
  assert.equal(screen.rows.length, 10, 'what comes later is not in it');
  screen.type('v');
  assert.equal(screen.rows.at(-1), 10);
  screen.type('G');
  assert.equal(screen.model.viewport.focus, 10);
  assert.equal(screen.model.viewport.follow, false);
  screen.type('/set\r');
  assert.deepEqual(
    [...screen.rows].sort((a, b) => a - b),
    [2, 4, 6, 8, 10],
    'the filter still filters',
  );
  screen.type('F');
  assert.equal(screen.model.viewport.ordered, null);
  assert.deepEqual(screen.rows, [2, 4, 6, 8, 10]);
  assert.ok(screen.model.viewport.follow);
});

test('every column can be sorted by, ties by number', async () => {
  const screen = withTen(200, 50);
  for (const [column, first] of [
    ['key', 1],
    ['command', 1],
    ['client', 1],
    ['state', 5],
    ['slot', null],
    ['node', null],
    ['p', null],
    ['m', 1],
    ['f', 1],
    ['size', null],
    ['reply', null],
    ['time', 1],
    ['n', 1],
  ] as const) {
    screen.type(`:order ${column}\r`);
    await until(() => screen.model.viewport.ordered?.order.column === column, column);
    screen.update();
    assert.equal(screen.rows.length, 10, column);
    if (first !== null) assert.equal(screen.rows[0], first, column);
  }
  screen.type(':order nosuch\r');
  assert.match(JSON.stringify(screen.model.dialog), /there is no column nosuch/);
});

test('c chooses columns, one after the other', () => {
  const screen = withTen();
  assert.match(screen.panes(), /# MM:SS\.cc C/);
  screen.type(':columns key,slot,ms\r');
  const [head] = screen.panes().split('\n');
  assert.match(head ?? '', /^ +KEY +SLOT +RTT ms$|^ +KEY +SLOT +ms$/);
  screen.type('c');
  assert.match(screen.menu(), /\[x\] key[\s\S]*\[ \] node/);
  screen.type('node ');
  assert.match(screen.menu(), /\[x\] node/);
  screen.type('\x1b');
  assert.match(screen.panes(), /KEY +SLOT NODE +ms/);
  screen.type(':columns auto\r');
  assert.match(screen.panes(), /# MM:SS\.cc C/);
  assert.ok(screen.model.diary.list.some(({ line }) => line === 'columns key,slot,node,ms'));
});

test('time is that of the day, since the start, or since the row above', () => {
  const screen = withTen();
  screen.type(':time start\r');
  assert.match(screen.panes(), /^> +10 +0\.010 /m);
  screen.type(':time delta\r');
  assert.match(screen.panes(), /^> +10 +\+0\.001 /m);
});

test('goto finds a command by its number or its time', () => {
  const screen = withTen();
  screen.type(':goto #3\r');
  assert.equal(screen.model.viewport.focus, 3);
  screen.type(':goto 0.007s\r');
  assert.equal(screen.model.viewport.focus, 7);
  screen.type(':goto 99\r');
  assert.equal(screen.model.viewport.focus, 10);
  assert.match(screen.news(), /#99 is not in memory/);
});

const COPIES: readonly (readonly [key: string, RegExp])[] = [
  ['y', /^redis-cli -h 10\.1\.2\.\d -p 6379 SET user:10 v10$/],
  ['p', /^redis-cli -h 127\.0\.0\.1 -p 6380 SET user:10 v10$/],
  ['k', /^user:10$/],
  ['v', /^v10$/],
  ['r', /^OK$/],
  ['R', /^\*3\r\n\$3\r\nSET\r\n\$7\r\nuser:10\r\n\$3\r\nv10\r\n$/],
  ['j', /^\{"k":"cmd","n":10,.*"a":\["SET","user:10","v10"\].*\}$/],
  ['d', /^route .*\nplace .*slot/],
  ['f', /^cmd=SET & key=user:10$/],
  ['x', /^rmtop explain SET user:10 v10 -u redis-cluster:6379$/],
  ['u', /^REDIS_URL=redis:\/\/127\.0\.0\.1:6380$/],
];

for (const [key, wanted] of COPIES)
  test(`y ${key} copies what it says`, () => {
    const screen = withTen();
    screen.type('y');
    assert.match(screen.menu(), /^y redis-cli .*SET user:10 v10\n[\s\S]*\nk key +user:10\n/);
    screen.type(key);
    assert.match(screen.copied.at(-1)?.content ?? 'nothing', wanted);
  });

test('what is not there is not copied, and that is said', () => {
  const screen = withTen();
  screen.stream.command({ argv: ['PING'] });
  screen.update();
  screen.type('yk');
  assert.match(screen.news(), /there is no key to copy here/);
  assert.equal(screen.copied.length, 0);
});

function folder(t: TestContext): string {
  const made = mkdtempSync(path.join(tmpdir(), 'rmtop-test-'));
  t.after(() => rmSync(made, { recursive: true, force: true }));
  return made;
}

test('Y and b write files that only their owner can read, and never over another', (t) => {
  const dir = folder(t);
  const screen = new TestScreen();
  const bytes = Buffer.from([0, 1, 2, 0xff, 13, 10]);
  screen.stream.command({
    argv: ['GET', 'blob'],
    reply: Buffer.concat([Buffer.from('$6\r\n'), bytes, Buffer.from('\r\n')]),
  });
  screen.update();
  screen.type('b');
  assert.match(screen.news(), /reply to> rmtop-1\.reply .*6 bytes/);
  const file = path.join(dir, 'reply');
  screen.type(`\x15${file}\r`);
  assert.deepEqual(readFileSync(file), bytes);
  assert.equal(statSync(file).mode & 0o777, 0o600);
  screen.type(`b\x15${file}\r`);
  assert.match(screen.news(), /there is a file of that name already/);
  screen.type('\x1b');
  screen.type(`Yk\x15${file}.key\r`);
  assert.equal(readFileSync(`${file}.key`, 'utf8'), 'blob');
  screen.type(`:write json ${file}.json\r`);
  assert.match(readFileSync(`${file}.json`, 'utf8'), /^\{"k":"cmd".*\}\n$/);
  screen.type(`:save-reply ${dir}/no/such/place\r`);
  assert.match(JSON.stringify(screen.model.dialog), /cannot write .*ENOENT/);
});

test('a redis-cli line gives a shell exactly the bytes, whatever they are', () => {
  const whole = (...words: (string | Buffer)[]): Parameters<typeof redisCliLine>[0] =>
    words.map((word) => ({ kind: 'whole', bytes: Buffer.from(word) }));
  const heard = (line: string): string[] => {
    const script = `redis-cli() { shift 4; if [ $# = 0 ]; then cat; else for a in "$@"; do printf '%s' "$a" | od -An -tx1 -v | tr -d ' \\n'; echo; done; fi; }\n${line}`;
    return execFileSync('bash', ['-c', script], { encoding: 'utf8' }).trim().split('\n');
  };
  const hex = (...words: (string | Buffer)[]): string[] =>
    words.map((word) => Buffer.from(word).toString('hex'));
  const odd = Buffer.from([1, 0x27, 0x5c, 0x25, 0xff, 10]);
  assert.deepEqual(
    heard(redisCliLine(whole('SET', "it's $HOME `x`", odd), 'h', 1)),
    hex('SET', "it's $HOME `x`", odd),
  );
  // What has a NUL goes in redis-cli's own syntax.
  const nul = Buffer.from([0, 0x27, 0x25, 0x5c, 0x31]);
  assert.deepEqual(heard(redisCliLine(whole('SET', 'k', nul), 'h', 1)), ['SET k "\\x00\'%\\\\1"']);
  assert.equal(
    redisCliLine(
      [...whole('AUTH'), { kind: 'redacted', rule: 'auth', bytes: Buffer.from('x') }],
      'h',
      1,
    ),
    'redis-cli -h h -p 1 AUTH "$REDISCLI_AUTH"',
  );
});

test('the rows are anchored by number when older ones go', () => {
  const screen = withTen();
  screen.type('kkk');
  const before = screen.rows;
  for (let i = 0; i < 60_000; i++) screen.stream.command({ argv: ['GET', 'x'] });
  screen.update();
  assert.ok(screen.model.feed.rows.evicted > 0);
  assert.deepEqual(screen.rows.slice(0, before.length), before);
  assert.equal(screen.model.viewport.focus, 7);
  screen.type('m');
  assert.match(screen.panes(), /^>\* +7 /m);
});

test('p holds the picture while traffic goes on', () => {
  const screen = withTen();
  screen.type('p');
  screen.stream.command({ argv: ['GET', 'later'] });
  screen.update();
  assert.equal(screen.rows.at(-1), 10);
  assert.match(screen.bar(), /FROZEN \+1/);
  screen.type('p');
  assert.equal(screen.rows.at(-1), 11);
});

test('g and G are jumps, too: ctrl-o goes back over them, :forward along them again', () => {
  const screen = withTen();
  const { viewport } = screen.model;
  screen.type('kkk');
  assert.equal(viewport.focus, 7);
  screen.type('gj');
  assert.equal(viewport.focus, 2);
  screen.type('G');
  assert.ok(viewport.follow);
  screen.type('3\x0f');
  assert.equal(screen.model.pane, 'stream', 'the place is in the stream');
  assert.equal(viewport.focus, 2);
  screen.type('\x0f');
  assert.equal(viewport.focus, 7);
  screen.type('\x0f');
  assert.match(screen.news(), /no place to go back to/);
  screen.type(':forward\r');
  assert.equal(viewport.focus, 2);
  screen.type(':forward\r');
  assert.equal(viewport.focus, 10);
  screen.type(':forward\r');
  assert.match(screen.news(), /no place to go forward to/);
});

test('a place that was cleared is not found again, which is said', () => {
  const screen = withTen();
  screen.type('kkkgG\x0f\x0f');
  assert.equal(screen.model.viewport.focus, 7);
  screen.type('Gzy');
  screen.stream.command({ argv: ['GET', 'later'] });
  screen.type('\x0f');
  assert.match(screen.news(), /^#7 is not in memory any more; the nearest is$/);
  assert.equal(screen.model.viewport.focus, 11);
});
