/** `rmtop replay --tui` in a real terminal, on real servers: what is seen, what is left afterwards, and how it ends. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test, { type TestContext } from 'node:test';
import { TestClient } from '../helpers/client.js';
import { ask, servers, sharedCluster } from '../helpers/cluster.js';
import { runProgram, startProgram } from '../helpers/program.js';
import { openTerminal, type ProgramTerminal, type PtyOptions } from '../helpers/pty.js';
import { folder } from '../helpers/record-files.js';
import { until } from '../helpers/until.js';

const { cluster } = sharedCluster();

const LEFT_ALONE = { alternate: false, cursor: true, wraps: true, pastes: false, mouse: 'none' };
const EVIL = '\x1b[2J\x1b]0;x\x07';

function seed(): string {
  return `127.0.0.1:${cluster().nodes[0]?.port ?? 0}`;
}

async function flush(): Promise<void> {
  for (const node of cluster().nodes) await ask(node.port, ['FLUSHALL']).catch(() => {});
}

/** Twelve commands of two clients on an empty cluster; in the recording, `GET k3` is answered otherwise, with what must not be printed. */
async function recorded(t: TestContext): Promise<string> {
  const file = path.join(folder(t), 'a.rmtop');
  await flush();
  const args = ['-q', '-o', file, '-l', '127.0.0.1:0', '-u', seed()];
  const rmtop = startProgram(t, ['record', ...args]);
  const [, port] = await rmtop.says(/listening on 127\.0\.0\.1:(\d+)/);
  const [a, b] = await Promise.all([1, 2].map(() => TestClient.connect(Number(port))));
  for (let i = 1; i <= 6; i++) {
    await a?.ask('SET', `k${i}`, `${i}`);
    await b?.ask('GET', `k${i}`);
  }
  for (const client of [a, b]) client?.close();
  await until(() => readFileSync(file, 'utf8').split('"k":"end"').length === 3);
  rmtop.child.kill('SIGTERM');
  await rmtop.ended;
  const lines = readFileSync(file, 'utf8').split('\n');
  const at = lines.findIndex((line) => line.includes('"a":["GET","k3"]'));
  lines[at] = (lines[at] ?? '').replace('"r":"3"', `"r":${JSON.stringify(EVIL)}`);
  writeFileSync(file, lines.join('\n'));
  await flush();
  return file;
}

function replaying(
  t: TestContext,
  file: string,
  args: readonly string[] = [],
  options: PtyOptions = {},
): ProgramTerminal {
  return openTerminal(t, ['replay', file, '-u', seed(), '--tui', ...args], options);
}

