/** What is said of a command that no recording answers: the recorded one that comes nearest, and where it differs. */
import type { Command } from '../commands/command.js';
import { quoteBytes } from '../compare/show.js';
import type { Line } from './spoken.js';

/** A recorded command that is offered: its number, and the command; of a transaction its first. */
export type Offered = { readonly seq: number; readonly line: Line };

const SHOWN_BYTES = 48;
const SHOWN_WORDS = 5;
/** Comparing more than so many takes longer than a client should wait for an error. */
export const MOST_COMPARED = 2000;

/** A command as one would type it; long values are cut. Only printable ASCII: it goes into an error reply. */
export function showCommand(command: Command): string {
  const words = Array.from({ length: Math.min(command.argc, SHOWN_WORDS) }, (_, i) =>
    i === 0 ? showName(command.nameAsSent.toUpperCase()) : showWord(command.arg(i)),
  );
  return words.join(' ') + (command.argc > SHOWN_WORDS ? ' ...' : '');
}

/** A command's name, which may be anything: what is not printable ASCII is a question mark. */
export function showName(name: string): string {
  return name.slice(0, SHOWN_BYTES).replace(/[^\x21-\x7e ]/g, '?');
}

function showWord(bytes: Buffer): string {
  const cut = bytes.subarray(0, SHOWN_BYTES);
  const text = cut.toString('latin1');
  const shown = /^[\x21\x23-\x26\x28-\x7e]+$/.test(text) ? text : quoteBytes(cut);
  return bytes.length > SHOWN_BYTES ? `${shown}...` : shown;
}

/**
 * `nearest: GET user:42 #1042, differs in argument 1; 3 others`: the nearest of `offered`, which are of the same name; there are `count`
 * of them in all. Null where there are none.
 */
export function nearest(asked: Command, offered: readonly Offered[], count: number): string | null {
  let best: { readonly of: Offered; readonly far: number; readonly common: number } | null = null;
  for (const of of offered) {
    const differing = differences(asked, of.line.command);
    const [first] = differing;
    const common = first === undefined ? 0 : commonBytes(asked, of.line.command, first);
    const far = differing.length;
    if (best === null || far < best.far || (far === best.far && common > best.common))
      best = { of, far, common };
  }
  if (best === null) return null;
  const others = count - 1;
  const { seq, line } = best.of;
  return [
    `nearest: ${showCommand(line.command)} #${seq}`,
    `, ${differenceText(asked, line.command)}`,
    others === 0 ? '' : `; ${others} ${others === 1 ? 'other' : 'others'}`,
  ].join('');
}

/** Positions whose arguments are not the same, and one for each that only one of the two has. */
function differences(a: Command, b: Command): number[] {
  const differing: number[] = [];
  for (let i = 1; i < Math.max(a.argc, b.argc); i++)
    if (i >= a.argc || i >= b.argc || !a.arg(i).equals(b.arg(i))) differing.push(i);
  return differing;
}

function commonBytes(a: Command, b: Command, at: number): number {
  if (at >= a.argc || at >= b.argc) return -1;
  const left = a.arg(at);
  const right = b.arg(at);
  let i = 0;
  while (i < left.length && i < right.length && left[i] === right[i]) i++;
  return i;
}

function differenceText(asked: Command, recorded: Command): string {
  const more = recorded.argc - asked.argc;
  if (more !== 0)
    return `has ${Math.abs(more)} ${Math.abs(more) === 1 ? 'argument' : 'arguments'} ${more > 0 ? 'more' : 'less'}`;
  const differing = differences(asked, recorded);
  if (differing.length === 0) return 'the same';
  return `differs in ${differing.length === 1 ? 'argument' : 'arguments'} ${differing.slice(0, 4).join(', ')}`;
}
