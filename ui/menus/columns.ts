/** `c`: which columns the stream has. */
import { perform } from '../commands.js';
import { fitting, type Menu, type MenuEntry } from '../menu.js';
import type { Model } from '../model.js';
import { COLUMN_HELP, COLUMN_IDS, type ColumnId } from '../stream/columns.js';
import { columnsOf } from '../stream/draw.js';

const CHOICES = COLUMN_IDS.filter((id) => id !== 'state');

function shown(model: Model): readonly ColumnId[] {
  return columnsOf(model, model.size.columns).map(({ id }) => id);
}

function entries(model: Model): readonly MenuEntry[] {
  const now = shown(model);
  const own = CHOICES.map(
    (id): MenuEntry => ({
      section: now.includes(id) ? '[x]' : '[ ]',
      left: id,
      right: COLUMN_HELP[id],
      run: (on) => toggle(on, id),
    }),
  );
  const auto: MenuEntry = {
    section: model.columns === null ? '[x]' : '[ ]',
    left: 'auto',
    right: 'those that fit the width',
    run: (on) => void perform(on, 'columns auto'),
  };
  return [auto, ...own];
}

/** In the usual order, whichever was chosen first. */
function toggle(model: Model, id: ColumnId): void {
  const now = shown(model);
  const wanted = CHOICES.filter((each) => (each === id ? !now.includes(id) : now.includes(each)));
  if (wanted.length > 0) perform(model, `columns ${wanted.join(',')}`);
}

export const columnsMenu: Menu = {
  title: () => 'columns',
  hint: 'Enter or space: on and off',
  entries: (model, query) => fitting(entries(model), query),
  // Several are chosen one after the other, so the list stays.
  press: (model, _, key, entry) => {
    if (key !== ' ' && key !== 'enter') return false;
    entry?.run?.(model);
    return true;
  },
};
