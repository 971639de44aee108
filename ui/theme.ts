/**
 * Colours by meaning. Every meaning has a letter or a symbol as well (`ux.md` b.6), so that nothing is lost without colour.
 *
 * The palette is Okabe and Ito's; on a light background each hue is darkened until it can be read there. The high-contrast one goes
 * further: at least 7 to 1 against the background it is for (WCAG's AAA).
 */
import { BOLD, type Depth, DIM, foreground, REVERSE, type Style, styled } from './text/styles.js';

/** What a colour says. */
export type Meaning = 'read' | 'write' | 'error' | 'good' | 'fault' | 'slow' | 'dim';

/** What the user may choose; `auto` is dark or light, by the terminal's background. */
export const THEMES = ['auto', 'dark', 'light', 'contrast', 'mono'] as const;
export type ThemeChoice = (typeof THEMES)[number];

/** A theme by the background it is for. */
export type ThemeName = 'dark' | 'light' | 'contrast' | 'contrast-light' | 'mono';

/** The colour for each background, and the code that stands for it where there are only 16. */
type Hue = Readonly<Record<Exclude<ThemeName, 'mono'>, string>> & { readonly sgr: string };

function hue(
  dark: string,
  light: string,
  contrast: string,
  contrastLight: string,
  sgr: string,
): Hue {
  return { dark, light, contrast, 'contrast-light': contrastLight, sgr };
}

export const HUES: Readonly<Record<Meaning, Hue>> = {
  read: hue('#56B4E9', '#0A6396', '#7FD4FF', '#004A75', '36'),
  write: hue('#E69F00', '#8A5A00', '#FFC040', '#653F00', '33'),
  error: hue('#E8743B', '#B03A00', '#FF9E73', '#8A2400', '31;1'),
  good: hue('#17B58A', '#006B4F', '#4FE3B8', '#00503A', '32'),
  fault: hue('#CC79A7', '#94406F', '#F2A9D0', '#742255', '35'),
  slow: hue('#F0E442', '#6E6600', '#FFF36B', '#4F4900', '33;1'),
  dim: hue('#999999', '#666666', '#D0D0D0', '#404040', '2'),
};

/** Paints text by what it means. */
export type Theme = {
  readonly name: ThemeName;
  readonly depth: Depth;
  paint(meaning: Meaning, text: string): string;
  bold(text: string): string;
  /** Badges, and the row in focus. */
  reverse(text: string): string;
};

/** The theme that `choice` is on a light background, or on a dark one. */
export function themeName(choice: ThemeChoice, isLight: boolean): ThemeName {
  if (choice === 'auto') return isLight ? 'light' : 'dark';
  return choice === 'contrast' && isLight ? 'contrast-light' : choice;
}

/** The theme `name` for a terminal of `depth`; `mono` has no colours whatever the terminal has. */
export function makeTheme(name: ThemeName, depth: Depth): Theme {
  const used: Depth = name === 'mono' ? 'none' : depth;
  const styles = Object.fromEntries(
    Object.entries(HUES).map(([meaning, each]) => [meaning, styleOf(meaning, each, name, used)]),
  ) as Record<Meaning, Style>;
  return {
    name,
    depth: used,
    paint: (meaning, text) => styled(styles[meaning], text),
    bold: (text) => styled(BOLD, text),
    reverse: (text) => styled(REVERSE, text),
  };
}

function styleOf(meaning: string, hues: Hue, name: ThemeName, depth: Depth): Style {
  const isContrast = name === 'contrast' || name === 'contrast-light';
  // What is dim is hard to read for some: there it is as everything else.
  if (meaning === 'dim' && depth === '16') return isContrast ? ['', ''] : DIM;
  return foreground(name === 'mono' ? hues.dark : hues[name], hues.sgr, depth);
}
