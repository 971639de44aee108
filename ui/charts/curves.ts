/** Curves over time, as lines of text: by blessed-contrib where braille can be shown, else as areas of blocks or ASCII. */
import type { Model } from '../model.js';
import type { Meaning } from '../theme.js';
import type { DrawCurves } from './contrib.js';
import { FILLED, layered } from './plot.js';

/** One curve; values from 0 to 1, oldest first. `letter` stands at its end, so that no colour is needed to tell it. */
export type Curve = {
  readonly letter: string;
  readonly meaning: Meaning;
  readonly values: readonly number[];
};

/** Room for the letters at the right. */
const LETTERS = 5;

/** blessed-contrib, once it is loaded: not before a chart is wanted, and never while a frame is made. */
export class Charts {
  private draw: DrawCurves | null = null;
  private loading: Promise<void> | null = null;
  private readonly changed: () => void;

  constructor(changed: () => void) {
    this.changed = changed;
  }

  /** Gives it when it is there; begins to load it else. */
  get contrib(): DrawCurves | null {
    if (this.draw === null) void this.load();
    return this.draw;
  }

  /** Settles when it is there. Where it cannot be loaded, charts stay what they are without it. */
  load(): Promise<void> {
    this.loading ??= import('./contrib.js')
      .then(({ loadContrib }) => {
        this.draw = loadContrib();
        this.changed();
      })
      .catch(() => {});
    return this.loading;
  }
}

/** The cells of `room` that curves are drawn in; the rest is for their letters. */
export function plotWidth(room: number): number {
  return room - LETTERS;
}

/** How many values a curve of `width` cells should have for `seconds`, of which there is about one sample each. */
export function pointsIn(model: Model, width: number, seconds: number): number {
  const cells = plotWidth(width);
  return hasContrib(model) ? Math.min(seconds, cells * 2) : cells;
}

function hasContrib({ charts, look }: Model): boolean {
  return look.symbols === 'braille' && charts.contrib !== null;
}

/**
 * Two curves, `width` times `height` cells. As areas they lie one on the other when `stacked` (parts of a whole), else the higher shows
 * behind the lower.
 */
export function curveLines(
  model: Model,
  [first, second]: readonly [Curve, Curve],
  stacked: boolean,
  width: number,
  height: number,
): string[] {
  const cells = plotWidth(width);
  const body = hasContrib(model)
    ? contribLines(model, [second, first], cells, height)
    : areaLines(model, first, second, stacked, cells, height);
  return body.map((line, y) => line + lettersAt(model, [first, second], y, height));
}

function contribLines(
  model: Model,
  curves: readonly Curve[],
  width: number,
  height: number,
): string[] {
  const { theme } = model.look;
  const drawn = model.charts.contrib?.(
    curves.map((curve) => curve.values),
    width,
    height,
  );
  return (drawn ?? []).map((line) =>
    line
      .map(({ text, curve }) => {
        const of = curve === null ? undefined : curves[curve];
        return of === undefined ? text : theme.paint(of.meaning, text);
      })
      .join(''),
  );
}

function areaLines(
  model: Model,
  first: Curve,
  second: Curve,
  stacked: boolean,
  width: number,
  height: number,
): string[] {
  const { theme, symbols } = model.look;
  const upper = second.values.map((value, i) =>
    stacked ? value : Math.max(0, value - (first.values[i] ?? 0)),
  );
  const kind = symbols === 'ascii' ? 'ascii' : 'block';
  return layered(first.values, upper, width, height, kind).map((row) => {
    let line = '';
    for (let from = 0; from < row.length; ) {
      const layer = row[from]?.layer ?? null;
      let to = from;
      while (to < row.length && (row[to]?.layer ?? null) === layer) to++;
      const text = row
        .slice(from, to)
        .map((cell) => cell.text)
        .join('');
      line += layer === null ? text : theme.paint([first, second][layer]?.meaning ?? 'dim', text);
      from = to;
    }
    return line;
  });
}

/** The letters of the curves that end in line `y`. Areas have none: they are told by what fills them. */
function lettersAt(model: Model, curves: readonly Curve[], y: number, height: number): string {
  if (!hasContrib(model)) return ' '.repeat(LETTERS);
  const ending = curves.filter(({ values }) => {
    const last = values.at(-1) ?? 0;
    return last > 0 && Math.min(height - 1, Math.floor(last * height)) === height - 1 - y;
  });
  const cells = ending.reduce((sum, { letter }) => sum + letter.length, 1);
  const painted = ending.map(({ letter, meaning }) => model.look.theme.paint(meaning, letter));
  return ` ${painted.join('')}${' '.repeat(Math.max(0, LETTERS - cells))}`;
}

/** How the curves can be told: `R reads  W writes`, or `# reads  : writes` of areas. */
export function legendOf(
  model: Model,
  curves: readonly (Curve & { readonly name: string })[],
): string {
  const { symbols } = model.look;
  const filled = FILLED[symbols === 'ascii' ? 'ascii' : 'block'];
  return curves
    .map(({ letter, name }, i) => {
      if (!hasContrib(model)) return `${filled[i] ?? ''} ${name}`;
      return name.includes(letter) ? name : `${letter} ${name}`;
    })
    .join('  ');
}
