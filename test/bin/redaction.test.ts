/** Rules of redaction as their user sets them: recorded in front of a real server, served, replayed and compared without the settings. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test, { type TestContext } from 'node:test';
import { bulk, TestClient } from '../helpers/client.js';
import { ask, sharedServer } from '../helpers/cluster.js';
import { cmd, handMade } from '../helpers/hand-made.js';
import { runProgram, startProgram } from '../helpers/program.js';
import { folder } from '../helpers/record-files.js';
import { until } from '../helpers/until.js';

const { port: redis } = sharedServer();

const SECRET = 'ada@example.org';
const TOKEN = 'f00-token-ba5';
const doc = (email: string): string => `{"id":7, "email":"${email}"}`;

const RULES = `redaction:
  - name: session
    if: key=session:*
    arg: 2
  - if: key=user:*
    json: $.email
`;

type Place = { readonly file: string; readonly config: string };

function place(t: TestContext): Place {
  const root = folder(t);
  const config = path.join(root, 'rules.yaml');
  writeFileSync(config, RULES);
  return { file: path.join(root, 'a.rmtop'), config };
}

/** Records a session of one client under the rules. */
async function record(t: TestContext, { file, config }: Place, ...more: string[]): Promise<void> {
  await ask(redis(), ['FLUSHALL']);
  const upstream = `127.0.0.1:${redis()}`;
  const rmtop = startProgram(t, [
    ...['record', '-q', '-o', file, '-l', '127.0.0.1:0', '-u', upstream, '--config', config],
    ...more,
  ]);
  const [, port] = await rmtop.says(/listening on 127\.0\.0\.1:(\d+)/);
  const client = await TestClient.connect(Number(port));
  await client.ask('SET', 'session:1', TOKEN, 'EX', '600');
  await client.ask('GET', 'session:1');
  await client.ask('SET', 'user:7', doc(SECRET));
  assert.equal(await client.ask('GET', 'user:7'), bulk(doc(SECRET)));
  await client.ask('SET', 'plain', 'kept');
  await client.ask('GET', 'plain');
  await client.pipeline([['MULTI'], ['GET', 'user:7'], ['EXEC']]);
  client.close();
  await until(() => readFileSync(file, 'utf8').includes('"k":"end"'));
  rmtop.child.kill('SIGTERM');
  await rmtop.ended;
  assert.match(rmtop.stderr(), /AUTH redacted and by 2 rules/);
}

test('what was recorded under rules has no secret, and is served and replayed without them', async (t) => {
  const at = place(t);
  await record(t, at);
  const text = readFileSync(at.file, 'utf8');
  assert.ok(!text.includes(SECRET) && !text.includes(TOKEN));
  assert.ok(text.includes('"red":"session"') && text.includes('\\"email\\":\\"(redacted)\\"'));
  assert.deepEqual((JSON.parse(text.split('\n')[0] ?? '') as { redact: object }).redact, {
    mode: 'auth',
    key: 'none',
    rules: [
      { name: 'session', if: 'key=session:*', arg: 2 },
      { if: 'key=user:*', json: '$.email' },
    ],
  });

  const serving = startProgram(t, ['serve', at.file, '-l', '127.0.0.1:0']);
  const [, port] = await serving.says(/serving .* on 127\.0\.0\.1:(\d+)/);
  const client = await TestClient.connect(Number(port));
  t.after(() => client.close());
  assert.equal(await client.ask('SET', 'session:1', 'another', 'EX', '600'), '+OK\r\n');
  assert.equal(await client.ask('SET', 'user:7', doc('someone@else.org')), '+OK\r\n');
  assert.equal(await client.ask('GET', 'user:7'), bulk(doc('(redacted)')));
  assert.match(await client.ask('SET', 'user:7', doc(SECRET).replace('7', '8')), /^-RMTOPMISS/);
  assert.ok(!serving.stderr().includes(SECRET));

  // Against a server that has the real values: what was taken out cannot differ, whatever is asked for.
  await ask(redis(), ['FLUSHALL']);
  await ask(redis(), ['SET', 'session:1', TOKEN]);
  const replaying = ['replay', at.file, '-u', `127.0.0.1:${redis()}`, '--speed', 'max'];
  const replay = await runProgram(t, [...replaying, '--filter', '!key=session:*']);
  assert.equal(replay.code, 0, replay.stdout + replay.stderr);
  await ask(redis(), ['SET', 'user:7', doc(SECRET)]);
  const real = await runProgram(t, [
    ...replaying,
    '--filter',
    'cmd=GET key=user:*',
    '--tolerate',
    'none',
  ]);
  assert.equal(real.code, 0, real.stdout + real.stderr);
  assert.match(real.stdout, /^tolerances used: redacted \(GET 1, EXEC 1\)$/m);
  await ask(redis(), ['SET', 'user:7', doc(SECRET).replace('7', '8')]);
  const other = await runProgram(t, [...replaying, '--filter', 'cmd=GET key=user:*']);
  assert.equal(other.code, 1, other.stdout);
  assert.match(other.stdout, /\$\.id: 7 {2}> {2}8/);
});

