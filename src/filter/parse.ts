/** Text → tree, by the grammar of `ux.md` d.2: `not` binds tighter than `and`, `and` tighter than `or`, a space is `and`. */
import { type Item, type Node, type Value, Wrong } from './ast.js';
import { exampleOf, isField } from './fields.js';
import { isFlag, TILDES } from './flags.js';
import { Scanner } from './scan.js';

/** How deep parentheses and negations may nest: more is a slip, and would only exhaust the stack. */
const MAX_DEPTH = 100;

/** The tree of `text`. Throws `Wrong`. */
export function parse(text: string): Node {
  const scanner = new Scanner(text);
  if (scanner.isAtEnd) return { kind: 'all' };
  const node = parseOr(scanner, 0);
  if (!scanner.isAtEnd) {
    const char = text.charAt(scanner.at);
    throw new Wrong(
      char === ')' ? 'this ) closes nothing' : `"${char}" is not expected here`,
      scanner.at,
    );
  }
  return node;
}

function parseOr(scanner: Scanner, depth: number): Node {
  const of = [parseAnd(scanner, depth)];
  while (scanner.take('||') || scanner.take('|') || scanner.takeKeyword('or'))
    of.push(parseAnd(scanner, depth));
  return of.length === 1 && of[0] !== undefined ? of[0] : { kind: 'or', of };
}

function parseAnd(scanner: Scanner, depth: number): Node {
  const of = [parseNot(scanner, depth)];
  while (
    scanner.take('&&') ||
    scanner.take('&') ||
    scanner.takeKeyword('and') ||
    startsAtom(scanner)
  )
    of.push(parseNot(scanner, depth));
  return of.length === 1 && of[0] !== undefined ? of[0] : { kind: 'and', of };
}

/** Whether what is next can begin a term, so that the space before it was an `and`. */
function startsAtom(scanner: Scanner): boolean {
  if (scanner.isAtEnd) return false;
  const char = scanner.text.charAt(scanner.at);
  if (/[)|&,<>=]/.test(char)) return false;
  if (!scanner.isAtKeyword) return true;
  return /^not/i.test(scanner.text.slice(scanner.at));
}

function parseNot(scanner: Scanner, depth: number): Node {
  if (depth > MAX_DEPTH) throw new Wrong('this is nested too deeply', scanner.at);
  if (scanner.take('!') || scanner.takeKeyword('not'))
    return { kind: 'not', of: parseNot(scanner, depth + 1) };
  return parseAtom(scanner, depth);
}

function parseAtom(scanner: Scanner, depth: number): Node {
  if (scanner.isAtEnd || scanner.isAtKeyword)
    throw new Wrong('expected a condition', scanner.at, 'e.g. cmd=GET, user:*, err, rtt>2ms');
  if (scanner.take('(')) {
    const node = parseOr(scanner, depth + 1);
    if (!scanner.take(')')) throw new Wrong('expected )', scanner.at);
    return node;
  }
  if (scanner.take('~')) return parseTilde(scanner);
  const found = scanner.takeField(isFlag, isField);
  if (found !== null) {
    const { field, operator } = found;
    if (operator === 'in') return { kind: 'member', field, items: parseSet(scanner, field.text) };
    const value = scanner.value(false);
    if (value === null) throw new Wrong('expected a value', scanner.at, exampleOf(field.text));
    return { kind: 'compare', field, operator, value };
  }
  const value = scanner.value(false);
  if (value === null)
    throw new Wrong(`"${scanner.text.charAt(scanner.at)}" is not expected here`, scanner.at);
  checkComparesNothing(scanner, value);
  return { kind: 'word', value };
}

/** `user:42=x`: what stands before an operator has to be a field. */
function checkComparesNothing(scanner: Scanner, value: Value): void {
  scanner.skipSpace();
  if (!/[=<>]/.test(scanner.text.charAt(scanner.at))) return;
  const text = value.kind === 'bare' ? value.text : scanner.text.slice(value.at, scanner.at).trim();
  throw new Wrong(`"${text}" is no field to compare`, value.at, 'to look for the text, quote it');
}

function parseSet(scanner: Scanner, field: string): Item[] {
  if (!scanner.take('{')) {
    scanner.skipSpace();
    throw new Wrong('expected {', scanner.at, exampleOf(field, 'in'));
  }
  const items: Item[] = [];
  for (;;) {
    const from = scanner.value(true);
    if (from === null) throw new Wrong('expected a value', scanner.at, exampleOf(field, 'in'));
    let to: Value | null = null;
    if (scanner.take('..')) {
      to = scanner.value(true);
      if (to === null)
        throw new Wrong('expected the end of the range', scanner.at, exampleOf(field, 'in'));
    }
    items.push({ from, to });
    if (scanner.take('}')) return items;
    if (!scanner.take(',')) throw new Wrong('expected , or }', scanner.at, exampleOf(field, 'in'));
  }
}

function parseTilde(scanner: Scanner): Node {
  const name = scanner.letters();
  const tilde = TILDES[name.text];
  if (tilde === undefined) {
    throw new Wrong(
      `unknown short form "~${name.text}"`,
      name.at - 1,
      `known: ${Object.keys(TILDES)
        .map((known) => `~${known}`)
        .join(' ')}`,
    );
  }
  if (tilde.kind === 'flag') return { kind: 'tilde', name, value: null };
  const { at } = scanner;
  const value = scanner.isAtEnd || scanner.isAtKeyword ? null : scanner.value(false);
  if (value === null && tilde.kind === 'value')
    throw new Wrong('expected a value', at, `e.g. ~${name.text} text`);
  return { kind: 'tilde', name, value };
}
