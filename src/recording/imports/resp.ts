/** Requests as they go over the wire, of one connection: a capture, or a script for `redis-cli --pipe`. */
import { createReadStream } from 'node:fs';
import { messageOf, RmtopError } from '../../errors.js';
import type { KeptArgument } from '../../events/condense.js';
import { EMPTY } from '../../resp/bytes.js';
import { FAILED, INVALID, REQUEST, RequestParser } from '../../resp/request.js';
import type { Imported, ImportFormat, ImportNotes } from '../imports.js';

/**
 * The requests of a file, in order. With `annotations`, an append-only file's `#TS:1700000000` lines come among them, as one word.
 * Throws FILE_UNREADABLE, or NO_RECORDING where its first bytes are no request.
 */
export async function* readRequests(
  path: string,
  notes: ImportNotes,
  annotations = false,
): AsyncGenerator<readonly (readonly Buffer[])[]> {
  const requests = new Requests(path, notes);
  const input = path === '-' ? process.stdin : createReadStream(path, { highWaterMark: 1 << 18 });
  let carry: Buffer = EMPTY;
  try {
    for await (const chunk of input) {
      if (requests.hasEnded) break;
      if (annotations) carry = requests.annotated(Buffer.concat([carry, chunk as Buffer]));
      else requests.push(chunk as Buffer);
      yield requests.take();
    }
  } catch (error) {
    if (error instanceof RmtopError) throw error;
    throw new RmtopError('FILE_UNREADABLE', `${path} cannot be read`, { why: messageOf(error) });
  }
  if (carry.length > 0) requests.push(carry);
  yield requests.take();
  requests.end();
}

const ANNOTATION = '#TS:';
/** The head of a request in a file of an editor's: the parser would wait for its `\r` to the end. */
const LF_ALONE = /^\*\d+\n/;

/** A parser, and what it found. */
class Requests {
  hasEnded = false;
  private readonly path: string;
  private readonly notes: ImportNotes;
  private readonly parser = new RequestParser();
  private found: (readonly Buffer[])[] = [];
  private isFirst = true;

  constructor(path: string, notes: ImportNotes) {
    this.path = path;
    this.notes = notes;
  }

  /** No request has come yet: what is wrong is wrong with the file. Later on, what came before is kept. */
  private get isAtStart(): boolean {
    return this.isFirst && this.found.length === 0;
  }

  push(bytes: Buffer): void {
    if (bytes.length === 0 || this.hasEnded) return;
    if (this.isAtStart && this.parser.idle && LF_ALONE.test(bytes.toString('latin1', 0, 16)))
      throw wrongLineEnds(this.path);
    this.parser.push(bytes);
    for (;;) {
      const next = this.parser.next();
      if (next === REQUEST) this.found.push(argumentsOf(this.parser));
      else if (next === INVALID) this.skip('values that are no requests');
      else if (next === FAILED) {
        if (this.isAtStart) throw noRequests(this.path);
        this.skip('rest of the file, from the first bytes on that are no request');
        this.hasEnded = true;
        return;
      } else return;
    }
  }

  /** Pushes bytes that may hold annotations: those between requests are, those inside one are its bytes. Gives what to begin with next. */
  annotated(bytes: Buffer): Buffer {
    let from = 0;
    for (let at = bytes.indexOf(ANNOTATION); at !== -1; at = bytes.indexOf(ANNOTATION, from)) {
      this.push(bytes.subarray(from, at));
      const end = bytes.indexOf('\r\n', at);
      if (end === -1) return bytes.subarray(at);
      if (this.parser.idle) {
        this.found.push([Buffer.from(bytes.subarray(at, end))]);
        from = end + 2;
      } else {
        this.push(bytes.subarray(at, at + ANNOTATION.length));
        from = at + ANNOTATION.length;
      }
    }
    const partial = [3, 2, 1].find(
      (length) =>
        bytes.toString('latin1', Math.max(from, bytes.length - length)) ===
        ANNOTATION.slice(0, length),
    );
    const end = bytes.length - (partial ?? 0);
    this.push(bytes.subarray(from, end));
    return bytes.subarray(end);
  }

  /** What was found since the last time. */
  take(): readonly (readonly Buffer[])[] {
    const { found } = this;
    this.found = [];
    this.isFirst &&= found.length === 0;
    return found;
  }

  end(): void {
    if (!this.parser.idle && !this.hasEnded) this.skip('last request, which is cut');
  }

  private skip(why: string): void {
    this.notes.skipped.set(why, (this.notes.skipped.get(why) ?? 0) + 1);
  }
}

/** Copies: the parser goes on with its bytes. */
function argumentsOf({ frame, argc, argStart, argEnd }: RequestParser): Buffer[] {
  const args: Buffer[] = [];
  for (let i = 0; i < argc; i++) args.push(Buffer.from(frame.subarray(argStart[i], argEnd[i])));
  return args;
}

function noRequests(path: string): RmtopError {
  return new RmtopError('NO_RECORDING', `${path} does not begin with a request`, {
    why: 'wanted: *2\\r\\n$3\\r\\nGET\\r\\n$1\\r\\nk\\r\\n … or a line a command',
    next: ['rmtop import --from monitor FILE'],
  });
}

function wrongLineEnds(path: string): RmtopError {
  return new RmtopError('NO_RECORDING', `${path} has requests whose lines end with \\n`, {
    why: 'RESP wants \\r\\n, and so do Redis and the mesh',
    next: ["sed 's/$/\\r/' FILE > FILE.resp        if no value has a line end in it"],
  });
}

/** Arguments of which nothing is missing. */
export function wholeArgs(args: readonly Buffer[]): KeptArgument[] {
  return args.map((bytes) => ({ kind: 'whole', bytes }));
}

export const importResp: ImportFormat = {
  name: 'resp',
  help: 'requests as RESP, as redis-cli --pipe takes them',
  async *read(path, notes) {
    let atUs = 0;
    for await (const requests of readRequests(path, notes)) {
      const batch: Imported[] = [];
      for (const args of requests)
        if (args.length > 0) batch.push({ atUs: atUs++, client: 'resp', args: wholeArgs(args) });
      yield batch;
    }
  },
};
