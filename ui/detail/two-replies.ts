/** Two replies beside each other, an element a line; where they differ there is an `x`. */
import { decodeReply, type Reply, showReply } from 'rmtop';
import type { Look } from '../look.js';
import { fit } from '../text/fit.js';
import { printableEscaped } from '../text/printable.js';

/** Elements of a reply that are shown; the rest is counted. */
const MOST_LINES = 500;

/** A reply as lines: nested elements are numbered and set in, as redis-cli does. */
export function replyLines(reply: Reply, indent = ''): string[] {
  if (reply.type === '|') return replyLines(reply.of, indent);
  if (reply.type === '%')
    return reply.pairs.length === 0
      ? [`${indent}(empty)`]
      : reply.pairs.flatMap(([key, value], i) =>
          numbered(i, `${showReply(key)} => `, value, indent),
        );
  if (reply.type !== '*' && reply.type !== '~' && reply.type !== '>')
    return [`${indent}${showReply(reply)}`];
  if (reply.items.length === 0) return [`${indent}(empty)`];
  return reply.items.flatMap((item, i) => numbered(i, '', item, indent));
}

function numbered(i: number, before: string, of: Reply, indent: string): string[] {
  const mark = `${indent}${i + 1}) ${before}`;
  const [first = '', ...rest] = replyLines(of, `${indent}   `);
  return [mark + first.trimStart(), ...rest];
}

/** What is kept of a reply, as lines; what is no whole reply stands as it came. */
export function linesOf(bytes: Buffer | null, absent: string): string[] {
  if (bytes === null) return [absent];
  const reply = decodeReply(bytes);
  return reply === null ? [`(cut) ${bytes.toString('latin1')}`] : replyLines(reply);
}

/** Two replies in two columns, `width` cells together: as a rule the client's and a mirror's. */
export function besideEachOther(
  ours: Buffer | null,
  theirs: Buffer | null,
  look: Look,
  width: number,
  titles: readonly [string, string] = ['ours', 'theirs'],
): string[] {
  return columnsOf(
    linesOf(ours, '(no longer in memory)'),
    linesOf(theirs, '(no reply)'),
    look,
    width,
    titles,
  );
}

/** Lines beside each other; where they differ there is an `x`. */
export function columnsOf(
  left: readonly string[],
  right: readonly string[],
  look: Look,
  width: number,
  titles: readonly [string, string],
): string[] {
  const half = Math.floor((width - 5) / 2);
  const rows = Math.min(MOST_LINES, Math.max(left.length, right.length));
  const head = ` ${fit(titles[0], half)}   ${fit(titles[1], half)}`;
  const lines = Array.from({ length: rows }, (_, i) => {
    const [a, b] = [left[i] ?? '', right[i] ?? ''];
    const line = `${fit(printableEscaped(a, look), half)} ${a === b ? ' ' : 'x'} ${fit(printableEscaped(b, look), half)}`;
    return ` ${a === b ? line : look.theme.paint('error', line)}`;
  });
  const more = Math.max(left.length, right.length) - rows;
  return [
    look.theme.paint('dim', head),
    ...lines,
    ...(more > 0 ? [look.theme.paint('dim', ` ... ${more} more lines`)] : []),
  ];
}
