/** The charts of the Stats pane: commands a second, and latencies on a log scale, over the same stretch of time. */
import type { Model } from '../model.js';
import type { Sample } from '../store/rates.js';
import { latency, short } from '../text/figures.js';
import { fit, fitRight, fitStyled } from '../text/fit.js';
import { curveLines, legendOf, plotWidth, pointsIn } from './curves.js';

const AXIS = 7;
/** Two charts one above the other are at least so high together, and beside each other at least so wide each. */
const FLAT = 8;
const WIDE = 46;

const SPANS: Readonly<Record<number, string>> = { 60: '60 s', 600: '10 min', 3600: '1 h' };

/** Rates and latencies over the last `seconds` in `height` lines, as many charts as there is room for; none where there is none. */
export function chartLines(
  model: Model,
  seconds: number,
  width: number,
  height: number,
): readonly string[] {
  if (height < 4 || width < 30) return [];
  // Flat charts say little: where there is room for two of them beside each other, or for one, that is what is drawn.
  if (height < FLAT && width >= 2 * WIDE) {
    const half = Math.floor(width / 2);
    const right = chart(model, seconds, width - half, height, 'latency');
    return chart(model, seconds, half, height, 'rate').map(
      (line, i) => fitStyled(line, half) + (right[i] ?? ''),
    );
  }
  if (height < FLAT) return chart(model, seconds, width, height, 'rate');
  const upper = Math.ceil(height / 2);
  return [
    ...chart(model, seconds, width, upper, 'rate'),
    ...chart(model, seconds, width, height - upper, 'latency'),
  ];
}

/** One chart, and under it when faults were on. */
function chart(
  model: Model,
  seconds: number,
  width: number,
  height: number,
  kind: 'rate' | 'latency',
): string[] {
  const { history } = model.feed.meter;
  const nowUs = model.feed.meter.latest?.atUs ?? 0;
  const room = width - AXIS - 1;
  const columns = inColumns(history, nowUs, seconds, pointsIn(model, room, seconds));
  const faults = faultLine(model, nowUs, seconds, room);
  const draw = kind === 'rate' ? rateChart : latencyChart;
  const lines = draw(model, columns, seconds, room, height - faults.length);
  return [...lines.slice(0, -1), ...faults, ...lines.slice(-1)];
}

/** A line under the charts that is there while faults were on, with the names of the last ones. */
function faultLine(model: Model, nowUs: number, seconds: number, room: number): string[] {
  const { look, feed } = model;
  const cells = plotWidth(room);
  const fromUs = nowUs - seconds * 1e6;
  const all = feed.faultTimes.between(fromUs, nowUs);
  if (all.length === 0) return [];
  const cellUs = (seconds * 1e6) / cells;
  let line = '';
  for (let x = 0; x < cells; x++) {
    const on = feed.faultTimes.between(fromUs + x * cellUs, fromUs + (x + 1) * cellUs);
    line += on.length === 0 ? ' ' : look.unicode ? '━' : '=';
  }
  const names = [...new Set(all)].slice(-2).join(' ');
  return [`${axis('faults')}${look.theme.paint('fault', fit(`${line} ${names}`, room))}`];
}

/** What one column of a chart stands for. */
type Column = {
  readonly reads: number;
  readonly writes: number;
  readonly calls: number;
  readonly seconds: number;
  readonly p99Us: number;
  readonly p50Us: number;
  /** The sum of what was asked for. */
  readonly figure: number;
};

