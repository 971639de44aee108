/** Paths into replies, in the notation in which differences are told: `[3].name`, where `[*]` is any element and `*` any part of a name. */
import { matchesGlob } from '../filter/glob.js';

/** A path that others are held against. */
export type ReplyPath = {
  readonly kind: 'path';
  readonly text: string;
  /** Whether `path` is one that it names. */
  names(path: string): boolean;
};

/** `[3]`, `[*]`; a name, or several: they may have dots of their own. A name that is no word stands in quotes, and may hold brackets. */
const PIECE = /\[(?:\d+|\*)\]|(?:"[^"\\]*(?:\\.[^"\\]*)*"|[^["])+/y;

/** The path that `text` says, or what is wrong with it. */
export function parseReplyPath(
  text: string,
): ReplyPath | { readonly kind: 'problem'; readonly message: string } {
  const pieces = piecesOf(text);
  if (pieces === null || !/^[.[]/.test(text))
    return {
      kind: 'problem',
      message: `${text} is no path as differences are told: [3], [*], .name, [3].name`,
    };
  const wanted = pieces.map((piece) => (isPlace(piece) ? piece : globOf(piece)));
  return {
    kind: 'path',
    text,
    names(path) {
      if (path === '' || (path.startsWith('[') && !isPlace(wanted[0] ?? ''))) return false;
      const found = piecesOf(path);
      return (
        found !== null &&
        found.length === wanted.length &&
        found.every((piece, i) => fits(piece, wanted[i] ?? ''))
      );
    },
  };
}

function piecesOf(text: string): string[] | null {
  const pieces: string[] = [];
  PIECE.lastIndex = 0;
  while (PIECE.lastIndex < text.length) {
    const [piece] = PIECE.exec(text) ?? [];
    if (piece === undefined) return null;
    pieces.push(piece);
  }
  return pieces;
}

function isPlace(piece: string): boolean {
  return piece.startsWith('[');
}

function fits(piece: string, wanted: string): boolean {
  if (isPlace(piece) || isPlace(wanted))
    return piece === wanted || (wanted === '[*]' && isPlace(piece));
  return matchesGlob(wanted, piece);
}

/** Only `*` stands for something else. */
function globOf(name: string): string {
  return name.replace(/[?[\]\\]/g, '\\$&');
}
