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

type Item = {
  readonly name: string;
  readonly count: Busy;
  readonly condition: string;
  readonly commands: readonly string[];
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

/** The busiest of the chosen kind. */
function items(model: Model): readonly Item[] {
  const { tallies, sessions } = model.feed;
  const { look } = model;
  const nowUs = model.feed.nowUs();
  const top = (table: Top, make: (each: Busy) => Omit<Item, 'count' | 'commands'>): Item[] =>
    table
      .busiest(SHOWN, nowUs)
      .map((each) => ({ ...make(each), count: each, commands: NO_COMMANDS }));
  switch (tabOf(model)) {
    case 'Keys':
      return top(tallies.keys, ({ name }) => ({
        name: printableBytes(name, look, 200),
        condition: `key=${quoted(name)}`,
      })).map((item) => ({ ...item, commands: tallies.keys.commandsOf(item.count.row) }));
    case 'Prefixes':
      return top(tallies.prefixes, ({ name }) => ({
        name: printableBytes(`${name}${tallies.keys.delimiter}*`, look, 200),
        condition: prefixCondition(name, tallies.keys.delimiter),
      }));
    case 'Slots':
      return top(tallies.bySlot, ({ name }) => ({
        name: `slot ${name}`,
        condition: `slot=${name}`,
      }));
    case 'Clients':
      return top(tallies.clients, ({ name }) => {
        const session = sessions.get(Number(name));
        const who = session?.name || session?.library || session?.address || '';
        return { name: `c${name} ${printableText(who, look)}`, condition: `conn=${name}` };
      });
  }
}

function exactness(model: Model): string {
  const { tallies, lost } = model.feed;
  const tab = tabOf(model);
  const table = {
    Keys: tallies.keys,
    Prefixes: tallies.prefixes,
    Slots: tallies.bySlot,
    Clients: tallies.clients,
  }[tab];
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

function lines(model: Model, { width }: Room): readonly string[] {
  const all = items(model);
  if (all.length === 0) return [' Nothing yet.'];
  const cursor = model.pane === 'hot' ? model.cursorOf('hot', all.length) : -1;
  return all.map(({ name, count: each, commands }, i) => {
    const { rate } = each;
    const reads = each.calls - each.error - each.writes;
    const own = Math.max(1, each.calls - each.error);
    const share = Math.round((100 * each.writes) / own);
    const text = line(
      i === cursor ? '>' : ' ',
      name,
      [
        rate < 10 ? rate.toFixed(1) : count(Math.round(rate)),
        short(each.calls) + (each.error > 0 ? `+-${short(each.error)}` : ''),
        reads < 0 ? '-' : `${100 - share}:${share}`,
        milliseconds(each.p99Us, 7),
        // Calls are counted by time, their bytes are not: a call is taken to have as many as its like.
        short((rate * each.bytes) / own),
        short(each.errors),
        milliseconds(each.totalUs / own, 7),
        milliseconds(each.maxUs, 7),
        short(each.bytes),
      ],
      commands.join(' '),
      width,
    );
    return i === cursor ? model.look.theme.reverse(text) : text;
  });
}

export const hotPane: LinesPane = {
  id: 'hot',
  title: 'Hot',
  head,
  lines,
  count: (model) => items(model).length,
  condition: (model) => {
    const all = items(model);
    return all[model.cursorOf('hot', all.length)]?.condition ?? null;
  },
  tabs: TABS,
  hints: ['open', 'next-row', 'previous-tab', 'only-this', 'hide-this', 'close', 'help'],
};
