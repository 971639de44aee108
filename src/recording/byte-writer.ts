/** JSON as bytes, written piece by piece into one growing buffer: numbers, strings and constants without a JavaScript string between. */
import { isUtf8 } from 'node:buffer';

const FIRST_BYTES = 1024 * 1024;
/** A string is copied by a loop up to this length, and by the engine above. */
const SHORT = 96;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const POINT = 0x2e;
const ZERO = 0x30;

/** 1 for the bytes that stand for themselves in a JSON string: printable ASCII but quote and backslash. */
const PLAIN = new Uint8Array(256);
for (let byte = 0x20; byte < 0x7f; byte++)
  PLAIN[byte] = byte === QUOTE || byte === BACKSLASH ? 0 : 1;

export class ByteWriter {
  used = 0;
  /** A number was none that these methods write: what was written since is of no use. Stays until `clear`. */
  odd = false;
  private buf: Buffer = Buffer.allocUnsafeSlow(FIRST_BYTES);

  /** What has been written; valid until the next write. */
  get written(): Buffer {
    return this.buf.subarray(0, this.used);
  }

  clear(): void {
    this.used = 0;
    this.odd = false;
    if (this.buf.length > 16 * FIRST_BYTES) this.buf = Buffer.allocUnsafeSlow(FIRST_BYTES);
  }

  private room(bytes: number): void {
    if (this.used + bytes <= this.buf.length) return;
    const grown = Buffer.allocUnsafeSlow(Math.max(2 * this.buf.length, this.used + bytes));
    this.buf.copy(grown, 0, 0, this.used);
    this.buf = grown;
  }

  byte(byte: number): void {
    this.room(1);
    this.buf[this.used++] = byte;
  }

  bytes(bytes: Uint8Array): void {
    const { length } = bytes;
    this.room(length);
    const { buf } = this;
    let at = this.used;
    if (length > SHORT) buf.set(bytes, at);
    else for (let i = 0; i < length; i++) buf[at++] = bytes[i] as number;
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
    const length = end - start;
    this.room(length + 2);
    const { buf } = this;
    let at = this.used;
    buf[at++] = QUOTE;
    let i = start;
    for (; i < end; i++) {
      const byte = bytes[i] as number;
      if (PLAIN[byte] === 0) break;
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
