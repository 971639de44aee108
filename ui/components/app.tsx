/** The screen as Ink lays it out: lines above and below, the pane between them. */
import type { ReactNode } from 'react';
import { Box, type LinesOf, Region, Text } from '../ink.js';
import type { Layout } from '../layout.js';
import { MENUS } from '../menus.js';
import type { Model } from '../model.js';
import { FirstScreen, type FirstScreenProps } from './first-screen.js';
import { MenuView } from './menu.js';

/** What is between the filter and the news. */
export type Body =
  | { readonly kind: 'first'; readonly props: FirstScreenProps }
  | { readonly kind: 'panes' }
  | { readonly kind: 'menu' };

/** The parts that Ink lays out: while they are the same, its frame is. */
export type Chrome = {
  readonly layout: Layout;
  readonly header: string;
  readonly tabs: string;
  readonly filter: string;
  readonly filterHelp: readonly string[];
  readonly body: Body;
  readonly news: string;
  readonly keys: string;
};

/** The lines that are painted past Ink. */
export type Regions = {
  readonly panes: LinesOf;
  readonly totals: LinesOf;
};

type Props = { readonly model: Model; readonly chrome: Chrome; readonly regions: Regions };

export function App({ model, chrome, regions }: Props): ReactNode {
  const { layout } = chrome;
  if (layout.kind === 'totals') return <Region height={layout.bodyRows} lines={regions.totals} />;
  return (
    <Box flexDirection="column" width={layout.columns} height={layout.rows}>
      <Line text={chrome.header} />
      {layout.hasTabs ? <Line text={chrome.tabs} /> : null}
      <Line text={chrome.filter} />
      {chrome.filterHelp.map((text, i) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: they are lines: what counts is where they are
        <Line key={i} text={text} />
      ))}
      <Box flexDirection="column" height={layout.bodyRows} flexShrink={0}>
        <BodyView model={model} chrome={chrome} regions={regions} />
      </Box>
      <Line text={chrome.news} />
      {layout.hasKeyLine ? <Line text={chrome.keys} /> : null}
    </Box>
  );
}

/** One line, whatever is in it. */
function Line({ text }: { readonly text: string }): ReactNode {
  return (
    <Box height={1} flexShrink={0}>
      <Text wrap="truncate">{text}</Text>
    </Box>
  );
}

function BodyView({ model, chrome, regions }: Props): ReactNode {
  const { layout, body } = chrome;
  const { bodyRows, columns } = layout;
  switch (body.kind) {
    case 'first':
      return <FirstScreen model={model} props={body.props} width={columns} />;
    case 'menu':
      return model.dialog?.kind === 'menu' ? (
        <MenuView
          model={model}
          menu={MENUS[model.dialog.id]}
          dialog={model.dialog}
          width={columns}
          height={bodyRows}
        />
      ) : null;
    case 'panes':
      return <Region height={bodyRows} lines={regions.panes} />;
  }
}
