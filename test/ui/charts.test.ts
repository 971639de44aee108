/** Charts: what they show for samples that are known, and that nothing makes them hang or fall out of their room. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { singleUpstreamConfig } from 'rmtop';
import { inColumns, roundUp } from '../../ui/charts/charts.js';
import { loadContrib } from '../../ui/charts/contrib.js';
import { layered } from '../../ui/charts/plot.js';
import { FaultTimes } from '../../ui/store/fault-times.js';
import type { Sample } from '../../ui/store/rates.js';

const SIGNALS = ['exit', 'SIGINT', 'SIGTERM', 'SIGQUIT', 'uncaughtException'] as const;
const listeners = (): number[] => SIGNALS.map((name) => process.listenerCount(name));

test('blessed-contrib draws without a screen: no terminal is touched and no signal is caught', () => {
  const before = listeners();
  const written: unknown[] = [];
  const write = process.stdout.write;
  process.stdout.write = ((chunk: unknown) => written.push(chunk) > 0) as typeof write;
  try {
    const lines = loadContrib()([[0, 0.5, 1]], 20, 4);
    assert.equal(lines.length, 4);
  } finally {
    process.stdout.write = write;
  }
  assert.deepEqual(listeners(), before);
  assert.deepEqual(
    written.filter((chunk) => String(chunk).includes('\x1b')),
    [],
  );
});

test('a curve rises from the bottom left to the top right, and each cell knows its curve', () => {
  const draw = loadContrib();
  const rising = Array.from({ length: 40 }, (_, i) => i / 39);
  const lines = draw([rising, new Array(40).fill(0)], 20, 5);
  const text = lines.map((line) => line.map((run) => run.text).join(''));
  for (const line of text) assert.equal(line.length, 20);
  const firstOf = (y: number, curve: number): number => {
    let at = 0;
    for (const run of lines[y] ?? []) {
      if (run.curve === curve) return at;
      at += run.text.length;
    }
    return -1;
  };
  const starts = [0, 1, 2, 3].map((y) => firstOf(y, 0));
  assert.deepEqual(
    starts,
    [...starts].sort((a, b) => b - a),
    'the higher, the further right',
  );
  assert.ok((starts[0] ?? 0) > 14);
  assert.ok(firstOf(4, 1) >= 0, 'nothing is a line at the bottom');
  assert.equal(firstOf(0, 1), -1);
});

test('no value and no size makes a curve endless', () => {
  const draw = loadContrib();
  const values = [[], [0], [Number.NaN, Number.POSITIVE_INFINITY, -1], [1e300, 1e-320], [5, -5]];
  for (const each of values)
    for (const [width, height] of [
      [1, 1],
      [2, 3],
      [80, 1],
      [300, 40],
    ] as const) {
      const lines = draw([each, each], width, height);
      assert.equal(lines.length, height);
      for (const line of lines)
        assert.equal(line.map((run) => run.text).join('').length, width, `${each}`);
    }
});

test('areas lie one on the other, and are told without colour', () => {
  const rows = layered([0.5, 0.25], [0.5, 0.25], 2, 4, 'ascii');
  const text = rows.map((row) => row.map((cell) => cell.text).join(''));
  assert.deepEqual(text, [': ', ': ', '#:', '##']);
  const little = layered([0], [0.001], 1, 2, 'ascii');
  assert.deepEqual(
    little.map((row) => row.map((cell) => cell.text).join('')),
    [' ', '.'],
    'what is not nothing is to be seen',
  );
});

test('a sample counts in every column that it covers', () => {
  const sample = (atS: number, seconds: number, calls: number): Sample => ({
    atUs: atS * 1e6,
    seconds,
    calls,
    reads: calls,
    writes: 0,
    errors: 0,
    p50Us: 100,
    p99Us: 200,
    maxUs: 300,
    connected: 0,
    nodes: new Map(),
    hits: new Map(),
  });
  const columns = inColumns([sample(52, 1, 10), sample(60, 2, 40)], 60e6, 10, 10);
  assert.deepEqual(
    columns.map(({ calls, seconds }) => (seconds === 0 ? 0 : calls / seconds)),
    [0, 10, 0, 0, 0, 0, 0, 0, 20, 20],
  );
});

test('axes end at round figures', () => {
  assert.deepEqual([1, 1.1, 2, 4, 7, 450, 1000].map(roundUp), [1, 2, 2, 5, 10, 500, 1000]);
});

test('it is known when faults were on', () => {
  const times = new FaultTimes();
  const base = singleUpstreamConfig(['127.0.0.1:1']);
  const rule = {
    id: 't1',
    on: true,
    percent: 100,
    scope: '',
    action: { kind: 'hang', ms: null },
    max: null,
    seed: 1,
  } as const;
  const hear = (atUs: number, on: boolean): void =>
    times.hear({ type: 'config', atUs, config: { ...base, rules: [{ ...rule, on }] } });
  hear(0, false);
  hear(10, true);
  hear(15, true);
  hear(20, false);
  hear(30, true);
  assert.deepEqual(times.list, [
    { fromUs: 10, toUs: 20, ids: ['t1'] },
    { fromUs: 30, toUs: null, ids: ['t1'] },
  ]);
  assert.deepEqual(times.between(0, 10), []);
  assert.deepEqual(times.between(19, 25), ['t1']);
  assert.deepEqual(times.between(20, 30), []);
  assert.deepEqual(times.between(40, 50), ['t1']);
});
