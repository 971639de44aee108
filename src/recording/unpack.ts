/**
 * The bytes of a recording, unpacked where they are gzip or zstd. A recorder writes one member after another, each whole by itself, so
 * a file that ends in the middle of one still gives everything before it, and what can be had of the last.
 */
import * as zlib from 'node:zlib';
import { RmtopError } from '../errors.js';

const GZIP = [0x1f, 0x8b];
const ZSTD = [0x28, 0xb5, 0x2f, 0xfd];

/** Node has zstd from 22.15 and 23.8 on. */
type WithZstd = { readonly createZstdDecompress?: () => NodeJS.ReadWriteStream };

/** The unpacked chunks of `stream`. `torn` is called with the reason when its end is missing. */
export async function* unpacked(
  stream: NodeJS.ReadableStream,
  torn: (why: string) => void,
): AsyncGenerator<Buffer> {
  const chunks = stream[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  const { done, value: first } = await chunks.next();
  if (done) return;
  const unpack = startsWith(first, GZIP)
    ? zlib.createGunzip()
    : startsWith(first, ZSTD)
      ? zstd()
      : null;
  if (unpack === null) {
    yield first;
    for (let next = await chunks.next(); !next.done; next = await chunks.next()) yield next.value;
    return;
  }
  yield* through(unpack, first, chunks, torn);
}

/** Whether a file that starts with `bytes` is packed. */
export function isPacked(bytes: Buffer): boolean {
  return startsWith(bytes, GZIP) || startsWith(bytes, ZSTD);
}

function startsWith(bytes: Buffer, magic: readonly number[]): boolean {
  return magic.every((byte, i) => bytes[i] === byte);
}

function zstd(): NodeJS.ReadWriteStream {
  const create = (zlib as WithZstd).createZstdDecompress;
  if (create === undefined)
    throw new RmtopError('FILE_UNREADABLE', `Node ${process.versions.node} has no zstd`, {
      why: 'it is there from Node 22.15 on',
      next: ['zstdcat FILE | rmtop cat -'],
    });
  return create();
}

/** Writes everything into `unpack` and gives what comes out; an unexpected end is told, not thrown. */
async function* through(
  unpack: NodeJS.ReadWriteStream,
  first: Buffer,
  chunks: AsyncIterator<Buffer>,
  torn: (why: string) => void,
): AsyncGenerator<Buffer> {
  const feed = async (): Promise<void> => {
    for (
      let next: IteratorResult<Buffer> = { done: false, value: first };
      !next.done;
      next = await chunks.next()
    )
      if (!unpack.write(next.value)) await new Promise((resolve) => unpack.once('drain', resolve));
    unpack.end();
  };
  const feeding = feed();
  feeding.catch((error: Error) => unpack.emit('error', error));
  try {
    for await (const chunk of unpack) yield chunk as Buffer;
  } catch (error) {
    const code = (error as { code?: string }).code ?? '';
    if (!/^Z_|^ZSTD/.test(code)) throw error;
    torn(
      code === 'Z_BUF_ERROR'
        ? 'the last compressed block is cut'
        : `a damaged compressed block (${code})`,
    );
  }
}