test('by steps, to the difference, to the end; the report and exit code are as without the screen', async (t) => {
  const file = await recorded(t);
  const junit = path.join(path.dirname(file), 'junit.xml');
  const terminal = replaying(t, file, ['--step', '--junit', junit]);
  await terminal.shows([
    / replay a\.rmtop > 127\.0\.0\.1:\d+ /,
    /\|\| 0\.\ds\/0\.\ds x1 late 0\.0ms/,
    /0 of 12 sent/,
  ]);
  terminal.type('.');
  await terminal.shows([/> +1 .*SET +k1/, /1 of 12 sent +1 same/]);
  terminal.type('.');
  await terminal.shows(/2 of 12 sent +2 same/);
  terminal.type('n');
  await terminal.shows([
    /\[Diff\]/,
    /the reply differs: "\\x1b\[2J\\x1b\]0;x\\a" {2}> {2}"3"/,
    /recorded {2}#6 s2?\S*\.p .*now {2}#6 /,
    /it goes where it went/,
    /6 of 12 sent +5 same +1 DIFFERENT/,
    /\|\| \d/,
  ]);
  terminal.type('p');
  await terminal.shows([/over, 12 of 12 sent +11 same +1 DIFFERENT/, /\[\] \d/]);
  terminal.type('\x1b');
  await terminal.shows(/>x +6 .*GET +k3/);
  terminal.type('/replay.diff!=same\r');
  await terminal.shows(/1\/12 shown/);
  terminal.type('q');
  await terminal.shows(/Quit\? y\/N \(the replay is over\)/);
  terminal.type('y');
  const { code, sameSettings } = await terminal.ended();
  assert.deepEqual([code, sameSettings, terminal.modes()], [1, true, LEFT_ALONE]);
  const shown = terminal.unwrapped();
  assert.match(
    shown,
    /^replayed 12 of 12 commands on 2 connections in [\d.]+ s \(by step, causal/m,
  );
  assert.match(shown, /^replies {3}11 same .* 1 DIFFERENT/m);
  assert.match(shown, /^#6 GET k3 .* {2}> {2}"3"$/m);
  assert.doesNotMatch(shown, /ended early/);
  assert.match(readFileSync(junit, 'utf8'), /failures="1"/);
  assert.ok(!terminal.output.includes(EVIL), 'bytes of a reply went to the terminal');
});

test('at its speed, to the end; --json prints the report as JSON', async (t) => {
  const file = await recorded(t);
  const options = { columns: 120, rows: 36, env: { NO_COLOR: '1' } };
  const terminal = replaying(t, file, ['--speed', 'max', '--json', '-f', 'cmd=SET'], options);
  await terminal.shows([/over, 6 of 6 sent +6 same +0 different/, /xmax/, /6 rows/]);
  terminal.type('3');
  await terminal.shows(/s2\.p +10923-16383/);
  terminal.type('Q');
  assert.equal((await terminal.ended()).code, 0);
  const [line = ''] = /^\{"k":"replay".*$/m.exec(terminal.unwrapped()) ?? [];
  const { sent, replies } = JSON.parse(line) as { sent: number; replies: { same: number } };
  assert.deepEqual([sent, replies.same], [6, 6]);
});

test('ended in the middle, it reports what was compared so far, and says so', async (t) => {
  const file = await recorded(t);
  const terminal = replaying(t, file, ['--step']);
  await terminal.shows(/0 of 12 sent/);
  terminal.type('..');
  await terminal.shows(/2 of 12 sent +2 same/);
  terminal.type('Q');
  assert.deepEqual(await terminal.ended(), { code: 0, sameSettings: true });
  const shown = terminal.unwrapped();
  assert.match(shown, /^replayed 2 of 12 commands/m);
  assert.match(shown, /^ended early: 10 of 12 commands were not sent; what was compared so far/m);
});

test('servers that go away half-way are told, on the screen and at the end: exit code 2', async (t) => {
  const file = await recorded(t);
  const all = servers();
  t.after(() => all.stop());
  const server = await all.start();
  const args = ['replay', file, '-u', `127.0.0.1:${server.port}`, '--tui', '--step'];
  const terminal = openTerminal(t, args, { columns: 120, rows: 36 });
  await terminal.shows(/0 of 12 sent/);
  terminal.type('..');
  await terminal.shows(/2 of 12 sent/);
  await all.stop();
  terminal.type('p');
  await terminal.shows([/servers were lost from #\d+ on: 127\.0\.0\.1:\d+ /, /\[\] \d/]);
  terminal.type('Q');
  assert.equal((await terminal.ended()).code, 2);
  assert.match(terminal.unwrapped(), /^warning: servers were lost from #\d+ on, \d+ commands: /m);
});

test('a signal ends it with the report, and its own code', async (t) => {
  const file = await recorded(t);
  const terminal = replaying(t, file, ['--step']);
  await terminal.shows(/0 of 12 sent/);
  terminal.type('.');
  await terminal.shows(/1 of 12 sent +1 same/);
  terminal.signal('SIGTERM');
  const { code, sameSettings } = await terminal.ended();
  assert.deepEqual([code, sameSettings, terminal.modes()], [143, true, LEFT_ALONE]);
  assert.match(terminal.unwrapped(), /^ended early: 11 of 12 commands were not sent/m);
});

test('a recording that is open is sent again with r, after asking; Esc leads back to it', async (t) => {
  const file = await recorded(t);
  const options = { columns: 120, rows: 36, env: { RMTOP_UPSTREAM: seed() } };
  const terminal = openTerminal(t, ['open', file], options);
  await terminal.shows(/12 rows/);
  terminal.type('r');
  await terminal.shows(new RegExp(`replay to> ${seed()}`));
  terminal.type('\r');
  const { port = 0 } = cluster().nodes[0] ?? {};
  await terminal.shows(
    new RegExp(`Send the 12 commands of a\\.rmtop to 127\\.0\\.0\\.1:${port}, writes too\\? y/N`),
  );
  terminal.type('\r');
  await terminal.shows((text) => !/Send the 12/.test(text), 'Enter is no');
  terminal.type('r\r');
  await terminal.shows(/Send the 12 commands/);
  terminal.type('y');
  await terminal.shows([/rmtop replay a\.rmtop > /, /\[\] \d/, /12 rows/]);
  terminal.type('n');
  await terminal.shows(/the reply differs: .* {2}> {2}"3"/);
  terminal.type('\x1b');
  await terminal.shows(/\[1 Stream\]/);
  terminal.type('\x1b');
  await terminal.shows(/rmtop open a\.rmtop/);
  terminal.type('Q');
  assert.equal((await terminal.ended()).code, 0);
  assert.match(terminal.unwrapped(), /^a\.rmtop > 127\.0\.0\.1:\d+:\nreplayed 12 of 12 commands/m);
});

test('a server that is not there is told, and the recording stays', async (t) => {
  const file = await recorded(t);
  const terminal = openTerminal(t, ['open', file], { columns: 160, rows: 36 });
  await terminal.shows(/12 rows/);
  terminal.type(':replay 127.0.0.1:1\r');
  await terminal.shows(/Send the 12 commands of a\.rmtop to 127\.0\.0\.1:1, writes too/);
  terminal.type('y');
  await terminal.shows([/127\.0\.0\.1:1 refused the connection/, /rmtop open a\.rmtop/]);
  terminal.type('Q');
  assert.equal((await terminal.ended()).code, 0);
});

test('what cannot be: without a terminal, without the data plane, from stdin', async (t) => {
  const file = await recorded(t);
  const piped = await runProgram(t, ['replay', file, '-u', seed(), '--tui']);
  assert.equal(piped.code, 64);
  assert.match(piped.stderr, /--tui needs a terminal: stdin and stdout must be one/);
  const direct = await runProgram(t, ['replay', file, '-u', seed(), '--tui', '--direct']);
  assert.equal(direct.code, 64);
  assert.match(direct.stderr, /--direct does not go with --tui/);
  const dumb = replaying(t, file, [], { env: { TERM: 'dumb' } });
  assert.equal((await dumb.ended()).code, 64);
  assert.match(dumb.unwrapped(), /TERM is dumb/);
  const stdin = openTerminal(t, ['replay', '-', '-u', seed(), '--tui']);
  assert.equal((await stdin.ended()).code, 64);
  assert.match(stdin.unwrapped(), /stdin is the keyboard/);
});
