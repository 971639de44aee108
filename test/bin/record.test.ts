/** `rmtop record`, `--output` and `rmtop cat`, as their user starts them, in front of real servers. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test, { type TestContext } from 'node:test';
import { seededRng } from '../../src/mesh/rng.js';
import { partPath } from '../../src/recording/sink.js';
import { TestClient } from '../helpers/client.js';
import { sharedCluster } from '../helpers/cluster.js';
import { type Program, runProgram, startProgram } from '../helpers/program.js';
import { folder, readAll } from '../helpers/record-files.js';
import { until } from '../helpers/until.js';

const { cluster } = sharedCluster();
const LISTENING = /listening on 127\.0\.0\.1:(\d+)/;

async function recording(
  t: TestContext,
  args: readonly string[],
): Promise<{ readonly rmtop: Program; readonly client: TestClient }> {
  const seed = `127.0.0.1:${cluster().nodes[0]?.port ?? 0}`;
  const rmtop = startProgram(t, [...args, '-l', '127.0.0.1:0', '-u', seed]);
  const [, port] = await rmtop.says(LISTENING);
  const client = await TestClient.connect(Number(port));
  t.after(() => client.close());
  return { rmtop, client };
}

test('record: everything is in the file, private, with what to do next; secrets are not', async (t) => {
  const file = path.join(folder(t), 'a.rmtop');
  const { rmtop, client } = await recording(t, ['record', '-o', file]);
  await client.ask('SET', 'cart:{42}', Buffer.from([255, 0, 10]));
  await client.ask('GET', 'cart:{42}');
  await client.ask('MGET', 'a', 'b', 'c');
  await client.ask('AUTH', 'user', 'very-secret');
  await client.pipeline([['MULTI'], ['INCR', 'n'], ['EXEC']]);
  client.close();
  await until(() => readFileSync(file, 'utf8').includes('"k":"end"'));
  rmtop.child.kill('SIGINT');
  assert.equal(await rmtop.ended, 130);
  assert.match(
    rmtop.stderr(),
    /recorded .*a\.rmtop \(.*, 7 commands, values kept, AUTH redacted\)\nnext:/,
  );
  assert.equal(statSync(file).mode & 0o777, 0o600);
  assert.ok(!readFileSync(file, 'utf8').includes('very-secret'));
  const { entries, reader } = await readAll(file, true);
  assert.equal(reader.summary().commands, 7);
  assert.equal(reader.summary().fin?.why, 'signal');
  for (const entry of entries)
    if (entry.event?.type === 'command') assert.ok(entry.event.decision.why !== undefined);

  const twice = await runProgram(t, ['record', '-o', file]);
  assert.equal(twice.code, 64);
  assert.match(twice.stderr, /error\[OUTPUT_EXISTS\][\s\S]*--force/);
});

test('--json and --output write the same records', async (t) => {
  const file = path.join(folder(t), 'a.rmtop');
  const { rmtop, client } = await recording(t, ['--json', '-q', '-f', 'cmd=GET', '--output', file]);
  await client.ask('SET', 'k', 'v');
  await client.ask('GET', 'k');
  client.close();
  await until(() => rmtop.stdout().includes('"k":"end"'));
  rmtop.child.kill('SIGTERM');
  await rmtop.ended;
  const written = readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('{"k":"cmd"'));
  const printed = rmtop
    .stdout()
    .split('\n')
    .filter((line) => line.startsWith('{"k":"cmd"'));
  assert.equal(written.length, 2); // the filter is that of --json
  assert.deepEqual(printed, [written[1]]);
});

test('-o - is the standard output; what needs a file is refused there', async (t) => {
  const { rmtop, client } = await recording(t, ['record', '-o', '-']);
  await client.ask('SET', 'k', 'v');
  client.close();
  await until(() => rmtop.stdout().includes('"k":"end"'));
  rmtop.child.kill('SIGTERM');
  assert.equal(await rmtop.ended, 143);
  const lines = rmtop.stdout().trimEnd().split('\n');
  assert.match(lines[0] ?? '', /^\{"k":"rmtop"/);
  assert.match(lines.at(-1) ?? '', /^\{"k":"fin".*"why":"signal"/);
  assert.doesNotMatch(rmtop.stderr(), /recorded|next:/);
  for (const flags of [['--ring', '5s'], ['--rotate', '1m'], ['--fixture']]) {
    const refused = await runProgram(t, ['record', '-o', '-', ...flags]);
    assert.deepEqual([refused.code, refused.stdout], [64, '']);
    assert.match(refused.stderr, new RegExp(`${flags[0]} .*[\\s\\S]*-o FILE`));
  }
});

test('a ring: nothing is written until SIGUSR2 asks for it, what came after is written at the end', async (t) => {
  const dir = folder(t);
  const file = path.join(dir, 'a.rmtop');
  const { rmtop, client } = await recording(t, ['record', '-q', '--ring', '10m,64MiB', '-o', file]);
  await rmtop.says(/kept in memory; kill -USR2 \d+ writes them/);
  await client.ask('SET', 'k', '1');
  await client.ask('GET', 'k');
  assert.equal(statSync(file).size, 0);
  rmtop.child.kill('SIGUSR2');
  await rmtop.says(/recorded .*a\.rmtop \(/);
  await client.ask('GET', 'later');
  client.close();
  rmtop.child.kill('SIGINT');
  assert.equal(await rmtop.ended, 130);
  // Which file has a command that was under way to the writer is left open; none is lost, none comes twice.
  const [first, second] = [await readAll(file, true), await readAll(partPath(file, 2), true)];
  assert.equal(first.reader.summary().commands + second.reader.summary().commands, 3);
  assert.equal(second.reader.summary().lastSeq, 3);
  assert.equal(statSync(partPath(file, 2)).mode & 0o777, 0o600);

  for (const [args, wanted] of [
    [['--ring', '60s'], /used with --output/],
    [['-o', 'x.rmtop', '--flush-on', 'err'], /used with --ring/],
    [['-o', 'x.rmtop', '--ring', 'soon'], /a size/],
    [['-o', 'x.rmtop', '--ring', '60s', '--rotate', '1m'], /without --rotate/],
    [['-o', 'x.rmtop', '--ring', '60s', '--flush-on', 'rtt>'], /--flush-on 'rtt>'/],
  ] as const) {
    const refused = await runProgram(t, [...args, '--no-tui']);
    assert.equal(refused.code, 64, refused.stderr);
    assert.match(refused.stderr, wanted);
  }
});

/** `RMTOP_KILL_ROUNDS=100` for a long run. */
const KILL_ROUNDS = Number(process.env.RMTOP_KILL_ROUNDS ?? 6);

