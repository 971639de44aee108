/** The Related tab: the same key's other commands, what the same connection sent around this one, and whether it sent it again. */
import { Facts } from 'rmtop';
import type { Feed } from '../store/feed.js';
import type { Row } from '../store/rows.js';

const SAME_KEY = 20;
const NEIGHBOURS = 5;
/** Rows that are looked at, the nearest first. */
const MAX_LOOKED_AT = 20_000;

/** A client that sends a request again this soon after it failed has tried again. */
const RETRY_US = 1e6;
const TRIES = 10;

/** Rows of each kind, oldest first; the command itself is among its neighbours. */
export type Related = {
  readonly sameKey: readonly Row[];
  readonly neighbours: readonly Row[];
  /** The same request, byte for byte, each within a second of the one before, which had failed; with this one; empty: it came once. */
  readonly tries: readonly Row[];
};

/** The same request of the same connection. */
type Try = {
  readonly row: Row;
  readonly atUs: number;
  readonly endUs: number;
  readonly failed: boolean;
};

function tryOf(row: Row, facts: Facts): Try {
  const { atUs, event } = facts;
  const failed = facts.isError || event?.outcome.kind !== 'reply' || event.outcome.cause !== null;
  return { row, atUs, endUs: atUs + (event?.durationUs ?? 0), failed };
}

/** Those of `before` and `after` (each the nearest first) that are tries of the same as `own`. */
function chain(own: Try, before: readonly Try[], after: readonly Try[]): readonly Row[] {
  const follows = (earlier: Try, later: Try): boolean =>
    earlier.failed && later.atUs - earlier.endUs < RETRY_US;
  const tries = [own];
  for (const each of before) {
    if (tries.length >= TRIES || !follows(each, tries[0] ?? own)) break;
    tries.unshift(each);
  }
  for (const each of after) {
    if (tries.length >= 2 * TRIES || !follows(tries.at(-1) ?? own, each)) break;
    tries.push(each);
  }
  return tries.length < 2 ? [] : tries.map((each) => each.row);
}

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
  const request = facts.event?.request.bytes ?? null;
  const own = tryOf(row, facts);
  const same: { readonly before: Try[]; readonly after: Try[] } = { before: [], after: [] };
  const keys = new Set(facts.keys);
  const sameKey: Row[] = [];
  const before: Row[] = [];
  const after: Row[] = [];
  const look = (index: number, near: Row[], again: Try[]): void => {
    const each = rows.row(index);
    load(each);
    if (facts.connection === connection && near.length < NEIGHBOURS) near.push(each);
    const bytes = facts.connection === connection ? facts.event?.request.bytes : undefined;
    if (request !== null && bytes?.equals(request)) again.push(tryOf(each, facts));
    if (keys.size > 0 && sameKey.length < SAME_KEY && facts.keys.some((key) => keys.has(key)))
      sameKey.push(each);
  };
  const at = rows.indexOf(row.seq);
  const from = rows.has(row.seq) ? at + 1 : at;
  for (let i = 0; i < MAX_LOOKED_AT / 2; i++) {
    if (at - 1 - i >= 0) look(at - 1 - i, before, same.before);
    if (from + i < rows.length) look(from + i, after, same.after);
  }
  return {
    sameKey: sameKey.sort((a, b) => a.seq - b.seq),
    neighbours: [...before.reverse(), row, ...after],
    tries: chain(own, same.before, same.after),
  };
}
