/**
 * Events → lines of JSON in a file or on stdout, by a thread of its own: the core hands blocks over and never waits for a disk.
 *
 * Nothing is lost: with more than 16 MiB on their way to the writer it is `behind`, and the proxy lets its clients wait.
 */
import { Worker } from 'node:worker_threads';
import { RmtopError } from '../errors.js';
import type { Consumer } from '../events/bus.js';
import type { HeaderInfo } from './format.js';

/** What the writer's thread is started with. */
export type LineWriterOptions = {
  readonly fd: number;
  readonly header: HeaderInfo;
  /** Only the commands that fit this filter are written; an empty one lets all through. */
  readonly filter: string;
};

/** Main thread → writer. */
export type ToWriter =
  | { readonly type: 'block'; readonly block: ArrayBuffer; readonly used: number }
  | { readonly type: 'end'; readonly why: string };

/** Writer → main thread. `closed`: nobody reads any more (a pipe's other end is gone). */
export type FromWriter =
  | { readonly type: 'written'; readonly bytes: number }
  | { readonly type: 'closed' }
  | { readonly type: 'failed'; readonly message: string }
  | { readonly type: 'ended' };

const BEHIND_BYTES = 16 * 1024 * 1024;

export class LineWriter implements Consumer {
  readonly lossless = true;
  /** Settles when nothing can be written any more: null when the reader has gone, an error when the disk failed. */
  readonly broken: Promise<RmtopError | null>;
  private waiting = 0;
  private readonly worker: Worker;
  private readonly ended: Promise<void>;

  constructor(options: LineWriterOptions) {
    this.worker = new Worker(new URL('./lines-worker.js', import.meta.url), {
      workerData: options,
    });
    let end: () => void = () => {};
    this.ended = new Promise((resolve) => {
      end = resolve;
    });
    this.broken = new Promise((resolve) => {
      this.worker.on('message', (message: FromWriter) => {
        switch (message.type) {
          case 'written':
            this.waiting -= message.bytes;
            return;
          case 'closed':
            resolve(null);
            return;
          case 'failed':
            resolve(
              new RmtopError('OUTPUT_FAILED', 'cannot write records', { why: message.message }),
            );
            return;
          case 'ended':
            end();
        }
      });
      this.worker.on('error', (error) =>
        resolve(
          new RmtopError('OUTPUT_FAILED', 'the record writer has died', { why: String(error) }),
        ),
      );
      this.worker.on('exit', () => end());
    });
  }

  get behind(): boolean {
    return this.waiting > BEHIND_BYTES;
  }

  accept(block: ArrayBuffer, used: number): boolean {
    this.waiting += used;
    this.worker.postMessage({ type: 'block', block, used } satisfies ToWriter, [block]);
    return true;
  }

  /** Writes the last record and waits until everything is written. */
  async end(why: 'quit' | 'signal'): Promise<void> {
    this.worker.postMessage({ type: 'end', why } satisfies ToWriter);
    await this.ended;
    await this.worker.terminate();
  }
}
