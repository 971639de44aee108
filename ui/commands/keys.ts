/** Giving an action other keys, and keeping that. */
import type { Command } from '../commands.js';
import {
  type Action,
  actionNamed,
  conflictIn,
  KEY_ROWS,
  type KeyChoices,
  type KeyProblem,
  keyNamed,
  shownKey,
} from '../key-table.js';
import type { Kept, Model } from '../model.js';

/** Makes `choices` the keys in force, and keeps what is different about them; gives what came of the last. */
export function putKeys(model: Model, choices: KeyChoices): Kept | null {
  const before = model.keyChoices;
  model.keyChoices = choices;
  let kept: Kept | null = null;
  for (const action of new Set([...before.keys(), ...choices.keys()])) {
    const keys = choices.get(action)?.map(shownKey) ?? null;
    if (keys?.join(' ') === before.get(action)?.map(shownKey).join(' ')) continue;
    const value = keys?.length === 1 ? String(keys[0]) : keys;
    kept = model.effects.keep('user', ['keys', action], value);
  }
  return kept;
}

const told = ({ problem, next }: KeyProblem): string =>
  next === '' ? problem : `${problem}; try ${next}`;

/** `follow ctrl-t`, `follow default`, `follow none`; gives what is wrong with it. */
function rebind(model: Model, rest: string): string | null {
  const [name = '', ...words] = rest.split(/\s+/);
  const action = actionNamed(name);
  if (typeof action !== 'string') return told(action);
  const choices = new Map<Action, readonly string[]>(model.keyChoices);
  const isDefault = words.length === 1 && words[0] === 'default';
  if (words.length === 0) return `${action} KEY..., default or none`;
  if (isDefault) choices.delete(action);
  else {
    const keys: string[] = [];
    for (const word of words[0] === 'none' ? [] : words) {
      const key = keyNamed(word);
      if (typeof key !== 'string') return told(key);
      keys.push(key);
    }
    choices.set(action, keys);
  }
  const conflict = conflictIn(choices);
  // What has it may be the user's own choice, which the usual key of this one is in the way of.
  if (conflict !== null)
    return conflict.action === action
      ? conflict.problem
      : `${shownKey(conflict.key)} is the key of ${conflict.action} now: give that another first`;
  const kept = putKeys(model, choices);
  const keys = choices.get(action)?.map(shownKey) ?? null;
  const shown = keys ?? KEY_ROWS.find((row) => row.action === action)?.keys.map(shownKey) ?? [];
  model.toasts.answer(
    `${action}: ${shown.length === 0 ? 'no key' : shown.join(' ')}${whereText(kept)}`,
  );
  return null;
}

function whereText(kept: Kept | null): string {
  if (kept === null) return '   (as it was)';
  return kept.kind === 'kept' ? `   (kept in ${kept.file})` : `   (not kept: ${kept.message})`;
}

export const keyCommands: readonly Command[] = [
  {
    name: 'key',
    usage: 'ACTION KEY... | default | none',
    help: 'another key for an action',
    alone: false,
    options: (_, typed) => {
      const [action = '', key] = typed.split(' ');
      return key === undefined
        ? KEY_ROWS.map((row) => row.action)
        : [`${action} default`, `${action} none`];
    },
    run: rebind,
  },
];

/** The key that was pressed for an action; gives what is wrong with it. */
export function bindLine(action: Action, key: string): string {
  return `key ${action} ${shownKey(key)}`;
}
