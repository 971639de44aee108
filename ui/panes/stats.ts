/** Pane 6: rates and latencies over time, totals by command, and what the mesh refuses. All from the core's exact counters. */
import { type CommandTally, quantileUs } from 'rmtop';
import { chartLines } from '../charts/charts.js';
import type { Model } from '../model.js';
import type { LinesPane, Room } from '../panes.js';
import { count, milliseconds, percent, short } from '../text/figures.js';
import { fit, fitRight, joined, wrap } from '../text/fit.js';
import { printableText } from '../text/printable.js';

const TABS = ['60 s', '10 min', '1 h'] as const;
const WINDOW_S = [60, 600, 3600] as const;

function head(model: Model, { width, height }: Room): readonly string[] {
  const { look, feed } = model;
  const { theme } = look;
  const totals = feed.meter.latest;
  const tabs = TABS.map((tab, i) =>
    i === model.tabOf('stats') ? theme.reverse(` ${tab} `) : ` ${tab} `,
  ).join('');
  if (totals === null) return [` ${tabs}`, ' Nothing yet.'];
  const reads = percent(totals.reads, totals.reads + totals.writes);
  const facts = [
    `${count(totals.all.calls)} commands`,
    `reads ${reads}`,
    `errors ${percent(totals.all.errors, totals.all.calls)}`,
    `refused ${short(totals.refused)}`,
    `redirects ${short(totals.redirects)}`,
    `no reply ${short(totals.failed)}`,
  ];
  const seconds = WINDOW_S[model.tabOf('stats')] ?? 60;
  return [
    ` ${tabs} ${theme.paint('dim', joined(facts, width - 24))}`,
    ...chartLines(model, seconds, width, chartHeight(height)),
  ];
}

/** A small pane is for figures, a large one shows their course too. */
function chartHeight(height: number): number {
  return height < 10 ? 0 : Math.min(18, Math.max(4, Math.floor(height * 0.45)));
}

const COLUMNS = [
  ['CALLS', 8],
  ['SHARE', 5],
  ['ERR', 6],
  ['p50 ms', 6],
  ['p99 ms', 6],
  ['MAX ms', 7],
  ['NIL', 5],
  ['p90 ms', 6],
  ['p99.9', 6],
  ['IN', 6],
  ['OUT', 6],
] as const;

function row(name: string, cells: readonly string[], width: number): string {
  let line = '';
  let left = width - 1 - Math.min(16, Math.max(10, Math.floor(width / 5.3)));
  const nameWidth = width - 1 - left;
  for (const [i, [, own]] of COLUMNS.entries()) {
    if (left < own + 1) break;
    line += ` ${fitRight(cells[i] ?? '', own)}`;
    left -= own + 1;
  }
  return ` ${fit(name, nameWidth)}${line}`;
}

function cellsOf(tally: CommandTally, all: number): readonly string[] {
  // The end of a histogram's last place may lie behind the longest there was.
  const at = (quantile: number): string =>
    milliseconds(Math.min(tally.maxUs, quantileUs(tally.latency, quantile) ?? 0), 6);
  return [
    tally.calls < 1e7 ? count(tally.calls) : short(tally.calls),
    percent(tally.calls, all),
    short(tally.errors),
    at(0.5),
    at(0.99),
    milliseconds(tally.maxUs, 6),
    short(tally.nils),
    at(0.9),
    at(0.999),
    short(tally.bytesIn),
    short(tally.bytesOut),
  ];
}

function lines(model: Model, { width }: Room): readonly string[] {
  const { look, feed } = model;
  const totals = feed.meter.latest;
  if (totals === null) return [];
  const commands = Object.entries(totals.commands).sort(([, a], [, b]) => b.calls - a.calls);
  return [
    look.theme.paint(
      'dim',
      row(
        'COMMAND',
        COLUMNS.map(([name]) => name),
        width,
      ),
    ),
    ...commands.map(([name, tally]) => row(name, cellsOf(tally, totals.all.calls), width)),
    row('all', cellsOf(totals.all, totals.all.calls), width),
    ...refusalLines(model, width),
  ];
}

/** What the mesh refuses, from whom, and what helps. */
function refusalLines(model: Model, width: number): readonly string[] {
  const { look, feed } = model;
  const refusals = [...feed.tallies.refusals.values()].sort((a, b) => b.count - a.count);
  if (refusals.length === 0) return [];
  return [
    '',
    look.theme.bold(fit(' refused by the mesh', width)),
    ...refusals.flatMap((refusal) => {
      const who = [...refusal.clients].slice(0, 4).join(', ');
      const text = printableText(
        `${refusal.command}  ${count(refusal.count)}x  ${refusal.code}  from ${who}`,
        look,
      );
      const because =
        refusal.because === null
          ? []
          : wrap(printableText(refusal.because, look), Math.max(20, width - 4));
      return [
        fit(` ${text}`, width),
        ...because.map((line) => look.theme.paint('dim', fit(`   ${line}`, width))),
      ];
    }),
  ];
}

export const statsPane: LinesPane = {
  id: 'stats',
  title: 'Stats',
  head,
  lines,
  tabs: TABS,
  hints: ['previous-tab', 'next-row', 'close', 'help'],
};
