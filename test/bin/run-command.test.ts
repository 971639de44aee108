/** `rmtop run -- CMD`, as its user starts it: the command's environment, streams, signals and exit code, and a recording of what it did. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { sharedServer } from '../helpers/cluster.js';
import { runProgram, startProgram } from '../helpers/program.js';
import { folder, readAll } from '../helpers/record-files.js';

const { port } = sharedServer();
const upstream = (): string => `127.0.0.1:${port()}`;
/** Sends what it is given, a command an argument, to the server of its REDIS_URL; prints that URL and the replies. */
const CLIENT = `
const { hostname, port, password } = new URL(process.env.REDIS_URL);
const commands = process.argv.slice(1);
if (password !== '') commands.unshift('AUTH ' + decodeURIComponent(password));
const socket = require('node:net').connect(Number(port), hostname);
let said = '';
socket.on('data', (chunk) => {
  said += chunk;
  if (said.split('\\n').length <= commands.length) return;
  console.log(process.env.REDIS_URL === process.env.RMTOP_URL, said.split('\\r\\n').join(' '));
  socket.end();
});
socket.write(commands.map((each) => each + '\\r\\n').join(''));
`;
const client = (...commands: string[]): string[] => [process.execPath, '-e', CLIENT, ...commands];

test('a command finds the proxy in REDIS_URL; its output and its code are rmtop’s', async (t) => {
  const done = await runProgram(t, ['run', '-u', upstream(), '--', ...client('PING', 'ECHO hi')]);
  assert.deepEqual([done.code, done.stdout], [0, 'true +PONG $2 hi \n'], done.stderr);
  assert.match(done.stderr, /listening on 127\.0\.0\.1:\d+[\s\S]*2 commands from 1 clients/);
  const code = ['run', '-q', '-u', upstream(), '--', process.execPath, '-e', 'process.exit(3)'];
  const failed = await runProgram(t, code);
  assert.deepEqual([failed.code, failed.stderr], [3, '']);
});

test('REDIS_URL that was there is the upstream; its port, and that of settings, is not taken', async (t) => {
  const env = { REDIS_URL: `redis://${upstream()}`, RMTOP_LISTEN: upstream() };
  const done = await runProgram(t, ['run', '-q', '--', ...client('SET run:a 1')], env);
  assert.deepEqual([done.code, done.stdout], [0, 'true +OK \n'], done.stderr);
});

test('what clients log in with is in the URL', async (t) => {
  const file = path.join(folder(t), 'login');
  writeFileSync(file, 'p@ss/w:rd\n', { mode: 0o600 });
  const args = ['run', '-q', '-u', upstream(), '--downstream-auth-file', file, '--'];
  const done = await runProgram(t, [...args, ...client('GET run:none')]);
  assert.deepEqual([done.code, done.stdout], [0, 'true +OK $-1 \n'], done.stderr);
});

test('recorded if asked: the file is whole when rmtop has ended', async (t) => {
  const file = path.join(folder(t), 'a.rmtop');
  const args = ['run', '-u', upstream(), '-o', file, '--', ...client('SET run:b 1', 'GET run:b')];
  const done = await runProgram(t, args);
  assert.equal(done.code, 0, done.stderr);
  assert.match(done.stderr, /recorded .*a\.rmtop \([^)]*2 commands/);
  const { entries, reader } = await readAll(file, true);
  const commands = entries.flatMap(({ event }) => (event?.type === 'command' ? [event] : []));
  assert.deepEqual(
    commands.map(({ command }) => `${command.name} ${command.text(1)}`),
    ['SET run:b', 'GET run:b'],
  );
  assert.equal(reader.summary().fin?.why, 'quit');
  const fixture = path.join(folder(t), 'f.rmtop');
  const again = ['run', '-q', '-u', upstream(), '-o', fixture, '--fixture', '-f', 'cmd=GET', '--'];
  const made = await runProgram(t, [...again, ...client('SET run:c 1', 'GET run:c')]);
  assert.deepEqual([made.code, made.stderr], [0, '']);
  const kept = await readAll(fixture, true);
  assert.deepEqual([kept.reader.header.fixture, kept.reader.summary().commands], [true, 1]);
});

test('signals are the command’s, and what one ends has the code that shells give', async (t) => {
  const script =
    'process.on("SIGTERM", () => process.exit(9)); setInterval(() => {}, 1000); console.error("here")';
  const args = ['run', '-q', '-u', upstream(), '--', process.execPath, '-e', script];
  const told = startProgram(t, args);
  await told.says(/here/);
  told.child.kill('SIGTERM');
  assert.equal(await told.ended, 9);
  const killing = 'process.kill(process.pid, "SIGKILL"); setInterval(() => {}, 1000)';
  const killed = await runProgram(t, [...args.slice(0, -1), killing]);
  assert.equal(killed.code, 137, killed.stderr);
});

test('what cannot be run, or is asked for wrongly, is told', async (t) => {
  const file = path.join(folder(t), 'plain.txt');
  writeFileSync(file, 'no program', { mode: 0o600 });
  const cases: [string[], number, RegExp][] = [
    [['--', 'no-such-program'], 127, /cannot run no-such-program[\s\S]*no such program/],
    [['--', file], 126, /cannot run .*plain\.txt[\s\S]*EACCES/],
    [[], 64, /missing required argument 'command'/],
    [['-f', 'err', '--', 'true'], 64, /--filter 'err'[\s\S]*--output FILE/],
    [['--ring', '5s', '--', 'true'], 64, /--ring '5s'[\s\S]*--output FILE/],
    [['-o', '-', '--', 'true'], 64, /standard output is taken/],
    [['-l', 'nowhere:x', '--', 'true'], 64, /error\[BAD_ADDRESS\]/],
  ];
  for (const [args, code, text] of cases) {
    const done = await runProgram(t, ['run', '-u', upstream(), ...args]);
    assert.equal(done.code, code, `${args.join(' ')}: ${done.stderr}`);
    assert.match(done.stderr, text);
  }
});
