/** The set of keys that were met: exact while it grows, full when it says so. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { SeenKeys } from '../../src/proxy/seen-keys.js';

test('a key is new once in each space, also after the table has grown', () => {
  const seen = new SeenKeys(100_000);
  const keys = Array.from({ length: 20_000 }, (_, i) => Buffer.from(`user:${i}`));
  for (const key of keys) assert.equal(seen.add(key, 0), 'new');
  for (const key of keys) assert.equal(seen.add(key, 0), 'known');
  for (const key of keys) assert.equal(seen.add(key, 1), 'new');
  assert.equal(seen.size, 40_000);
});

test('beyond its size new keys are turned away, known ones are not', () => {
  const seen = new SeenKeys(3);
  const met = ['a', 'b', 'c', 'd', 'b', 'e'].map((key) => seen.add(Buffer.from(key), 0));
  assert.deepEqual(met, ['new', 'new', 'new', 'full', 'known', 'full']);
});
