/** Pane 3: the servers, their slots and what they are given to do. */
import { aliasOf, coveredSlots, difference, quantileUs, rangesOf, SLOTS, type Tally } from 'rmtop';
import type { Model } from '../model.js';
import type { LinesPane } from '../panes.js';
import { count, latency, percent } from '../text/figures.js';
import { fit, fitRight } from '../text/fit.js';
import { printableText } from '../text/printable.js';

const HEAD =
  ' NODE   ADDRESS (reached via)           SLOTS                 OPS/S  SHARE    p99   ERR';

function head(model: Model, width: number): readonly string[] {
  const { look, feed } = model;
  const { topology } = feed.context.latest;
  const states = Object.entries(feed.topologyEvent?.upstreams ?? {});
  const texts = states.map(([name, state]) => {
    const placement = topology?.upstreams[name];
    const covered = placement === undefined ? 0 : coveredSlots(placement);
    const source = state.source === '' ? 'not found yet' : state.source;
    return `${name}: ${source}${state.kind === 'slots' ? `, ${count(covered)}/${count(SLOTS)} slots covered` : ''}`;
  });
  return [
    fit(` ${printableText(texts.join('   '), look)}`, width),
    look.theme.paint('dim', fit(HEAD, width)),
  ];
}

function lines(model: Model, width: number): readonly string[] {
  const { look, feed } = model;
  const { topology } = feed.context.latest;
  if (topology === undefined) return [];
  const { now, oldest } = feed.meter.window;
  const seconds = Math.max(1e-6, ((now?.atUs ?? 0) - (oldest?.atUs ?? 0)) / 1e6);
  const calls = (address: string): number =>
    (now?.nodes[address]?.calls ?? 0) - (oldest?.nodes[address]?.calls ?? 0);
  return Object.entries(feed.topologyEvent?.upstreams ?? {}).flatMap(([name, state]) => {
    const placement = topology.upstreams[name];
    const ranges = placement === undefined ? [] : rangesOf(placement);
    const all = state.servers.reduce((sum, server) => sum + calls(server.address), 0);
    return state.servers.map((server) => {
      const { address, dialled, reachable, healthy } = server;
      const own = ranges.filter((range) => range.primary === address);
      const slots =
        own.length > 0
          ? own.map((range) => `${range.start}-${range.end}`).join(',')
          : state.kind === 'slots'
            ? 'replica'
            : 'all';
      const via = dialled === address ? '' : `>${dialled}`;
      const cells = [
        ` ${fit(printableText(aliasOf(topology, name, address), look), 6)}`,
        fit(printableText(`${address}${via}${reachable === false ? ' ?' : ''}`, look), 31),
        fit(slots, 18),
      ];
      if (reachable === false || !healthy) {
        const why = reachable === false ? `not reachable: ${server.error ?? ''}` : 'unhealthy';
        return look.theme.paint(
          'error',
          fit(`${cells.join(' ')} ${printableText(why, look)}`, width),
        );
      }
      return fit(
        [
          ...cells,
          ...figures(calls(address), seconds, all, now?.nodes[address], oldest?.nodes[address]),
        ].join(' '),
        width,
      );
    });
  });
}

function figures(
  calls: number,
  seconds: number,
  all: number,
  now: Tally | undefined,
  oldest: Tally | undefined,
): readonly string[] {
  const window =
    now === undefined
      ? null
      : oldest === undefined
        ? now.latency
        : difference(now.latency, oldest.latency);
  return [
    fitRight(count(Math.round(calls / seconds)), 9),
    fitRight(percent(calls, all), 6),
    fitRight(latency(window === null ? null : quantileUs(window, 0.99)), 6),
    fitRight(percent((now?.errors ?? 0) - (oldest?.errors ?? 0), calls), 5),
  ];
}

export const slotsPane: LinesPane = {
  id: 'slots',
  key: '3',
  title: 'Slots',
  head,
  lines,
  hints: ['j', 'g', 'G', 'esc', '?'],
};
