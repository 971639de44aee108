/**
 * Bytes of a client → requests, each as the range of bytes it came in and the ranges of its arguments.
 *
 * Arrays of bulk strings are read in place; inline commands and odd values take a slower way. Only what a chunk leaves unfinished is
 * copied. A request with a large argument may be had in pieces (`LARGE`, `PIECE`), so that its size does not become our memory.
 *
 *   frame ──▶ REQUEST            all of it is at start..end, its arguments at argStart[i]..argEnd[i]
 *         ├─▶ INVALID            RESP, but no request: Envoy answers `invalid request` and goes on
 *         ├─▶ FAILED             not RESP: Envoy answers `downstream protocol error` and closes
 *         └─▶ LARGE ─ inPieces() ─▶ PIECE … LAST_PIECE
 */
import { CR, DOLLAR, EMPTY, LF, MINUS, NINE, STAR, ZERO } from './bytes.js';
import { encodeRequest } from './encode.js';
import { findInlineEnd, splitInline, startsInline } from './inline.js';
import { BROKEN, faultOfHead, findLine, INCOMPLETE, parseLength } from './line.js';
import { FrameScanner, LIMITS } from './scan.js';

export const MORE = 0;
export const REQUEST = 1;
export const INVALID = 2;
export const FAILED = 3;
/** An argument of at least LARGE_BYTES has begun; given once a request, `argc`, `args` and the ranges so far are valid. */
export const LARGE = 4;
export const PIECE = 5;
export const LAST_PIECE = 6;

/** From this size on an unfinished argument is worth handing on in pieces. */
export const LARGE_BYTES: number = 256 * 1024;

/** What one request may take while it is held whole; Redis's own limit of a client's query buffer is of this size. */
const MAX_HELD_BYTES = 1024 * 1024 * 1024;

const BAD_END = 'a bulk string that does not end where its length says';
const BAD_LENGTH = 'a bulk length that is not allowed';

/** Reads the requests of one client connection. */
export class RequestParser {
  /** Where the request is. */
  frame: Buffer = EMPTY;
  start = 0;
  end = 0;
  /** Arguments of the request; while it is LARGE, how many it will have. */
  argc = 0;
  /** Arguments whose range is known; the large one among them has its end beyond what has arrived. */
  args = 0;
  argStart: Int32Array = new Int32Array(16);
  argEnd: Int32Array = new Int32Array(16);
  error = '';

  /** In pieces: which argument the piece is of. None spans two; that of a later one starts with its `$length`. */
  pieceArg = 0;

  private buf: Buffer = EMPTY;
  private limit = 0;
  private pos = 0;
  /** Where the unfinished request starts: bytes before it are not needed any more. */
  private head = 0;
  /** `buf` may be appended to: it is ours, and nothing after `limit` has been handed out. */
  private owned = false;
  /** -1 between requests. */
  private expected = -1;
  private askedLarge = false;
  private offeredLarge = false;
  private pieces = false;
  /** In pieces: bytes of the current argument and its line end still to come. */
  private body = 0;
  /** Set while a value that is no array of bulk strings is passed over. */
  private odd: FrameScanner | null = null;
  /** Bytes of an unfinished inline command that hold no line end. */
  private searched = 0;
  private readonly resp3: boolean;

  /** `resp3: false` makes every RESP3 type a protocol error, as Envoy did up to 1.39. */
  constructor(resp3 = true) {
    this.resp3 = resp3;
  }

  /** Offers the next chunk, which must not be changed afterwards: requests are ranges of it. */
  push(chunk: Buffer): void {
    const kept = this.limit - this.head;
    if (kept === 0) {
      this.buf = chunk;
      this.head = 0;
      this.pos = 0;
      this.limit = chunk.length;
      this.owned = false;
      return;
    }
    if (!this.owned || this.buf.length - this.limit < chunk.length) {
      const grown = Buffer.allocUnsafeSlow(Math.max(2 * kept, kept + chunk.length, 4096));
      this.buf.copy(grown, 0, this.head, this.limit);
      this.shift(this.head);
      this.buf = grown;
      this.owned = true;
    }
    chunk.copy(this.buf, this.limit);
    this.limit += chunk.length;
    if (this.offeredLarge) {
      this.frame = this.buf; // what was offered has moved
      this.start = this.head;
    }
  }

