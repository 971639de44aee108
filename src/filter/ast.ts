/** A filter as it was written: what the parser makes and the compiler reads. `at` counts characters of the text from 0. */

/** A piece of the text. */
export type Word = { readonly text: string; readonly at: number };

export type Operator = '=' | '!=' | '<' | '<=' | '>' | '>=' | '=~' | '!~';

/** One value: quoted, a regular expression, or neither. */
export type Value =
  | { readonly kind: 'string'; readonly bytes: Buffer; readonly at: number }
  | {
      readonly kind: 'regex';
      readonly source: string;
      readonly ignoreCase: boolean;
      readonly at: number;
    }
  | { readonly kind: 'bare'; readonly text: string; readonly at: number };

/** An element of a set: one value, or a closed range. */
export type Item = { readonly from: Value; readonly to: Value | null };

export type Node =
  | { readonly kind: 'all' }
  | { readonly kind: 'or' | 'and'; readonly of: readonly Node[] }
  | { readonly kind: 'not'; readonly of: Node }
  | {
      readonly kind: 'compare';
      readonly field: Word;
      readonly operator: Operator;
      readonly value: Value;
    }
  | { readonly kind: 'member'; readonly field: Word; readonly items: readonly Item[] }
  | { readonly kind: 'tilde'; readonly name: Word; readonly value: Value | null }
  | { readonly kind: 'word'; readonly value: Value };

/** What is wrong with a filter, where, and what would be right. */
export type FilterProblem = {
  readonly kind: 'problem';
  readonly message: string;
  /** From 1, as people count. */
  readonly column: number;
  readonly hint: string | null;
};

/** Carries a problem out of the parser or the compiler; never leaves this folder. */
export class Wrong extends Error {
  readonly at: number;
  readonly hint: string | null;

  constructor(message: string, at: number, hint: string | null = null) {
    super(message);
    this.at = at;
    this.hint = hint;
  }

  get problem(): FilterProblem {
    return { kind: 'problem', message: this.message, column: this.at + 1, hint: this.hint };
  }
}
