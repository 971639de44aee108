/** Tree → function, with every name and value checked on the way. */
import { commandByName } from '../commands/table.js';
import { type Item, type Node, type Operator, type Value, type Word, Wrong } from './ast.js';
import type { Facts } from './facts.js';
import {
  asBytes,
  exampleOf,
  FIELDS,
  type Field,
  isField,
  PHASES,
  type Phase,
  type TextField,
} from './fields.js';
import { FLAGS, isFlag, TILDES } from './flags.js';
import { isNumber, numberOf, numberTest, regexTest, textTest } from './match.js';
import { nearest } from './suggest.js';

export type Predicate = (facts: Facts) => boolean;

/** How a word of the filter was read: `get` as `cmd=GET`. */
export type Reading = { readonly word: string; readonly meaning: string };

/** What the compiler was told, and what it notes. */
export type Task = {
  /** The filter is asked when only the fields up to this phase are known; null: all are. */
  readonly phase: Phase | null;
  /** The only fields and flags that may be asked about; null: all. */
  readonly only?: ReadonlySet<string> | null;
  readonly readings: Reading[];
};

/** The function that says whether a command fits. Throws `Wrong`. */
export function compile(node: Node, task: Task): Predicate {
  switch (node.kind) {
    case 'all':
      return () => true;
    case 'or': {
      const of = node.of.map((each) => compile(each, task));
      return (facts) => of.some((fits) => fits(facts));
    }
    case 'and': {
      const of = node.of.map((each) => compile(each, task));
      return (facts) => of.every((fits) => fits(facts));
    }
    case 'not': {
      const fits = compile(node.of, task);
      return (facts) => !fits(facts);
    }
    case 'compare':
      return compare(fieldOf(node.field, task), node.field, node.operator, node.value, task);
    case 'member':
      return member(fieldOf(node.field, task), node.field, node.items, task);
    case 'tilde':
      return tilde(node.name, node.value, task);
    case 'word':
      return word(node.value, task);
  }
}

function fieldOf(name: Word, task: Task): Field {
  const lower = name.text.toLowerCase();
  const field = isField(lower) ? FIELDS[lower] : undefined;
  if (field !== undefined) {
    checkOnly(lower, name.at, task);
    checkPhase(field.phase, name, task);
    return field;
  }
  if (isFlag(lower))
    throw new Wrong(`"${lower}" is true or false: it takes no value`, name.at, `e.g. ${lower}`);
  const meant = nearest(lower, Object.keys(FIELDS));
  throw new Wrong(
    `unknown field "${name.text}"`,
    name.at,
    meant === null ? null : `did you mean "${meant}"?`,
  );
}

const KNOWN_AFTER: Readonly<Record<Phase, string>> = {
  arrival: 'at arrival',
  decision: 'after the decision',
  reply: 'after the reply',
  mirror: "after the mirror's reply",
};

function checkOnly(name: string, at: number, { only }: Task): void {
  if (only == null || only.has(name)) return;
  throw new Wrong(`"${name}" is not asked here`, at, `only ${[...only].join(' ')}`);
}

function checkPhase(phase: Phase, name: Word, task: Task): void {
  if (task.phase === null || PHASES.indexOf(phase) <= PHASES.indexOf(task.phase)) return;
  throw new Wrong(
    `"${name.text}" is known only ${KNOWN_AFTER[phase]}`,
    name.at,
    `this filter is asked ${KNOWN_AFTER[task.phase]}`,
  );
}

// ——— comparisons ———

/** True when any value of the field fits. */
function any<T>(
  get: (facts: Facts) => T | null | readonly T[],
  test: (value: T) => boolean,
): Predicate {
  return (facts) => {
    const values = get(facts);
    if (values === null) return false;
    return Array.isArray(values) ? values.some(test) : test(values as T);
  };
}

function compare(
  field: Field,
  name: Word,
  operator: Operator,
  value: Value,
  task: Task,
): Predicate {
  // `!=` is the negation of `=`, on lists too: no value fits. There is no other reading of it.
  if (operator === '!=' || operator === '!~') {
    const fits = compare(field, name, operator === '!=' ? '=' : '=~', value, task);
    return (facts) => !fits(facts);
  }
  const prefix = operator === '=' && field === keyField ? prefixIn(value) : null;
  if (prefix !== null) return (facts) => facts.hasKeyFrom(prefix);
  if (isNumber(field)) return any(field.get, numberTest(field, name, operator, value));
  if (operator === '=') return any(field.get, textTest(field, value, task.phase));
  if (operator === '=~') return any(field.get, regexTest(field, value, task.phase));
  throw new Wrong(
    `"${name.text}" is text: it cannot be compared with ${operator}`,
    name.at,
    exampleOf(name.text),
  );
}

