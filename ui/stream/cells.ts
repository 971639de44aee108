/** What stands in each column of a row. */
import type { Facts, FaultAction } from 'rmtop';
import type { WallClock } from '../text/clock.js';
import { milliseconds, short } from '../text/figures.js';
import { printable, printableBytes, printableText } from '../text/printable.js';
import { replyKind, replyValue } from '../text/replies.js';
import type { Column } from './columns.js';

/** What cells need to know besides the command. */
export type CellContext = {
  readonly unicode: boolean;
  readonly clock: WallClock;
  /** How the time is told. */
  readonly time: TimeMode;
  /** When the command on the row above arrived, µs; null where there is none. */
  readonly previousUs: number | null;
};

/** `clock`: of the day; `start`: since the start; `delta`: since the row above. */
export const TIME_MODES = ['clock', 'start', 'delta'] as const;
export type TimeMode = (typeof TIME_MODES)[number];

/** The text of a cell, printable but not yet cut to the column. */
export function cellText(facts: Facts, column: Column, context: CellContext): string {
  const { width } = column;
  switch (column.id) {
    case 'state':
      return stateCell(facts);
    case 'n':
      return number(facts.seq, width);
    case 'time':
      return time(facts.atUs, context, width);
    case 'client':
      return client(facts, width, context);
    case 'command':
      return printableText(facts.name, context, width);
    case 'key':
      return key(facts, width, context);
    case 'slot':
      return slot(facts);
    case 'node':
      return node(facts, context);
    case 'p':
      return placeLetters(facts);
    case 'm':
      return mirrorSymbol(facts);
    case 'f':
      return faultSymbol(facts, width);
    case 'ms':
      return facts.durationUs === null ? '...' : milliseconds(facts.durationUs, width);
    case 'size':
      return facts.event === null ? '' : short(facts.event.reply.total);
    case 'reply':
      return reply(facts, width, context);
  }
}

/** A mark gives way to what the command itself has to say, and stands before it. */
function stateCell(facts: Facts): string {
  const symbol = stateSymbol(facts);
  if (facts.mark === undefined) return ` ${symbol}`;
  return symbol === ' ' ? ' *' : `*${symbol}`;
}

/** `!` an error, `w` waiting, `x` not as it was recorded, `^` slow. */
export function stateSymbol(facts: Facts): string {
  if (facts.pending !== null) return 'w';
  if ((facts.replayed ?? 'same') !== 'same') return 'x';
  if (facts.isError) return '!';
  return facts.isSlow ? '^' : ' ';
}

/** `.` none, `+` same reply, `x` differs, `!` failed, `-` dropped, `=` not compared, `?` not known yet. */
export function mirrorSymbol(facts: Facts): string {
  if (facts.pending !== null || !facts.isMirrored) return '.';
  const states = facts.mirrors.map((mirror) => mirror.state);
  if (states.includes('diff')) return 'x';
  if (states.includes('failed')) return '!';
  if (states.length === 0) return '?';
  if (states.includes('dropped')) return '-';
  return states.includes('same') ? '+' : '=';
}

const FAULT_LETTERS: Readonly<Record<FaultAction['kind'], string>> = {
  delay: 'D',
  error: 'E',
  close: 'C',
  hang: 'H',
  drip: 'S',
  moved: 'V',
  ask: 'V',
  down: 'N',
};

/** The kind's letter; the rule's name where there is room. */
export function faultSymbol(facts: Facts, width: number): string {
  const { fault } = facts;
  if (fault === null) return '.';
  return width >= 2 ? fault.id : FAULT_LETTERS[fault.action.kind];
}

/** The last five digits where there is no room for more. */
function number(seq: number, width: number): string {
  const text = String(seq);
  return text.length <= width ? text : text.slice(-width);
}

