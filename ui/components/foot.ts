/** The tabs, and the two lines at the bottom: news or a question, and the keys that make sense now. */

import { clearText } from '../actions/clear.js';
import { clientText } from '../actions/clients.js';
import { faultsInALine } from '../actions/faults.js';
import { replayQuestion } from '../actions/replay.js';
import { type Action, shownKey } from '../key-table.js';
import { keyHint } from '../keys.js';
import type { Menu } from '../menu.js';
import { MENUS } from '../menus.js';
import type { Model } from '../model.js';
import { PANES, type Pane, paneOf } from '../panes.js';
import { isSummedUp, summaryText } from '../stream/summary.js';
import { count, plural } from '../text/figures.js';
import { cut, fit, widthOf } from '../text/fit.js';
import { printableText } from '../text/printable.js';
import { sinceText } from '../transport.js';
import { behindText } from './behind.js';
import { replayLine } from './replay-line.js';
import { typedText } from './typed.js';

/** A pane's tab, and the cells it takes in its line. */
export type TabSpan = { readonly pane: Pane; readonly from: number; readonly to: number };

/** As many tabs as there is room for. */
export function tabSpans(model: Model, width: number): readonly TabSpan[] {
  const spans: TabSpan[] = [];
  let from = 0;
  for (const pane of PANES) {
    const to = from + widthOf(labelOf(model, pane)) + (pane.id === model.pane ? 3 : 1);
    if (to > width) break;
    spans.push({ pane, from, to });
    from = to;
  }
  return spans;
}

function labelOf(model: Model, { id, title }: Pane): string {
  return `${model.keyOf(`show-${id}`)} ${title}`;
}

export function tabsLine(model: Model, width: number): string {
  const { theme } = model.look;
  return tabSpans(model, width)
    .map(({ pane }) => {
      const label = labelOf(model, pane);
      return pane.id === model.pane
        ? ` ${theme.bold(`[${label}]`)}`
        : ` ${theme.paint('dim', label)}`;
    })
    .join('');
}

/** A question, else a toast, else what happens that the eye cannot follow. */
export function newsLine(model: Model, width: number): string {
  const { look, dialog, toasts } = model;
  const { theme } = look;
  if (dialog?.kind === 'quit') {
    return theme.bold(cut(` Quit? y/N (${quitText(model)})`, width));
  }
  if (dialog?.kind === 'close')
    return theme.bold(cut(` Close ${clientText(model, dialog.connection)}? y/N`, width));
  if (dialog?.kind === 'replay')
    return theme.bold(cut(` ${replayQuestion(model, dialog)} y/N`, width));
  if (dialog?.kind === 'clear')
    return theme.bold(cut(` ${clearText(model, dialog.which)} y/N`, width));
  if (dialog?.kind === 'fault')
    return theme.bold(fit(` ${model.keyOf('faults')}> ${faultsInALine(model)}`, width));
  if (dialog?.kind === 'bind')
    return theme.bold(cut(` Press the key for ${dialog.action}; Esc leaves it`, width));
  if (dialog?.kind === 'prompt') {
    const { label, line, note } = dialog;
    const right = cut(`  ${printableText(note, look)} `, Math.floor(width / 2)).trimEnd();
    const room = Math.max(10, width - label.length - 3 - widthOf(right));
    return ` ${theme.bold(`${label}>`)} ${typedText(line, look, room)}${theme.paint('dim', right)}`;
  }
  const toast = toasts.current;
  if (toast !== null) {
    const times = toast.times > 1 ? ` x${toast.times}` : '';
    const next = toast.next === null ? '' : `   next: ${printableText(toast.next, look)}`;
    const text = fit(` ${printableText(toast.text, look)}${times}${next}`, width);
    if (toast.level === 'info') return text;
    return theme.paint(toast.level === 'error' ? 'error' : 'slow', text);
  }
  if (model.replay !== null && !model.feed.frozen) return replayLine(model, model.replay, width);
  const played = [behindText(model), playedText(model)].filter((text) => text !== '').join('   ');
  if (played !== '') return theme.paint('dim', cut(` ${played}`, width));
  if (model.feed.frozen) {
    const key = model.keyOf('freeze');
    const text = ` frozen: traffic goes on, ${key} shows what has come since`;
    return theme.paint('dim', cut(text, width));
  }
  if (model.pane === 'stream' && isSummedUp(model))
    return theme.paint('dim', cut(summaryText(model, model.keyOf('follow')), width));
  if (model.pane === 'stream' && model.viewport.follow && model.notPainted > 0) {
    const text = ` ${count(model.notPainted)} commands a second pass unseen (more than frames can show); all kept, scroll up`;
    return theme.paint('dim', cut(text, width));
  }
  return '';
}

