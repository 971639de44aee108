/** Latencies: exact to about 3 %, whatever their size. */
import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { commandByName } from '../../src/commands/table.js';
import {
  countOf,
  createHistogram,
  difference,
  quantileUs,
  recordUs,
} from '../../src/events/histogram.js';
import { addTo, Stats } from '../../src/events/stats.js';
import { holds } from '../helpers/check.js';

const latency = fc.oneof(fc.nat(100), fc.nat(100_000), fc.nat(0x7fffffff));

test('a quantile is never below the sample it stands for, and at most 1/32 above', () => {
  holds(
    fc.property(
      fc.array(latency, { minLength: 1, maxLength: 60 }),
      fc.constantFrom(0, 0.25, 0.5, 0.9, 0.99, 1),
      (samples, quantile) => {
        const histogram = createHistogram();
        for (const sample of samples) recordUs(histogram, sample);
        const sorted = [...samples].sort((a, b) => a - b);
        const exact = sorted[Math.max(1, Math.ceil(quantile * sorted.length)) - 1] as number;
        const given = quantileUs(histogram, quantile) as number;
        assert.ok(given >= exact && given <= exact * (1 + 1 / 32), `${given} for ${exact}`);
      },
    ),
    1500,
  );
});

test('every size has a place of its own, from 0 to 2^31', () => {
  let last = -1;
  for (let value = 0; value < 2 ** 31; value = Math.max(value + 1, Math.floor(value * 1.01))) {
    const histogram = createHistogram();
    recordUs(histogram, value);
    const given = quantileUs(histogram, 0.5) as number;
    assert.ok(
      given >= value && given <= value * (1 + 1 / 32) && given >= last,
      `${given} for ${value}`,
    );
    last = given;
  }
});

test('what is longer than 2^31 µs, or less than nothing, counts as that', () => {
  const of = (us: number): number | null => {
    const histogram = createHistogram();
    recordUs(histogram, us);
    return quantileUs(histogram, 1);
  };
  assert.equal(of(2 ** 31 - 1), 2 ** 31 - 1);
  assert.equal(of(2 ** 40), 2 ** 31 - 1);
  assert.equal(of(-5), 0);
  assert.equal(of(0), 0);
});

test('small latencies are exact', () => {
  for (let us = 0; us < 32; us++) {
    const histogram = createHistogram();
    recordUs(histogram, us);
    assert.equal(quantileUs(histogram, 0.5), us);
  }
});

test('of no samples there is no quantile', () => {
  assert.equal(quantileUs(createHistogram(), 0.5), null);
  assert.equal(countOf(createHistogram()), 0);
});

test('the difference of two moments holds the samples between them', () => {
  const histogram = createHistogram();
  recordUs(histogram, 10);
  const earlier = histogram.slice();
  recordUs(histogram, 20);
  recordUs(histogram, 20);
  const between = difference(histogram, earlier);
  assert.deepEqual([countOf(between), quantileUs(between, 0), quantileUs(between, 1)], [2, 20, 20]);
});

test.describe('totals', () => {
  test('count every command by its name, and those without a row as unknown', () => {
    const stats = new Stats();
    stats.command(commandByName('GET'), 100, 30, 5, false, true);
    stats.command(commandByName('GET'), 300, 30, 7, true, false);
    stats.command(undefined, 50, 10, 20, true, false);
    const totals = stats.totals(9);
    assert.equal(totals.atUs, 9);
    assert.deepEqual(
      [totals.all.calls, totals.all.errors, totals.all.bytesIn, totals.all.bytesOut],
      [3, 2, 70, 32],
    );
    assert.deepEqual(Object.keys(totals.commands), ['GET', '(unknown)']);
    assert.deepEqual([totals.commands.GET?.calls, totals.commands.GET?.errors], [2, 1]);
    assert.deepEqual([totals.all.nils, totals.commands.GET?.nils], [1, 1]);
    assert.equal(
      quantileUs(totals.commands.GET?.latency ?? createHistogram(), 0),
      101,
      'the edge of its step',
    );
  });

  test('are a copy: what comes later does not change them', () => {
    const stats = new Stats();
    addTo(stats.node('h:1', 'redis'), 5, 1, 1, false);
    const before = stats.totals(1);
    addTo(stats.node('h:1', 'redis'), 5, 1, 1, false);
    stats.command(undefined, 1, 1, 1, false, false);
    assert.deepEqual(
      [
        before.nodes['h:1']?.calls,
        countOf(before.nodes['h:1']?.latency ?? createHistogram()),
        before.all.calls,
      ],
      [1, 1, 0],
    );
    assert.equal(stats.totals(2).nodes['h:1']?.calls, 2);
  });
});
