/** Lists of rules in settings files: what replies may differ in, what is taken out of recordings. Each mistake is told where it stands. */
import {
  nearest,
  parseRedactRule,
  parseToleranceRule,
  type RedactRule,
  RmtopError,
  readTolerances,
  type ToleranceRule,
  type ToleranceSource,
} from 'rmtop';
import { isMap, isScalar, isSeq, type Node } from 'yaml';
import { REDACTION, TOLERANCES } from './table.js';

/** Makes the error for what is wrong at a place of the file. */
export type WrongAt = (at: number, message: string, next?: readonly string[]) => RmtopError;

/** A rule as it was written: its values, and where each stands. */
type Written = {
  readonly at: number;
  readonly values: Readonly<Record<string, unknown>>;
  readonly places: ReadonlyMap<string, number>;
};

const TOLERANCE_KEYS = ['name', 'if', 'ignore', 'path', 'within', 'json'] as const;

/** The tolerances that `node` lists. Throws SETTINGS. */
export function readToleranceList(node: Node | null, at: number, wrong: WrongAt): ToleranceSource {
  if (!isSeq(node))
    throw wrong(at, `${TOLERANCES} is a list: settings as for --tolerate, and rules`);
  return node.items.map((item) => {
    const where = placeOf(item, at);
    if (isScalar(item)) return settingAt(String(item.value), where, wrong);
    const { values, places } = readRule(item, where, TOLERANCE_KEYS, wrong);
    const rule = values as ToleranceRule;
    if (rule.if === undefined)
      throw wrong(where, 'a rule has an if: the commands it is for; all is every command');
    const parsed = parseToleranceRule(rule);
    if (parsed.kind === 'problem') throw wrong(places.get(parsed.key) ?? where, parsed.message);
    return rule;
  });
}

const REDACTION_KEYS = ['name', 'if', 'arg', 'json'] as const;

/** The rules of redaction that `node` lists. Throws SETTINGS. */
export function readRedactionList(
  node: Node | null,
  at: number,
  wrong: WrongAt,
): readonly RedactRule[] {
  if (!isSeq(node)) throw wrong(at, `${REDACTION} is a list of rules`);
  return node.items.map((item) => {
    const where = placeOf(item, at);
    const { values, places } = readRule(item, where, REDACTION_KEYS, wrong);
    const rule = values as RedactRule;
    if (rule.if === undefined)
      throw wrong(where, 'a rule has an if: the commands it is for; all is every command');
    const parsed = parseRedactRule(rule);
    if (parsed.kind === 'problem') throw wrong(places.get(parsed.key) ?? where, parsed.message);
    return rule;
  });
}

function settingAt(text: string, at: number, wrong: WrongAt): string {
  try {
    readTolerances([text]);
    return text;
  } catch (error) {
    if (!(error instanceof RmtopError)) throw error;
    throw wrong(at, `'${text}' is not understood: ${error.why ?? error.message}`);
  }
}

/** A map with no other than these `keys`, each once; texts, numbers, booleans, or lists of texts and numbers. */
export function readRule(
  item: unknown,
  at: number,
  keys: readonly string[],
  wrong: WrongAt,
): Written {
  if (!isMap(item)) throw wrong(at, `a rule is a map: ${keys.join(', ')}`);
  const values: Record<string, unknown> = {};
  const places = new Map<string, number>();
  for (const { key, value } of item.items) {
    const where = placeOf(key, at);
    const name = isScalar(key) ? String(key.value) : '';
    if (!keys.includes(name)) {
      const near = nearest(name, keys);
      throw wrong(
        where,
        `a rule has no ${name}${near === null ? `: there are ${keys.join(', ')}` : `, did you mean ${near}?`}`,
      );
    }
    values[name] = isSeq(value)
      ? value.items.map((each) => plain(name, each, placeOf(each, where), wrong))
      : plain(name, value, where, wrong);
    places.set(name, placeOf(value, where));
  }
  return { at, values, places };
}

/** Texts where texts are wanted: what YAML takes for a number or for nothing is said to need quotes. */
const TEXTS: ReadonlySet<string> = new Set(['name', 'if', 'path', 'json']);

function plain(name: string, node: unknown, at: number, wrong: WrongAt): unknown {
  const value: unknown = isScalar(node) ? node.value : undefined;
  const isText = typeof value === 'string' && value !== '';
  if (TEXTS.has(name) && !isText)
    throw wrong(at, `${name} is text: put it in quotes${name === 'path' ? ", as '[3].name'" : ''}`);
  if (!isText && typeof value !== 'number' && typeof value !== 'boolean')
    throw wrong(at, `${name} has no value`);
  return value;
}

function placeOf(node: unknown, otherwise: number): number {
  const range: unknown = (node as { range?: unknown } | null)?.range;
  return Array.isArray(range) ? Number(range[0]) : otherwise;
}
