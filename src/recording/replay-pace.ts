/** When a replay's commands are due: their times go on at a speed, stand still, or are led by steps. */

/** Time as an argument. */
export type ReplayClock = {
  nowMs(): number;
  after(ms: number, call: () => void): () => void;
};

/** The time of this process. */
export const PROCESS_CLOCK: ReplayClock = {
  nowMs: () => performance.now(),
  after: (ms, call) => {
    const timer = setTimeout(call, ms);
    return () => clearTimeout(timer);
  },
};

/** How far a replay is. */
export type ReplayProgress = {
  /** Whether it stands still until it goes on, or by steps. */
  readonly isHeld: boolean;
  readonly speed: number | 'max';
  readonly sent: number;
  readonly finished: number;
  /** The moment of the recording it is at, µs. */
  readonly atUs: number;
};

/** A wait shorter than this, in ms, is none: sums of times are not exact. */
const LEAST_MS = 1e-6;

/**
 * The time of the plan, in ms since its first command was due at the recorded speed, against that of a clock. While it is held it stands
 * still, and so does the time that replies are waited for.
 */
export class Pace {
  /** 'max': nothing waits for its time. */
  speed: number | 'max';
  private readonly clock: ReplayClock;
  private heldSinceMs: number | null = null;
  private heldMs = 0;
  /** Moment of the plan and of the clock that both go on from. */
  private anchor = { planMs: 0, nowMs: 0 };
  /** When the last command that was sent was due. */
  private reachedMs = 0;

  constructor(clock: ReplayClock, speed: number | 'max') {
    this.clock = clock;
    this.speed = speed;
  }

  /** Begins: the first command is due now. */
  start(): void {
    this.anchorAt(0);
    if (this.isHeld) this.heldSinceMs = this.clock.nowMs();
  }

  get isHeld(): boolean {
    return this.heldSinceMs !== null;
  }

  hold(): void {
    this.anchorAt(this.planMs);
    this.heldSinceMs ??= this.clock.nowMs();
  }

  release(): void {
    if (this.heldSinceMs === null) return;
    this.heldMs += this.clock.nowMs() - this.heldSinceMs;
    this.heldSinceMs = null;
    this.anchorAt(this.anchor.planMs);
  }

  setSpeed(speed: number | 'max'): void {
    this.anchorAt(this.planMs);
    this.speed = speed;
  }

  /** Where the plan's time is. */
  get planMs(): number {
    if (this.isHeld) return Math.max(this.anchor.planMs, this.reachedMs);
    if (this.speed === 'max') return this.reachedMs;
    return this.anchor.planMs + (this.clock.nowMs() - this.anchor.nowMs) * this.speed;
  }

  /** The time of the clock, without the time that was held. */
  get activeMs(): number {
    return (this.heldSinceMs ?? this.clock.nowMs()) - this.heldMs;
  }

  /** How long, by the clock, until what is due at `dueMs` of the plan may be sent; 0: now. What is sent while it is held is a step. */
  untilMs(dueMs: number): number {
    if (this.isHeld || this.speed === 'max') return 0;
    const waitMs = (dueMs - this.planMs) / this.speed;
    return waitMs < LEAST_MS ? 0 : waitMs;
  }

  /** What was due at `dueMs` is sent: how late, ms by the clock. A step leads the plan's time with it. */
  sent(dueMs: number): number {
    const lateMs =
      this.isHeld || this.speed === 'max' ? 0 : Math.max(0, (this.planMs - dueMs) / this.speed);
    this.reachedMs = Math.max(this.reachedMs, dueMs);
    if (this.isHeld) this.anchor.planMs = Math.max(this.anchor.planMs, dueMs);
    return lateMs;
  }

  /** How much of the plan's time has gone by since the last command that was sent was due, ms; 0 where it does not go by. */
  get sinceLastMs(): number {
    return Math.max(0, this.planMs - this.reachedMs);
  }

  private anchorAt(planMs: number): void {
    this.anchor = { planMs, nowMs: this.clock.nowMs() };
  }
}
