/** The types of a recording's lines (recording page, 4.2 and 4.3), as checks: which keys, in which order, of which type. */
import assert from 'node:assert/strict';
import type { Json } from '../../src/recording/values.js';
import type { Reply } from '../../src/resp/value.js';

type Check = (value: Json) => boolean;
type JsonObject = { readonly [key: string]: Json | undefined };

const isObject = (value: Json | undefined): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const isText: Check = (value) => typeof value === 'string';
const isNumber: Check = (value) => typeof value === 'number' && Number.isFinite(value);
const isWhole: Check = (value) => Number.isSafeInteger(value) && (value as number) >= 0;
const anything: Check = () => true;
const isOneOf =
  (...values: readonly Json[]): Check =>
  (value) =>
    values.includes(value);
const isListOf =
  (check: Check): Check =>
  (value) =>
    Array.isArray(value) && value.every((each) => check(each as Json));
const isTuple =
  (...checks: readonly Check[]): Check =>
  (value) =>
    Array.isArray(value) &&
    value.length === checks.length &&
    checks.every((check, i) => check(value[i] as Json));
const either =
  (...checks: readonly Check[]): Check =>
  (value) =>
    checks.some((check) => check(value));

/** Seconds since t0, with at most six decimals. */
const isTime: Check = (value) =>
  isNumber(value) && (value as number) >= 0 && /^\d+(\.\d{1,6})?(e-\d+)?$/.test(String(value));

/** A record's keys in the order of the page; `?` marks those that may be missing. */
function hasFields(fields: Readonly<Record<string, Check>>): Check {
  const names = Object.keys(fields);
  return (value) => {
    if (!isObject(value)) return false;
    let at = -1;
    for (const key of Object.keys(value)) {
      const name = key in fields ? key : `${key}?`;
      const position = names.indexOf(name);
      if (position <= at || !(fields[name] as Check)(value[key] as Json)) return false;
      at = position;
    }
    return names.every((name) => name.endsWith('?') || name in value);
  };
}

/** S: a byte string. */
const isS: Check = either(
  isText,
  hasFields({ b64: isText }),
  hasFields({ red: isText, 'len?': isWhole, 'h?': isText }),
  hasFields({ cut: isWhole, head: (value) => isS(value), sha256: isText }),
);

/** R: a reply. */
const isR: Check = (value) => {
  const pairs = isListOf(isTuple(isR, isR));
  return either(
    isS,
    isNumber,
    isOneOf(null, true, false),
    isListOf(isR),
    hasFields({ '+': isS }),
    hasFields({ '-': isS }),
    hasFields({ ':': isText }),
    hasFields({ '*': isOneOf(null) }),
    hasFields({ _: isOneOf(null) }),
    hasFields({ ',': isText }),
    hasFields({ '(': isText }),
    hasFields({ '!': isS }),
    hasFields({ '=': isS }),
    hasFields({ '%': pairs }),
    hasFields({ '~': isListOf(isR) }),
    hasFields({ '>': isListOf(isR) }),
    hasFields({ '|': pairs, v: isR }),
    hasFields({ raw: isS }),
  )(value);
};

const isSlot: Check = (value) => isWhole(value) && (value as number) < 16384;

