/** Tolerances as their user sets them, on a real server: `--tolerate latency=…`, and what replay, diff and their reports make of it. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { sharedServer } from '../helpers/cluster.js';
import { cmd, handMade } from '../helpers/hand-made.js';
import { runProgram } from '../helpers/program.js';

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
