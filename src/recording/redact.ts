/**
 * What a recording leaves out on purpose. Passwords never reach it (`events/condense.ts` takes them out where events are born); this is
 * what a user may leave out besides: values, the values of some keys, arguments that are no keys, replies (recording page, 4.5 and 4.6).
 */
import { createHmac } from 'node:crypto';
import { Command } from '../commands/command.js';
import type { JsonPath } from '../compare/json-path.js';
import type { CommandEvent } from '../events/event.js';
import { matchesGlob } from '../filter/glob.js';
import { RecordedCommand } from './command.js';
import { maskJson, mayHold } from './json-mask.js';
import { type HeaderInfo, otherFromJson } from './others.js';
import type { Entry } from './reader.js';
import {
  type CompiledRedactRule,
  compileRedactRules,
  keptPositions,
  type RedactRule,
  redactRulesOf,
} from './redact-rules.js';
import { withoutArguments } from './script-note.js';
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
  /** A user's own, which go further. */
  readonly rules: readonly RedactRule[];
};

/** What is done without being asked: passwords are removed, all else is kept. */
export const REDACT_AUTH: RedactOptions = {
  mode: 'auth',
  glob: '',
  key: '',
  capture: 'replies',
  rules: [],
};

/** Whether anything has to be done at all. */
export function removesMore({ mode, capture, rules }: RedactOptions): boolean {
  return mode !== 'auth' || capture !== 'replies' || rules.length > 0;
}

/** What a header says of what was removed; `isGiven`: the key is one that its user knows. */
export function headerOf(
  { mode, glob, key, rules }: RedactOptions,
  isGiven = false,
): HeaderInfo['redact'] {
  return {
    mode: mode === 'keys' ? `keys=${glob}` : mode,
    key: key === '' ? 'none' : isGiven ? 'given' : 'random',
    ...(rules.length === 0 ? {} : { rules }),
  };
}

