/** A user's own tolerances at work in one comparison: where a rule speaks of a part of a reply, and what it lets pass there. */
import type { Reply } from '../resp/value.js';
import { type JsonAllowance, jsonDifference } from './json.js';
import type { UserRule } from './rules.js';
import type { Difference, Walk } from './tree.js';

/** How two replies are compared but for the rules. */
type Compare = (a: Reply, b: Reply, walk: Walk, path: string) => Difference | null;

/** Compares what is at `path` under the rules that speak of it. */
export function underRules(
  a: Reply,
  b: Reply,
  walk: Walk,
  path: string,
  compare: Compare,
): Difference | null {
  const here = walk.user.filter((rule) => rule.speaksOf(path));
  if (here.length === 0) return compare(a, b, walk, path);
  const ignoring = here.find(({ ignores }) => ignores);
  if (ignoring === undefined)
    return compare(a, b, { ...walk, active: [...walk.active, ...here] }, path);
  // A rule is used where it was needed, and only there.
  const without: Walk = { ...walk, user: [], active: [], used: new Set() };
  if (compare(a, b, without, path) !== null) walk.used.add(ignoring.name);
  else for (const name of without.used) walk.used.add(name);
  return null;
}

/** The rule that leaves out what is at `path`; undefined: none does. */
export function ignoring({ user }: Walk, path: string): UserRule | undefined {
  return user.find((rule) => rule.ignores && rule.speaksOf(path));
}

/** What is left of the difference `found` between two strings or numbers, by the rules in force there. */
export function leftOf(
  found: Difference,
  a: { readonly text: string | null; readonly number: number | null },
  b: { readonly text: string | null; readonly number: number | null },
  walk: Walk,
): Difference | null {
  const near =
    a.number === null || b.number === null
      ? undefined
      : walk.active.find(
          ({ isNear, json }) =>
            json.length === 0 && isNear?.(a.number as number, b.number as number) === true,
        );
  if (near !== undefined) {
    walk.used.add(near.name);
    return null;
  }
  if (a.text === null || b.text === null) return found;
  const allowances = walk.active.flatMap(({ name, isNear, json }) =>
    json.map((path): JsonAllowance => ({ name, path, isNear })),
  );
  if (allowances.length === 0) return found;
  const used = new Set<string>();
  const inside = jsonDifference(a.text, b.text, allowances, used);
  if (inside === undefined) return found;
  if (inside !== null)
    return { path: `${found.path} ${inside.path}`.trim(), a: inside.a, b: inside.b, at: null };
  // Documents that differ in how they are written, and in nothing that counts, are the same only under a rule.
  for (const name of used.size > 0 ? used : [allowances[0]?.name ?? '']) walk.used.add(name);
  return null;
}
