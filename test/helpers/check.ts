/** Properties: a fixed seed, so that every run is the same; with `RMTOP_FUZZ` in the environment a random one too. */
import fc from 'fast-check';

const FIXED_SEED = 1729;

/** Holds `property` for `runs` cases. `RMTOP_FUZZ=N` adds N times as many of a random seed, which a failure names. */
export function holds(property: fc.IRawProperty<unknown>, runs: number): void {
  fc.assert(property as fc.IProperty<unknown>, { seed: FIXED_SEED, numRuns: runs });
  const more = Number(process.env.RMTOP_FUZZ ?? 0);
  if (more > 0) fc.assert(property as fc.IProperty<unknown>, { numRuns: Math.ceil(runs * more) });
}