test('kill -9 at any moment: the file opens, no line that was due is missing, and what was running is named', async (t) => {
  const rng = seededRng(Date.now());
  const dir = folder(t);
  for (let round = 0; round < KILL_ROUNDS; round++) {
    const file = path.join(dir, `${round}.rmtop`);
    const stuckFor = ['--fault', 'delay 60s 100% key=stuck'];
    const { rmtop, client } = await recording(t, ['record', '-q', '-o', file, ...stuckFor]);
    const [, port] = LISTENING.exec(rmtop.stderr()) ?? [];
    const other = await TestClient.connect(Number(port));
    const stuck = other.ask('SET', 'stuck', 'x').catch(() => null);
    await until(() => readFileSync(file, 'latin1').includes('"k":"pend"'), 'a pend line');
    let answered = 0;
    const traffic = (async () => {
      while ((await client.ask('SET', `k${answered}`, 'v'.repeat(200))) === '+OK\r\n') answered++;
    })();
    const due = 1 + rng.below(800);
    await until(() => answered >= due);
    // What has been answered is due within the 50 ms that a block may be filled: wait for the file, not for a time.
    await until(() => readFileSync(file, 'latin1').split('"k":"cmd"').length > due);
    rmtop.child.kill('SIGKILL');
    await rmtop.ended;
    await Promise.all([traffic, stuck]);
    other.close();
    const { reader, entries } = await readAll(file);
    const { commands, damagedCount, fin, running } = reader.summary();
    assert.ok(commands >= due, `round ${round}: ${commands} of ${due}`);
    assert.deepEqual([damagedCount, fin], [0, null]);
    assert.deepEqual(
      running.map(({ seq, name, key }) => [seq, name, key]),
      [[1, 'SET', 'stuck']],
    );
    const numbers = entries.flatMap(({ json }) => (json.k === 'cmd' ? [Number(json.n)] : []));
    assert.deepEqual(
      numbers,
      numbers.map((_n, i) => i + 2),
    );
    if (round > 0) continue;
    const cat = await runProgram(t, ['cat', file]);
    assert.equal(cat.code, 0);
    assert.match(
      cat.stderr,
      /ended badly: recovered [\d,]+ commands .*1 were running: #1 SET stuck/,
    );
  }
});

