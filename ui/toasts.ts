/** The one line of news above the keys: information stays 3 s, warnings 8 s, errors until a key is pressed. */
import type { Level } from './store/journal.js';

export type Toast = {
  readonly level: Level;
  readonly text: string;
  readonly next: string | null;
  /** How often the same was said. */
  readonly times: number;
};

const STAYS_MS: Readonly<Record<Level, number>> = {
  info: 3000,
  warning: 8000,
  error: Number.POSITIVE_INFINITY,
};

const RANK: Readonly<Record<Level, number>> = { info: 0, warning: 1, error: 2 };

export class Toasts {
  current: Toast | null = null;
  private timer: NodeJS.Timeout | null = null;
  private readonly changed: () => void;

  /** `changed` is called when a toast goes by itself. */
  constructor(changed: () => void) {
    this.changed = changed;
  }

  /** Says something, unless something graver is being said. */
  say(level: Level, text: string, next: string | null = null): void {
    const { current } = this;
    const isAgain = current?.text === text && current.level === level;
    if (current !== null && !isAgain && RANK[current.level] > RANK[level]) return;
    this.show({ level, text, next, times: isAgain ? current.times + 1 : 1 });
  }

  /** The answer to a key: said whatever else is. */
  answer(text: string): void {
    this.show({ level: 'info', text, next: null, times: 1 });
  }

  private show(toast: Toast): void {
    this.clear();
    this.current = toast;
    const staysMs = STAYS_MS[toast.level];
    if (!Number.isFinite(staysMs)) return;
    this.timer = setTimeout(() => {
      this.clear();
      this.changed();
    }, staysMs);
    this.timer.unref();
  }

  /** A key was pressed: an error has been seen. */
  seen(): void {
    if (this.current?.level === 'error') this.clear();
  }

  clear(): void {
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
    this.current = null;
  }
}