/** The bytes before the `*` of `session:*`, the commonest of globs; null of any other value. */
export function prefixIn(value: Value): Buffer | null {
  return value.kind === 'bare' && /^[^*?[\]\\]+\*$/.test(value.text)
    ? Buffer.from(asBytes(value.text.slice(0, -1)), 'latin1')
    : null;
}

// ——— sets, short forms, words ———

function member(field: Field, name: Word, items: readonly Item[], task: Task): Predicate {
  if (isNumber(field)) {
    const ranges = items.map(({ from, to }): readonly [number, number] => {
      const start = numberOf(field, name, from);
      return [start, to === null ? start : numberOf(field, name, to)];
    });
    return any(field.get, (n) => ranges.some(([from, to]) => from <= n && n <= to));
  }
  const tests = items.map(({ from, to }) => {
    if (to !== null)
      throw new Wrong(
        `"${name.text}" is text: it has no ranges`,
        from.at,
        exampleOf(name.text, 'in'),
      );
    return textTest(field, from, task.phase);
  });
  return any(field.get, (text) => tests.some((fits) => fits(text)));
}

function tilde(name: Word, value: Value | null, task: Task): Predicate {
  const form = TILDES[name.text];
  if (form === undefined) throw new Wrong(`unknown short form "~${name.text}"`, name.at);
  if (form.kind === 'flag') return flag(form.flag, name, task);
  const tests = form.fields.map((fieldName) => {
    const field = fieldOf({ text: fieldName, at: name.at }, task);
    return value === null || isNumber(field)
      ? has(field)
      : any(field.get, regexTest(field, value, task.phase));
  });
  return (facts) => tests.some((fits) => fits(facts));
}

function flag(name: string, at: Word, task: Task): Predicate {
  const found = FLAGS[name];
  if (found === undefined) throw new Wrong(`unknown flag "${name}"`, at.at);
  checkOnly(name, at.at, task);
  checkPhase(found.phase, { text: name, at: at.at }, task);
  return found.get;
}

function has(field: Field): Predicate {
  return (facts) => {
    const values: unknown = field.get(facts);
    return Array.isArray(values) ? values.length > 0 : values !== null;
  };
}

/** A bare word, string or regular expression, read by the rules of `ux.md` d.2; the reading is noted for the filter bar. */
function word(value: Value, task: Task): Predicate {
  const note = (text: string, meaning: string): void => {
    task.readings.push({ word: text, meaning });
  };
  if (value.kind === 'regex') {
    note(`/${value.source}/`, `key=~/${value.source}/`);
    return any(keyField.get, regexTest(keyField, value, task.phase));
  }
  if (value.kind === 'string') {
    checkOnly('arg', value.at, task);
    const bytes = value.bytes.toString('latin1');
    note(JSON.stringify(value.bytes.toString()), 'key or argument contains it');
    return contains(bytes);
  }
  const { text } = value;
  const lower = text.toLowerCase();
  if (/[*?]/.test(text)) {
    note(text, `key=${text}`);
    return any(keyField.get, textTest(keyField, value, task.phase));
  }
  const spec = commandByName(text.toUpperCase());
  if (spec !== undefined) {
    note(text, `cmd=${spec.name}`);
    return (facts) => facts.name === spec.name || facts.name.startsWith(`${spec.name} `);
  }
  if (isFlag(lower)) return flag(lower, { text: lower, at: value.at }, task);
  if (isField(lower)) {
    note(text, `has ${lower}`);
    return has(fieldOf({ text: lower, at: value.at }, task));
  }
  checkOnly('arg', value.at, task);
  note(text, 'key or argument contains it');
  return contains(asBytes(text));
}

const keyField = FIELDS.key as TextField;

function contains(bytes: string): Predicate {
  return (facts) => facts.args.some((arg) => arg.includes(bytes));
}
