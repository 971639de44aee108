/**
 * Parts of JSON documents taken out of their text; everything else stays to the byte, spaces, order and numbers among it. One pass over
 * the text that a parser has found to be JSON, without recursion.
 */
import type { JsonPath, PathState } from '../compare/json-path.js';

/** What stands in the place of a part that was taken out. */
export const MASK = '"(redacted)"';

/** An object or array that the scan is in. `key` has the states of the member whose value is next. */
type Level = {
  readonly isArray: boolean;
  readonly states: readonly PathState[];
  index: number;
  key: readonly PathState[] | null;
};

/**
 * `text` without what `paths` name in it; the same text where it is no JSON object or array, or they name nothing in it. Null where it
 * looks like one, cannot be read as one, and may hold what they name: all of it has to go then.
 */
export function maskJson(text: string, paths: readonly JsonPath[]): string | null {
  if (!/^\s*[[{]/.test(text)) return text;
  if (!isJson(text)) return mayHold(text, paths) ? null : text;
  return new Masking(text, paths).run();
}

/** Whether there is something in `text` that the last step of a path could name: a name that stands in it, or anything. */
export function mayHold(text: string, paths: readonly JsonPath[]): boolean {
  return text.includes('\\u') || paths.some(({ last }) => last === null || text.includes(last));
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

class Masking {
  private readonly text: string;
  private readonly paths: readonly JsonPath[];
  private readonly levels: Level[] = [];
  private at = 0;
  /** How much of the text is in `out`, or was left out of it. */
  private copied = 0;
  private out = '';

  constructor(text: string, paths: readonly JsonPath[]) {
    this.text = text;
    this.paths = paths;
  }

  run(): string {
    while (this.at < this.text.length) this.token();
    return this.copied === 0 ? this.text : this.out + this.text.slice(this.copied);
  }

  private token(): void {
    const level = this.levels.at(-1);
    switch (this.text[this.at]) {
      case ' ':
      case '\t':
      case '\n':
      case '\r':
      case ':':
        this.at++;
        return;
      case ',':
        if (level !== undefined) level.index++;
        this.at++;
        return;
      case '}':
      case ']':
        this.levels.pop();
        this.at++;
        return;
      default:
    }
    if (level !== undefined && !level.isArray && level.key === null) this.key(level);
    else this.value(level);
  }

  private key(level: Level): void {
    const from = this.at;
    this.at = this.stringEnd(from);
    const raw = this.text.slice(from, this.at);
    const key = raw.includes('\\') ? (JSON.parse(raw) as string) : raw.slice(1, -1);
    level.key = this.step(level, key);
  }

  private step(level: Level, child: string | number): readonly PathState[] {
    return this.paths.map((path, i) => path.step(level.states[i] ?? [], child));
  }

  private value(level: Level | undefined): void {
    const states =
      level === undefined
        ? this.paths.map(({ start }) => start)
        : (level.key ?? this.step(level, level.index));
    if (level !== undefined) level.key = null;
    if (this.paths.some((path, i) => path.isAt(states[i] ?? []))) {
      const from = this.at;
      this.pass();
      this.out += this.text.slice(this.copied, from) + MASK;
      this.copied = this.at;
      return;
    }
    const first = this.text[this.at];
    if (first === '{' || first === '[') {
      this.levels.push({ isArray: first === '[', states, index: 0, key: null });
      this.at++;
    } else this.pass();
  }

  /** Goes behind the value that begins here. */
  private pass(): void {
    let depth = 0;
    do {
      switch (this.text[this.at]) {
        case '{':
        case '[':
          depth++;
          this.at++;
          break;
        case '}':
        case ']':
          depth--;
          this.at++;
          break;
        case '"':
          this.at = this.stringEnd(this.at);
          break;
        default:
          this.at++;
          // The rest of a number or a word; between values, what separates them.
          while (this.at < this.text.length && !/[\s"{}[\],:]/.test(this.text[this.at] as string))
            this.at++;
      }
    } while (depth > 0);
  }

  /** Where the string that begins at `from` has ended: behind a quote that an even number of backslashes stands before. */
  private stringEnd(from: number): number {
    for (let at = from; ; ) {
      at = this.text.indexOf('"', at + 1);
      let slashes = 0;
      while (this.text[at - 1 - slashes] === '\\') slashes++;
      if (slashes % 2 === 0) return at + 1;
    }
  }
}
