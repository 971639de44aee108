/** `K`: which keys do what. Enter asks for another key, Delete brings the usual ones back; both are kept in the user's settings. */
import { perform } from '../commands.js';
import { type Action, shownKey } from '../key-table.js';
import { bindingsOf } from '../keys.js';
import { fitting, type Menu, type MenuEntry } from '../menu.js';
import type { Model } from '../model.js';
import { fit } from '../text/fit.js';

const KEYS_WIDTH = 19;

function entryOf(model: Model, action: Action, keys: readonly string[], help: string): MenuEntry {
  const names = keys.length === 0 ? '(none)' : keys.map(shownKey).join(' ');
  return {
    section: model.keyChoices.has(action) ? 'yours' : '',
    left: action,
    right: `${fit(names, KEYS_WIDTH)} ${help}`,
    run: (on) => {
      on.dialog = { kind: 'bind', action };
    },
  };
}

export const bindingsMenu: Menu = {
  title: () => 'key bindings',
  hint: 'Enter: another key   Delete: the usual one',
  entries: (model, query) => {
    const all = bindingsOf(model).map(({ action, keys, help }) =>
      entryOf(model, action, keys, help),
    );
    // The action that is named comes before those that speak of it.
    const isNamed = ({ left }: MenuEntry): boolean => left === query.trim();
    return fitting(all, query).toSorted((a, b) => Number(isNamed(b)) - Number(isNamed(a)));
  },
  press: (model, dialog, key, entry) => {
    if (key !== 'delete' || entry === undefined) return false;
    dialog.note = perform(model, `key ${entry.left} default`) ?? '';
    return true;
  },
};
