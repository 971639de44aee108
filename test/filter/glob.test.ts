import assert from 'node:assert/strict';
import test from 'node:test';
import { matchesGlob } from '../../src/filter/glob.js';

const CASES: readonly (readonly [string, string, boolean])[] = [
  ['*', '', true],
  ['user:*', 'user:42', true],
  ['user:*', 'users', false],
  ['*:42:*', 'a:42:b:42:', true],
  ['h?llo', 'hello', true],
  ['h?llo', 'hllo', false],
  ['h[ae]llo', 'hallo', true],
  ['h[^e]llo', 'hello', false],
  ['h[a-c]llo', 'hbllo', true],
  ['h[c-a]llo', 'hbllo', true],
  ['a\\*b', 'a*b', true],
  ['a\\*b', 'axb', false],
  ['[\\]]', ']', true],
  ['[abc', 'a', true],
  ['', 'a', false],
  ['a*b*c', 'aXbYbZc', true],
];

for (const [pattern, text, fits] of CASES)
  test(`${pattern} ${fits ? 'fits' : 'does not fit'} ${text}`, () =>
    assert.equal(matchesGlob(pattern, text), fits));

test('many stars take no exponential time', () => {
  assert.equal(matchesGlob(`${'*a'.repeat(20)}b`, 'a'.repeat(5000)), false);
});
