/** One row of the stream as a line of the screen. */
import type { Facts } from 'rmtop';
import type { Look } from '../look.js';
import { fit, fitMiddle, fitRight } from '../text/fit.js';
import type { Meaning } from '../theme.js';
import { type CellContext, cellText, mirrorSymbol, stateSymbol } from './cells.js';
import type { Column, ColumnId } from './columns.js';

/** The line of a command, exactly as wide as its columns. In focus it is reversed, and its first character is `>`. */
export function rowLine(
  facts: Facts,
  columns: readonly Column[],
  context: CellContext,
  look: Look,
  isFocused: boolean,
): string {
  let line = '';
  for (const column of columns) {
    const text = cellText(facts, column, context);
    const cell = column.right
      ? fitRight(text, column.width)
      : column.id === 'key'
        ? fitMiddle(text, column.width)
        : fit(text, column.width);
    if (line !== '') line += ' ';
    if (isFocused) line += column.id === 'state' ? `>${cell.slice(1)}` : cell;
    else {
      const meaning = meaningOf(facts, column.id);
      line += meaning === null ? cell : look.theme.paint(meaning, cell);
    }
  }
  return isFocused ? look.theme.reverse(line) : line;
}

function meaningOf(facts: Facts, column: ColumnId): Meaning | null {
  switch (column) {
    case 'n':
    case 'time':
      return 'dim';
    case 'm':
      return (
        ({ x: 'error', '!': 'error', '+': 'good' }[mirrorSymbol(facts)] as Meaning | undefined) ??
        'dim'
      );
    case 'f':
      return facts.fault === null ? 'dim' : 'fault';
    case 'state':
      return (
        ({ '!': 'error', x: 'error', '^': 'slow', w: 'dim' }[stateSymbol(facts)] as
          | Meaning
          | undefined) ?? (facts.mark === undefined ? null : 'slow')
      );
    case 'command':
    case 'p':
      if (facts.parts.length === 0) return null;
      return facts.event?.command.spec?.envoyWrite ? 'write' : 'read';
    case 'ms':
      return facts.isSlow ? 'slow' : null;
    case 'reply':
      return facts.isError ? 'error' : null;
    default:
      return null;
  }
}

/** The heads of the columns; the one that `*` and `#` act on is underlined by reversing it. */
export function headLine(columns: readonly Column[], look: Look, cell: ColumnId): string {
  const { theme } = look;
  return columns
    .map(({ id, head, width, right }) => {
      const text = right ? fitRight(head, width) : fit(head, width);
      if (id !== cell) return theme.paint('dim', text);
      const trimmed = text.trim();
      return text.replace(trimmed, theme.reverse(trimmed));
    })
    .join(' ');
}