/** What ends with the screen. */
function quitText(model: Model): string {
  const { replay } = model;
  if (replay === null) return `${plural(model.feed.sessions.open, 'client')} connected`;
  const { isOver, sent, of } = replay.state;
  return isOver ? 'the replay is over' : `${count(sent)} of ${count(of)} commands are sent`;
}

/** Of a recording: what its figures are of, where they are not of all of it; else the keys that play it, while it stands still. */
function playedText(model: Model): string {
  if (model.playback === null) return '';
  const key = (action: Action): string => model.keyOf(action);
  const since = sinceText(model.playback, key('freeze'));
  if (since !== null) return since;
  if (model.playback.state.playing) return '';
  const speed = `${key('slower')} ${key('faster')} speed`;
  return `${key('freeze')} plays, ${key('step')} one command, ${key('step-back')} back, ${speed}, :jump 12s, :until err`;
}

/** The keys worth naming, as many as there is room for. */
export function keyLine(model: Model, width: number): string {
  const { theme } = model.look;
  if (model.dialog?.kind === 'menu')
    return cut(` ${menuHint(MENUS[model.dialog.id])}   Esc`, width);
  if (model.dialog?.kind === 'prompt')
    return cut(' Enter takes it   Esc leaves all as it was   ctrl-u clears the line', width);
  return keyHints(model, width)
    .map(({ name, hint }) => ` ${theme.bold(shownKey(name))} ${hint}  `)
    .join('')
    .trimEnd();
}

function menuHint({ typed, hint }: Menu): string {
  return `${typed === false ? '' : 'type to search   '}up down   ${hint}`;
}

/** A key in the line of keys, by the name the decoder gives it, and the cells it takes. */
export type KeyHint = {
  readonly name: string;
  readonly hint: string;
  readonly from: number;
  readonly to: number;
};

const FIRST_HINTS: readonly Action[] = ['copy', 'filter', 'palette', 'help', 'back-or-quit'];

/** What comes first while a recording is sent again. */
const PLAYED_HINTS: readonly Action[] = ['freeze', 'step', 'find-next'];

/** What the line of keys names now. */
export function keyHints(model: Model, width: number): readonly KeyHint[] {
  const isFirst = model.isFresh && model.pane === 'stream';
  const wayBack: readonly Action[] =
    model.behind !== null && model.pane === 'stream' ? ['close'] : [];
  const isPlayed = model.pane === 'stream' || model.pane === 'detail';
  const played = isPlayed && model.replay !== null ? PLAYED_HINTS : [];
  const named = [...wayBack, ...played, ...paneOf(model.pane).hints];
  const actions = isFirst ? FIRST_HINTS : [...new Set(named)];
  const hints = actions.flatMap((action) => {
    const hint = keyHint(model, action);
    return hint === null ? [] : [{ ...hint, action }];
  });
  // Whatever else there is no room for, the help stays.
  const widthOfHint = ({ name, hint }: { name: string; hint: string }): number =>
    widthOf(shownKey(name)) + hint.length + 4;
  const help = hints.find(({ action }) => action === 'help');
  let left = width - (help === undefined ? 0 : widthOfHint(help) - 2);
  const shown = hints.filter((each) => {
    if (each === help) return true;
    left -= widthOfHint(each);
    return left >= 0;
  });
  let from = 0;
  return shown.map((each) => {
    const to = from + widthOfHint(each);
    const placed = { ...each, from, to };
    from = to;
    return placed;
  });
}
