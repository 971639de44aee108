/** Pane 8: the clients' connections, and what each has asked for. */
import type { Model } from '../model.js';
import type { LinesPane, Room } from '../panes.js';
import type { Session } from '../store/sessions.js';
import { count, milliseconds, plural, short } from '../text/figures.js';
import { fit, fitRight } from '../text/fit.js';
import { printableText } from '../text/printable.js';

/** Closed ones are kept for their rows' sake; here the latest will do. */
const CLOSED_SHOWN = 100;

function items(model: Model): readonly Session[] {
  return model.feed.sessions
    .list()
    .filter((session, i) => session.closedUs === null || i < CLOSED_SHOWN);
}

type Column = readonly [name: string, width: number, right: boolean, from: number];

/** The last number: the width of the pane from which the column is shown. */
const COLUMNS: readonly Column[] = [
  ['CONN', 6, false, 0],
  ['ADDRESS', 21, false, 70],
  ['NAME', 14, false, 0],
  ['LIBRARY', 18, false, 110],
  ['RESP', 4, true, 110],
  ['AGE', 5, true, 0],
  ['OPS/S', 7, true, 0],
  ['CALLS', 8, true, 60],
  ['ERR', 5, true, 60],
  ['BYTES', 6, true, 78],
  ['MAX ms', 7, true, 78],
];

function row(mark: string, cells: readonly string[], width: number): string {
  const shown = COLUMNS.flatMap(([, own, right, from], i) =>
    width < from ? [] : [right ? fitRight(cells[i] ?? '', own) : fit(cells[i] ?? '', own)],
  );
  return `${mark}${shown.join(' ')}`;
}

function head(model: Model, { width }: Room): readonly string[] {
  const { theme } = model.look;
  const { sessions, rows } = model.feed;
  const waiting =
    rows.waiting === 0 ? '' : `, ${plural(rows.waiting, 'command')} waiting for a reply`;
  return [
    fit(` ${plural(sessions.open, 'client')} connected${waiting}`, width),
    theme.paint(
      'dim',
      fit(
        row(
          ' ',
          COLUMNS.map(([name]) => name),
          width,
        ),
        width,
      ),
    ),
  ];
}

function lines(model: Model, { width }: Room): readonly string[] {
  const { look, feed } = model;
  const nowUs = feed.nowUs();
  const sessions = items(model);
  const cursor = model.pane === 'conns' ? model.cursorOf('conns', sessions.length) : -1;
  return sessions.map((session, i) => {
    const text = (value: string | null): string => printableText(value ?? '-', look);
    const tally = feed.tallies.clients.known(String(session.connection));
    const rate = tally?.rate(nowUs) ?? 0;
    const cells = [
      `c${session.connection}`,
      text(session.address),
      text(session.name),
      text(session.library),
      String(session.resp),
      ageText((session.closedUs ?? nowUs) - session.openedUs),
      rate < 10 ? rate.toFixed(1) : count(Math.round(rate)),
      short(tally?.calls ?? 0),
      short(tally?.errors ?? 0),
      short(tally?.bytes ?? 0),
      milliseconds(tally?.maxUs ?? 0, 7),
    ];
    const state = session.closedUs === null ? '' : `  closed: ${text(session.closedBecause)}`;
    const line = fit(row(i === cursor ? '>' : ' ', cells, width) + state, width);
    if (i === cursor) return look.theme.reverse(line);
    return session.closedUs === null ? line : look.theme.paint('dim', line);
  });
}

/** `12s`, `3m`, `2h`. */
function ageText(us: number): string {
  const seconds = Math.max(0, us / 1e6);
  if (seconds < 100) return `${Math.floor(seconds)}s`;
  return seconds < 6000 ? `${Math.floor(seconds / 60)}m` : `${Math.floor(seconds / 3600)}h`;
}

export const connsPane: LinesPane = {
  id: 'conns',
  key: '8',
  title: 'Conns',
  head,
  lines,
  count: (model) => items(model).length,
  condition: (model) => {
    const sessions = items(model);
    const session = sessions[model.cursorOf('conns', sessions.length)];
    return session === undefined ? null : `conn=${session.connection}`;
  },
  hints: ['j', '*', '#', 'esc', '?'],
};
