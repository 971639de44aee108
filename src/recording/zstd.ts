/**
 * zstd, where this Node has it (22.15 and 23.8 on), and the bounds of its frames.
 *
 * Node's decompressor ends, without a word, at the end of a frame when the same write goes on with another (tried on 22.20); it goes on
 * when the next frame comes with a write of its own. A recording is one frame after another, so its bytes are cut at their bounds.
 */
import * as zlib from 'node:zlib';

type Zstd = {
  readonly zstdCompressSync: (bytes: Buffer) => Buffer;
  readonly createZstdDecompress: () => NodeJS.ReadWriteStream;
};

/** zstd of this Node; null where it has none. */
export function zstdOfNode(): Zstd | null {
  const found = zlib as Partial<Zstd>;
  return found.zstdCompressSync === undefined || found.createZstdDecompress === undefined
    ? null
    : (found as Zstd);
}

const MAGIC = 0xfd2fb528;
/** Frames that hold nothing of the content; the last four bits are free. */
const SKIPPABLE = 0x184d2a50;
const DICTIONARY_ID_BYTES = [0, 1, 2, 4] as const;
const CONTENT_SIZE_BYTES = [0, 2, 4, 8] as const;
const CHECKSUM_BYTES = 4;
const BLOCK_HEADER_BYTES = 3;
/** A block of one byte, many times. */
const RUN_BLOCK = 1;

/** Cuts bytes at the ends of frames (RFC 8878, 3.1). What is no frame is not cut any more: the decompressor says what is wrong with it. */
export class FrameCutter {
  /** Header bytes that have come, and how many there must be to know what follows. */
  private head: number[] = [];
  private needed = 5;
  private inFrame = false;
  /** Bytes to pass over, and whether the frame ends behind them. */
  private skip = 0;
  private endsThen = false;
  private checksumBytes = 0;
  private isLost = false;

  /** Whether the bytes so far end in the middle of a frame. */
  get isInside(): boolean {
    return this.inFrame || this.head.length > 0 || this.skip > 0;
  }

  /** `chunk` in pieces that each belong to one frame. */
  cut(chunk: Buffer): Buffer[] {
    const pieces: Buffer[] = [];
    let start = 0;
    for (let at = 0; at < chunk.length && !this.isLost; ) {
      if (this.skip === 0) {
        this.head.push(chunk[at++] as number);
        if (this.head.length === this.needed) this.readHead();
      }
      const passed = Math.min(this.skip, chunk.length - at);
      this.skip -= passed;
      at += passed;
      if (this.skip > 0 || !this.endsThen || this.head.length > 0) continue;
      this.endsThen = false;
      this.inFrame = false;
      this.needed = 5;
      pieces.push(chunk.subarray(start, at));
      start = at;
    }
    if (start < chunk.length) pieces.push(chunk.subarray(start));
    return pieces;
  }

  private readHead(): void {
    const head = Buffer.from(this.head);
    if (this.inFrame) this.readBlock(head.readUIntLE(0, BLOCK_HEADER_BYTES));
    else if (head.readUInt32LE() === MAGIC) this.readFrame(head[4] as number);
    else if ((head.readUInt32LE() & ~0xf) >>> 0 !== SKIPPABLE) this.isLost = true;
    else if (head.length < 8) this.needed = 8;
    else {
      this.head = [];
      this.skip = head.readUInt32LE(4);
      this.endsThen = true;
    }
  }

  private readFrame(descriptor: number): void {
    const isSingleSegment = (descriptor & 0x20) !== 0;
    const sizeFlag = descriptor >> 6;
    this.skip =
      (isSingleSegment ? 0 : 1) +
      (DICTIONARY_ID_BYTES[(descriptor & 3) as 0 | 1 | 2 | 3] ?? 0) +
      (sizeFlag === 0 && isSingleSegment
        ? 1
        : (CONTENT_SIZE_BYTES[sizeFlag as 0 | 1 | 2 | 3] ?? 0));
    this.checksumBytes = descriptor & 4 ? CHECKSUM_BYTES : 0;
    this.inFrame = true;
    this.head = [];
    this.needed = BLOCK_HEADER_BYTES;
  }

  private readBlock(header: number): void {
    const size = ((header >> 1) & 3) === RUN_BLOCK ? 1 : header >> 3;
    const isLast = (header & 1) === 1;
    this.skip = size + (isLast ? this.checksumBytes : 0);
    this.endsThen = isLast;
    this.head = [];
  }
}
