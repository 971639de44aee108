/** Reading what came: finding, going to, ordering, marking, and how it is shown. */
import { complete } from 'rmtop';
import { clearRows } from '../actions/clear.js';
import { goBack, jumpTo } from '../actions/jumps.js';
import { clearMarks, markBetween, markFitting, toggleMark } from '../actions/marks.js';
import { orderBy, orderByArrival } from '../actions/order.js';
import { findCommand } from '../actions/seek.js';
import type { Command } from '../commands.js';
import { knownValues } from '../known.js';
import type { Model } from '../model.js';
import { showDiff } from '../panes/detail.js';
import { TIME_MODES } from '../stream/cells.js';
import { COLUMN_IDS, type ColumnId } from '../stream/columns.js';
import { CODEC_NAMES, CODECS } from '../values/kinds.js';

function isColumn(name: string): name is ColumnId {
  return (COLUMN_IDS as readonly string[]).includes(name);
}

function expressions(model: Model, typed: string): readonly string[] {
  const { from, options } = complete(typed, typed.length, (field) => knownValues(model, field));
  return options.slice(0, 50).map((option) => typed.slice(0, from) + option);
}

/** `#48104` is a number, `12.4s` a time since the start: the first command from then on. */
function goto(model: Model, rest: string): string | null {
  const { rows } = model.feed;
  if (rows.length === 0) return 'nothing has come yet';
  const number = /^#?(\d+)$/.exec(rest)?.[1];
  const seconds = /^(\d+(?:\.\d+)?)s$/.exec(rest)?.[1];
  if (number !== undefined) {
    const index = Math.min(rows.indexOf(Number(number)), rows.length - 1);
    const seq = rows.seqAt(index);
    jumpTo(model, seq);
    if (seq !== Number(number)) model.toasts.answer(`#${number} is not in memory; the nearest is`);
    return null;
  }
  if (seconds === undefined) return '#48104 or 12.4s';
  let low = 0;
  let high = rows.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (model.factsOf(rows.row(middle)).atUs < Number(seconds) * 1e6) low = middle + 1;
    else high = middle;
  }
  jumpTo(model, rows.seqAt(low));
  return null;
}

function order(model: Model, rest: string): string | null {
  const [column = '', direction] = rest.split(/\s+/);
  if (column === 'arrival') orderByArrival(model);
  else if (isColumn(column)) orderBy(model, column, direction === 'reverse');
  else return `there is no column ${column}: ${COLUMN_IDS.join(' ')}`;
  return null;
}

function columns(model: Model, rest: string): string | null {
  if (rest === 'auto') {
    model.columns = null;
    return null;
  }
  const names = rest.split(/[\s,]+/).filter(Boolean);
  const wrong = names.find((name) => !isColumn(name));
  if (wrong !== undefined) return `there is no column ${wrong}: ${COLUMN_IDS.join(',')}`;
  model.columns = names.filter(isColumn);
  return null;
}

function mark(model: Model, rest: string): string | null {
  if (rest === '') toggleMark(model);
  else return rest === 'between' ? markBetween(model) : markFitting(model, rest);
  return null;
}

function note(model: Model, rest: string): string | null {
  const { focus } = model.viewport;
  if (focus === null) return 'no command has the focus';
  model.viewport.stay();
  model.feed.marks.write(focus, rest);
  return null;
}

export const readingCommands: readonly Command[] = [
  {
    name: 'clear',
    usage: 'all | hidden',
    help: 'take rows off the list: all, or what the filter hides',
    alone: true,
    options: () => ['all', 'hidden'],
    run: (model, rest) => {
      if (rest !== '' && rest !== 'all' && rest !== 'hidden') return 'all, hidden';
      clearRows(model, rest === 'hidden' ? 'hidden' : 'all');
      return null;
    },
  },
  {
    name: 'diff',
    usage: '',
    help: 'compare the replies of two marks, of a mark and the command in focus, or of a copy',
    alone: true,
    run: (model) => {
      showDiff(model);
      return null;
    },
  },
  {
    name: 'find',
    usage: 'EXPRESSION',
    help: 'the next command that fits; nothing is hidden',
    alone: false,
    options: expressions,
    run: findCommand,
    silent: true,
  },
  {
    name: 'goto',
    usage: '#NUMBER | 12.4s',
    help: 'a command by its number, or by when it came',
    alone: false,
    run: goto,
  },
  {
    name: 'forward',
    usage: '',
    help: 'where ctrl-o came back from',
    alone: true,
    run: (model) => {
      goBack(model, 1);
      return null;
    },
    silent: true,
  },
  {
    name: 'order',
    usage: 'COLUMN [reverse] | arrival',
    help: 'the rows in memory by a column: a snapshot',
    alone: false,
    options: () => ['arrival', ...COLUMN_IDS.flatMap((id) => [id, `${id} reverse`])],
    run: order,
  },
  {
    name: 'columns',
    usage: 'A,B,C | auto',
    help: 'the columns of the stream',
    alone: false,
    options: (_, typed) => {
      const from = typed.lastIndexOf(',') + 1;
      return ['auto', ...COLUMN_IDS].map((id) => typed.slice(0, from) + id);
    },
    run: columns,
  },
  {
    name: 'mark',
    usage: '[EXPRESSION | between]',
    help: 'mark the command in focus, all that fit, or all between two marks',
    alone: true,
    options: expressions,
    run: mark,
  },
  {
    name: 'unmark',
    usage: '',
    help: 'take all marks away',
    alone: true,
    run: (model) => {
      clearMarks(model);
      return null;
    },
  },
  { name: 'note', usage: 'TEXT', help: 'a note to the command in focus', alone: false, run: note },
  {
    name: 'time',
    usage: TIME_MODES.join(' | '),
    help: 'the time of day, since the start, or since the row above',
    alone: false,
    options: () => TIME_MODES,
    run: (model, rest) => {
      const mode = TIME_MODES.find((each) => each === rest);
      if (mode === undefined) return TIME_MODES.join(', ');
      model.time = mode;
      return null;
    },
  },
  {
    name: 'decode',
    usage: `auto | ${CODECS.join(' | ')}`,
    help: 'what the Decoded tab takes values for',
    alone: false,
    options: () => ['auto', ...CODECS],
    run: (model, rest) => {
      const codec = CODECS.find((each) => each === rest);
      if (codec === undefined && rest !== 'auto') return `auto, ${CODECS.join(', ')}`;
      model.codec = codec ?? null;
      model.toasts.answer(
        `values are shown as ${codec === undefined ? 'what they look like' : CODEC_NAMES[codec]}`,
      );
      return null;
    },
  },
];
