/** Pane 8: the clients' connections, and what each has asked for; and those to the servers. */
import { aliasOf, type ClientState } from 'rmtop';
import type { Model } from '../model.js';
import type { LinesPane, Room } from '../panes.js';
import type { Link } from '../store/links.js';
import type { Session } from '../store/sessions.js';
import { count, milliseconds, plural, short } from '../text/figures.js';
import { fit, fitRight } from '../text/fit.js';
import { printableText } from '../text/printable.js';
import { quoted } from '../text/quoted.js';

/** Closed ones are kept for their rows' sake; here the latest will do. */
const CLOSED_SHOWN = 100;

function items(model: Model): readonly Session[] {
  return model.feed.sessions
    .list()
    .filter((session, i) => session.closedUs === null || i < CLOSED_SHOWN);
}

/** The client in focus; null: there is none, or the servers are shown. */
export function clientAtCursor(model: Model): Session | null {
  if (model.tabOf('conns') !== 0) return null;
  const sessions = items(model);
  return sessions[model.cursorOf('conns', sessions.length)] ?? null;
}

const TABS = ['Clients', 'Servers'] as const;

type Column = readonly [name: string, width: number, right: boolean, from: number];

/** The last number: the width of the pane from which the column is shown. */
const COLUMNS: readonly Column[] = [
  ['CONN', 6, false, 0],
  ['ADDRESS', 21, false, 70],
  ['NAME', 12, false, 0],
  ['LIBRARY', 18, false, 112],
  ['USER', 9, false, 124],
  ['RESP', 4, true, 112],
  ['AGE', 4, true, 0],
  ['OPS/S', 7, true, 0],
  ['CALLS', 5, true, 60],
  ['ERR', 4, true, 60],
  ['WAIT', 4, true, 50],
  ['BYTES', 6, true, 90],
  ['MAX ms', 7, true, 80],
];

/** Those to servers, which clients share unless a client needs one of its own. */
const SERVER_COLUMNS: readonly Column[] = [
  ['NODE', 6, false, 0],
  ['ADDRESS', 21, false, 0],
  ['SHARED', 6, true, 0],
  ['OWN', 4, true, 0],
  ['OPENED', 6, true, 60],
  ['FAILED', 6, true, 60],
  ['OPS/S', 7, true, 0],
  ['ERR', 6, true, 78],
];

function row(
  mark: string,
  cells: readonly string[],
  width: number,
  columns: readonly Column[] = COLUMNS,
): string {
  const shown = columns.flatMap(([, own, right, from], i) =>
    width < from ? [] : [right ? fitRight(cells[i] ?? '', own) : fit(cells[i] ?? '', own)],
  );
  return `${mark}${shown.join(' ')}`;
}

function head(model: Model, { width }: Room): readonly string[] {
  const { theme } = model.look;
  const { sessions, rows } = model.feed;
  const waiting =
    rows.waiting === 0 ? '' : `, ${plural(rows.waiting, 'command')} waiting for a reply`;
  const at = model.tabOf('conns');
  const columns = at === 0 ? COLUMNS : SERVER_COLUMNS;
  const heads = row(
    ' ',
    columns.map(([name]) => name),
    width,
    columns,
  );
  const tabs = TABS.map((tab, i) => (i === at ? theme.reverse(` ${tab} `) : ` ${tab} `)).join('');
  const text = `${plural(sessions.open, 'client')} connected${waiting}${at === 0 ? legend(model) : ''}`;
  return [
    ` ${tabs} ${theme.paint('dim', fit(text, Math.max(0, width - 21)).trimEnd())}`,
    theme.paint('dim', fit(heads, width)),
  ];
}

/** `s2.p`; of an upstream with one server its name. */
function aliasIn(model: Model, link: Link): string {
  const { topology } = model.feed.context.latest;
  const alias =
    topology === undefined ? link.address : aliasOf(topology, link.upstream, link.address);
  return alias === link.address ? link.upstream : alias;
}

function links(model: Model): readonly Link[] {
  return [...model.feed.links.list].sort((a, b) =>
    aliasIn(model, a) < aliasIn(model, b) ? -1 : 1,
  );
}

