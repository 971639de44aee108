/**
 * Which rows are on the screen, and which has the focus.
 *
 * Everything is held by arrival number, never by position, so nothing moves under the eye when rows come or go. The rows on the screen
 * are held themselves, too: they stay readable, and where they are, when memory has long given their places to newer ones.
 */
import type { Row } from '../store/rows.js';
import { OrderedRows } from './order.js';

/** Where to go: so many rows, so many halves of a page, or to an end. */
export type Motion =
  | { readonly kind: 'rows'; readonly by: number }
  | { readonly kind: 'pages'; readonly by: number }
  | { readonly kind: 'first' }
  | { readonly kind: 'last' };

/** Rows by their places: those of memory, or those of an order of their own. */
export type RowSource = {
  readonly length: number;
  readonly evicted: number;
  row(index: number): Row;
  seqAt(index: number): number;
  has(seq: number): boolean;
  indexOf(seq: number): number;
  isShown(index: number): boolean;
};

export class Viewport {
  /** Whether the newest row is kept in view, and in focus. */
  follow = true;
  /** The rows on the screen, oldest first. */
  rows: readonly Row[] = [];
  /** The focused row's number. */
  focus: number | null = null;
  private store: RowSource;
  private height = 1;
  private pinned: Row | null = null;
  /** The line of the screen that the focus was on when other rows were chosen to be shown. */
  private line = 0;

  constructor(store: RowSource) {
    this.store = store;
  }

  /** What the rows are taken from. */
  get source(): RowSource {
    return this.store;
  }

  /** The rows where they have an order of their own; null where they are as they came. */
  get ordered(): OrderedRows | null {
    return this.store instanceof OrderedRows ? this.store : null;
  }

  /** Takes rows from `store` from now on. An order of their own begins at its top; the focus finds its place in that of arrival. */
  use(store: RowSource): void {
    this.store = store;
    this.follow = false;
    if (this.ordered !== null) this.move({ kind: 'first' });
    else if (this.focus !== null) {
      this.rows = [];
      this.goTo(this.focus);
    }
  }

  /** The row in focus; it is kept as long as it has the focus. */
  get focused(): Row | null {
    const row = this.rows.find((each) => each.seq === this.focus);
    return row ?? (this.pinned?.seq === this.focus ? this.pinned : null);
  }

  /** Finds the rows for a screen of `height` rows. */
  update(height: number): void {
    this.height = Math.max(1, height);
    this.rows = this.follow ? this.newest() : this.anchored();
    this.refocus();
    this.pinned = this.focused;
  }

  /** Other rows are shown than before: those on the screen are found again around the focus. */
  sifted(): void {
    this.line = Math.max(
      0,
      this.rows.findIndex((row) => row.seq === this.focus),
    );
    this.rows = [];
  }

  private refocus(): void {
    const { focus, store } = this;
    if (this.follow || focus === null) {
      this.focus = this.rows.at(-1)?.seq ?? null;
      return;
    }
    if (this.rows.some((row) => row.seq === focus)) return;
    if (store.has(focus) && this.isShownSeq(focus)) {
      // Late rows have come in above it and pushed it out: the screen goes after it.
      this.rows = this.collect(store.indexOf(focus) + 1, -1, this.height).reverse();
      return;
    }
    // The filter, or eviction, has taken the row away: the nearest that is left.
    const nearest = this.rows.find((row) => row.seq >= focus) ?? this.rows.at(-1);
    this.focus = nearest?.seq ?? null;
  }

  private isShownSeq(seq: number): boolean {
    return this.store.isShown(this.store.indexOf(seq));
  }

  private newest(): Row[] {
    return this.collect(this.store.length, -1, this.height).reverse();
  }

  private anchored(): Row[] {
    const { store } = this;
    const top = this.rows[0]?.seq ?? this.aboveFocus() ?? 0;
    const oldest = store.length === 0 ? Number.POSITIVE_INFINITY : store.seqAt(0);
    // Rows that memory has evicted stay on the screen until the user moves on.
    const kept = this.rows.filter((row) => row.seq < oldest && store.evicted > 0);
    const from = kept.length > 0 ? 0 : store.indexOf(top);
    const rows = [...kept, ...this.collect(from - 1, 1, this.height - kept.length)];
    if (rows.length >= this.height || kept.length > 0) return rows.slice(0, this.height);
    // Fewer rows than the screen is high: those above fill it.
    const first = rows[0];
    const above = this.collect(
      first === undefined ? store.length : store.indexOf(first.seq),
      -1,
      this.height - rows.length,
    );
    return [...above.reverse(), ...rows];
  }

