/** When the writer's thread rests, by a clock that is set by hand. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Breath } from '../../src/recording/breath.js';

/** A breath whose steps take `stepMs` each and whose rests take 1 ms; `rests` says after how many steps each was. */
function breathing(stepMs: number): { breath: Breath; work(steps: number): void; rests: number[] } {
  let nowMs = 0;
  let done = 0;
  const rests: number[] = [];
  const breath = new Breath(
    () => nowMs,
    () => {
      rests.push(done);
      nowMs += 1;
    },
  );
  const work = (steps: number): void => {
    for (let i = 0; i < steps; i++) {
      nowMs += stepMs;
      done++;
      breath.step();
    }
  };
  return { breath, work, rests };
}

test('a thread that has much to do rests every half a millisecond, as near as sixteen steps', () => {
  const { breath, work, rests } = breathing(1 / 64); // 32 steps are half a millisecond
  breath.begin();
  work(100);
  assert.deepEqual(rests, [32, 64, 96]);
});

test('what was before the work began does not count', () => {
  const { breath, work, rests } = breathing(1 / 64);
  breath.begin();
  work(16);
  breath.begin();
  work(16);
  assert.deepEqual(rests, []);
  work(16);
  assert.deepEqual(rests, [48]);
});

test('who is behind does not rest, and does again once it has caught up', () => {
  const { breath, work, rests } = breathing(1 / 64);
  breath.begin();
  breath.isHurried = true;
  work(160);
  assert.deepEqual(rests, []);
  breath.isHurried = false;
  work(16);
  assert.deepEqual(rests, [176]);
});
