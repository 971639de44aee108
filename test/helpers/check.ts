/** Properties: a fixed seed, so that a run can be repeated, and a random one, so that not every run is the same. */
import fc from 'fast-check';

const FIXED_SEED = 1729;

/** Holds `property` for `runs` cases of the fixed seed and a quarter as many of a random one, which a failure names. */
export function holds(property: fc.IRawProperty<unknown>, runs: number): void {
  fc.assert(property as fc.IProperty<unknown>, { seed: FIXED_SEED, numRuns: runs });
  fc.assert(property as fc.IProperty<unknown>, { numRuns: Math.ceil(runs / 4) });
}