  private shift(by: number): void {
    for (let i = 0; i < this.args; i++) {
      this.argStart[i] = (this.argStart[i] as number) - by;
      this.argEnd[i] = (this.argEnd[i] as number) - by;
    }
    this.head -= by;
    this.pos -= by;
    this.limit -= by;
  }

  /** Bytes of the unfinished request that are held. */
  get heldBytes(): number {
    return this.limit - this.head;
  }

  /** Whether nothing of an unfinished request is held. */
  get idle(): boolean {
    return this.expected === -1 && this.odd === null && this.pos === this.limit;
  }

  next(): number {
    if (this.pieces) return this.nextPiece();
    if (this.odd !== null) return this.passOver(this.odd);
    if (this.expected === -1) {
      this.head = this.pos;
      this.args = 0;
      if (this.pos === this.limit) return MORE;
      const first = this.buf[this.pos] as number;
      if (first !== STAR)
        return startsInline(first) ? this.inline() : this.passOver(new FrameScanner(this.resp3));
      const outcome = this.openArray();
      if (outcome !== REQUEST) return outcome;
    }
    return this.readArguments();
  }

  /** After LARGE: the rest of this request comes in pieces, the first of them all that has arrived of it. */
  inPieces(): void {
    this.pieces = true;
    this.offeredLarge = false;
    this.pos = this.head;
    this.body = (this.argEnd[this.args - 1] as number) + 2 - this.head;
  }

  private openArray(): number {
    const { buf } = this;
    const lineEnd = findLine(buf, this.pos, this.limit);
    if (lineEnd === INCOMPLETE) return this.unfinishedHead();
    if (lineEnd === BROKEN) return this.fail('a carriage return without a line feed');
    const count = parseLength(buf, this.pos + 1, lineEnd);
    if (count < -1 || count > LIMITS.elements)
      return this.fail('an array length that is not allowed');
    if (count <= 0) {
      this.pos = this.head = lineEnd + 2;
      return INVALID;
    }
    this.pos = lineEnd + 2;
    this.expected = count;
    this.argc = count;
    this.askedLarge = false;
    return REQUEST;
  }

  /** The line at `pos` is to be a length and has no end yet. */
  private unfinishedHead(): number {
    const fault =
      this.limit - this.pos > 32
        ? 'a length that is none'
        : faultOfHead(this.buf, this.pos, this.limit, this.resp3);
    return fault === null ? MORE : this.fail(fault);
  }

  private readArguments(): number {
    const { buf, limit } = this;
    if (this.offeredLarge) {
      this.offeredLarge = false; // nobody wanted it in pieces: read on from the head of that argument
      this.args--;
    }
    let pos = this.pos;
    let args = this.args;
    while (args < this.expected) {
      // `$`, digits, CR LF: read by hand, for this runs for every argument of every command.
      if (pos >= limit) return this.wait(pos, args);
      if (buf[pos] !== DOLLAR) return this.noRequest();
      let length = 0;
      let at = pos + 1;
      let byte = 0;
      for (; at < limit && at - pos < 20; at++) {
        byte = buf[at] as number;
        if (byte < ZERO || byte > NINE) break;
        length = length * 10 + (byte - ZERO);
      }
      if (
        at + 1 >= limit &&
        at - pos < 20 &&
        (at === limit || byte === CR || (at === pos + 1 && byte === MINUS))
      ) {
        return this.wait(pos, args);
      }
      if (at === pos + 1 || buf[at] !== CR || buf[at + 1] !== LF || length > LIMITS.bulkBytes) {
        return this.noRequest();
      }
      const body = at + 2;
      const end = body + length;
      if (args === this.argStart.length) this.growRanges();
      this.argStart[args] = body;
      this.argEnd[args] = end;
      if (end + 2 > limit) {
        if (length >= LARGE_BYTES && !this.askedLarge) {
          this.askedLarge = true;
          this.pos = pos;
          this.args = args + 1;
          this.offeredLarge = true;
          this.frame = buf;
          this.start = this.head;
          return LARGE;
        }
        if (end - this.head > MAX_HELD_BYTES) return this.fail('a request of over 1 GiB');
        if (end < limit && buf[end] !== CR) return this.fail(BAD_END);
        return this.wait(pos, args);
      }
      if (buf[end] !== CR || buf[end + 1] !== LF) return this.fail(BAD_END);
      args++;
      pos = end + 2;
    }
    this.args = args;
    this.frame = buf;
    this.start = this.head;
    this.pos = this.head = this.end = pos;
    this.expected = -1;
    return REQUEST;
  }

