/** How things are drawn here and now: the theme, and whether the terminal takes more than ASCII. */

import type { Symbols } from './charts/plot.js';
import type { Depth } from './text/styles.js';
import { makeTheme, type Theme, type ThemeChoice, type ThemeName, themeName } from './theme.js';

export type Look = {
  readonly theme: Theme;
  readonly unicode: boolean;
  /** The line that separates parts of the screen. */
  readonly rule: string;
  /** What charts are drawn with. */
  readonly symbols: Symbols;
};

/** What is chosen, and what is known of the terminal. */
export type Styling = {
  readonly theme: ThemeChoice;
  /** `auto`: braille, or ASCII where the terminal takes no more. */
  readonly symbols: Symbols | 'auto';
  readonly depth: Depth;
  readonly unicode: boolean;
  readonly isLight: boolean;
};

export function lookOf({ theme, symbols, depth, unicode, isLight }: Styling): Look {
  const look = makeLook(themeName(theme, isLight), depth, unicode);
  return symbols === 'auto' ? look : { ...look, symbols };
}

export function makeLook(theme: ThemeName, depth: Depth, unicode: boolean): Look {
  return {
    theme: makeTheme(theme, depth),
    unicode,
    rule: unicode ? '─' : '-',
    symbols: unicode ? 'braille' : 'ascii',
  };
}
