/**
 * Events → lines of JSON in a file or on stdout, by a thread of its own: the core hands blocks over and never waits for a disk.
 *
 * Nothing is lost: with more than 16 MiB on their way to the writer it is `behind`, and the proxy lets its clients wait; a `lossy` writer
 * has whole blocks dropped instead, and says so in the file.
 */
import { Worker } from 'node:worker_threads';
import { RmtopError } from '../errors.js';
import type { Consumer } from '../events/bus.js';
import type { HeaderInfo } from './others.js';
import type { RedactOptions } from './redact.js';
import type { SinkOptions } from './sink.js';

/** What a recording is, and where it goes. */
export type WriterOptions = {
  readonly sink: SinkOptions;
  readonly header: HeaderInfo;
  /** Only the commands that fit this filter are written; an empty one lets all through. */
  readonly filter: string;
  readonly redact: RedactOptions;
  readonly lossy: boolean;
  /** Only the latest is kept, in memory, until it is asked for; absent: everything is written as it comes. */
  readonly ring?: RingOptions;
};

/** How much a ring holds: the last `ms` (null: however old), and no more than `bytes`; `text` is that in words. */
export type RingOptions = {
  readonly ms: number | null;
  readonly bytes: number;
  readonly text: string;
  /** It is written when the first command fits this filter, and not at the end; '': on demand, and at the end. */
  readonly flushOn: string;
};

/** A file that a ring was written to. */
export type RingFile = { readonly file: string; readonly totals: WrittenTotals };

/** What was written, told at the end. */
export type WrittenTotals = {
  readonly commands: number;
  readonly bytes: number;
  readonly parts: number;
  /** Commands of which something was cut for its size. */
  readonly cut: number;
  readonly dropped: number;
  /** Keys whose value before their first command is in it, and keys whose value could not be saved; absent: none. */
  readonly snapshot?: { readonly saved: number; readonly left: number };
};

/** Main thread → writer. */
export type ToWriter =
  | {
      readonly type: 'block';
      readonly block: ArrayBuffer;
      readonly used: number;
      /** Bytes on their way to the writer, with these. */
      readonly waiting: number;
    }
  | { readonly type: 'flush' }
  | { readonly type: 'end'; readonly why: string };

/** Writer → main thread. `closed`: nobody reads any more (a pipe's other end is gone); `limit`: as much as was allowed is written. */
export type FromWriter =
  | {
      readonly type: 'written';
      readonly bytes: number;
      readonly textBytes: number;
      /** The block it came in, if that is of no more use. */
      readonly block: ArrayBuffer | null;
    }
  | { readonly type: 'closed' }
  | { readonly type: 'limit'; readonly text: string }
  | ({ readonly type: 'flushed' } & RingFile)
  | { readonly type: 'failed'; readonly message: string }
  | { readonly type: 'ended'; readonly totals: WrittenTotals };

const BEHIND_BYTES = 16 * 1024 * 1024;
/** Blocks kept to be filled again. */
const MOST_SPARE = 8;

/** A recorder: subscribe it to a proxy, and `end` it when no more will come. */
export class RecordWriter implements Consumer {
  readonly lossless: boolean;
  /** Settles when nothing can be written any more: null when the reader has gone, an error when the disk failed. */
  readonly broken: Promise<RmtopError | null>;
  /** Settles with why, when a limit was reached: the recording is complete so far and goes on no longer. */
  readonly full: Promise<string>;
  /** What has been written, in bytes of text; of a ring, what it holds. */
  textBytes = 0;
  /** Called for each file that a ring was written to. */
  onFile: (written: RingFile) => void = () => {};
  private asking: ((written: RingFile | null) => void)[] = [];
  private waiting = 0;
  private readonly spares: ArrayBuffer[] = [];
  private readonly worker: Worker;
  private readonly ended: Promise<WrittenTotals | null>;

  constructor(options: WriterOptions) {
    this.lossless = !options.lossy;
    this.worker = new Worker(new URL('./writer-worker.js', import.meta.url), {
      workerData: options,
    });
    let end: (totals: WrittenTotals | null) => void = () => {};
    this.ended = new Promise((resolve) => {
      end = resolve;
    });
    let fill: (why: string) => void = () => {};
    this.full = new Promise((resolve) => {
      fill = resolve;
    });
    this.broken = new Promise((resolve) => {
      this.worker.on('message', (message: FromWriter) => {
        switch (message.type) {
          case 'written':
            this.waiting -= message.bytes;
            this.textBytes = message.textBytes;
            if (message.block !== null && this.spares.length < MOST_SPARE)
              this.spares.push(message.block);
            return;
          case 'closed':
            resolve(null);
            return;
          case 'limit':
            fill(message.text);
            return;
          case 'flushed':
            this.flushed(message);
            return;
          case 'failed':
            resolve(outputFailed(message.message));
            return;
          case 'ended':
            end(message.totals);
        }
      });
      this.worker.on('error', (error) =>
        resolve(outputFailed(`its writer has died: ${String(error)}`)),
      );
      this.worker.on('exit', () => {
        end(null);
        this.answer(null);
      });
    });
  }

  get behind(): boolean {
    return this.waiting > BEHIND_BYTES;
  }

  accept(block: ArrayBuffer, used: number): boolean {
    if (!this.lossless && this.behind) return false;
    this.waiting += used;
    const { waiting } = this;
    this.worker.postMessage({ type: 'block', block, used, waiting } satisfies ToWriter, [block]);
    return true;
  }

  spare(): ArrayBuffer | undefined {
    return this.spares.pop();
  }

  /** Has what a ring holds written; settles when that is done, with null when the writer has died. */
  flush(): Promise<RingFile | null> {
    return new Promise((resolve) => {
      this.asking.push(resolve);
      this.worker.postMessage({ type: 'flush' } satisfies ToWriter);
    });
  }

  private flushed({ file, totals }: RingFile): void {
    this.onFile({ file, totals });
    this.answer({ file, totals });
  }

  private answer(written: RingFile | null): void {
    for (const resolve of this.asking.splice(0)) resolve(written);
  }

  /** Writes the last record and waits until everything is written; null when the writer had died. */
  async end(why: 'quit' | 'signal'): Promise<WrittenTotals | null> {
    this.worker.postMessage({ type: 'end', why } satisfies ToWriter);
    const totals = await this.ended;
    await this.worker.terminate();
    return totals;
  }
}

function outputFailed(why: string): RmtopError {
  return new RmtopError('OUTPUT_FAILED', 'cannot write the recording', {
    why,
    next: ['rmtop record -o FILE        on a disk with room'],
  });
}
