/** Commands that a person wrote down, or a program: RESP, or a command a line in redis-cli's syntax. */
import { closeSync, createReadStream, openSync, readSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { messageOf, RmtopError } from '../../errors.js';
import { splitInline } from '../../resp/inline.js';
import type { ImportNotes } from '../imports.js';
import { readRequests } from './resp.js';

type Requests = readonly (readonly Buffer[])[];

const STAR = 0x2a;
/** Lines in a batch. */
const BATCH = 500;

/**
 * The commands of a file, in order; empty lines and those that begin with `#` are passed over. Throws FILE_UNREADABLE, and NO_RECORDING
 * where a line is no command.
 */
export async function* readCommandFile(path: string, notes: ImportNotes): AsyncGenerator<Requests> {
  if (firstByte(path) === STAR) yield* readRequests(path, notes);
  else yield* readLines(path);
}

function firstByte(path: string): number | undefined {
  try {
    const file = openSync(path, 'r');
    const head = Buffer.alloc(1);
    try {
      return readSync(file, head, 0, 1, 0) === 1 ? head[0] : undefined;
    } finally {
      closeSync(file);
    }
  } catch (error) {
    throw new RmtopError('FILE_UNREADABLE', `${path} cannot be read`, { why: messageOf(error) });
  }
}

async function* readLines(path: string): AsyncGenerator<Requests> {
  // One character a byte: a line need not be UTF-8.
  const input = createReadStream(path, { encoding: 'latin1' });
  let batch: (readonly Buffer[])[] = [];
  let number = 0;
  for await (const text of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })) {
    number++;
    const line = Buffer.from(text, 'latin1');
    if (/^\s*(?:#|$)/.test(text)) continue;
    const words = splitInline(line, 0, line.length);
    if (words === null)
      throw new RmtopError('NO_RECORDING', `${path} line ${number} is no command`, {
        why: 'its quotes do not match',
        next: ['a command a line as redis-cli takes them: SET name "two words"'],
      });
    batch.push(words);
    if (batch.length < BATCH) continue;
    yield batch;
    batch = [];
  }
  yield batch;
}
