/** How things are drawn here and now: the theme, and whether the terminal takes more than ASCII. */

import type { Symbols } from './charts/plot.js';
import type { Depth } from './text/styles.js';
import { makeTheme, type Theme, type ThemeName } from './theme.js';

export type Look = {
  readonly theme: Theme;
  readonly unicode: boolean;
  /** The line that separates parts of the screen. */
  readonly rule: string;
  /** What charts are drawn with. */
  readonly symbols: Symbols;
};

export function makeLook(theme: ThemeName, depth: Depth, unicode: boolean): Look {
  return {
    theme: makeTheme(theme, depth),
    unicode,
    rule: unicode ? '─' : '-',
    symbols: unicode ? 'braille' : 'ascii',
  };
}