test('cat: every form, and each can be read by what it is for', async (t) => {
  const dir = folder(t);
  const file = path.join(dir, 'a.rmtop.gz');
  const { rmtop, client } = await recording(t, ['record', '-q', '-o', file]);
  await client.ask('SET', 'cat:k', Buffer.from('a "b"\r\n\xff\x1b[2J', 'latin1'));
  await client.ask('GET', 'cat:k');
  await client.ask('RPUSH', 'cat:l', '1', '2');
  await client.ask('AUTH', 'x');
  client.close();
  rmtop.child.kill('SIGTERM');
  await rmtop.ended;

  const text = await runProgram(t, ['cat', file]);
  assert.equal(text.code, 0);
  assert.equal(text.stdout.split('\n').length, 5);
  assert.ok(!text.stdout.includes('\x1b'));
  const json = await runProgram(t, ['cat', file, '--json', '-f', 'cmd=GET']);
  const lines = json.stdout.trimEnd().split('\n');
  assert.ok(lines[0]?.startsWith('{"k":"rmtop"'));
  assert.equal(lines.filter((line) => line.startsWith('{"k":"cmd"')).length, 1);
  // What cat prints is a recording again.
  const again = path.join(dir, 'b.rmtop');
  writeFileSync(again, json.stdout);
  assert.equal((await readAll(again, true)).reader.summary().commands, 1);

  const clean = await runProgram(t, ['cat', file, '--json', '--redact', 'values']);
  assert.ok(json.stdout.includes('"b64"') && !clean.stdout.includes('"b64"'), clean.stderr);
  assert.match(clean.stdout, /"redact":\{"mode":"values","key":"random"\}/);
  const fixture = await runProgram(t, ['cat', file, '--fixture', '--redact', 'values']);
  assert.equal(fixture.code, 0);
  assert.ok(fixture.stdout.includes('"red":"value"') && !fixture.stdout.includes('"b64"'));
  const unknown = await runProgram(t, ['cat', file, '--redact', 'some']);
  assert.deepEqual([unknown.code, /values or keys=GLOB/.test(unknown.stderr)], [64, true]);
  const whole = await runProgram(t, ['cat', file, '--redis-cli']);
  assert.equal(whole.code, 5);
  assert.match(whole.stderr, /error\[REC_INCOMPLETE\][\s\S]*--skip/);
  const cli = await runProgram(t, ['cat', file, '--redis-cli', '--skip', '-f', 'key=cat:k']);
  const node = cluster().nodes[0]?.port ?? 0;
  const sent = spawnSync('redis-cli', ['-c', '-p', String(node)], {
    input: `DEL cat:k\n${cli.stdout}`,
    encoding: 'latin1',
  });
  assert.match(sent.stdout, /OK/);
  const value = spawnSync('redis-cli', ['-c', '-p', String(node), '--raw', 'GET', 'cat:k'], {
    encoding: 'latin1',
  });
  assert.equal(value.stdout, 'a "b"\r\n\xff\x1b[2J\n');

  const resp = await runProgram(t, ['cat', file, '--resp', '--skip', '-f', 'cmd=RPUSH']);
  assert.equal(resp.stdout, '*4\r\n$5\r\nRPUSH\r\n$5\r\ncat:l\r\n$1\r\n1\r\n$1\r\n2\r\n');
  const flat = await runProgram(t, ['cat', file, '--flat']);
  const [set] = flat.stdout
    .split('\n')
    .map((line) => (line === '' ? null : (JSON.parse(line) as Record<string, unknown>)));
  assert.deepEqual([set?.command, set?.key, set?.why, set?.reply], ['SET', 'cat:k', 'write', 'OK']);
  const csv = await runProgram(t, ['cat', file, '--csv']);
  assert.equal(csv.stdout.split('\r\n').length, 6);
  assert.match(csv.stdout, /^n,t,ms,client,command/);

  const both = await runProgram(t, ['cat', file, '--csv', '--json']);
  assert.equal(both.code, 64);
  const none = await runProgram(t, ['cat', path.join(dir, 'none.rmtop')]);
  assert.deepEqual([none.code, /error\[FILE_UNREADABLE\]/.test(none.stderr)], [64, true]);
});
