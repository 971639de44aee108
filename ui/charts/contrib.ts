/**
 * Line charts by blessed-contrib, drawn off-screen: its `setData` on a canvas of its own. blessed never has a screen, a terminal or a
 * signal handler here; what comes out is text for ours.
 *
 * Loading it takes some 140 ms, so it is loaded when a chart is first wanted; drawing one takes about a millisecond.
 */
import { createRequire } from 'node:module';

/** Neighbouring cells of one line: those that a curve was drawn through last, or blanks (`curve` null). */
export type Run = { readonly text: string; readonly curve: number | null };

/** Draws curves of values from 0 to 1 in `width` times `height` cells of braille; at most seven curves, the last on top. */
export type DrawCurves = (
  curves: readonly (readonly number[])[],
  width: number,
  height: number,
) => readonly (readonly Run[])[];

type Context = {
  readonly _canvas: { frame(): string };
  clearRect: () => void;
  fillText: () => void;
};
type SetData = (
  this: { options: object; canvasSize: { width: number; height: number }; ctx: Context },
  data: readonly { x: readonly string[]; y: readonly number[]; style: { line: string } }[],
) => void;

/** As drawille numbers them, from 1: which curve a cell belongs to is read from its colour. */
const COLOURS = ['red', 'green', 'yellow', 'blue', 'magenta', 'cyan', 'white'] as const;

/** contrib keeps room for labels: left of the plot, in cells, and under it, in dots. The axes have labels of our own. */
const LEFT_CELLS = 2;
const BELOW_DOTS = 12;

/** Loads blessed-contrib. */
export function loadContrib(): DrawCurves {
  const require = createRequire(import.meta.url);
  const setData: SetData = require('blessed-contrib/lib/widget/charts/line').prototype.setData;
  // The canvas is a dependency of contrib's, not of ours.
  const theirs = createRequire(require.resolve('blessed-contrib/lib/widget/canvas'));
  const { Canvas } = theirs('drawille-canvas-blessed-contrib');
  return (curves, width, height) => {
    const canvasSize = { width: (width + LEFT_CELLS) * 2, height: height * 4 + BELOW_DOTS };
    const ctx: Context = new Canvas(canvasSize.width, canvasSize.height).getContext();
    // It is empty already, and clearing takes longer than drawing.
    ctx.clearRect = () => {};
    ctx.fillText = () => {};
    // The line's highest place is two dots above the canvas otherwise.
    const scale = 1 - 2 / (canvasSize.height - 11);
    const points = Math.max(2, ...curves.map((curve) => curve.length));
    setData.call(
      { options: optionsOf(), canvasSize, ctx },
      curves.map((curve, i) => ({
        x: new Array<string>(points).fill(''),
        y: curve.map((value) => withinOne(value) * scale),
        style: { line: COLOURS[i % COLOURS.length] ?? 'white' },
      })),
    );
    return ctx._canvas
      .frame()
      .split('\n')
      .slice(0, height)
      .map((line) => runsOf(line, width));
  };
}

/** An explicit highest value, for contrib's own can be infinite or zero, and its line then never ends. */
function optionsOf(): object {
  return {
    style: { line: 'white', text: 'black', baseline: 'black' },
    xLabelPadding: 0,
    xPadding: 2,
    numYLabels: 1,
    showNthLabel: 1,
    wholeNumbersOnly: true,
    minY: 0,
    maxY: 1,
    legend: {},
  };
}

function withinOne(value: number): number {
  return Number.isFinite(value) ? Math.max(0, Math.min(1, value)) : 0;
}

/** A cell as drawille writes it: a dot pattern in its colour, or a blank. */
const CELL = /\x1b\[3(\d)m([\u2800-\u28ff])\x1b\[39m| /g;

function runsOf(line: string, width: number): readonly Run[] {
  const runs: { text: string; curve: number | null }[] = [];
  let at = 0;
  for (const [, colour, dots] of line.matchAll(CELL)) {
    if (at++ < LEFT_CELLS || at > width + LEFT_CELLS) continue;
    const isCurve = dots !== undefined && colour !== '0';
    const curve = isCurve ? Number(colour) - 1 : null;
    const text = isCurve ? dots : ' ';
    const last = runs.at(-1);
    if (last !== undefined && last.curve === curve) last.text += text;
    else runs.push({ text, curve });
  }
  return runs;
}
