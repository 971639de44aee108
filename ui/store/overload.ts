/** Whether more comes than the screen can take in: how full the ring between the core and it has been, and for how long. `ux.md` f.4. */

/** The ring is crowded beyond this share. */
const CROWDED = 0.5;
/** So long it has to be crowded before it is said, and so long it must not be before it is over. */
const BEGINS_MS = 1000;
const ENDS_MS = 3000;
/** A screen that is too slow empties the ring now and then, between two bursts: so long it must not be crowded before the second is counted anew. */
const GRACE_MS = 500;

export class Overload {
  private crowdedSinceMs: number | null = null;
  /** Since when it has not been crowded. */
  private easySinceMs: number | null = null;
  private crowdedMs = Number.NEGATIVE_INFINITY;
  private isOver = false;
  private dismissed = false;

  /** The ring is `share` full (0 … 1). */
  hear(share: number, nowMs: number): void {
    this.look(nowMs);
    if (this.easySinceMs !== null && nowMs - this.easySinceMs >= GRACE_MS)
      this.crowdedSinceMs = null;
    if (share <= CROWDED) {
      this.easySinceMs ??= nowMs;
      return;
    }
    this.easySinceMs = null;
    this.crowdedMs = nowMs;
    this.crowdedSinceMs ??= nowMs;
    if (nowMs - this.crowdedSinceMs >= BEGINS_MS) this.isOver = true;
  }

  /** Whether it is overloaded, and nobody wanted to see single rows all the same. */
  at(nowMs: number): boolean {
    this.look(nowMs);
    return this.isOver && !this.dismissed;
  }

  /** Single rows are wanted until it is overloaded another time. */
  dismiss(): void {
    this.dismissed = true;
  }

  private look(nowMs: number): void {
    if (!this.isOver || nowMs - this.crowdedMs < ENDS_MS) return;
    this.isOver = false;
    this.dismissed = false;
    this.crowdedSinceMs = null;
  }
}
