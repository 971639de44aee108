/** Where a pane of lines is scrolled to. */
import type { Motion } from '../stream/viewport.js';
import { plain } from './styles.js';

export class Scroll {
  /** The first line shown. */
  top = 0;
  /** Whether the last line is kept in view. */
  private atEnd: boolean;
  private readonly startsAtEnd: boolean;
  private lines = 0;
  private texts: readonly string[] = [];
  private foundText = '';
  /** The line that was found last; null when there is none, or the lines are others now. */
  found: number | null = null;
  private height = 1;

  constructor(startsAtEnd: boolean) {
    this.startsAtEnd = startsAtEnd;
    this.atEnd = startsAtEnd;
  }

  /** To the beginning, or the end, where such panes start. */
  reset(): void {
    this.top = 0;
    this.found = null;
    this.atEnd = this.startsAtEnd;
  }

  /** The part of `lines` that is in view on `height` lines; the line `cursor`, if there is one, always is. */
  view(lines: readonly string[], height: number, cursor: number | null = null): readonly string[] {
    this.lines = lines.length;
    this.texts = lines;
    if (this.found !== null && plain(lines[this.found] ?? '') !== this.foundText) this.found = null;
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

  /** Goes to the next line, or the one before, that has `text` in it, in any case; tells which of how many it is. */
  find(
    text: string,
    step: 1 | -1,
  ): { readonly line: number; readonly at: number; readonly of: number } | null {
    const wanted = text.toLowerCase();
    const fits = this.texts.flatMap((line, i) =>
      plain(line).toLowerCase().includes(wanted) ? [i] : [],
    );
    const from = this.found ?? (step === 1 ? this.top - 1 : this.top + this.height);
    const next =
      step === 1
        ? (fits.find((line) => line > from) ?? fits[0])
        : (fits.findLast((line) => line < from) ?? fits.at(-1));
    if (next === undefined) return null;
    this.found = next;
    this.foundText = plain(this.texts[next] ?? '');
    this.atEnd = false;
    if (next < this.top || next >= this.top + this.height)
      this.top = Math.max(0, Math.min(next - Math.floor(this.height / 2), this.lastTop));
    return { line: next, at: fits.indexOf(next) + 1, of: fits.length };
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
