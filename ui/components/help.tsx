/** The help over the pane: a list that can be searched, each line of which can be done with Enter. */
import type { ReactNode } from 'react';
import { type HelpEntry, helpEntries } from '../help-entries.js';
import { Box, Text } from '../ink.js';
import type { Dialog, Model } from '../model.js';
import { fit } from '../text/fit.js';
import { printableText } from '../text/printable.js';

type Props = {
  readonly model: Model;
  readonly dialog: Extract<Dialog, { kind: 'help' }>;
  readonly width: number;
  readonly height: number;
};

/** Draws it, `height` lines high. */
export function Help({ model, dialog, width, height }: Props): ReactNode {
  const { theme } = model.look;
  const entries = helpEntries(dialog);
  const room = Math.max(1, height - 2);
  const top = Math.max(0, Math.min(dialog.at - Math.floor(room / 2), entries.length - room));
  const title = dialog.topic === 'keys' ? 'Keys' : 'The filter language';
  const other = dialog.topic === 'keys' ? 'the filter language' : 'keys';
  const query = printableText(dialog.query.text, model.look);
  return (
    <Box flexDirection="column">
      <Text wrap="truncate">
        {` ${theme.bold(title)}   search: ${query}${theme.reverse(' ')}   ${theme.paint('dim', `? ${other}`)}`}
      </Text>
      <Text> </Text>
      {entries.slice(top, top + room).map((entry, i) => (
        <Text key={`${entry.section} ${entry.left}`} wrap="truncate">
          {entryLine(model, entry, top + i === dialog.at, width)}
        </Text>
      ))}
      {entries.length === 0 ? <Text>{' nothing fits'}</Text> : null}
    </Box>
  );
}

function entryLine(model: Model, entry: HelpEntry, isFocused: boolean, width: number): string {
  const { theme } = model.look;
  const leftWidth = width >= 100 ? 30 : 26;
  const section = fit(entry.section, 8);
  const text = `${fit(entry.left, leftWidth)} ${fit(entry.right, Math.max(0, width - leftWidth - 13))}`;
  if (isFocused) return theme.reverse(`>${section} ${text}`);
  return ` ${theme.paint('dim', section)} ${text}`;
}
