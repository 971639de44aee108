/**
 * The line of a finished command read where it stands, without making an object of it: for deciding again nothing is needed but its
 * arguments, its number and time, and what was drawn. A fifth of what parsing the line takes.
 *
 * Anything out of the ordinary (arguments that are no text, a session that is not a new client's, a line that is no JSON) is left
 * to the reader, which parses it. What is not looked at is only passed over: brackets and strings have to be right, numbers are not read.
 */
import { Command, NEW_SESSION, type SessionView } from '../commands/command.js';

const QUOTE = 0x22;
const COMMA = 0x2c;
const MINUS = 0x2d;
const POINT = 0x2e;
const ZERO = 0x30;
const NINE = 0x39;
const COLON = 0x3a;
const OPEN = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;
const LF = 0x0a;
const BLANK = 0x20;

/** What a command's line begins with. */
const HEAD = Buffer.from('{"k":"cmd",');
const NO_DRAWS: readonly number[] = [];

/** What stands for what behind a backslash, by its byte. */
const ESCAPES: readonly (number | undefined)[] = Object.assign(new Array<undefined>(256), {
  [QUOTE]: QUOTE,
  [BACKSLASH]: BACKSLASH,
  47: 0x2f, // /
  98: 0x08, // b
  102: 0x0c, // f
  110: LF, // n
  114: 0x0d, // r
  116: 0x09, // t
});

/** Two letters as one number. */
function pair(name: string): number {
  return name.charCodeAt(0) * 256 + (name.length > 1 ? name.charCodeAt(1) : 0);
}

const N = pair('n');
const T = pair('t');
const D = pair('d');
const C = pair('c');
const A = pair('a');
const X = pair('x');
const DR = pair('dr');
const EV = pair('ev');
const SS = pair('ss');

/** One line at a time: what is found is there until the next. */
export class CommandScanner {
  seq = 0;
  atUs = 0;
  durationUs = 0;
  connection = 0;
  /** Every draw that was taken. */
  draws: readonly number[] = NO_DRAWS;
  /** Loaded by `load`. */
  readonly command: Command = new Command();
  private isMulti = false;
  private buf: Buffer = HEAD;
  private pos = 0;
  private start = 0;
  private end = 0;
  /** What the arguments are places in: the line, or `scratch`. */
  private frame: Buffer = HEAD;
  private scratch: Buffer = Buffer.alloc(0);
  private argc = 0;
  private argStart = new Int32Array(16);
  private argEnd = new Int32Array(16);
  /** Which of the fields that a command must have were there. */
  private seen = 0;
  private readonly sessions = new Map<number, { plain: SessionView; multi: SessionView }>();

  /** Reads the line that begins at `buf[pos]`; gives where it ends, before its LF or at `limit`, or -1 where it has to be parsed. */
  scan(buf: Buffer, pos: number, limit: number): number {
    if (pos + HEAD.length > limit) return -1;
    for (let i = 0; i < HEAD.length; i++) if (buf[pos + i] !== HEAD[i]) return -1;
    this.buf = buf;
    this.start = pos;
    this.end = limit;
    this.pos = pos + HEAD.length;
    this.draws = NO_DRAWS;
    this.isMulti = false;
    this.seen = 0;
    this.durationUs = 0;
    for (;;) {
      if (!this.field()) return -1;
      const next = buf[this.pos++];
      if (next === COMMA) continue;
      const isEnd = this.pos === limit || buf[this.pos] === LF;
      if (next !== CLOSE_OBJECT || !isEnd || this.seen !== 15) return -1;
      this.end = this.pos;
      return this.pos;
    }
  }

  /** The line as text. */
  get text(): string {
    return this.buf.toString('utf8', this.start, this.end);
  }

  /** Makes the command of what was read; `peer` are the ends of its connection. */
  load(peer: SessionView['peer']): Command {
    let sessions = this.sessions.get(this.connection);
    if (sessions === undefined || sessions.plain.peer !== peer) {
      const plain = { ...NEW_SESSION, peer };
      sessions = { plain, multi: { ...plain, multi: true } };
      this.sessions.set(this.connection, sessions);
    }
    const { frame, argc, argStart, argEnd } = this;
    this.command.load(
      { frame, argc, argStart, argEnd },
      this.isMulti ? sessions.multi : sessions.plain,
    );
    return this.command;
  }

  private field(): boolean {
    const { buf } = this;
    const at = this.pos;
    if (buf[at] !== QUOTE) return false;
    const first = buf[at + 1] as number;
    const second = buf[at + 2] as number;
    if (second === QUOTE && buf[at + 3] === COLON) {
      this.pos = at + 4;
      return this.value(first * 256);
    }
    if (buf[at + 3] === QUOTE && buf[at + 4] === COLON) {
      this.pos = at + 5;
      return this.value(first * 256 + second);
    }
    if (!this.string() || buf[this.pos++] !== COLON) return false;
    return this.skip();
  }

  private value(name: number): boolean {
    switch (name) {
      case N:
        this.seq = this.micros(0);
        this.seen |= 1;
        return this.seq >= 0;
      case C:
        this.connection = this.micros(0);
        this.seen |= 2;
        return this.connection >= 0;
      case T:
        this.atUs = this.micros(6);
        this.seen |= 4;
        return this.atUs >= 0;
      case D:
        this.durationUs = this.micros(6);
        return this.durationUs >= 0;
      case A:
        this.seen |= 8;
        return this.args();
      case X:
        return this.letters();
      case DR:
        return this.drawn();
      case EV:
      case SS:
        return false;
      default:
        return this.skip();
    }
  }

