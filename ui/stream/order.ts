/**
 * The kept rows in another order than that of arrival. It is a snapshot: rows that come later are not in it, and those that memory gives
 * up meanwhile stay in it. Sorting 50,000 rows takes longer than a frame may, so what they are sorted by is found out in slices.
 */
import { Facts } from 'rmtop';
import type { Feed } from '../store/feed.js';
import type { Row } from '../store/rows.js';
import type { ColumnId } from './columns.js';

/** What the rows are sorted by. */
export type Order = { readonly column: ColumnId; readonly reverse: boolean };

type Value = number | string | null;

/** How long one slice may take. */
const SLICE_MS = 8;
const BATCH = 64;

/** What a row has in `column`, as something to sort by; null sorts last either way. */
export function valueIn(facts: Facts, column: ColumnId): Value {
  switch (column) {
    case 'n':
    case 'time':
      return facts.seq;
    case 'state':
      return facts.isError ? 0 : facts.isSlow ? 1 : 2;
    case 'client':
      return facts.client?.name || facts.connection;
    case 'command':
      return facts.name;
    case 'key':
      return facts.keys[0] ?? null;
    case 'slot':
      return facts.slots[0] ?? null;
    case 'node':
      return facts.nodes[0]?.alias ?? null;
    case 'p':
      return facts.why;
    case 'm':
      return facts.mirrors[0]?.state ?? null;
    case 'f':
      return facts.fault?.id ?? null;
    case 'ms':
      return facts.durationUs;
    case 'size':
      return facts.event?.reply.total ?? null;
    case 'reply':
      return facts.replyType;
  }
}

/** Rows in an order of their own, for a viewport to be used on. */
export class OrderedRows {
  readonly order: Order;
  readonly evicted = 0;
  private readonly sorted: readonly Row[];
  private readonly places = new Map<number, number>();
  private readonly isVisible: (seq: number) => boolean;

  /** `isVisible`: whether the filter lets a row through. */
  constructor(order: Order, sorted: readonly Row[], isVisible: (seq: number) => boolean) {
    this.order = order;
    this.sorted = sorted;
    this.isVisible = isVisible;
    sorted.forEach((row, i) => {
      this.places.set(row.seq, i);
    });
  }

  get length(): number {
    return this.sorted.length;
  }

  row(index: number): Row {
    const row = this.sorted[index];
    if (row === undefined) throw new RangeError(`no row ${index}`);
    return row;
  }

  seqAt(index: number): number {
    return this.row(index).seq;
  }

  has(seq: number): boolean {
    return this.places.has(seq);
  }

  indexOf(seq: number): number {
    return this.places.get(seq) ?? 0;
  }

  isShown(index: number): boolean {
    return this.isVisible(this.seqAt(index));
  }

  /** The same rows the other way round. */
  reversed(): OrderedRows {
    const { column, reverse } = this.order;
    return new OrderedRows({ column, reverse: !reverse }, this.sorted.toReversed(), this.isVisible);
  }
}

/** Sorts what `feed` keeps now; `done` is called with it, unless the way to stop that this gives is used before. */
export function sortRows(feed: Feed, order: Order, done: (rows: OrderedRows) => void): () => void {
  const { rows, context } = feed;
  const facts = new Facts(feed);
  const all: { readonly row: Row; readonly value: Value }[] = [];
  const list = Array.from({ length: rows.length }, (_, i) => rows.row(i));
  let next: NodeJS.Immediate | null = null;
  const slice = (): void => {
    const deadline = performance.now() + SLICE_MS;
    for (let n = 1; all.length < list.length; n++) {
      const row = list[all.length] as Row;
      facts.load(row.kind === 'pending' ? row.event : row.block.command(row.offset, context));
      all.push({ row, value: valueIn(facts, order.column) });
      if (n % BATCH === 0 && performance.now() > deadline) {
        next = setImmediate(slice);
        return;
      }
    }
    const sign = order.reverse ? -1 : 1;
    all.sort((a, b) => sign * compare(a.value, b.value) || sign * (a.row.seq - b.row.seq));
    // What has no value comes last, whichever way round.
    const known = all.filter(({ value }) => value !== null);
    const unknown = all.filter(({ value }) => value === null);
    const sorted = [...known, ...unknown].map(({ row }) => row);
    done(new OrderedRows(order, sorted, isVisibleIn(feed)));
  };
  next = setImmediate(slice);
  return () => {
    if (next !== null) clearImmediate(next);
  };
}

function isVisibleIn({ rows }: Feed): (seq: number) => boolean {
  return (seq) => !rows.has(seq) || rows.isShown(rows.indexOf(seq));
}

function compare(a: Value, b: Value): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  if (typeof a === 'number') return -1;
  if (typeof b === 'number') return 1;
  if (a === null || b === null || a === b) return 0;
  return a < b ? -1 : 1;
}
