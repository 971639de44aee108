/** Where a pane of lines is scrolled to. */
import type { Motion } from '../stream/viewport.js';

export class Scroll {
  /** The first line shown. */
  top = 0;
  /** Whether the last line is kept in view. */
  private atEnd: boolean;
  private readonly startsAtEnd: boolean;
  private lines = 0;
  private height = 1;

  constructor(startsAtEnd: boolean) {
    this.startsAtEnd = startsAtEnd;
    this.atEnd = startsAtEnd;
  }

  /** To the beginning, or the end, where such panes start. */
  reset(): void {
    this.top = 0;
    this.atEnd = this.startsAtEnd;
  }

  /** The part of `lines` that is in view on `height` lines; the line `cursor`, if there is one, always is. */
  view(lines: readonly string[], height: number, cursor: number | null = null): readonly string[] {
    this.lines = lines.length;
    this.height = Math.max(1, height);
    if (this.atEnd) this.top = this.lastTop;
    if (cursor !== null) this.top = Math.max(cursor - this.height + 1, Math.min(this.top, cursor));
    this.top = Math.max(0, Math.min(this.top, this.lastTop));
    return lines.slice(this.top, this.top + height);
  }

  private get lastTop(): number {
    return Math.max(0, this.lines - this.height);
  }

  /** `12-30 of 48`; empty when all is in view. */
  get position(): string {
    if (this.lines <= this.height) return '';
    return `${this.top + 1}-${Math.min(this.lines, this.top + this.height)} of ${this.lines}`;
  }

  move(motion: Motion): void {
    const by =
      motion.kind === 'rows'
        ? motion.by
        : motion.kind === 'pages'
          ? Math.round(motion.by * Math.max(1, this.height - 1))
          : motion.kind === 'first'
            ? -this.lines
            : this.lines;
    this.top = Math.max(0, Math.min(this.top + by, this.lastTop));
    this.atEnd = this.startsAtEnd && this.top === this.lastTop;
  }
}
