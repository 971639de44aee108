/** The escape sequences for styles; each is ended by its own counterpart, so that they can stand in one another. */

export type Style = readonly [on: string, off: string];

export const BOLD: Style = ['\x1b[1m', '\x1b[22m'];
export const DIM: Style = ['\x1b[2m', '\x1b[22m'];
export const REVERSE: Style = ['\x1b[7m', '\x1b[27m'];
export const UNDERLINE: Style = ['\x1b[4m', '\x1b[24m'];
const DEFAULT_COLOUR = '\x1b[39m';

/** How many colours the terminal has: none, the 16 it names itself, 256, or all. */
export type Depth = 'none' | '16' | '256' | 'true';

/** The foreground `hex` (`#56B4E9`), or its stand-in among 16 (an SGR code, `36`). */
export function foreground(hex: string, sgr: string, depth: Depth): Style {
  switch (depth) {
    case 'none':
      return ['', ''];
    case '16':
      return [`\x1b[${sgr}m`, sgr.includes(';1') ? `${DEFAULT_COLOUR}\x1b[22m` : DEFAULT_COLOUR];
    case '256':
      return [`\x1b[38;5;${nearest256(hex)}m`, DEFAULT_COLOUR];
    case 'true': {
      const [r, g, b] = channels(hex);
      return [`\x1b[38;2;${r};${g};${b}m`, DEFAULT_COLOUR];
    }
  }
}

export function channels(hex: string): readonly [number, number, number] {
  const n = Number.parseInt(hex.slice(1), 16);
  return [n >> 16, (n >> 8) & 0xff, n & 0xff];
}

/** The nearest of the 6x6x6 cube and the greys. */
function nearest256(hex: string): number {
  const [r, g, b] = channels(hex);
  const step = (v: number): number => (v < 48 ? 0 : v < 115 ? 1 : Math.floor((v - 35) / 40));
  const level = (i: number): number => (i === 0 ? 0 : 55 + i * 40);
  const cube = [step(r), step(g), step(b)] as const;
  const grey = Math.max(0, Math.min(23, Math.round(((r + g + b) / 3 - 8) / 10)));
  const away = (x: number, y: number, z: number): number =>
    (x - r) ** 2 + (y - g) ** 2 + (z - b) ** 2;
  const cubeAway = away(level(cube[0]), level(cube[1]), level(cube[2]));
  const greyAway = away(8 + grey * 10, 8 + grey * 10, 8 + grey * 10);
  return greyAway < cubeAway ? 232 + grey : 16 + 36 * cube[0] + 6 * cube[1] + cube[2];
}

export function styled([on, off]: Style, text: string): string {
  return on === '' || text === '' ? text : on + text + off;
}

/** The text without its styles. */
export function plain(text: string): string {
  return text.includes('\x1b') ? text.replace(/\x1b\[[\d;]*m/g, '') : text;
}
