/** Histograms of many names in one array, against whole histograms of the same samples. */
import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { bucketOf, createHistogram, type Histogram, quantileUs, recordUs } from 'rmtop';
import { Spreads } from '../../ui/store/spreads.js';
import { holds } from '../helpers/check.js';

const latency = fc.oneof(fc.nat(100), fc.nat(50_000), fc.nat(0x7fffffff));

test('a piece says the same as a histogram of its samples, whatever the others do, and nothing when it was cleared', () => {
  const step = fc.record({ row: fc.nat(5), us: latency, isClear: fc.nat(20).map((n) => n === 0) });
  holds(
    fc.property(
      fc.array(step, { maxLength: 120 }),
      fc.constantFrom(0, 0.5, 0.9, 0.99, 1),
      (steps, quantile) => {
        const spreads = new Spreads();
        const pieces = [0, 0, 0, 0, 0, 0];
        const truth = new Map<number, Histogram>();
        for (const { row, us, isClear } of steps) {
          if (isClear) {
            spreads.giveBack(pieces[row] as number);
            pieces[row] = 0;
            truth.delete(row);
            continue;
          }
          pieces[row] = spreads.record(pieces[row] as number, bucketOf(us));
          const histogram = truth.get(row) ?? createHistogram();
          recordUs(histogram, us);
          truth.set(row, histogram);
        }
        for (let row = 0; row < 6; row++) {
          const histogram = truth.get(row) ?? createHistogram();
          assert.equal(
            spreads.quantileUs(pieces[row] as number, quantile),
            quantileUs(histogram, quantile),
          );
        }
      },
    ),
    1000,
  );
});

test('a piece counts on where a place has had 65535 samples, also when it moves and when it is cleared', () => {
  const spreads = new Spreads();
  let piece = 0;
  const record = (us: number, times: number): void => {
    for (let i = 0; i < times; i++) piece = spreads.record(piece, bucketOf(us));
  };
  record(20, 70_000);
  record(5000, 300);
  record(30, 70_000);
  assert.equal(spreads.quantileUs(piece, 69_999 / 140_300), 20);
  assert.equal(spreads.quantileUs(piece, 70_001 / 140_300), 30);
  assert.equal(spreads.quantileUs(piece, 140_000 / 140_300), 30);
  assert.ok((spreads.quantileUs(piece, 140_001 / 140_300) ?? 0) >= 5000);
  spreads.giveBack(piece);
  piece = 0;
  record(20, 1);
  record(25, 2);
  assert.equal(spreads.quantileUs(piece, 0.5), 25, 'nothing is left of what was');
});
