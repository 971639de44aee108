/**
 * Bytes of a server → replies, each as the range of bytes it came in.
 *
 * A reply is handed out where it stands in the chunk. Only what a chunk leaves unfinished is copied; a reply larger than that can
 * be had in pieces as it arrives (`PIECE`), so that its size does not become our memory.
 */
import {
  COLON,
  CR,
  DOLLAR,
  EMPTY,
  GREATER,
  LF,
  MINUS,
  NINE,
  ONE,
  PIPE,
  PLUS,
  ZERO,
} from './bytes.js';
import { FrameScanner, LIMITS } from './scan.js';

/** What `next` found. */
export const MORE = 0; // nothing more in this chunk
export const REPLY = 1; // a whole reply at start..end
export const PIECE = 2; // the next bytes of a reply that is handed out in pieces, at start..end
export const LAST_PIECE = 3;
export const FAILED = 4; // not RESP: `error` says why

/** An unfinished reply of this size may be handed out in pieces. */
export const PIECE_BYTES: number = 64 * 1024;

/** A buffer larger than this is given up once the reply it was for has gone. */
const KEEP_BYTES = 1024 * 1024;

/** Reads the replies of one server connection. */
export class ReplyReader {
  buf: Buffer = EMPTY;
  start = 0;
  end = 0;
  /** First byte of the reply at start..end. */
  type = 0;
  /** RESP3 types or attributes were in it: whoever passes it to a RESP2 client converts it first. */
  resp3 = false;
  attribute = false;
  error = '';

  private limit = 0;
  private pos = 0;
  /** `buf` is ours to append to; else it is the caller's chunk. */
  private owned = false;
  private scanning = false;
  private inPieces = false;
  private readonly scanner: FrameScanner;

  constructor(resp3 = true) {
    this.scanner = new FrameScanner(resp3);
  }

  /** Offers `chunk[0..length)`. The chunk may be reused after `next` has given MORE. */
  push(chunk: Buffer, length: number = chunk.length): void {
    const kept = this.limit - this.start;
    if (kept === 0) {
      this.buf = chunk;
      this.start = 0;
      this.pos = 0;
      this.limit = length;
      this.owned = false;
      return;
    }
    // `start` is 0 here: `park` moved the unfinished reply to the front of a buffer of ours.
    if (this.buf.length < kept + length) {
      const grown = Buffer.allocUnsafeSlow(Math.max(2 * this.buf.length, kept + length));
      this.buf.copy(grown, 0, 0, kept);
      this.buf = grown;
    }
    chunk.copy(this.buf, kept, 0, length);
    this.limit = kept + length;
  }

  /**
   * The next reply, or piece of one. `mayPiece` says whether the reply now at the front may be handed out in pieces; errors and
   * simple strings never are, so that a redirect is always seen whole, nor are pushes, which belong to nobody's request, nor what
   * stands behind attributes, which are taken off.
   */
  next(mayPiece: boolean): number {
    if (!this.inPieces) this.start = this.end = this.scanning ? this.start : this.pos;
    else this.start = this.pos;
    const { buf, limit } = this;
    if (this.pos === limit && !this.scanning) return this.nothing();

    if (!this.scanning) {
      const whole = this.wholeAtOnce(buf, this.pos, limit);
      if (whole > 0) {
        this.type = buf[this.start] as number;
        this.resp3 = false;
        this.attribute = false;
        this.pos = this.end = whole;
        return REPLY;
      }
      this.scanner.reset();
      this.scanning = true;
      this.type = buf[this.start] as number;
    }
    this.pos = this.scanner.scan(buf, this.pos, limit);
    if (this.scanner.error !== null) {
      this.error = this.scanner.error;
      return FAILED;
    }
    this.end = this.pos;
    this.resp3 = this.scanner.sawResp3;
    this.attribute = this.scanner.sawAttribute;
    if (this.scanner.done) {
      this.scanning = false;
      const last = this.inPieces;
      this.inPieces = false;
      return last ? LAST_PIECE : REPLY;
    }
    if (
      this.inPieces ||
      (mayPiece && this.end - this.start >= PIECE_BYTES && !isNeverPieced(this.type))
    ) {
      this.inPieces = true;
      if (this.end > this.start) return PIECE;
    }
    return this.nothing();
  }

  /** Bytes of the unfinished reply that are held. */
  get heldBytes(): number {
    return this.limit - this.start;
  }

  /** The common replies, `+OK`, `:1`, `$3 abc`, `$-1` and errors, found without the scanner: end position, or 0 if it is not one. */
  private wholeAtOnce(buf: Buffer, pos: number, limit: number): number {
    const type = buf[pos] as number;
    if (type === DOLLAR) {
      if (limit - pos >= 5 && buf[pos + 1] === MINUS) {
        return buf[pos + 2] === ONE && buf[pos + 3] === CR && buf[pos + 4] === LF ? pos + 5 : 0;
      }
      let length = 0;
      let at = pos + 1;
      for (; at < limit; at++) {
        const byte = buf[at] as number;
        if (byte === CR) break;
        if (byte < ZERO || byte > NINE || at - pos > 9) return 0;
        length = length * 10 + (byte - ZERO);
      }
      const end = at + length + 4;
      if (
        at === pos + 1 ||
        end > limit ||
        buf[at + 1] !== LF ||
        buf[end - 2] !== CR ||
        buf[end - 1] !== LF
      )
        return 0;
      return end;
    }
    if (type === COLON) {
      let at = pos + 1;
      while (at < limit && (buf[at] as number) >= ZERO && (buf[at] as number) <= NINE) at++;
      const digits = at - pos - 1;
      if (digits === 0 || digits > 18 || at + 1 >= limit || buf[at] !== CR || buf[at + 1] !== LF)
        return 0;
      return at + 2;
    }
    if (type !== PLUS && type !== MINUS) return 0;
    for (let at = pos + 1; at < limit - 1; at++) {
      if (buf[at] === CR) return buf[at + 1] === LF && at - pos <= LIMITS.lineBytes ? at + 2 : 0;
    }
    return 0;
  }

  /** Nothing more to hand out: what is unfinished moves to a buffer of ours, for the chunk is the caller's. */
  private nothing(): number {
    const from = this.inPieces ? this.pos : this.start;
    const kept = this.limit - from;
    if (kept === 0) {
      this.buf = EMPTY;
      this.owned = false;
    } else if (!this.owned || from > 0) {
      const buf =
        this.owned && this.buf.length - kept >= PIECE_BYTES && this.buf.length <= KEEP_BYTES
          ? this.buf
          : Buffer.allocUnsafeSlow(Math.max(4096, 2 * kept));
      this.buf.copy(buf, 0, from, this.limit);
      this.buf = buf;
      this.owned = true;
    }
    this.pos -= from;
    this.start = 0;
    this.end = 0;
    this.limit = kept;
    return MORE;
  }
}

function isNeverPieced(type: number): boolean {
  return type === MINUS || type === PLUS || type === GREATER || type === PIPE;
}
