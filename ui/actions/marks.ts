/** `m`, `M`, `U` and `;`: what the user has found worth keeping an eye on. */
import { parseFilter } from 'rmtop';
import type { Model } from '../model.js';
import { count, plural } from '../text/figures.js';
import { ask } from './prompt.js';

/** What to do with marks. */
function waysOn(model: Model): string {
  return `${model.keyOf('only-marked')} only marked, ${model.keyOf('unmark-all')} none`;
}

/** Marks the command in focus, or takes its mark away. */
export function toggleMark(model: Model): void {
  const { focus } = model.viewport;
  const { marks } = model.feed;
  if (focus === null) return;
  // What was marked should still be there in a moment.
  model.viewport.stay();
  if (marks.of(focus) === undefined) marks.add(focus);
  else marks.remove(focus);
  model.toasts.answer(
    `#${focus} ${marks.of(focus) === undefined ? 'has no mark any more' : 'marked'}   (${waysOn(model)}, ${model.keyOf('note')} note)`,
  );
}

/** Shows only what is marked, or everything again. */
export function toggleOnlyMarked(model: Model): void {
  if (model.feed.marks.size === 0 && !model.onlyMarked) {
    model.toasts.answer(`nothing is marked: ${model.keyOf('mark')} marks the command in focus`);
    return;
  }
  model.onlyMarked = !model.onlyMarked;
  model.sift();
}

/** Takes all marks, and the notes with them, away. */
export function clearMarks(model: Model): void {
  const { marks } = model.feed;
  const had = marks.size;
  marks.clear();
  model.onlyMarked = false;
  model.sift();
  model.toasts.answer(had === 0 ? 'nothing is marked' : `${plural(had, 'mark')} taken away`);
}

/** Asks for a note to the command in focus. */
export function askNote(model: Model): void {
  const { focus } = model.viewport;
  if (focus === null) return;
  model.viewport.stay();
  ask(
    model,
    `note to #${focus}`,
    model.feed.marks.of(focus)?.note ?? '',
    () => 'shown with its decision; note=... filters by it',
    (text) => {
      model.feed.marks.write(focus, text.trim());
      model.did(`note ${text.trim()}`);
      return null;
    },
  );
}

/** Marks everything between the outermost two marks; gives what is wrong. */
export function markBetween(model: Model): string | null {
  const { marks, rows } = model.feed;
  const all = marks.list;
  const [first] = all;
  const last = all.at(-1);
  if (first === undefined || last === undefined || all.length < 2) return 'mark two commands first';
  for (let i = rows.indexOf(first); i < rows.length && rows.seqAt(i) <= last; i++)
    if (rows.isShown(i)) marks.add(rows.seqAt(i));
  model.toasts.answer(`${count(marks.size)} marked`);
  return null;
}

/** Marks all in memory that fit; gives what is wrong with the expression. */
export function markFitting(model: Model, text: string): string | null {
  const filter = parseFilter(text);
  if (filter.kind === 'problem') return `${filter.message} at ${filter.column}`;
  const { marks, rows } = model.feed;
  const had = marks.size;
  for (let i = 0; i < rows.length; i++)
    if (filter.matches(model.factsOf(rows.row(i)))) marks.add(rows.seqAt(i));
  model.toasts.answer(`${count(marks.size - had)} marked   (${waysOn(model)})`);
  return null;
}
