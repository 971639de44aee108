/** `\`, `n` and `N`: finding without hiding, commands in the stream, text in the other panes. */
import { type Filter, parseFilter } from 'rmtop';
import type { Model } from '../model.js';
import { isLinesPane, paneOf } from '../panes.js';
import { count } from '../text/figures.js';
import { jumpTo } from './jumps.js';
import { ask } from './prompt.js';

/** How long one slice of a search may take, and how often it looks at the clock. */
const SLICE_MS = 8;
const BATCH = 64;

function nextText(model: Model): string {
  return `${model.keyOf('find-next')} next, ${model.keyOf('find-previous')} previous`;
}

/** Asks what to look for. */
export function askFind(model: Model): void {
  const pane = paneOf(model.pane);
  if (isLinesPane(pane))
    ask(
      model,
      `find in ${pane.title}`,
      model.sought.text,
      () => `text; ${nextText(model)}`,
      (text) => findText(model, text),
    );
  else
    ask(
      model,
      'find',
      model.sought.filter?.text ?? '',
      (text) => {
        const filter = parseFilter(text);
        return filter.kind === 'problem' ? filter.message : `a filter; ${nextText(model)}`;
      },
      (text) => findCommand(model, text),
    );
}

/** Looks for the next command that fits; gives what is wrong with the expression. */
export function findCommand(model: Model, text: string): string | null {
  const filter = parseFilter(text);
  if (filter.kind === 'problem') return `${filter.message} at ${filter.column}`;
  if (text.trim() === '') return 'what?';
  model.show('stream');
  model.sought.filter = filter;
  model.did(`find ${text}`);
  seek(model, filter, 1);
  return null;
}

/** Looks for text in the pane in focus. */
export function findText(model: Model, text: string): string | null {
  if (text === '') return 'what?';
  model.sought.text = text;
  return stepText(model, 1);
}

function stepText(model: Model, step: 1 | -1): string | null {
  const pane = paneOf(model.pane);
  if (!isLinesPane(pane)) return null;
  const found = model.scrolls[pane.id].find(model.sought.text, step);
  if (found === null) return `there is no ${model.sought.text} in ${pane.title}`;
  model.toasts.answer(
    `line ${count(found.line + 1)}, ${found.at} of ${found.of}   (${nextText(model)})`,
  );
  return null;
}

/** `n` and `N`: the next that fits, or the one before. */
export function findAgain(step: 1 | -1): (model: Model) => void {
  return (model) => {
    const isText = isLinesPane(paneOf(model.pane));
    const { filter, text } = model.sought;
    if (isText ? text === '' : filter === null)
      model.toasts.answer('nothing was looked for yet: :find does that');
    else if (isText) {
      const problem = stepText(model, step);
      if (problem !== null) model.toasts.answer(problem);
    } else if (filter !== null) seek(model, filter, step);
  };
}

/** From the focus on, and round the end; the search before this one ends. */
function seek(model: Model, filter: Filter, step: 1 | -1): void {
  const { source, focus } = model.viewport;
  const start = focus !== null && source.has(focus) ? source.indexOf(focus) : 0;
  const of = source.length;
  const search = ++model.searches;
  let looked = 0;
  const slice = (): void => {
    if (search !== model.searches) return;
    const deadline = performance.now() + SLICE_MS;
    // Rows may go meanwhile; where they are counted from, it is by what was there at the start.
    while (looked < of) {
      looked++;
      const index = (((start + step * looked) % of) + of) % of;
      if (index < source.length && source.isShown(index)) {
        const row = source.row(index);
        if (filter.matches(model.factsOf(row))) {
          found(model, row.seq, looked === of, step > 0 ? index <= start : index >= start);
          return;
        }
      }
      if (looked % BATCH === 0 && performance.now() > deadline) {
        setImmediate(slice);
        return;
      }
    }
    model.toasts.answer(`none of ${count(of)} rows fits ${filter.text}`);
    model.effects.changed();
  };
  slice();
}

function found(model: Model, seq: number, isOnly: boolean, isRound: boolean): void {
  jumpTo(model, seq);
  if (isOnly) model.toasts.answer(`#${seq} is the only one that fits`);
  else
    model.toasts.answer(`#${seq}${isRound ? ', from the other end' : ''}   (${nextText(model)})`);
  model.effects.changed();
}