  /** An element that is no bulk string, or a length that is none: the scanner knows whether it is RESP at all. */
  private noRequest(): number {
    this.args = 0;
    this.expected = -1;
    this.pos = this.head;
    return this.passOver(new FrameScanner(this.resp3));
  }

  private wait(pos: number, args: number): number {
    this.pos = pos;
    this.args = args;
    return MORE;
  }

  private growRanges(): void {
    const grow = (ranges: Int32Array): Int32Array => {
      const grown = new Int32Array(ranges.length * 4);
      grown.set(ranges);
      return grown;
    };
    this.argStart = grow(this.argStart);
    this.argEnd = grow(this.argEnd);
  }

  /** Passes over a value that is RESP but no request. */
  private passOver(scanner: FrameScanner): number {
    this.odd = scanner;
    this.pos = scanner.scan(this.buf, this.pos, this.limit);
    if (scanner.error !== null) return this.fail(scanner.error);
    this.head = this.pos; // what is passed over need not be kept
    if (!scanner.done) return MORE;
    this.odd = null;
    return INVALID;
  }

  private inline(): number {
    const lineEnd = findInlineEnd(this.buf, this.pos + this.searched, this.limit);
    const length = (lineEnd === INCOMPLETE ? this.limit : lineEnd) - this.pos;
    if (length > LIMITS.inlineBytes) return this.fail('an inline command of over 64 KiB');
    if (lineEnd === INCOMPLETE) {
      this.searched = Math.max(0, length - 1); // the last byte may be the CR
      return MORE;
    }
    this.searched = 0;
    const words = splitInline(this.buf, this.pos, lineEnd);
    if (words === null) return this.fail('an inline command with broken quoting');
    this.pos = this.head = lineEnd + 2;
    this.argc = this.args = words.length;
    if (words.length === 0) return INVALID;
    // What goes upstream is an array of bulk strings, so the request is made into one.
    this.frame = encodeRequest(words);
    this.start = 0;
    this.end = this.frame.length;
    while (this.argStart.length < words.length) this.growRanges();
    let at = String(words.length).length + 3;
    words.forEach((word, i) => {
      at += String(word.length).length + 3;
      this.argStart[i] = at;
      this.argEnd[i] = at + word.length;
      at += word.length + 2;
    });
    return REQUEST;
  }

  private nextPiece(): number {
    this.frame = this.buf;
    this.start = this.pos;
    for (;;) {
      const step = Math.min(this.body, this.limit - this.pos);
      const at = this.pos + step;
      if (step === this.body && step > 0 && !this.endsWithLine(at)) return this.fail(BAD_END);
      this.pos = at;
      this.body -= step;
      this.pieceArg = this.args - 1;
      if (this.body > 0) return this.piece(PIECE);
      if (this.args === this.expected) {
        this.pieces = false;
        this.expected = -1;
        return this.piece(LAST_PIECE);
      }
      if (step > 0) return this.piece(PIECE);
      const lineEnd = findLine(this.buf, this.pos, this.limit);
      if (lineEnd === INCOMPLETE) {
        if (this.pos < this.limit && this.buf[this.pos] !== DOLLAR) return this.fail(BAD_LENGTH);
        this.end = this.head = this.pos;
        return this.unfinishedHead();
      }
      const length =
        lineEnd === BROKEN || this.buf[this.pos] !== DOLLAR
          ? -2
          : parseLength(this.buf, this.pos + 1, lineEnd);
      if (length < 0 || length > LIMITS.bulkBytes) return this.fail(BAD_LENGTH);
      this.args++;
      this.body = lineEnd + 2 - this.pos + length + 2;
    }
  }

  /** The line end of an argument may have been split by a chunk: its first half was handed on unseen, which a node will notice. */
  private endsWithLine(at: number): boolean {
    return this.buf[at - 1] === LF && (at - 2 < this.start || this.buf[at - 2] === CR);
  }

  private piece(kind: number): number {
    this.end = this.head = this.pos;
    return this.end > this.start || kind === LAST_PIECE ? kind : MORE;
  }

  private fail(error: string): number {
    this.error = error;
    return FAILED;
  }
}
