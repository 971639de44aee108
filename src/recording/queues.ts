/** Equal commands of a recording, handed out in order: a queue for each connection that asked them. */
import type { Spoken } from './spoken.js';

type Queue = { readonly connection: number; readonly all: Spoken[]; at: number };

/** Gives out each once. */
export class Queues {
  /** The last of all, whether given out or not; null where there is none. */
  readonly last: Spoken | null;
  private readonly queues: Queue[] = [];

  /** `all` stand in the order they arrived in. */
  constructor(all: readonly Spoken[]) {
    this.last = all.at(-1) ?? null;
    for (const spoken of all) {
      const queue = this.queues.find(({ connection }) => connection === spoken.connection);
      if (queue === undefined)
        this.queues.push({ connection: spoken.connection, all: [spoken], at: 0 });
      else queue.all.push(spoken);
    }
  }

  /**
   * The next that arrived after number `after`: of `connection` where it has one, else the earliest. Those from before are passed
   * over for good. Null when there is none left.
   */
  next(after: number, connection: number | null): Spoken | null {
    let found: Spoken | null = null;
    for (const queue of this.queues) {
      while ((queue.all[queue.at]?.seq ?? Number.POSITIVE_INFINITY) <= after) queue.at++;
      const head = queue.all[queue.at];
      if (head === undefined) continue;
      if (queue.connection === connection) return head;
      if (found === null || head.seq < found.seq) found = head;
    }
    return found;
  }

  /** Takes what `next` gave. */
  take(spoken: Spoken): void {
    const queue = this.queues.find(({ connection }) => connection === spoken.connection);
    if (queue !== undefined) queue.at++;
  }

  /** Begins anew. */
  again(): void {
    for (const queue of this.queues) queue.at = 0;
  }
}
