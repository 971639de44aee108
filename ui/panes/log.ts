/** Pane 9: what happened besides commands. */
import type { Model } from '../model.js';
import type { LinesPane, Room } from '../panes.js';
import { fit, wrap } from '../text/fit.js';
import { printableText } from '../text/printable.js';
import { warningsOf } from '../warnings.js';

function lines(model: Model, { width }: Room): readonly string[] {
  const { look, feed } = model;
  const entries = feed.journal.list;
  if (entries.length === 0) return [' Nothing yet.'];
  return entries.flatMap((entry) => {
    const time = feed.clock.text(entry.atUs).slice(0, 12);
    const times = entry.times > 1 ? ` (x${entry.times})` : '';
    const word = entry.level === 'info' ? '' : `${entry.level}: `;
    const text = printableText(`${word}${entry.text}${times}`, look);
    const next =
      entry.next === null ? [] : wrap(`next: ${printableText(entry.next, look)}`, width - 16);
    return [...wrap(text, width - 14), ...next.map((line) => `  ${line}`)].map((line, i) => {
      const painted =
        entry.level === 'info'
          ? line
          : look.theme.paint(entry.level === 'error' ? 'error' : 'slow', line);
      return ` ${look.theme.paint('dim', i === 0 ? time : ' '.repeat(12))} ${i === 0 ? painted : line}`;
    });
  });
}

/** What is in force now stands above what has happened. */
function head(model: Model, { width }: Room): readonly string[] {
  const { look } = model;
  const warnings = warningsOf(model).slice(0, 4);
  const lines = warnings.flatMap(({ text, next }) => [
    look.theme.paint('slow', fit(` ! ${printableText(text, look)}`, width)),
    ...(next === '' ? [] : [fit(`   next: ${printableText(next, look)}`, width)]),
  ]);
  return lines.length === 0 ? [] : [...lines, look.theme.paint('dim', look.rule.repeat(width))];
}

export const logPane: LinesPane = {
  id: 'log',
  title: 'Log',
  head,
  lines,
  hints: ['next-row', 'first-row', 'filter', 'last-row', 'close', 'help'],
};
