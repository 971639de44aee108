/** Fixtures: recordings without machine and moment, which decide and replay as the recordings did. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test, { type TestContext } from 'node:test';
import { checkRecording } from '../../bin/check/recording.js';
import { readFixture } from '../../bin/fixture.js';
import { REPLAY_DEFAULTS } from '../../bin/replay/flags.js';
import { replayRecording } from '../../bin/replay/run.js';
import type { JsonObject } from '../../src/recording/values.js';
import { TestClient } from '../helpers/client.js';
import { ask, sharedCluster } from '../helpers/cluster.js';
import { runProgram, startProgram } from '../helpers/program.js';
import { folder, RECORDINGS } from '../helpers/record-files.js';
import { recorded } from '../helpers/recorded.js';
import { until } from '../helpers/until.js';

const NAMES = readdirSync(RECORDINGS);

const { cluster } = sharedCluster();
const seed = (): number => cluster().nodes[0]?.port ?? 0;

async function fixtureOf(file: string, latency = false): Promise<readonly string[]> {
  return (await readFixture(file, { filter: null, strict: true, latency })).lines;
}

function written(t: TestContext, lines: readonly string[]): string {
  const file = path.join(folder(t), 'fixture.rmtop');
  writeFileSync(file, `${lines.join('\n')}\n`);
  return file;
}

const parsed = (lines: readonly string[]): JsonObject[] =>
  lines.map((line) => JSON.parse(line) as JsonObject);
const commandsOf = (lines: readonly string[]): JsonObject[] =>
  parsed(lines).filter(({ k }) => k === 'cmd');

for (const name of NAMES)
  test(`${name} as a fixture: in order, without facts of a machine, decided as recorded`, async (t) => {
    const lines = await fixtureOf(path.join(RECORDINGS, name));
    const commands = commandsOf(lines);
    assert.ok(commands.length > 5);
    assert.deepEqual(
      commands.map(({ n }) => n),
      commands.map((_, i) => i + 1),
    );
    for (const command of commands)
      assert.ok(
        !('tm' in command) &&
          !('d' in command && !/^(?:B|XREAD)/.test(String((command.a as string[])[0]))),
      );
    assert.deepEqual(
      parsed(lines).filter(({ k }) => k === 'up' || k === 'ck'),
      [],
    );
    // Only hosts that keys are spread over keep their addresses, and clients theirs, with the connection for a port.
    const [, ...rest] = lines;
    for (const [address = ''] of rest.join('\n').matchAll(/127\.0\.0\.1:(\d+)/g))
      assert.match(address, /^127\.0\.0\.1:\d$/);
    const file = written(t, lines);
    const report = await checkRecording(file);
    assert.deepEqual(
      report.findings.filter(({ level }) => level !== 'info'),
      [],
    );
    assert.equal(report.decided, commands.length);
    assert.deepEqual(await fixtureOf(file), lines, 'a fixture is its own fixture');
  });

/** What an application does, with what a library says for itself; concurrency and blocking included. */
async function application(client: TestClient, other: TestClient): Promise<void> {
  await client.ask('HELLO');
  await client.ask('PING');
  await client.ask('SET', 'fx:a', '1');
  await client.pipeline([['PING'], ['INCR', 'fx:a'], ['GET', 'fx:a']]);
  await client.ask('MGET', 'fx:a', 'fx:b', 'fx:c');
  const popped = client.ask('BLPOP', 'fx:list', '0');
  // The other one comes second, whatever the load.
  await until(async () => {
    const lists = await Promise.all(
      cluster().nodes.map((node) => ask(node.port, ['CLIENT', 'LIST'])),
    );
    return lists.some((list) => /cmd=blpop/.test(String(list)));
  }, 'BLPOP waits');
  await other.ask('RPUSH', 'fx:list', 'x');
  await popped;
  await other.ask('TIME');
}

