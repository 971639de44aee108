/**
 * Where things stand in a recording: by number and time, so that a file of any size opens at any moment at once; and which lines make the
 * state at that moment (recording page, 4.5). Kept beside a large file as `NAME.rmtop.idx`, and made again when the file has changed.
 */
import { constants } from 'node:fs';
import { type FileHandle, open, readFile, writeFile } from 'node:fs/promises';
import { messageOf, RmtopError } from '../errors.js';
import { micros } from './others.js';
import { isJsonObject, type Json, type JsonObject } from './values.js';

/** A place: everything before `offset` has numbers up to `seq` and had happened by `atUs`. */
export type Mark = { readonly seq: number; readonly atUs: number; readonly offset: number };

/** A line that later ones need to be understood: a configuration, a topology, a connection that opens, changes or ends. */
export type StateLine = {
  readonly kind: 'cfg' | 'topo' | 'conn' | 'end';
  readonly connection: number;
  readonly offset: number;
  readonly length: number;
};

/** What is known of a file without reading it. */
export type FileIndex = {
  readonly size: number;
  readonly mtimeMs: number;
  readonly header: string;
  /** By offset; the first is the line after the header. */
  readonly marks: readonly Mark[];
  readonly states: readonly StateLine[];
  readonly commands: number;
  readonly lastSeq: number;
  readonly lastUs: number;
};

const CHUNK_BYTES = 4 * 1024 * 1024;
/** A mark stands after so much. */
const MARK_BYTES = 1024 * 1024;
/** From this size on an index is kept. */
export const INDEXED_BYTES: number = 64 * 1024 * 1024;

/** The index of the plain (unpacked) recording `file`: the one kept beside it, or made now. Throws FILE_UNREADABLE or NO_RECORDING. */
export async function indexOf(file: string): Promise<FileIndex> {
  const handle = await openFile(file);
  try {
    const { size, mtimeMs } = await handle.stat();
    const kept = size < INDEXED_BYTES ? null : await keptIndex(file, size, mtimeMs);
    if (kept !== null) return kept;
    const made = await new Scan(size, mtimeMs).run(handle);
    if (size >= INDEXED_BYTES) await keep(file, made);
    return made;
  } finally {
    await handle.close();
  }
}

/** Opens `file` for reading. Throws FILE_UNREADABLE. */
export function openFile(file: string): Promise<FileHandle> {
  return open(file, 'r').catch((error: unknown) => {
    throw new RmtopError('FILE_UNREADABLE', `${file} cannot be read`, { why: messageOf(error) });
  });
}

/** Lines of the state at `offset`: the newest configurations and topologies, and the connections that are open. */
export function stateAt(index: FileIndex, offset: number): readonly StateLine[] {
  const versions: Record<'cfg' | 'topo', StateLine[]> = { cfg: [], topo: [] };
  const connections = new Map<number, StateLine>();
  for (const line of index.states) {
    if (line.offset >= offset) break;
    if (line.kind === 'conn') connections.set(line.connection, line);
    else if (line.kind === 'end') connections.delete(line.connection);
    else versions[line.kind].push(line);
  }
  // Commands that were decided by an older version may still end.
  const lines = [...versions.cfg.slice(-8), ...versions.topo.slice(-8), ...connections.values()];
  return lines.sort((a, b) => a.offset - b.offset);
}

/** The last mark before which nothing of `isLate` can stand: the best place to begin looking. */
export function markBefore(index: FileIndex, isLate: (mark: Mark) => boolean): Mark {
  let [low, high] = [0, index.marks.length - 1];
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (isLate(index.marks[middle] as Mark)) high = middle - 1;
    else low = middle;
  }
  return index.marks[low] ?? { seq: 0, atUs: 0, offset: 0 };
}

const HEADER_KIND = 'idx';

async function keptIndex(file: string, size: number, mtimeMs: number): Promise<FileIndex | null> {
  try {
    const [head = '', ...lines] = (await readFile(`${file}.idx`, 'utf8')).split('\n');
    const { k, v, header, ...found } = JSON.parse(head) as FileIndex & { k: string; v: number };
    if (k !== HEADER_KIND || v !== 1 || found.size !== size || found.mtimeMs !== mtimeMs)
      return null;
    const marks: Mark[] = [];
    const states: StateLine[] = [];
    for (const line of lines) {
      if (line === '') continue;
      const row = JSON.parse(line) as
        | [number, number, number]
        | [StateLine['kind'], number, number, number];
      if (row.length === 3) marks.push({ seq: row[0], atUs: row[1], offset: row[2] });
      else states.push({ kind: row[0], connection: row[1], offset: row[2], length: row[3] });
    }
    return marks.length === 0 ? null : { ...found, header, marks, states };
  } catch {
    return null; // there is none, or it is none: it is made again
  }
}

/** An index that cannot be kept is made again next time. */
async function keep(file: string, index: FileIndex): Promise<void> {
  const { marks, states, ...head } = index;
  const lines = [
    JSON.stringify({ k: HEADER_KIND, v: 1, ...head }),
    ...marks.map(({ seq, atUs, offset }) => JSON.stringify([seq, atUs, offset])),
    ...states.map(({ kind, connection, offset, length }) =>
      JSON.stringify([kind, connection, offset, length]),
    ),
  ];
  await writeFile(`${file}.idx`, `${lines.join('\n')}\n`, {
    mode: 0o600,
    flag: constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC,
  }).catch(() => {});
}

