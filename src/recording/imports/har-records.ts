/**
 * Finds the records in a HAR while its bytes pass by: the objects in `log._rmtop` and in `log.entries[]._rmtop`, each as its text. A
 * document of a gigabyte holds one record at a time; what stands elsewhere is passed over without being read.
 */

/** An array or object that is open; `key` is the one whose value is read, and `isKeyNext` in an object before a key. */
type Frame = { readonly isArray: boolean; key: string; isKeyNext: boolean };

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN = 0x7b;
const CLOSE = 0x7d;
const OPEN_ARRAY = 0x5b;
const CLOSE_ARRAY = 0x5d;
const COMMA = 0x2c;
const COLON = 0x3a;

/** Longer keys are none of those that are looked for. */
const LONGEST_KEY = 16;
/** No HAR is nested so deep. */
const DEEPEST = 1000;
const IN_LOG = 'log _rmtop';
const IN_ENTRY = 'log entries  _rmtop';

/** Takes chunks, whose bytes it may keep, and gives records. */
export class HarRecords {
  /** The brackets do not fit, or it does not begin as an object: nothing more is found. */
  isDamaged = false;
  private readonly frames: Frame[] = [];
  private hasBegun = false;
  private isInString = false;
  private isEscaped = false;
  /** The key that is read; null in any other string. */
  private key: string | null = null;
  /** Brackets open in the record that is read; 0 outside one. */
  private depth = 0;
  private kept: Buffer[] = [];

  /** Whether the document has ended. */
  get isWhole(): boolean {
    return this.hasBegun && !this.isDamaged && this.frames.length === 0;
  }

  /** The records that end in `chunk`. */
  push(chunk: Buffer): string[] {
    const found: string[] = [];
    let start = 0;
    for (let i = 0; i < chunk.length && !this.isDamaged; i++) {
      const byte = chunk[i] as number;
      if (this.isInString) {
        i = this.string(chunk, i, byte);
        continue;
      }
      if (byte === QUOTE) {
        this.isInString = true;
        const frame = this.depth === 0 ? this.frames.at(-1) : undefined;
        this.key = frame?.isKeyNext === true ? '' : null;
      } else if (this.depth > 0) {
        if (byte === OPEN || byte === OPEN_ARRAY) this.depth++;
        else if ((byte === CLOSE || byte === CLOSE_ARRAY) && --this.depth === 0) {
          found.push(this.record(chunk.subarray(start, i + 1)));
        }
      } else if (byte === OPEN && this.isRecordNext()) {
        this.depth = 1;
        start = i;
      } else this.structure(byte);
    }
    if (this.depth > 0) this.kept.push(chunk.subarray(start));
    return found;
  }

  /** A byte of a string; gives the last one that was looked at. */
  private string(chunk: Buffer, at: number, byte: number): number {
    if (this.isEscaped) this.isEscaped = false;
    else if (byte === BACKSLASH) this.isEscaped = true;
    else if (byte === QUOTE) {
      this.isInString = false;
      const frame = this.frames.at(-1);
      if (this.key !== null && frame !== undefined) frame.key = this.key;
    } else if (this.key === null) return plainUntil(chunk, at);
    else if (this.key.length <= LONGEST_KEY) this.key += String.fromCharCode(byte);
    return at;
  }

  private structure(byte: number): void {
    const frame = this.frames.at(-1);
    switch (byte) {
      case OPEN:
      case OPEN_ARRAY:
        this.hasBegun = true;
        this.frames.push({ isArray: byte === OPEN_ARRAY, key: '', isKeyNext: byte === OPEN });
        this.isDamaged = this.frames.length > DEEPEST || this.frames[0]?.isArray === true;
        return;
      case CLOSE:
      case CLOSE_ARRAY:
        this.isDamaged = frame === undefined || frame.isArray !== (byte === CLOSE_ARRAY);
        this.frames.pop();
        return;
      case COMMA:
        if (frame !== undefined) frame.isKeyNext = !frame.isArray;
        return;
      case COLON:
        if (frame !== undefined) frame.isKeyNext = false;
        return;
      default:
        // White space and a byte order mark may stand before it.
        if (!this.hasBegun && byte > 0x20 && byte < 0x80) this.isDamaged = true;
    }
  }

  private isRecordNext(): boolean {
    const { frames } = this;
    if (frames.length !== 3 && frames.length !== 5) return false;
    if (frames.at(-1)?.isArray !== true) return false;
    const path = frames
      .slice(0, -1)
      .map(({ key }) => key)
      .join(' ');
    return path === IN_LOG || path === IN_ENTRY;
  }

  private record(last: Buffer): string {
    const { kept } = this;
    if (kept.length === 0) return last.toString();
    this.kept = [];
    return Buffer.concat([...kept, last]).toString();
  }
}

/** The last byte from `at` on that means nothing in a string. */
function plainUntil(chunk: Buffer, at: number): number {
  let i = at;
  for (; i + 1 < chunk.length; i++) {
    const next = chunk[i + 1];
    if (next === QUOTE || next === BACKSLASH) break;
  }
  return i;
}
