/** Bars as text: a line of bars for small places, an area of several lines for larger ones; braille, blocks or ASCII. */

/** What bars are made of. */
export const SYMBOLS = ['braille', 'block', 'ascii'] as const;
export type Symbols = (typeof SYMBOLS)[number];

/** From empty to full, in one cell. Braille has two columns a cell and is drawn apart. */
const LEVELS: Readonly<Record<'block' | 'ascii', string>> = {
  block: ' ▁▂▃▄▅▆▇█',
  ascii: ' .:-=+*#@',
};

/** `values` as bars of `height` lines, the newest at the right; `top` is the value of a full bar. */
export function bars(
  values: readonly number[],
  width: number,
  height: number,
  top: number,
  symbols: Symbols,
): string[] {
  if (symbols === 'braille') return braille(values, width, height, top);
  const levels = [...LEVELS[symbols]];
  const steps = levels.length - 1;
  const shown = values.slice(-width);
  const pad = width - shown.length;
  return Array.from({ length: height }, (_, y) => {
    const from = height - 1 - y;
    const line = shown.map((value) => {
      const filled = share(value, top) * height * steps - from * steps;
      // What is not nothing is to be seen.
      const least = from === 0 && value > 0 ? 1 : 0;
      return levels[Math.max(least, Math.min(steps, Math.round(filled)))] ?? ' ';
    });
    return ' '.repeat(pad) + line.join('');
  });
}

/** A cell of a chart of two layers: what it shows, and whose it is. */
export type LayerCell = { readonly text: string; readonly layer: 0 | 1 | null };

/** What a cell full of the lower and of the upper layer looks like: told apart without colour, too. */
export const FILLED: Readonly<Record<'block' | 'ascii', readonly [string, string]>> = {
  block: ['█', '▒'],
  ascii: ['#', ':'],
};

/** Two areas, one on the other, in `height` lines of `width` cells, the newest at the right; values are from 0 to 1. */
export function layered(
  lower: readonly number[],
  upper: readonly number[],
  width: number,
  height: number,
  symbols: 'block' | 'ascii',
): readonly (readonly LayerCell[])[] {
  const levels = [...LEVELS[symbols]];
  const steps = levels.length - 1;
  const blank: LayerCell = { text: ' ', layer: null };
  const cellAt = (x: number, from: number): LayerCell => {
    const at = lower.length - width + x;
    const low = share(lower[at] ?? 0, 1) * height - from;
    const all = Math.min(height, share((lower[at] ?? 0) + (upper[at] ?? 0), 1) * height) - from;
    if (low >= 0.5) {
      const whole = low >= 1 || all >= 1;
      return {
        text: whole ? FILLED[symbols][0] : (levels[Math.round(low * steps)] ?? ' '),
        layer: 0,
      };
    }
    if (all >= 1) return { text: FILLED[symbols][1], layer: 1 };
    // What is not nothing is to be seen.
    const level = Math.max(from === 0 && all > 0 ? 1 : 0, Math.round(all * steps));
    return level <= 0
      ? blank
      : { text: levels[level] ?? ' ', layer: low > 0 && all - low < low ? 0 : 1 };
  };
  return Array.from({ length: height }, (_, y) =>
    Array.from({ length: width }, (_none, x) => cellAt(x, height - 1 - y)),
  );
}

const LEFT = [0x40, 0x04, 0x02, 0x01];
const RIGHT = [0x80, 0x20, 0x10, 0x08];

function braille(values: readonly number[], width: number, height: number, top: number): string[] {
  const shown = values.slice(-width * 2);
  const pad = width * 2 - shown.length;
  const dots = Array.from({ length: width * 2 }, (_, i) => {
    const value = shown[i - pad] ?? 0;
    return value <= 0 ? 0 : Math.max(1, Math.round(share(value, top) * height * 4));
  });
  return Array.from({ length: height }, (_, y) => {
    const from = (height - 1 - y) * 4;
    let line = '';
    for (let x = 0; x < width; x++) {
      let cell = 0;
      for (let dot = 0; dot < 4; dot++) {
        if ((dots[2 * x] ?? 0) > from + dot) cell |= LEFT[dot] ?? 0;
        if ((dots[2 * x + 1] ?? 0) > from + dot) cell |= RIGHT[dot] ?? 0;
      }
      line += cell === 0 ? ' ' : String.fromCodePoint(0x2800 + cell);
    }
    return line;
  });
}

function share(value: number, top: number): number {
  return top > 0 && Number.isFinite(value) ? Math.max(0, Math.min(1, value / top)) : 0;
}

/** Eight levels of a share from 0 to 1, for maps: ` .:-=+*#@`. */
export function heat(level: number): string {
  const levels = LEVELS.ascii;
  return levels.charAt(level <= 0 ? 0 : Math.min(8, 1 + Math.floor(level * 8)));
}
