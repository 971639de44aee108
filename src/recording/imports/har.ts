/** Our own HAR export back: the records in its `_rmtop`, in a row, are the recording that it was made of. */
import { createReadStream } from 'node:fs';
import { Readable } from 'node:stream';
import { messageOf, RmtopError, systemCode } from '../../errors.js';
import { CHUNK_BYTES, LineSource } from '../line-source.js';
import { RecordingReader, type RecordingSummary } from '../reader.js';
import { type RedactOptions, Redactor, redactedEntry, removesMore } from '../redact.js';
import { Sink } from '../sink.js';
import { unpacked } from '../unpack.js';
import type { WriterOptions } from '../writer.js';
import { HarRecords } from './har-records.js';

/** What came of it. */
export type ImportedHar = { readonly summary: RecordingSummary; readonly bytes: number };

/**
 * Writes the recording in the HAR at `path` as it was, with less where `options.redact` says so; `nowMs` is a monotonic clock. Throws
 * FILE_UNREADABLE, NO_RECORDING for what rmtop did not export, and what writing throws.
 */
export async function importHar(
  path: string,
  { sink: to, header, redact }: WriterOptions,
  nowMs: () => number,
): Promise<ImportedHar> {
  const reader = await openHar(path);
  const clean = cleaner(redact, header.redact);
  const sink = new Sink(to, nowMs());
  try {
    for await (const entries of reader.batches()) {
      const lines = entries.map((entry) => `${clean(entry).text}\n`).join('');
      sink.write(Buffer.from(lines), nowMs());
      const full = sink.limit();
      if (full !== null)
        throw new RmtopError('OUTPUT_FAILED', `the recording is not whole: ${full}`);
    }
  } finally {
    sink.close();
  }
  return { summary: reader.summary(), bytes: sink.textBytes };
}

type Clean = (entry: Parameters<typeof redactedEntry>[0]) => Parameters<typeof redactedEntry>[0];

function cleaner(redact: RedactOptions, header: WriterOptions['header']['redact']): Clean {
  if (!removesMore(redact)) return (entry) => entry;
  const redactor = new Redactor(redact);
  return (entry) => redactedEntry(entry, redactor, header);
}

async function openHar(path: string): Promise<RecordingReader> {
  const source: { lines: LineSource | null } = { lines: null };
  const torn = (why: string): void => {
    if (source.lines !== null) source.lines.torn ??= why;
  };
  const lines = new LineSource(path, Readable.from(linesOf(path, torn)));
  source.lines = lines;
  return new RecordingReader(path, lines, await lines.first(), {});
}

/** The records as lines. */
async function* linesOf(path: string, torn: (why: string) => void): AsyncGenerator<Buffer> {
  const records = new HarRecords();
  let count = 0;
  for await (const chunk of chunksOf(path, torn)) {
    const found = records.push(chunk);
    count += found.length;
    if (found.length > 0) yield Buffer.from(found.map(asLine).join(''));
    if (records.isDamaged) break;
  }
  if (count === 0) throw noHar(path, records.isDamaged);
  if (!records.isWhole) torn('the end of the HAR');
}

async function* chunksOf(path: string, torn: (why: string) => void): AsyncGenerator<Buffer> {
  const input =
    path === '-' ? process.stdin : createReadStream(path, { highWaterMark: CHUNK_BYTES });
  try {
    yield* unpacked(input, torn);
  } catch (error) {
    if (error instanceof RmtopError) throw error;
    throw new RmtopError('FILE_UNREADABLE', `${path} cannot be read`, {
      why: messageOf(error),
      next: systemCode(error) === 'ENOENT' ? ['ls *.har'] : [],
    });
  }
}

/** A record that a tool has spread over lines is put on one; what is no JSON is left for the reader to say. */
function asLine(record: string): string {
  if (!record.includes('\n') && record.startsWith('{"k":')) return `${record}\n`;
  try {
    return `${JSON.stringify(JSON.parse(record))}\n`;
  } catch {
    return `${record.replace(/\s+/g, ' ')}\n`;
  }
}

function noHar(path: string, isDamaged: boolean): RmtopError {
  return new RmtopError('NO_RECORDING', `${path} is no HAR that rmtop has exported`, {
    why: isDamaged
      ? 'it is no JSON'
      : 'it has no _rmtop, and what other HARs hold are no commands of Redis',
    next: ['rmtop cat FILE.rmtop --har > FILE.har        makes one'],
  });
}
