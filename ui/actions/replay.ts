/** A recording that is sent again: playing it, going from difference to difference, and `r`, which begins it. */
import path from 'node:path';
import { messageOf, RmtopError } from 'rmtop';
import type { Dialog, Model } from '../model.js';
import { DETAIL_TABS } from '../panes/detail.js';
import type { Replaying } from '../replays.js';
import { count } from '../text/figures.js';
import { printableText } from '../text/printable.js';
import { keepPlace } from './jumps.js';
import { ask } from './prompt.js';
import { findAgain } from './seek.js';

const OVER = 'the replay is over: all that it sends is sent';

/** `p`: goes on, or stands still. */
export function toggleReplay(replay: Replaying, model: Model): void {
  model.difference.awaits = false;
  if (replay.state.isPlaying) replay.pause();
  else replay.play();
}

/** `.`: stands still, and sends the next command. */
export function stepReplay(replay: Replaying, model: Model): void {
  model.difference.awaits = false;
  if (replay.state.isOver) model.toasts.answer(OVER);
  else replay.step();
}

/** `,` */
export function refuseBack(_replay: Replaying, model: Model): void {
  model.toasts.answer('what is sent is sent: a replay does not go back');
}

// ——— from difference to difference ———

/** `n` and `N`: in a replay the next difference, unless something was looked for where one is. */
export function nextFound(step: 1 | -1): (model: Model) => void {
  const again = findAgain(step);
  return (model) => {
    const { replay, pane, sought } = model;
    const isFinding =
      pane === 'stream'
        ? sought.filter !== null
        : sought.text !== '' && !(pane === 'detail' && isDiffShown(model));
    if (replay === null || isFinding) again(model);
    else goToDifference(model, replay, step);
  };
}

function isDiffShown(model: Model): boolean {
  return DETAIL_TABS[model.tabOf('detail')] === 'Diff';
}

/**
 * The next known difference after the command in focus, or the one before; while the newest commands are followed, after the one gone to
 * last. Where there is none after it yet, the replay goes on until there is.
 */
export function goToDifference(model: Model, replay: Replaying, step: 1 | -1): void {
  const { viewport, toasts, difference } = model;
  const from = viewport.follow ? difference.last : (viewport.focus ?? difference.last);
  const known = [...replay.differences].sort((a, b) => a - b);
  const next = step > 0 ? known.find((seq) => seq > from) : known.findLast((seq) => seq < from);
  if (next !== undefined) {
    show(model, next);
    return;
  }
  if (step > 0 && !replay.state.isOver) {
    Object.assign(difference, { last: from, awaits: true });
    replay.play(true);
    toasts.answer(`going on to the next difference   (${model.keyOf('freeze')} stops)`);
    return;
  }
  const other = step > 0 ? known[0] : known.at(-1);
  if (other === undefined) toasts.answer('there is no difference');
  else {
    show(model, other);
    const { length } = known;
    toasts.answer(
      length === 1 ? 'it is the only difference' : `from the other end, of ${count(length)}`,
    );
  }
}

function show(model: Model, seq: number): void {
  const { viewport, difference, feed } = model;
  keepPlace(model);
  difference.last = seq;
  difference.awaits = false;
  model.compared = { kind: 'replay' };
  model.tabs.detail = DETAIL_TABS.indexOf('Diff');
  model.scrolls.detail.reset();
  // Its row may be on its way.
  if (feed.rows.has(seq)) viewport.goTo(seq);
  else model.awaited = seq;
  model.show('detail');
}

/** Something more is known of the replay: where the next difference is waited for, it stands still there. */
export function heedReplay(model: Model, replay: Replaying): void {
  const { difference } = model;
  if (!difference.awaits) return;
  const found = replay.differences.filter((seq) => seq > difference.last);
  if (found.length > 0) {
    difference.awaits = false; // a pause is something to heed, too
    replay.pause();
    model.toasts.clear();
    show(model, Math.min(...found));
  } else if (replay.state.isOver) {
    difference.awaits = false;
    model.toasts.answer('the replay is over: there was no other difference');
  }
}

/** `#1042`: a command by its number in the recording; gives what is wrong instead. */
export function goToRecorded(model: Model, replay: Replaying, n: number): string | null {
  const seq = replay.seqOf(n);
  if (seq === null) return `#${n} of the recording is not sent yet, or is none of it`;
  show(model, seq);
  return null;
}

// ——— beginning one ———

/** `r`: asks where the recording that is shown is to be sent, and then whether it is. */
export function askReplay(model: Model): void {
  const problem = whyNot(model);
  if (problem !== null) {
    model.toasts.answer(problem);
    return;
  }
  const { replays } = model.effects;
  ask(
    model,
    'replay to',
    replays?.upstream ?? '',
    (text) => replays?.check(text) ?? 'HOST:PORT; nothing is sent before it is asked once more',
    (text) => beginReplay(model, text),
  );
}

/** Why what is shown cannot be sent again; null: it can. */
function whyNot(model: Model): string | null {
  const { playback, replay, subject, effects } = model;
  if (replay !== null) return 'this is a replay';
  if (playback === null)
    return `only a recording is sent again: ${model.keyOf('open-recording')} opens one`;
  if (effects.replays === null)
    return 'nothing can be sent again from here: rmtop replay FILE --tui';
  return subject.files?.length === 1 ? null : 'one file is sent again, not several parts';
}

/** Asks once more, naming where everything goes; gives what is wrong instead. */
export function beginReplay(model: Model, text: string): string | null {
  const upstream = text.trim();
  const [file = ''] = model.subject.files ?? [];
  const problem = whyNot(model) ?? model.effects.replays?.check(upstream) ?? null;
  if (problem === null) model.dialog = { kind: 'replay', file, upstream };
  return problem;
}

type Question = Extract<Dialog, { kind: 'replay' }>;

/** The question, without its `y/N`. */
export function replayQuestion({ look, playback }: Model, { file, upstream }: Question): string {
  const what = printableText(path.basename(file), look);
  const commands = count(playback?.end.commands ?? 0);
  return `Send the ${commands} commands of ${what} to ${printableText(upstream, look)}, writes too?`;
}

/** The answer: anything but y is no. */
export function answerReplay(model: Model, { file, upstream }: Question, key: string): void {
  model.dialog = null;
  if (key !== 'y' && key !== 'Y') return;
  const { toasts, effects } = model;
  model.did(`replay ${upstream}`);
  toasts.answer(`reading ${printableText(path.basename(file), model.look)} ...`);
  effects
    .replay(file, upstream)
    .catch((error: unknown) => {
      const known = error instanceof RmtopError ? error : null;
      const why =
        known === null ? messageOf(error) : [known.message, known.why].filter(Boolean).join(': ');
      toasts.say('error', why, known?.next[0] ?? null);
    })
    .finally(effects.changed);
}
