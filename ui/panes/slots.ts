/** Pane 3: the servers, their slots, what they are given to do, and which slots are busy. Figures are of the last ten seconds. */
import {
  aliasOf,
  coveredSlots,
  difference,
  quantileUs,
  rangesOf,
  type ServerState,
  SLOTS,
  type Tally,
} from 'rmtop';
import { sparkLines } from '../charts/sparks.js';
import type { Model } from '../model.js';
import type { LinesPane, Room } from '../panes.js';
import type { Sample } from '../store/rates.js';
import { count, latency, percent } from '../text/figures.js';
import { cut, fit, fitRight, wrap } from '../text/fit.js';
import { printableBytes, printableText } from '../text/printable.js';
import { quoted } from '../text/quoted.js';
import { heatLines, migratingIn } from './heat.js';
import { aliases, hotSlotHeads, hotSlotLines, hotSlots } from './hot-slots.js';

/** One server of one upstream, with what it was given to do. */
type Node = {
  readonly alias: string;
  readonly server: ServerState;
  readonly slots: string;
  readonly calls: number;
  readonly share: number;
  /** How many servers its upstream has. */
  readonly of: number;
  readonly seconds: number;
  readonly errors: number;
  readonly p99Us: number | null;
};

function nodesOf(model: Model): readonly Node[] {
  const { feed } = model;
  const { topology } = feed.context.latest;
  if (topology === undefined) return [];
  const { now, oldest } = feed.meter.window;
  const seconds = Math.max(1e-6, ((now?.atUs ?? 0) - (oldest?.atUs ?? 0)) / 1e6);
  const tally = (address: string): readonly [Tally | undefined, Tally | undefined] => [
    now?.nodes[address],
    oldest?.nodes[address],
  ];
  const calls = (address: string): number => {
    const [later, earlier] = tally(address);
    return (later?.calls ?? 0) - (earlier?.calls ?? 0);
  };
  return Object.entries(feed.topologyEvent?.upstreams ?? {}).flatMap(([name, state]) => {
    const placement = topology.upstreams[name];
    const ranges = placement === undefined ? [] : rangesOf(placement);
    const all = state.servers.reduce((sum, server) => sum + calls(server.address), 0);
    return state.servers.map((server): Node => {
      const own = ranges.filter((range) => range.primary === server.address);
      const [later, earlier] = tally(server.address);
      const window =
        later === undefined
          ? null
          : earlier === undefined
            ? later.latency
            : difference(later.latency, earlier.latency);
      return {
        alias: printableText(aliasOf(topology, name, server.address), model.look),
        server,
        slots:
          own.length > 0
            ? own.map((range) => `${range.start}-${range.end}`).join(',')
            : state.kind === 'slots'
              ? 'replica'
              : 'all',
        calls: calls(server.address),
        of: state.servers.length,
        share: all === 0 ? 0 : calls(server.address) / all,
        seconds,
        errors: (later?.errors ?? 0) - (earlier?.errors ?? 0),
        p99Us: window === null ? null : quantileUs(window, 0.99),
      };
    });
  });
}

const TABS = ['Nodes', 'Load', 'Hottest'] as const;

function head(model: Model, { width }: Room): readonly string[] {
  const { look, feed } = model;
  const tabs = TABS.map((tab, i) =>
    i === model.tabOf('slots') ? look.theme.reverse(` ${tab} `) : ` ${tab} `,
  ).join('');
  const { topology } = feed.context.latest;
  const states = Object.entries(feed.topologyEvent?.upstreams ?? {});
  const texts = states.map(([name, state]) => {
    const placement = topology?.upstreams[name];
    const covered = placement === undefined ? 0 : coveredSlots(placement);
    const coverage =
      state.kind === 'slots' ? `${count(covered)}/${count(SLOTS)} slots covered, ` : '';
    return `${name}: ${coverage}${state.source === '' ? 'not found yet' : state.source}`;
  });
  return [
    ` ${tabs} ${fit(printableText(texts.join('   '), look), Math.max(0, width - 25))}`,
    look.theme.paint(
      'dim',
      model.tabOf('slots') === 2
        ? hotSlotHeads(width)
        : model.tabOf('slots') === 1
          ? fit(' requests a second, all on one scale', width)
          : fit(
              row(' ', ['NODE', 'ADDRESS', 'SLOTS', 'OPS/S', 'SHARE', 'p99', 'ERR'], width),
              width,
            ),
    ),
  ];
}

