/**
 * Frames → bytes: only the lines that changed, each by its address, within the marks of a synchronized update.
 *
 * Ink lays out the frame; regions are rectangles that it leaves empty and that are painted over it, past its own costly layout.
 */

/** Lines to be put on a frame, at 0-based cells. */
export type Overlay = {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly lines: readonly string[];
};

const BEGIN = '\x1b[?2026h';
const END = '\x1b[?2026l';

/** Keeps what the terminal shows. */
export class Painter {
  private shown: string[] = [];

  /** The bytes that make the terminal show this frame; empty when it does already. */
  paint(
    lines: readonly string[],
    overlays: readonly Overlay[],
    columns: number,
    rows: number,
  ): string {
    const frame = compose(lines, overlays, columns, rows);
    let out = '';
    for (let y = 0; y < rows; y++) {
      const line = frame[y] ?? '';
      if (this.shown[y] === line) continue;
      // Erased first: at the right edge, erasing afterwards would take the last character along.
      out += `\x1b[${y + 1};1H\x1b[m\x1b[K${line}`;
    }
    this.shown = frame;
    return out === '' ? '' : `${BEGIN}${out}\x1b[m${END}`;
  }

  /** Forgets what is shown: the next frame is painted whole, on an empty screen. */
  reset(): string {
    this.shown = [];
    return '\x1b[m\x1b[2J';
  }
}

function compose(
  lines: readonly string[],
  overlays: readonly Overlay[],
  columns: number,
  rows: number,
): string[] {
  const frame = Array.from({ length: rows }, (_, y) => lines[y] ?? '');
  for (const { x, y, width, lines: over } of overlays) {
    over.forEach((line, i) => {
      const at = y + i;
      if (at < 0 || at >= rows) return;
      const isWhole = x === 0 && width >= columns;
      frame[at] = isWhole ? line : `${frame[at] ?? ''}\x1b[m\x1b[${x + 1}G${line}`;
    });
  }
  return frame;
}
