/** `@`: what was done, as the lines that do it again; Enter copies one, for a script or a colleague. */
import { fitting, type Menu, type MenuEntry } from '../menu.js';
import type { Model } from '../model.js';

function entries(model: Model): readonly MenuEntry[] {
  const { clock } = model.feed;
  return model.diary.list
    .map(
      ({ atUs, line }): MenuEntry => ({
        section: clock.text(atUs).slice(0, 8),
        left: `:${line}`,
        right: '',
        run: (on) => on.effects.copy(line, line),
      }),
    )
    .reverse();
}

export const didMenu: Menu = {
  title: () => 'done so far',
  hint: 'Enter copies the line',
  entries: (model, query) => fitting(entries(model), query),
};
