/** The third line: the filter, and what it leaves of the commands in memory; and the two lines that help while it is typed. */
import type { Model } from '../model.js';
import { isSummedUp } from '../stream/summary.js';
import { count, short, size } from '../text/figures.js';
import { cut, fit, widthOf } from '../text/fit.js';
import { printableText } from '../text/printable.js';
import { typedText } from './typed.js';

/** The line under the tabs. */
export function filterLine(model: Model, width: number): string {
  const right = rightPart(model, width);
  const room = Math.max(0, width - widthOf(right) - 1);
  return `${inputText(model, room)} ${right}`;
}

function inputText(model: Model, room: number): string {
  const { filterBar, look } = model;
  if (filterBar.line !== null) return ` / ${typedText(filterBar.line, look, room - 3)}`;
  const off = filterBar.isOn || filterBar.isEmpty ? '' : '(off) ';
  const text = fit(` / ${off}${printableText(filterBar.text, look)}`, room);
  return filterBar.isOn && !filterBar.isEmpty ? text : look.theme.paint('dim', text);
}

function rightPart(model: Model, width: number): string {
  const { filterBar, look, feed } = model;
  const { theme } = look;
  const number = numbersAt(width);
  const parts: string[] = [];
  if (filterBar.line !== null) {
    const { problem } = filterBar;
    parts.push(
      problem === null
        ? theme.paint('good', 'valid')
        : theme.paint('error', `error at ${problem.column}`),
    );
  }
  parts.push(shownText(model, width));
  if (width >= 120 && feed.rows.evicted > 0) parts.push(`evicted ${number(feed.rows.evicted)}`);
  if (width >= 120 && feed.rows.cleared > 0) parts.push(`cleared ${number(feed.rows.cleared)}`);
  if (width >= 180) parts.push(`memory ${size(feed.rows.sizeBytes)}B`);
  if (feed.lost > 0)
    parts.push(
      theme.reverse(` LOST ${number(feed.lost)}${width >= 120 ? ' rows (screen too slow)' : ''} `),
    );
  parts.push(modeText(model));
  return `${parts.join('  ')} `;
}

/** Where there is room, to the last one. */
function numbersAt(width: number): (n: number) => string {
  return width >= 180 ? count : short;
}

/** `1.2k/48.1k shown`; only the second while nothing is filtered. */
function shownText(model: Model, width: number): string {
  const { rows } = model.feed;
  const number = numbersAt(width);
  if (!model.sifter.isOn) return `${number(rows.length)} rows`;
  const checked = rows.length - rows.unchecked;
  const of = rows.unchecked === 0 ? number(rows.length) : `${number(checked)} checked`;
  return width >= 120
    ? `${number(rows.shown)} of ${of}${rows.unchecked === 0 ? ' shown' : ''}`
    : `${number(rows.shown)}/${of}${rows.unchecked === 0 ? ' shown' : ''}`;
}

function modeText(model: Model): string {
  const { theme } = model.look;
  if (model.feed.frozen) return theme.reverse(` FROZEN +${count(model.feed.heldBack)} `);
  const marked = model.onlyMarked ? `${theme.reverse(' MARKED ')} ` : '';
  const { ordered } = model.viewport;
  if (ordered !== null) {
    const { column, reverse } = ordered.order;
    return `${marked}${theme.reverse(` BY ${column}${reverse ? ' v' : ''} `)}`;
  }
  return marked + followText(model);
}

function followText(model: Model): string {
  const { theme } = model.look;
  if (isSummedUp(model)) return theme.reverse(' SUMMARY ');
  if (model.viewport.follow) return theme.paint('good', 'FOLLOW');
  return `ANCHOR #${model.viewport.focus ?? '-'}`;
}

/** Under the line while it is typed: what is wrong and what would be right, or how its words were read. */
export function filterHelp(model: Model, width: number): readonly string[] {
  const { filterBar, look } = model;
  const { problem, line } = filterBar;
  if (line === null) return [];
  const { theme } = look;
  if (problem !== null) {
    const at = widthOf(printableText(line.text.slice(0, problem.column - 1), look));
    const indent = ' '.repeat(Math.min(3 + at, Math.max(3, width - 40)));
    return [
      theme.paint('error', cut(`${indent}^ ${printableText(problem.message, look)}`, width)),
      cut(
        `${indent}  ${problem.hint ?? ''}${problem.hint === null ? '' : '   '}(showing the last valid filter)`,
        width,
      ),
    ];
  }
  const readings = filterBar.filter.readings
    .map(({ word, meaning }) => `${printableText(word, look)}: ${printableText(meaning, look)}`)
    .join('   ');
  const completions = filterBar.completions.slice(0, 12).join(' ');
  return [
    theme.paint(
      'dim',
      cut(
        `   ${readings === '' ? 'e.g.  get   user:*   err   rtt>2ms   node=s1.*   cmd in {GET, MGET}' : readings}`,
        width,
      ),
    ),
    theme.paint(
      'dim',
      cut(
        `   Enter keep   Esc undo   up history   Tab ${completions === '' ? 'completes' : completions}`,
        width,
      ),
    ),
  ];
}
