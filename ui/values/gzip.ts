/** Compressed values: gzip and zlib, inflated no further than a limit. */
import { constants, gunzipSync, inflateSync } from 'node:zlib';

/** What came out; `more`: it would have been more than the limit, and so nothing came out. */
export type Inflated =
  | { readonly kind: 'bytes'; readonly bytes: Buffer; readonly whole: boolean }
  | { readonly kind: 'more' }
  | { readonly kind: 'broken' };

/** `gzip` or `zlib` by the first bytes; null for neither. */
export function compressionOf(bytes: Buffer): 'gzip' | 'zlib' | null {
  const [a = 0, b = 0, c = 0] = bytes;
  if (bytes.length >= 10 && a === 0x1f && b === 0x8b && c === 8) return 'gzip';
  // RFC 1950: deflate with a window of up to 32 KiB, no preset dictionary, and a check of the two bytes.
  const isZlib = bytes.length >= 6 && (a & 0x0f) === 8 && a >> 4 <= 7 && (b & 0x20) === 0;
  return isZlib && (a * 256 + b) % 31 === 0 ? 'zlib' : null;
}

/** Inflates; a value of which only the head was kept gives the head of what is in it. */
export function inflated(bytes: Buffer, kind: 'gzip' | 'zlib', limit: number): Inflated {
  const inflate = kind === 'gzip' ? gunzipSync : inflateSync;
  const maxOutputLength = Math.max(1, limit);
  for (const whole of [true, false]) {
    const finishFlush = whole ? constants.Z_FINISH : constants.Z_SYNC_FLUSH;
    try {
      return { kind: 'bytes', bytes: inflate(bytes, { maxOutputLength, finishFlush }), whole };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') return { kind: 'more' };
    }
  }
  return { kind: 'broken' };
}
