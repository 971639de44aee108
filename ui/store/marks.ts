/** What the user has marked, and written to commands; by arrival number, so that it outlives the rows. */
import type { Mark } from 'rmtop';

/** What a command is marked with when nothing else is said. */
const MARK = '*';

export class Marks {
  private readonly bySeq = new Map<number, Mark>();
  /** Told of each command whose mark has changed. */
  onChange: (seq: number) => void = () => {};

  get size(): number {
    return this.bySeq.size;
  }

  of(seq: number): Mark | undefined {
    return this.bySeq.get(seq);
  }

  /** The marked numbers, in order. */
  get list(): readonly number[] {
    return [...this.bySeq.keys()].sort((a, b) => a - b);
  }

  add(seq: number): void {
    if (this.bySeq.has(seq)) return;
    this.bySeq.set(seq, { mark: MARK, note: null });
    this.onChange(seq);
  }

  remove(seq: number): void {
    if (this.bySeq.delete(seq)) this.onChange(seq);
  }

  /** Writes `note` to a command; it has a mark then. An empty one is taken away, the mark stays. */
  write(seq: number, note: string): void {
    const mark = this.bySeq.get(seq)?.mark ?? MARK;
    this.bySeq.set(seq, { mark, note: note === '' ? null : note });
    this.onChange(seq);
  }

  clear(): void {
    const all = this.list;
    this.bySeq.clear();
    for (const seq of all) this.onChange(seq);
  }
}
