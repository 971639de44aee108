/** How the screen looks, what is on it, and its end. */
import { openFilterHelp, openHelp } from '../actions/help.js';
import { quit } from '../actions/quit.js';
import { SYMBOLS } from '../charts/plot.js';
import type { Command } from '../commands.js';
import { ARRANGEMENTS } from '../layout.js';
import { openMenu } from '../menu.js';
import type { Keepable, KeptIn, Model } from '../model.js';
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

type Setting = readonly [path: readonly string[], value: Keepable];

/** Into the user's file what is taste, into the project's what a team shares; the columns are both. */
const KEPT: Readonly<Record<KeptIn, (model: Model) => readonly Setting[]>> = {
  user: (model) => [
    [['theme'], model.styling.theme],
    [['symbols'], model.styling.symbols],
    [['mouse'], model.mouse],
    ...columnsOf(model),
  ],
  project: (model) => [
    ...columnsOf(model),
    ...delimiterOf(model),
    ...[...model.saved].map(([name, text]): Setting => [['filters', name], text]),
  ],
};

function columnsOf({ columns }: Model): readonly Setting[] {
  return columns === null ? [] : [[['columns'], columns]];
}

function delimiterOf({ feed }: Model): readonly Setting[] {
  const { delimiter } = feed.tallies.keys;
  return delimiter === ':' ? [] : [[['delimiter'], delimiter]];
}

/** What can be set here and now, into a file. */
function keep(model: Model, where: KeptIn): string | null {
  const settings = KEPT[where](model);
  if (settings.length === 0)
    return 'nothing to share yet: choose columns (:columns) or save a filter (:filter save NAME)';
  let file = '';
  for (const [path, value] of settings) {
    const kept = model.effects.keep(where, path, value);
    if (kept.kind === 'problem') return `${path.join('.')}: ${kept.message}`;
    file = kept.file;
  }
  model.toasts.answer(`kept in ${file}: ${settings.map(([each]) => each.join('.')).join(', ')}`);
  return null;
}

const MOST_OF_DELIMITER = 8;

const FILES = ['user', 'project'] as const;

const ON_OFF = ['on', 'off'] as const;

/** The prefixes of Hot and of SUMMARY end here. */
function setDelimiter(model: Model, text: string): string | null {
  const { keys } = model.feed.tallies;
  if (text.length > MOST_OF_DELIMITER || /\s/.test(text)) return 'a sign or a few: :  /  .';
  keys.delimiter = text;
  model.toasts.answer(`prefixes end at ${text}, and are counted from now on`);
  return null;
}

export const screenCommands: readonly Command[] = [
  {
    name: 'delimiter',
    usage: 'TEXT',
    help: "what ends a key's prefix in Hot, usually :",
    alone: false,
    options: () => [':', '/', '.', '|', '-'],
    run: setDelimiter,
  },
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
    usage: 'user | project',
    help: 'keep theme, symbols, mouse and columns as yours; columns and filters for the project',
    alone: true,
    options: () => FILES,
    run: (model, rest) => {
      const where = rest === '' ? 'user' : FILES.find((each) => each === rest);
      return where === undefined ? FILES.join(', ') : keep(model, where);
    },
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
