/** A shell on the terminal that the screen has left for a while. */
import { type ChildProcess, spawn } from 'node:child_process';
import { accessSync, constants, statSync } from 'node:fs';
import path from 'node:path';
import type { Readable } from 'node:stream';

/** How a shell ended: its exit code, or why there was none. */
export type ShellEnd =
  | { readonly kind: 'ended'; readonly code: number }
  | { readonly kind: 'problem'; readonly message: string };

/**
 * A shell with job control makes itself the terminal's foreground; one that is killed cannot undo that, and whoever sets the terminal
 * from the background is stopped: rmtop, and all traffic with it. So another shell stands between, which has job control too: it takes
 * the terminal back whatever happens, and sets it as it was. It also says which process the user's shell is.
 */
const BETWEEN = `saved=$(stty -g 2>/dev/null); set -m
sh -c 'echo $$ >&3; exec 3>&-; exec "$0"' "$0"
code=$?; stty "$saved" 2>/dev/null; exit $code`;

/** How long a shell may take to end when it is told that its terminal has gone. */
const GRACE_MS = 1000;

type Env = Readonly<Record<string, string | undefined>>;

/** Whether `name` can be run: a path, or a name on the PATH. */
export function isProgram(name: string, { PATH = '' }: Env): boolean {
  const files = name.includes('/')
    ? [name]
    : PATH.split(path.delimiter).map((folder) => path.join(folder, name));
  return files.some((file) => {
    try {
      accessSync(file, constants.X_OK);
      return statSync(file).isFile();
    } catch {
      return false;
    }
  });
}

/** Runs `shell` on the terminal of this process, which must neither read nor set it until `ended`. */
export class Shell {
  /** Never rejects. */
  readonly ended: Promise<ShellEnd>;
  private readonly between: ChildProcess;
  /** The user's shell, when it is known. */
  private pid: number | null = null;
  private wanted: 'goes on' | 'ends' = 'goes on';
  private grace: NodeJS.Timeout | null = null;

  constructor(shell: string, env: Env) {
    this.between = spawn('sh', ['-c', BETWEEN, shell], {
      stdio: ['inherit', 'inherit', 'inherit', 'pipe'],
      env: { ...env },
    });
    this.ended = new Promise((resolve) => {
      this.between.on('error', ({ message }) => resolve({ kind: 'problem', message }));
      this.between.on('exit', (code) => resolve({ kind: 'ended', code: code ?? 1 }));
    });
    void this.ended.then(() => {
      this.pid = null;
      if (this.grace !== null) clearTimeout(this.grace);
    });
    let said = '';
    (this.between.stdio[3] as Readable | null)?.on('data', (bytes: Buffer) => {
      said += bytes;
      if (!said.includes('\n')) return;
      this.pid = Number(said);
      if (this.wanted === 'ends') this.end();
    });
  }

  /** The terminal has gone, as far as the shell is concerned; if it stays all the same, it is killed. */
  end(): void {
    this.wanted = 'ends';
    this.send('SIGHUP');
    this.grace ??= setTimeout(() => this.send('SIGKILL'), GRACE_MS);
  }

  private send(signal: NodeJS.Signals): void {
    if (this.pid === null) return;
    try {
      process.kill(this.pid, signal);
    } catch {
      // It has just ended.
    }
  }
}
