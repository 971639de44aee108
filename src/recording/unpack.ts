/**
 * The bytes of a recording, unpacked where they are gzip or zstd. A recorder writes one member after another, each whole by itself, so
 * a file that ends in the middle of one still gives everything before it, and what can be had of the last.
 */
import * as zlib from 'node:zlib';
import { RmtopError } from '../errors.js';
import { FrameCutter, zstdOfNode } from './zstd.js';

const GZIP = [0x1f, 0x8b];
const ZSTD = [0x28, 0xb5, 0x2f, 0xfd];

/** The unpacked chunks of `stream`. `torn` is called with the reason when its end is missing. */
export async function* unpacked(
  stream: NodeJS.ReadableStream,
  torn: (why: string) => void,
): AsyncGenerator<Buffer> {
  const chunks = stream[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  const { done, value: first } = await chunks.next();
  if (done) return;
  if (startsWith(first, GZIP)) {
    yield* through(zlib.createGunzip(), firstThen(first, chunks), torn);
  } else if (startsWith(first, ZSTD)) {
    const cutter = new FrameCutter();
    yield* through(zstd(), inFrames(cutter, firstThen(first, chunks)), torn);
    if (cutter.isInside) torn(CUT);
  } else yield* firstThen(first, chunks);
}

const CUT = 'the last compressed block is cut';

async function* firstThen(first: Buffer, chunks: AsyncIterator<Buffer>): AsyncGenerator<Buffer> {
  yield first;
  for (let next = await chunks.next(); !next.done; next = await chunks.next()) yield next.value;
}

async function* inFrames(
  cutter: FrameCutter,
  chunks: AsyncIterable<Buffer>,
): AsyncGenerator<Buffer> {
  for await (const chunk of chunks) yield* cutter.cut(chunk);
}

/** Whether a file that starts with `bytes` is packed. */
export function isPacked(bytes: Buffer): boolean {
  return startsWith(bytes, GZIP) || startsWith(bytes, ZSTD);
}

function startsWith(bytes: Buffer, magic: readonly number[]): boolean {
  return magic.every((byte, i) => bytes[i] === byte);
}

function zstd(): NodeJS.ReadWriteStream {
  const zstd = zstdOfNode();
  if (zstd === null)
    throw new RmtopError('FILE_UNREADABLE', `Node ${process.versions.node} has no zstd`, {
      why: 'it is there from Node 22.15 on',
      next: ['zstdcat FILE | rmtop cat -'],
    });
  return zstd.createZstdDecompress();
}

/** Writes everything into `unpack` and gives what comes out; an unexpected end is told, not thrown. */
async function* through(
  unpack: NodeJS.ReadWriteStream,
  chunks: AsyncIterable<Buffer>,
  torn: (why: string) => void,
): AsyncGenerator<Buffer> {
  const feed = async (): Promise<void> => {
    for await (const chunk of chunks)
      if (!unpack.write(chunk)) await new Promise((resolve) => unpack.once('drain', resolve));
    unpack.end();
  };
  const feeding = feed();
  feeding.catch((error: Error) => unpack.emit('error', error));
  try {
    for await (const chunk of unpack) yield chunk as Buffer;
  } catch (error) {
    const code = (error as { code?: string }).code ?? '';
    if (!/^Z_|^ZSTD/.test(code)) throw error;
    torn(code === 'Z_BUF_ERROR' ? CUT : `a damaged compressed block (${code})`);
  }
}