const RECORDS: Readonly<Record<string, Check>> = {
  rmtop: hasFields({
    k: isText,
    v: isOneOf(1),
    min: isOneOf(1),
    id: isText,
    part: isWhole,
    'prev?': isText,
    t0: isText,
    tool: isText,
    listen: isListOf(isText),
    up: isText,
    'mesh?': isObject as Check,
    redact: hasFields({ mode: isText, key: isText }),
    capture: isOneOf('replies', 'args', 'keys'),
    cut: hasFields({ value: isWhole, record: isWhole }),
    pend_ms: isWhole,
    'seed?': isText,
    'src?': isText,
    'fixture?': isOneOf(true),
    'note?': isText,
  }),
  topo: hasFields({
    k: isText,
    t: isTime,
    ep: isWhole,
    src: isText,
    nodes: isListOf(
      hasFields({
        id: isText,
        addr: isText,
        'via?': isText,
        'slots?': isListOf(isTuple(isSlot, isSlot)),
        'of?': isText,
        'down?': isOneOf(true),
      }),
    ),
    ups: isObject as Check,
  }),
  cfg: hasFields({
    k: isText,
    t: isTime,
    cv: isWhole,
    name: isText,
    sha256: isText,
    mesh: anything,
  }),
  conn: hasFields({
    k: isText,
    t: isTime,
    c: isWhole,
    addr: isText,
    'name?': isText,
    'lib?': isText,
    resp: isOneOf(2, 3),
    'user?': isText,
    'db?': isWhole,
    'tls?': isOneOf(true),
  }),
  end: hasFields({
    k: isText,
    t: isTime,
    c: isWhole,
    why: isOneOf('client', 'rmtop', 'fault', 'error'),
    'err?': isText,
  }),
  cmd: hasFields({
    k: isText,
    n: isWhole,
    t: isTime,
    d: isTime,
    c: isWhole,
    'q?': isTuple(isWhole, isWhole, isWhole),
    'db?': isWhole,
    a: isListOf(isS),
    'qs?': isWhole,
    'ao?': isListOf(isS),
    'ks?': isListOf(isWhole),
    's?': either(isSlot, isListOf(isSlot)),
    'rt?': isText,
    'rf?': isText,
    'm?': isListOf(isText),
    'dr?': isListOf(isWhole),
    'ev?': isTuple(isWhole, isWhole),
    u: either(
      isText,
      isListOf(hasFields({ u: isText, ks: isListOf(isWhole), d: isTime, 'r?': isR })),
    ),
    'p?': (value) =>
      Array.isArray(value) &&
      isOneOf(
        'policy',
        'fallback',
        'redirect',
        'random',
        'write',
        'pinned',
        'refused',
      )(value[0] as Json) &&
      isOneOf('P', 'R')(value[1] as Json) &&
      (value.length === 2 || isText(value[2] as Json)),
    'hp?': isListOf(isTuple(isOneOf('MOVED', 'ASK'), isNumber, isText, isText)),
    'at?': isListOf(
      isTuple(isWhole, isText, isOneOf('decided', 'MOVED', 'ASK'), isNumber, isNumber),
    ),
    'f?': anything,
    'fr?': anything,
    'tm?': isTuple(isWhole, isWhole, isWhole),
    'ss?': hasFields({
      'auth?': isOneOf(false),
      'resp?': isOneOf(3),
      'sub?': isOneOf(true),
      'tk?': isS,
      'pin?': isText,
      'home?': isText,
    }),
    'bh?': isWhole,
    'x?': (value) => /^[HERTLSWO]+$/.test(String(value)),
    'r?': isR,
    'rs?': isWhole,
    'cause?': hasFields({
      code: isText,
      address: isText,
      'afterMs?': isNumber,
      'others?': isWhole,
      'detail?': isText,
    }),
    'e?': isOneOf('client_closed', 'upstream_closed', 'timeout', 'shutdown'),
  }),
  pend: hasFields({
    k: isText,
    n: isWhole,
    t: isTime,
    c: isWhole,
    a: isListOf(isS),
    's?': isSlot,
    'u?': isText,
    'x?': isText,
    at: isTime,
  }),
  mir: hasFields({
    k: isText,
    n: isWhole,
    'part?': isWhole,
    to: isText,
    addr: isText,
    t: isTime,
    'd?': isTime,
    'lag?': isNumber,
    st: isOneOf('same', 'diff', 'uncompared', 'failed', 'dropped'),
    'r?': isR,
    'tol?': isText,
    'note?': isText,
    'cause?': isObject as Check,
  }),
  push: hasFields({ k: isText, t: isTime, c: isWhole, r: isR }),
  note: hasFields({
    k: isText,
    t: isTime,
    'n?': isWhole,
    'mark?': isText,
    'text?': isText,
    'lvl?': isText,
    'next?': isText,
  }),
  up: hasFields({
    k: isText,
    t: isTime,
    u: isText,
    addr: isText,
    'via?': isText,
    st: isOneOf('ready', 'closed', 'failed'),
    'own?': isOneOf(true),
    'cause?': isObject as Check,
  }),
  drop: hasFields({
    k: isText,
    t: isTime,
    from: isWhole,
    to: isWhole,
    why: isOneOf('queue', 'disk', 'limit'),
    cmds: isWhole,
  }),
};

/** Fails unless `line` is a record of its kind. */
export function checkRecord(line: Json): void {
  const kind = isObject(line) ? String(line.k) : '';
  const check = RECORDS[kind];
  assert.ok(check !== undefined, `no kind of record: ${kind}`);
  assert.ok(check(line), `not of the type of ${kind}: ${JSON.stringify(line)}`);
}

function bytesFromJson(value: Json | undefined): Buffer {
  if (typeof value === 'string') return Buffer.from(value);
  assert.ok(isObject(value) && typeof value.b64 === 'string');
  return Buffer.from(value.b64, 'base64');
}

function pairsFromJson(value: Json | undefined): [Reply, Reply][] {
  return (value as [Json, Json][]).map(([key, item]) => [replyFromJson(key), replyFromJson(item)]);
}

/** The reply that a line holds: 4.2 read backwards. */
export function replyFromJson(value: Json): Reply {
  if (value === null) return { type: 'null', spelling: '$' };
  if (typeof value === 'boolean') return { type: '#', value };
  if (typeof value === 'number') return { type: ':', value: String(value) };
  if (typeof value === 'string') return { type: '$', value: bytesFromJson(value) };
  if (!isObject(value)) return { type: '*', items: (value as Json[]).map(replyFromJson) };
  const [tag] = Object.keys(value);
  switch (tag) {
    case 'b64':
      return { type: '$', value: bytesFromJson(value) };
    case '+':
    case '-':
    case '!':
    case '=':
      return { type: tag, value: bytesFromJson(value[tag]) };
    case ':':
    case ',':
    case '(':
      return { type: tag, value: String(value[tag]) };
    case '*':
    case '_':
      return { type: 'null', spelling: tag };
    case '~':
    case '>':
      return { type: tag, items: (value[tag] as Json[]).map(replyFromJson) };
    case '%':
      return { type: '%', pairs: pairsFromJson(value['%']) };
    default:
      assert.equal(tag, '|');
      return { type: '|', pairs: pairsFromJson(value['|']), of: replyFromJson(value.v as Json) };
  }
}