function widthsIn(width: number): {
  readonly address: number;
  readonly slots: number;
  readonly share: number;
} {
  const address = width >= 95 ? 30 : width >= 70 ? 21 : 0;
  const slots = width >= 60 ? 13 : width >= 48 ? 11 : 0;
  return { address, slots, share: Math.max(5, Math.min(14, width - 30 - address - slots)) };
}

/** Columns by width: a narrow pane keeps the node, its load and its latency. */
function row(
  mark: string,
  [node = '', address = '', slots = '', ...figures]: readonly string[],
  width: number,
): string {
  const { address: addressWidth, slots: slotsWidth, share: shareWidth } = widthsIn(width);
  const [ops = '', share = '', p99 = '', errors = ''] = figures;
  return [
    mark + fit(node, Math.min(16, Math.max(5, node.length))),
    addressWidth === 0 ? '' : ` ${fit(address, addressWidth)}`,
    slotsWidth === 0 ? '' : ` ${fit(slots, slotsWidth)}`,
    ` ${fitRight(ops, 7)} ${fit(share, shareWidth)} ${fitRight(p99, 6)} ${fitRight(errors, 4)}`,
  ].join('');
}

/** Small rates to a tenth: a node that gets a read in a while is not idle. */
function rateText(rate: number): string {
  return rate > 0 && rate < 10 ? rate.toFixed(1) : count(Math.round(rate));
}

function nodeLine(model: Model, node: Node, isFocused: boolean, width: number): string {
  const { look } = model;
  const { server, share } = node;
  const via = server.dialled === server.address ? '' : `>${server.dialled}`;
  const address = printableText(
    `${server.address}${via}${server.reachable === false ? ' ?' : ''}`,
    look,
  );
  const mark = isFocused ? '>' : ' ';
  if (server.reachable === false || !server.healthy) {
    const why = server.reachable === false ? `not reachable: ${server.error ?? ''}` : 'unhealthy';
    const text = fit(`${mark}${fit(node.alias, 5)} ${address} ${printableText(why, look)}`, width);
    return isFocused ? look.theme.reverse(text) : look.theme.paint('error', text);
  }
  const bar = '#'.repeat(Math.round(share * 8));
  const cells = [
    node.alias,
    address,
    node.slots,
    rateText(node.calls / node.seconds),
    `${widthsIn(width).share >= 12 ? fit(bar, 8) : ''}${percent(node.calls, node.share === 0 ? 0 : node.calls / node.share)}`,
    latency(node.p99Us),
    percent(node.errors, node.calls),
  ];
  const text = fit(row(mark, cells, width), width);
  return isFocused ? look.theme.reverse(text) : text;
}

function lines(model: Model, { width }: Room): readonly string[] {
  const { look } = model;
  if (model.tabOf('slots') === 2) return hotSlotLines(model, width);
  const nodes = nodesOf(model);
  if (model.tabOf('slots') === 1) return loadLines(model, nodes, width);
  const cursor = model.pane === 'slots' ? model.cursorOf('slots', nodes.length) : -1;
  const rule = look.theme.paint('dim', look.rule.repeat(width));
  return [
    ...nodes.map((node, i) => nodeLine(model, node, i === cursor, width)),
    rule,
    ...heatLines(model, width),
    rule,
    ...sentences(model, nodes, width),
  ];
}

const LOADS_SHOWN = 24;

/** Requests a second of each node over the last minute. */
function loadLines(model: Model, nodes: readonly Node[], width: number): readonly string[] {
  const sparks = nodes.slice(0, LOADS_SHOWN).map(({ alias, server }) => ({
    label: alias,
    figureOf: (sample: Sample) => sample.nodes.get(server.address) ?? 0,
  }));
  return sparkLines(model, 'last 60 s', sparks, 'read', width);
}

