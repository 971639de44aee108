/**
 * Tolerances of a user's own: for the replies to some commands, which part of them means nothing, or how far numbers in it may be apart
 * (recording page, section 6). Data as a settings file has it, and what is made of it.
 */
import type { Command } from '../commands/command.js';
import { COMMAND_FIELDS, parseCommandFilter } from '../filter/of-command.js';
import { type JsonPath, parseJsonPath } from './json-path.js';
import { parseReplyPath, type ReplyPath } from './reply-path.js';

/** One rule. Besides `if` it has at least one of `ignore`, `path`, `within` and `json`. */
export type ToleranceRule = {
  /** What reports call it; its `if` where it has no name. */
  readonly name?: string;
  /** The commands it is for: a filter about name, keys and arguments. */
  readonly if: string;
  /** True: the whole reply is left out, or with `path` those parts. */
  readonly ignore?: boolean;
  /** Which parts of the reply it speaks of, as differences are told: `[3].name`, `[*]`. Alone it leaves them out. */
  readonly path?: string | readonly string[];
  /** How far numbers may be apart: `5`, or `5%` of the larger. */
  readonly within?: number | string;
  /** Parts of strings that are JSON: `$.ts`; left out, or with `within` numbers that may differ. */
  readonly json?: string | readonly string[];
};

/** What is wrong with a rule, and under which of its keys. */
export type ToleranceRuleProblem = {
  readonly kind: 'problem';
  readonly key: keyof ToleranceRule;
  readonly message: string;
};

/** A rule, ready to be asked. */
export type UserRule = {
  readonly kind: 'rule';
  readonly name: string;
  fits(command: Command): boolean;
  /** Whether what is at `path` of a reply is meant: by itself, not by what it is a part of. */
  speaksOf(path: string): boolean;
  /** Whether what it speaks of is left out, whatever it is. */
  readonly ignores: boolean;
  /** Null: numbers have to be the same. */
  readonly isNear: ((a: number, b: number) => boolean) | null;
  readonly json: readonly JsonPath[];
};

/** The names that reports use for what is built in. */
const TAKEN =
  /^(?:order|ttl|time|random|cursor|server|float|error-text|errors|routing|latency|none|rules)$/;
const LONGEST_NAME = 80;

/** The rule that `rule` says, or what is wrong with it. */
export function parseToleranceRule(rule: ToleranceRule): UserRule | ToleranceRuleProblem {
  const problem = (key: keyof ToleranceRule, message: string): ToleranceRuleProblem => ({
    kind: 'problem',
    key,
    message,
  });
  const filter = parseCommandFilter(rule.if, COMMAND_FIELDS);
  if (filter.kind === 'problem')
    return problem(
      'if',
      `${filter.message} at column ${filter.column} of the filter${filter.hint === null ? '' : ` (${filter.hint})`}`,
    );
  const name = rule.name ?? rule.if;
  if (TAKEN.test(name)) return problem('name', `${name} is the name of a built-in tolerance`);
  if (name.trim() === '' || name.length > LONGEST_NAME || /\p{C}/u.test(name))
    return problem(
      rule.name === undefined ? 'if' : 'name',
      `a rule is told by a name of at most ${LONGEST_NAME} characters: give it one`,
    );
  if (rule.ignore === false) return problem('ignore', 'ignore is true, or left out');
  const { within } = rule;
  const isNear = within === undefined ? null : nearness(String(within));
  if (within !== undefined && isNear === null)
    return problem('within', `${within} is no amount: 5, 0.5 or 5%`);
  if (rule.ignore === true && (within !== undefined || rule.json !== undefined))
    return problem('ignore', 'what is ignored has no within and no json: leave one of them out');
  const paths: ReplyPath[] = [];
  for (const text of listOf(rule.path)) {
    const path = parseReplyPath(text);
    if (path.kind === 'problem') return problem('path', path.message);
    paths.push(path);
  }
  const json: JsonPath[] = [];
  for (const text of listOf(rule.json)) {
    const path = parseJsonPath(text);
    if ('kind' in path) return problem('json', path.message);
    json.push(path);
  }
  if (rule.ignore !== true && paths.length + json.length === 0 && isNear === null)
    return problem('if', 'a rule says what it tolerates: ignore: true, path, within or json');
  return {
    kind: 'rule',
    name,
    fits: (command) => filter.matches(command),
    speaksOf:
      paths.length === 0 ? (path) => path === '' : (path) => paths.some((each) => each.names(path)),
    ignores: isNear === null && json.length === 0,
    isNear,
    json,
  };
}

function listOf(value: string | readonly string[] | undefined): readonly string[] {
  return value === undefined ? [] : typeof value === 'string' ? [value] : value;
}

/** `5`: by so much; `5%`: by that share of the larger of the two. Null for what says neither. */
function nearness(text: string): ((a: number, b: number) => boolean) | null {
  const [, figure, percent] = /^(\d+(?:\.\d+)?)\s*(%)?$/.exec(text.trim()) ?? [];
  const amount = Number(figure);
  if (!(amount > 0)) return null;
  return percent === undefined
    ? (a, b) => Math.abs(a - b) <= amount
    : (a, b) => Math.abs(a - b) <= (amount / 100) * Math.max(Math.abs(a), Math.abs(b));
}
