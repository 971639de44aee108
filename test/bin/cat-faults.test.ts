/** `rmtop cat --faults mesh`: rules of a real recording become a RedisService that loads as what they were. */
import assert from 'node:assert/strict';
import path from 'node:path';
import test from 'node:test';
import { TestClient } from '../helpers/client.js';
import { sharedServer } from '../helpers/cluster.js';
import { cmd, handMade } from '../helpers/hand-made.js';
import { load } from '../helpers/mesh-files.js';
import { runProgram, startProgram } from '../helpers/program.js';
import { folder } from '../helpers/record-files.js';

const { port: redis } = sharedServer();

test('what fits is printed once, what does not is said', async (t) => {
  const file = path.join(folder(t), 'a.rmtop');
  const flags = [
    'error 20% if cmd=GET',
    'delay 50ms 5% on reply if cmd in {SET, DEL}',
    'hang 1% if key=x:*',
    'delay 50ms 5% if cmd=TTL',
  ].flatMap((rule) => ['--fault', rule]);
  const upstream = `127.0.0.1:${redis()}`;
  const rmtop = startProgram(t, [
    ...['record', '-o', file, '-l', '127.0.0.1:0', '-u', upstream],
    ...flags,
  ]);
  const [, port] = await rmtop.says(/listening on 127\.0\.0\.1:(\d+)/);
  const client = await TestClient.connect(Number(port));
  t.after(() => client.close());
  await client.ask('INCR', 'faults:n');
  rmtop.child.kill('SIGTERM');
  await rmtop.ended;

  const { code, stdout, stderr } = await runProgram(t, ['cat', file, file, '--faults', 'mesh']);
  assert.equal(code, 0, stderr);
  assert.match(stderr, /t3 is left out: the mesh knows no scope but a list of commands/);
  assert.match(stderr, /t4 is left out: the mesh delays the reply, not the request/);
  assert.match(stderr, /spec\.host is an example/);
  const [listener] = load(stdout).listeners;
  assert.deepEqual(
    listener?.config.faults.map(({ percent, commands, action }) => [
      percent,
      commands,
      action.kind,
    ]),
    [
      [20, ['get'], 'error'],
      [5, ['set', 'del'], 'delay'],
    ],
  );
});

test('the service is named where the recording names it; no rules; what does not go together', async (t) => {
  const mesh = {
    version: 1,
    envoy: 40,
    routes: [],
    upstreams: {},
    settings: {},
    faults: [],
    rules: [
      { id: 't1', on: true, percent: 5, scope: '', max: null, seed: 1 },
      { id: 't2', on: false, percent: 50, scope: '', max: null, seed: 1 },
    ].map((rule) => ({
      ...rule,
      action: { kind: 'error', text: 'Fault Injected: Error', delayMs: 0, at: 'request' },
    })),
  };
  const config = { k: 'cfg', t: 0, cv: 1, name: 'flags', mesh };
  const made = [config, cmd(1, ['GET', 'a'], '1')];
  const file = handMade(t, made, { up: 'redis.shop.svc.cluster.local:6379' });
  const { stdout, stderr } = await runProgram(t, ['cat', file, '--faults', 'mesh']);
  assert.match(stdout, /host:\n +- redis\.shop\.svc\.cluster\.local\n/);
  assert.equal(stdout.match(/type: ERROR/g)?.length, 1);
  assert.equal(stderr, '');
  const none = await runProgram(t, [
    'cat',
    handMade(t, [cmd(1, ['GET', 'a'], '1')]),
    ...['--faults', 'mesh'],
  ]);
  assert.deepEqual([none.code, none.stdout, none.stderr], [0, '', 'rmtop: no fault rule was on\n']);
  for (const wrong of [
    ['--faults', 'envoy'],
    ['--faults', 'mesh', '--json'],
    ['--faults', 'mesh', '-f', 'err'],
  ]) {
    const refused = await runProgram(t, ['cat', file, ...wrong]);
    assert.deepEqual([refused.code, /error\[USAGE\]/.test(refused.stderr)], [64, true]);
  }
});
