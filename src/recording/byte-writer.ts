/**
 * JSON as bytes, written piece by piece into one growing buffer: numbers, strings and constants without a JavaScript string between.
 *
 * Four bytes at a time: a byte at a time a line's constants and strings took twice as long.
 */
import { isUtf8 } from 'node:buffer';

const FIRST_BYTES = 1024 * 1024;
/** What may be written behind the end of a piece, for a word is written whole. */
const SLACK = 4;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const POINT = 0x2e;
const ZERO = 0x30;

/** The same byte, four times. */
const ONES = 0x01010101;
const HIGH = 0x80808080 | 0;
const QUOTES = QUOTE * ONES;
const BACKSLASHES = BACKSLASH * ONES;
const BLANKS = 0x20 * ONES;

/** Whether the four bytes of `word` stand for themselves in a JSON string: printable ASCII but quote and backslash. */
function isPlain(word: number): boolean {
  const quote = word ^ QUOTES;
  const backslash = word ^ BACKSLASHES;
  // A high bit is left where a byte was above 0x7e, below a blank, or equal to one of the two.
  const above = word | (word + ONES);
  const below = (word - BLANKS) & ~word;
  const equal = ((quote - ONES) & ~quote) | ((backslash - ONES) & ~backslash);
  return ((above | below | equal) & HIGH) === 0;
}

function isPlainByte(byte: number): boolean {
  return byte >= 0x20 && byte < 0x7f && byte !== QUOTE && byte !== BACKSLASH;
}

/** A constant. */
export class Piece {
  readonly length: number;
  /** Its bytes in fours, little-endian; what is behind the end counts for nothing. */
  readonly words: Int32Array;

  constructor(text: string) {
    const bytes = Buffer.from(text);
    this.length = bytes.length;
    this.words = new Int32Array((bytes.length + 3) >> 2);
    bytes.forEach((byte, i) => {
      const word = this.words[i >> 2] as number;
      this.words[i >> 2] = word | (byte << (8 * (i & 3)));
    });
  }
}

export class ByteWriter {
  used = 0;
  /** A number was none that these methods write: what was written since is of no use. Stays until `clear`. */
  odd = false;
  private buf: Buffer = Buffer.allocUnsafeSlow(FIRST_BYTES);
  private view: DataView = viewOf(this.buf);
  /** What strings were copied from last. */
  private from: Buffer = this.buf;
  private fromView: DataView = this.view;

  /** What has been written; valid until the next write. */
  get written(): Buffer {
    return this.buf.subarray(0, this.used);
  }

  clear(): void {
    this.used = 0;
    this.odd = false;
    if (this.buf.length > 16 * FIRST_BYTES) this.writeInto(Buffer.allocUnsafeSlow(FIRST_BYTES));
  }

  private writeInto(buf: Buffer): void {
    this.buf = buf;
    this.view = viewOf(buf);
  }

  private room(bytes: number): void {
    if (this.used + bytes > this.buf.length) this.grow(bytes);
  }

  private grow(bytes: number): void {
    const grown = Buffer.allocUnsafeSlow(Math.max(2 * this.buf.length, this.used + bytes));
    this.buf.copy(grown, 0, 0, this.used);
    this.writeInto(grown);
  }

  byte(byte: number): void {
    this.room(1);
    this.buf[this.used++] = byte;
  }

  piece({ words, length }: Piece): void {
    this.room(length + SLACK);
    const { view } = this;
    let at = this.used;
    for (let i = 0; i < words.length; i++, at += 4) view.setInt32(at, words[i] as number, true);
    this.used += length;
  }

  /** Any text, as UTF-8. */
  utf8(text: string): void {
    this.room(3 * text.length);
    this.used += this.buf.write(text, this.used);
  }

  /** A whole number from 0 to 2^53; anything else is `odd`. */
  whole(value: number): void {
    if (!(value >= 0 && value <= Number.MAX_SAFE_INTEGER && Number.isInteger(value))) {
      this.odd = true;
      return;
    }
    this.room(17);
    let digits = 1;
    for (let power = 10; value >= power; power *= 10) digits++;
    const { buf } = this;
    let at = this.used + digits;
    this.used = at;
    let rest = value;
    while (rest > 0x7fffffff) {
      const next = Math.floor(rest / 10);
      buf[--at] = ZERO + (rest - next * 10);
      rest = next;
    }
    for (let small = rest | 0; digits > 0 && at > this.used - digits; ) {
      const next = (small / 10) | 0;
      buf[--at] = ZERO + (small - next * 10);
      small = next;
    }
  }

  /** Whole µs as seconds: `5.107411`, `0.00038`, `0`. */
  seconds(us: number): void {
    if (!(us >= 0 && us < 1e15 && Number.isInteger(us))) {
      this.odd = true;
      return;
    }
    const whole = Math.floor(us / 1e6);
    this.whole(whole);
    let rest = us - whole * 1e6;
    if (rest === 0) return;
    this.room(7);
    const { buf } = this;
    buf[this.used++] = POINT;
    for (let power = 100_000; rest > 0; power = (power / 10) | 0) {
      const digit = (rest / power) | 0;
      buf[this.used++] = ZERO + digit;
      rest -= digit * power;
    }
  }

  /** `bytes[start..end)` as a JSON string, or as base64 where they are no UTF-8. */
  string(bytes: Buffer, start: number, end: number): void {
    this.room(end - start + 2 + SLACK);
    if (bytes !== this.from) {
      this.from = bytes;
      this.fromView = viewOf(bytes);
    }
    const { buf, view, fromView } = this;
    let at = this.used;
    buf[at++] = QUOTE;
    let i = start;
    for (; i <= end - 4; i += 4, at += 4) {
      const word = fromView.getInt32(i, true);
      if (!isPlain(word)) break;
      view.setInt32(at, word, true);
    }
    for (; i < end; i++) {
      const byte = bytes[i] as number;
      if (!isPlainByte(byte)) break;
      buf[at++] = byte;
    }
    if (i === end) {
      buf[at++] = QUOTE;
      this.used = at;
      return;
    }
    const odd = bytes.subarray(start, end);
    this.utf8(JSON.stringify(isUtf8(odd) ? odd.toString() : { b64: odd.toString('base64') }));
  }
}

function viewOf({ buffer, byteOffset, length }: Buffer): DataView {
  return new DataView(buffer, byteOffset, length);
}
