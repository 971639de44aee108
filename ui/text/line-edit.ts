/** A line of text being typed. */

export type LineEdit = { readonly text: string; readonly cursor: number };

export const EMPTY_LINE: LineEdit = { text: '', cursor: 0 };

const SEGMENTER = new Intl.Segmenter();

/** The line after a key; null when the key is none that edits. */
export function editLine(line: LineEdit, key: string, typed: string): LineEdit | null {
  const { text, cursor } = line;
  switch (key) {
    case 'left':
    case 'ctrl-b':
      return { text, cursor: cursor - lengthBefore(text, cursor) };
    case 'right':
    case 'ctrl-f':
      return { text, cursor: cursor + lengthAfter(text, cursor) };
    case 'home':
    case 'ctrl-a':
      return { text, cursor: 0 };
    case 'end':
    case 'ctrl-e':
      return { text, cursor: text.length };
    case 'backspace':
      return cutOut(line, cursor - lengthBefore(text, cursor), cursor);
    case 'delete':
      return cutOut(line, cursor, cursor + lengthAfter(text, cursor));
    case 'ctrl-u':
      return cutOut(line, 0, cursor);
    case 'ctrl-k':
      return cutOut(line, cursor, text.length);
    case 'ctrl-w':
    case 'alt-backspace':
      return cutOut(line, wordBefore(line), cursor);
    case 'alt-b':
    case 'ctrl-left':
      return { text, cursor: wordBefore(line) };
    case 'alt-f':
    case 'ctrl-right':
      return { text, cursor: cursor + (/^\s*\S*/.exec(text.slice(cursor))?.[0].length ?? 0) };
    default:
      return typed === '' ? null : insert(line, typed);
  }
}

/** The line with `typed` at the cursor; line ends and other control characters become blanks. */
export function insert({ text, cursor }: LineEdit, typed: string): LineEdit {
  const clean = typed.replace(/[\x00-\x1f\x7f]+/g, ' ');
  return {
    text: text.slice(0, cursor) + clean + text.slice(cursor),
    cursor: cursor + clean.length,
  };
}

/** The line with what is between `from` and its cursor replaced. */
export function replaceWord(line: LineEdit, from: number, word: string): LineEdit {
  return insert(cutOut(line, from, line.cursor), word);
}

function cutOut({ text }: LineEdit, from: number, to: number): LineEdit {
  return { text: text.slice(0, from) + text.slice(to), cursor: from };
}

/** Where the word before the cursor begins. */
function wordBefore({ text, cursor }: LineEdit): number {
  return text.slice(0, cursor).replace(/\S+\s*$/, '').length;
}

/** A character may be several UTF-16 units: an emoji, a letter with marks. */
function lengthBefore(text: string, cursor: number): number {
  return [...SEGMENTER.segment(text.slice(0, cursor))].at(-1)?.segment.length ?? 0;
}

function lengthAfter(text: string, cursor: number): number {
  return [...SEGMENTER.segment(text.slice(cursor))][0]?.segment.length ?? 0;
}
