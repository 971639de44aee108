/** A connection over which commands go in batches, before a replay begins. Opens no socket itself. */
import { encodeRequest } from '../resp/encode.js';
import { decodeReply, isError } from '../resp/value.js';
import type { ReplayLink } from './replay.js';

/** How many commands, and about how many bytes, are on their way at once. */
const BATCH = 500;
const BATCH_BYTES: number = 4 * 1024 * 1024;

/** Opens a connection; it is told of replies and of its end. */
export type LoadingDial = (
  reply: (bytes: Buffer) => void,
  closed: (why: string) => void,
) => ReplayLink;

export type LoadingRequest = readonly (Buffer | string)[];

/** Makes of command `n` (from 1), refused with `why`, what is thrown; null: it goes on with the next. */
export type WhenRefused = (n: number, request: LoadingRequest, why: string) => Error | null;

export class Loading {
  /** Replies so far. */
  answered = 0;
  private readonly link: ReplayLink;
  private waiting: LoadingRequest[] = [];
  private settle: {
    readonly resolve: () => void;
    readonly reject: (error: unknown) => void;
  } | null = null;
  private error: Error | null = null;
  private readonly refused: WhenRefused;
  private readonly broken: (n: number, request: LoadingRequest, why: string) => Error;

  /** `broken` makes what is thrown when the connection ends. */
  constructor(
    dial: LoadingDial,
    refused: WhenRefused,
    broken: (n: number, request: LoadingRequest, why: string) => Error,
  ) {
    this.refused = refused;
    this.broken = broken;
    this.link = dial(
      (bytes) => this.reply(bytes),
      (why) => this.fail(this.broken(this.answered + 1, this.waiting[0] ?? NOTHING, why)),
    );
  }

  /** Sends commands and waits until they are answered. Throws what `refused` or `broken` gives. */
  async send(requests: Iterable<LoadingRequest>): Promise<void> {
    let batch: LoadingRequest[] = [];
    let bytes: Buffer[] = [];
    let size = 0;
    for (const request of requests) {
      const encoded = encodeRequest(request);
      batch.push(request);
      bytes.push(encoded);
      size += encoded.length;
      if (batch.length < BATCH && size < BATCH_BYTES) continue;
      await this.sendBatch(batch, bytes);
      batch = [];
      bytes = [];
      size = 0;
    }
    if (batch.length > 0) await this.sendBatch(batch, bytes);
  }

  private sendBatch(batch: LoadingRequest[], bytes: readonly Buffer[]): Promise<void> {
    this.waiting = batch;
    return new Promise<void>((resolve, reject) => {
      this.settle = { resolve, reject };
      if (this.error !== null) reject(this.error);
      else this.link.send(Buffer.concat(bytes));
    });
  }

  close(): void {
    this.link.close();
  }

  private reply(bytes: Buffer): void {
    const reply = decodeReply(bytes);
    if (reply !== null && isError(reply)) {
      const why = reply.value.toString('latin1');
      const error = this.refused(this.answered + 1, this.waiting[0] ?? NOTHING, why);
      if (error !== null) {
        this.fail(error);
        return;
      }
    }
    this.answered++;
    this.waiting.shift();
    if (this.waiting.length === 0) this.settle?.resolve();
  }

  private fail(error: Error): void {
    this.error ??= error;
    this.link.close();
    this.settle?.reject(this.error);
  }
}

const NOTHING: LoadingRequest = ['nothing'];
