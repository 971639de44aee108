/** The real program in a real pseudo-terminal, over a real server: what a user sees, and what is left when it ends. */
import assert from 'node:assert/strict';
import test, { type TestContext } from 'node:test';
import { TestClient } from '../helpers/client.js';
import { sharedServer } from '../helpers/cluster.js';
import { openTerminal, type ProgramTerminal, type PtyOptions } from '../helpers/pty.js';

const { port } = sharedServer();

const LEFT_ALONE = { alternate: false, cursor: true, wraps: true, pastes: false, mouse: 'none' };

/** rmtop with its first screen up. */
async function opened(t: TestContext, options: PtyOptions = {}): Promise<ProgramTerminal> {
  const terminal = openTerminal(t, ['-u', `127.0.0.1:${port()}`, '-l', '127.0.0.1:0'], options);
  await terminal.shows(/\[ok\] upstream/);
  return terminal;
}

/** A client of the rmtop on `terminal`. */
async function client(t: TestContext, terminal: ProgramTerminal): Promise<TestClient> {
  const [, listen] = /rmtop :(\d+)/.exec(terminal.text()) ?? [];
  const made = await TestClient.connect(Number(listen));
  t.after(() => made.close());
  return made;
}

test('the first screen says what is in place and what to type, in 80 columns', async (t) => {
  const terminal = await opened(t);
  await terminal.shows([
    /Waiting for the first command/,
    /REDIS_URL=redis:\/\/127\.0\.0\.1:\d+ +\(y copies this line\)/,
    /redis-cli -p \d+ set hello world/,
  ]);
  assert.ok(terminal.modes().alternate);
  assert.ok(!terminal.modes().cursor);
  terminal.type('y');
  await terminal.shows(/copied REDIS_URL=.* \(OSC 52\)/);
});

