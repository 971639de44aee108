/** What can be typed next, for Tab in the filter bar. */
import { COMMANDS } from '../commands/table.js';
import { FIELDS, isField } from './fields.js';
import { FLAGS, TILDES } from './flags.js';

/** Where the word being typed begins, and what it may become, best first. */
export type Completion = { readonly from: number; readonly options: readonly string[] };

const NAMES: readonly string[] = [...Object.keys(FIELDS), ...Object.keys(FLAGS)];
const SHORT_FORMS: readonly string[] = Object.keys(TILDES);
const COMMAND_NAMES: readonly string[] = COMMANDS.filter((spec) => spec.parent === null)
  .map((spec) => spec.name)
  .sort();

/**
 * The completions of the word that ends at `cursor`. `known`: values of a field that only the caller knows, such as the names of the
 * servers there are.
 */
export function complete(
  text: string,
  cursor: number,
  known: (field: string) => readonly string[] = () => [],
): Completion {
  const before = text.slice(0, cursor);
  const word = /[^\s()&|,<>=!~"'{}]*$/.exec(before)?.[0] ?? '';
  const from = cursor - word.length;
  const field = fieldBefore(before.slice(0, from));
  const options =
    field !== null
      ? [...valuesOf(field), ...known(field)]
      : isShortForm(before.slice(0, from))
        ? SHORT_FORMS
        : [...NAMES, ...COMMAND_NAMES];
  const lower = word.toLowerCase();
  return { from, options: options.filter((option) => option.toLowerCase().startsWith(lower)) };
}

/** Behind a `~` that is no operator: `err ~`, `(~`, but not `key=~`. */
function isShortForm(text: string): boolean {
  return /(^|[\s(&|!])~$/.test(text);
}

/** The field whose value is being typed: `cmd=`, `why in {policy,`. */
function fieldBefore(text: string): string | null {
  const name = /([A-Za-z][A-Za-z_.]*)\s*(?:=~?|==|!=|!~|\s+in\s*\{[^}]*)\s*$/.exec(text)?.[1];
  return name !== undefined && isField(name.toLowerCase()) ? name.toLowerCase() : null;
}

function valuesOf(name: string): readonly string[] {
  if (name === 'cmd') return COMMAND_NAMES;
  const field = FIELDS[name];
  return field !== undefined && 'values' in field ? (field.values ?? []) : [];
}