  /** A number that is not negative, times ten to the power of `decimals`; -1 where it has more, or is written otherwise. */
  private micros(decimals: number): number {
    const { buf } = this;
    let at = this.pos;
    const from = at;
    let value = 0;
    let byte = buf[at] as number;
    for (; byte >= ZERO && byte <= NINE; byte = buf[++at] as number)
      value = value * 10 + (byte - ZERO);
    if (at === from || at - from > 15) return -1;
    let left = decimals;
    if (byte === POINT) {
      for (byte = buf[++at] as number; byte >= ZERO && byte <= NINE; byte = buf[++at] as number) {
        if (left-- === 0) return -1;
        value = value * 10 + (byte - ZERO);
      }
    }
    for (; left > 0; left--) value *= 10;
    if (byte !== COMMA && byte !== CLOSE_OBJECT) return -1;
    this.pos = at;
    return Number.isSafeInteger(value) ? value : -1;
  }

  /** An array of strings; nearly always they stand in the line as they are. */
  private args(): boolean {
    const { buf, end } = this;
    let at = this.pos;
    let argc = 0;
    if (buf[at++] !== OPEN || buf[at] === CLOSE) return false;
    for (;;) {
      if (buf[at++] !== QUOTE) return false;
      if (argc === this.argStart.length) this.grow();
      this.argStart[argc] = at;
      let byte = buf[at] as number;
      while (byte !== QUOTE) {
        if (byte === BACKSLASH) return this.escapedArgs();
        if (byte < BLANK || at >= end) return false;
        byte = buf[++at] as number;
      }
      this.argEnd[argc++] = at++;
      const next = buf[at++];
      if (next === COMMA) continue;
      if (next !== CLOSE) return false;
      this.argc = argc;
      this.frame = buf;
      this.pos = at;
      return true;
    }
  }

  /** As `args`, where some of the strings have escapes: all are written out anew, as JSON in values makes it happen often. */
  private escapedArgs(): boolean {
    const { buf, end } = this;
    if (this.scratch.length < end - this.pos)
      this.scratch = Buffer.allocUnsafe(2 * (end - this.pos));
    const { scratch } = this;
    let at = this.pos + 1;
    let out = 0;
    let argc = 0;
    for (;;) {
      if (buf[at++] !== QUOTE) return false;
      if (argc === this.argStart.length) this.grow();
      this.argStart[argc] = out;
      for (let byte = buf[at++] as number; byte !== QUOTE; byte = buf[at++] as number) {
        if (byte < BLANK || at >= end) return false;
        if (byte === BACKSLASH) {
          const letter = buf[at++] as number;
          const stands = ESCAPES[letter] ?? (letter === 0x75 ? this.unicode(at) : -1);
          if (stands === -1) return false;
          if (letter === 0x75) at += 4;
          scratch[out++] = stands;
        } else scratch[out++] = byte;
      }
      this.argEnd[argc++] = out;
      const next = buf[at++];
      if (next === COMMA) continue;
      if (next !== CLOSE) return false;
      this.argc = argc;
      this.frame = scratch;
      this.pos = at;
      return true;
    }
  }

  /** What the four digits behind `u`, at `at`, stand for, where it is one byte; else -1. */
  private unicode(at: number): number {
    const digits = this.buf.toString('latin1', at, at + 4);
    return /^00[0-7][0-9a-f]$/i.test(digits) ? Number.parseInt(digits, 16) : -1;
  }

  private grow(): void {
    for (const name of ['argStart', 'argEnd'] as const) {
      const more = new Int32Array(this[name].length * 2);
      more.set(this[name]);
      this[name] = more;
    }
  }

  private letters(): boolean {
    const from = this.pos;
    if (this.buf[from] !== QUOTE || !this.string()) return false;
    for (let at = from + 1; at < this.pos - 1; at++)
      if (this.buf[at] === 0x54 /* T */) this.isMulti = true;
    return true;
  }

  private drawn(): boolean {
    const from = this.pos;
    if (this.buf[from] !== OPEN || !this.skip()) return false;
    const text = this.buf.toString('latin1', from + 1, this.pos - 1);
    if (!/^-?\d+(?:,-?\d+)*$/.test(text)) return false;
    this.draws = text.split(',').map(Number);
    return true;
  }

  /** Passes over a string. */
  private string(): boolean {
    const { buf, end } = this;
    let at = this.pos + 1;
    for (;;) {
      const byte = buf[at] as number;
      if (byte === QUOTE) break;
      if (byte < BLANK || at >= end) return false;
      at += byte === BACKSLASH ? 2 : 1;
    }
    this.pos = at + 1;
    return true;
  }

  /** Passes over any value. */
  private skip(): boolean {
    const { buf, end } = this;
    let depth = 0;
    do {
      const byte = buf[this.pos] as number;
      if (byte === QUOTE) {
        if (!this.string()) return false;
      } else if (byte === OPEN || byte === OPEN_OBJECT) {
        depth++;
        this.pos++;
      } else if (byte === CLOSE || byte === CLOSE_OBJECT) {
        if (depth-- === 0) return false;
        this.pos++;
      } else if (byte === COMMA || byte === COLON) {
        if (depth === 0) return false;
        this.pos++;
      } else if (!this.literal()) return false;
      if (this.pos >= end) return false;
    } while (depth > 0);
    return true;
  }

  /** Passes over a number, true, false or null. */
  private literal(): boolean {
    const { buf, pos } = this;
    let at = pos;
    let byte = buf[at] as number;
    while (
      (byte >= ZERO && byte <= NINE) ||
      (byte >= 0x61 && byte <= 0x7a) ||
      byte === POINT ||
      byte === MINUS ||
      byte === 0x2b ||
      byte === 0x45
    )
      byte = buf[++at] as number;
    this.pos = at;
    return at > pos;
  }
}
