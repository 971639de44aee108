/**
 * Finds where one RESP value ends, without making objects of it: the bytes are passed on as they came.
 *
 * The scanner may be stopped at any byte and goes on with the next chunk. It knows every RESP2 and RESP3 type, the limits of
 * Envoy 1.40 (mesh page, 1.3) and nothing of commands.
 */
import {
  BANG,
  COLON,
  COMMA,
  CR,
  DOLLAR,
  EQUALS,
  GREATER,
  HASH,
  LF,
  MINUS,
  PAREN,
  PERCENT,
  PIPE,
  PLUS,
  STAR,
  TILDE,
  UNDERSCORE,
} from './bytes.js';
import {
  BROKEN,
  faultOfHead,
  findLine,
  INCOMPLETE,
  isDigits,
  isDouble,
  isInteger,
  parseLength,
  unknownType,
} from './line.js';

/**
 * What a value may be at most: Envoy 1.40's figures. The last two are ours, where Envoy has no limit: without one, a peer that never
 * ends its line fills our memory. 64 KiB is what Redis allows an inline command.
 */
export const LIMITS = {
  elements: 2_000_000,
  totalElements: 4_194_304,
  bulkBytes: 536_870_912,
  depth: 32,
  doubleBytes: 64,
  bigNumberBytes: 16_384,
  attributesInARow: 32,
  lineBytes: 1_048_576,
  inlineBytes: 65_536,
} as const;

const LONG_LINE = 'a line of over 1 MiB';

/** Scans one value; see `scan`. Reusable: `reset` starts the next value. */
export class FrameScanner {
  /** Why the bytes are not RESP; null while they may be. */
  error: string | null = null;
  /** The whole value has been scanned. */
  done = false;
  /** A `*-1` was seen (written as `$-1` at once: mesh page, 1.2) or an attribute, or a RESP3 type. */
  sawNullArray = false;
  sawAttribute = false;
  sawResp3 = false;

  private readonly resp3: boolean;
  /** Values still to come in each open aggregate. */
  private readonly left = new Int32Array(LIMITS.depth + 1);
  private depth = 0;
  private total = 0;
  /** At each depth, how many attributes have come in a row before the value that is due there. */
  private readonly attributes = new Uint8Array(LIMITS.depth + 1);
  /** Bytes of the unfinished line that hold no line end, so that a line which comes byte by byte is searched once. */
  private searched = 0;
  /** Bytes of a bulk body still to pass over, with its line end; 0 between values. */
  private body = 0;

  /** `resp3: false` makes every RESP3 type an error, as Envoy did up to 1.39. */
  constructor(resp3 = true) {
    this.resp3 = resp3;
  }

  reset(): void {
    this.error = null;
    this.done = false;
    this.sawNullArray = false;
    this.sawAttribute = false;
    this.sawResp3 = false;
    this.depth = 0;
    this.total = 0;
    this.attributes[0] = 0;
    this.searched = 0;
    this.body = 0;
  }

  /**
   * Scans `buf[pos..end)` and gives the position up to which it got.
   *
   * With `done` that is the end of the value; with `error` it means nothing; else the bytes from there on are to be offered
   * again together with those that follow. A `*-1` is changed to `$-1` where it stands: the same length, and what Envoy writes.
   */
  scan(buf: Buffer, pos: number, end: number): number {
    while (!this.done && this.error === null) {
      if (this.body > 0) {
        const next = this.scanBody(buf, pos, end);
        if (this.body > 0) return next;
        pos = next;
        this.closeValue();
        continue;
      }
      const lineEnd = findLine(buf, pos + this.searched, end);
      if (lineEnd === INCOMPLETE) {
        this.searched = Math.max(0, end - pos - 1); // the last byte may be the CR
        this.error =
          end - pos > LIMITS.lineBytes ? LONG_LINE : faultOfHead(buf, pos, end, this.resp3);
        return pos;
      }
      this.searched = 0;
      if (lineEnd === BROKEN || lineEnd - pos > LIMITS.lineBytes) {
        this.error = lineEnd === BROKEN ? 'a carriage return without a line feed' : LONG_LINE;
        return pos;
      }
      this.scanLine(buf, pos, lineEnd);
      pos = lineEnd + 2;
    }
    return pos;
  }

  private scanBody(buf: Buffer, pos: number, end: number): number {
    const content = this.body - 2;
    if (content > 0) {
      const step = Math.min(content, end - pos);
      this.body -= step;
      pos += step;
      if (step < content) return pos;
    }
    if (pos === end || (end - pos === 1 && buf[pos] === CR)) return pos;
    if (buf[pos] !== CR || buf[pos + 1] !== LF)
      this.error = 'a bulk string that does not end where its length says';
    this.body = 0;
    return pos + 2;
  }

