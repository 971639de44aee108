/** Times to live, as options and commands state them. */
import { type Call, type CommandTable, integerOf } from './call.js';
import { int, Refused } from './replies.js';

/** Seconds or ms from now, or as Unix time. */
export type Unit = 'EX' | 'PX' | 'EXAT' | 'PXAT';

const toMs: Readonly<Record<Unit, (value: number, nowMs: number) => number>> = {
  EX: (value, nowMs) => nowMs + value * 1000,
  PX: (value, nowMs) => nowMs + value,
  EXAT: (value) => value * 1000,
  PXAT: (value) => value,
};

/** Word `i` as the Unix time in ms at which a value of SET and its like ends. Throws when it is no positive integer. */
export function expiryIn(call: Call, unit: Unit, i: number): number {
  const value = call.integer(i);
  const atMs = toMs[unit](value, call.nowMs);
  if (value <= 0 || !Number.isSafeInteger(atMs))
    throw new Refused(`ERR invalid expire time in '${call.word(0).toLowerCase()}' command`);
  return atMs;
}

/** The commands, by name. */
export const expiry: CommandTable = {
  EXPIRE: (call) => expire(call, 'EX'),
  PEXPIRE: (call) => expire(call, 'PX'),
  EXPIREAT: (call) => expire(call, 'EXAT'),
  PEXPIREAT: (call) => expire(call, 'PXAT'),
  TTL: (call) => int(left(call, (ms) => Math.round((ms - call.nowMs) / 1000))),
  PTTL: (call) => int(left(call, (ms) => ms - call.nowMs)),
  EXPIRETIME: (call) => int(left(call, (ms) => Math.round(ms / 1000))),
  PEXPIRETIME: (call) => int(left(call, (ms) => ms)),
  PERSIST: (call) => {
    const had = call.store.expiryOf(call.key) !== null;
    call.store.setExpiry(call.key, null);
    return int(had);
  },
};

type Condition = 'NX' | 'XX' | 'GT' | 'LT';

/** Whether the new time may replace `before`; no time to live counts as an endless one. */
const allows: Readonly<Record<Condition, (atMs: number, before: number | null) => boolean>> = {
  NX: (_, before) => before === null,
  XX: (_, before) => before !== null,
  GT: (atMs, before) => before !== null && atMs > before,
  LT: (atMs, before) => before === null || atMs < before,
};

/** EXPIRE key time [NX | XX | GT | LT] */
function expire(call: Call, unit: Unit): ReturnType<typeof int> {
  const atMs = toMs[unit](integerOf(call.word(2)), call.nowMs);
  const condition = call.words.length > 3 ? call.option(3) : null;
  if (condition !== null && !(condition in allows))
    throw new Refused(`ERR Unsupported option ${call.word(3)}`);
  if (!call.store.has(call.key)) return int(0);
  const before = call.store.expiryOf(call.key);
  if (condition !== null && !allows[condition as Condition](atMs, before)) return int(0);
  if (atMs <= call.nowMs) call.store.delete(call.key);
  else call.store.setExpiry(call.key, atMs);
  return int(1);
}

/** -2: no such key; -1: it stays. */
function left(call: Call, measure: (atMs: number) => number): number {
  if (!call.store.has(call.key)) return -2;
  const atMs = call.store.expiryOf(call.key);
  return atMs === null ? -1 : measure(atMs);
}
