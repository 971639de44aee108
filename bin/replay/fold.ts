/** Recorded connections on fewer of them (recording page, 5: `--conns N`), so that each command still means what it meant. */
import { blocks, type LeftOut, type RecordedCommand } from 'rmtop';
import type { Row, Rows } from './rows.js';

/** How connections are folded. `own` are those that cannot be shared. */
export type Folding = {
  readonly count: number;
  readonly own: ReadonlySet<number>;
  /** Connections that speak RESP3. */
  readonly resp3: ReadonlySet<number>;
  readonly leftOut: LeftOut;
};

const STATEFUL =
  /^(?:WATCH|MONITOR|SYNC|PSYNC|SELECT|[PS]?(?:UN)?SUBSCRIBE|CLIENT (?:REPLY|TRACKING|CACHING|NO-TOUCH|NO-EVICT))$/;

/** Whether a command makes a connection that others cannot share: it would be in their way, or they in its. */
export function isOwn({ command }: RecordedCommand): boolean {
  return STATEFUL.test(command.name) || blocks(command);
}

/**
 * Puts `order`, rows in the order of their arrival, on `count` connections a version of the protocol, and gives the order they are sent
 * in: a transaction goes out whole when its EXEC had come, for nothing of it is done before.
 */
export function foldRows(
  rows: Rows,
  order: Int32Array,
  { count, own, resp3, leftOut }: Folding,
): { readonly order: Int32Array; readonly unfolded: number } {
  const kept = new Set([...own, ...unended(rows, order)]);
  const onto = new Map<number, number>();
  const resp2Links = new Links(count);
  const resp3Links = new Links(count);
  const out: Row[] = [];
  const open = new Map<number, Row[]>();
  for (const row of order) {
    const connection = rows.connection(row);
    if (kept.has(connection)) {
      out.push(row);
      continue;
    }
    const name = rows.event(row).command.name;
    if (name === 'QUIT' || name === 'RESET') {
      leftOut.folded++;
      continue;
    }
    const links = resp3.has(connection) ? resp3Links : resp2Links;
    const link = onto.get(connection) ?? links.take(connection);
    onto.set(connection, link);
    rows.fold(row, link);
    const queue = name === 'MULTI' ? [] : open.get(connection);
    if (queue === undefined) out.push(row);
    else if (name !== 'EXEC' && name !== 'DISCARD') {
      queue.push(row);
      open.set(connection, queue);
    } else {
      open.delete(connection);
      for (const each of queue) rows.moveTo(each, row);
      for (const each of queue) out.push(each);
      out.push(row);
    }
  }
  return { order: Int32Array.from(out), unfolded: kept.size };
}

/** Connections that others are put on, in turn. */
class Links {
  private readonly count: number;
  private readonly links: number[] = [];
  private taken = 0;

  constructor(count: number) {
    this.count = count;
  }

  /** The one for another connection: itself while there are not enough. */
  take(connection: number): number {
    if (this.links.length < this.count) this.links.push(connection);
    return this.links[this.taken++ % this.count] as number;
  }
}

/** Connections with a transaction that never ends, or ends where none was begun. */
function unended(rows: Rows, order: Int32Array): Set<number> {
  const open = new Set<number>();
  const odd = new Set<number>();
  for (const row of order) {
    const { name } = rows.event(row).command;
    const connection = rows.connection(row);
    if (name === 'MULTI' && open.has(connection)) odd.add(connection);
    else if (name === 'MULTI') open.add(connection);
    else if (name === 'EXEC' || name === 'DISCARD') {
      if (!open.delete(connection)) odd.add(connection);
    }
  }
  return new Set([...open, ...odd]);
}
