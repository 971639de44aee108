/**
 * A thread that has much to do and is in nobody's way: it rests after each short while.
 *
 * Low priority alone does not do that. Linux lets a thread that runs go on until its slice ends, and looks no sooner than at the next tick,
 * 4 ms later on many machines: a server, a client or the core that wakes on this processor meanwhile waits as long. Between two rests
 * nobody waits longer than half a millisecond.
 */

/** How long it works without a rest. */
const WORK_MS = 0.5;
/** The shortest that a thread can sleep; whoever waits takes the processor. */
const REST_MS = 0.05;
/** The clock is asked after so many steps. */
const STEPS = 16;

const NAP = new Int32Array(new SharedArrayBuffer(4));

/** Says when it is time to rest, and rests. For a thread that may be blocked. */
export class Breath {
  /** Whether there is so much to do that nobody is served by a rest. */
  isHurried = false;
  private readonly nowMs: () => number;
  private readonly rest: () => void;
  private steps = 0;
  private sinceMs = 0;

  /** `nowMs` is a monotonic clock; `rest` blocks the thread for a moment. */
  constructor(nowMs: () => number = () => performance.now(), rest: () => void = nap) {
    this.nowMs = nowMs;
    this.rest = rest;
  }

  /** Work begins. */
  begin(): void {
    this.sinceMs = this.nowMs();
  }

  /** A small piece of the work was done. */
  step(): void {
    if (++this.steps % STEPS !== 0 || this.isHurried) return;
    if (this.nowMs() - this.sinceMs < WORK_MS) return;
    this.rest();
    this.sinceMs = this.nowMs();
  }
}

function nap(): void {
  Atomics.wait(NAP, 0, 0, REST_MS);
}
