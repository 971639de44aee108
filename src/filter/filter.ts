/** The filter language: one expression for display, find, hold, faults and exports. See `ux.md` d. */
import { type FilterProblem, Wrong } from './ast.js';
import { compile, type Predicate, type Reading } from './compile.js';
import type { Phase } from './fields.js';
import { parse } from './parse.js';

/** A filter ready to be asked. */
export type Filter = {
  readonly kind: 'filter';
  readonly text: string;
  readonly matches: Predicate;
  /** How its bare words were read, for the filter bar to say. */
  readonly readings: readonly Reading[];
};

/**
 * The filter that `text` says, or what is wrong with it. `phase`: when it will be asked; fields that are known only later are then
 * wrong, and so are regular expressions that may take long. `only`: the fields and flags that may be asked about; null for all. An empty
 * text lets everything through.
 */
export function parseFilter(
  text: string,
  phase: Phase | null = null,
  only: ReadonlySet<string> | null = null,
): Filter | FilterProblem {
  const readings: Reading[] = [];
  try {
    const matches = compile(parse(text), { phase, only, readings });
    return { kind: 'filter', text, matches, readings };
  } catch (error) {
    if (error instanceof Wrong) return error.problem;
    throw error;
  }
}
