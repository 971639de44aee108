/** `O`: what can be set, what it is set to, and keeping it. */

import { bars } from '../charts/plot.js';
import { perform } from '../commands.js';
import { fitting, type Menu, type MenuEntry, openMenu } from '../menu.js';
import type { Model } from '../model.js';

/** Bars of every height: whoever sees question marks or boxes here wants other symbols. */
const SAMPLE = Array.from({ length: 16 }, (_, i) => i);

function entries(model: Model): readonly MenuEntry[] {
  const { look } = model;
  const set = (section: string, left: string, right: string, line: string): MenuEntry => ({
    section,
    left,
    right,
    run: (on) => {
      perform(on, line);
      openMenu(on, 'options');
    },
  });
  const sample = bars(SAMPLE, 16, 1, 15, look.symbols)[0] ?? '';
  const now = (is: boolean): string => (is ? '[x]' : '[ ]');
  return [
    ...(['auto', 'dark', 'light', 'contrast', 'mono'] as const).map((theme) =>
      set(
        now(model.styling.theme === theme),
        `theme ${theme}`,
        THEME_HELP[theme],
        `theme ${theme}`,
      ),
    ),
    ...(['braille', 'block', 'ascii'] as const).map((symbols) =>
      set(
        now(look.symbols === symbols),
        `symbols ${symbols}`,
        look.symbols === symbols ? `test: ${sample}` : '',
        `symbols ${symbols}`,
      ),
    ),
    set(
      now(model.mouse),
      'mouse',
      'wheel, click on rows, heads and keys',
      `mouse ${model.mouse ? 'off' : 'on'}`,
    ),
    set(now(model.time === 'clock'), 'time clock', 'time of day', 'time clock'),
    set(now(model.time === 'start'), 'time start', 'seconds since the start', 'time start'),
    set(now(model.time === 'delta'), 'time delta', 'seconds since the row above', 'time delta'),
    set('', 'keep', 'theme, symbols, mouse and columns in your own settings', 'keep user'),
    set(
      '',
      'keep project',
      'columns and saved filters in rmtop.yaml: a team shares it',
      'keep project',
    ),
    {
      section: '',
      left: `delimiter ${model.feed.tallies.keys.delimiter}`,
      right: "what ends a key's prefix in Hot",
      run: (on) => openMenu(on, 'palette', 'delimiter '),
    },
    {
      section: '',
      left: 'keys',
      right: `which keys do what (${model.keyOf('bindings')})`,
      run: (on) => openMenu(on, 'bindings'),
    },
    {
      section: '',
      left: 'columns',
      right: `choose them (${model.keyOf('columns')})`,
      run: (on) => openMenu(on, 'columns'),
    },
  ];
}

const THEME_HELP = {
  auto: "dark or light, by the terminal's background",
  dark: 'for a dark background',
  light: 'for a light background',
  contrast: 'strong colours on black',
  mono: 'no colours',
} as const;

export const optionsMenu: Menu = {
  title: () => 'options',
  hint: 'Enter sets it',
  entries: (model, query) => fitting(entries(model), query),
};
