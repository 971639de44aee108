/**
 * What a recording leaves out on purpose. Passwords never reach it (`events/condense.ts` takes them out where events are born); this is
 * what a user may leave out besides: values, the values of some keys, arguments that are no keys, replies (recording page, 4.5 and 4.6).
 */
import { createHmac } from 'node:crypto';
import type { CommandEvent } from '../events/event.js';
import { matchesGlob } from '../filter/glob.js';
import { RecordedCommand } from './command.js';
import { type HeaderInfo, otherFromJson } from './others.js';
import type { Entry } from './reader.js';
import {
  argumentFromJson,
  bytesFromJson,
  isJsonObject,
  type Json,
  type JsonObject,
} from './values.js';

/** How much of each command is kept. `key` makes equal values recognisable without showing them; '' keeps their length only. */
export type RedactOptions = {
  readonly mode: 'auth' | 'values' | 'keys';
  /** For `keys`: values of keys that match this are removed. */
  readonly glob: string;
  readonly key: string;
  readonly capture: 'replies' | 'args' | 'keys';
};

/** What is done without being asked: passwords are removed, all else is kept. */
export const REDACT_AUTH: RedactOptions = { mode: 'auth', glob: '', key: '', capture: 'replies' };

/** Whether anything has to be done at all. */
export function removesMore(options: RedactOptions): boolean {
  return options.mode === 'values' || options.mode === 'keys' || options.capture !== 'replies';
}

/** Words of Redis's own that are no values: options, units, flags. */
export const OPTION_WORDS: ReadonlySet<string> = new Set(
  `ABSTTL AFTER AGGREGATE ALPHA ANY ASC ASYNC BEFORE BLOCK BY BYLEX BYSCORE BYBOX BYRADIUS CH COPY COUNT CREATE DB DESC DESTROY EX
  EXAT ENTRIESREAD FIELDS FM FROMLONLAT FROMMEMBER FT GET GETKEYS GROUP GT IDLE IDLETIME INCR INCRBY JUSTID KEEPTTL KEYS KM LASTID LEFT
  LEN LIMIT LT M MATCH MAX MAXLEN MI MIN MINID MINMATCHLEN MKSTREAM NOACK NOMKSTREAM NOVALUES NUMSUB NX OVERFLOW PERSIST PX PXAT RANK
  REPLACE RETRYCOUNT REV RIGHT SAT SAMPLES SET SETID STORE STOREDIST STREAMS SUM SYNC TIME TYPE WEIGHTS WITHATTRIBS WITHCOORD WITHDIST
  WITHHASH WITHMATCHLEN WITHSCORE WITHSCORES WITHVALUES WRAP XX`.split(/\s+/),
);

