/** Counts by name: where a name's row is, for names that are bytes (keys, prefixes) and for those that are numbers (slots, clients). */
import { type Count, CountTable, type Heat } from './count-table.js';
import { grown } from './spreads.js';

/** Longer names are told apart by their beginnings. */
const MOST_BYTES = 256;
const FIRST_NAMES = 512;
/** Notes of a row whose name is bytes: the name's length and hash. */
const LENGTH = 0;
const HASH = 1;
/** The first note that is free for others. */
export const FREE_NOTE = 2;
const ROOM = 10_000;

/** One of the busiest, while its row is its own: to be read at once. */
export class Busy {
  readonly row: number;
  /** Calls a second over the last minute. */
  readonly rate: number;
  private readonly table: Top;
  private known: Count | null = null;

  constructor(table: Top, { row, rate }: Heat) {
    this.table = table;
    this.row = row;
    this.rate = rate;
  }

  /** One character a byte. */
  get name(): string {
    return this.table.nameOf(this.row);
  }

  /** Of two hundred busy names a screen shows thirty: only their counts are looked at. */
  get count(): Count {
    this.known ??= this.table.count(this.row);
    return this.known;
  }
}

/** What tables have in common for those who read them. */
export abstract class Top extends CountTable {
  abstract nameOf(row: number): string;

  /** The `many` with the most calls a second, then the most calls. */
  busiest(many: number, nowUs: number): readonly Busy[] {
    return this.hottest(many, nowUs).map((heat) => new Busy(this, heat));
  }
}

/** Counts by bytes: an open table of hashes beside the names themselves, so that no string is made for a command. */
export class BytesTop extends Top {
  private readonly mask: number;
  /** By hash: the row and 1; 0 is a free place. */
  private readonly places: Int32Array;
  private names: Uint8Array = new Uint8Array(0);
  /** Else a client could choose names that all fall on one place. */
  private readonly seed = Math.floor(Math.random() * 2 ** 31);

  constructor(room: number = ROOM) {
    super(room);
    // At most half of the places are taken.
    const places = 2 ** Math.ceil(Math.log2(room * 2));
    this.places = new Int32Array(places);
    this.mask = places - 1;
  }

  /** The row of the name at `from` … `end` of `bytes`, made where it is new and there is room; -1: it has none. */
  row(bytes: Uint8Array, from: number, end: number): number {
    const length = Math.min(MOST_BYTES, end - from);
    const hash = this.hash(bytes, from, length);
    let at = hash & this.mask;
    for (let known = this.places[at] as number; known !== 0; known = this.places[at] as number) {
      if (this.isName(known - 1, hash, bytes, from, length)) return known - 1;
      at = (at + 1) & this.mask;
    }
    const row = this.newRow(hash, this.forget);
    if (row === -1) return -1;
    // A place may have become free that is nearer.
    at = hash & this.mask;
    while (this.places[at] !== 0) at = (at + 1) & this.mask;
    this.places[at] = row + 1;
    this.keep(row, hash, bytes, from, length);
    return row;
  }

  nameOf(row: number): string {
    const at = row * MOST_BYTES;
    return Buffer.from(this.names.buffer, at, this.note(row, LENGTH)).toString('latin1');
  }

  override clear(): void {
    super.clear();
    this.places.fill(0);
  }

  /** FNV-1a, stirred at the end: places are made of its low bits. */
  private hash(bytes: Uint8Array, from: number, length: number): number {
    let hash = this.seed;
    for (let i = from; i < from + length; i++)
      hash = Math.imul(hash ^ (bytes[i] as number), 0x01000193);
    hash ^= hash >>> 15;
    return Math.imul(hash, 0x2c1b3c6d) ^ (hash >>> 13);
  }

  private isName(
    row: number,
    hash: number,
    bytes: Uint8Array,
    from: number,
    length: number,
  ): boolean {
    if (this.note(row, HASH) !== hash || this.note(row, LENGTH) !== length) return false;
    const { names } = this;
    const at = row * MOST_BYTES;
    for (let i = 0; i < length; i++) if (names[at + i] !== bytes[from + i]) return false;
    return true;
  }

  private keep(row: number, hash: number, bytes: Uint8Array, from: number, length: number): void {
    if ((row + 1) * MOST_BYTES > this.names.length)
      this.names = grown(
        this.names,
        Math.max(FIRST_NAMES * MOST_BYTES, this.names.length * 2),
        Uint8Array,
      );
    const { names } = this;
    const at = row * MOST_BYTES;
    for (let i = 0; i < length; i++) names[at + i] = bytes[from + i] as number;
    this.setNote(row, LENGTH, length);
    this.setNote(row, HASH, hash);
  }

  /** Takes the name of `row` out, and gives its hash; those that stand behind it for want of a better place move up. */
  private readonly forget = (row: number): number => {
    const { places, mask } = this;
    const hash = this.note(row, HASH);
    let free = hash & mask;
    while (places[free] !== row + 1) free = (free + 1) & mask;
    for (let at = (free + 1) & mask; places[at] !== 0; at = (at + 1) & mask) {
      const wanted = this.note((places[at] as number) - 1, HASH) & mask;
      if (((at - wanted) & mask) < ((at - free) & mask)) continue;
      places[free] = places[at] as number;
      free = at;
    }
    places[free] = 0;
    return hash;
  };
}

/** Counts by whole numbers, of which there are few or which are small. */
export class NumberTop extends Top {
  /** Rows by number, each and 1: of small numbers in an array, of others in a map. */
  private readonly small: Int32Array;
  private readonly rows = new Map<number, number>();
  private readonly numbers: number[] = [];

  /** Numbers below `small` are found without a search. */
  constructor(room: number = ROOM, small = 0) {
    super(room);
    this.small = new Int32Array(small);
  }

  /** The row of `number`, made where it is new and there is room; -1: it has none. */
  row(number: number): number {
    const known = this.known(number);
    if (known !== undefined) return known;
    const row = this.newRow(hashOf(number), this.forget);
    if (row === -1) return -1;
    this.numbers[row] = number;
    this.set(number, row);
    return row;
  }

  known(number: number): number | undefined {
    if (number >= this.small.length) return this.rows.get(number);
    const place = this.small[number] as number;
    return place === 0 ? undefined : place - 1;
  }

  private readonly forget = (row: number): number => {
    const number = this.numbers[row] as number;
    this.set(number, undefined);
    return hashOf(number);
  };

  private set(number: number, row: number | undefined): void {
    if (number < this.small.length) this.small[number] = row === undefined ? 0 : row + 1;
    else if (row === undefined) this.rows.delete(number);
    else this.rows.set(number, row);
  }

  override clear(): void {
    super.clear();
    this.small.fill(0);
    this.rows.clear();
  }

  numberOf(row: number): number {
    return this.numbers[row] as number;
  }

  nameOf(row: number): string {
    return String(this.numbers[row]);
  }
}

/** Numbers that follow each other fall on places far apart. */
function hashOf(number: number): number {
  return Math.imul(number, 0x9e3779b1) >>> 7;
}
