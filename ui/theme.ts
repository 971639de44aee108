/**
 * Colours by meaning. Every meaning has a letter or a symbol as well (`ux.md` b.6), so that nothing is lost without colour.
 *
 * The palette is Okabe and Ito's; on a light background each hue is darkened until it can be read there.
 */
import { BOLD, type Depth, DIM, foreground, REVERSE, type Style, styled } from './text/styles.js';

/** What a colour says. */
export type Meaning = 'read' | 'write' | 'error' | 'good' | 'fault' | 'slow' | 'dim';

export type ThemeName = 'dark' | 'light' | 'mono';

type Hue = { readonly dark: string; readonly light: string; readonly sgr: string };

/** Hues on black and on white, and the code that stands for them where there are only 16. */
export const HUES: Readonly<Record<Meaning, Hue>> = {
  read: { dark: '#56B4E9', light: '#0A6396', sgr: '36' },
  write: { dark: '#E69F00', light: '#8A5A00', sgr: '33' },
  error: { dark: '#E8743B', light: '#B03A00', sgr: '31;1' },
  good: { dark: '#17B58A', light: '#006B4F', sgr: '32' },
  fault: { dark: '#CC79A7', light: '#94406F', sgr: '35' },
  slow: { dark: '#F0E442', light: '#6E6600', sgr: '33;1' },
  dim: { dark: '#999999', light: '#666666', sgr: '2' },
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

/** The theme `name` for a terminal of `depth`; `mono` has no colours whatever the terminal has. */
export function makeTheme(name: ThemeName, depth: Depth): Theme {
  const used: Depth = name === 'mono' ? 'none' : depth;
  const styles = Object.fromEntries(
    Object.entries(HUES).map(([meaning, hue]) => [meaning, styleOf(meaning, hue, name, used)]),
  ) as Record<Meaning, Style>;
  return {
    name,
    depth: used,
    paint: (meaning, text) => styled(styles[meaning], text),
    bold: (text) => styled(BOLD, text),
    reverse: (text) => styled(REVERSE, text),
  };
}

function styleOf(meaning: string, hue: Hue, name: ThemeName, depth: Depth): Style {
  if (meaning === 'dim' && depth === '16') return DIM;
  return foreground(name === 'light' ? hue.light : hue.dark, hue.sgr, depth);
}
