/** Many lines of text kept as bytes: a line costs its bytes and eight more, where an object of what it says costs ten times that. */

const CHUNK_BYTES = 1 << 22;

/** Lines by number, in the order they were added. */
export class LineStore {
  private readonly chunks: Buffer[] = [];
  private readonly numbers = new NumberList();
  /** Where the next line begins: chunk × CHUNK_BYTES + offset; a line longer than a chunk has one of its own. */
  private used = CHUNK_BYTES;

  get length(): number {
    return this.numbers.length / 2;
  }

  /** Keeps a line; gives its number. */
  add(text: string): number {
    // No character of UTF-16 takes more than three bytes of UTF-8.
    const room = text.length * 3;
    if (this.used + room >= CHUNK_BYTES) {
      this.chunks.push(Buffer.allocUnsafeSlow(Math.max(CHUNK_BYTES, room)));
      this.used = 0;
    }
    const length = (this.chunks.at(-1) as Buffer).write(text, this.used);
    this.numbers.push((this.chunks.length - 1) * CHUNK_BYTES + this.used);
    this.numbers.push(length);
    this.used += length;
    return this.length - 1;
  }

  /** The line of that number. */
  text(number: number): string {
    const at = this.numbers.at(2 * number);
    const chunk = this.chunks[Math.floor(at / CHUNK_BYTES)] as Buffer;
    const offset = at % CHUNK_BYTES;
    return chunk.toString('utf8', offset, offset + this.numbers.at(2 * number + 1));
  }
}

/** Numbers, eight bytes each. */
export class NumberList {
  length = 0;
  private values: Float64Array = new Float64Array(1024);

  push(value: number): void {
    if (this.length === this.values.length) {
      const more = new Float64Array(this.values.length * 2);
      more.set(this.values);
      this.values = more;
    }
    this.values[this.length++] = value;
  }

  /** NaN beyond the end. */
  at(i: number): number {
    return i < this.length ? (this.values[i] as number) : Number.NaN;
  }

  set(i: number, value: number): void {
    if (i < this.length) this.values[i] = value;
  }
}
