/** Two texts compared as JSON documents, but for the parts that rules leave out or let differ. */
import type { JsonPath, PathState } from './json-path.js';

/** A part that need not be the same: not at all, or as far as `isNear` says of two numbers. */
export type JsonAllowance = {
  readonly name: string;
  readonly path: JsonPath;
  /** Null: whatever it is. */
  readonly isNear: ((a: number, b: number) => boolean) | null;
};

/** Where two documents differ, `$.user.name`, and what is there. */
export type JsonDifference = { readonly path: string; readonly a: string; readonly b: string };

/** An allowance on its way down. `within`: the value is a part of what it names. */
type Live = {
  readonly of: JsonAllowance;
  readonly state: PathState;
  readonly within: boolean;
};

/** Documents that nest deeper are not looked into. */
export const DEEPEST_JSON = 500;

/**
 * The first difference of two texts as JSON, or null where allowances cover all there is: their names are added to `used`. Undefined when
 * one of the two is no object or array in JSON.
 */
export function jsonDifference(
  a: string,
  b: string,
  allowances: readonly JsonAllowance[],
  used: Set<string>,
): JsonDifference | null | undefined {
  const left = parseDocument(a);
  const right = parseDocument(b);
  if (left === undefined || right === undefined) return undefined;
  const live = allowances.map((of) => ({ of, state: of.path.start, within: false }));
  return compare(left, right, live, used, '$', 0);
}

/** Integers of more digits are kept as they are written: as doubles two of them might be the same. */
const LONG_NUMBER = /\d{16}/;
const TOKEN = /"[^"\\]*(?:\\.[^"\\]*)*"|-?\d[\d.eE+-]*/g;

function parseDocument(text: string): unknown {
  if (!/^\s*[[{]/.test(text)) return undefined;
  try {
    const document: unknown = JSON.parse(text);
    if (!LONG_NUMBER.test(text)) return document;
    return JSON.parse(
      text.replace(TOKEN, (token) =>
        token.startsWith('"') || !LONG_NUMBER.test(token) ? token : `"\\u0000${token}"`,
      ),
    );
  } catch {
    return undefined;
  }
}

function compare(
  a: unknown,
  b: unknown,
  live: readonly Live[],
  used: Set<string>,
  path: string,
  depth: number,
): JsonDifference | null {
  if (a === b) return null;
  const told = (): JsonDifference => ({ path, a: shown(a), b: shown(b) });
  if (depth > DEEPEST_JSON) return told();
  if (Array.isArray(a) && Array.isArray(b)) {
    const length = Math.max(a.length, b.length);
    for (let i = 0; i < length; i++) {
      const found = child(a[i], b[i], i, `${path}[${i}]`, { live, used, depth });
      if (found !== null) return found;
    }
    return null;
  }
  if (isObject(a) && isObject(b)) {
    for (const name of new Set([...Object.keys(a), ...Object.keys(b)])) {
      const [left, right] = [own(a, name), own(b, name)];
      const found = child(left, right, name, `${path}${stepText(name)}`, { live, used, depth });
      if (found !== null) return found;
    }
    return null;
  }
  const [x, y] = [numberOf(a), numberOf(b)];
  if (x === null || y === null) return told();
  const near = live.find(({ of, within }) => within && of.isNear?.(x, y) === true);
  if (near === undefined) return told();
  used.add(near.of.name);
  return null;
}

/** One member or element; undefined stands for one that is not there. */
function child(
  a: unknown,
  b: unknown,
  step: string | number,
  path: string,
  { live, used, depth }: { live: readonly Live[]; used: Set<string>; depth: number },
): JsonDifference | null {
  const below: Live[] = [];
  let ignored: string | null = null;
  for (const { of, state, within } of live) {
    const next = of.path.step(state, step);
    const isIn = within || of.path.isAt(next);
    if (isIn && of.isNear === null) ignored ??= of.name;
    else if (isIn || next.length > 0) below.push({ of, state: next, within: isIn });
  }
  if (ignored !== null) {
    if (compare(a, b, [], new Set(), path, depth + 1) !== null) used.add(ignored);
    return null;
  }
  return compare(a, b, below, used, path, depth + 1);
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function own(object: Readonly<Record<string, unknown>>, name: string): unknown {
  return Object.hasOwn(object, name) ? object[name] : undefined;
}

function numberOf(value: unknown): number | null {
  if (typeof value === 'number') return value;
  return typeof value === 'string' && value.startsWith('\0') ? Number(value.slice(1)) : null;
}

function stepText(name: string): string {
  return /^[\p{L}_][\p{L}\p{N}_-]*$/u.test(name) ? `.${name}` : `[${JSON.stringify(name)}]`;
}

/** What a value is cut to in a difference. */
const SHOWN = 64;

function shown(value: unknown): string {
  if (value === undefined) return '(not there)';
  const number = typeof value === 'string' && value.startsWith('\0') ? value.slice(1) : null;
  const text =
    number ??
    (Array.isArray(value)
      ? `[${value.length} elements]`
      : isObject(value)
        ? '{…}'
        : JSON.stringify(value));
  return text.length <= SHOWN ? text : `${text.slice(0, SHOWN)}…`;
}
