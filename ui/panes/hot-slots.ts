/** The busiest slots by number: how often each is asked for, whose it is, and its busiest key. */
import { aliasOf } from 'rmtop';
import type { Model } from '../model.js';
import type { Busy } from '../store/top.js';
import { count, short } from '../text/figures.js';
import { fit, fitRight } from '../text/fit.js';
import { printableBytes, printableText } from '../text/printable.js';
import { migratingIn, ownerIn } from './heat.js';

const SHOWN = 200;

/** One slot with what was asked of it in the last minute. */
type HotSlot = { readonly slot: number; readonly count: Busy };

/** The busiest first. */
export function hotSlots(model: Model): readonly HotSlot[] {
  const { feed } = model;
  return feed.tallies.bySlot
    .busiest(SHOWN, feed.nowUs())
    .map((each) => ({ slot: Number(each.name), count: each }));
}

/** The heads of the columns. */
export function hotSlotHeads(width: number): string {
  return row(' ', ['SLOT', 'OPS/S', 'CALLS', 'WRITES', 'ERR', 'NODE', 'BUSIEST KEY'], width);
}

function row(
  mark: string,
  [
    slot = '',
    ops = '',
    calls = '',
    writes = '',
    errors = '',
    node = '',
    key = '',
  ]: readonly string[],
  width: number,
): string {
  const figures =
    width < 60
      ? fitRight(ops, 8)
      : [fitRight(ops, 8), fitRight(calls, 9), fitRight(writes, 7), fitRight(errors, 6)].join(' ');
  return fit(`${mark}${fitRight(slot, 5)} ${figures}  ${fit(node, 14)} ${key}`, width);
}

/** A line a slot. */
export function hotSlotLines(model: Model, width: number): readonly string[] {
  const { look, feed } = model;
  const slots = hotSlots(model);
  if (slots.length === 0) return [' Nothing yet.'];
  const alias = aliases(model);
  const migrating = new Map(migratingIn(model).map((each) => [each.slot, each]));
  const keys = busiestKeys(model, slots);
  const cursor = model.pane === 'slots' ? model.cursorOf('slots', slots.length) : -1;
  return slots.map(({ slot, count: each }, i) => {
    const { rate } = each;
    const { calls, writes, errors } = each.count;
    const moving = migrating.get(slot);
    const owner = ownerIn(feed.context, slot);
    const key = keys.get(each.row);
    const cells = [
      String(slot),
      rate < 10 ? rate.toFixed(1) : count(Math.round(rate)),
      calls < 1e8 ? count(calls) : short(calls),
      short(writes),
      short(errors),
      moving === undefined
        ? owner === null
          ? 'x'
          : alias(owner)
        : `${alias(moving.from)} > ${alias(moving.to)}`,
      key === undefined ? '-' : printableBytes(key, look, 200),
    ];
    const line = row(i === cursor ? '>' : ' ', cells, width);
    return i === cursor ? look.theme.reverse(line) : line;
  });
}

/** Gives a server's short name. */
export function aliases(model: Model): (address: string) => string {
  const names = new Map<string, string>();
  const { topology } = model.feed.context.latest;
  for (const name of Object.keys(topology?.upstreams ?? {}))
    for (const { address } of model.feed.topologyEvent?.upstreams[name]?.servers ?? [])
      if (topology !== undefined) names.set(address, aliasOf(topology, name, address));
  return (address) => printableText(names.get(address) ?? address, model.look);
}

/** Of each slot, by its row, the key that is asked for most among those that are counted. */
function busiestKeys(model: Model, slots: readonly HotSlot[]): ReadonlyMap<number, string> {
  const { feed } = model;
  const { keys } = feed.tallies;
  const nowUs = feed.nowUs();
  const best = new Map<number, { row: number; rate: number }>();
  const wanted = new Set(slots.map((each) => each.count.row));
  for (let row = 0; row < keys.size; row++) {
    const slot = keys.slotRow(row);
    if (!wanted.has(slot)) continue;
    const rate = keys.rate(row, nowUs);
    const known = best.get(slot);
    if (
      known === undefined ||
      rate > known.rate ||
      (rate === known.rate && keys.calls(row) > keys.calls(known.row))
    )
      best.set(slot, { row, rate });
  }
  return new Map([...best].map(([slot, { row }]) => [slot, keys.nameOf(row)]));
}
