/**
 * What was in the servers before a recording began, as far as its first reads tell (recording page, 5: `--seed-state`): the commands
 * that make it so again, and the keys of which it cannot be known.
 */
import type { Command } from '../commands/command.js';
import type { CommandEvent } from '../events/event.js';
import { isStopped } from '../mesh/decision.js';
import { decodeReply, isError, type Reply } from '../resp/value.js';

type Value = Buffer | string;

/** One key before its first write: commands that make it, once each. */
type Known = { readonly commands: Map<string, Value[]>; isSettled: boolean };

/** Gathers the start state. Commands are added in the order of their arrival. */
export class StartState {
  private readonly keys = new Map<string, Known>();
  private readonly hidden = new Map<string, Buffer>();

  /** Learns from one command and its reply. */
  add(event: CommandEvent): void {
    const { command } = event;
    if (command.keys.length === 0 || isStopped(event.decision)) return;
    const isWhole = event.args.every((arg) => arg.kind === 'whole') && !event.reply.condensed;
    const reply = isWhole && event.reply.bytes.length > 0 ? decodeReply(event.reply.bytes) : null;
    for (const [i, at] of command.keys.entries()) {
      const key = command.argv[at];
      if (key === undefined) continue;
      const known = this.known(key);
      if (known.isSettled) continue;
      if (!command.session.multi) this.learn(known, key, command, at, i, reply);
      if (command.spec?.writes !== false) known.isSettled = true;
    }
  }

  /** Leaves out the keys, one character a byte, that are `known` from elsewhere. */
  without(known: (key: string) => boolean): void {
    for (const key of this.keys.keys()) if (known(key)) this.keys.delete(key);
    for (const key of this.hidden.keys()) if (known(key)) this.hidden.delete(key);
  }

  /** What to send before the first command, in order. */
  commands(): (readonly Value[])[] {
    return [...this.keys.values()].flatMap(({ commands }) => {
      const { [EXPIRY]: expiry, ...values } = Object.fromEntries(commands);
      const made = Object.values(values);
      return made.length === 0 || expiry === undefined ? made : [...made, expiry];
    });
  }

  /** Keys that were there, with what is not in the recording. */
  get unknown(): readonly Buffer[] {
    return [...this.hidden.values()];
  }

  private known(key: Buffer): Known {
    const name = key.toString('latin1');
    let known = this.keys.get(name);
    if (known === undefined) {
      known = { commands: new Map(), isSettled: false };
      this.keys.set(name, known);
    }
    return known;
  }

  private learn(
    known: Known,
    key: Buffer,
    command: Command,
    at: number,
    nth: number,
    reply: Reply | null,
  ): void {
    const made = reply === null ? HIDDEN : before(command, key, at, nth, reply);
    if (made === ABSENT) return;
    if (made === HIDDEN) {
      // What a whole read has told stays told.
      if (known.commands.size === 0) this.hidden.set(key.toString('latin1'), key);
      return;
    }
    const [name = ''] = made;
    // Each read of a part of a hash adds to it; a time to live goes with what is known.
    const part = name === 'HSET' && command.name !== 'HGETALL' ? `:${known.commands.size}` : '';
    if (!known.commands.has(`${name}${part}`)) known.commands.set(`${name}${part}`, [...made]);
    if (name !== EXPIRY) this.hidden.delete(key.toString('latin1'));
    else if (known.commands.size === 1) this.hidden.set(key.toString('latin1'), key);
  }
}

/** A time to live comes last: what makes the value would take it away. */
const EXPIRY = 'PEXPIRE';

const ABSENT = Symbol('absent');
const HIDDEN = Symbol('hidden');
type Before = readonly Value[] | typeof ABSENT | typeof HIDDEN;

/** What the reply of the first command on `key` says of it: the command that makes it so, that it was not there, or nothing. */
function before(command: Command, key: Buffer, at: number, nth: number, reply: Reply): Before {
  if (isError(reply)) return HIDDEN;
  switch (command.name) {
    case 'GET':
    case 'GETDEL':
    case 'GETEX':
    case 'GETSET':
      return stringBefore(key, reply);
    case 'MGET':
      return reply.type === '*' ? stringBefore(key, reply.items[nth]) : HIDDEN;
    case 'HGETALL':
      return listBefore(['HSET', key], flat(reply));
    case 'HGET': {
      const field = command.argv[at + 1];
      const value = bytesOf(reply);
      return field === undefined || value === null ? ABSENT : ['HSET', key, field, value];
    }
    case 'HMGET':
      return listBefore(['HSET', key], fieldsOf(command, at, reply));
    case 'SMEMBERS':
      return listBefore(['SADD', key], flat(reply));
    case 'LRANGE':
      return isWholeRange(command, at) ? listBefore(['RPUSH', key], flat(reply)) : given(reply);
    case 'ZRANGE':
      return isWholeRange(command, at) && command.argc === 5
        ? listBefore(['ZADD', key], scored(reply))
        : given(reply);
    case 'TTL':
    case 'PTTL': {
      const left = integerOf(reply);
      if (left < 0) return left === -2 ? ABSENT : HIDDEN;
      return [EXPIRY, key, String(command.name === 'TTL' ? left * 1000 : left)];
    }
    case 'INCR':
    case 'INCRBY':
    case 'DECR':
    case 'DECRBY':
      return countBefore(command, key, at, reply);
    default:
      return command.spec?.writes === false ? given(reply) : writtenOver(command, reply);
  }
}

