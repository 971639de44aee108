/** The Decoded tab: arguments by what they are, and the reply as a tree. */
import type { Facts, KeptArgument, Reply } from 'rmtop';
import type { Look } from '../look.js';
import { count, plural } from '../text/figures.js';
import { fit, wrap } from '../text/fit.js';
import { printable, printableText } from '../text/printable.js';

/** Lines one reply may take, and how deep its tree is followed. */
const MAX_LINES = 2000;
const MAX_DEPTH = 32;
/** Longer values are shown by their head. */
const MAX_VALUE = 16 * 1024;

export function decodedLines(facts: Facts, look: Look, width: number): string[] {
  const { event } = facts;
  if (event === null) return [' It has not finished: its arguments come with its event.'];
  const { theme } = look;
  const keys = new Set(event.command.keys);
  const lines = [
    ` ${theme.bold('request')}  ${plural(event.args.length, 'word')}, ${count(event.request.total)} bytes`,
    ...event.args.flatMap((arg, i) => argument(arg, i, keys, look, width)),
    '',
    ` ${theme.bold('reply')}  ${count(event.reply.total)} bytes`,
  ];
  const { reply } = facts;
  if (reply === null)
    lines.push(
      event.reply.total === 0 ? '  none' : '  not kept: it may hold a secret, or is large',
    );
  else tree(reply, '  ', look, width, lines, 0);
  return lines;
}

function argument(
  arg: KeptArgument,
  index: number,
  keys: ReadonlySet<number>,
  look: Look,
  width: number,
): string[] {
  const { theme } = look;
  const role = index === 0 ? 'command' : keys.has(index) ? 'key' : '';
  const head = ` ${theme.paint('dim', fit(`[${index}]`, 5))}${fit(role, 9)}`;
  if (arg.kind === 'redacted') return [`${head}(secret, not kept)`];
  const total = arg.kind === 'cut' ? arg.total : arg.bytes.length;
  const kind = kindOf(arg.bytes);
  const note = `${count(total)} B${kind === '' ? '' : `  ${kind}`}${arg.kind === 'cut' ? '  the head of it' : ''}`;
  return [
    `${head}${theme.paint('dim', note)}`,
    ...value(arg.bytes, '               ', look, width),
  ];
}

/** What a value seems to be. */
function kindOf(bytes: Buffer): string {
  if (bytes.length === 0) return 'empty';
  if (jsonOf(bytes) !== null) return 'JSON';
  return /^[\x20-\x7e\t\r\n]*$/.test(bytes.toString('latin1')) ? '' : 'binary or not ASCII';
}

/** The value laid out, if it is a JSON object or array; null else. */
function jsonOf(bytes: Buffer): string[] | null {
  const first = bytes[0];
  if ((first !== 0x7b && first !== 0x5b) || bytes.length > MAX_VALUE) return null; // '{' '['
  try {
    return JSON.stringify(JSON.parse(bytes.toString()), null, 2).split('\n');
  } catch {
    return null;
  }
}

/** The lines of one string. */
function value(bytes: Buffer, indent: string, look: Look, width: number): string[] {
  const room = Math.max(10, width - indent.length - 1);
  const json = jsonOf(bytes);
  const texts =
    json === null
      ? [`"${printable(bytes.subarray(0, MAX_VALUE), look, undefined, true)}"`]
      : json.map((line) => printableText(line, look));
  return texts.flatMap((text) => wrapKeeping(text, room).map((line) => indent + line));
}

/** Like `wrap`, with the blanks at the front of a line kept. */
function wrapKeeping(text: string, width: number): string[] {
  const blanks = /^ */.exec(text)?.[0] ?? '';
  const room = Math.max(10, width - blanks.length);
  return wrap(text.slice(blanks.length), room).map((line) => blanks + line);
}

function tree(
  reply: Reply,
  indent: string,
  look: Look,
  width: number,
  lines: string[],
  depth: number,
): void {
  if (lines.length > MAX_LINES) return;
  const note = (text: string): void => {
    lines.push(`${indent}${look.theme.paint('dim', text)}`);
  };
  switch (reply.type) {
    case '$':
      note(`string, ${count(reply.value.length)} B  ${kindOf(reply.value)}`);
      lines.push(...value(reply.value, indent, look, width));
      return;
    case '=':
      note(`verbatim string (${printable(reply.value.subarray(0, 3), look)})`);
      lines.push(...value(reply.value.subarray(4), indent, look, width));
      return;
    case '+':
      note('status');
      lines.push(...value(reply.value, indent, look, width));
      return;
    case '-':
    case '!':
      note('error');
      lines.push(
        ...value(reply.value, indent, look, width).map((line) => look.theme.paint('error', line)),
      );
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
        look,
        width,
        lines,
        depth,
      );
      return;
    case '%':
      note(plural(reply.pairs.length, 'pair'));
      branches(reply.pairs, indent, look, width, lines, depth);
      return;
    case '|':
      note('attribute');
      branches(reply.pairs, indent, look, width, lines, depth);
      tree(reply.of, indent, look, width, lines, depth);
  }
}

/** Numbered branches, a reply or a pair of them each. */
function branches(
  all: readonly (readonly Reply[])[],
  indent: string,
  look: Look,
  width: number,
  lines: string[],
  depth: number,
): void {
  if (depth >= MAX_DEPTH) {
    lines.push(`${indent}...`);
    return;
  }
  for (const [i, each] of all.entries()) {
    if (lines.length > MAX_LINES) {
      lines.push(`${indent}... ${count(all.length - i)} more`);
      return;
    }
    const number = `${i + 1}) `;
    const at = lines.length;
    for (const reply of each)
      tree(reply, indent + ' '.repeat(number.length), look, width, lines, depth + 1);
    const first = lines[at] ?? '';
    lines[at] = indent + number + first.slice(indent.length + number.length);
  }
}
