/** The Decoded tab: arguments by what they are, and the reply as a tree. Values are shown as what they look like, or as the user says. */
import type { Facts, KeptArgument, Reply } from 'rmtop';
import type { Look } from '../look.js';
import { count, plural } from '../text/figures.js';
import { fit, wrap } from '../text/fit.js';
import { printable, printableText } from '../text/printable.js';
import { type Budget, type Codec, newBudget } from '../values/kinds.js';
import { showValue } from '../values/show.js';
import { inWords, rolesOf } from './grammar.js';

/** How deep a reply's tree is followed. */
const MAX_DEPTH = 32;

/** The tab's lines; `codec`: what values are taken for, null: what they look like. */
export function decodedLines(
  facts: Facts,
  look: Look,
  width: number,
  codec: Codec | null,
): string[] {
  const { event } = facts;
  if (event === null) return [' It has not finished: its arguments come with its event.'];
  const { theme } = look;
  const { command } = event;
  const layout: Layout = { look, width, codec, budget: newBudget() };
  const roles = rolesOf(
    command.name,
    event.args.map((arg) => arg.bytes),
    command.keys,
  );
  const lines = [
    ` ${theme.bold('request')}  ${plural(event.args.length, 'word')}, ${count(event.request.total)} bytes`,
  ];
  for (const [i, arg] of event.args.entries()) {
    if (layout.budget.lines <= 0) {
      lines.push(`  ... ${count(event.args.length - i)} more`);
      break;
    }
    lines.push(...argument(arg, i, roles[i] ?? '', layout));
  }
  lines.push('', ` ${theme.bold('reply')}  ${count(event.reply.total)} bytes`);
  const { reply } = facts;
  if (reply === null)
    lines.push(
      event.reply.total === 0 ? '  none' : '  not kept: it may hold a secret, or is large',
    );
  else {
    layout.budget.lines = newBudget().lines;
    tree(reply, !event.reply.condensed, '  ', layout, lines, 0);
  }
  return lines;
}

function argument(arg: KeptArgument, index: number, role: string, layout: Layout): string[] {
  const { theme } = layout.look;
  const head = ` ${theme.paint('dim', fit(`[${index}]`, 5))}${fit(role, 10)}`;
  if (arg.kind === 'redacted') return [`${head}(secret, not kept)`];
  const isWhole = arg.kind === 'whole';
  const total = arg.kind === 'cut' ? arg.total : arg.bytes.length;
  layout.budget.lines--;
  const { name, lines } = laidOut(arg.bytes, isWhole, '                ', layout);
  const words = inWords(role, arg.bytes.subarray(0, 20).toString('latin1'));
  const notes = [`${count(total)} B`, name, isWhole ? '' : 'the head of it', words];
  return [`${head}${theme.paint('dim', notes.filter(Boolean).join('  '))}`, ...lines];
}

/** How values are laid out here. */
type Layout = {
  readonly look: Look;
  readonly width: number;
  /** What the user says that values are; null: what they look like. */
  readonly codec: Codec | null;
  readonly budget: Budget;
};

/** The lines of one string, and what it was taken for. */
function laidOut(
  bytes: Buffer,
  isWhole: boolean,
  indent: string,
  layout: Layout,
): { readonly name: string; readonly lines: readonly string[] } {
  const room = Math.max(10, layout.width - indent.length - 1);
  const about = { isWhole, codec: layout.codec, width: room };
  const { name, lines } = showValue(bytes, about, layout.look, layout.budget);
  return {
    name,
    lines: lines.flatMap((text) => wrapKeeping(text, room).map((line) => indent + line)),
  };
}

/** Like `wrap`, with the blanks at the front of a line kept. */
function wrapKeeping(text: string, width: number): string[] {
  const blanks = /^ */.exec(text)?.[0] ?? '';
  const room = Math.max(10, width - blanks.length);
  return wrap(text.slice(blanks.length), room).map((line) => blanks.slice(0, width - 1) + line);
}

function tree(
  reply: Reply,
  isWhole: boolean,
  indent: string,
  layout: Layout,
  lines: string[],
  depth: number,
): void {
  const { look, budget } = layout;
  if (--budget.lines < 0) return;
  const note = (text: string): void => {
    lines.push(`${indent}${look.theme.paint('dim', text)}`);
  };
  const string = (what: string, bytes: Buffer, meaning: 'error' | null = null): void => {
    const { name, lines: own } = laidOut(bytes, isWhole, indent, layout);
    note(name === '' ? what : `${what}  ${name}`);
    lines.push(...(meaning === null ? own : own.map((line) => look.theme.paint(meaning, line))));
  };
  switch (reply.type) {
    case '$':
      string(
        `string, ${count(reply.value.length)} B${isWhole ? '' : ', the head of it'}`,
        reply.value,
      );
      return;
    case '=':
      string(
        `verbatim string (${printable(reply.value.subarray(0, 3), look)})`,
        reply.value.subarray(4),
      );
      return;
    case '+':
      string('status', reply.value);
      return;
    case '-':
    case '!':
      string('error', reply.value, 'error');
      return;
    case ':':
      lines.push(`${indent}integer ${printableText(reply.value, look)}`);
      return;
    case ',':
      lines.push(`${indent}double ${printableText(reply.value, look)}`);
      return;
    case '(':
      lines.push(`${indent}big number ${printableText(reply.value, look)}`);
      return;
    case '#':
      lines.push(`${indent}${reply.value}`);
      return;
    case 'null':
      lines.push(`${indent}(nil)`);
      return;
    case '*':
    case '~':
    case '>':
      note(
        plural(reply.items.length, { '*': 'element', '~': 'member', '>': 'element' }[reply.type]),
      );
      branches(
        reply.items.map((item) => [item]),
        indent,
        layout,
        lines,
        depth,
      );
      return;
    case '%':
      note(plural(reply.pairs.length, 'pair'));
      branches(reply.pairs, indent, layout, lines, depth);
      return;
    case '|':
      note('attribute');
      branches(reply.pairs, indent, layout, lines, depth);
      tree(reply.of, true, indent, layout, lines, depth);
  }
}

/** Numbered branches, a reply or a pair of them each. */
function branches(
  all: readonly (readonly Reply[])[],
  indent: string,
  layout: Layout,
  lines: string[],
  depth: number,
): void {
  if (depth >= MAX_DEPTH) {
    lines.push(`${indent}...`);
    return;
  }
  for (const [i, each] of all.entries()) {
    if (layout.budget.lines <= 0) {
      lines.push(`${indent}... ${count(all.length - i)} more`);
      return;
    }
    const number = `${i + 1}) `;
    const at = lines.length;
    for (const reply of each)
      tree(reply, true, indent + ' '.repeat(number.length), layout, lines, depth + 1);
    const first = lines[at] ?? '';
    // The first line may begin with a style's code.
    lines[at] = first.replace(' '.repeat(indent.length + number.length), indent + number);
  }
}
