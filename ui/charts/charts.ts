/** The charts of the Stats pane: commands a second, and latencies on a log scale, over the same stretch of time. */
import type { Model } from '../model.js';
import type { Sample } from '../store/rates.js';
import { latency, short } from '../text/figures.js';
import { fit, fitRight } from '../text/fit.js';
import { bars, valuesIn } from './plot.js';

const AXIS = 7;

/** Both charts, one above the other, in `height` lines; none where there is no room. */
export function chartLines(
  model: Model,
  seconds: number,
  width: number,
  height: number,
): readonly string[] {
  if (height < 4 || width < 30) return [];
  const upper = Math.ceil(height / 2);
  const { history } = model.feed.meter;
  const nowUs = model.feed.meter.latest?.atUs ?? 0;
  const columns = valuesIn(width - AXIS - 2, model.look.symbols);
  const samples = inColumns(history, nowUs, seconds, columns);
  return [
    ...rateChart(model, samples, seconds, width, upper),
    ...latencyChart(model, samples, width, height - upper),
  ];
}

/** What one column of a chart stands for. */
type Column = {
  readonly calls: number;
  readonly seconds: number;
  readonly p99Us: number;
  readonly p50Us: number;
};

/** The samples of the last `seconds`, sorted into `columns` of equal length; rates of a column are over its samples. */
export function inColumns(
  history: readonly Sample[],
  nowUs: number,
  seconds: number,
  columns: number,
): readonly Column[] {
  const made = Array.from({ length: columns }, () => ({
    calls: 0,
    seconds: 0,
    p99Us: 0,
    p50Us: 0,
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
      column.calls += sample.calls;
      column.seconds += sample.seconds;
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
  width: number,
  height: number,
): string[] {
  const rates = columns.map((column) => (column.seconds === 0 ? 0 : column.calls / column.seconds));
  const top = roundUp(Math.max(1, ...rates));
  const { theme, symbols } = model.look;
  const lines = bars(rates, width - AXIS - 2, height - 1, top, symbols);
  const span = seconds === 60 ? '60 s' : seconds === 600 ? '10 min' : '1 h';
  return [
    ...lines.map(
      (line, i) =>
        `${axis(i === 0 ? short(top) : i === lines.length - 1 ? '0' : '')}${theme.paint('read', line)}`,
    ),
    theme.paint('dim', fit(`${' '.repeat(AXIS)} ops/s, the last ${span}; now at the right`, width)),
  ];
}

function latencyChart(
  model: Model,
  columns: readonly Column[],
  width: number,
  height: number,
): string[] {
  const { theme, symbols } = model.look;
  const most = Math.max(100, ...columns.map((column) => column.p99Us));
  const decades = Math.max(1, Math.ceil(Math.log10(most / 10)));
  const level = (us: number): number =>
    us <= 0 ? 0 : Math.max(0.05, Math.log10(us / 10) / decades);
  const lines = bars(
    columns.map((column) => level(column.p99Us)),
    width - AXIS - 2,
    height - 1,
    1,
    symbols,
  );
  const { p50Us, p99Us, maxUs } = model.feed.meter.rates;
  return [
    ...lines.map((line, i) => {
      const us = 10 * 10 ** (decades * (1 - i / lines.length));
      return `${axis(latency(us))}${theme.paint('slow', line)}`;
    }),
    theme.paint(
      'dim',
      fit(
        `${' '.repeat(AXIS)} p99, log scale; last 10 s: p50 ${latency(p50Us)} p99 ${latency(p99Us)} max ${latency(maxUs)}`,
        width,
      ),
    ),
  ];
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
