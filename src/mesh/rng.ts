/** Chance, as an argument: what was drawn is kept in the Decision, so that it can be made again. */

/** Draws whole numbers: `below(n)` is in 0 … n-1. */
export type Rng = { below(n: number): number };

/** A generator with a 32-bit seed (mulberry32); the same seed gives the same draws. */
export function seededRng(seed: number): Rng {
  let state = seed >>> 0;
  return {
    below(n) {
      state = (state + 0x6d2b79f5) >>> 0;
      let t = state;
      t = Math.imul(t ^ (t >>> 15), t | 1);
      t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
      return ((((t ^ (t >>> 14)) >>> 0) * n) / 4294967296) >>> 0;
    },
  };
}

/** Gives the draws of a recorded decision again, in order; 0 when there are no more. */
export function replayRng(draws: readonly number[]): Rng {
  let next = 0;
  return { below: (n) => Math.min(draws[next++] ?? 0, n - 1) };
}

/** Draws from another generator and keeps what it drew. */
export class RecordingRng implements Rng {
  draws: number[] | null = null;
  private readonly source: Rng;

  constructor(source: Rng) {
    this.source = source;
  }

  below(n: number): number {
    const drawn = this.source.below(n);
    if (this.draws === null) this.draws = [drawn];
    else this.draws.push(drawn);
    return drawn;
  }
}
