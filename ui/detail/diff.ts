/** The Diff tab: the replies of two commands, or of a command and its copy, by the one engine that compares replies. */
import { Command, type Comparison, compareReplies, type Facts, type MirrorEvent } from 'rmtop';
import type { Look } from '../look.js';
import type { Model } from '../model.js';
import { fit, wrap } from '../text/fit.js';
import { printableBytes, printableText } from '../text/printable.js';
import { replayedLines } from './replayed.js';
import { besideEachOther } from './two-replies.js';

/** What is compared: two commands by their numbers, one with what a mirror answered, or that in focus with what is recorded of it. */
export type Compared =
  | { readonly kind: 'replay' }
  | { readonly kind: 'commands'; readonly a: number; readonly b: number }
  | { readonly kind: 'mirror'; readonly a: number; readonly copy: MirrorEvent };

function howTo(model: Model): readonly string[] {
  const compare = model.keyOf('compare');
  return [
    ' Nothing is compared yet.',
    ` Mark a command (${model.keyOf('mark')}), go to another and press ${compare}; or mark two and press ${compare}.`,
    ` On a command whose copy a mirror answered otherwise, ${compare} compares the two replies.`,
  ];
}

/** What `=` compares now: two marks, a mark and the command in focus, or that command with its copy; null: nothing. */
export function comparedNow(model: Model): Compared | null {
  const { focus } = model.viewport;
  const marks = model.feed.marks.list.filter((seq) => model.feed.rows.has(seq));
  const [first, second] = marks;
  if (marks.length === 2 && first !== undefined && second !== undefined)
    return { kind: 'commands', a: first, b: second };
  if (marks.length === 1 && first !== undefined && focus !== null && focus !== first)
    return { kind: 'commands', a: first, b: focus };
  if (model.replay !== null) return { kind: 'replay' };
  const copy =
    focus === null ? undefined : model.feed.mirrors(focus).find(({ reply }) => reply !== null);
  return focus === null || copy === undefined ? null : { kind: 'mirror', a: focus, copy };
}

/** Its lines. */
export function diffLines(model: Model, look: Look, width: number): readonly string[] {
  const { compared } = model;
  if (compared === null) return howTo(model);
  if (compared.kind === 'replay') return replayedLines(model, look, width);
  const a = factsOf(model, compared.a);
  if (a?.event == null) return [` #${compared.a} is no longer in memory`];
  if (compared.kind === 'mirror') {
    const { copy } = compared;
    const theirs = Buffer.from(copy.reply ?? '', 'latin1');
    return page(model, a, `${printableText(copy.upstream, look)}`, theirs, null, look, width);
  }
  const b = factsOf(model, compared.b);
  if (b?.event == null) return [` #${compared.b} is no longer in memory`];
  return page(model, a, titleOf(b, look), b.event.reply.bytes, b, look, width);
}

function page(
  model: Model,
  a: Facts,
  titleB: string,
  theirs: Buffer,
  b: Facts | null,
  look: Look,
  width: number,
): readonly string[] {
  const ours = a.event?.reply.bytes ?? Buffer.alloc(0);
  const laterMs = b === null ? 0 : (b.atUs - a.atUs) / 1000;
  const command = a.event?.command ?? Command.of([]);
  const found = compareReplies(command, ours, theirs, model.tolerances, { laterMs });
  const text = printableText(resultOf(found), look);
  const paint = (line: string): string =>
    found.kind === 'diff' ? look.theme.paint('error', line) : line;
  return [
    ...wrap(text, width - 2).map((line) => paint(fit(` ${line}`, width))),
    '',
    ...besideEachOther(ours, theirs, look, width, [titleOf(a, look), titleB]),
    ...(isCut(a) || (b !== null && isCut(b))
      ? ['', ' Of a long reply only the beginning is kept, and compared.']
      : []),
  ];
}

function isCut({ event }: Facts): boolean {
  return event?.reply.condensed === true;
}

function resultOf(found: Comparison): string {
  switch (found.kind) {
    case 'same':
      return 'the replies are the same';
    case 'tolerated':
      return `the replies differ only in what may differ: ${found.by.join(', ')}`;
    case 'diff':
      return `the replies differ${found.path === '' ? '' : ` at ${found.path}`}: ${found.a}, not ${found.b}`;
    default:
      return 'one of them has no reply';
  }
}

/** `#12 GET user:1 s2.p`. */
function titleOf(facts: Facts, look: Look): string {
  const key = printableBytes(facts.keys[0] ?? '', look, 30);
  const [node] = facts.nodes;
  return `#${facts.seq} ${printableText(facts.name, look)} ${key} ${node?.alias ?? ''}`.trimEnd();
}

function factsOf(model: Model, seq: number): Facts | null {
  const { rows } = model.feed;
  return rows.has(seq) ? model.factsOf(rows.row(rows.indexOf(seq))) : null;
}
