/** The words of the filter language: bare text, strings, regular expressions, operators. See `ux.md` d.2. */
import { type Operator, type Value, type Word, Wrong } from './ast.js';

/** What ends bare text; inside a set braces and `..` do so too. */
const BARE = /[^\s()&|,<>="']+/y;
const BARE_IN_SET = /(?:(?!\.\.)[^\s()&|,<>="'{}])+/y;
const NAME = /[A-Za-z][A-Za-z_]*(?:\.[A-Za-z_]+)*(?![\w:.-])/y;
const OPERATOR = /=~|==|!=|!~|<=|>=|=|<|>/y;
const KEYWORD = /(?:and|or|not)(?![^\s()&|,<>="'!~])/iy;

/** Reads a filter's text from left to right. */
export class Scanner {
  readonly text: string;
  at = 0;

  constructor(text: string) {
    this.text = text;
  }

  get isAtEnd(): boolean {
    this.skipSpace();
    return this.at >= this.text.length;
  }

  skipSpace(): void {
    while (/\s/.test(this.text.charAt(this.at))) this.at++;
  }

  /** Takes `token` if it is next. */
  take(token: string): boolean {
    this.skipSpace();
    if (!this.text.startsWith(token, this.at)) return false;
    this.at += token.length;
    return true;
  }

  /** Takes the keyword `word`, in any case, if it is next and ends there. */
  takeKeyword(word: 'and' | 'or' | 'not'): boolean {
    this.skipSpace();
    const found = this.match(KEYWORD);
    if (found?.toLowerCase() !== word) return false;
    this.at += found.length;
    return true;
  }

  /** Whether a keyword is next: then no atom is. */
  get isAtKeyword(): boolean {
    this.skipSpace();
    return this.match(KEYWORD) !== null;
  }

  /** A field's name and what follows it, if a field and an operator or `in {` are next; else nothing is taken. */
  takeField(
    isFlag: (name: string) => boolean,
    isField: (name: string) => boolean,
  ): { field: Word; operator: Operator | 'in' } | null {
    const start = this.at;
    const name = this.match(NAME);
    if (name === null) return null;
    const field = { text: name, at: start };
    this.at += name.length;
    const wasAt = this.at;
    this.skipSpace();
    const operator = this.match(OPERATOR);
    // `err !~m get` is a flag and a negated short form, not a comparison of `err`.
    const isNegatedTilde = operator === '!~' && this.at > wasAt && isFlag(name.toLowerCase());
    if (operator !== null && !isNegatedTilde) {
      this.at += operator.length;
      return { field, operator: operator === '==' ? '=' : (operator as Operator) };
    }
    const rest = this.text.slice(this.at);
    const isMember = /^in\s*\{/i.test(rest) || (isField(name.toLowerCase()) && /^in\b/i.test(rest));
    if (isMember && this.at > wasAt) {
      this.at += 2;
      return { field, operator: 'in' };
    }
    this.at = start;
    return null;
  }

  /** The value that is next; null where there is none. */
  value(inSet: boolean): Value | null {
    this.skipSpace();
    const first = this.text.charAt(this.at);
    if (first === '"' || first === "'") return this.string(first);
    if (first === '/') return this.regex();
    if (first === '' || '{!~'.includes(first)) return null;
    const { at } = this;
    const text = this.match(inSet ? BARE_IN_SET : BARE);
    if (text === null) return null;
    this.at += text.length;
    return { kind: 'bare', text, at };
  }

  /** The letters after `~`. */
  letters(): Word {
    const { at } = this;
    const text = this.match(/[A-Za-z]*/y) ?? '';
    this.at += text.length;
    return { text, at };
  }

  private match(pattern: RegExp): string | null {
    pattern.lastIndex = this.at;
    return pattern.exec(this.text)?.[0] ?? null;
  }

  private string(quote: string): Value {
    const start = this.at;
    const pieces: Buffer[] = [];
    let at = start + 1;
    for (;;) {
      const char = this.text.charAt(at);
      if (char === '') throw new Wrong(`expected a closing ${quote}`, this.text.length);
      if (char === quote) break;
      const { bytes, length } = char === '\\' ? this.escape(at) : plain(this.text, at);
      pieces.push(bytes);
      at += length;
    }
    this.at = at + 1;
    return { kind: 'string', bytes: Buffer.concat(pieces), at: start };
  }

  private escape(at: number): { bytes: Buffer; length: number } {
    const letter = this.text.charAt(at + 1);
    if (letter === 'x') {
      const hex = this.text.slice(at + 2, at + 4);
      if (!/^[\dA-Fa-f]{2}$/.test(hex))
        throw new Wrong('expected two hex digits after \\x', at + 2, 'e.g. "\\x00"');
      return { bytes: Buffer.from(hex, 'hex'), length: 4 };
    }
    const known = { n: '\n', r: '\r', t: '\t' }[letter] ?? letter;
    return { bytes: Buffer.from(known), length: 2 };
  }

  private regex(): Value {
    const start = this.at;
    let at = start + 1;
    for (let isInClass = false; ; at++) {
      const char = this.text.charAt(at);
      if (char === '') throw new Wrong('expected a closing /', this.text.length);
      if (char === '\\') at++;
      else if (char === '[') isInClass = true;
      else if (char === ']') isInClass = false;
      else if (char === '/' && !isInClass) break;
    }
    const source = this.text.slice(start + 1, at);
    const ignoreCase = this.text.charAt(at + 1) === 'i';
    this.at = at + (ignoreCase ? 2 : 1);
    return { kind: 'regex', source, ignoreCase, at: start };
  }
}

/** One character, which may be two UTF-16 units. */
function plain(text: string, at: number): { bytes: Buffer; length: number } {
  const char = String.fromCodePoint(text.codePointAt(at) ?? 0);
  return { bytes: Buffer.from(char), length: char.length };
}
