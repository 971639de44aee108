/** What the flags of `rmtop replay` come to, and what they refuse. */
import assert from 'node:assert/strict';
import test from 'node:test';
import {
  connectionsOf,
  optionsOf,
  REPLAY_DEFAULTS,
  type ReplayFlags,
  rangeOf,
  repetitionOf,
} from '../../bin/replay/flags.js';
import { RmtopError } from '../../src/errors.js';

function read(more: Partial<ReplayFlags>): unknown {
  const flags = { ...REPLAY_DEFAULTS, ...more };
  return [optionsOf(flags), rangeOf(flags), repetitionOf(flags), connectionsOf(flags)];
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

test('rounds, connections and rates are read', () => {
  const rounds = { ...REPLAY_DEFAULTS, times: '3', vary: 'key', conns: '2', rate: '30/m' };
  assert.deepEqual(repetitionOf(rounds), { times: 3, loopMs: null, varies: true });
  assert.deepEqual([connectionsOf(rounds), optionsOf(rounds).perSecond], [2, 0.5]);
  const loop = repetitionOf({ ...REPLAY_DEFAULTS, loop: '10m' });
  assert.deepEqual(loop, { times: Number.POSITIVE_INFINITY, loopMs: 600_000, varies: false });
  const once = { times: 1, loopMs: null, varies: false };
  assert.deepEqual([repetitionOf(REPLAY_DEFAULTS), connectionsOf(REPLAY_DEFAULTS)], [once, null]);
  assert.equal(optionsOf({ ...REPLAY_DEFAULTS, step: true }).byStep, true);
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
  { routing: 'x' },
  { faults: 'recorded', direct: true },
  { mesh: ['a.yaml'], direct: true },
  { routing: 'strict', direct: true },
  { rate: '500' },
  { rate: '0/s' },
  { rate: '500/s', speed: '10' },
  { rate: '500/s', maxGap: '1s' },
  { step: true, speed: 'max' },
  { step: true, times: '2' },
  { conns: '0' },
  { conns: '2', faults: 'recorded' },
  { vary: 'key', times: '2', faults: 'recorded' },
  { times: '1.5' },
  { times: '2', loop: '1m' },
  { loop: 'x' },
  { vary: 'key' },
  { vary: 'value', times: '2' },
  { decideOnly: true, load: 'x' },
  { decideOnly: true, times: '2' },
];

for (const flags of wrong)
  test(`${JSON.stringify(flags)} is refused`, () => {
    assert.throws(
      () => read(flags),
      (error) => error instanceof RmtopError && error.code === 'USAGE',
    );
  });