function serverLines(model: Model, width: number): readonly string[] {
  const { look, feed } = model;
  const { now, oldest } = feed.meter.window;
  const seconds = Math.max(1e-6, ((now?.atUs ?? 0) - (oldest?.atUs ?? 0)) / 1e6);
  const list = links(model);
  const cursor = model.pane === 'conns' ? model.cursorOf('conns', list.length) : -1;
  return list.map((link, i) => {
    const calls =
      (now?.nodes[link.address]?.calls ?? 0) - (oldest?.nodes[link.address]?.calls ?? 0);
    const cells = [
      printableText(aliasIn(model, link), look),
      printableText(link.address, look),
      String(link.shared),
      String(link.own),
      short(link.opened),
      short(link.failed),
      count(Math.round(calls / seconds)),
      short(now?.nodes[link.address]?.errors ?? 0),
    ];
    const last = link.lastCause === null ? '' : `  ${printableText(link.lastCause, look)}`;
    const mark = i === cursor ? '>' : ' ';
    const line = fit(row(mark, cells, width, SERVER_COLUMNS) + last, width);
    if (i === cursor) return look.theme.reverse(line);
    return link.shared + link.own === 0 ? look.theme.paint('dim', line) : line;
  });
}

function lines(model: Model, { width }: Room): readonly string[] {
  if (model.tabOf('conns') === 1) return serverLines(model, width);
  const { look, feed } = model;
  const nowUs = feed.nowUs();
  const sessions = items(model);
  const cursor = model.pane === 'conns' ? model.cursorOf('conns', sessions.length) : -1;
  return sessions.map((session, i) => {
    const text = (value: string | null): string => printableText(value ?? '-', look);
    const { clients } = feed.tallies;
    const counted = clients.known(session.connection);
    const tally = counted === undefined ? null : clients.count(counted);
    const rate = counted === undefined ? 0 : clients.rate(counted, nowUs);
    const standing =
      session.closedUs === null ? feed.sessions.states.get(session.connection) : undefined;
    const cells = [
      `c${session.connection}`,
      text(session.address),
      text(session.name),
      text(session.library),
      standing === undefined ? '-' : text(standing.user ?? '(none)'),
      String(session.resp),
      ageText((session.closedUs ?? nowUs) - session.openedUs),
      rate < 10 ? rate.toFixed(1) : count(Math.round(rate)),
      short(tally?.calls ?? 0),
      short(tally?.errors ?? 0),
      standing === undefined ? '-' : short(standing.inFlight),
      short(tally?.bytes ?? 0),
      milliseconds(tally?.maxUs ?? 0, 7),
    ];
    const state =
      session.closedUs === null ? stateText(standing) : `closed: ${text(session.closedBecause)}`;
    const mark = i === cursor ? '>' : stateSign(standing);
    const line = fit(row(mark, cells, width) + (state === '' ? '' : `  ${state}`), width);
    if (i === cursor) return look.theme.reverse(line);
    return session.closedUs === null ? line : look.theme.paint('dim', line);
  });
}

/** `MULTI, 3 channels`; empty where there is nothing to say. */
function stateText(state: ClientState | undefined): string {
  if (state === undefined) return '';
  const channels = state.channels === 0 ? [] : [plural(state.channels, 'channel')];
  return [...(state.multi ? ['MULTI'] : []), ...channels].join(', ');
}

/** The same in a letter, for where there is no room. */
function stateSign(state: ClientState | undefined): string {
  return state?.multi === true ? 'T' : (state?.channels ?? 0) > 0 ? 'S' : ' ';
}

/** What the letters mean, where there are any. */
function legend(model: Model): string {
  const signs = new Set([...model.feed.sessions.states.values()].map(stateSign));
  const known = { T: 'T in MULTI', S: 'S subscribed' } as const;
  return Object.entries(known)
    .filter(([sign]) => signs.has(sign))
    .map(([, text]) => `   ${text}`)
    .join('');
}

/** `12s`, `3m`, `2h`. */
function ageText(us: number): string {
  const seconds = Math.max(0, us / 1e6);
  if (seconds < 100) return `${Math.floor(seconds)}s`;
  return seconds < 6000 ? `${Math.floor(seconds / 60)}m` : `${Math.floor(seconds / 3600)}h`;
}

export const connsPane: LinesPane = {
  id: 'conns',
  title: 'Conns',
  head,
  lines,
  count: (model) => (model.tabOf('conns') === 1 ? links(model) : items(model)).length,
  condition: (model) => {
    if (model.tabOf('conns') === 1) {
      const list = links(model);
      const link = list[model.cursorOf('conns', list.length)];
      return link === undefined ? null : `node.addr=${quoted(link.address)}`;
    }
    const session = clientAtCursor(model);
    return session === null ? null : `conn=${session.connection}`;
  },
  tabs: TABS,
  hints: [
    'open',
    'next-row',
    'previous-tab',
    'only-this',
    'hide-this',
    'close-client',
    'close',
    'help',
  ],
};
