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
  if (facts === null || row === null)
    return [
      ` Choose a row in the stream (${model.keyOf('show-stream')}) and press ${model.keyOf('open')}.`,
    ];
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

/** What comes is related to what is looked at: so often the tab looks again, while anything comes. */
const RELATED_MS = 1000;

/**
 * Long tabs are made once, not at every frame: the last one is kept until something it shows changes. The Related tab follows what comes
 * at its own pace; a timer sees to it that the last of it is not left out.
 */
function remembering(make: LinesPane['lines']): LinesPane['lines'] {
  type Kept = {
    readonly key: string;
    readonly lines: readonly string[];
    readonly arrived: number;
    readonly ms: number;
    timed: boolean;
  };
  const kept = new WeakMap<Model, Kept>();
  const isDue = (model: Model, known: Kept): boolean => {
    if (DETAIL_TABS[model.tabOf('detail')] !== 'Related') return false;
    if (model.feed.rows.arrived === known.arrived) return false;
    const leftMs = RELATED_MS - (performance.now() - known.ms);
    if (leftMs <= 0) return true;
    if (!known.timed) setTimeout(model.effects.changed, leftMs).unref();
    known.timed = true;
    return false;
  };
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
      row === null ? '' : JSON.stringify(model.replay?.stateOf(row.seq)),
      model.time,
      row === null ? '' : model.feed.marks.of(row.seq)?.note,
    ].join();
    const known = kept.get(model);
    if (known?.key === key && !isDue(model, known)) return known.lines;
    const made = make(model, room);
    const { arrived } = model.feed.rows;
    kept.set(model, { key, lines: made, arrived, ms: performance.now(), timed: false });
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
    model.toasts.answer(
      `mark a command with ${model.keyOf('mark')}, go to another and press ${model.keyOf('compare')}; or mark two`,
    );
    return;
  }
  model.compared = compared;
  model.tabs.detail = DETAIL_TABS.indexOf('Diff');
  model.show('detail');
}
