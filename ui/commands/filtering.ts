/** The filter by text, and filters kept by name. */
import { complete, parseFilter } from 'rmtop';
import type { Command } from '../commands.js';
import { knownValues } from '../known.js';
import type { Model } from '../model.js';

function filter(model: Model, rest: string): string | null {
  const [word = '', name = ''] = rest.split(/\s+/);
  if (word === 'save') return save(model, name);
  if (word === 'off' || word === 'on') {
    if (model.filterBar.isOn !== (word === 'on')) model.filterBar.toggle();
    return null;
  }
  const text = word.startsWith('@') ? model.saved.get(word.slice(1)) : rest;
  if (text === undefined) return `there is no filter ${word}: ${[...model.saved.keys()].join(' ')}`;
  const parsed = parseFilter(text);
  if (parsed.kind === 'problem') return `${parsed.message} at ${parsed.column}`;
  model.show('stream');
  model.filterBar.set(parsed);
  return null;
}

function save(model: Model, name: string): string | null {
  if (!/^[\w.-]+$/.test(name)) return 'filter save NAME: a word';
  if (model.filterBar.isEmpty) return 'there is no filter to save';
  const { text } = model.filterBar;
  model.saved.set(name, text);
  const kept = model.effects.keep('user', ['filters', name], text);
  model.toasts.answer(
    kept.kind === 'kept'
      ? `@${name} is in ${kept.file}`
      : `@${name} is known until rmtop ends: ${kept.message}`,
  );
  return null;
}

export const filterCommands: readonly Command[] = [
  {
    name: 'filter',
    usage: 'EXPRESSION | @NAME | save NAME | on | off',
    help: 'show only what fits; nothing: everything',
    alone: true,
    options: (model, typed) => {
      const names = [...model.saved.keys()].map((name) => `@${name}`);
      const { from, options } = complete(typed, typed.length, (field) => knownValues(model, field));
      return [
        ...[...names, 'save ', 'on', 'off'].filter((each) => each.startsWith(typed)),
        ...options.slice(0, 50).map((option) => typed.slice(0, from) + option),
      ];
    },
    run: filter,
  },
];
