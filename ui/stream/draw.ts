/** The stream's table and the strip under it, as lines. */
import { Facts } from 'rmtop';
import { mostTelling, statementLine, statements } from '../detail/decision.js';
import { titleOf } from '../detail/title.js';
import { who } from '../detail/who.js';
import type { Model } from '../model.js';
import type { Row } from '../store/rows.js';
import { fit, widthOf } from '../text/fit.js';
import { type Column, columnsFor } from './columns.js';
import { headLine, rowLine } from './line.js';
import { isSummedUp, summaryLines } from './summary.js';

/** The columns for the model as it is: connection numbers and node names grow. */
export function columnsOf(model: Model, width: number): readonly Column[] {
  const needs = {
    client: 1 + String(model.feed.sessions.highest).length,
    node: Math.min(16, model.feed.aliasWidth),
  };
  return columnsFor(width, needs, model.columns);
}

/** The heads of the columns and the rows below, `height` lines in all. */
export function streamLines(model: Model, width: number, height: number): string[] {
  if (isSummedUp(model)) return summaryLines(model, width, height);
  const columns = columnsOf(model, width);
  const lines = [headLine(columns, model.look, model.cell)];
  lines.push(...linesOf(model, model.viewport.rows, columns));
  if (model.viewport.rows.length === 0) lines.push(...nothingShown(model));
  return lines.slice(0, height);
}

function nothingShown(model: Model): string[] {
  const { rows } = model.feed;
  if (rows.length === 0)
    return rows.cleared > 0 ? ['', '   Cleared. What comes next is shown here.'] : [];
  const text =
    rows.unchecked > 0
      ? 'looking ...'
      : 'The filter lets none of them through.  ! switches it off.';
  return ['', `   ${text}`];
}

/** Rows of other tables of commands, drawn as those of the stream. */
export function rowsAsLines(model: Model, rows: readonly Row[], width: number): string[] {
  return linesOf(model, rows, columnsOf(model, width));
}

function linesOf(model: Model, rows: readonly Row[], columns: readonly Column[]): string[] {
  const { feed, look, viewport } = model;
  const facts = new Facts(feed);
  let previousUs: number | null = null;
  return rows.map((row) => {
    facts.load(row.kind === 'pending' ? row.event : row.block.command(row.offset, feed.context));
    const { unicode } = look;
    const context = { unicode, clock: feed.clock, time: model.time, previousUs };
    previousUs = facts.atUs;
    return rowLine(facts, columns, context, look, row.seq === viewport.focus);
  });
}

/** About as much as a reply's line has besides its value. */
const TIMES = 68;

/** The strip: a rule with the focused command in it, then why it went where it went. */
export function stripLines(model: Model, width: number, height: number): string[] {
  const { look } = model;
  const facts = model.focusedFacts();
  if (facts === null) return [look.theme.paint('dim', look.rule.repeat(width))];
  const rule = (n: number): string => look.theme.paint('dim', look.rule.repeat(n));
  // The times stand behind the value, and are to be seen.
  const valueLimit = Math.max(12, Math.min(60, width - TIMES));
  const list = [...statements(facts, look.unicode, 60, valueLimit)];
  const about = who(facts, look.unicode, model.feed.clock);
  if (list.length + about.length < height) list.push(...about);
  const shown = mostTelling(list, height - 1);
  const hidden = list.length - shown.length;
  const more = hidden === 0 ? '' : ` ${model.keyOf('open')}: ${hidden} more `;
  const whole = titleOf(facts, look.unicode, width);
  const title = fit(whole, Math.min(width - 8 - more.length, widthOf(whole)));
  const rest = Math.max(0, width - 6 - widthOf(title) - more.length);
  const end = `${look.theme.paint('dim', more)}${rule(1)}`;
  return [
    `${rule(3)} ${look.theme.bold(title)} ${rule(rest)}${end}`,
    ...shown.map((each) => statementLine(each, look, width)),
  ];
}
