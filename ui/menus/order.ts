/** `o`: what the rows are to be sorted by. */
import { perform } from '../commands.js';
import { fitting, type Menu, type MenuEntry } from '../menu.js';
import type { Model } from '../model.js';
import { COLUMN_HELP, COLUMN_IDS, type ColumnId } from '../stream/columns.js';

/** Figures are looked at from their top, names from their begin. */
const FROM_TOP: ReadonlySet<ColumnId> = new Set(['ms', 'size', 'n', 'time']);

function entries(model: Model): readonly MenuEntry[] {
  const { ordered } = model.viewport;
  const entry = (left: string, right: string, line: string): MenuEntry => ({
    section: ordered?.order.column === left ? 'now' : '',
    left,
    right,
    run: (on) => void perform(on, line),
  });
  return [
    entry('arrival', `as they came; ${model.keyOf('follow')} follows the newest`, 'order arrival'),
    ...COLUMN_IDS.map((id) =>
      entry(id, COLUMN_HELP[id], `order ${id}${FROM_TOP.has(id) ? ' reverse' : ''}`),
    ),
  ];
}

export const orderMenu: Menu = {
  title: () => 'order by',
  hint: 'Enter sorts',
  entries: (model, query) => fitting(entries(model), query),
};
