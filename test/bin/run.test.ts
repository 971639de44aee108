/** The program without a screen, as its user starts it: records, signals, errors, exit codes. */
import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import test from 'node:test';
import { bulk, TestClient } from '../helpers/client.js';
import { sharedServer } from '../helpers/cluster.js';
import { clusterNode, fakeRedis } from '../helpers/fake-redis.js';
import { runProgram, startProgram } from '../helpers/program.js';
import { until } from '../helpers/until.js';

const { port } = sharedServer();
const listen = ['-l', '127.0.0.1:0'];
const LISTENING = /listening on 127\.0\.0\.1:(\d+)/;

type Line = { readonly k: string; readonly [field: string]: unknown };

function lines(text: string): Line[] {
  return text
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Line);
}

test('--json: the header at once with the real address, a record a command, the end record; SIGINT ends with 130', async (t) => {
  const rmtop = startProgram(t, ['--json', ...listen, '-u', `127.0.0.1:${port()}`]);
  const listening = await rmtop.says(LISTENING);
  await until(() => rmtop.stdout().includes('\n'));
  const [header] = lines(rmtop.stdout().split('\n')[0] ?? '');
  assert.ok(rmtop.stdout().startsWith('{"k":"rmtop","v":1,"min":1,'));
  assert.deepEqual(header?.listen, [`127.0.0.1:${listening[1]}`]);
  const client = await TestClient.connect(Number(listening[1]));
  await client.ask('CLIENT', 'SETNAME', 'tester');
  await client.ask('SET', 'k', Buffer.from([255, 0, 10]));
  await client.ask('GET', 'k');
  await client.ask('AUTH', 'user', 'very-secret');
  await client.ask('BLPOP', 'q', '0');
  await client.pipeline([['MULTI'], ['INCR', 'n'], ['EXEC']]);
  client.close();
  await until(() => /"k":"end"/.test(rmtop.stdout()));
  rmtop.child.kill('SIGINT');
  assert.equal(await rmtop.ended, 130);
  const records = lines(rmtop.stdout());
  const commands = records.filter((line) => line.k === 'cmd');
  assert.deepEqual(
    commands.map((line) => line.n),
    [1, 2, 3, 4, 5, 6, 7, 8],
  );
  assert.deepEqual(commands[1]?.a, ['SET', 'k', { b64: '/wAK' }]);
  assert.deepEqual(
    [commands[1]?.r, commands[1]?.u, commands[1]?.p, commands[1]?.x],
    [{ '+': 'OK' }, 's0.p', ['write', 'P'], 'W'],
  );
  assert.deepEqual(commands[2]?.r, { b64: '/wAK' });
  assert.deepEqual(commands[3]?.a, ['AUTH', { red: 'auth' }, { red: 'auth' }]);
  assert.deepEqual([commands[4]?.rf, commands[4]?.u, commands[4]?.x], ['unsupported', '-', 'L']);
  assert.deepEqual(commands[7]?.r, [1]);
  assert.ok(records.some((line) => line.k === 'conn' && line.name === 'tester'));
  assert.deepEqual([records.at(-1)?.k, records.at(-1)?.cmds, records.at(-1)?.drop], ['fin', 8, 0]);
  assert.ok(!rmtop.stdout().includes('very-secret') && !rmtop.stderr().includes('very-secret'));
});

test('--json --filter prints the commands that fit', async (t) => {
  const rmtop = startProgram(t, [
    '--json',
    '-f',
    'class=write | err',
    ...listen,
    '-u',
    `127.0.0.1:${port()}`,
  ]);
  const listening = await rmtop.says(LISTENING);
  const client = await TestClient.connect(Number(listening[1]));
  for (const argv of [['SET', 'a', '1'], ['GET', 'a'], ['NOSUCH'], ['GET', 'b']])
    await client.ask(...argv);
  client.close();
  await until(() => /"k":"end"/.test(rmtop.stdout()));
  rmtop.child.kill('SIGTERM');
  await rmtop.ended;
  const commands = lines(rmtop.stdout()).filter((line) => line.k === 'cmd');
  assert.deepEqual(
    commands.map((line) => line.n),
    [1, 3],
  );
});