/** The samples of the last `seconds`, sorted into `columns` of equal length; rates of a column are over its samples. */
export function inColumns(
  history: readonly Sample[],
  nowUs: number,
  seconds: number,
  columns: number,
  figureOf: (sample: Sample) => number = () => 0,
): readonly Column[] {
  const made = Array.from({ length: columns }, () => ({
    reads: 0,
    writes: 0,
    calls: 0,
    seconds: 0,
    p99Us: 0,
    p50Us: 0,
    figure: 0,
  }));
  const columnUs = (seconds * 1e6) / columns;
  for (let i = history.length - 1; i >= 0; i--) {
    const sample = history[i] as Sample;
    const ageUs = nowUs - sample.atUs;
    if (ageUs > seconds * 1e6) break;
    // A sample covers the stretch before it, which may be several columns.
    const last = columns - 1 - Math.floor(ageUs / columnUs);
    const first = Math.max(
      0,
      columns - 1 - Math.floor((ageUs + sample.seconds * 1e6 - 1) / columnUs),
    );
    for (let at = first; at <= last; at++) {
      const column = made[at];
      if (column === undefined) continue;
      column.reads += sample.reads;
      column.writes += sample.writes;
      column.calls += sample.calls;
      column.seconds += sample.seconds;
      column.figure += figureOf(sample);
      column.p99Us = Math.max(column.p99Us, sample.p99Us ?? 0);
      column.p50Us = Math.max(column.p50Us, sample.p50Us ?? 0);
    }
  }
  return made;
}

function rateChart(
  model: Model,
  columns: readonly Column[],
  seconds: number,
  room: number,
  height: number,
): string[] {
  const rate = (calls: number, column: Column): number =>
    column.seconds === 0 ? 0 : calls / column.seconds;
  const both = columns.map((column) => rate(column.reads + column.writes, column));
  const top = roundUp(Math.max(1, ...both));
  const share = (figure: (column: Column) => number): number[] =>
    columns.map((column) => rate(figure(column), column) / top);
  const curves = [
    { letter: 'R', name: 'reads', meaning: 'read', values: share((column) => column.reads) },
    { letter: 'W', name: 'writes', meaning: 'write', values: share((column) => column.writes) },
  ] as const;
  const lines = curveLines(model, curves, true, room, height - 1);
  const now = columns.at(-1);
  const latest = now === undefined ? '' : `, now ${short(rate(now.calls, now))}/s in all`;
  return [
    ...lines.map(
      (line, i) => `${axis(i === 0 ? short(top) : i === lines.length - 1 ? '0' : '')}${line}`,
    ),
    legendLine(model, `ops/s  ${legendOf(model, curves)}  ${SPANS[seconds] ?? ''}${latest}`, room),
  ];
}

/** Ten microseconds are at the bottom, and as many decades above as it takes. */
function latencyChart(
  model: Model,
  columns: readonly Column[],
  _seconds: number,
  room: number,
  height: number,
): string[] {
  const { p50Us, p99Us, maxUs } = model.feed.meter.rates;
  const most = Math.max(100, ...columns.map((column) => column.p99Us));
  const decades = Math.max(1, Math.ceil(Math.log10(most / 10)));
  const level = (us: number): number =>
    us <= 0 ? 0 : Math.max(0.02, Math.log10(us / 10) / decades);
  const curves = [
    {
      letter: '50',
      name: `p50 ${latency(p50Us)}`,
      meaning: 'good',
      values: columns.map((each) => level(each.p50Us)),
    },
    {
      letter: '99',
      name: `p99 ${latency(p99Us)}`,
      meaning: 'slow',
      values: columns.map((each) => level(each.p99Us)),
    },
  ] as const;
  const lines = curveLines(model, curves, false, room, height - 1);
  return [
    ...lines.map((line, i) => `${axis(decadeAt(i, lines.length, decades))}${line}`),
    legendLine(
      model,
      `${legendOf(model, curves)}  max ${latency(maxUs)}  in 10 s; log scale`,
      room,
    ),
  ];
}

/** The decade that begins in line `i` of `height`, if one does. */
function decadeAt(i: number, height: number, decades: number): string {
  for (let decade = decades; decade >= 0; decade--) {
    const y = Math.min(height - 1, Math.round((1 - decade / decades) * height));
    if (y === i) return latency(10 * 10 ** decade).replace(/\.0+(?=\D)|(?<=\.\d)0(?=\D)/, '');
  }
  return '';
}

function legendLine(model: Model, text: string, room: number): string {
  return model.look.theme.paint('dim', fit(`${' '.repeat(AXIS)} ${text}`, room + AXIS + 1));
}

function axis(text: string): string {
  return `${fitRight(text, AXIS)} `;
}

/** The next of 1, 2, 5, 10, 20 … */
export function roundUp(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value));
  for (const step of [1, 2, 5]) if (value <= step * power) return step * power;
  return 10 * power;
}