test('the stream follows, the focus is anchored by number, and Enter opens the command', async (t) => {
  const terminal = await opened(t);
  const app = await client(t, terminal);
  for (let i = 1; i <= 30; i++) await app.ask('SET', `key:${i}`, 'v');
  await terminal.shows([/> +30 .*SET +key:30/, /FOLLOW/, /#30 SET key:30 v/]);
  terminal.type('k\x1b[A');
  const rows = (text: string): string[] => text.split('\n').slice(4, 14);
  // A reply that is slow to come is shown as waiting first: its row would change, though not move.
  const settled = (text: string): boolean => rows(text).every((row) => row.endsWith(' +OK'));
  const before = rows(
    await terminal.shows(
      (text) => /> +28 .*SET +key:28/.test(text) && /ANCHOR #28/.test(text) && settled(text),
      'the focus on #28',
    ),
  );
  await app.pipeline(Array.from({ length: 200 }, (_, i) => ['GET', `other:${i}`]));
  assert.deepEqual(rows(await terminal.shows(/230 rows/)), before, 'rows moved under the eye');
  terminal.type('\r');
  await terminal.shows([/\[Decision\]/, /why/]);
  for (const tab of ['Decoded', 'Hex', 'RESP', 'Related']) {
    terminal.type(']');
    await terminal.shows(new RegExp(`\\[${tab}\\]`));
  }
  terminal.type('\x1b');
  await terminal.shows(/> +28 /);
  terminal.type('G');
  await terminal.shows(/> +230 .*GET +other:199/);
});

test('the filter is in force as it is typed, and says where it is wrong', async (t) => {
  const terminal = await opened(t);
  const app = await client(t, terminal);
  await app.pipeline([
    ['SET', 'user:1', 'a'],
    ['GET', 'user:1'],
    ['GET', 'cart:1'],
    ['INCR', 'user:1'],
  ]);
  await terminal.shows(/4 rows/);
  terminal.type('/get user:*');
  await terminal.shows([/get user:\*/, /valid/, /1\/4 shown/]);
  terminal.type(' rtt>');
  // The last valid filter stays.
  await terminal.shows([/error at 16/, /\^ expected a value/, /1\/4 shown/]);
  terminal.type('\x15kye=foo');
  await terminal.shows([/error at 1 /, /\^ unknown field "kye"/, /did you mean "key"\?/]);
  terminal.type('\x15err\r');
  await terminal.shows([/\/ err .*1\/4 shown/, /INCR +user:1/]);
  terminal.type('!');
  await terminal.shows(/\(off\) err.*4 rows/);
  terminal.type('?');
  await terminal.shows(/^ Keys >/m);
  terminal.type('\x1b');
  await terminal.shows((text) => !/^ Keys >/m.test(text), 'no help');
});

test('bytes that would act on a terminal are shown, not sent', async (t) => {
  const terminal = await opened(t);
  const app = await client(t, terminal);
  await app.ask('SET', 'evil\x1b[2J\x1b]0;title\x07\u202e', Buffer.from([0xff, 0x00, 0x9b]));
  await terminal.shows(/evil\\x1b\[2J/);
  terminal.type('\r');
  await terminal.shows(/\[Decision\]/);
  terminal.type(']]]');
  await terminal.shows(/\[RESP\]/);
  assert.ok(!terminal.output.includes('\x1b[2J\x1b]0;title'));
  assert.ok(!terminal.output.includes('\u202e'));
});

test('each size has its layout, and a change of size leaves nothing behind', async (t) => {
  const terminal = await opened(t);
  const app = await client(t, terminal);
  for (let i = 1; i <= 60; i++) await app.ask('SET', `key:${i}`, 'v');
  await terminal.shows(/> +60 /);
  const sizes: readonly (readonly [number, number, RegExp])[] = [
    [120, 36, /2 Detail[\s\S]*3 Slots /],
    [200, 50, /6 Stats ─[\s\S]*3 Slots ─[\s\S]*5 Faults ─[\s\S]*7 Hot ─/],
    [70, 20, /CMD +KEY +NODE +ms/],
    [40, 8, /too small for more/],
    [20, 2, /60 commands/],
    [100, 60, /MM:SS\.cc C/],
    [80, 24, /MM:SS\.cc C/],
  ];
  for (const [columns, rows, wanted] of sizes) {
    terminal.resize(columns, rows);
    await terminal.shows(
      (shown) =>
        wanted.test(shown) &&
        /^ ?rmtop :\d+/.test(shown) &&
        shown.match(/rmtop :\d+/g)?.length === 1 &&
        (rows <= 12 || /\? help[^\n]*$/.test(shown)),
      `${columns}x${rows}, with one header: ${wanted}`,
    );
  }
  terminal.type('Q');
  assert.equal((await terminal.ended()).code, 0);
});

test('a fault rule is switched on and off by a key, between two commands', async (t) => {
  const terminal = await opened(t);
  const app = await client(t, terminal);
  await app.ask('SET', 'a', '1');
  await terminal.shows(/> +1 .*SET/);
  terminal.type('tn');
  await terminal.shows(/new fault>/);
  terminal.type('\x15error 100% "LOADING not yet" if cmd=GET');
  await terminal.shows(/fits 0 of the last 1/);
  terminal.type('\r');
  await terminal.shows(/t5 ON: error "LOADING not yet" 100% if cmd=GET/);
  assert.equal(await app.ask('GET', 'a'), '-LOADING not yet\r\n');
  assert.equal(await app.ask('SET', 'a', '2'), '+OK\r\n');
  await terminal.shows([/GET .* E .*-LOAD/, / T1$/m]);
  terminal.type('5');
  await terminal.shows(/has hit 1 of 1 in its scope/);
  terminal.type('t5');
  await terminal.shows(/t5 OFF/);
  assert.equal(await app.ask('GET', 'a'), '$1\r\n2\r\n');
  terminal.type('u');
  await terminal.shows(/undone: t5 ON: error "LOADING not yet" 100% if cmd=GET +\(ctrl-r redo\)/);
  assert.equal(await app.ask('GET', 'a'), '-LOADING not yet\r\n');
  terminal.type('t0');
  await terminal.shows(/the one rule OFF/);
  assert.equal(await app.ask('GET', 'a'), '$1\r\n2\r\n');
});

test('without colour nothing but bold and reverse is sent', async (t) => {
  const terminal = await opened(t, { env: { NO_COLOR: '1' } });
  const app = await client(t, terminal);
  await app.ask('INCR', 'a');
  await app.ask('GET', 'a', 'b');
  await terminal.shows(/>! +2 /);
  const codes = [...terminal.output.matchAll(/\x1b\[([\d;]*)m/g)].map(([, code]) => code);
  assert.deepEqual(
    [...new Set(codes)].filter((code) => !/^(0|1|7|22|27)?$/.test(code ?? '')),
    [],
  );
});

const KILL_CORE = `process.on('worker', (w) => process.on('SIGUSR2', () => w.terminate()))`;
const BREAK_SCREEN = `process.on('SIGUSR2', () => setImmediate(() => { throw new TypeError('broken on purpose') }))`;

type Ending = {
  readonly name: string;
  readonly preload?: string;
  readonly end: (terminal: ProgramTerminal) => Promise<void> | void;
  readonly code: number;
  readonly says: RegExp;
};

const GOODBYE = /rmtop: 1 command from 1 client in .* s, 0 lost\./;

const ENDINGS: readonly Ending[] = [
  { name: 'Q', end: (terminal) => terminal.type('Q'), code: 0, says: GOODBYE },
  {
    name: 'q and y',
    end: async (terminal) => {
      terminal.type('q');
      await terminal.shows(/Quit\? y\/N \(1 client connected\)/);
      terminal.type('\r');
      await terminal.shows((text) => !/Quit\?/.test(text), 'Enter is no');
      terminal.type('q');
      await terminal.shows(/Quit\? y\/N/);
      terminal.type('y');
    },
    code: 0,
    says: GOODBYE,
  },
  {
    name: 'ctrl-c twice',
    end: async (terminal) => {
      terminal.type('\x03');
      await terminal.shows(/press ctrl-c again to quit/);
      // Only what comes within two seconds is the second one; two at once are it on any machine.
      terminal.type('\x03\x03');
    },
    code: 0,
    says: GOODBYE,
  },
  { name: 'SIGTERM', end: (terminal) => terminal.signal('SIGTERM'), code: 143, says: GOODBYE },
  { name: 'SIGINT', end: (terminal) => terminal.signal('SIGINT'), code: 130, says: GOODBYE },
  { name: 'SIGHUP', end: (terminal) => terminal.signal('SIGHUP'), code: 129, says: GOODBYE },
  {
    name: 'a core that dies',
    preload: KILL_CORE,
    end: (terminal) => terminal.signal('SIGUSR2'),
    code: 8,
    says: /rmtop: the core has stopped/,
  },
];

for (const { name, preload, end, code, says } of ENDINGS) {
  test(`the terminal is as it was after ${name}`, async (t) => {
    const terminal = await opened(t, preload === undefined ? {} : { preload });
    const app = await client(t, terminal);
    await app.ask('SET', 'a', '1');
    await terminal.shows(/> +1 .*SET/);
    await end(terminal);
    const ended = await terminal.ended();
    assert.deepEqual(terminal.modes(), LEFT_ALONE);
    assert.deepEqual(ended, { code, sameSettings: true });
    assert.match(terminal.unwrapped(), says);
  });
}

test('a screen that breaks gives the terminal back, and the proxy goes on without it', async (t) => {
  const terminal = await opened(t, { preload: BREAK_SCREEN });
  const app = await client(t, terminal);
  await app.ask('SET', 'a', '1');
  await terminal.shows(/> +1 .*SET/);
  terminal.signal('SIGUSR2');
  await terminal.shows(() =>
    /screen stopped \(report \S+\)\. Proxy still running on/.test(terminal.unwrapped()),
  );
  assert.deepEqual(terminal.modes(), LEFT_ALONE);
  assert.equal(await app.ask('GET', 'a'), '$1\r\n1\r\n');
  terminal.type('\x03');
  assert.deepEqual(await terminal.ended(), { code: 130, sameSettings: true });
});

test('after kill -9 nothing can be given back, and `rmtop reset` does it', async (t) => {
  const terminal = await opened(t);
  terminal.signal('SIGKILL');
  assert.equal((await terminal.ended()).code, 137);
  assert.ok(terminal.modes().alternate);
  const reset = openTerminal(t, ['reset']);
  assert.equal((await reset.ended()).code, 0);
  assert.ok(reset.output.includes('\x1b[?1049l'));
  assert.deepEqual(reset.modes(), LEFT_ALONE);
});

/** Keeps the screen's own thread busy, so that it takes in a few thousand commands a second; the core's thread is not. */
const BUSY = `
import { isMainThread } from 'node:worker_threads';
const busy = () => {
  for (const end = performance.now() + 200; performance.now() < end;);
};
// Not before the first screen, which would only be late.
if (isMainThread) setTimeout(() => setInterval(busy, 1).unref(), 2500).unref();`;

test('more than the screen can take in is summed up, says so, and F shows single rows again', async (t) => {
  const terminal = await opened(t, { preload: BUSY });
  const app = await client(t, terminal);
  const many = Array.from({ length: 20_000 }, (_, i) =>
    i % 4 === 0 ? ['SET', `user:${i}`, 'v'] : ['GET', `cart:${i % 7}`],
  );
  let isOver = false;
  t.after(() => {
    isOver = true;
  });
  const load = async (): Promise<void> => {
    while (!isOver) await app.pipeline(many);
  };
  const loading = load();
  await terminal.shows([
    / SUMMARY$/m,
    /COUNT +SHARE +CMD/,
    /x[\d,]+ +\d+% GET +cart:\*/,
    /x[\d,]+ +\d+% SET +user:\*/,
  ]);
  terminal.type('F');
  await terminal.shows([/FOLLOW/, /GET +cart:\d/]);
  isOver = true;
  await loading;
});
