/** The tabs, and the two lines at the bottom: news or a question, and the keys that make sense now. */

import { COPY_FORMS } from '../actions/copy.js';
import { faultsInALine } from '../actions/faults.js';
import { bindingOf, shownKey } from '../keys.js';
import type { Model } from '../model.js';
import { PANES, paneOf } from '../panes.js';
import { count, plural } from '../text/figures.js';
import { cut, fit, widthOf } from '../text/fit.js';
import { printableText } from '../text/printable.js';
import { typedText } from './typed.js';

export function tabsLine(model: Model, width: number): string {
  const { theme } = model.look;
  let used = 0;
  let line = '';
  for (const pane of PANES) {
    const label = `${pane.key} ${pane.title}`;
    const own = label.length + (pane.id === model.pane ? 3 : 1);
    if (used + own > width) break;
    line +=
      pane.id === model.pane ? ` ${theme.bold(`[${label}]`)}` : ` ${theme.paint('dim', label)}`;
    used += own;
  }
  return line;
}

/** A question, else a toast, else what happens that the eye cannot follow. */
export function newsLine(model: Model, width: number): string {
  const { look, dialog, toasts } = model;
  const { theme } = look;
  if (dialog?.kind === 'quit') {
    const clients = plural(model.feed.sessions.open, 'client');
    return theme.bold(cut(` Quit? y/N (${clients} connected)`, width));
  }
  if (dialog?.kind === 'copy') {
    const forms = COPY_FORMS.map(({ key, name }) => `${key} ${name}`).join('  ');
    return theme.bold(cut(` copy> ${forms}  Esc`, width));
  }
  if (dialog?.kind === 'fault') return theme.bold(fit(` t> ${faultsInALine(model)}`, width));
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
  if (model.feed.frozen)
    return theme.paint('dim', cut(' frozen: traffic goes on, p shows what has come since', width));
  if (model.pane === 'stream' && model.viewport.follow && model.notPainted > 0) {
    const text = ` ${count(model.notPainted)} commands a second pass unseen (more than frames can show); all kept, scroll up`;
    return theme.paint('dim', cut(text, width));
  }
  return '';
}

/** The keys worth naming, as many as there is room for. */
export function keyLine(model: Model, width: number): string {
  const { theme } = model.look;
  if (model.dialog?.kind === 'help')
    return cut(' type to search   up down   Enter does it   ? keys, filter language   Esc', width);
  const names =
    model.isFresh && model.pane === 'stream' ? ['y', '/', '?', 'q'] : paneOf(model.pane).hints;
  const hints = names.flatMap((name) => {
    const hint = bindingOf(name)?.hint;
    return hint === undefined ? [] : [{ key: shownKey(name), hint }];
  });
  // Whatever else there is no room for, the help stays.
  const widthOfHint = ({ key, hint }: { key: string; hint: string }): number =>
    key.length + hint.length + 4;
  const help = hints.find(({ key }) => key === '?');
  let left = width - (help === undefined ? 0 : widthOfHint(help) - 2);
  const shown = hints.filter((each) => {
    if (each === help) return true;
    left -= widthOfHint(each);
    return left >= 0;
  });
  return shown.map(({ key, hint }) => ` ${theme.bold(key)} ${hint}  `).join('');
}
