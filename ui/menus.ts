/** The lists by their ids. They know the keys and the commands, which know nothing of them: so nothing goes in a circle. */
import { KEYS, shownKey } from './keys.js';
import { fitting, type Menu, type MenuEntry, type MenuId, openMenu } from './menu.js';
import { columnsMenu } from './menus/columns.js';
import { copyMenu } from './menus/copy.js';
import { didMenu } from './menus/did.js';
import { filterHelp } from './menus/filter-help.js';
import { optionsMenu } from './menus/options.js';
import { orderMenu } from './menus/order.js';
import { makePalette } from './menus/palette.js';

/** The help: the table of keys itself, so that no key can be missing and none be wrong. */
const KEY_ENTRIES: readonly MenuEntry[] = KEYS.map(({ section, keys, help, run }) => ({
  section,
  left: keys.map(shownKey).join(' '),
  right: help,
  run,
}));

function help(title: string, other: MenuId, entries: readonly MenuEntry[]): Menu {
  return {
    title: () => title,
    hint: 'Enter does it   ? keys, filter language',
    entries: (_, query) => fitting(entries, query),
    press: (model, dialog, key) => {
      if (key !== '?' || dialog.query.text !== '') return false;
      openMenu(model, other);
      return true;
    },
  };
}

export const MENUS: Readonly<Record<MenuId, Menu>> = {
  keys: help('Keys', 'filter-help', KEY_ENTRIES),
  'filter-help': help('The filter language', 'keys', filterHelp()),
  palette: makePalette(KEY_ENTRIES),
  order: orderMenu,
  columns: columnsMenu,
  options: optionsMenu,
  copy: copyMenu(false),
  write: copyMenu(true),
  did: didMenu,
};
