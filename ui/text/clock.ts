/** Wall-clock times of events, in the local zone. */

/** The moment that `atUs` counts from: ISO 8601 with µs. */
export class WallClock {
  private readonly startMs: number;
  private readonly startUs: number;
  private lastSecond = Number.NaN;
  private lastText = '';

  constructor(startedAt: string) {
    this.startMs = Math.floor(Date.parse(startedAt) / 1000) * 1000;
    const fraction = /\.(\d+)/.exec(startedAt)?.[1] ?? '0';
    this.startUs = Number(fraction.padEnd(6, '0').slice(0, 6));
  }

  /** `12:04:05.101274`: hours to µs. Cut at either end for narrower columns. */
  text(atUs: number): string {
    const us = this.startUs + Math.round(atUs);
    const second = Math.floor(us / 1e6);
    // Rows of the same second are many, and asking a Date is slow.
    if (second !== this.lastSecond) {
      const date = new Date(this.startMs + second * 1000);
      this.lastSecond = second;
      this.lastText = [date.getHours(), date.getMinutes(), date.getSeconds()].map(two).join(':');
    }
    return `${this.lastText}.${String(us - second * 1e6).padStart(6, '0')}`;
  }
}

function two(n: number): string {
  return String(n).padStart(2, '0');
}
