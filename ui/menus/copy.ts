/** `y` and `Y`: the forms that the command in focus can be copied in, and the begin of what each copies. */
import { COPY_FORMS, pickCopy } from '../actions/copy.js';
import type { Menu, MenuEntry } from '../menu.js';
import type { Model } from '../model.js';
import { printable } from '../text/printable.js';

const PREVIEW = 120;

function entries(model: Model, toFile: boolean): readonly MenuEntry[] {
  return COPY_FORMS.map(({ key, name, make }): MenuEntry => {
    const content = make(model);
    return {
      section: key,
      left: name,
      right: content === null ? '(none)' : printable(Buffer.from(content), model.look, PREVIEW),
      run: (on) => pickCopy(on, key, toFile),
    };
  });
}

/** The second key is the form's own: nothing is searched for here. */
export function copyMenu(toFile: boolean): Menu {
  return {
    title: () => (toFile ? 'write to a file' : 'copy'),
    hint: `its letter ${toFile ? 'writes' : 'copies'} it`,
    typed: false,
    entries: (model) => entries(model, toFile),
    press: (model, _, key) => {
      const isForm = COPY_FORMS.some((form) => form.key === key);
      if (isForm) pickCopy(model, key, toFile);
      // What types is no search.
      return isForm || key.length === 1;
    },
  };
}
