/** A stream → its lines, one chunk at a time, unpacked where it is compressed. */
import type { ReadStream } from 'node:fs';
import { messageOf, RmtopError, systemCode } from '../errors.js';
import { unpacked } from './unpack.js';

/** What is read at once: each read goes by another thread, which costs about 100 µs whatever its size. */
export const CHUNK_BYTES: number = 512 * 1024;
/** What becomes records at once. Small, so that they are garbage before the collector has to move them: 1 MiB costs a third more. */
const PIECE_BYTES = 64 * 1024;

const LF = 0x0a;
const NOTHING = Buffer.alloc(0);

/** The last line end of the piece of `chunk` that begins at `at`, or the first after it; -1 where there is none. */
function lastLineEnd(chunk: Buffer, at: number): number {
  const last = chunk.lastIndexOf(LF, at + PIECE_BYTES);
  return last >= at ? last : chunk.indexOf(LF, at + PIECE_BYTES);
}

/** The lines of a stream, unpacked where it is compressed. */
export class LineSource {
  /** Why the last bytes were dropped; null while nothing was. */
  torn: string | null = null;
  private readonly name: string;
  private readonly chunks: AsyncIterator<Buffer>;
  private readonly stream: NodeJS.ReadableStream;
  /** The beginning of a line whose end has not come. */
  private kept: Buffer[] = [];
  /** What has been read, and how far it has been given out. */
  private chunk: Buffer = NOTHING;
  private at = 0;
  private waiting: string[] = [];

  constructor(name: string, stream: ReadStream | NodeJS.ReadableStream) {
    this.name = name;
    this.stream = stream;
    this.chunks = unpacked(stream, (torn) => {
      this.torn = torn;
    })[Symbol.asyncIterator]();
  }

  /** The first line. */
  async first(): Promise<string> {
    const batch = await this.next();
    const [first = ''] = batch ?? [];
    this.waiting = batch?.slice(1) ?? [];
    return first;
  }

  async *batches(): AsyncGenerator<readonly string[]> {
    try {
      if (this.waiting.length > 0) yield this.waiting;
      this.waiting = [];
      for (let batch = await this.next(); batch !== null; batch = await this.next()) yield batch;
    } finally {
      await this.close();
    }
  }

  /** As `batches`, the lines in one piece each, as bytes without the last line end. */
  async *pieces(): AsyncGenerator<Buffer> {
    try {
      if (this.waiting.length > 0) yield Buffer.from(this.waiting.join('\n'));
      this.waiting = [];
      for (let piece = await this.piece(); piece !== null; piece = await this.piece()) yield piece;
    } finally {
      await this.close();
    }
  }

  private async close(): Promise<void> {
    await this.chunks.return?.();
    if (this.stream !== process.stdin) (this.stream as ReadStream).destroy();
  }

  private async next(): Promise<string[] | null> {
    const piece = await this.piece();
    return piece === null ? null : piece.toString().split('\n');
  }

  /** The next whole lines; null at the end. */
  private async piece(): Promise<Buffer | null> {
    for (;;) {
      const { chunk, at } = this;
      const last = at < chunk.length ? lastLineEnd(chunk, at) : -1;
      if (last !== -1) {
        this.at = last + 1;
        const lines = chunk.subarray(at, last);
        if (this.kept.length === 0) return lines;
        const whole = Buffer.concat([...this.kept, lines]);
        this.kept = [];
        return whole;
      }
      if (at < chunk.length) this.kept.push(chunk.subarray(at));
      this.at = 0;
      this.chunk = NOTHING;
      const more = await this.read();
      if (more === null) return this.end();
      this.chunk = more;
    }
  }

  private async read(): Promise<Buffer | null> {
    try {
      const { done, value } = await this.chunks.next();
      return done ? null : (value as Buffer);
    } catch (error) {
      if (error instanceof RmtopError) throw error;
      throw new RmtopError('FILE_UNREADABLE', `${this.name} cannot be read`, {
        why: messageOf(error),
        next: systemCode(error) === 'ENOENT' ? ['ls *.rmtop*'] : [],
      });
    }
  }

  /** What is left is the beginning of a line whose end was never written. */
  private end(): null {
    const bytes = this.kept.reduce((sum, each) => sum + each.length, 0);
    this.kept = [];
    if (bytes > 0 && this.torn === null) this.torn = `${bytes} bytes of an unfinished line`;
    return null;
  }
}
