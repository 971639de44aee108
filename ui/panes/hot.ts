/** Pane 7: the busiest keys, prefixes, slots and clients of the last minute; counted from all commands, not from those painted. */
import type { Model } from '../model.js';
import type { LinesPane, Room } from '../panes.js';
import type { Busy, Top } from '../store/top.js';
import { count, milliseconds, short } from '../text/figures.js';
import { fit, fitMiddle, fitRight } from '../text/fit.js';
import { printableBytes, printableText } from '../text/printable.js';
import { quoted } from '../text/quoted.js';

const TABS = ['Keys', 'Prefixes', 'Slots', 'Clients'] as const;
const SHOWN = 200;
const NO_COMMANDS: readonly string[] = [];

/** What a tab lists: its table, and what it says of each of its rows. */
type Kind = {
  readonly table: Top;
  readonly name: (each: Busy) => string;
  readonly condition: (each: Busy) => string;
  readonly commands: (each: Busy) => readonly string[];
};

function tabOf(model: Model): (typeof TABS)[number] {
  return TABS[model.tabOf('hot')] ?? 'Keys';
}

/** The filter's `prefix` ends before a colon; other delimiters are looked for in the key itself. */
function prefixCondition(name: string, delimiter: string): string {
  if (delimiter === ':') return `prefix=${quoted(name)}`;
  const bytes = `${name}${Buffer.from(delimiter).toString('latin1')}`;
  const pattern = bytes.replace(/[^A-Za-z0-9_]/g, (char) =>
    char <= ' ' || char > '~'
      ? `\\x${char.charCodeAt(0).toString(16).padStart(2, '0')}`
      : `\\${char}`,
  );
  return `key=~/^${pattern}/`;
}

function kindOf(model: Model): Kind {
  const { look, feed } = model;
  const { sessions } = feed;
  const { keys, prefixes, bySlot, clients } = feed.tallies;
  const commands = (): readonly string[] => NO_COMMANDS;
  switch (tabOf(model)) {
    case 'Keys':
      return {
        table: keys,
        name: ({ name }) => printableBytes(name, look, 200),
        condition: ({ name }) => `key=${quoted(name)}`,
        commands: ({ row }) => keys.commandsOf(row),
      };
    case 'Prefixes':
      return {
        table: prefixes,
        name: ({ name }) => printableBytes(`${name}${keys.delimiter}*`, look, 200),
        condition: ({ name }) => prefixCondition(name, keys.delimiter),
        commands,
      };
    case 'Slots':
      return {
        table: bySlot,
        name: ({ name }) => `slot ${name}`,
        condition: ({ name }) => `slot=${name}`,
        commands,
      };
    case 'Clients':
      return {
        table: clients,
        name: ({ name }) => {
          const session = sessions.get(Number(name));
          const who = session?.name || session?.library || session?.address || '';
          return `c${name} ${printableText(who, look)}`;
        },
        condition: ({ name }) => `conn=${name}`,
        commands,
      };
  }
}

const picked = new WeakMap<Model, { readonly key: string; readonly list: readonly Busy[] }>();

/** The busiest of the chosen kind: picked once for all that a frame asks of them. */
function busiest(model: Model): readonly Busy[] {
  const { tallies } = model.feed;
  const nowUs = model.feed.nowUs();
  const key = `${tabOf(model)} ${tallies.counted} ${Math.floor(nowUs / 1e5)} ${tallies.keys.delimiter}`;
  const known = picked.get(model);
  if (known?.key === key) return known.list;
  const list = kindOf(model).table.busiest(SHOWN, nowUs);
  picked.set(model, { key, list });
  return list;
}

function exactness(model: Model): string {
  const { lost } = model.feed;
  const { table } = kindOf(model);
  const lostText = lost === 0 ? '' : `, without ${count(lost)} lost commands`;
  return table.isExact
    ? `exact${lostText}, ${count(table.size)} in all`
    : `the ${count(table.size)} most frequent; +- says how far off a count may be${lostText}`;
}

