/** Text to an exact number of terminal cells. All texts here are printable already; some have styles. */
import stringWidth from 'string-width';

const ASCII = /^[\x20-\x7e]*$/;
const ESC = 0x1b;
const SGR_END = 0x6d; // m

const segmenter = new Intl.Segmenter();

/** Cells that `text` takes; styles take none. Nearly all is ASCII, lines and dots: only for what is left is asked what Unicode says. */
export function widthOf(text: string): number {
  let cells = 0;
  for (let at = 0; at < text.length; ) {
    const code = text.charCodeAt(at);
    if (isNarrow(code)) {
      cells++;
      at++;
      continue;
    }
    const behind = behindStyle(text, at);
    if (behind === -1) return stringWidth(text);
    at = behind;
  }
  return cells;
}

/** ASCII, box drawing and block elements (U+2500 … U+259F), braille (U+2800 … U+28FF): one cell each. */
function isNarrow(code: number): boolean {
  return (
    (code >= 0x20 && code <= 0x7e) ||
    (code >= 0x2500 && code <= 0x259f) ||
    (code >= 0x2800 && code <= 0x28ff)
  );
}

/** Where the style that begins at `at` has ended; -1: there is none. */
function behindStyle(text: string, at: number): number {
  if (text.charCodeAt(at) !== ESC || text.charAt(at + 1) !== '[') return -1;
  for (let end = at + 2; end < text.length; end++) {
    const code = text.charCodeAt(end);
    if (code === SGR_END) return end + 1;
    const isParameter = (code >= 0x30 && code <= 0x39) || code === 0x3b;
    if (!isParameter) return -1;
  }
  return -1;
}

/** Exactly `width` cells: padded with blanks, or cut with a `~` at its end. No styles in it. */
export function fit(text: string, width: number): string {
  if (width <= 0) return '';
  const own = widthOf(text);
  if (own <= width) return own === width ? text : text + ' '.repeat(width - own);
  return `${cut(text, width - 1)}~`;
}

/** The same, against the right edge. */
export function fitRight(text: string, width: number): string {
  const own = widthOf(text);
  return own < width ? ' '.repeat(width - own) + text : fit(text, width);
}

/** Exactly `width` cells; what is too long loses its middle, for keys often differ at their ends. */
export function fitMiddle(text: string, width: number): string {
  if (widthOf(text) <= width || width < 8) return fit(text, width);
  const tailWidth = Math.floor((width - 1) / 3);
  const head = cut(text, width - 1 - tailWidth);
  return `${head}~${cutStart(text, tailWidth)}`;
}

/** The first `width` cells, padded where a wide character would have crossed the edge. */
export function cut(text: string, width: number): string {
  if (ASCII.test(text)) return text.slice(0, width);
  let cells = 0;
  let out = '';
  for (const { segment } of segmenter.segment(text)) {
    const own = stringWidth(segment);
    if (cells + own > width) break;
    out += segment;
    cells += own;
  }
  return out + ' '.repeat(width - cells);
}

/** As many of `texts` as fit whole into `width` cells, two blanks between them. */
export function joined(texts: readonly string[], width: number): string {
  let line = '';
  for (const text of texts) {
    const longer = line === '' ? text : `${line}  ${text}`;
    if (widthOf(longer) > width) break;
    line = longer;
  }
  return line;
}

/** The last `width` cells. */
function cutStart(text: string, width: number): string {
  if (ASCII.test(text)) return text.slice(text.length - width);
  const segments = [...segmenter.segment(text)].reverse();
  let cells = 0;
  let out = '';
  for (const { segment } of segments) {
    const own = stringWidth(segment);
    if (cells + own > width) break;
    out = segment + out;
    cells += own;
  }
  return ' '.repeat(width - cells) + out;
}

/** Lines of at most `width` cells, broken at blanks where there are some; at least one line. */
export function wrap(text: string, width: number): string[] {
  if (width <= 0) return [''];
  const lines: string[] = [];
  let rest = text;
  while (widthOf(rest) > width) {
    const head = cut(rest, width).trimEnd();
    const blank = head.lastIndexOf(' ');
    const isBroken = blank > width / 2 && rest.charAt(head.length) !== ' ';
    const line = isBroken ? head.slice(0, blank) : head;
    if (line === '') break;
    lines.push(line);
    rest = rest.slice(line.length).trimStart();
  }
  lines.push(rest);
  return lines;
}

const SGR = /(\x1b\[[\d;]*m)/;

/** Exactly `width` cells of a text with styles; what is cut off keeps its style codes, so that each is ended. */
export function fitStyled(text: string, width: number): string {
  if (!text.includes('\x1b')) return fit(text, width);
  const own = widthOf(text);
  if (own <= width) return text + ' '.repeat(width - own);
  let left = width;
  return text
    .split(SGR)
    .map((piece, i) => {
      if (i % 2 === 1) return piece;
      const cells = widthOf(piece);
      const shown = cells <= left ? piece : cut(piece, left);
      left -= Math.min(cells, left);
      return shown;
    })
    .join('');
}
