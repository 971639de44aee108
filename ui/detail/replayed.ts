/** The Diff tab of a replay: the reply of now and the recorded one, and the way that the command takes now and took then. */
import type { Comparison, Facts } from 'rmtop';
import type { Look } from '../look.js';
import type { Model } from '../model.js';
import type { Replayed } from '../replays.js';
import { milliseconds } from '../text/figures.js';
import { fit, wrap } from '../text/fit.js';
import { printableEscaped, printableText } from '../text/printable.js';
import { decided } from './decision.js';
import { columnsOf, linesOf } from './two-replies.js';

/** Its lines, about the command in focus. */
export function replayedLines(model: Model, look: Look, width: number): readonly string[] {
  const now = model.focusedFacts();
  const replayed = now === null ? null : (model.replay?.of(now.seq) ?? null);
  if (now === null || replayed === null)
    return [' This is no command of the recording: rmtop sends HELLO for a connection itself.'];
  return [
    ...said(replyText(replayed), isOther(replayed), look, width),
    ...replyLines(replayed, now, look, width),
    '',
    ...said(wayText(replayed), replayed.route !== null, look, width),
    ...wayLines(replayed, now, look, width),
  ];
}

function isOther({ state }: Replayed): boolean {
  return state === 'diff' || state === 'missing' || state === 'extra';
}

function said(text: string, isError: boolean, look: Look, width: number): string[] {
  return wrap(printableEscaped(text, look), width - 2).map((line) => {
    const shown = fit(` ${line}`, width);
    return isError ? look.theme.paint('error', shown) : look.theme.bold(shown);
  });
}

function replyText({ state, comparison }: Replayed): string {
  switch (state) {
    case 'open':
      return 'there is no reply yet';
    case 'same':
      return 'the reply is the recorded one';
    case 'none':
      return 'the reply is not compared';
    case 'missing':
      return 'the reply differs: there was one, and none came';
    case 'extra':
      return 'the reply differs: there was none, and one came';
    case 'tolerated':
      return `the reply differs only in what may differ${comparison?.kind === 'tolerated' ? `: ${comparison.by.join(', ')}` : ''}`;
    case 'diff':
      return `the reply differs${comparison?.kind === 'diff' ? differenceText(comparison) : ''}`;
  }
}

/** ` at [3].name: "a"  >  "b"   (byte 4,096)` */
function differenceText({ path, a, b, at }: Extract<Comparison, { kind: 'diff' }>): string {
  const byte = at === null || at === 0 ? '' : `   (byte ${at.toLocaleString('en-US')})`;
  return `${path === '' ? '' : ` at ${path}`}: ${a}  >  ${b}${byte}`;
}

function wayText({ route, recorded }: Replayed): string {
  if (recorded === null)
    return 'where it goes is not compared: it had been edited, or its way is not known';
  return route === null
    ? 'it goes where it went'
    : `it goes elsewhere, another ${route.change}: ${route.from}  >  ${route.to}`;
}

/** Beside each other. A long string is shown around the place where it differs. */
function replyLines(
  { state, comparison, expected, reply, recorded, n, round }: Replayed,
  now: Facts,
  look: Look,
  width: number,
): string[] {
  const titles: [string, string] = [
    `recorded  #${n}${recorded === null ? '' : ` ${aboutText(recorded, look)}`}`,
    `now  #${now.seq}${round > 1 ? ` (round ${round})` : ''} ${aboutText(now, look)}`,
  ];
  const theirs = reply ?? (state === 'same' ? expected : (now.event?.reply.bytes ?? null));
  const left = linesOf(expected ?? recorded?.event?.reply.bytes ?? null, '(none)');
  const right = state === 'missing' ? ['(none)'] : linesOf(theirs, '(none)');
  const isOne = comparison?.kind === 'diff' && left.length === 1 && right.length === 1;
  return isOne
    ? columnsOf([comparison.a], [comparison.b], look, width, titles)
    : columnsOf(left, right, look, width, titles);
}

/** `s1.p 0.41 ms` */
function aboutText(facts: Facts, look: Look): string {
  const alias = printableText(facts.nodes[0]?.alias ?? '-', look);
  const { durationUs } = facts;
  return durationUs === null ? alias : `${alias} ${milliseconds(durationUs, 9)} ms`;
}

/** Why it went where it went, then and now, reason by reason. */
function wayLines({ recorded }: Replayed, now: Facts, look: Look, width: number): string[] {
  if (recorded === null || now.event === null) return [];
  const [before, after] = [recorded, now].map((facts) => decided(facts, look.unicode));
  const half = Math.floor((width - 5) / 2);
  const left: string[] = [];
  const right: string[] = [];
  for (let i = 0; i < Math.max(before?.length ?? 0, after?.length ?? 0); i++) {
    const [a, b] = [before?.[i], after?.[i]].map((each) =>
      each === undefined ? [] : wrap(`${each.label.padEnd(7)}${each.text}`, half),
    ) as [string[], string[]];
    for (let line = 0; line < Math.max(a.length, b.length); line++) {
      left.push(a[line] ?? '');
      right.push(b[line] ?? '');
    }
  }
  return columnsOf(left, right, look, width, ['then', 'now']);
}
