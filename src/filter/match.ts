/** One value of a filter → a test of one value of a field, with its type checked. */
import { type Operator, type Value, type Word, Wrong } from './ast.js';
import {
  asBytes,
  exampleOf,
  type Field,
  type NumberField,
  type Phase,
  type TextField,
} from './fields.js';
import { matchesGlob } from './glob.js';
import { regexProblem } from './regex.js';
import { nearest } from './suggest.js';
import { parseNumber, WANTED } from './units.js';

/** Whether the field's values are numbers. */
export function isNumber(field: Field): field is NumberField {
  return field.type === 'int' || field.type === 'duration' || field.type === 'size';
}

/** `operator value`, as a test of one number. Throws `Wrong`. */
export function numberTest(
  field: NumberField,
  name: Word,
  operator: Exclude<Operator, '!=' | '!~'>,
  value: Value,
): (value: number) => boolean {
  if (operator === '=~') {
    throw new Wrong(
      `"${name.text}" is a number: it has no regular expressions`,
      name.at,
      exampleOf(name.text),
    );
  }
  const wanted = numberOf(field, name, value);
  switch (operator) {
    case '=':
      return (n) => n === wanted;
    case '<':
      return (n) => n < wanted;
    case '<=':
      return (n) => n <= wanted;
    case '>':
      return (n) => n > wanted;
    case '>=':
      return (n) => n >= wanted;
  }
}

/** The number that `value` says. Throws `Wrong` when it says none of the field's type. */
export function numberOf(field: NumberField, name: Word, value: Value): number {
  const number = value.kind === 'bare' ? parseNumber(value.text, field.type) : null;
  if (number === null)
    throw new Wrong(`expected ${WANTED[field.type]}`, value.at, exampleOf(name.text));
  return number;
}

/** Case counts in text and bytes; in names and enumerations it does not. */
function ignoresCase(field: TextField): boolean {
  return field.type === 'name' || field.type === 'enum';
}

/** `= value`, as a test of one text: equal, or fitting a glob or a regular expression. Throws `Wrong`. */
export function textTest(
  field: TextField,
  value: Value,
  phase: Phase | null,
): (text: string) => boolean {
  if (value.kind === 'regex') return regexTest(field, value, phase);
  const wanted = value.kind === 'string' ? value.bytes.toString('latin1') : asBytes(value.text);
  const isGlob = value.kind === 'bare' && /[*?]/.test(value.text);
  if (field.type === 'enum' && !isGlob) checkValue(field, wanted, value.at);
  if (ignoresCase(field)) {
    const upper = wanted.toUpperCase();
    return isGlob
      ? (text) => matchesGlob(upper, text.toUpperCase())
      : (text) =>
          text === wanted || (text.length === wanted.length && text.toUpperCase() === upper);
  }
  return isGlob ? (text) => matchesGlob(wanted, text) : (text) => text === wanted;
}

function checkValue(field: TextField, wanted: string, at: number): void {
  const values = field.values ?? [];
  if (values.some((value) => value.toLowerCase() === wanted.toLowerCase())) return;
  const meant = nearest(wanted, values);
  throw new Wrong(
    `"${wanted}" is none of its values`,
    at,
    meant === null ? `one of ${values.join(' ')}` : `did you mean "${meant}"?`,
  );
}

/** `=~ value`, as a test of one text. Throws `Wrong`. */
export function regexTest(
  field: TextField,
  value: Value,
  phase: Phase | null,
): (text: string) => boolean {
  const source =
    value.kind === 'regex'
      ? value.source
      : value.kind === 'bare'
        ? value.text
        : value.bytes.toString();
  const at = value.kind === 'regex' ? value.at + 1 : value.at;
  const ignoreCase = ignoresCase(field) || (value.kind === 'regex' && value.ignoreCase);
  if (phase === 'arrival' || phase === 'decision') {
    const problem = regexProblem(source);
    if (problem !== null) throw new Wrong(problem, at);
  }
  const regex = makeRegex(source, ignoreCase, at);
  return (text) => regex.test(text);
}

function makeRegex(source: string, ignoreCase: boolean, at: number): RegExp {
  try {
    return new RegExp(asBytes(source), ignoreCase ? 'i' : '');
  } catch (error) {
    const said = error instanceof Error ? error.message : '';
    throw new Wrong(`not a regular expression: ${/: ([^:]*)$/.exec(said)?.[1] ?? said}`, at);
  }
}