test('SIGTERM answers what is in flight, then ends with 143', async (t) => {
  let answer: (() => void) | null = null;
  const node = await fakeRedis(
    t,
    clusterNode(
      () => '-ERR This instance has cluster support disabled\r\n',
      (_argv, socket) => {
        answer = () => socket.write('+late\r\n');
        return null;
      },
    ),
  );
  const rmtop = startProgram(t, [...listen, '-u', node.address]);
  const listening = await rmtop.says(LISTENING);
  const client = await TestClient.connect(Number(listening[1]));
  const reply = client.ask('SET', 'k', 'v');
  await until(() => answer !== null);
  rmtop.child.kill('SIGTERM');
  await until(async () => !(await accepts(Number(listening[1]))), 'the port being closed');
  (answer as (() => void) | null)?.();
  assert.equal(await reply, '+late\r\n');
  assert.equal(await rmtop.ended, 143);
});

function accepts(to: number): Promise<boolean> {
  return TestClient.connect(to).then(
    (client) => {
      client.close();
      return true;
    },
    () => false,
  );
}

test('a reader that goes away ends it quietly', async (t) => {
  const rmtop = startProgram(t, ['--json', ...listen, '-u', `127.0.0.1:${port()}`]);
  const listening = await rmtop.says(LISTENING);
  rmtop.child.stdout?.destroy();
  const client = await TestClient.connect(Number(listening[1]));
  t.after(() => client.close());
  const keep = setInterval(() => client.write('PING\r\n'), 5);
  t.after(() => clearInterval(keep));
  assert.equal(await rmtop.ended, 0);
  assert.doesNotMatch(rmtop.stderr(), /error/i);
});

test('a slow reader slows the clients down, and misses nothing', async (t) => {
  const rmtop = startProgram(t, ['--json', '-q', ...listen, '-u', `127.0.0.1:${port()}`]);
  const listening = await rmtop.says(LISTENING);
  rmtop.child.stdout?.pause();
  const client = await TestClient.connect(Number(listening[1]));
  const value = 'v'.repeat(50_000);
  const count = 600; // 30 MB of records, more than all the buffers on the way
  let done = 0;
  const sending = (async () => {
    for (let i = 0; i < count; i += 10) {
      await client.pipeline(Array.from({ length: 10 }, () => ['SET', 'big', value]));
      done += 10;
    }
  })();
  await until(async () => {
    const before = done;
    await new Promise((resolve) => setTimeout(resolve, 100));
    return done === before && done > 0;
  });
  assert.ok(done < count, 'nothing was held back');
  rmtop.child.stdout?.resume();
  await sending;
  client.close();
  await until(() => /"k":"end"/.test(rmtop.stdout()));
  rmtop.child.kill('SIGTERM');
  assert.equal(await rmtop.ended, 143);
  const records = lines(rmtop.stdout());
  assert.equal(records.filter((line) => line.k === 'cmd').length, count);
  assert.equal(records.at(-1)?.drop, 0);
});

test('errors that a person can act on', async (t) => {
  const taken = createServer().listen(0, '127.0.0.1');
  t.after(() => taken.close());
  await new Promise((resolve) => taken.once('listening', resolve));
  const bound = taken.address();
  const busy = bound !== null && typeof bound === 'object' ? bound.port : 0;
  const cases: [string[], number, RegExp][] = [
    [['--bogus'], 64, /unknown option '--bogus'/],
    [['--read-polcy', 'ANY'], 64, /--read-policy/],
    [['--read-policy', 'SOME'], 64, /error\[USAGE\][\s\S]*PREFER_REPLICA/],
    [['--filter', 'rtt>'], 64, /error\[FILTER\][\s\S]*column 5/],
    [['--fps', '0'], 64, /error\[USAGE\]/],
    [['--envoy', '1.99'], 64, /error\[USAGE\][\s\S]*1\.40/],
    [['--op-timeout', 'soon'], 64, /error\[USAGE\][\s\S]*200ms/],
    [['-u', 'no port here'], 64, /error\[BAD_ADDRESS\]/],
    [['--map', 'x'], 64, /error\[BAD_MAP\][\s\S]*FROM/],
    [['--auth-file', '/nowhere/at/all'], 64, /error\[FILE_UNREADABLE\]/],
    [['-l', `127.0.0.1:${busy}`], 4, /error\[LISTEN_IN_USE\][\s\S]*next:/],
    [['-l', '127.0.0.1:6390', '-u', 'localhost:6390'], 64, /error\[UPSTREAM_LOOP\]/],
    [['nosuchcommand'], 64, /nosuchcommand/],
    [
      ['explain', 'GET', 'k', '-u', '127.0.0.1:1'],
      4,
      /error\[UPSTREAM_UNREACHABLE\][\s\S]*refused/,
    ],
  ];
  for (const [args, code, text] of cases) {
    const result = await runProgram(t, args);
    assert.equal(result.code, code, `${args.join(' ')}: ${result.stderr}`);
    assert.match(result.stderr, text);
    assert.doesNotMatch(result.stderr, /\n\s+at /, 'a stack trace');
    assert.equal(result.stdout, '');
  }
});

