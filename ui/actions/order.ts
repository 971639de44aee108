/** `o` and `v`: the rows in another order, which is a snapshot; `F` goes back to the order of arrival. */
import type { Model } from '../model.js';
import { COLUMN_IDS, type ColumnId } from '../stream/columns.js';
import { sortRows } from '../stream/order.js';

/** The names that `:order` takes; the column of the state has none that people know. */
export const ORDERS: readonly ColumnId[] = COLUMN_IDS;

/** Sorts by `column`; the rows are shown when they are sorted. */
export function orderBy(model: Model, column: ColumnId, reverse: boolean): void {
  model.stopSorting();
  model.show('stream');
  model.toasts.answer(`sorting ${model.feed.rows.length.toLocaleString('en-US')} rows ...`);
  const order = { column, reverse };
  model.stopSorting = sortRows(model.feed, order, (rows) => {
    model.stopSorting = () => {};
    model.viewport.use(rows);
    model.toasts.answer(
      `by ${column}${reverse ? ', highest first' : ''}: a snapshot   (${model.keyOf('order-reverse')} reverse, ${model.keyOf('follow')} follow again)`,
    );
    model.effects.changed();
  });
}

/** The order of arrival again, with the focus where it is. */
export function orderByArrival(model: Model): void {
  model.stopSorting();
  model.viewport.use(model.feed.rows);
}

/** `v`. */
export function reverseOrder(model: Model): void {
  const { ordered } = model.viewport;
  if (ordered === null) {
    model.toasts.answer(`rows are as they came: ${model.keyOf('order')} sorts them`);
    return;
  }
  model.viewport.use(ordered.reversed());
  const { column, reverse } = ordered.order;
  model.did(`order ${column}${reverse ? '' : ' reverse'}`);
}
