/** Tolerances as their user sets them, on a real server: `--tolerate latency=…`, and what replay, diff and their reports make of it. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test, { type TestContext } from 'node:test';
import { ask, sharedServer } from '../helpers/cluster.js';
import { cmd, handMade } from '../helpers/hand-made.js';
import { runProgram } from '../helpers/program.js';
import { folder } from '../helpers/record-files.js';

const { port: redis } = sharedServer();

/** What sends a hand-made recording to the server. */
function replaying(file: string, ...more: string[]): string[] {
  return [
    'replay',
    file,
    '-u',
    `127.0.0.1:${redis()}`,
    '--direct',
    '--speed',
    'max',
    '--order',
    'serial',
    ...more,
  ];
}

test('a replay that is slower than allowed exits with 1 and says so everywhere; one within the limit does not', async (t) => {
  const slow = [1, 2, 3].map((n) => cmd(n, ['GET', 'none'], null, { d: 50 }));
  const quick = [1, 2, 3].map((n) => cmd(n, ['GET', 'none'], null, { d: 0.000001 }));
  const kept = await runProgram(
    t,
    replaying(handMade(t, slow), '--tolerate', 'latency=p99<2x,latency=p50<40s'),
  );
  assert.equal(kept.code, 0, kept.stdout + kept.stderr);
  assert.match(kept.stdout, /^latency {3}p99<2x kept: /m);
  assert.match(kept.stdout, /^latency {3}p50<40s kept: /m);
  const file = handMade(t, quick);
  const plain = await runProgram(t, replaying(file));
  assert.equal(plain.code, 0, plain.stdout);
  assert.doesNotMatch(plain.stdout, /kept|BROKEN/);
  const junit = path.join(path.dirname(file), 'junit.xml');
  const broken = await runProgram(
    t,
    replaying(file, '--tolerate', 'latency=p99<2x', '--junit', junit),
  );
  assert.equal(broken.code, 1, broken.stdout);
  assert.match(broken.stdout, /^latency {3}p99<2x BROKEN: 0\.00 > [\d.]+ ms, less than 0\.00 ms/m);
  assert.match(broken.stdout, /3 same/);
  assert.match(
    readFileSync(junit, 'utf8'),
    /failures="1"[\s\S]*name="latency p99&#60;2x"><failure/,
  );
  const json = await runProgram(t, replaying(file, '--tolerate', 'latency=p99<2x', '--json'));
  assert.equal(json.code, 1);
  const { latency } = JSON.parse(json.stdout) as { latency: { limit: string; kept: boolean }[] };
  assert.deepEqual(
    latency.map(({ limit, kept }) => [limit, kept]),
    [['p99<2x', false]],
  );
  const off = await runProgram(t, replaying(file, '--tolerate', 'latency=p99<2x,latency=off'));
  assert.equal(off.code, 0, off.stdout);
});

test('diff holds latencies against each other when it is asked to', async (t) => {
  const of = (d: number): string => handMade(t, [cmd(1, ['GET', 'k'], 'v', { d })]);
  const [quick, slow] = [of(0.001), of(0.004)];
  const plain = await runProgram(t, ['diff', quick, slow]);
  assert.deepEqual([plain.code, plain.stdout], [0, '']);
  const kept = await runProgram(t, ['diff', quick, slow, '--tolerate', 'latency=p99<5x']);
  assert.deepEqual([kept.code, kept.stdout], [0, '']);
  const broken = await runProgram(t, ['diff', quick, slow, '--tolerate', 'latency=p99<2x']);
  assert.equal(broken.code, 1);
  assert.match(broken.stdout, /^@@ latency @@\n p99<2x BROKEN: 1\.\d\d > 4\.\d\d ms/m);
  const json = await runProgram(t, [
    'diff',
    quick,
    slow,
    '--json',
    '--tolerate',
    'latency=p50<1ms',
  ]);
  assert.equal(json.code, 1);
  const [first, total] = json.stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  assert.deepEqual([first?.kind, first?.limit, first?.kept], ['latency', 'p50<1ms', false]);
  assert.equal(total?.different, 0);
  const wrong = await runProgram(t, ['diff', quick, slow, '--tolerate', 'latency=p98<2x']);
  assert.equal(wrong.code, 64);
  assert.match(wrong.stderr, /'latency=p98<2x' is not understood/);
});