/** What stands out, in words. */
function sentences(model: Model, nodes: readonly Node[], width: number): readonly string[] {
  const { feed, look } = model;
  const nowUs = feed.nowUs();
  const hottest = feed.tallies.bySlot.busiest(3, nowUs);
  const { keys } = feed.tallies;
  const rows = keys.hottest(200, nowUs);
  const texts = hottest.map(({ row: slot, name: number, rate }, i) => {
    const key = rows.find(({ row }) => keys.slotRow(row) === slot);
    const name = key === undefined ? '' : `  ${printableBytes(keys.nameOf(key.row), look, 60)}`;
    return `${i === 0 ? 'hottest slots' : ''.padEnd(13)}   ${number.padStart(5)}  ${rate.toFixed(1)}/s${name}`;
  });
  const busiest = nodes.filter(({ of }) => of > 1).sort((a, b) => b.share - a.share)[0];
  if (busiest !== undefined && busiest.share > 1.5 / busiest.of)
    texts.push(
      `imbalance       ${busiest.alias} has ${Math.round(busiest.share * 100)}% of the requests, one of ${busiest.of} nodes`,
    );
  texts.push(...redirectTexts(model));
  const bad = nodes.filter(({ server }) => server.reachable === false);
  if (bad.length > 0)
    texts.push(
      ...wrap(
        `next: ${bad.length} of ${nodes.length} nodes cannot be reached from here; --map FROM=TO gives each a way, e.g. --map ${bad[0]?.server.address ?? ''}=127.0.0.1:7001`,
        Math.max(20, width - 2),
      ),
    );
  return texts.map((text) => cut(` ${text}`, width));
}

/** Redirects by kind, the last one, and the slots on their way. */
function redirectTexts(model: Model): readonly string[] {
  const { feed, look } = model;
  const { redirects } = feed.tallies;
  const alias = aliases(model);
  const followed = feed.meter.latest?.redirects ?? 0;
  // What was lost on the way to the screen is counted, but not by kind.
  const kinds =
    feed.lost > 0 ? '' : `: MOVED ${count(redirects.moved)}, ASK ${count(redirects.asked)}`;
  const all = feed.lost > 0 ? followed : redirects.moved + redirects.asked;
  const { last } = redirects;
  const key = last?.key == null ? '' : ` (${printableBytes(last.key, look, 40)})`;
  return [
    ...(all > 0 ? [`redirects       ${count(all)} followed since the start${kinds}`] : []),
    ...(last === null
      ? []
      : [
          `last redirect   ${last.kind}  ${last.slot ?? ''}  ${alias(last.from)} > ${alias(last.to)}${key}`,
        ]),
    ...migratingTexts(model, alias),
  ];
}

const MIGRATING_SHOWN = 3;

function migratingTexts(model: Model, alias: (address: string) => string): readonly string[] {
  const slots = migratingIn(model);
  const more = slots.length - MIGRATING_SHOWN;
  const shown = slots
    .slice(0, MIGRATING_SHOWN)
    .map(({ slot, from, to }) => `${slot} ${alias(from)} > ${alias(to)}`);
  if (shown.length === 0) return [];
  return [`migrating (>)   ${shown.join('   ')}${more > 0 ? `   +${count(more)}` : ''}  by ASK`];
}

export const slotsPane: LinesPane = {
  id: 'slots',
  title: 'Slots',
  head,
  lines,
  tabs: TABS,
  count: (model) =>
    model.tabOf('slots') === 2
      ? hotSlots(model).length
      : model.tabOf('slots') === 1
        ? 0
        : nodesOf(model).length,
  condition: (model) => {
    if (model.tabOf('slots') === 2) {
      const slots = hotSlots(model);
      const hot = slots[model.cursorOf('slots', slots.length)];
      return hot === undefined ? null : `slot=${hot.slot}`;
    }
    const nodes = nodesOf(model);
    const node = nodes[model.cursorOf('slots', nodes.length)];
    return node === undefined ? null : `node=${quoted(node.alias)}`;
  },
  hints: ['open', 'next-row', 'previous-tab', 'only-this', 'hide-this', 'close', 'help'],
};
