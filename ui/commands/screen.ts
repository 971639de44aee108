/** How the screen looks, what is on it, and its end. */
import { openFilterHelp, openHelp } from '../actions/help.js';
import { quit } from '../actions/quit.js';
import { SYMBOLS } from '../charts/plot.js';
import type { Command } from '../commands.js';
import { ARRANGEMENTS } from '../layout.js';
import { openMenu } from '../menu.js';
import type { Keepable, Model } from '../model.js';
import { PANES } from '../panes.js';
import { THEMES } from '../theme.js';

function oneOf<T extends string>(
  all: readonly T[],
  take: (model: Model, one: T) => void,
): (model: Model, rest: string) => string | null {
  return (model, rest) => {
    const one = all.find((each) => each === rest);
    if (one === undefined) return all.join(', ');
    take(model, one);
    return null;
  };
}

/** What can be set here and now, into the user's file. */
function keep(model: Model): string | null {
  const { styling, columns, mouse, effects } = model;
  const all: readonly (readonly [string, Keepable])[] = [
    ['theme', styling.theme],
    ['symbols', styling.symbols],
    ['mouse', mouse],
    ...(columns === null ? [] : [['columns', columns] as const]),
  ];
  for (const [name, value] of all) {
    const kept = effects.keep([name], value);
    if (kept.kind === 'problem') return kept.message;
    model.toasts.answer(`kept in ${kept.file}`);
  }
  return null;
}

const ON_OFF = ['on', 'off'] as const;

export const screenCommands: readonly Command[] = [
  {
    name: 'show',
    usage: 'PANE',
    help: 'a pane by its name',
    alone: false,
    options: () => PANES.map(({ id }) => id),
    run: oneOf(
      PANES.map(({ id }) => id),
      (model, id) => model.show(id),
    ),
    silent: true,
  },
  {
    name: 'layout',
    usage: ARRANGEMENTS.join(' | '),
    help: 'which panes stand side by side',
    alone: false,
    options: () => ARRANGEMENTS,
    run: oneOf(ARRANGEMENTS, (model, arrangement) => {
      model.arrangement = arrangement;
      model.zoom = 'normal';
    }),
  },
  {
    name: 'theme',
    usage: THEMES.join(' | '),
    help: 'colours',
    alone: false,
    options: () => THEMES,
    run: oneOf(THEMES, (model, theme) => model.restyle({ theme })),
  },
  {
    name: 'symbols',
    usage: SYMBOLS.join(' | '),
    help: 'what charts are drawn with',
    alone: false,
    options: () => SYMBOLS,
    run: oneOf(SYMBOLS, (model, symbols) => model.restyle({ symbols })),
  },
  {
    name: 'mouse',
    usage: 'on | off',
    help: "while it is on, the terminal's own selection needs Shift",
    alone: false,
    options: () => ON_OFF,
    run: oneOf(ON_OFF, (model, state) => {
      model.mouse = state === 'on';
      model.effects.mouse(model.mouse);
      model.toasts.answer(`the mouse is ${state}`);
    }),
  },
  {
    name: 'options',
    usage: '',
    help: 'what can be set, and keep it',
    alone: true,
    run: (model) => {
      openMenu(model, 'options');
      return null;
    },
    silent: true,
  },
  {
    name: 'keep',
    usage: '',
    help: 'keep theme, symbols, mouse and columns in your settings file',
    alone: true,
    run: keep,
  },
  {
    name: 'help',
    usage: 'keys | filter',
    help: 'the keys, or the filter language',
    alone: true,
    options: () => ['keys', 'filter'],
    run: (model, rest) => {
      if (rest === 'filter') openFilterHelp(model);
      else openHelp(model);
      return null;
    },
    silent: true,
  },
  {
    name: 'quit',
    usage: '',
    help: 'end rmtop',
    alone: true,
    run: (model) => {
      quit(model);
      return null;
    },
    silent: true,
  },
];
