/** Lines kept as bytes come back as they were, whatever their length. */
import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { LineStore, NumberList } from '../../src/recording/line-store.js';
import { holds } from '../helpers/check.js';

test('every line comes back, in any order', () => {
  holds(
    fc.property(fc.array(fc.string({ unit: 'grapheme' })), (lines) => {
      const store = new LineStore();
      assert.deepEqual(
        lines.map((line) => store.add(line)),
        lines.map((_, i) => i),
      );
      for (let i = lines.length - 1; i >= 0; i--) assert.equal(store.text(i), lines[i]);
    }),
    200,
  );
});

test('lines of many chunks, and one longer than a chunk', () => {
  const store = new LineStore();
  const lines = Array.from(
    { length: 60 },
    (_, i) => `${i} ${'ü€'.repeat(i === 30 ? 3_000_000 : 40_000)}`,
  );
  for (const line of lines) store.add(line);
  assert.equal(store.length, 60);
  lines.forEach((line, i) => {
    assert.ok(store.text(i) === line, `line ${i}`);
  });
});

test('numbers keep their place while the list grows', () => {
  const list = new NumberList();
  for (let i = 0; i < 5000; i++) list.push(i * 1.5);
  list.set(4000, -1);
  list.set(5000, 7);
  assert.deepEqual([list.length, list.at(0), list.at(4000), list.at(4999)], [5000, 0, -1, 7498.5]);
  assert.ok(Number.isNaN(list.at(5000)));
});
