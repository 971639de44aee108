/** The real program on a real terminal: a pseudo-terminal for it, and a terminal emulator that shows what it paints. */
import path from 'node:path';
import type { TestContext } from 'node:test';
import { type IPty, spawn } from '@lydell/node-pty';
import xterm from '@xterm/headless';
import { until } from './until.js';

const RMTOP = path.join(import.meta.dirname, '..', '..', 'bin', 'rmtop.js');

/** The shell says what the terminal is set to before and after, which process rmtop is, and how it ended. */
const SHELL = `trap : INT
stty -g | sed 's/^/before /'
sh -c 'echo pid $$; exec "$0" "$@"' "$@"
printf '\\nended %s\n' $?
stty -g | sed 's/^/after /'
read -r _`;

export type PtyOptions = {
  readonly columns?: number;
  readonly rows?: number;
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** Code that runs in the program's process before it, to make something go wrong in it. */
  readonly preload?: string;
};

/** A terminal with rmtop on it. */
export class ProgramTerminal {
  /** Every byte that the program has written. */
  output = '';
  /** Hears of everything that the program writes, as it comes. */
  onOutput: (data: string) => void = () => {};
  private readonly pty: IPty;
  private readonly emulator: InstanceType<typeof xterm.Terminal>;
  private pending = 0;

  constructor(pty: IPty, columns: number, rows: number) {
    this.pty = pty;
    this.emulator = new xterm.Terminal({ cols: columns, rows, allowProposedApi: true });
    this.emulator.onData((answer) => pty.write(answer));
    pty.onData((data) => {
      this.output += data;
      this.onOutput(data);
      this.pending++;
      this.emulator.write(data, () => {
        this.pending--;
      });
    });
  }

  /** What the user sees, a line of the screen each, without the blanks at their ends. */
  lines(): string[] {
    const buffer = this.emulator.buffer.active;
    return Array.from({ length: this.emulator.rows }, (_, y) =>
      (buffer.getLine(buffer.viewportY + y)?.translateToString(true) ?? '').trimEnd(),
    );
  }

  text(): string {
    return this.lines().join('\n');
  }

  /** What the user sees, with a line that was longer than the terminal is wide in one piece again. */
  unwrapped(): string {
    const buffer = this.emulator.buffer.active;
    let text = '';
    for (let y = 0; y < this.emulator.rows; y++) {
      const line = buffer.getLine(buffer.viewportY + y);
      const goesOn = buffer.getLine(buffer.viewportY + y + 1)?.isWrapped === true;
      text += goesOn ? line?.translateToString(false) : `${line?.translateToString(true)}\n`;
    }
    return text;
  }

  /** What a program may leave behind on a terminal. */
  modes(): {
    readonly alternate: boolean;
    readonly cursor: boolean;
    readonly wraps: boolean;
    readonly pastes: boolean;
    readonly mouse: string;
  } {
    const { modes, buffer } = this.emulator;
    return {
      alternate: buffer.active.type === 'alternate',
      cursor: this.output.lastIndexOf('\x1b[?25h') >= this.output.lastIndexOf('\x1b[?25l'),
      wraps: modes.wraparoundMode,
      pastes: modes.bracketedPasteMode,
      mouse: modes.mouseTrackingMode,
    };
  }

  /** Waits until the screen, painted whole, fits: all patterns at once. Gives its text. */
  async shows(
    wanted: RegExp | readonly RegExp[] | ((text: string) => boolean),
    what: string = String(wanted),
  ): Promise<string> {
    let text = '';
    const fits = (): boolean => {
      text = this.text();
      if (!this.isWhole) return false;
      if (typeof wanted === 'function') return wanted(text);
      return [wanted].flat().every((each) => (each as RegExp).test(text));
    };
    try {
      await until(fits, what);
    } catch (error) {
      throw new TypeError(`${error}; the screen is\n${this.text()}`);
    }
    return text;
  }

  /** Whether the emulator has taken everything, and the last frame has ended. */
  private get isWhole(): boolean {
    return (
      this.pending === 0 &&
      this.output.lastIndexOf('\x1b[?2026l') >= this.output.lastIndexOf('\x1b[?2026h')
    );
  }

  /** Types keys, as the bytes that a terminal sends for them. */
  type(keys: string): void {
    this.pty.write(keys);
  }

  resize(columns: number, rows: number): void {
    this.emulator.resize(columns, rows);
    this.pty.resize(columns, rows);
  }

  /** The process of rmtop, not of the shell around it. */
  get pid(): number {
    return Number(/^pid (\d+)/m.exec(this.output)?.[1]);
  }

  signal(name: NodeJS.Signals): void {
    process.kill(this.pid, name);
  }

  /** Waits for the program's end; gives its exit code as a shell has it, and whether the terminal is set as it was. */
  async ended(): Promise<{ readonly code: number; readonly sameSettings: boolean }> {
    await until(() => /^after \S+/m.test(this.output) && this.pending === 0, 'the end of rmtop');
    const [, before] = /^before (\S+)/m.exec(this.output) ?? [];
    const [, after] = /^after (\S+)/m.exec(this.output) ?? [];
    return {
      code: Number(/^ended (\d+)/m.exec(this.output)?.[1]),
      sameSettings: before === after,
    };
  }
}

/** Starts `rmtop` with `args`; gone with the test. */
export function openTerminal(
  t: Pick<TestContext, 'after'>,
  args: readonly string[],
  { columns = 80, rows = 24, env = {}, preload, cwd }: PtyOptions = {},
): ProgramTerminal {
  const node = [process.execPath];
  if (preload !== undefined)
    node.push('--import', `data:text/javascript,${encodeURIComponent(preload)}`);
  const pty = spawn('sh', ['-c', SHELL, 'sh', ...node, RMTOP, ...args], {
    cols: columns,
    rows,
    cwd: cwd ?? process.cwd(),
    env: {
      PATH: process.env.PATH ?? '',
      HOME: process.env.HOME ?? '',
      TERM: 'xterm-256color',
      LC_ALL: 'C.UTF-8',
      ...env,
    },
  });
  const terminal = new ProgramTerminal(pty, columns, rows);
  t.after(() => {
    for (const pid of [terminal.pid, pty.pid]) {
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // It has ended.
      }
    }
  });
  return terminal;
}