/** `12:04:05.101274` for columns of 15, 12 (ms) and 8 (minutes to hundredths); `+0.000137` and `12.345678` in seconds. */
function time(atUs: number, { clock, time: mode, previousUs }: CellContext, width: number): string {
  if (mode === 'clock') {
    const text = clock.text(atUs);
    return width < 12 ? text.slice(3, 11) : text.slice(0, width);
  }
  if (mode === 'delta' && previousUs === null) return '';
  const us = mode === 'start' ? atUs : atUs - (previousUs ?? 0);
  const digits = width < 12 ? 3 : 6;
  const seconds = `${mode === 'delta' && us >= 0 ? '+' : ''}${(us / 1e6).toFixed(digits)}`;
  return seconds.padStart(width);
}

function client(facts: Facts, width: number, context: CellContext): string {
  const id = `c${facts.connection}`;
  if (width < 8) return id;
  const known = facts.client;
  const name = printableText(known?.name || known?.library || id, context, width);
  if (width < 14 || known === undefined) return name;
  const port = /:(\d+)$/.exec(known.address)?.[1] ?? '';
  return `${name} :${port}`.length <= width ? `${name} :${port}` : name;
}

function key(facts: Facts, width: number, context: CellContext): string {
  const [first] = facts.keys;
  if (first === undefined) return '';
  const text = printableBytes(first, context, width * 2);
  return facts.keys.length > 1 ? `${text} +${facts.keys.length - 1}` : text;
}

function slot(facts: Facts): string {
  const [first, second] = facts.slots;
  if (first === undefined) return '-';
  return second === undefined ? String(first) : 'multi';
}

function node(facts: Facts, context: CellContext): string {
  const [first] = facts.nodes;
  if (first === undefined) return '-';
  const alias = printableText(first.alias, context);
  if (facts.nodes.length === 1) return alias;
  return `${first.shard ?? alias}+${facts.nodes.length - 1}`;
}

const WHY_LETTERS: Readonly<Record<string, string>> = {
  write: 'w',
  policy: '=',
  fallback: '~',
  redirect: '>',
  random: '?',
  pinned: '.',
  refused: '-',
};

/** The role that was asked for and why this node: `Pw`, `R=`, `R~`; `--` where nothing was sent. */
export function placeLetters(facts: Facts): string {
  const [part] = facts.parts;
  if (part === undefined) return facts.pending === null ? '--' : '  ';
  const choose = part.why.find((reason) => reason.stage === 'choose');
  const policy = choose !== undefined && 'policy' in choose ? choose.policy : null;
  const asksReplica = policy === 'REPLICA' || policy === 'PREFER_REPLICA';
  const isReplica = policy === 'ANY' && part.to?.role === 'replica';
  const letter = facts.isOpened ? '!' : (WHY_LETTERS[facts.why ?? ''] ?? '=');
  return `${asksReplica || isReplica ? 'R' : 'P'}${letter}`;
}

/** Below this width there is room for a type and a size only. */
const VALUE_WIDTH = 16;

function reply(facts: Facts, width: number, context: CellContext): string {
  const { event } = facts;
  if (event === null) return '';
  if (event.outcome.kind !== 'reply')
    return event.outcome.kind === 'client-closed' ? '(client left)' : '(rmtop ended)';
  const value = facts.reply;
  if (value === null) return event.reply.total === 0 ? '' : notKept(facts, context);
  if (width < VALUE_WIDTH) {
    // A long string that was cut still has the length it had.
    if (event.reply.condensed) return `$${short(event.reply.total)}`;
    return replyKind(value, context, width);
  }
  const { decision } = facts;
  if (decision?.action.kind === 'refuse' && decision.action.error === 'unknown-command')
    return `mesh refuses ${printableText(facts.name, context, width)}`;
  return replyValue(value, context, width);
}

/** A reply that may hold a secret, or that is large and no string. */
function notKept(facts: Facts, context: CellContext): string {
  const bytes = facts.event?.reply.bytes ?? Buffer.alloc(0);
  const rule = /red:(\w+)/.exec(printable(bytes, context, 40))?.[1];
  return rule === 'auth' ? '(secret)' : `(${short(facts.event?.reply.total ?? 0)}B)`;
}
