/** What can be typed next, for Tab in the filter bar. */
import { COMMANDS } from '../commands/table.js';
import { FIELDS, isField } from './fields.js';
import { FLAGS } from './flags.js';

/** Where the word being typed begins, and what it may become, best first. */
export type Completion = { readonly from: number; readonly options: readonly string[] };

const NAMES: readonly string[] = [...Object.keys(FIELDS), ...Object.keys(FLAGS)];
const COMMAND_NAMES: readonly string[] = COMMANDS.filter((spec) => spec.parent === null)
  .map((spec) => spec.name)
  .sort();

/** The completions of the word that ends at `cursor`. */
export function complete(text: string, cursor: number): Completion {
  const before = text.slice(0, cursor);
  const word = /[^\s()&|,<>=!~"'{}]*$/.exec(before)?.[0] ?? '';
  const from = cursor - word.length;
  const field = fieldBefore(before.slice(0, from));
  const options = field === null ? [...NAMES, ...COMMAND_NAMES] : valuesOf(field);
  const lower = word.toLowerCase();
  return { from, options: options.filter((option) => option.toLowerCase().startsWith(lower)) };
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
