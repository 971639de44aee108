/**
 * The terminal while the screen is on it: entered once, given back as it was exactly once, however that comes about.
 *
 * One write is under way at a time, so a slow terminal is sent fewer frames and not a queue of old ones.
 */
import { writeSync } from 'node:fs';
import type { ReadStream, WriteStream } from 'node:tty';
import { RESTORE } from './restore.js';

/** What the screen needs of a terminal; tests have one of their own. */
export type Port = {
  readonly columns: number;
  readonly rows: number;
  /** Calls `done` when the terminal has taken it. */
  write(text: string, done: () => void): void;
  /** Writes at once, whatever else is going on. */
  writeNow(text: string): void;
  setRaw(raw: boolean): void;
  /** Something else has had the terminal: its size, and how it is written to, are to be found out again. */
  reclaim(): void;
  /** Gives the way to stop. */
  onInput(heard: (bytes: Buffer) => void): () => void;
  onResize(heard: () => void): () => void;
  /** The terminal has gone. */
  onGone(heard: () => void): () => void;
};

/** Alternate screen, cursor hidden, no wrapping, pastes marked; and the question for the background colour. */
const ENTER = '\x1b[?1049h\x1b[?25l\x1b[?7l\x1b[?2004h\x1b[2J\x1b[H';
const ASK_BACKGROUND = '\x1b]11;?\x07';

export class Terminal {
  private readonly port: Port;
  private busy = false;
  private state: 'new' | 'entered' | 'lent' | 'left' = 'new';
  /** Called when a write has been taken and the next may come. */
  onDrained: () => void = () => {};
  private drainedOnce: (() => void) | null = null;

  constructor(port: Port) {
    this.port = port;
  }

  get columns(): number {
    return Math.max(1, this.port.columns || 80);
  }

  get rows(): number {
    return Math.max(1, this.port.rows || 24);
  }

  /** Whether a write is still under way. */
  get isBusy(): boolean {
    return this.busy;
  }

  enter(askBackground: boolean): void {
    if (this.state !== 'new') return;
    this.state = 'entered';
    this.port.setRaw(true);
    this.write(ENTER + (askBackground ? ASK_BACKGROUND : ''));
  }

  /**
   * Leaves the terminal to another program until `takeBack`, with `text` on it; settles when it may begin. Nothing is read or written
   * meanwhile.
   */
  async lend(text: string): Promise<void> {
    // What is still queued would come in between.
    while (this.state === 'entered' && this.busy)
      await new Promise<void>((resolve) => {
        this.drainedOnce = resolve;
      });
    if (this.state !== 'entered') return;
    this.state = 'lent';
    this.port.writeNow(RESTORE + text);
    this.port.setRaw(false);
  }

  /** The other program has ended. */
  takeBack(): void {
    if (this.state !== 'lent') return;
    this.state = 'entered';
    this.port.reclaim();
    this.port.setRaw(true);
    this.write(ENTER);
  }

  /** Gives the terminal back. Safe to call from anywhere, and any number of times. */
  leave(): void {
    const isLent = this.state === 'lent';
    if (this.state !== 'entered' && !isLent) return;
    this.state = 'left';
    // Who has it sets it himself.
    if (isLent) return;
    const wasBusy = this.busy;
    this.port.writeNow(RESTORE);
    this.port.setRaw(false);
    // What was still queued comes after these bytes, so they are said once more behind it.
    if (wasBusy) this.port.write(RESTORE, () => {});
  }

  /** Reports of the mouse's buttons and wheel, or none. */
  mouse(on: boolean): void {
    const end = on ? 'h' : 'l';
    this.write(`\x1b[?1000${end}\x1b[?1006${end}`);
  }

  write(text: string): void {
    if (this.state !== 'entered' || text === '') return;
    this.busy = true;
    this.port.write(text, () => {
      this.busy = false;
      this.drainedOnce?.();
      this.drainedOnce = null;
      this.onDrained();
    });
  }
}

const STDOUT = 1;

/** How long a terminal that takes nothing may hold up the end of the program. */
const PATIENCE_MS = 500;

/** The terminal that this process was started on. */
export function processPort(stdin: ReadStream, stdout: WriteStream): Port {
  // Node makes a terminal's writes block, and one that has stopped reading would then stop keys and signals too.
  unblock(stdout);
  return {
    get columns() {
      return stdout.columns;
    },
    get rows() {
      return stdout.rows;
    },
    write: (text, done) => {
      stdout.write(text, () => done());
    },
    writeNow: (text) => writeAtOnce(STDOUT, text),
    setRaw: (raw) => setRaw(stdin, raw),
    reclaim: () => {
      // A child process that inherits them makes them block; and it is the foreground alone that hears of another size.
      unblock(stdin);
      unblock(stdout);
      process.emit('SIGWINCH', 'SIGWINCH');
    },
    onInput: (heard) => listen(stdin, 'data', heard),
    onResize: (heard) => listen(stdout, 'resize', heard),
    onGone: (heard) => {
      const stops = [
        listen(stdin, 'end', heard),
        listen(stdin, 'error', heard),
        listen(stdout, 'error', heard),
      ];
      return () => {
        for (const stop of stops) stop();
      };
    },
  };
}

function unblock(stream: ReadStream | WriteStream): void {
  const { _handle: handle } = stream as unknown as {
    _handle?: { setBlocking?: (blocking: boolean) => void };
  };
  handle?.setBlocking?.(false);
}

function listen(
  stream: NodeJS.EventEmitter,
  name: string,
  heard: (bytes: Buffer) => void,
): () => void {
  stream.on(name, heard);
  return () => stream.off(name, heard);
}

function setRaw(stdin: ReadStream, raw: boolean): void {
  try {
    stdin.setRawMode(raw);
    if (raw) stdin.resume();
    else stdin.pause();
  } catch {
    // The terminal has gone: there is nothing to set.
  }
}

function writeAtOnce(fd: number, text: string): void {
  const bytes = Buffer.from(text);
  const deadline = performance.now() + PATIENCE_MS;
  for (let at = 0; at < bytes.length; ) {
    try {
      at += writeSync(fd, bytes, at);
    } catch (error) {
      const isFull = (error as NodeJS.ErrnoException).code === 'EAGAIN';
      if (!isFull || performance.now() > deadline) return;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
    }
  }
}
