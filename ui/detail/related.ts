/** The Related tab: the same key's other commands, and what the same connection sent around this one. */
import { Facts } from 'rmtop';
import type { Feed } from '../store/feed.js';
import type { Row } from '../store/rows.js';

const SAME_KEY = 20;
const NEIGHBOURS = 5;
/** Rows that are looked at, the nearest first. */
const MAX_LOOKED_AT = 20_000;

/** Rows of each kind, oldest first; the command itself is among its neighbours. */
export type Related = { readonly sameKey: readonly Row[]; readonly neighbours: readonly Row[] };

/** Looks through memory around `row`. */
export function relatedTo(row: Row, feed: Feed): Related {
  const { rows } = feed;
  const facts = new Facts(feed);
  const load = (each: Row): Facts =>
    facts.load(
      each.kind === 'pending' ? each.event : each.block.command(each.offset, feed.context),
    );
  load(row);
  const { connection } = facts;
  const keys = new Set(facts.keys);
  const sameKey: Row[] = [];
  const before: Row[] = [];
  const after: Row[] = [];
  const look = (index: number, near: Row[]): void => {
    const each = rows.row(index);
    load(each);
    if (facts.connection === connection && near.length < NEIGHBOURS) near.push(each);
    if (keys.size > 0 && sameKey.length < SAME_KEY && facts.keys.some((key) => keys.has(key)))
      sameKey.push(each);
  };
  const at = rows.indexOf(row.seq);
  const from = rows.has(row.seq) ? at + 1 : at;
  for (let i = 0; i < MAX_LOOKED_AT / 2; i++) {
    if (at - 1 - i >= 0) look(at - 1 - i, before);
    if (from + i < rows.length) look(from + i, after);
  }
  return {
    sameKey: sameKey.sort((a, b) => a.seq - b.seq),
    neighbours: [...before.reverse(), row, ...after],
  };
}
