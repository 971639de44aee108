/** The lists by their ids. They know the keys and the commands, which know nothing of them: so nothing goes in a circle. */
import { shownKey } from './key-table.js';
import { bindingsOf } from './keys.js';
import { fitting, type Menu, type MenuEntry, type MenuId, openMenu } from './menu.js';
import { bindingsMenu } from './menus/bindings.js';
import { columnsMenu } from './menus/columns.js';
import { copyMenu } from './menus/copy.js';
import { didMenu } from './menus/did.js';
import { filterHelp } from './menus/filter-help.js';
import { optionsMenu } from './menus/options.js';
import { orderMenu } from './menus/order.js';
import { makePalette } from './menus/palette.js';
import type { Model } from './model.js';

/** The help: the table of keys itself, so that no key can be missing and none be wrong. */
function keyEntries(model: Model): readonly MenuEntry[] {
  return bindingsOf(model).map(({ section, keys, help, run }) => ({
    section,
    left: keys.map(shownKey).join(' '),
    right: help,
    run,
  }));
}

function help(title: string, other: MenuId, entries: (model: Model) => readonly MenuEntry[]): Menu {
  return {
    title: () => title,
    hint: 'Enter does it   ? keys, filter language',
    // Whoever types / first wants to search, which is what typing does here anyway.
    entries: (model, query) => fitting(entries(model), query.replace(/^\/(?=.)/, '')),
    press: (model, dialog, key) => {
      if (key !== '?' || dialog.query.text !== '') return false;
      openMenu(model, other);
      return true;
    },
  };
}

const FILTER_HELP = filterHelp();

export const MENUS: Readonly<Record<MenuId, Menu>> = {
  keys: help('Keys', 'filter-help', keyEntries),
  'filter-help': help('The filter language', 'keys', () => FILTER_HELP),
  palette: makePalette(keyEntries),
  order: orderMenu,
  columns: columnsMenu,
  bindings: bindingsMenu,
  options: optionsMenu,
  copy: copyMenu(false),
  write: copyMenu(true),
  did: didMenu,
};
