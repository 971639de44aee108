/** Asking for a line of text, with a word about what is typed while it is typed. */
import type { Model } from '../model.js';
import { editLine, insert } from '../text/line-edit.js';

/**
 * Asks for a line, beginning with `text`. `about` says what there is to say of it; `submit` takes it and gives what is wrong with it,
 * and then the question stays.
 */
export function ask(
  model: Model,
  label: string,
  text: string,
  about: (text: string) => string,
  submit: (text: string) => string | null,
): void {
  model.dialog = {
    kind: 'prompt',
    label,
    line: { text, cursor: text.length },
    note: about(text),
    about,
    submit,
  };
}

type Prompt = Extract<NonNullable<Model['dialog']>, { kind: 'prompt' }>;

/** A key while a line is typed. */
export function promptKey(model: Model, prompt: Prompt, key: string, typed: string): void {
  if (key === 'esc') {
    model.dialog = null;
    return;
  }
  if (key === 'enter') {
    model.dialog = null;
    const problem = prompt.submit(prompt.line.text);
    // What was submitted may have asked for something itself.
    if (problem !== null && model.dialog === null) model.dialog = { ...prompt, note: problem };
    return;
  }
  const line = editLine(prompt.line, key, typed);
  if (line !== null) setLine(prompt, line);
}

export function promptPaste(prompt: Prompt, text: string): void {
  setLine(prompt, insert(prompt.line, text));
}

function setLine(prompt: Prompt, line: Prompt['line']): void {
  const isNew = line.text !== prompt.line.text;
  prompt.line = line;
  if (isNew) prompt.note = prompt.about(line.text);
}
