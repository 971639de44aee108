/** Figures over the last minute, a line each: a small bar chart and what it is now. */
import type { Model } from '../model.js';
import type { Sample } from '../store/rates.js';
import { fit } from '../text/fit.js';
import type { Meaning } from '../theme.js';
import { inColumns } from './charts.js';
import { bars } from './plot.js';

const SECONDS = 60;

/** One line: what it is called, and its figure in a sample. */
export type Spark = { readonly label: string; readonly figureOf: (sample: Sample) => number };

/** A line for each of `sparks`, on one scale, so that they can be compared; none where there is no room. */
export function sparkLines(
  model: Model,
  title: string,
  sparks: readonly Spark[],
  meaning: Meaning,
  width: number,
): readonly string[] {
  const labels = Math.max(4, ...sparks.map(({ label }) => label.length)) + 1;
  const room = Math.min(SECONDS, width - labels - 22);
  if (room < 10 || sparks.length === 0) return [];
  const { look, feed } = model;
  const { history, latest } = feed.meter;
  const all = sparks.map(({ figureOf }) =>
    inColumns(history, latest?.atUs ?? 0, SECONDS, room, figureOf).map(({ seconds, figure }) =>
      seconds === 0 ? 0 : figure / seconds,
    ),
  );
  const top = Math.max(...all.flat());
  return sparks.map(({ label }, i) => {
    const rates = all[i] ?? [];
    const [bar = ''] = bars(rates, room, 1, top, look.symbols);
    const now = rates.at(-1) ?? 0;
    const head = `${fit(i === 0 ? title : '', 10)}${fit(label, labels)}`;
    return ` ${head}${look.theme.paint(meaning, fit(bar, room))} ${now.toFixed(1)}/s`;
  });
}