  /** The first row of a screen that has the focus on the line it was on. */
  private aboveFocus(): number | null {
    const { focus, store, line } = this;
    if (focus === null) return null;
    return this.collect(store.indexOf(focus), -1, line).at(-1)?.seq ?? focus;
  }

  /** Up to `count` shown rows after `index` (exclusive), walking by `step`. */
  private collect(index: number, step: 1 | -1, count: number): Row[] {
    const { store } = this;
    const rows: Row[] = [];
    for (let i = index + step; rows.length < count && i >= 0 && i < store.length; i += step)
      if (store.isShown(i)) rows.push(store.row(i));
    return rows;
  }

  /** Moves the focus; upwards, it stops following. */
  move(motion: Motion): void {
    if (motion.kind === 'last') {
      // What is sorted ends somewhere, and nothing comes after it.
      this.follow = this.ordered === null;
      if (!this.follow) {
        this.rows = this.newest();
        this.focus = this.rows.at(-1)?.seq ?? null;
      }
      this.update(this.height);
      return;
    }
    if (motion.kind === 'first') {
      this.follow = false;
      this.rows = this.collect(-1, 1, this.height);
      this.focus = this.rows[0]?.seq ?? null;
      this.update(this.height);
      return;
    }
    const by =
      motion.kind === 'rows' ? motion.by : Math.round(motion.by * Math.max(1, this.height - 1));
    if (by > 0 && this.follow) return;
    this.follow = false;
    if (motion.kind === 'pages') this.page(by);
    else this.step(by);
    this.update(this.height);
  }

  /** Stops following, with the rows where they are. */
  stay(): void {
    this.follow = false;
  }

  /** Shows row `seq`, in the middle of the screen where it was not on it. */
  goTo(seq: number): void {
    this.follow = false;
    this.focus = seq;
    if (!this.rows.some((row) => row.seq === seq)) {
      const above = this.collect(this.store.indexOf(seq), -1, Math.floor(this.height / 2));
      const first = above.at(-1);
      const from = first === undefined ? this.store.indexOf(seq) : this.store.indexOf(first.seq);
      this.rows = this.collect(from - 1, 1, this.height);
    }
    this.update(this.height);
  }

  /** Scrolls by a page, the focus staying on its line; what is left of the way at either end, the focus goes alone. */
  private page(by: number): void {
    const edge = by < 0 ? this.rows[0] : this.rows.at(-1);
    if (edge === undefined) return;
    const line = this.rows.findIndex((row) => row.seq === this.focus);
    const more = this.beyond(edge.seq, by < 0 ? -1 : 1, Math.abs(by));
    this.rows =
      by < 0
        ? [...more.reverse(), ...this.rows].slice(0, this.height)
        : [...this.rows, ...more].slice(-this.height);
    const left = Math.sign(by) * (Math.abs(by) - more.length);
    const at = Math.max(0, Math.min(this.rows.length - 1, line + left));
    this.focus = this.rows[at]?.seq ?? null;
  }

  private beyond(seq: number, step: 1 | -1, count: number): Row[] {
    const { store } = this;
    const index = store.indexOf(seq);
    // `indexOf` gives the row itself where it is still there, and else the first after it.
    const from = step === 1 && !store.has(seq) ? index - 1 : index;
    return this.collect(from, step, count);
  }

  /** Moves the focus by rows, and the screen with it where it would leave it. */
  private step(by: number): void {
    const at = this.rows.findIndex((row) => row.seq === this.focus);
    if (at === -1) return;
    const wanted = at + by;
    if (wanted < 0) {
      const more = this.beyond(this.rows[0]?.seq ?? 0, -1, -wanted);
      this.rows = [...more.reverse(), ...this.rows].slice(0, this.height);
      this.focus = this.rows[0]?.seq ?? null;
    } else if (wanted >= this.rows.length) {
      const more = this.beyond(this.rows.at(-1)?.seq ?? 0, 1, wanted - this.rows.length + 1);
      this.rows = [...this.rows, ...more].slice(-this.height);
      this.focus = this.rows.at(-1)?.seq ?? null;
    } else this.focus = this.rows[wanted]?.seq ?? null;
  }
}