function stringBefore(key: Buffer, reply: Reply | undefined): Before {
  if (reply === undefined) return HIDDEN;
  const value = bytesOf(reply);
  return value === null ? ABSENT : ['SET', key, value];
}

function listBefore(make: readonly Value[], values: readonly Value[] | null): Before {
  if (values === null) return HIDDEN;
  return values.length === 0 ? ABSENT : [...make, ...values];
}

function countBefore(command: Command, key: Buffer, at: number, reply: Reply): Before {
  if (reply.type !== ':') return HIDDEN;
  const by = BigInt(command.name.endsWith('BY') ? command.text(at + 1, 32) : '1');
  const was = BigInt(reply.value) - (command.name.startsWith('DECR') ? -by : by);
  return was === 0n ? ABSENT : ['SET', key, was.toString()];
}

/** Whether a reply to a read says that there was something. */
function given(reply: Reply): Before {
  switch (reply.type) {
    case 'null':
      return ABSENT;
    case ':':
      return integerOf(reply) === 0 ? ABSENT : HIDDEN;
    case '*':
    case '~':
      return reply.items.every((item) => given(item) === ABSENT) ? ABSENT : HIDDEN;
    case '%':
      return reply.pairs.length === 0 ? ABSENT : HIDDEN;
    case '+':
    case '$':
      return reply.value.length === 0 || reply.value.toString() === 'none' ? ABSENT : HIDDEN;
    default:
      return HIDDEN;
  }
}

const PUSHES: ReadonlySet<string> = new Set(['LPUSH', 'RPUSH']);
const REPLACES: ReadonlySet<string> = new Set([
  'SET',
  'SETEX',
  'PSETEX',
  'MSET',
  'HSET',
  'SADD',
  'ZADD',
]);

/** Of writes: those that replace what was, or whose reply shows that nothing was there, need no start. */
function writtenOver(command: Command, reply: Reply): Before {
  if (REPLACES.has(command.name)) return ABSENT;
  if (PUSHES.has(command.name) && integerOf(reply) === command.argc - 2) return ABSENT;
  if (command.name === 'APPEND' && integerOf(reply) === (command.argv[2]?.length ?? -1))
    return ABSENT;
  if (command.name === 'SETNX') return integerOf(reply) === 1 ? ABSENT : HIDDEN;
  if (PUSHES.has(command.name) || command.name === 'APPEND') return HIDDEN;
  return given(reply) === ABSENT || reply.type === '+' ? ABSENT : HIDDEN;
}

function bytesOf(reply: Reply | undefined): Buffer | null {
  return reply !== undefined && (reply.type === '$' || reply.type === '=') ? reply.value : null;
}

function integerOf(reply: Reply): number {
  return reply.type === ':' ? Number(reply.value) : Number.NaN;
}

/** The elements of an array, a set or a map; null where they are not all strings. */
function flat(reply: Reply): Buffer[] | null {
  const items =
    reply.type === '*' || reply.type === '~'
      ? reply.items
      : reply.type === '%'
        ? reply.pairs.flat()
        : null;
  const values = items?.map(bytesOf) ?? [null];
  return values.every((each) => each !== null) ? (values as Buffer[]) : null;
}

function fieldsOf(command: Command, at: number, reply: Reply): Value[] | null {
  if (reply.type !== '*') return null;
  return reply.items.flatMap((item, i) => {
    const [field, value] = [command.argv[at + 1 + i], bytesOf(item)];
    return field === undefined || value === null ? [] : [field, value];
  });
}

function isWholeRange(command: Command, at: number): boolean {
  return command.text(at + 1, 8) === '0' && command.text(at + 2, 8) === '-1';
}

/** `ZRANGE key 0 -1 WITHSCORES` as ZADD takes it; RESP3 has pairs of a member and a double. */
function scored(reply: Reply): Value[] | null {
  if (reply.type !== '*') return null;
  const [first] = reply.items;
  if (first?.type === '*')
    return reply.items.flatMap((pair) => {
      const [member, score] = pair.type === '*' ? pair.items : [];
      return score?.type === ',' ? [score.value, bytesOf(member) ?? ''] : [];
    });
  const values = flat(reply);
  return values?.flatMap((value, i) => (i % 2 === 0 ? [values[i + 1] ?? '0', value] : [])) ?? null;
}
