/** `z`, `Z` and `d`: taking rows off the list. Figures, marks and recordings keep what they have of them. */
import type { Model } from '../model.js';
import { plural } from '../text/figures.js';
import { removeRule } from './faults.js';
import { orderByArrival } from './order.js';

/** Which rows: all, or those that the filter hides. */
export type Cleared = 'all' | 'hidden';

/** How long the filter may be asked, so that what it hides is known. */
const SIFT_MS = 250;

/** How many would go; those that wait for their replies stay. */
function countOf(model: Model, which: Cleared): number {
  const { rows } = model.feed;
  model.sifter.run(SIFT_MS);
  return rows.clearable(which);
}

/** Asks before rows go. */
export function askClear(which: Cleared): (model: Model) => void {
  return (model) => {
    if (countOf(model, which) > 0) model.dialog = { kind: 'clear', which };
    else model.toasts.answer(which === 'all' ? 'the list is empty' : 'no row is hidden');
  };
}

/** The question, without its `y/N`. */
export function clearText(model: Model, which: Cleared): string {
  const rows = plural(countOf(model, which), which === 'all' ? 'row' : 'hidden row');
  return `Clear ${rows} from the list? Figures and recordings keep them.`;
}

/** The answer: anything but y is no. */
export function answerClear(model: Model, which: Cleared, key: string): void {
  model.dialog = null;
  if (key !== 'y' && key !== 'Y') return;
  model.did(which === 'all' ? 'clear' : 'clear hidden');
  clearRows(model, which);
}

/** Takes them away. */
export function clearRows(model: Model, which: Cleared): void {
  const { viewport } = model;
  countOf(model, which);
  if (viewport.ordered !== null) orderByArrival(model);
  const gone = model.feed.rows.clear(which);
  viewport.sifted();
  if (which === 'all') viewport.move({ kind: 'last' });
  model.toasts.answer(`${plural(gone, 'row')} cleared`);
}

/** `d`: the rule in focus in the Faults pane, the row in focus in the stream. */
export function removeFocused(model: Model): void {
  const { viewport, feed } = model;
  if (model.pane === 'faults') removeRule(model);
  if (model.pane !== 'stream' || viewport.focus === null) return;
  if (viewport.ordered !== null) orderByArrival(model);
  const seq = viewport.focus;
  if (!feed.rows.clearOne(seq)) {
    model.toasts.answer(`#${seq} waits for its reply, and stays`);
    return;
  }
  // What follows keeps the place that this one had.
  if (!viewport.follow && feed.rows.indexOf(seq) < feed.rows.length)
    viewport.focus = feed.rows.seqAt(feed.rows.indexOf(seq));
  viewport.sifted();
}
