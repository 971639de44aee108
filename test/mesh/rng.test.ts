/** Chance as an argument. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { RecordingRng, replayRng, seededRng } from '../../src/mesh/rng.js';

test('the same seed gives the same draws, another seed others', () => {
  const draws = (seed: number): number[] => {
    const rng = seededRng(seed);
    return Array.from({ length: 20 }, () => rng.below(1000));
  };
  assert.deepEqual(draws(5), draws(5));
  assert.notDeepEqual(draws(5), draws(6));
});

test('draws are whole numbers below n, all of them about equally often', () => {
  const rng = seededRng(1);
  for (const n of [1, 2, 3, 7, 100]) {
    const counts = new Array<number>(n).fill(0);
    for (let i = 0; i < 2000 * n; i++) {
      const drawn = rng.below(n);
      assert.ok(Number.isInteger(drawn) && drawn >= 0 && drawn < n);
      counts[drawn] = (counts[drawn] as number) + 1;
    }
    for (const count of counts) assert.ok(count > 1600 && count < 2400, `${count} of about 2000`);
  }
});

test('a large range is drawn from to its end', () => {
  const rng = seededRng(3);
  const most = Math.max(...Array.from({ length: 1000 }, () => rng.below(2 ** 31)));
  assert.ok(most > 2 ** 31 * 0.99 && most < 2 ** 31);
});

test('recorded draws come again, in order, and fit into a smaller choice', () => {
  const rng = replayRng([2, 0, 5]);
  assert.deepEqual([rng.below(3), rng.below(3), rng.below(3), rng.below(3)], [2, 0, 2, 0]);
});

test('a recorder keeps what was drawn, and nothing where nothing was', () => {
  const recording = new RecordingRng(replayRng([1, 2]));
  assert.equal(recording.draws, null);
  assert.deepEqual([recording.below(9), recording.below(9)], [1, 2]);
  assert.deepEqual(recording.draws, [1, 2]);
});
