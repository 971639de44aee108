/** `:shell` in the real program: the terminal is the shell's for a while, the proxy goes on, and the screen comes back. */
import assert from 'node:assert/strict';
import path from 'node:path';
import test, { type TestContext } from 'node:test';
import { TestClient } from '../helpers/client.js';
import { sharedServer } from '../helpers/cluster.js';
import { openTerminal, type ProgramTerminal } from '../helpers/pty.js';
import { RECORDINGS } from '../helpers/record-files.js';
import { until } from '../helpers/until.js';

const { port } = sharedServer();

const RECORDING = path.join(RECORDINGS, 'fault-error.rmtop');

const PROMPT = /^in\$ $/m;

/** rmtop with a command on its screen, and the client that sent it. */
async function opened(
  t: TestContext,
  shell = '/bin/sh',
): Promise<{ terminal: ProgramTerminal; app: TestClient; listen: number }> {
  const terminal = openTerminal(t, ['-u', `127.0.0.1:${port()}`, '-l', '127.0.0.1:0'], {
    env: { SHELL: shell, PS1: 'in$ ' },
  });
  await terminal.shows(/\[ok\] upstream/);
  const listen = Number(/rmtop :(\d+)/.exec(terminal.text())?.[1]);
  const app = await TestClient.connect(listen);
  t.after(() => app.close());
  await app.ask('SET', 'before', '1');
  await terminal.shows(/> +1 .*SET +before/);
  return { terminal, app, listen };
}

/** Opens the shell; settles at its prompt. */
async function shell(terminal: ProgramTerminal): Promise<void> {
  terminal.type(':shell\r');
  await until(
    () => PROMPT.test(`${terminal.unwrapped()}\n`.replace(/\$\n/g, '$ \n')),
    'the prompt',
  );
}

test('a shell has the terminal and the URL, its keys are its own, and the screen comes back in the size there is then', async (t) => {
  const { terminal, app, listen } = await opened(t);
  terminal.type(':mouse on\r');
  await until(() => terminal.modes().mouse !== 'none', 'the mouse');
  await shell(terminal);
  assert.deepEqual(terminal.modes(), {
    alternate: false,
    cursor: true,
    wraps: true,
    pastes: false,
    mouse: 'none',
  });
  terminal.type('echo "<$REDIS_URL>"; Q; t1\r');
  await until(
    () =>
      terminal.unwrapped().includes(`<redis://127.0.0.1:${listen}>`) &&
      /t1: not found/.test(terminal.text()),
    'what the shell says',
  );
  assert.equal(await app.ask('GET', 'before'), '$1\r\n1\r\n', 'the proxy goes on');
  terminal.type('echo it is $((1 + 1)) late; read line\r');
  await until(() => /it is 2 late/.test(terminal.unwrapped()), 'the question');
  terminal.type('\x03');
  await until(() => /late\s+(\^C\s+)?in\$/.test(terminal.unwrapped()), 'its end');
  terminal.resize(100, 30);
  terminal.type('exit 3\r');
  await terminal.shows([/> +2 .*GET +before/, /back from the shell, which ended with 3/, /T0$/m]);
  const lines = terminal.lines();
  assert.equal(lines.length, 30);
  assert.match(lines[29] ?? '', /\? help/);
  assert.ok(terminal.modes().alternate);
  assert.ok(!terminal.modes().cursor);
  assert.notEqual(terminal.modes().mouse, 'none');
  terminal.type('\r');
  await terminal.shows(/\[Decision\]/);
  terminal.type('Q');
  assert.deepEqual(await terminal.ended(), { code: 0, sameSettings: true });
});

test('a shell that is killed does not take the terminal, or the traffic, with it', async (t) => {
  const { terminal, app } = await opened(t);
  await shell(terminal);
  terminal.type('kill -9 $$\r');
  await terminal.shows([/> +1 .*SET +before/, /back from the shell, which ended with 137/]);
  assert.equal(await app.ask('GET', 'before'), '$1\r\n1\r\n');
  await terminal.shows(/> +2 .*GET +before/);
  await shell(terminal);
  terminal.type('\x04');
  await terminal.shows(/back from the shell *$/m);
  terminal.type('Q');
  assert.deepEqual(await terminal.ended(), { code: 0, sameSettings: true });
});

test('what ends rmtop ends the shell, too', async (t) => {
  const { terminal } = await opened(t);
  await shell(terminal);
  terminal.type('trap "echo the shell has ended" EXIT; trap "exit 9" HUP\r');
  terminal.type('echo "pid is $$."\r');
  await until(() => /pid is \d+\./.test(terminal.unwrapped()), 'its number');
  const pid = Number(/pid is (\d+)\./.exec(terminal.unwrapped())?.[1]);
  terminal.signal('SIGTERM');
  assert.deepEqual(await terminal.ended(), { code: 143, sameSettings: true });
  assert.match(terminal.unwrapped(), /the shell has ended/);
  assert.match(terminal.unwrapped(), /rmtop: 1 command from 1 client/);
  assert.throws(() => process.kill(pid, 0), { code: 'ESRCH' });
});

test('a shell that does not end when it is told to is killed', async (t) => {
  const { terminal } = await opened(t);
  await shell(terminal);
  terminal.type('trap "" HUP TERM; echo "now it is $((1 + 1)) late"\r');
  await until(() => /now it is 2 late/.test(terminal.unwrapped()), 'the trap');
  terminal.signal('SIGTERM');
  assert.equal((await terminal.ended()).code, 143);
});

test('a shell that is not there is said, and ctrl-z names the way', async (t) => {
  const { terminal } = await opened(t, '/no/such/shell');
  terminal.type('\x1a');
  await terminal.shows(/does not suspend, .*: use :shell/);
  terminal.type(':shell\r');
  await terminal.shows(/there is no program \/no\/such\/shell: set \$SHELL/);
  terminal.type('\x1b');
  await terminal.shows(/> +1 .*SET +before/);
  terminal.type('Q');
  assert.deepEqual(await terminal.ended(), { code: 0, sameSettings: true });
});

test('L shows a recording while the proxy goes on, and Esc leads back to everything that came meanwhile', async (t) => {
  const { terminal, app, listen } = await opened(t);
  terminal.type('t3');
  await terminal.shows(/t3 ON/);
  terminal.type(':fault t3 off\r');
  await terminal.shows(/t3 OFF/);
  terminal.type(`:open ${RECORDING}\r`);
  await terminal.shows([
    /rmtop open fault-error\.rmtop/,
    new RegExp(`live :${listen} goes on, .*Esc leads back`),
  ]);
  for (let i = 0; i < 50; i++) await app.ask('SET', `meanwhile:${i}`, 'v');
  terminal.type('W');
  await terminal.shows(/this is a recording: w saves/);
  terminal.type('\x1b');
  await terminal.shows([new RegExp(`rmtop :${listen}`), /> +51 .*SET +meanwhile:49/, /51 rows/]);
  terminal.type(':open /no/such.rmtop\r');
  await terminal.shows(/there is no file \/no\/such\.rmtop/);
  terminal.type('\x15open /bin/sh\r');
  await terminal.shows([/> +51 .*SET/, /sh.* (is not|is no|line 1)/]);
  terminal.type('Q');
  assert.deepEqual(await terminal.ended(), { code: 0, sameSettings: true });
  await until(() => /rmtop: 51 commands from 1 client/.test(terminal.unwrapped()), 'the farewell');
});
