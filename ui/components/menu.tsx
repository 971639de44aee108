/** A list over the panes, as Ink lays it out: what is typed, and the lines that fit it. */
import type { ReactNode } from 'react';
import { Box, Text } from '../ink.js';
import type { Menu, MenuDialog, MenuEntry } from '../menu.js';
import type { Model } from '../model.js';
import { fit, widthOf } from '../text/fit.js';
import { printableEscaped } from '../text/printable.js';
import { typedText } from './typed.js';

type Props = {
  readonly model: Model;
  readonly menu: Menu;
  readonly dialog: MenuDialog;
  readonly width: number;
  readonly height: number;
};

/** Draws it, `height` lines high. */
export function MenuView({ model, menu, dialog, width, height }: Props): ReactNode {
  const { theme } = model.look;
  const entries = menu.entries(model, dialog.query.text);
  const room = Math.max(1, height - 2);
  const top = menuTop(dialog, entries.length, height);
  const title = ` ${menu.title(model)} > `;
  const queryRoom = Math.max(10, width - widthOf(title) - 1);
  const query = menu.typed === false ? '' : typedText(dialog.query, model.look, queryRoom);
  const note = dialog.note === '' ? ' ' : ` ${printableEscaped(dialog.note, model.look)}`;
  const leftWidth = leftWidthFor(entries, width);
  return (
    <Box flexDirection="column">
      <Text wrap="truncate">{`${theme.bold(title)}${query}`}</Text>
      <Text wrap="truncate">{theme.paint('error', fit(note, width))}</Text>
      {entries.slice(top, top + room).map((entry, i) => (
        <Text key={`${entry.section} ${entry.left} ${entry.right}`} wrap="truncate">
          {entryLine(model, entry, top + i === dialog.at, leftWidth, width)}
        </Text>
      ))}
      {entries.length === 0 ? <Text>{' nothing fits'}</Text> : null}
    </Box>
  );
}

/** The first of `count` entries that a list of `height` lines shows. */
export function menuTop(dialog: MenuDialog, count: number, height: number): number {
  const room = Math.max(1, height - 2);
  return Math.max(0, Math.min(dialog.at - Math.floor(room / 2), count - room));
}

const SECTION = 8;

/** As wide as the longest, within reason. */
function leftWidthFor(entries: readonly MenuEntry[], width: number): number {
  const longest = entries.reduce((most, { left }) => Math.max(most, widthOf(left)), 12);
  return Math.min(longest, Math.floor(width / 2) - SECTION);
}

function entryLine(
  model: Model,
  entry: MenuEntry,
  isFocused: boolean,
  leftWidth: number,
  width: number,
): string {
  const { look } = model;
  const section = fit(entry.section, SECTION);
  const right = fit(
    printableEscaped(entry.right, look),
    Math.max(0, width - leftWidth - SECTION - 4),
  );
  const text = `${fit(printableEscaped(entry.left, look), leftWidth)}  ${right}`;
  if (isFocused) return look.theme.reverse(`>${section} ${text}`);
  return ` ${look.theme.paint('dim', section)} ${text}`;
}
