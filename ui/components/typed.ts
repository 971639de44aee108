/** A line of text while it is typed. */
import type { Look } from '../look.js';
import { fit, widthOf } from '../text/fit.js';
import type { LineEdit } from '../text/line-edit.js';
import { printableText } from '../text/printable.js';

/** `line` with its cursor, in `room` cells; where it is longer than its room, the part around the cursor. */
export function typedText(line: LineEdit, look: Look, room: number): string {
  const before = printableText(line.text.slice(0, line.cursor), look);
  const after = printableText(line.text.slice(line.cursor), look);
  const at = after === '' ? ' ' : ([...after][0] ?? ' ');
  const width = Math.max(4, room);
  const hidden = Math.max(0, widthOf(before) + 1 - width);
  const shownBefore = hidden === 0 ? before : `~${[...before].slice(hidden + 1).join('')}`;
  const rest = Math.max(0, width - widthOf(shownBefore) - widthOf(at));
  const shownAfter = fit([...after].slice(1).join(''), rest);
  return `${shownBefore}${look.theme.reverse(at)}${shownAfter}`;
}
