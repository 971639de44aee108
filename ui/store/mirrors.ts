/** What came of copies to mirrors, by the command they are copies of: for the rows in memory and the list of differences. */
import type { MirrorEvent } from 'rmtop';

/** Commands whose copies are remembered; their rows are in memory no longer than that. */
const COMMANDS_KEPT = 50_000;
const DIFFERENCES_KEPT = 500;

const NONE: readonly MirrorEvent[] = [];

export class Mirrors {
  private readonly bySeq = new Map<number, readonly MirrorEvent[]>();
  private readonly different: MirrorEvent[] = [];

  /** How many differences there were, also those no longer remembered. */
  counted = 0;

  hear(event: MirrorEvent): void {
    this.bySeq.set(event.seq, [...(this.bySeq.get(event.seq) ?? NONE), event]);
    if (this.bySeq.size > COMMANDS_KEPT)
      this.bySeq.delete(this.bySeq.keys().next().value as number);
    if (event.state !== 'diff' && event.state !== 'failed') return;
    this.counted++;
    this.different.push(event);
    if (this.different.length > DIFFERENCES_KEPT) this.different.shift();
  }

  of(seq: number): readonly MirrorEvent[] {
    return this.bySeq.get(seq) ?? NONE;
  }

  /** Copies whose reply differed, or that failed; the latest last. */
  get differences(): readonly MirrorEvent[] {
    return this.different;
  }
}
