/** The strip of all 16384 slots: how busy each stretch of them was in the last minute, and whose it is. */
import { rangesOf, SLOTS, type StreamContext } from 'rmtop';
import { heat } from '../charts/plot.js';
import type { Model } from '../model.js';
import type { Redirect } from '../store/redirects.js';
import { fit } from '../text/fit.js';

/** The strip for a pane of `width` cells; without a Redis Cluster there are no slots to show. */
export function heatLines(model: Model, width: number): readonly string[] {
  const { look, feed } = model;
  const { topology } = feed.context.latest;
  const slotted = Object.values(topology?.upstreams ?? {}).find((each) => each.kind === 'slots');
  if (slotted === undefined)
    return [look.theme.paint('dim', fit(' one server or hashed hosts: no slots', width))];
  // A whole number of slots to each cell, so that a cell is the same at every width.
  let cells = 16;
  while (cells * 2 <= Math.max(16, width - 10) && cells < 128) cells *= 2;
  const each = SLOTS / cells;
  const rates = ratesOf(model, cells);
  const most = Math.max(...rates);
  const level = (rate: number): number =>
    rate <= 0 || most <= 0 ? 0 : Math.log1p(rate) / Math.log1p(most);
  const owners = new Array<string>(cells).fill('x');
  const ranges = rangesOf(slotted);
  const shards = [...new Set(ranges.map((range) => range.primary))];
  for (const range of ranges)
    for (let slot = range.start; slot <= range.end; slot += 1)
      if (slot % each === 0) owners[slot / each] = String(shards.indexOf(range.primary) % 10);
  for (const { slot } of migratingIn(model)) owners[Math.floor((slot ?? 0) / each)] = '>';
  const map = rates.map((rate) => heat(level(rate))).join('');
  const peak =
    most <= 0
      ? ''
      : `, busiest ${most.toFixed(1)}/s at ${rates.indexOf(most) * each}-${(rates.indexOf(most) + 1) * each - 1}`;
  return [
    look.theme.paint(
      'dim',
      fit(` slot heat, ${each} slots a cell, log scale  .:-=+*#@${peak}`, width),
    ),
    ` heat  |${look.theme.paint('write', map)}|`,
    ` owner |${owners.join('')}|`,
  ];
}

/** The slots that are on their way to another server. */
export function migratingIn(model: Model): readonly Redirect[] {
  const { tallies, context } = model.feed;
  return tallies.redirects.migrating(model.feed.nowUs(), (slot) => ownerIn(context, slot));
}

/** The announced address of the primary of `slot`, in the first upstream that has slots; null: nobody's. */
export function ownerIn({ latest }: StreamContext, slot: number): string | null {
  const slotted = Object.values(latest.topology?.upstreams ?? {}).find(
    (each) => each.kind === 'slots',
  );
  if (slotted?.kind !== 'slots') return null;
  return slotted.shards[slotted.owner[slot] ?? -1]?.primary.address ?? null;
}

/** Calls a second of the slots of each cell. */
function ratesOf(model: Model, cells: number): number[] {
  const rates = new Array<number>(cells).fill(0);
  const nowUs = model.feed.nowUs();
  const { bySlot } = model.feed.tallies;
  for (let row = 0; row < bySlot.size; row++) {
    const at = Math.floor((bySlot.numberOf(row) * cells) / SLOTS);
    rates[at] = (rates[at] ?? 0) + bySlot.rate(row, nowUs);
  }
  return rates;
}