test('diff tells on stderr which tolerances it needed, and which hide too much', async (t) => {
  const of = (ttl: number): string =>
    handMade(
      t,
      [1, 2].map((n) => cmd(n, ['TTL', 'k'], ttl)),
    );
  const found = await runProgram(t, ['diff', of(100), of(101)]);
  assert.deepEqual([found.code, found.stdout], [0, '']);
  assert.match(found.stderr, /^rmtop: tolerances used: ttl \(TTL 2\)$/m);
  assert.match(found.stderr, /^rmtop: warning: ttl hides 2 of 2 replies to TTL$/m);
  const none = await runProgram(t, ['diff', of(100), of(101), '--tolerate', 'none']);
  assert.equal(none.code, 1);
});

const RULES = `tolerances:
  - name: timestamps
    if: key=doc:*
    json: $.ts
  - if: cmd=LRANGE
    path: '[1]'
  - name: about right
    if: key=count:*
    within: 10%
`;

function settings(t: TestContext, text: string): string {
  const file = path.join(folder(t), 'rules.yaml');
  writeFileSync(file, text);
  return file;
}

/** What the server says, and what a recording says it had said. */
function recorded(t: TestContext, ts: number, other: string): string {
  return handMade(t, [
    cmd(1, ['SET', 'doc:1', '{"ts":5,"name":"a"}'], { '+': 'OK' }),
    cmd(2, ['GET', 'doc:1'], `{"name": "a", "ts": ${ts}}`),
    cmd(3, ['RPUSH', 'list', 'a', 'b'], 2),
    cmd(4, ['LRANGE', 'list', '0', '-1'], ['a', other]),
    cmd(5, ['INCRBY', 'count:1', '100'], 95),
    cmd(6, ['DEL', 'list', 'count:1'], 2),
  ]);
}

test('rules of rmtop.yaml hold in replay and diff, are told by name, and are switched off by none', async (t) => {
  await ask(redis(), ['FLUSHALL']);
  const config = settings(t, RULES);
  const file = recorded(t, 7, 'x');
  const replay = await runProgram(t, replaying(file, '--config', config));
  assert.equal(replay.code, 0, replay.stdout + replay.stderr);
  assert.match(
    replay.stdout,
    /^tolerances used: timestamps \(GET 1\), cmd=LRANGE \(LRANGE 1\), about right \(INCRBY 1\)$/m,
  );
  for (const more of [['--tolerate', 'none'], ['--tolerate', 'rules=off'], ['--no-config']]) {
    const strict = await runProgram(
      t,
      replaying(file, ...more, '--config', config).filter(
        (word, i, all) =>
          !more.includes('--no-config') || (word !== '--config' && all[i - 1] !== '--config'),
      ),
    );
    assert.equal(strict.code, 1, strict.stdout);
    assert.match(strict.stdout, /3 DIFFERENT/);
  }
  const other = recorded(t, 8, 'y');
  const diff = await runProgram(t, ['diff', file, other, '--config', config]);
  assert.deepEqual([diff.code, diff.stdout], [0, '']);
  assert.match(diff.stderr, /tolerances used: timestamps \(GET 1\), cmd=LRANGE \(LRANGE 1\)/);
  assert.equal((await runProgram(t, ['diff', file, other])).code, 1);
  const found = path.join(path.dirname(file), 'rmtop.yaml');
  writeFileSync(found, 'tolerances:\n  - if: cmd=GET\n    jsn: $.ts\n');
  const wrong = await runProgram(t, ['diff', file, other, '--config', found]);
  assert.equal(wrong.code, 64, wrong.stderr);
  assert.match(wrong.stderr, /rmtop\.yaml:3:5: a rule has no jsn, did you mean json\?/);
});

test('a rule that hides most replies of a command is a warning; what else differs is still found', async (t) => {
  await ask(redis(), ['FLUSHALL']);
  const file = handMade(t, [
    cmd(1, ['SET', 'doc:1', '{"ts":5,"name":"a"}'], { '+': 'OK' }),
    ...[2, 3, 4].map((n) => cmd(n, ['GET', 'doc:1'], `{"ts":${n},"name":"a"}`)),
    cmd(5, ['GET', 'doc:1'], '{"ts":5,"name":"b"}'),
  ]);
  const replay = await runProgram(t, replaying(file, '--config', settings(t, RULES)));
  assert.equal(replay.code, 1);
  assert.match(replay.stdout, /^warning: timestamps hides 3 of 4 replies to GET$/m);
  assert.match(replay.stdout, /#5 GET doc:1 {3}\$\.name: "b" {2}> {2}"a"/);
});