const NUMBER = /^[-+(]?(?:\d+\.?\d*|\.\d+|inf)(?:e[-+]?\d+)?$/i;
const STREAM_ID = /^(?:\d+(?:-(?:\d+|\*))?|[*$><+-])$/;

/** Takes out of a command's line what `options` say. */
export class Redactor {
  private readonly options: RedactOptions;

  constructor(options: RedactOptions) {
    this.options = options;
  }

  /** `line` is the record of `event`. */
  line(line: JsonObject, event: CommandEvent): JsonObject {
    const { mode, capture } = this.options;
    const { keys } = event.command;
    const isMeant =
      mode === 'values' ||
      (mode === 'keys' &&
        keys.some((at) => matchesGlob(this.options.glob, event.command.text(at))));
    let redacted = line;
    if (isMeant) {
      redacted = { ...redacted, a: this.args(line, event, 'value', true) };
      if (line.r !== undefined) redacted = { ...redacted, r: this.reply(line.r) };
    }
    if (capture === 'keys') redacted = { ...redacted, a: this.args(line, event, 'capture', false) };
    if (capture !== 'replies' && redacted.r !== undefined) {
      const { r: _r, ...rest } = redacted;
      redacted = { ...rest, rs: event.reply.total };
    }
    return redacted;
  }

  /**
   * `line` is any record but a command's. Mirrors' replies and what they differ in are of a command that is not looked at again: they go
   * whenever anything is removed. Of a pushed message its kind and its channel stay.
   */
  other(line: JsonObject): JsonObject {
    if (line.k === 'note' && isJsonObject(line.snap)) return this.snapshot(line, line.snap);
    if (line.k === 'mir') {
      const { note: _note, r, ...rest } = line;
      return r === undefined ? rest : { ...rest, r: this.reply(r) };
    }
    if (line.k !== 'push' || !isJsonObject(line.r) || !Array.isArray(line.r['>'])) return line;
    const items = line.r['>'] as readonly Json[];
    const named = items[0] === 'pmessage' ? 3 : 2;
    const { mode, capture, glob } = this.options;
    const isMeant =
      mode === 'values' ||
      capture !== 'replies' ||
      items.slice(1, named).some((each) => typeof each === 'string' && matchesGlob(glob, each));
    if (!isMeant) return line;
    return { ...line, r: { '>': items.map((each, i) => (i < named ? each : this.reply(each))) } };
  }

  /** What a key held is a value, and something that a server said. */
  private snapshot(line: JsonObject, { dump, ttl: _ttl, ...snap }: JsonObject): JsonObject {
    const { mode, capture, glob } = this.options;
    const key = bytesFromJson(snap.key)?.toString('latin1') ?? '';
    const isMeant =
      mode === 'values' || capture !== 'replies' || (mode === 'keys' && matchesGlob(glob, key));
    return dump === undefined || !isMeant ? line : { ...line, snap: { ...snap, left: 'redacted' } };
  }

  private args(line: JsonObject, event: CommandEvent, rule: string, keepsWords: boolean): Json {
    const kept = new Set([...event.command.keys, 0]);
    if (event.command.spec?.parent !== null && event.command.spec !== undefined) kept.add(1);
    if (event.command.spec?.mesh === 'eval') kept.add(3);
    return (line.a as readonly Json[]).map((arg, i) => {
      if (kept.has(i) || (typeof arg !== 'string' && !isBase64(arg))) return arg;
      if (keepsWords && typeof arg === 'string' && isWord(arg)) return arg;
      return this.removed(arg, rule);
    });
  }

  private removed(value: Json, rule: string): Json {
    const { bytes } = argumentFromJson(value);
    const { key } = this.options;
    if (key === '' || rule === 'capture') return { red: rule, len: bytes.length };
    const h = createHmac('sha256', key).update(bytes).digest('hex').slice(0, 12);
    return { red: rule, len: bytes.length, h };
  }

  /** Bulk strings of a reply; its shape, integers and errors stay. */
  private reply(value: Json): Json {
    if (typeof value === 'string' || isBase64(value)) return this.removed(value, 'value');
    if (Array.isArray(value)) return (value as readonly Json[]).map((each) => this.reply(each));
    if (!isJsonObject(value)) return value;
    if (value.raw !== undefined) return this.removed(value.raw, 'value');
    if (value['='] !== undefined) return this.removed(value['='], 'value');
    const entries = Object.entries(value).map(([tag, of]) => [
      tag,
      Array.isArray(of) || tag === 'v' ? this.reply(of as Json) : of,
    ]);
    return Object.fromEntries(entries) as Json;
  }
}

function isBase64(value: Json): boolean {
  return isJsonObject(value) && typeof value.b64 === 'string';
}

function isWord(arg: string): boolean {
  return OPTION_WORDS.has(arg.toUpperCase()) || NUMBER.test(arg) || STREAM_ID.test(arg);
}

/** The entry without what `redactor` removes, as if it had been recorded so; `header` is what a header says of that. */
export function redactedEntry(
  entry: Entry,
  redactor: Redactor,
  header: HeaderInfo['redact'],
): Entry {
  const { json, event } = entry;
  if (json.k === 'rmtop') return { ...entry, ...textAnd({ ...json, redact: header }) };
  if (event instanceof RecordedCommand) {
    const line = redactor.line(json, event);
    return line === json ? entry : { ...entry, ...textAnd(line), event: event.as(line) };
  }
  const line = redactor.other(json);
  if (line === json) return entry;
  return { ...entry, ...textAnd(line), event: otherFromJson(line, new Set()) };
}

function textAnd(json: JsonObject): Pick<Entry, 'json' | 'text'> {
  return { json, text: JSON.stringify(json) };
}
