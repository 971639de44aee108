/** Asks the filter about the rows in memory, newest first and only for as long as it may take: the rest is asked about next time. */
import type { Block, Facts, Filter, StreamContext } from 'rmtop';
import { HIDDEN, type RowStore, SHOWN, UNCHECKED } from './rows.js';

/** How many rows are asked about between two looks at the clock. */
const BATCH = 64;

export class Sifter {
  private readonly rows: RowStore;
  private readonly facts: Facts;
  private readonly context: StreamContext;
  private filter: Filter | null = null;

  constructor(rows: RowStore, facts: Facts, context: StreamContext) {
    this.rows = rows;
    this.facts = facts;
    this.context = context;
  }

  /** Whether rows are hidden at all. */
  get isOn(): boolean {
    return this.filter !== null;
  }

  /** From now on this filter says what is shown; null: everything is. */
  use(filter: Filter | null): void {
    const wanted = filter === null || filter.text.trim() === '' ? null : filter;
    if (wanted === this.filter) return;
    this.filter = wanted;
    this.rows.resetMarks(wanted === null ? SHOWN : UNCHECKED);
  }

  /** Asks about rows until all are known or `budgetMs` is over; true when all are known. */
  run(budgetMs: number): boolean {
    const { rows, filter } = this;
    if (rows.unchecked === 0) return true;
    if (filter === null) {
      // Nothing to ask: what came in since is shown.
      for (let i = rows.length; rows.unchecked > 0; ) {
        i = rows.lastUnchecked(i);
        if (i < 0) break;
        rows.setMark(i, SHOWN);
      }
      return true;
    }
    const deadline = performance.now() + budgetMs;
    let index = rows.length;
    for (let n = 1; ; n++) {
      index = rows.lastUnchecked(index);
      if (index < 0) return true;
      rows.setMark(index, this.fits(index, filter) ? SHOWN : HIDDEN);
      if (rows.unchecked === 0) return true;
      if (n % BATCH === 0 && performance.now() > deadline) return false;
    }
  }

  private fits(index: number, filter: Filter): boolean {
    const row = this.rows.row(index);
    return filter.matches(this.facts.load(row.kind === 'pending' ? row.event : this.open(row)));
  }

  private open(row: {
    readonly block: Block;
    readonly offset: number;
  }): ReturnType<Block['command']> {
    return row.block.command(row.offset, this.context);
  }
}