  /** One line without its line end: a whole simple value, or the head of a bulk or an aggregate. */
  private scanLine(buf: Buffer, pos: number, lineEnd: number): void {
    const type = buf[pos] as number;
    switch (type) {
      case PLUS:
      case MINUS:
        this.closeValue();
        return;
      case COLON:
        if (!isInteger(buf, pos + 1, lineEnd)) this.error = 'an integer that is none';
        this.closeValue();
        return;
      case DOLLAR:
        this.openBulk(buf, pos, lineEnd);
        return;
      case STAR:
        this.openAggregate(buf, pos, lineEnd, 1);
        return;
      default:
        break;
    }
    if (!this.resp3) {
      this.error = unknownType(type);
      return;
    }
    this.sawResp3 = true;
    switch (type) {
      case UNDERSCORE:
        if (lineEnd !== pos + 1) this.error = 'a null with content';
        this.closeValue();
        return;
      case HASH:
        if (lineEnd !== pos + 2 || (buf[pos + 1] !== 0x74 && buf[pos + 1] !== 0x66)) {
          this.error = 'a boolean that is neither t nor f';
        }
        this.closeValue();
        return;
      case COMMA:
        if (lineEnd - pos - 1 > LIMITS.doubleBytes || !isDouble(buf, pos + 1, lineEnd)) {
          this.error = 'a double that is none';
        }
        this.closeValue();
        return;
      case PAREN:
        if (lineEnd - pos - 1 > LIMITS.bigNumberBytes || !isDigits(buf, pos + 1, lineEnd)) {
          this.error = 'a big number that is none';
        }
        this.closeValue();
        return;
      case BANG:
      case EQUALS:
        this.openBulk(buf, pos, lineEnd);
        return;
      case PERCENT:
        this.openAggregate(buf, pos, lineEnd, 2);
        return;
      case TILDE:
      case GREATER:
        this.openAggregate(buf, pos, lineEnd, 1);
        return;
      case PIPE:
        this.sawAttribute = true;
        this.openAttribute(buf, pos, lineEnd);
        return;
      default:
        this.error = unknownType(type);
    }
  }

  private openBulk(buf: Buffer, pos: number, lineEnd: number): void {
    const length = parseLength(buf, pos + 1, lineEnd);
    if (length === -1 && buf[pos] === DOLLAR) {
      this.closeValue();
      return;
    }
    if (length < 0 || length > LIMITS.bulkBytes) {
      this.error = 'a bulk length that is not allowed';
      return;
    }
    if (buf[pos] === EQUALS && length < 4) {
      this.error = 'a verbatim string without its format';
      return;
    }
    this.body = length + 2;
  }

  private openAggregate(buf: Buffer, pos: number, lineEnd: number, perItem: number): void {
    const count = parseLength(buf, pos + 1, lineEnd);
    if (count === -1 && buf[pos] === STAR) {
      buf[pos] = DOLLAR; // Envoy decodes both nulls to one and writes $-1
      this.sawNullArray = true;
      this.closeValue();
      return;
    }
    this.push(count, count * perItem);
  }

  private openAttribute(buf: Buffer, pos: number, lineEnd: number): void {
    const count = parseLength(buf, pos + 1, lineEnd);
    const before = this.attributes[this.depth] as number;
    if (before === LIMITS.attributesInARow) {
      this.error = 'too many attributes in a row';
      return;
    }
    this.attributes[this.depth] = before + 1;
    // The value an attribute stands before is counted by the aggregate around it, so the attribute itself is not.
    if (count === 0) return;
    this.push(count, count * 2);
    if (this.error !== null) return;
    this.left[this.depth] = -(this.left[this.depth] as number); // negative: closes without counting as a value
  }

  private push(count: number, values: number): void {
    this.total += values;
    if (count < 0 || count > LIMITS.elements || this.total > LIMITS.totalElements) {
      this.error = 'an aggregate whose length is not allowed';
      return;
    }
    if (values === 0) {
      this.closeValue();
      return;
    }
    if (this.depth === LIMITS.depth) {
      this.error = 'values nested too deeply';
      return;
    }
    this.left[++this.depth] = values;
    this.attributes[this.depth] = 0;
  }

  /** One value is complete: so may be the aggregates around it. */
  private closeValue(): void {
    while (this.depth > 0) {
      const left = this.left[this.depth] as number;
      this.attributes[this.depth] = 0; // a value ends the run of attributes before it
      if (left > 1) {
        this.left[this.depth] = left - 1;
        return;
      }
      if (left < -1) {
        this.left[this.depth] = left + 1;
        return;
      }
      this.depth--;
      if (left < 0) return; // an attribute is complete: its value is still to come
    }
    this.done = true;
  }
}
