/** `rmtop open`: the screen on a recording, and its summary where there is no terminal. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test, { type TestContext } from 'node:test';
import { gzipSync } from 'node:zlib';

import { runProgram } from '../helpers/program.js';
import { openTerminal, type ProgramTerminal } from '../helpers/pty.js';
import { folder, RECORDINGS } from '../helpers/record-files.js';

const SESSION = path.join(RECORDINGS, 'session.rmtop');

async function opened(t: TestContext, ...args: readonly string[]): Promise<ProgramTerminal> {
  const terminal = openTerminal(t, ['open', SESSION, ...args], { columns: 120, rows: 36 });
  await terminal.shows(/rmtop open session\.rmtop/);
  return terminal;
}

test('without a terminal: what was routed where', async (t) => {
  const { code, stdout } = await runProgram(t, ['open', SESSION]);
  assert.equal(code, 0);
  assert.match(stdout, /^session\.rmtop: [\d.]+ s from 20\S+Z, 3 clients\n124 commands: 51 reads/);
  assert.match(stdout, /^s0\.p +127\.0\.0\.1:\d+ +primary +0-5460 +28 /m);
  assert.match(stdout, /^GET +14 /m);
  assert.match(stdout, /^BLPOP x1: -ERR unknown command 'BLPOP'/m);
});

test('a compressed one is the same', async (t) => {
  const file = path.join(folder(t), 'session.rmtop.gz');
  writeFileSync(file, gzipSync(readFileSync(SESSION)));
  const [plain, packed] = await Promise.all(
    [SESSION, file].map(async (each) => (await runProgram(t, ['inspect', each])).stdout),
  );
  assert.equal(packed?.replace('session.rmtop.gz', 'session.rmtop'), plain);
});

test('what is no recording says so', async (t) => {
  const text = path.join(folder(t), 'a.rmtop');
  writeFileSync(text, 'hello\n');
  for (const [args, code, says] of [
    [['/nonexistent'], 64, /\/nonexistent cannot be read/],
    [[RECORDINGS], 64, /cannot be read/],
    [[text], 5, /a\.rmtop is no recording of rmtop/],
    [[SESSION, '--at', 'soon'], 64, /--at/],
    [[SESSION, '--play', 'fast'], 64, /--play/],
    [[], 64, /missing required argument 'file'/],
  ] as const) {
    const ended = await runProgram(t, ['open', ...args]);
    assert.match(ended.stderr, says);
    assert.doesNotMatch(ended.stderr, /^ +at /m, 'a stack trace');
    assert.equal(ended.code, code, `${args.join(' ')}: ${ended.stderr}`);
  }
});

test('the panes show it as if it were live: all of it at first, its figures exact', async (t) => {
  const terminal = await opened(t);
  await terminal.shows(/\[\] [\d.]+s\/[\d.]+s xmax/);
  await terminal.shows(/124 rows/);
  await terminal.shows(/s2\.p +10923-16383/);
  terminal.type('/blpop\r');
  await terminal.shows(/1 of 124 shown/);
  await terminal.shows(/mesh would refuse|unknown command 'BLPOP'|refuses BLPOP/);
  terminal.type('W');
  await terminal.shows(/this is a recording: w saves the rows that are shown/);
  terminal.type('Q');
  assert.equal((await terminal.ended()).code, 0);
});

test('it is stepped through, played to a command that fits, and entered anywhere', async (t) => {
  const terminal = await opened(t, '--at', 'start');
  await terminal.shows(/\|\| 0\.0s/);
  terminal.type('...');
  await terminal.shows(/3 rows/);
  terminal.type(',');
  await terminal.shows((text) => /2 rows/.test(text) && /\|\|/.test(text));
  terminal.type(':until blpop\r');
  await terminal.shows(/> *!? +\d+ .*BLPOP/);
  terminal.type(':jump end\r');
  await terminal.shows(/124 rows/);
  terminal.type(':jump #50\r');
  await terminal.shows(/> *!? +50 /);
  terminal.type(':speed max\r');
  await terminal.shows(/xmax/);
  terminal.type('p');
  await terminal.shows(/124 rows/);
  terminal.type(':jump nowhere\r');
  await terminal.shows(/a moment such as 12\.5s/);
  terminal.type('\x1b\x1bQ');
  assert.equal((await terminal.ended()).code, 0);
});

test('what the user made of the screen stays when it jumps', async (t) => {
  const terminal = await opened(t);
  await terminal.shows(/124 rows/);
  terminal.type('/cmd=GET\r');
  await terminal.shows(/14 of 124 shown/);
  terminal.type('Gm:jump #80\r');
  await terminal.shows(/\/ cmd=GET +8 of \d\d shown/);
  terminal.type(':jump end\r');
  await terminal.shows(/14 of 124 shown/);
  terminal.type('M');
  await terminal.shows(/1 of 124 shown/);
  terminal.type('Q');
  assert.equal((await terminal.ended()).code, 0);
});