/** What a header says of how its recording was redacted; values are no longer recognised, unless by the same `key`. */
export function redactionOf(header: JsonObject, key = ''): RedactOptions {
  const said = isJsonObject(header.redact) ? String(header.redact.mode ?? 'auth') : 'auth';
  const glob = /^keys=(.+)$/s.exec(said)?.[1] ?? '';
  const mode = said === 'values' ? 'values' : glob === '' ? 'auth' : 'keys';
  return { ...REDACT_AUTH, mode, glob, key, rules: redactRulesOf(header) };
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

/** What is meant in the reply to a command: the strings in it, or the parts of JSON in them; null: nothing. */
type Meant = { readonly whole: string | null; readonly json: readonly JsonPath[] };

const NOTHING_MEANT: Meant = { whole: null, json: [] };

/** Takes out of a command's line what `options` say. The commands of a connection come in the order they were answered in. */
export class Redactor {
  private readonly options: RedactOptions;
  private readonly rules: readonly CompiledRedactRule[];
  /** By connection: what is meant in the reply to each command that was queued since its MULTI. */
  private readonly queued = new Map<number, Meant[]>();

  /** Throws USAGE for a rule that is none. */
  constructor(options: RedactOptions) {
    this.options = options;
    this.rules = compileRedactRules(options.rules);
  }

  /** Takes note of a command; whether `line` would take anything out of it. One that nothing is taken out of need not go through `line`. */
  touches(event: CommandEvent): boolean {
    const { command, connection } = event;
    const { mode, capture } = this.options;
    if (command.name === 'MULTI') this.queued.set(connection, []);
    if (mode === 'values' || capture !== 'replies') return true;
    return isExec(command) || this.queues(event) || this.isMeant(event.command);
  }

  private queues({ command: { name, session }, connection }: CommandEvent): boolean {
    return session.multi && name !== 'DISCARD' && this.queued.has(connection);
  }

  private isMeant(command: Command): boolean {
    return this.fitsGlob(command) || this.rules.some((rule) => rule.fits(command));
  }

  /** `line` is the record of `event`. */
  line(line: JsonObject, event: CommandEvent): JsonObject {
    const { capture } = this.options;
    const { command } = event;
    const fitting = this.rules.filter((rule) => rule.fits(command));
    const everything = this.options.mode === 'values' || this.fitsGlob(command);
    let redacted = line;
    for (const at of ['a', 'ao'] as const) {
      const args = redacted[at];
      if (!Array.isArray(args)) continue;
      let kept: readonly Json[] = args as readonly Json[];
      if (everything) kept = this.args(kept, command, 'value', true);
      for (const rule of fitting) kept = this.ruled(kept, command, rule);
      if (capture === 'keys') kept = this.args(kept, command, 'capture', false);
      if (kept !== args) redacted = { ...redacted, [at]: kept };
    }
    redacted = this.withReply(redacted, event, this.meantIn(command, fitting, everything));
    if (capture !== 'replies' && redacted.r !== undefined) {
      const { r: _r, ...rest } = redacted;
      redacted = { ...rest, rs: event.reply.total };
    }
    return redacted;
  }

  private fitsGlob(command: Command): boolean {
    const { mode, glob } = this.options;
    return mode === 'keys' && command.keys.some((at) => matchesGlob(glob, command.text(at)));
  }

  private meantIn(
    { name }: Command,
    fitting: readonly CompiledRedactRule[],
    everything: boolean,
  ): Meant {
    // What DUMP gives has all of the value in it, packed.
    const isWhole = (rule: CompiledRedactRule): boolean =>
      rule.json.length === 0 || name === 'DUMP';
    const whole = everything ? 'value' : (fitting.find(isWhole)?.name ?? null);
    return { whole, json: fitting.flatMap(({ json }) => json) };
  }

  /** EXEC's reply has those of the commands that were queued. Where they are not known, it may have any. */
  private withReply(line: JsonObject, event: CommandEvent, meant: Meant): JsonObject {
    const { command, connection } = event;
    const queue = this.queued.get(connection);
    if (!isExec(command)) {
      if (this.queues(event) && isQueued(line.r)) queue?.push(meant);
      if (command.name === 'DISCARD') this.queued.delete(connection);
      return withMeant(line, (r) => this.reply(r, meant));
    }
    this.queued.delete(connection);
    const { r } = line;
    if (!Array.isArray(r) || queue?.length !== r.length) {
      const any = this.meantIn(command, this.rules, this.options.mode !== 'auth');
      return withMeant(line, (each) => this.reply(each, any));
    }
    return {
      ...line,
      r: (r as readonly Json[]).map((each, i) => this.reply(each, queue[i] ?? NOTHING_MEANT)),
    };
  }

  /**
   * `line` is any record but a command's. Mirrors' replies and what they differ in are of a command that is not looked at again: they go
   * whenever anything is removed. Of a pushed message its kind and its channel stay; rules are asked of it as of the PUBLISH that sent it.
   */
  other(line: JsonObject): JsonObject {
    if (line.k === 'end') this.queued.delete(Number(line.c));
    if (line.k === 'note' && isJsonObject(line.snap)) return this.snapshot(line, line.snap);
    if (line.k === 'note' && typeof line.text === 'string' && removesMore(this.options)) {
      const text = withoutArguments(line.text);
      return text === line.text ? line : { ...line, text };
    }
    if (line.k === 'mir') {
      const { note: _note, r, ...rest } = line;
      return r === undefined ? rest : { ...rest, r: this.reply(r, ALL_VALUES) };
    }
    if (line.k !== 'push' || !isJsonObject(line.r)) return line;
    // A line of MONITOR has whole commands in it.
    if (line.r['+'] !== undefined) return { ...line, r: this.removed(line.r['+'], 'value') };
    if (!Array.isArray(line.r['>'])) return line;
    const items = line.r['>'] as readonly Json[];
    const named = items[0] === 'pmessage' ? 3 : 2;
    const meant = this.meantInMessage(items, named);
    if (meant === NOTHING_MEANT) return line;
    return {
      ...line,
      r: { '>': items.map((each, i) => (i < named ? each : this.reply(each, meant))) },
    };
  }

  private meantInMessage(items: readonly Json[], named: number): Meant {
    const { mode, capture, glob } = this.options;
    const names = items.slice(1, named);
    const isMeant =
      mode === 'values' ||
      capture !== 'replies' ||
      (mode === 'keys' &&
        names.some((each) => typeof each === 'string' && matchesGlob(glob, each)));
    if (isMeant) return ALL_VALUES;
    const channel = argumentFromJson(names.at(-1) ?? null).bytes;
    const command = Command.of(['PUBLISH', channel, '']);
    const fitting = this.rules.filter((rule) => rule.fits(command));
    return fitting.length === 0 ? NOTHING_MEANT : this.meantIn(command, fitting, false);
  }

  /** What a key held is a value, and something that a server said. A rule that does not ask about keys alone may mean any. */
  private snapshot(line: JsonObject, { dump, ttl: _ttl, ...snap }: JsonObject): JsonObject {
    const { mode, capture, glob } = this.options;
    const key = bytesFromJson(snap.key)?.toString('latin1') ?? '';
    const isMeant =
      mode === 'values' ||
      capture !== 'replies' ||
      (mode === 'keys' && matchesGlob(glob, key)) ||
      this.rules.some((rule) => rule.mayMeanKey(key));
    return dump === undefined || !isMeant ? line : { ...line, snap: { ...snap, left: 'redacted' } };
  }

  private args(
    args: readonly Json[],
    command: Command,
    rule: string,
    keepsWords: boolean,
  ): readonly Json[] {
    const kept = keptPositions(command);
    return args.map((arg, i) => {
      if (kept.has(i) || (typeof arg !== 'string' && !isBase64(arg))) return arg;
      if (keepsWords && typeof arg === 'string' && isWord(arg)) return arg;
      return this.removed(arg, rule);
    });
  }

  /** Without what one rule takes out of them. */
  private ruled(
    args: readonly Json[],
    command: Command,
    rule: CompiledRedactRule,
  ): readonly Json[] {
    const kept = keptPositions(command);
    return args.map((arg, i) => {
      if (kept.has(i) || rule.args?.has(i) === false) return arg;
      return rule.json.length === 0
        ? this.removed(arg, rule.name)
        : this.masked(arg, rule.json, rule.name);
    });
  }

  private removed(value: Json, rule: string): Json {
    if (isJsonObject(value) && value.red !== undefined) return value;
    const arg = argumentFromJson(value);
    const { key } = this.options;
    if (arg.kind === 'cut') return { red: rule, len: arg.total };
    const { bytes } = arg;
    if (key === '' || rule === 'capture') return { red: rule, len: bytes.length };
    const h = createHmac('sha256', key).update(bytes).digest('hex').slice(0, 12);
    return { red: rule, len: bytes.length, h };
  }

  /** A byte string without the parts of JSON that `paths` name; all of it goes where that cannot be seen. */
  private masked(value: Json, paths: readonly JsonPath[], rule: string): Json {
    if (typeof value === 'string') return maskJson(value, paths) ?? this.removed(value, rule);
    if (!isJsonObject(value) || value.red !== undefined) return value;
    if (value.cut !== undefined) return this.removed(value, rule);
    const bytes = bytesFromJson(value);
    return bytes !== null && mayHold(bytes.toString('latin1'), paths)
      ? this.removed(value, rule)
      : value;
  }

  /** What is meant in the strings of a reply; its shape, integers and errors stay. */
  private reply(value: Json, meant: Meant): Json {
    const { whole, json } = meant;
    if (whole === null && json.length === 0) return value;
    const string = (of: Json): Json =>
      whole === null ? this.masked(of, json, 'json') : this.removed(of, whole);
    if (typeof value === 'string' || isBase64(value)) return string(value);
    if (Array.isArray(value))
      return (value as readonly Json[]).map((each) => this.reply(each, meant));
    if (!isJsonObject(value)) return value;
    if (value.cut !== undefined) return string(value);
    if (value.raw !== undefined) return this.removed(value.raw, whole ?? 'json');
    if (value['='] !== undefined) return this.verbatim(value['='], meant);
    if (value['+'] !== undefined && whole === null) return { '+': string(value['+']) };
    const entries = Object.entries(value).map(([tag, of]) => [
      tag,
      Array.isArray(of) || tag === 'v' ? this.reply(of as Json, meant) : of,
    ]);
    return Object.fromEntries(entries) as Json;
  }

  /** `txt:` stands before what is meant. */
  private verbatim(value: Json, { whole, json }: Meant): Json {
    if (whole !== null || typeof value !== 'string') return this.removed(value, whole ?? 'json');
    const masked = this.masked(value.slice(4), json, 'json');
    return typeof masked === 'string' ? { '=': value.slice(0, 4) + masked } : masked;
  }
}

const ALL_VALUES: Meant = { whole: 'value', json: [] };

function isExec({ name }: Command): boolean {
  return name === 'EXEC';
}

function isQueued(reply: Json | undefined): boolean {
  return isJsonObject(reply) && reply['+'] === 'QUEUED';
}

function withMeant(line: JsonObject, make: (reply: Json) => Json): JsonObject {
  const { r } = line;
  if (r === undefined) return line;
  const made = make(r);
  return made === r ? line : { ...line, r: made };
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
  if (json.k === 'rmtop') {
    // What it was recorded under is still in force.
    const rules = [...redactRulesOf(json), ...(header.rules ?? [])];
    const redact = rules.length === 0 ? header : { ...header, rules };
    return { ...entry, ...textAnd({ ...json, redact: redact as unknown as JsonObject }) };
  }
  if (event instanceof RecordedCommand) {
    if (!redactor.touches(event)) return entry;
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
