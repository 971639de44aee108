/** The byte operations that are shared. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { copyBytes, equalBytes, equalsIgnoreCase } from '../../src/resp/bytes.js';

test('ranges of any size are copied, and nothing around them', () => {
  const from = Buffer.from(Array.from({ length: 600 }, (_, i) => i % 251));
  for (const length of [0, 1, 2, 127, 128, 129, 130, 500]) {
    const to = Buffer.alloc(600, 0xff);
    copyBytes(from, 50, 50 + length, to, 30);
    assert.deepEqual(to.subarray(30, 30 + length), from.subarray(50, 50 + length));
    assert.ok(to.subarray(0, 30).every((byte) => byte === 0xff));
    assert.ok(to.subarray(30 + length).every((byte) => byte === 0xff));
  }
});

test('ranges are equal where every byte is, whatever stands around them', () => {
  const a = Buffer.from(Array.from({ length: 600 }, (_, i) => i % 251));
  for (const length of [0, 1, 2, 127, 128, 129, 130, 500]) {
    const b = Buffer.alloc(600, 0xff);
    a.copy(b, 30, 50, 50 + length);
    assert.equal(equalBytes(a, 50, 50 + length, b, 30), true);
    for (const at of [0, length >> 1, length - 1]) {
      if (length === 0) continue;
      b[30 + at] = (b[30 + at] as number) ^ 1;
      assert.equal(equalBytes(a, 50, 50 + length, b, 30), false, `${length} bytes, at ${at}`);
      b[30 + at] = (b[30 + at] as number) ^ 1;
    }
  }
});

test('a word is found in any case, at its place, whole', () => {
  const at = (text: string, start: number, end: number): boolean =>
    equalsIgnoreCase(Buffer.from(text, 'latin1'), start, end, 'STORE');
  assert.equal(at('STORE', 0, 5), true);
  assert.equal(at('xsToReX', 1, 6), true);
  assert.equal(at('STORE', 0, 4), false);
  assert.equal(at('STORED', 0, 6), false);
  assert.equal(at('STORF', 0, 5), false);
  assert.equal(at('\x53\x54\x4f\x52\x05', 0, 5), false, 'only letters differ in case');
  assert.equal(equalsIgnoreCase(Buffer.from('{'), 0, 1, '['), false);
  assert.equal(equalsIgnoreCase(Buffer.from('`az`'), 0, 4, '`AZ`'), true);
});
