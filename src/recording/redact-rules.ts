/**
 * What a user's own rules take out of commands and their replies (recording page, 4.6): data as a settings file and a recording's header
 * have it, and what is made of it. Keys stay whatever a rule says: they decide where a command goes.
 */
import { Command } from '../commands/command.js';
import { type JsonPath, parseJsonPath } from '../compare/json-path.js';
import type { ToleranceRule } from '../compare/rules.js';
import { RmtopError } from '../errors.js';
import { KEY_FIELDS, parseCommandFilter } from '../filter/of-command.js';
import { maskJson } from './json-mask.js';
import { isJsonObject, type Json, type JsonObject } from './values.js';

/** One rule. Besides `if` it has `arg`, `json` or both. */
export type RedactRule = {
  /** What stands in the place of an argument that was removed; `rule` where it has no name. */
  readonly name?: string;
  /** The commands it is for: a filter about name and keys. Values are no part of it, for they are not there when it is asked again. */
  readonly if: string;
  /** Positions of arguments, the name being 0. Without `json` they are removed whole, and so are the strings of the reply. */
  readonly arg?: number | readonly number[];
  /** Parts of those arguments that are JSON, or of any where `arg` is left out; and of strings in the reply. */
  readonly json?: string | readonly string[];
};

/** What is wrong with a rule, and under which of its keys. */
export type RedactRuleProblem = {
  readonly kind: 'problem';
  readonly key: keyof RedactRule;
  readonly message: string;
};

/** A rule, ready to be asked. */
export type CompiledRedactRule = {
  readonly kind: 'rule';
  readonly name: string;
  fits(command: Command): boolean;
  /** Whether it is for some command on `key`, as far as that can be told. */
  mayMeanKey(key: string): boolean;
  /** Null: any that is no key. */
  readonly args: ReadonlySet<number> | null;
  /** Empty: what is meant goes whole. */
  readonly json: readonly JsonPath[];
};

const LONGEST_NAME = 40;
/** What can be asked of a key where the command on it is not known. */
const ABOUT_KEYS: ReadonlySet<string> = new Set(['key', 'prefix', 'tag', 'all']);

/** The rule that `rule` says, or what is wrong with it. */
export function parseRedactRule(rule: RedactRule): CompiledRedactRule | RedactRuleProblem {
  const problem = (key: keyof RedactRule, message: string): RedactRuleProblem => ({
    kind: 'problem',
    key,
    message,
  });
  const filter = parseCommandFilter(rule.if, KEY_FIELDS);
  if (filter.kind === 'problem')
    return problem(
      'if',
      `${filter.message} at column ${filter.column} of the filter${filter.hint === null ? '' : ` (${filter.hint})`}`,
    );
  const byKey = parseCommandFilter(rule.if, ABOUT_KEYS);
  const { name = 'rule' } = rule;
  if (!/^[\p{L}\p{N}][\p{L}\p{N} ._:-]*$/u.test(name) || name.length > LONGEST_NAME)
    return problem('name', `a name is a word of at most ${LONGEST_NAME} characters`);
  // A header may have been written by anybody: what these are is seen here.
  const args = rule.arg === undefined ? [] : [rule.arg].flat();
  const wrong = args.find((at) => !Number.isInteger(at) || at < 1);
  if (wrong !== undefined)
    return problem('arg', `${wrong} is no argument: they are counted from 1, the name is 0`);
  const texts = rule.json === undefined ? [] : [rule.json].flat().map(String);
  const json: JsonPath[] = [];
  for (const text of texts) {
    const path = parseJsonPath(text);
    if ('kind' in path) return problem('json', path.message);
    json.push(path);
  }
  if (args.length + json.length === 0)
    return problem('if', 'a rule says what it removes: arg, json or both');
  return {
    kind: 'rule',
    name,
    fits: (command) => filter.matches(command),
    mayMeanKey: (key) =>
      byKey.kind === 'problem' || byKey.matches(Command.of(['GET', Buffer.from(key, 'latin1')])),
    args: args.length === 0 ? null : new Set(args),
    json,
  };
}

/** All of `rules`. Throws USAGE where one is none. */
export function compileRedactRules(rules: readonly RedactRule[]): readonly CompiledRedactRule[] {
  return rules.map((each) => {
    const rule = parseRedactRule(each);
    if (rule.kind === 'rule') return rule;
    throw new RmtopError('USAGE', `a redaction's ${rule.key}: ${rule.message}`, {
      next: ['rmtop config --schema'],
    });
  });
}

/** The rules that a recording was made with, by its header; those that a later version has and this one does not know are passed over. */
export function redactRulesOf(header: JsonObject): readonly RedactRule[] {
  const { redact } = header;
  if (!isJsonObject(redact) || !Array.isArray(redact.rules)) return [];
  return (redact.rules as readonly Json[]).flatMap((each) => {
    if (!isJsonObject(each) || typeof each.if !== 'string') return [];
    const rule = each as unknown as RedactRule;
    return parseRedactRule(rule).kind === 'rule' ? [rule] : [];
  });
}

/** The positions that are kept whatever a rule says: name, subcommand, keys, and what routes a script. */
export function keptPositions({ spec, keys }: Command): ReadonlySet<number> {
  const kept = new Set([...keys, 0]);
  if (spec !== undefined && spec.parent !== null) kept.add(1);
  if (spec?.mesh === 'eval') kept.add(3);
  return kept;
}

/** What is told apart in a command that has come as it would be in one recorded under `rules`. */
export function maskedCommand(command: Command, rules: readonly CompiledRedactRule[]): Command {
  const fitting = rules.filter((rule) => rule.json.length > 0 && rule.fits(command));
  if (fitting.length === 0) return command;
  const kept = keptPositions(command);
  let isChanged = false;
  const argv = command.argv.map((arg, i) => {
    if (kept.has(i)) return arg;
    let text = arg.toString();
    const before = text;
    for (const { args, json } of fitting)
      if (args === null || args.has(i)) text = maskJson(text, json) ?? text;
    if (text === before) return arg;
    isChanged = true;
    return Buffer.from(text);
  });
  return isChanged ? Command.of(argv, command.session) : command;
}

/** Tolerances under which a reply counts as the recorded one, whatever is in the place of what was taken out. */
export function redactionTolerances(rules: readonly RedactRule[]): readonly ToleranceRule[] {
  return rules.flatMap(({ if: scope, json }) =>
    json === undefined ? [] : [{ name: 'redacted', if: scope, json }],
  );
}
