/** Commands on strings and counters. */
import type { Reply } from 'rmtop';
import { type Call, type CommandTable, floatOf, integerOf, span } from './call.js';
import { expiryIn, type Unit } from './expiry.js';
import {
  array,
  bulk,
  bulkOrNull,
  int,
  NOT_A_FLOAT,
  NULL,
  numberText,
  OK,
  Refused,
  SYNTAX,
  wrongArity,
} from './replies.js';

/** The commands, by name. */
export const strings: CommandTable = {
  GET: (call) => bulkOrNull(call.store.read(call.key, 'string')),
  SET: set,
  SETEX: (call) => setFor(call, 'EX'),
  PSETEX: (call) => setFor(call, 'PX'),
  SETNX: (call) => {
    if (call.store.has(call.key)) return int(0);
    call.store.put(call.key, 'string', call.word(2));
    return int(1);
  },
  GETSET: (call) => {
    const before = call.store.read(call.key, 'string');
    call.store.put(call.key, 'string', call.word(2));
    return bulkOrNull(before);
  },
  GETDEL: (call) => {
    const before = call.store.read(call.key, 'string');
    call.store.delete(call.key);
    return bulkOrNull(before);
  },
  GETEX: getAndExpire,
  MGET: (call) => array(call.from(1).map((key) => readAny(call, key))),
  MSET: (call) => {
    setAll(call);
    return OK;
  },
  MSETNX: (call) => {
    if (call.pairs(1, wrongArity('MSETNX')).some(([key]) => call.store.has(key))) return int(0);
    setAll(call);
    return int(1);
  },
  STRLEN: (call) => int(call.store.read(call.key, 'string')?.length ?? 0),
  APPEND: (call) => {
    const text = (call.store.read(call.key, 'string') ?? '') + call.word(2);
    replace(call, text);
    return int(text.length);
  },
  GETRANGE: (call) => {
    const text = call.store.read(call.key, 'string') ?? '';
    return bulk(text.slice(...span(text.length, call.integer(2), call.integer(3))));
  },
  SETRANGE: (call) => {
    const at = call.integer(2);
    if (at < 0) throw new Refused('ERR offset is out of range');
    const text = call.store.read(call.key, 'string') ?? '';
    const added = call.word(3);
    if (added === '') return int(text.length);
    const longer = text.padEnd(at, '\0');
    const changed = longer.slice(0, at) + added + longer.slice(at + added.length);
    replace(call, changed);
    return int(changed.length);
  },
  INCR: (call) => add(call, 1),
  DECR: (call) => add(call, -1),
  INCRBY: (call) => add(call, call.integer(2)),
  DECRBY: (call) => add(call, -call.integer(2)),
  INCRBYFLOAT: (call) => {
    const before = floatOf(call.store.read(call.key, 'string') ?? '0', NOT_A_FLOAT);
    const text = numberText(before + call.float(2));
    replace(call, text);
    return bulk(text);
  },
};

/** MGET takes a key of another kind for one that is not there. */
function readAny(call: Call, key: string): Reply {
  return call.store.kindOf(key) === 'string' ? bulkOrNull(call.store.read(key, 'string')) : NULL;
}

/** Sets the value and leaves its time to live as it is. */
function replace(call: Call, text: string): void {
  call.store.put(call.key, 'string', text, call.store.expiryOf(call.key));
}

function setAll(call: Call): void {
  for (const [key, value] of call.pairs(1, wrongArity(call.option(0))))
    call.store.put(key, 'string', value);
}

function add(call: Call, by: number): Reply {
  const value = integerOf(call.store.read(call.key, 'string') ?? '0') + by;
  if (!Number.isSafeInteger(value)) throw new Refused('ERR increment or decrement would overflow');
  replace(call, String(value));
  return int(value);
}

function setFor(call: Call, unit: Unit): Reply {
  call.store.put(call.key, 'string', call.word(3), expiryIn(call, unit, 2));
  return OK;
}

/** SET key value [NX | XX] [GET] [EX s | PX ms | EXAT s | PXAT ms | KEEPTTL] */
function set(call: Call): Reply {
  let unless: 'NX' | 'XX' | null = null;
  let get = false;
  let until: number | 'keep' | null = null;
  for (let i = 3; i < call.words.length; i++) {
    const option = call.option(i);
    if ((option === 'NX' || option === 'XX') && (unless ?? option) === option) unless = option;
    else if (option === 'GET') get = true;
    else if (option === 'KEEPTTL' && until === null) until = 'keep';
    else if (isUnit(option) && until === null && i + 1 < call.words.length)
      until = expiryIn(call, option, ++i);
    else throw new Refused(SYNTAX);
  }
  const before = get ? call.store.read(call.key, 'string') : null;
  if (unless !== null && call.store.has(call.key) === (unless === 'NX')) return bulkOrNull(before);
  const expiresAtMs = until === 'keep' ? call.store.expiryOf(call.key) : until;
  call.store.put(call.key, 'string', call.word(2), expiresAtMs);
  return get ? bulkOrNull(before) : OK;
}

/** GETEX key [EX s | PX ms | EXAT s | PXAT ms | PERSIST] */
function getAndExpire(call: Call): Reply {
  const text = call.store.read(call.key, 'string');
  const option = call.option(2);
  if (option === 'PERSIST' && call.words.length === 3) call.store.setExpiry(call.key, null);
  else if (isUnit(option) && call.words.length === 4)
    call.store.setExpiry(call.key, expiryIn(call, option, 3));
  else if (call.words.length > 2) throw new Refused(SYNTAX);
  return bulkOrNull(text);
}

function isUnit(option: string): option is Unit {
  return option === 'EX' || option === 'PX' || option === 'EXAT' || option === 'PXAT';
}
