/** Pane 8: the clients' connections. */
import type { Model } from '../model.js';
import type { LinesPane } from '../panes.js';
import { plural } from '../text/figures.js';
import { fit, fitRight } from '../text/fit.js';
import { printableText } from '../text/printable.js';

/** Closed ones are kept for their rows' sake; here the latest will do. */
const CLOSED_SHOWN = 100;

function head(model: Model, width: number): readonly string[] {
  const { theme } = model.look;
  const { sessions, rows } = model.feed;
  const waiting =
    rows.waiting === 0 ? '' : `, ${plural(rows.waiting, 'command')} waiting for a reply`;
  return [
    ` ${plural(sessions.open, 'client')} connected${waiting}`,
    theme.paint(
      'dim',
      fit(
        ' CONN   ADDRESS                NAME             LIBRARY              RESP    AGE',
        width,
      ),
    ),
  ];
}

function lines(model: Model, width: number): readonly string[] {
  const { look, feed } = model;
  const nowUs = feed.nowUs();
  return feed.sessions
    .list()
    .filter((session, i) => session.closedUs === null || i < CLOSED_SHOWN)
    .map((session) => {
      const text = (value: string | null): string => printableText(value ?? '-', look);
      const age = (session.closedUs ?? nowUs) - session.openedUs;
      const state = session.closedUs === null ? '' : `  closed: ${text(session.closedBecause)}`;
      const line = [
        ` ${fit(`c${session.connection}`, 6)}`,
        fit(text(session.address), 22),
        fit(text(session.name), 16),
        fit(text(session.library), 20),
        fitRight(String(session.resp), 4),
        fitRight(ageText(age), 6),
      ].join(' ');
      const whole = fit(line + state, width);
      return session.closedUs === null ? whole : look.theme.paint('dim', whole);
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
  hints: ['j', 'g', 'G', 'esc', '?'],
};
