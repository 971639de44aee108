/** A command in a line. */
import type { Facts } from 'rmtop';
import { printableBytes, printableText } from '../text/printable.js';

const WORDS = 8;

/** `#48104 INCR rate:10.0.0.7`: its number and first words, cut somewhere beyond `width` cells. */
export function titleOf(facts: Facts, unicode: boolean, width: number): string {
  const words = facts.args
    .slice(0, WORDS)
    .map((arg) => printableBytes(arg.slice(0, width), { unicode }, width));
  const name = printableText(facts.name.split(' ')[0] ?? '', { unicode });
  const more = facts.args.length > WORDS ? ['...'] : [];
  return `#${facts.seq} ${[name, ...words, ...more].join(' ')}`;
}
