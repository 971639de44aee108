/** Counts by key, and with each key those of its slot and prefix: who counts a key has their rows at hand. */
import { COMMANDS, type Command, slotIn } from 'rmtop';
import type { Sample } from './count-table.js';
import { BytesTop, FREE_NOTE, type NumberTop } from './top.js';

/** Notes of a key's row: the slot's row and the prefix's, each and 1; 0: none yet. */
const SLOT: number = FREE_NOTE;
const PREFIX: number = SLOT + 1;
/** The prefix's generation when it was noted: its row may have gone to another prefix since. */
const PREFIX_GENERATION: number = SLOT + 2;
/** The first few commands, each and 1, two to a note. */
const COMMANDS_AT: number = SLOT + 3;
const MOST_COMMANDS = 4;
const HALF = 16;
/** So many names are kept that the command table does not have; all others are one. */
const MOST_UNKNOWN = 200;
const UNKNOWN = '(unknown)';
/** Numbers of unknown commands begin behind those of the table. */
const FIRST_UNKNOWN = COMMANDS.length;

export class KeysTop extends BytesTop {
  private readonly prefixes: BytesTop;
  private readonly slots: NumberTop;
  private delimiterBytes: Buffer = Buffer.from(':');
  private readonly unknown = [UNKNOWN];
  private readonly unknownIds = new Map<string, number>();

  constructor(prefixes: BytesTop, slots: NumberTop) {
    super();
    this.prefixes = prefixes;
    this.slots = slots;
  }

  /** Counts the key that is argument `at`, its slot and its prefix. */
  take(command: Command, at: number, sample: Sample): void {
    const { frame } = command;
    const from = command.startOf(at);
    const end = command.endOf(at);
    const row = this.row(frame, from, end);
    if (row === -1) {
      // Its slot and prefix count all the same.
      this.slots.add(this.slotOf(frame, from, end), sample);
      const prefix = this.prefixOf(frame, from, end);
      if (prefix !== -1) this.prefixes.add(prefix, sample);
      return;
    }
    this.add(row, sample);
    this.noteCommand(row, command);
    if (this.slotRow(row) === -1) this.setNote(row, SLOT, this.slotOf(frame, from, end) + 1);
    this.slots.add(this.slotRow(row), sample);
    const prefix = this.prefixRow(row, frame, from, end);
    if (prefix !== -1) this.prefixes.add(prefix, sample);
  }

  /** The row of a key's slot among the slots; -1 where it is not known. */
  slotRow(row: number): number {
    return this.note(row, SLOT) - 1;
  }

  /** The first few commands that a key came with. */
  commandsOf(row: number): readonly string[] {
    const names: string[] = [];
    for (let i = 0; i < MOST_COMMANDS; i++) {
      const id = this.commandAt(row, i) - 1;
      if (id !== -1) names.push(COMMANDS[id]?.name ?? this.unknown[id - FIRST_UNKNOWN] ?? UNKNOWN);
    }
    return names;
  }

  /** What ends a key's prefix. */
  get delimiter(): string {
    return this.delimiterBytes.toString();
  }

  /** Counts prefixes anew, by another delimiter. */
  set delimiter(text: string) {
    this.delimiterBytes = Buffer.from(text);
    this.prefixes.clear();
    for (let row = 0; row < this.size; row++) this.setNote(row, PREFIX, 0);
  }

  /** The row of a key's prefix; -1 where it has none. */
  private prefixRow(row: number, frame: Buffer, from: number, end: number): number {
    const known = this.note(row, PREFIX) - 1;
    const { prefixes } = this;
    if (known !== -1 && prefixes.generation(known) === this.note(row, PREFIX_GENERATION))
      return known;
    const prefix = this.prefixOf(frame, from, end);
    if (prefix === -1) return -1;
    this.setNote(row, PREFIX, prefix + 1);
    this.setNote(row, PREFIX_GENERATION, prefixes.generation(prefix));
    return prefix;
  }

  private prefixOf(frame: Buffer, from: number, end: number): number {
    const delimiter = this.delimiterAt(frame, from, end);
    return delimiter <= from ? -1 : this.prefixes.row(frame, from, delimiter);
  }

  /** The row of the slot of the key at `from` … `end`. */
  private slotOf(frame: Buffer, from: number, end: number): number {
    return this.slots.row(slotIn(frame, from, end));
  }

  private delimiterAt(frame: Buffer, from: number, end: number): number {
    const { delimiterBytes: wanted } = this;
    const last = end - wanted.length;
    for (let at = from; at <= last; at++) {
      let same = 0;
      while (same < wanted.length && frame[at + same] === wanted[same]) same++;
      if (same === wanted.length) return at;
    }
    return -1;
  }

  private noteCommand(row: number, command: Command): void {
    const id = (command.spec?.id ?? this.unknownId(command.name)) + 1;
    for (let i = 0; i < MOST_COMMANDS; i++) {
      const known = this.commandAt(row, i);
      if (known === id) return;
      if (known !== 0) continue;
      const at = COMMANDS_AT + (i >> 1);
      this.setNote(row, at, this.note(row, at) | (id << (i & 1 ? HALF : 0)));
      return;
    }
  }

  private commandAt(row: number, i: number): number {
    const two = this.note(row, COMMANDS_AT + (i >> 1));
    return i & 1 ? two >>> HALF : two & 0xffff;
  }

  private unknownId(name: string): number {
    let id = this.unknownIds.get(name);
    if (id === undefined) {
      if (this.unknown.length >= MOST_UNKNOWN) return FIRST_UNKNOWN;
      id = FIRST_UNKNOWN + this.unknown.push(name) - 1;
      this.unknownIds.set(name, id);
    }
    return id;
  }
}