test('the same session recorded twice is the same fixture, but for its times', async (t) => {
  const made: string[][] = [];
  for (const round of ['one', 'two']) {
    for (const node of cluster().nodes.slice(0, 3)) await ask(node.port, ['FLUSHALL']);
    const { file } = await recorded(
      t,
      { seeds: [seed()], settings: { open: true } },
      async (proxy) => {
        if (round === 'two') await proxy.client(); // a connection that does nothing
        const client = await proxy.client();
        await client.ask('SET', 'fx:a', '0');
        await application(client, await proxy.client());
        await proxy.event((event) => event.command.name === 'TIME');
      },
    );
    const lines = await fixtureOf(file);
    // When a connection is heard of, before or after another's command, is chance.
    const timeless = lines.map((line) => line.replace(/"[td]":[\d.]+,/g, ''));
    const isConnection = (line: string): boolean => line.startsWith('{"k":"conn"');
    made.push([
      ...timeless.filter((line) => !isConnection(line)),
      ...timeless.filter(isConnection).sort(),
    ]);
    const names = commandsOf(lines).map(({ a }) => String((a as string[])[0]));
    assert.deepEqual(names, ['SET', 'SET', 'INCR', 'GET', 'MGET', 'BLPOP', 'RPUSH', 'TIME']);
    const [, , incr, get] = commandsOf(lines);
    assert.deepEqual(
      [incr?.q, get?.q],
      [
        [3, 0, 2],
        [3, 1, 2],
      ],
    );
    assert.deepEqual(commandsOf(lines).at(-1)?.r, { red: 'time' });
  }
  assert.deepEqual(made[0], made[1]);
});

for (const name of ['session', 'resp3', 'pubsub-open'])
  test(`${name} as a fixture replays against fresh servers as the recording does`, async (t) => {
    const file = written(t, await fixtureOf(path.join(RECORDINGS, `${name}.rmtop`)));
    const { report, outcome, exitCode } = await replayRecording(file, {
      ...REPLAY_DEFAULTS,
      upstream: `127.0.0.1:${seed()}`,
      speed: 'max',
      guard: '30s',
      flush: true,
    });
    assert.deepEqual([report.differences, outcome.closed], [[], []]);
    assert.equal(exitCode, 0);
    assert.ok(report.same > 4);
  });

test('cat --fixture prints it, with durations for --latency; record --fixture writes it', async (t) => {
  const session = path.join(RECORDINGS, 'session.rmtop');
  const { code, stdout, stderr } = await runProgram(t, ['cat', '--fixture', session]);
  assert.deepEqual([code, stderr], [0, '']);
  assert.equal(stdout, `${(await fixtureOf(session)).join('\n')}\n`);
  const timed = await runProgram(t, ['cat', '--fixture', '--latency', session]);
  assert.ok(commandsOf(timed.stdout.trimEnd().split('\n')).some(({ d }) => typeof d === 'number'));
  const file = path.join(folder(t), 'made.rmtop');
  const upstream = `127.0.0.1:${seed()}`;
  const program = startProgram(t, [
    'record',
    '--fixture',
    '-o',
    file,
    '-u',
    upstream,
    '-l',
    '127.0.0.1:0',
    '--no-config',
  ]);
  const [, port] = await program.says(/listening on 127\.0\.0\.1:(\d+)/);
  const client = await TestClient.connect(Number(port));
  await client.ask('SET', 'fx:made', '1');
  await client.ask('PING');
  client.close();
  program.child.kill('SIGINT');
  await program.ended;
  const lines = readFileSync(file, 'utf8').trimEnd().split('\n');
  assert.deepEqual(
    commandsOf(lines).map(({ a }) => a),
    [['SET', 'fx:made', '1']],
  );
  assert.equal(parsed(lines)[0]?.fixture, true);
  assert.equal(statSync(file).mode & 0o777, 0o600);
  assert.deepEqual(readdirSync(path.dirname(file)), ['made.rmtop']);
});

test('what a fixture cannot be is told: of several files, packed, in parts', async (t) => {
  const session = path.join(RECORDINGS, 'session.rmtop');
  for (const args of [
    ['cat', '--fixture', session, session],
    ['cat', '--fixture', '--csv', session],
    ['cat', '--latency', session],
    ['record', '--fixture', '-o', path.join(folder(t), 'a.rmtop.gz')],
  ]) {
    const { code, stderr } = await runProgram(t, args);
    assert.equal(code, 64, stderr);
    assert.match(stderr, /error\[USAGE\]: --(?:fixture|csv|latency)/);
  }
});
