/**
 * Bytes that have to wait, more than memory should hold: the first 4 MiB in memory, the rest in a temporary file without a name.
 *
 * It is for one case only: a client does not read a large reply that came on the connection all clients share, and others wait for
 * theirs behind it. They must not wait for that client, so its reply is read away from under them and kept here.
 */
import { closeSync, openSync, read, unlinkSync, write } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

const MEMORY_BYTES = 4 * 1024 * 1024;
const READ_BYTES = 256 * 1024;
const BEHIND_BYTES = 4 * 1024 * 1024;

export class ByteStore {
  /** Bytes put in and not yet taken out. */
  size = 0;
  private front: Buffer[] = [];
  /** In the file: written up to `end`, taken out up to `start`. */
  private fd: number | null = null;
  private start = 0;
  private end = 0;
  /** On their way into the file. */
  private back: Buffer[] = [];
  private backBytes = 0;
  private writing = false;
  private reading = false;
  private closed = false;
  private readonly onError: (error: Error) => void;

  /** `onError` hears of a disk that is full or gone; the store is then closed, and what it held is lost. */
  constructor(onError: (error: Error) => void) {
    this.onError = onError;
  }

  /** Whether more comes than the disk takes: whoever fills the store should wait for `onReadable`. */
  get isBehind(): boolean {
    return this.backBytes > BEHIND_BYTES;
  }

  /** Puts `bytes` in, which become the store's. */
  push(bytes: Buffer): void {
    if (this.closed) return;
    this.size += bytes.length;
    if (this.fd === null && this.size <= MEMORY_BYTES) {
      this.front.push(bytes);
      return;
    }
    this.back.push(bytes);
    this.backBytes += bytes.length;
    if (!this.writing) this.writeBack();
  }

  /** Takes the next bytes out; they are given to `take` now or later, null when there are none (yet). */
  shift(take: (bytes: Buffer | null) => void): void {
    const first = this.front.shift();
    if (first !== undefined) {
      this.size -= first.length;
      take(first);
    } else if (this.fd !== null && this.start < this.end && !this.reading)
      this.readFront(this.fd, take);
    else if (!this.writing && this.back.length > 0 && this.start === this.end) {
      const bytes = this.back.shift() as Buffer;
      this.backBytes -= bytes.length;
      this.size -= bytes.length;
      take(bytes);
    } else take(null);
  }

  private writeBack(): void {
    if (this.closed) return;
    try {
      this.fd ??= openNameless();
    } catch (error) {
      this.fail(error as Error);
      return;
    }
    const bytes = Buffer.concat(this.back);
    this.back = [];
    this.backBytes = 0;
    this.writing = true;
    this.writeAll(this.fd, bytes);
  }

  private writeAll(fd: number, bytes: Buffer): void {
    write(fd, bytes, 0, bytes.length, this.end, (error, written) => {
      if (this.closed) {
        this.writing = false;
        return this.close();
      }
      if (error !== null) return this.fail(error);
      this.end += written;
      if (written < bytes.length) return this.writeAll(fd, bytes.subarray(written));
      this.writing = false;
      if (this.backBytes > 0) this.writeBack();
      this.onReadable?.();
    });
  }

  /** Called when there may be something to take out again. */
  onReadable: (() => void) | null = null;

  private readFront(fd: number, take: (bytes: Buffer | null) => void): void {
    const bytes = Buffer.allocUnsafeSlow(Math.min(READ_BYTES, this.end - this.start));
    this.reading = true;
    read(fd, bytes, 0, bytes.length, this.start, (error, length) => {
      this.reading = false;
      if (this.closed) return this.close();
      if (error !== null) return this.fail(error);
      this.start += length;
      this.size -= length;
      take(bytes.subarray(0, length));
    });
  }

  private fail(error: Error): void {
    this.writing = false;
    this.reading = false;
    this.close();
    this.onError(error);
  }

  /** Forgets everything. A file still being written or read is closed when that is over. */
  close(): void {
    this.closed = true;
    this.front = [];
    this.back = [];
    this.size = 0;
    if (this.fd !== null && !this.writing && !this.reading) this.release(this.fd);
  }

  private release(fd: number): void {
    if (this.fd === null) return;
    this.fd = null;
    closeSync(fd);
  }
}

/** A file that nobody else can open, and that is gone when it is closed, or the process ends in any way. */
function openNameless(): number {
  const name = path.join(tmpdir(), `rmtop-${process.pid}-${Math.random().toString(36).slice(2)}`);
  const fd = openSync(name, 'wx+', 0o600);
  unlinkSync(name);
  return fd;
}
