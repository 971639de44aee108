/**
 * What waits to be written: to each socket once per turn of the event loop, however many commands the turn brought.
 *
 * Bench, pipeline 16: one write a command gives 62,000 commands a second, one a turn 300,000.
 */
import type { Socket } from 'node:net';
import { copyBytes } from '../resp/bytes.js';

const CHUNK_BYTES = 16 * 1024;
/** Chunks that are kept for use again; more than this are left to the collector. */
const KEPT_CHUNKS = 256;
/** How long what nobody waits for is gathered: a write costs as much as ten commands. */
const GATHER_MS = 1;

/** Something that is written out at the end of a turn. */
export type Flushable = { flush(): void };

/** Collects what has something to write and lets it write, once, after the turn's input has been read. */
export class Loop {
  private dirty: Flushable[] = [];
  private later: Flushable[] = [];
  private readonly spare: Buffer[] = [];

  /** Asks for `flushable.flush()` at the end of this turn. The caller asks once until it has been called. */
  schedule(flushable: Flushable): void {
    if (this.dirty.length === 0) setImmediate(this.run);
    this.dirty.push(flushable);
  }

  /** Asks for `flushable.flush()` in a moment, if it has not been called by then. The caller asks once until it has been called. */
  scheduleLater(flushable: Flushable): void {
    if (this.later.length === 0) setTimeout(this.runLater, GATHER_MS);
    this.later.push(flushable);
  }

  private readonly runLater = (): void => {
    const { later } = this;
    this.later = [];
    for (const flushable of later) flushable.flush();
  };

  private readonly run = (): void => {
    const { dirty } = this;
    this.dirty = [];
    for (const flushable of dirty) flushable.flush();
  };

  take(): Buffer {
    return this.spare.pop() ?? Buffer.allocUnsafeSlow(CHUNK_BYTES);
  }

  give(chunk: Buffer): void {
    if (chunk.length === CHUNK_BYTES && this.spare.length < KEPT_CHUNKS) this.spare.push(chunk);
  }
}

/** Bytes on their way to one socket. What is appended in one call stays in one piece: `at` says where. */
export class Output {
  /** Where the bytes of the last `append` are, until the next `flush`. */
  chunk: Buffer | null = null;
  at = 0;
  /** Bytes not yet handed to the socket. */
  waiting = 0;

  private used = 0;
  private full: Buffer[] = [];
  private readonly loop: Loop;

  constructor(loop: Loop) {
    this.loop = loop;
  }

  /** Copies `from[start..end)`. */
  append(from: Buffer, start: number, end: number): void {
    const length = end - start;
    let { chunk } = this;
    if (chunk === null || chunk.length - this.used < length) chunk = this.next(length);
    this.at = this.used;
    copyBytes(from, start, end, chunk, this.used);
    this.used += length;
    this.waiting += length;
  }

  /** Takes `bytes` as they are; they must not be changed before they are written. */
  appendShared(bytes: Buffer): void {
    this.seal();
    this.full.push(bytes);
    this.waiting += bytes.length;
  }

  private next(length: number): Buffer {
    this.seal();
    this.chunk = length > CHUNK_BYTES ? Buffer.allocUnsafeSlow(length) : this.loop.take();
    return this.chunk;
  }

  private seal(): void {
    if (this.chunk !== null && this.used > 0)
      this.full.push(
        this.used === this.chunk.length ? this.chunk : this.chunk.subarray(0, this.used),
      );
    this.chunk = null;
    this.used = 0;
  }

  /** Writes everything. The chunks may be looked at until `recycle`. */
  flush(socket: Socket): void {
    if (this.full.length === 0 && this.chunk !== null) {
      socket.write(this.chunk.subarray(0, this.used));
    } else if (this.waiting > 0) {
      this.seal();
      socket.cork();
      for (const chunk of this.full) socket.write(chunk);
      socket.uncork();
    }
    this.waiting = 0;
  }

  /** Gives the chunks back if the socket has none of them left to write. */
  recycle(socket: Socket): void {
    if (this.chunk !== null && this.full.length === 0 && socket.writableLength === 0)
      this.loop.give(this.chunk);
    this.chunk = null;
    this.used = 0;
    this.full = [];
  }

  /** Drops what is waiting. */
  clear(): void {
    this.chunk = null;
    this.used = 0;
    this.full = [];
    this.waiting = 0;
  }
}
