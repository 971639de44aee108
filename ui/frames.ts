/**
 * When frames are made: at once after a key, else at most `fps` times a second, and so seldom that they cost a tenth of a core at most.
 * Nothing asked for, no frame and no timer.
 */

/** The slowest rate it goes down to. */
const MAX_INTERVAL_MS = 500;
/** The share of the time that frames may take when it is not a key that asks. */
const SHARE = 0.1;

export type FrameSource = {
  /** Makes one frame and sends it. */
  draw(): void;
  /** Whether the terminal is still taking the last one. */
  isBusy(): boolean;
};

export class FramePacer {
  private readonly source: FrameSource;
  private readonly minIntervalMs: number;
  private timer: NodeJS.Timeout | null = null;
  private dueMs: number = Number.POSITIVE_INFINITY;
  private immediate: NodeJS.Immediate | null = null;
  private lastMs: number = Number.NEGATIVE_INFINITY;
  private costMs = 0;
  private waiting: 'no' | 'soon' | 'now' = 'no';
  private stopped = false;
  frames = 0;

  constructor(fps: number, source: FrameSource) {
    this.minIntervalMs = 1000 / Math.min(20, Math.max(1, fps || 10));
    this.source = source;
  }

  /** The time between two frames that nobody pressed a key for. */
  get intervalMs(): number {
    return Math.min(MAX_INTERVAL_MS, Math.max(this.minIntervalMs, this.costMs / SHARE));
  }

  /** Something changed: a frame when it is time. */
  soon(): void {
    this.at(this.lastMs + this.intervalMs);
  }

  /** A frame in `ms`, if none comes before: what was left out of the last one is due then. */
  later(ms: number): void {
    this.at(performance.now() + ms);
  }

  private at(dueMs: number): void {
    if (this.stopped || this.immediate !== null || dueMs >= this.dueMs) return;
    if (this.source.isBusy()) {
      if (this.waiting === 'no') this.waiting = 'soon';
      return;
    }
    if (this.timer !== null) clearTimeout(this.timer);
    this.dueMs = dueMs;
    const leftMs = dueMs - performance.now();
    if (leftMs <= 0) this.now();
    else this.timer = setTimeout(() => this.draw(), leftMs);
  }

  /** A key was pressed: a frame as soon as everything that came with it is dealt with. */
  now(): void {
    if (this.stopped) return;
    if (this.source.isBusy()) {
      this.waiting = 'now';
      return;
    }
    this.immediate ??= setImmediate(() => this.draw());
  }

  /** The terminal has taken the last frame. */
  drained(): void {
    const { waiting } = this;
    this.waiting = 'no';
    if (waiting === 'now') this.now();
    else if (waiting === 'soon') this.soon();
  }

  private draw(): void {
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
    this.dueMs = Number.POSITIVE_INFINITY;
    this.immediate = null;
    if (this.stopped) return;
    const startMs = performance.now();
    this.frames++;
    this.source.draw();
    this.lastMs = performance.now();
    // One slow frame, the first say, should not slow the next ten.
    this.costMs = this.costMs * 0.8 + (this.lastMs - startMs) * 0.2;
  }

  stop(): void {
    this.stopped = true;
    if (this.timer !== null) clearTimeout(this.timer);
    if (this.immediate !== null) clearImmediate(this.immediate);
  }
}
