/** The filter that says what the stream shows, and the line it is typed in. While what is typed is wrong, the last good one stays. */
import { complete, type Filter, type FilterProblem, parseFilter } from 'rmtop';
import { EMPTY_LINE, editLine, insert, type LineEdit, replaceWord } from './text/line-edit.js';

const HISTORY = 50;

export class FilterBar {
  /** The filter in force when it is on. */
  filter: Filter;
  /** `!` switches it off without losing it. */
  isOn = true;
  /** The line being typed; null: nobody types. */
  line: LineEdit | null = null;
  /** What is wrong with the line. */
  problem: FilterProblem | null = null;
  /** Values of a field, as far as they are known here. */
  known: (field: string) => readonly string[] = () => [];
  /** Told of each filter that was typed to its end. */
  accepted: (text: string) => void = () => {};
  private readonly apply: (filter: Filter | null) => void;
  private readonly history: string[] = [];
  private historyAt = -1;
  private before: { readonly filter: Filter; readonly isOn: boolean };

  /** `apply` is told which filter is in force; null: none. */
  constructor(start: Filter, apply: (filter: Filter | null) => void) {
    this.filter = start;
    this.before = { filter: start, isOn: true };
    this.apply = apply;
    this.tell();
  }

  get text(): string {
    return this.filter.text;
  }

  /** The filter as it was before what is being typed. */
  get settled(): { readonly filter: Filter; readonly isOn: boolean } {
    return this.line === null ? { filter: this.filter, isOn: this.isOn } : this.before;
  }

  /** Makes it what it was once. */
  restore({ filter, isOn }: { readonly filter: Filter; readonly isOn: boolean }): void {
    this.filter = filter;
    this.isOn = isOn;
    this.tell();
  }

  get isEmpty(): boolean {
    return this.filter.text.trim() === '';
  }

  private tell(): void {
    this.apply(this.isOn ? this.filter : null);
  }

  /** Takes what was typed in `old` for what was typed here. */
  remembers(old: FilterBar): void {
    this.history.splice(0, this.history.length, ...old.history);
  }

  /** `/`: the filter is typed, and in force as it is typed. */
  begin(): void {
    this.before = { filter: this.filter, isOn: this.isOn };
    this.line = { text: this.filter.text, cursor: this.filter.text.length };
    this.problem = null;
    this.historyAt = -1;
    this.isOn = true;
    this.tell();
  }

  /** A key while it is typed. */
  press(key: string, typed: string): void {
    const { line } = this;
    if (line === null) return;
    switch (key) {
      case 'enter':
        this.accept();
        return;
      case 'esc':
        this.cancel();
        return;
      case 'up':
        this.recall(1);
        return;
      case 'down':
        this.recall(-1);
        return;
      case 'tab':
        this.completeWord(line);
        return;
      default: {
        const edited = editLine(line, key, typed);
        if (edited !== null) this.edit(edited);
      }
    }
  }

  paste(text: string): void {
    if (this.line !== null) this.edit(insert(this.line, text));
  }

  private edit(line: LineEdit): void {
    const isNew = line.text !== this.line?.text;
    this.line = line;
    if (!isNew) return;
    const parsed = parseFilter(line.text);
    this.problem = parsed.kind === 'problem' ? parsed : null;
    if (parsed.kind === 'filter') {
      this.filter = parsed;
      this.tell();
    }
  }

  /** Keeps what is in force. */
  private accept(): void {
    this.line = null;
    this.problem = null;
    this.remember();
    this.accepted(this.filter.text);
  }

  /** For the history; what is there already comes to its front. */
  private remember(): void {
    const { text } = this.filter;
    if (this.isEmpty) return;
    const at = this.history.indexOf(text);
    if (at !== -1) this.history.splice(at, 1);
    this.history.unshift(text);
    if (this.history.length > HISTORY) this.history.pop();
  }

  /** Everything as it was before typing began. */
  private cancel(): void {
    this.line = null;
    this.problem = null;
    this.filter = this.before.filter;
    this.isOn = this.before.isOn;
    this.tell();
  }

  private recall(by: number): void {
    const at = Math.max(-1, Math.min(this.history.length - 1, this.historyAt + by));
    if (at === this.historyAt) return;
    this.historyAt = at;
    const text = at === -1 ? EMPTY_LINE.text : (this.history[at] ?? '');
    this.edit({ text, cursor: text.length });
  }

  /** Tab: as much of the word as all its completions have in common. */
  private completeWord(line: LineEdit): void {
    const { from, options } = complete(line.text, line.cursor, this.known);
    const [first] = options;
    if (first === undefined) return;
    const common = options.reduce((a, b) => commonStart(a, b), first);
    if (common.length > line.cursor - from || options.length === 1)
      this.edit(replaceWord(line, from, options.length === 1 ? first : common));
  }

  /** What Tab could make of the word at the cursor. */
  get completions(): readonly string[] {
    const { line } = this;
    return line === null ? [] : complete(line.text, line.cursor, this.known).options;
  }

  toggle(): void {
    this.isOn = !this.isOn;
    this.tell();
  }

  /** Takes a whole filter. */
  set(filter: Filter): void {
    this.filter = filter;
    this.isOn = true;
    this.remember();
    this.tell();
  }

  /** Adds a condition to the filter; false when they do not go together, which is a bug of whoever made it. */
  add(condition: string): boolean {
    const { text } = this.filter;
    const isSum = /\||\bor\b/i.test(text);
    const both = this.isEmpty ? condition : `${isSum ? `(${text})` : text} & ${condition}`;
    const parsed = parseFilter(both);
    if (parsed.kind === 'problem') return false;
    this.set(parsed);
    this.accepted(parsed.text);
    return true;
  }
}

function commonStart(a: string, b: string): string {
  let n = 0;
  while (n < a.length && n < b.length && a[n]?.toLowerCase() === b[n]?.toLowerCase()) n++;
  return a.slice(0, n);
}