test('the same session recorded twice under rules gives the same fixture', async (t) => {
  const [one, two] = [place(t), place(t)];
  for (const at of [one, two]) await record(t, at, '--fixture');
  const lines = (file: string): string[] =>
    readFileSync(file, 'utf8')
      .split('\n')
      .filter((line) => line.includes('"k":"cmd"'))
      .map((line) => line.replace(/"t":[\d.]+,/, ''));
  assert.deepEqual(lines(one.file), lines(two.file));
  assert.ok(!readFileSync(one.file, 'utf8').includes(SECRET));
  assert.match(readFileSync(one.file, 'utf8').split('\n')[0] ?? '', /"rules":\[/);
});

test('cat --redact cleans an old recording by the rules, and a fixture of it; import takes them too', async (t) => {
  const { config } = place(t);
  const file = handMade(t, [
    cmd(1, ['SET', 'user:7', doc(SECRET)], { '+': 'OK' }),
    cmd(2, ['GET', 'user:7'], doc(SECRET)),
    cmd(3, ['GET', 'session:1'], TOKEN),
    cmd(4, ['GET', 'plain'], 'kept'),
  ]);
  const redact = ['--redact', 'auth', '--config', config];
  for (const form of [['--json'], ['--fixture']]) {
    const { stdout, code } = await runProgram(t, ['cat', file, ...form, ...redact]);
    assert.equal(code, 0);
    assert.ok(!stdout.includes(SECRET) && !stdout.includes(TOKEN), stdout);
    assert.ok(stdout.includes('kept') && stdout.includes('"rules":['));
  }
  assert.ok(
    (await runProgram(t, ['cat', file, '--json', '--config', config])).stdout.includes(SECRET),
  );
  const monitor = path.join(path.dirname(file), 'monitor.log');
  writeFileSync(
    monitor,
    `1700000000.123456 [0 127.0.0.1:51830] "SET" "user:7" ${JSON.stringify(doc(SECRET))}\n`,
  );
  const output = path.join(path.dirname(file), 'imported.rmtop');
  const imported = await runProgram(t, [
    ...['import', monitor, '--from', 'monitor', '-o', output, '--config', config],
  ]);
  assert.equal(imported.code, 0, imported.stderr);
  const text = readFileSync(output, 'utf8');
  assert.ok(!text.includes(SECRET) && text.includes('(redacted)'));
});

test('what a served recording asks a real server for is added to it without what its rules take out', async (t) => {
  const at = place(t);
  await record(t, at);
  await ask(redis(), ['SET', 'user:9', doc(SECRET)]);
  const serving = startProgram(t, [
    ...['serve', at.file, '-l', '127.0.0.1:0', '--on-miss', `record=127.0.0.1:${redis()}`],
  ]);
  const [, port] = await serving.says(/serving .* on 127\.0\.0\.1:(\d+)/);
  const client = await TestClient.connect(Number(port));
  assert.equal(await client.ask('GET', 'user:9'), bulk(doc(SECRET)));
  client.close();
  serving.child.kill('SIGTERM');
  await serving.ended;
  assert.match(serving.stderr(), /1 commands were added/);
  const text = readFileSync(at.file, 'utf8');
  assert.ok(text.includes('"GET","user:9"') && !text.includes(SECRET));
});

test('recordings of the same traffic, one of them under rules, do not differ in what was taken out', async (t) => {
  const redact = { mode: 'auth', key: 'none', rules: [{ if: 'key=user:*', json: '$.email' }] };
  const clean = handMade(t, [cmd(1, ['GET', 'user:7'], doc('(redacted)'))], { redact });
  const whole = handMade(t, [cmd(1, ['GET', 'user:7'], doc(SECRET))]);
  const same = await runProgram(t, ['diff', clean, whole, '--tolerate', 'none']);
  assert.deepEqual([same.code, same.stdout], [0, '']);
  const other = handMade(t, [cmd(1, ['GET', 'user:7'], doc(SECRET).replace('7', '8'))]);
  assert.equal((await runProgram(t, ['diff', clean, other])).code, 1);
});
