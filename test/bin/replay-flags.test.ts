/** What the flags of `rmtop replay` come to, and what they refuse. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { optionsOf, REPLAY_DEFAULTS, type ReplayFlags, rangeOf } from '../../bin/replay/flags.js';
import { RmtopError } from '../../src/errors.js';

function read(more: Partial<ReplayFlags>): unknown {
  const flags = { ...REPLAY_DEFAULTS, ...more };
  return [optionsOf(flags), rangeOf(flags)];
}

test('flags are read', () => {
  const flags: ReplayFlags = {
    ...REPLAY_DEFAULTS,
    speed: '0.5',
    maxGap: '2s',
    only: '3..9',
    to: '1m',
  };
  const { speed, maxGapMs, guardMs } = optionsOf(flags);
  assert.deepEqual([speed, maxGapMs, guardMs], [0.5, 2000, 5000]);
  const { firstSeq, lastSeq, fromMs, toMs } = rangeOf(flags);
  assert.deepEqual([firstSeq, lastSeq, fromMs, toMs], [3, 9, 0, 60_000]);
  assert.equal(rangeOf({ ...flags, only: '7..' }).lastSeq, Number.POSITIVE_INFINITY);
});

const wrong: readonly Partial<ReplayFlags>[] = [
  { speed: '0' },
  { speed: '101' },
  { speed: 'fast' },
  { order: 'x' },
  { only: '9' },
  { from: 'soon' },
  { guard: '0s' },
  { tolerate: ['x'] },
  { routing: 'strict' },
  { faults: 'x' },
  { faults: 'recorded', direct: true },
  { mesh: ['a.yaml'], direct: true },
];

for (const flags of wrong)
  test(`${JSON.stringify(flags)} is refused`, () => {
    assert.throws(
      () => read(flags),
      (error) => error instanceof RmtopError && error.code === 'USAGE',
    );
  });