test('help, version, and explain', async (t) => {
  const help = await runProgram(t, ['--help']);
  assert.equal(help.code, 0);
  assert.match(help.stdout, /Examples:[\s\S]*--upstream[\s\S]*explain/);
  const { stdout } = await runProgram(t, ['--version']);
  assert.match(stdout, /^\d+\.\d+\.\d+\n$/);
  assert.equal((await runProgram(t, ['version'])).stdout, stdout);
  const explained = await runProgram(t, [
    'explain',
    'GET',
    'cart:{42}:items',
    '-u',
    `127.0.0.1:${port()}`,
  ]);
  assert.equal(explained.code, 0);
  assert.match(explained.stdout, /one server, no slots/);
  const refused = await runProgram(t, ['explain', 'BLPOP', 'q', '0', '-u', `127.0.0.1:${port()}`]);
  assert.match(refused.stdout, /unknown command 'BLPOP'[\s\S]*--open/);
  const json = await runProgram(t, [
    'explain',
    '--json',
    'SET',
    'a',
    '1',
    '-u',
    `127.0.0.1:${port()}`,
  ]);
  assert.equal((JSON.parse(json.stdout) as { action: { kind: string } }).action.kind, 'forward');
});

test('passwords come by environment and file, and are never shown', async (t) => {
  const node = await fakeRedis(
    t,
    clusterNode(
      () => '-ERR This instance has cluster support disabled\r\n',
      () => '+OK\r\n',
    ),
  );
  const folder = mkdtempSync(path.join(tmpdir(), 'rmtop-test-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const file = path.join(folder, 'auth');
  writeFileSync(file, 'app:from-the-file\n');
  chmodSync(file, 0o600);
  const ways: [string[], NodeJS.ProcessEnv, string][] = [
    [['-u', node.address], { REDISCLI_AUTH: 'from-the-environment' }, 'auth from-the-environment'],
    [['-u', node.address, '--auth-file', file], {}, 'auth app from-the-file'],
    [[], { RMTOP_UPSTREAM: `redis://app:from-the-url@${node.address}` }, 'auth app from-the-url'],
  ];
  for (const [args, env, expected] of ways) {
    node.heard.length = 0;
    const rmtop = startProgram(t, ['--json', ...listen, ...args], env);
    const listening = await rmtop.says(LISTENING);
    const client = await TestClient.connect(Number(listening[1]));
    assert.equal(await client.ask('SET', 'a', '1'), '+OK\r\n');
    assert.ok(
      node.heard.some((argv) => argv.join(' ') === expected),
      expected,
    );
    client.close();
    rmtop.child.kill('SIGTERM');
    await rmtop.ended;
    assert.doesNotMatch(rmtop.stdout() + rmtop.stderr(), /from-the-/);
  }
});

test('kill -9 loses no line that was due, and leaves nothing behind', async (t) => {
  const rmtop = startProgram(t, ['--json', ...listen, '-u', `127.0.0.1:${port()}`]);
  const listening = await rmtop.says(LISTENING);
  const client = await TestClient.connect(Number(listening[1]));
  for (let i = 0; i < 50; i++) assert.equal(await client.ask('ECHO', `${i}`), bulk(`${i}`));
  await until(
    () =>
      lines(rmtop.stdout().replace(/[^\n]*$/, '')).filter((line) => line.k === 'cmd').length === 50,
  );
  rmtop.child.kill('SIGKILL');
  assert.equal(await rmtop.ended, 'SIGKILL');
  assert.ok(!(await accepts(Number(listening[1]))));
});

test('a terminal that can only print gets no screen', async (t) => {
  const rmtop = startProgram(t, [...listen, '-u', `127.0.0.1:${port()}`], { TERM: 'dumb' });
  await rmtop.says(/is one server, no Redis Cluster/);
  rmtop.child.kill('SIGTERM');
  assert.equal(await rmtop.ended, 143);
  assert.match(rmtop.stderr(), /0 commands from 0 clients/);
  assert.equal(rmtop.stdout(), '');
});