const LF = 0x0a;
const COMMAND_HEAD = Buffer.from('{"k":"cmd","n":');
const TIME_NAME = Buffer.from(',"t":');
const DURATION_NAME = Buffer.from(',"d":');
const STATE_KINDS: ReadonlySet<Json | undefined> = new Set(['cfg', 'topo', 'conn', 'end']);

/**
 * One pass over a file. A command's line is not parsed: its number and times stand at its head, as our writers put them (1 GiB takes
 * about 3 s; parsing it would take 20). One that was written otherwise is parsed.
 */
class Scan {
  private readonly size: number;
  private readonly mtimeMs: number;
  private readonly marks: Mark[] = [];
  private readonly states: StateLine[] = [];
  private header: string | null = null;
  private commands = 0;
  private lastSeq = 0;
  private lastUs = 0;
  private markAt = 0;
  /** Where the last number that was read ended. */
  private end = 0;

  constructor(size: number, mtimeMs: number) {
    this.size = size;
    this.mtimeMs = mtimeMs;
  }

  async run(handle: FileHandle): Promise<FileIndex> {
    let chunk = Buffer.allocUnsafe(CHUNK_BYTES);
    let kept = 0;
    for (let offset = 0; ; ) {
      if (kept === chunk.length) chunk = Buffer.concat([chunk, Buffer.allocUnsafe(chunk.length)]);
      const { bytesRead } = await handle.read(chunk, kept, chunk.length - kept, offset + kept);
      if (bytesRead === 0) break;
      const used = this.lines(chunk.subarray(0, kept + bytesRead), offset);
      chunk.copyWithin(0, used, kept + bytesRead);
      kept += bytesRead - used;
      offset += used;
    }
    return {
      size: this.size,
      mtimeMs: this.mtimeMs,
      header: this.header ?? '',
      marks: this.marks,
      states: this.states,
      commands: this.commands,
      lastSeq: this.lastSeq,
      lastUs: this.lastUs,
    };
  }

  /** Looks at the whole lines of `bytes`, which stand at `offset`; gives how many bytes they are. */
  private lines(bytes: Buffer, offset: number): number {
    let start = 0;
    for (let end = bytes.indexOf(LF); end !== -1; end = bytes.indexOf(LF, start)) {
      this.line(bytes, start, end, offset + start);
      start = end + 1;
    }
    return start;
  }

  private line(bytes: Buffer, start: number, end: number, offset: number): void {
    if (this.header === null) {
      this.header = bytes.toString('utf8', start, end);
      this.markAt = offset + end - start + 1;
      this.marks.push({ seq: 0, atUs: 0, offset: this.markAt });
      return;
    }
    if (offset >= this.markAt + MARK_BYTES) {
      this.markAt = offset;
      this.marks.push({ seq: this.lastSeq, atUs: this.lastUs, offset });
    }
    if (startsWith(bytes, start, COMMAND_HEAD) && this.quickCommand(bytes, start)) return;
    this.parse(bytes.toString('utf8', start, end), offset, end - start);
  }

  /** A command by the head of its line; false where it is not as our writers write it. */
  private quickCommand(bytes: Buffer, start: number): boolean {
    const seq = this.microsAt(bytes, start + COMMAND_HEAD.length) / 1e6;
    if (!startsWith(bytes, this.end, TIME_NAME)) return false;
    const atUs = this.microsAt(bytes, this.end + TIME_NAME.length);
    if (!startsWith(bytes, this.end, DURATION_NAME)) return false;
    const durationUs = this.microsAt(bytes, this.end + DURATION_NAME.length);
    if (bytes[this.end] !== 0x2c) return false; // ','
    this.command(seq, atUs + durationUs);
    return true;
  }

  /** The decimal at `at` in millionths; `end` is then behind it. */
  private microsAt(bytes: Buffer, at: number): number {
    let value = 0;
    let decimals = -1;
    let i = at;
    for (; ; i++) {
      const byte = bytes[i] as number;
      if (byte >= 0x30 && byte <= 0x39) {
        value = value * 10 + byte - 0x30;
        if (decimals >= 0) decimals++;
      } else if (byte === 0x2e && decimals === -1) decimals = 0;
      else break;
    }
    this.end = i;
    return Math.round(value * 10 ** (6 - Math.max(0, decimals)));
  }

  private command(seq: number, endUs: number): void {
    this.commands++;
    if (seq > this.lastSeq) this.lastSeq = seq;
    if (endUs > this.lastUs) this.lastUs = endUs;
  }

  private parse(text: string, offset: number, length: number): void {
    let json: JsonObject;
    try {
      json = JSON.parse(text) as JsonObject;
    } catch {
      return; // damage: the reader tells of it
    }
    if (!isJsonObject(json)) return;
    const us = micros(json.t) + (json.k === 'cmd' ? micros(json.d) : 0);
    if (json.k === 'cmd' && typeof json.n === 'number') this.command(json.n, us);
    else if (json.k !== 'fin' && us > this.lastUs) this.lastUs = us;
    if (!STATE_KINDS.has(json.k)) return;
    const connection = typeof json.c === 'number' ? json.c : 0;
    this.states.push({ kind: json.k as StateLine['kind'], connection, offset, length });
  }
}

function startsWith(bytes: Buffer, at: number, head: Buffer): boolean {
  for (let i = 0; i < head.length; i++) if (bytes[at + i] !== head[i]) return false;
  return true;
}