function head(model: Model, { width }: Room): readonly string[] {
  const { theme } = model.look;
  const tabs = TABS.map((tab) =>
    tab === tabOf(model) ? theme.reverse(` ${tab} `) : ` ${tab} `,
  ).join('');
  return [
    ` ${tabs}  ${theme.paint('dim', fit(`last 60 s, ${exactness(model)}`, Math.max(0, width - 40)).trimEnd())}`,
    theme.paint(
      'dim',
      line(
        ' ',
        tabOf(model).toUpperCase(),
        ['OPS/S', 'CALLS', 'R:W', 'p99 ms', 'B/S', 'ERR', 'AVG ms', 'MAX ms', 'BYTES'],
        'COMMANDS',
        width,
      ),
    ),
  ];
}

const WIDTHS = [8, 8, 6, 7, 6, 5, 7, 7, 6] as const;

/** A narrow pane keeps the first columns. */
function line(
  mark: string,
  name: string,
  cells: readonly string[],
  commands: string,
  width: number,
): string {
  const shown =
    width >= 110 ? 9 : width >= 100 ? 8 : width >= 72 ? 6 : width >= 60 ? 4 : width >= 50 ? 3 : 1;
  const figures = cells
    .slice(0, shown)
    .map((cell, i) => fitRight(cell, WIDTHS[i] ?? 6))
    .join(' ');
  const rest = width - figures.length - 2;
  const commandsWidth = width >= 60 ? Math.min(22, Math.floor(rest / 3)) : 0;
  const nameWidth = Math.max(4, rest - commandsWidth - 1);
  return `${mark}${fitMiddle(name, nameWidth)} ${figures} ${fit(commands, commandsWidth)}`;
}

function lines(model: Model, { width, height }: Room): readonly string[] {
  const all = busiest(model);
  if (all.length === 0) return [' Nothing yet.'];
  const kind = kindOf(model);
  const cursor = model.cursorOf('hot', all.length);
  const { top } = model.scrolls.hot;
  // What the pane shows is near where it was, or near the focus: the rest need not be written.
  const isNear = (i: number, of: number): boolean => Math.abs(i - of) <= 2 * height;
  return all.map((each, i) => {
    if (!isNear(i, top) && !isNear(i, cursor)) return '';
    const isFocused = i === cursor && model.pane === 'hot';
    const text = lineOf(kind, each, isFocused ? '>' : ' ', width);
    return isFocused ? model.look.theme.reverse(text) : text;
  });
}

function lineOf(kind: Kind, each: Busy, mark: string, width: number): string {
  const { rate } = each;
  const { calls, error, writes, errors, bytes, totalUs, maxUs, p99Us } = each.count;
  const reads = calls - error - writes;
  const own = Math.max(1, calls - error);
  const share = Math.round((100 * writes) / own);
  return line(
    mark,
    kind.name(each),
    [
      rate < 10 ? rate.toFixed(1) : count(Math.round(rate)),
      short(calls) + (error > 0 ? `+-${short(error)}` : ''),
      reads < 0 ? '-' : `${100 - share}:${share}`,
      milliseconds(p99Us, 7),
      // Calls are counted by time, their bytes are not: a call is taken to have as many as its like.
      short((rate * bytes) / own),
      short(errors),
      milliseconds(totalUs / own, 7),
      milliseconds(maxUs, 7),
      short(bytes),
    ],
    kind.commands(each).join(' '),
    width,
  );
}

export const hotPane: LinesPane = {
  id: 'hot',
  title: 'Hot',
  head,
  lines,
  count: (model) => busiest(model).length,
  condition: (model) => {
    const all = busiest(model);
    const focused = all[model.cursorOf('hot', all.length)];
    return focused === undefined ? null : kindOf(model).condition(focused);
  },
  tabs: TABS,
  hints: ['open', 'next-row', 'previous-tab', 'only-this', 'hide-this', 'close', 'help'],
};
