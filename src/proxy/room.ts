/** Where small replies wait for something: copied into chunks that they share, for a Buffer costs more than their few bytes. */
import { copyBytes, EMPTY } from '../resp/bytes.js';

const CHUNK_BYTES = 4 * 1024;

export class WaitingRoom {
  /** Where the last `put` is; it stays there. */
  chunk: Buffer = EMPTY;
  private taken = 0;

  /** Copies `from[start..end)` into `chunk`, and gives where it begins there. */
  put(from: Buffer, start: number, end: number): number {
    const length = end - start;
    if (this.chunk.length - this.taken < length) {
      this.chunk = Buffer.allocUnsafeSlow(Math.max(CHUNK_BYTES, length));
      this.taken = 0;
    }
    const at = this.taken;
    copyBytes(from, start, end, this.chunk, at);
    this.taken += length;
    return at;
  }
}
