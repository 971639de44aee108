/** One command on its way through a fake server: its words, and what it may look at and change. */
import type { Reply } from 'rmtop';
import type { Channels } from './channels.js';
import type { Member } from './members.js';
import { NOT_A_FLOAT, NOT_AN_INTEGER, Refused, SYNTAX } from './replies.js';
import type { Session } from './session.js';
import type { Store } from './store.js';

/** A command's reply has been sent by itself, or comes later. */
export const SENT: unique symbol = Symbol('sent');

/** What a command does. The number of its words has been checked. */
export type Run = (call: Call) => Reply | typeof SENT;

/** Commands by their upper-case name, a subcommand after a space. */
export type CommandTable = Readonly<Record<string, Run>>;

/** What commands see of the node they run on. */
export type NodeView = {
  readonly store: Store;
  readonly self: Member;
  /** All nodes of its cluster; itself alone when it is none. */
  readonly members: readonly Member[];
  /** Connections there are now, and how many of them wait in a blocking command. */
  clients(): { readonly connected: number; readonly blocked: number };
  /** Who listens on this node, and on each of its cluster. */
  readonly channels: Channels;
  readonly allChannels: readonly Channels[];
  /** Runs a command that was queued. */
  runQueued(argv: readonly Buffer[], session: Session): Reply;
};

/** One command with its words. */
export class Call {
  /** The name first, one character a byte. */
  readonly words: readonly string[];
  readonly node: NodeView;
  readonly session: Session;
  readonly nowMs: number;
  /** Run by EXEC. */
  readonly isQueued: boolean;

  constructor(
    words: readonly string[],
    node: NodeView,
    session: Session,
    nowMs: number,
    isQueued: boolean,
  ) {
    this.words = words;
    this.node = node;
    this.session = session;
    this.nowMs = nowMs;
    this.isQueued = isQueued;
  }

  get store(): Store {
    return this.node.store;
  }

  get key(): string {
    return this.word(1);
  }

  word(i: number): string {
    return this.words[i] ?? '';
  }

  /** Word `i` as an option's name. */
  option(i: number): string {
    return this.word(i).toUpperCase();
  }

  /** The words from `i` on. */
  from(i: number): readonly string[] {
    return this.words.slice(i);
  }

  /** The words from `i` on, two by two. Throws a syntax error when one is left over. */
  pairs(i: number, odd: string = SYNTAX): [string, string][] {
    const words = this.from(i);
    if (words.length % 2 === 1) throw new Refused(odd);
    return words.flatMap((word, at): [string, string][] =>
      at % 2 === 0 ? [[word, words[at + 1] ?? '']] : [],
    );
  }

  /** Whole numbers to 2^53, where Redis's go to 2^63. */
  integer(i: number, otherwise: string = NOT_AN_INTEGER): number {
    return integerOf(this.word(i), otherwise);
  }

  float(i: number, otherwise: string = NOT_A_FLOAT): number {
    return floatOf(this.word(i), otherwise);
  }
}

/** A whole number as Redis writes one: no sign but a minus, no leading zero. Throws `otherwise`. */
export function integerOf(text: string, otherwise: string = NOT_AN_INTEGER): number {
  const value = Number(text);
  if (!/^(0|-?[1-9]\d*)$/.test(text) || !Number.isSafeInteger(value)) throw new Refused(otherwise);
  return value;
}

/** A number, infinity included. Throws `otherwise`. */
export function floatOf(text: string, otherwise: string = NOT_A_FLOAT): number {
  if (/^[+-]?inf(inity)?$/i.test(text))
    return text.startsWith('-') ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  const value = Number(text);
  if (text.trim() !== text || text === '' || Number.isNaN(value)) throw new Refused(otherwise);
  return value;
}

/** Items `from` to `to`, both included, negative ones counted from the end: how LRANGE, GETRANGE and ZRANGE count. */
export function span(length: number, from: number, to: number): [number, number] {
  const start = Math.max(0, from < 0 ? length + from : from);
  const end = Math.min(length, (to < 0 ? length + to : to) + 1);
  return start < end ? [start, end] : [0, 0];
}
