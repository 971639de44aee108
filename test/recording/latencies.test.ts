/** Limits on latencies: how they are written, and what they are held against. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { type LatencyLimit, parseLatencyLimit } from '../../src/compare/latency.js';
import { Latencies, latencyLine } from '../../src/recording/latencies.js';

function limit(text: string): LatencyLimit {
  const parsed = parseLatencyLimit(text);
  assert.ok(parsed !== null, text);
  return parsed;
}

test('a limit is a quantile and a factor, or a duration', () => {
  assert.deepEqual(limit('p99<2x'), { text: 'p99<2x', quantile: 0.99, factor: 2, us: null });
  assert.deepEqual(limit(' p999 < 1.5x '), {
    text: 'p999<1.5x',
    quantile: 0.999,
    factor: 1.5,
    us: null,
  });
  assert.equal(limit('p50<5ms').us, 5000);
  assert.equal(limit('p90<250us').us, 250);
  assert.equal(limit('p95<2s').us, 2_000_000);
  for (const wrong of ['p99', 'p98<2x', 'p99>2x', 'p99<2', 'p99<0x', 'p99<-1ms', '<2x', 'p99<2m'])
    assert.equal(parseLatencyLimit(wrong), null, wrong);
});

test('a limit is kept, broken, or has nothing to be held against', () => {
  const latencies = new Latencies();
  for (let i = 1; i <= 100; i++)
    latencies.add(i === 100 ? 10_000 : 1000, i === 100 ? 40_000 : 1100);
  const kept = latencies
    .check(['p50<2x', 'p50<1x', 'p999<2x', 'p999<5x', 'p99<2ms', 'p999<2ms'].map(limit))
    .map((each) => each.kept);
  assert.deepEqual(kept, [true, false, false, true, true, false]);
  assert.match(
    latencyLine(latencies.check([limit('p50<1x')])[0] as never),
    /^p50<1x BROKEN: 1\.0\d > 1\.1\d ms, less than 1\.0\d ms wanted$/,
  );
});

test('without samples, or without recorded durations, nothing is claimed', () => {
  const none = new Latencies();
  assert.deepEqual(
    none.check([limit('p99<1ms')]).map(({ kept }) => kept),
    [null],
  );
  const zeros = new Latencies();
  zeros.add(0, 500);
  const [factor, amount] = zeros.check([limit('p99<2x'), limit('p99<1s')]);
  assert.equal(factor?.kept, null);
  assert.match(latencyLine(factor as never), /not checked: the recording has no durations/);
  assert.equal(amount?.kept, true);
});
