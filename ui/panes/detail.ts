/** Pane 2: everything about the focused command. */
import type { Facts } from 'rmtop';
import { hexLines, respLines } from '../detail/bytes.js';
import { attemptLines, decisionLines } from '../detail/decision-tab.js';
import { decodedLines } from '../detail/decoded.js';
import { comparedNow, diffLines } from '../detail/diff.js';
import { relatedTo } from '../detail/related.js';
import { titleOf } from '../detail/title.js';
import type { Model } from '../model.js';
import type { LinesPane, Room } from '../panes.js';
import type { Row } from '../store/rows.js';
import { rowsAsLines } from '../stream/draw.js';
import { fit } from '../text/fit.js';

export const DETAIL_TABS: readonly string[] = [
  'Decision',
  'Decoded',
  'Hex',
  'RESP',
  'Related',
  'Diff',
];

function head(model: Model, { width }: Room): readonly string[] {
  const { look } = model;
  const facts = model.focusedFacts();
  const tabs = DETAIL_TABS.map((tab, i) =>
    i === model.tabOf('detail') ? look.theme.reverse(`[${tab}]`) : ` ${tab} `,
  ).join(' ');
  const title = facts === null ? 'no command has the focus' : titleOf(facts, look.unicode, width);
  return [look.theme.bold(fit(` ${title}`, width)), ` ${tabs}`, ''];
}

function lines(model: Model, { width }: Room): readonly string[] {
  const facts = model.focusedFacts();
  const row = model.viewport.focused;
  if (facts === null || row === null) return [' Choose a row in the stream (1) and press Enter.'];
  const { look } = model;
  switch (DETAIL_TABS[model.tabOf('detail')]) {
    case 'Decoded':
      return decodedLines(facts, look, width, model.codec);
    case 'Hex':
      return hexLines(facts, look, width);
    case 'RESP':
      return respLines(facts, look, width);
    case 'Diff':
      return diffLines(model, look, width);
    case 'Related':
      return relatedLines(model, row, facts, width);
    default:
      return decisionLines(facts, look, width, model.feed.clock);
  }
}

function relatedLines(model: Model, row: Row, facts: Facts, width: number): readonly string[] {
  const { theme } = model.look;
  const { sameKey, neighbours, tries } = relatedTo(row, model.feed);
  const [, ...attempts] = facts.hops === 0 ? [] : attemptLines(facts, model.look, width);
  return [
    ...(attempts.length === 0 ? [] : [...attempts, '']),
    ...(tries.length === 0
      ? []
      : [
          ` ${theme.bold('tried again by the client')} ${theme.paint('dim', 'the same request, within 1 s of its failure')}`,
          ...rowsAsLines(model, tries, width),
          '',
        ]),
    ` ${theme.bold('same key')}`,
    ...(sameKey.length === 0 ? ['  none in memory'] : rowsAsLines(model, sameKey, width)),
    '',
    ` ${theme.bold('same connection')}`,
    ...rowsAsLines(model, neighbours, width),
  ];
}

/** Long tabs are made once, not at every frame: the last one is kept until something it shows changes. */
function remembering(make: LinesPane['lines']): LinesPane['lines'] {
  const kept = new WeakMap<Model, { key: string; lines: readonly string[] }>();
  return (model, room) => {
    const row = model.viewport.focused;
    const key = [
      row?.seq,
      row?.kind,
      model.tabOf('detail'),
      room.width,
      model.look.theme.name,
      model.codec,
      JSON.stringify(model.compared),
      model.time,
      row === null ? '' : model.feed.marks.of(row.seq)?.note,
    ].join();
    const known = kept.get(model);
    if (known?.key === key) return known.lines;
    const made = make(model, room);
    kept.set(model, { key, lines: made });
    return made;
  };
}

export const detailPane: LinesPane = {
  id: 'detail',
  title: 'Detail',
  head,
  lines: remembering(lines),
  tabs: DETAIL_TABS,
  hints: ['previous-tab', 'next-row', 'filter', 'copy', 'close', 'help'],
};

/** `=`: the Diff tab, with what can be compared now. */
export function showDiff(model: Model): void {
  const compared = comparedNow(model);
  if (compared === null) {
    model.toasts.answer('mark a command with m, go to another and press =; or mark two');
    return;
  }
  model.compared = compared;
  model.tabs.detail = DETAIL_TABS.indexOf('Diff');
  model.show('detail');
}
