/**
 * A recording file → its lines and events, one chunk at a time, whatever its size.
 *
 * A torn tail (the last line without its end, a compressed member that was cut) is dropped and told; a line that is no JSON elsewhere is
 * damage: skipped and counted, or an error when the reader is strict. Kinds and fields of later versions pass by unread.
 */
import { closeSync, createReadStream, openSync, readSync } from 'node:fs';
import { RmtopError } from '../errors.js';
import type { CommandEvent, OtherEvent, TrafficEvent } from '../events/event.js';
import { StreamContext } from '../events/reader.js';
import { RecordedCommand } from './command.js';
import { CHUNK_BYTES, LineSource } from './line-source.js';
import { type KnownSessions, micros, otherFromJson } from './others.js';
import { CommandScanner } from './scan.js';
import { ScannedCommand } from './scanned.js';
import { isPacked } from './unpack.js';
import { isJsonObject, type JsonObject } from './values.js';

/** The format this reader knows, and what every recording starts with. */
export const FORMAT_VERSION = 1;
const MAGIC = '{"k":"rmtop","v":';

/** The first line. */
export type RecordingHeader = JsonObject & { readonly k: 'rmtop' };

/** One line: what it says, and the event it holds; null for the header's successors that are none (`ck`, `fin`, marks). */
export type Entry = {
  readonly json: JsonObject;
  readonly text: string;
  readonly line: number;
  readonly event: TrafficEvent | null;
};

/** What is known of a recording once it was read to its end. */
export type RecordingSummary = {
  readonly commands: number;
  /** The highest arrival number. */
  readonly lastSeq: number;
  /** µs of the last thing that happened. */
  readonly lastUs: number;
  /**
   * The last line of a recording that ended as it should; else null. Its `why`: `quit` `rotate` `limit` `signal` as on the recording
   * page (4.3), and `flush`, a ring that was written when it was asked for: numbers then begin where its memory did.
   */
  readonly fin: JsonObject | null;
  /** What was dropped at the end: bytes of an unfinished line, or what the unpacking said. */
  readonly torn: string | null;
  /** Numbers of the lines that could not be read, the first hundred of them, and how many there are. */
  readonly damaged: readonly number[];
  readonly damagedCount: number;
  /** Commands that were announced as running and never finished. */
  readonly running: readonly Extract<OtherEvent, { type: 'pending' }>[];
  /** Commands that `drop` records say are missing. */
  readonly dropped: number;
};

/** How a file is read. */
export type ReadOptions = {
  /** A damaged line is an error instead of being skipped. */
  readonly strict?: boolean;
};

/** Opens recordings. Created by `openRecording`. */
export class RecordingReader {
  readonly name: string;
  readonly header: RecordingHeader;
  /** Topologies and configurations so far. */
  readonly context: StreamContext = new StreamContext();
  /** What the format says that a person should know, such as a newer version. */
  readonly notes: readonly string[];
  private readonly lines: LineSource;
  private readonly options: ReadOptions;
  private readonly sessions: KnownSessions = new Set();
  private readonly running = new Map<number, Extract<OtherEvent, { type: 'pending' }>>();
  private versions: [number, number] = [0, 0];
  private line = 0;
  private commands = 0;
  private lastSeq = 0;
  private lastUs = 0;
  private dropped = 0;
  private fin: JsonObject | null = null;
  private readonly damaged: number[] = [];
  private damagedCount = 0;
  private readonly first: Entry;
  private readonly before: readonly string[];
  /** The last line, where it could not be read: at the end of the file it is a torn tail, anywhere else damage. */
  private suspect: number | null = null;

  /** `before` are lines that come between the header and those of `lines`. */
  constructor(
    name: string,
    lines: LineSource,
    firstLine: string,
    options: ReadOptions,
    before: readonly string[] = [],
  ) {
    this.name = name;
    this.before = before;
    this.lines = lines;
    this.options = options;
    this.header = readHeader(name, firstLine);
    this.notes =
      this.header.v === FORMAT_VERSION
        ? []
        : [
            `${name} is format ${String(this.header.v)}; this rmtop reads ${FORMAT_VERSION}: what is new in it is passed over`,
          ];
    this.line = 1;
    const event = otherFromJson(this.header, this.sessions);
    this.first = { json: this.header, text: firstLine, line: 1, event };
  }

  /** All entries, the header first, in batches as they are read. To be called once. */
  async *batches(): AsyncGenerator<Entry[]> {
    yield [this.first, ...this.before.flatMap((text) => this.read(text) ?? [])];
    for await (const texts of this.lines.batches()) {
      const entries: Entry[] = [];
      for (const text of texts) {
        const entry = this.read(text);
        if (entry !== null) entries.push(entry);
      }
      if (entries.length > 0) yield entries;
    }
  }

  /**
   * As `batches`, for who needs no more of a command than to decide it: nearly all are only scanned. Told one after the other, in the
   * order of the lines; a scanned command is there until the next. To be called once, and not with `batches`.
   */
  async scan(visit: ScanVisitor): Promise<void> {
    visit.entry(this.first);
    const parse = (text: string): void => {
      const entry = this.read(text);
      if (entry !== null) visit.entry(entry);
    };
    for (const text of this.before) parse(text);
    const scanner = new CommandScanner();
    const scanned = new ScannedCommand(scanner, this.context, () => this.versions);
    for await (const piece of this.lines.pieces()) {
      for (let at = 0; at <= piece.length; ) {
        let end = scanner.scan(piece, at, piece.length);
        if (end !== -1) {
          this.line++;
          this.finished(scanner.seq, scanner.atUs + scanner.durationUs);
          if (this.suspect !== null) this.settleSuspect();
          scanned.load();
          visit.command(scanned);
        } else {
          end = piece.indexOf(LF, at);
          if (end === -1) end = piece.length;
          parse(piece.toString('utf8', at, end));
        }
        at = end + 1;
      }
      await visit.pause();
    }
  }

  /** What was read; complete when `batches` has ended. */
  summary(): RecordingSummary {
    const { commands, lastSeq, lastUs, fin, damaged, damagedCount, dropped } = this;
    const torn =
      this.lines.torn ??
      (this.suspect === null ? null : `line ${this.suspect}, which is no record`);
    const running = [...this.running.values()];
    return { commands, lastSeq, lastUs, fin, torn, damaged, damagedCount, running, dropped };
  }

  private read(text: string): Entry | null {
    const line = ++this.line;
    if (text.length === 0 || text.charCodeAt(0) === HASH) return null;
    let json: unknown;
    try {
      json = JSON.parse(text);
    } catch {
      return this.suspectLine(line);
    }
    if (!isJsonObject(json as JsonObject)) return this.suspectLine(line);
    const object = json as JsonObject;
    const event = this.eventOf(object);
    if (event === DAMAGED) return this.suspectLine(line);
    if (this.suspect !== null) this.settleSuspect();
    return { json: object, text, line, event };
  }

  private suspectLine(line: number): null {
    this.settleSuspect();
    this.suspect = line;
    return null;
  }

  /** Another line came: the one that could not be read was not the end. */
  private settleSuspect(): void {
    if (this.suspect === null) return;
    if (this.options.strict) throw damagedLine(this.name, this.suspect);
    this.damagedCount++;
    if (this.damaged.length < 100) this.damaged.push(this.suspect);
    this.suspect = null;
  }

  private eventOf(json: JsonObject): TrafficEvent | null | typeof DAMAGED {
    if (json.k === 'cmd') return this.command(json);
    if (json.k === 'fin') this.fin = json;
    const event = otherFromJson(json, this.sessions);
    if (event === null) return null;
    this.lastUs = Math.max(this.lastUs, event.atUs);
    if (event.type === 'topology') this.versions = [event.version, this.versions[1]];
    else if (event.type === 'config') this.versions = [this.versions[0], event.config.version];
    else if (event.type === 'pending') this.running.set(event.seq, event);
    else if (event.type === 'gap') this.dropped += event.dropped;
    try {
      this.context.learn(event);
    } catch {
      return DAMAGED; // a configuration or a topology that is none
    }
    return event;
  }

  private command(json: JsonObject): CommandEvent | typeof DAMAGED {
    const { n, t, c, a } = json;
    if (
      typeof n !== 'number' ||
      typeof t !== 'number' ||
      typeof c !== 'number' ||
      !Array.isArray(a)
    )
      return DAMAGED;
    this.finished(n, micros(t) + micros(json.d));
    return new RecordedCommand(json, this.context, this.versions);
  }

  private finished(seq: number, endUs: number): void {
    this.commands++;
    if (seq > this.lastSeq) this.lastSeq = seq;
    if (endUs > this.lastUs) this.lastUs = endUs;
    if (this.running.size > 0) this.running.delete(seq);
  }
}

/** Is told the lines of a recording as they are scanned. */
export type ScanVisitor = {
  entry(entry: Entry): void;
  command(command: ScannedCommand): void;
  /** Waited for now and then, so that what is made of commands can be written. */
  pause(): Promise<void>;
};

const DAMAGED = Symbol('damaged');
const HASH = 0x23;
const LF = 0x0a;

/** Opens `path` (`-` for stdin) and reads its header. Throws FILE_UNREADABLE, NO_RECORDING or REC_TOO_NEW. */
export async function openRecording(
  path: string,
  options: ReadOptions = {},
): Promise<RecordingReader> {
  const stream =
    path === '-' ? process.stdin : createReadStream(path, { highWaterMark: CHUNK_BYTES });
  const lines = new LineSource(path, stream);
  const first = await lines.first();
  return new RecordingReader(path, lines, first, options);
}

/** Whether the file at `path` is a recording, by its name or its first bytes; packed bytes count as one, for nothing else rmtop reads is packed. */
export function isRecordingFile(path: string): boolean {
  if (/\.rmtop(?:\.gz|\.zst)?$/.test(path)) return true;
  let file: number;
  try {
    file = openSync(path, 'r');
  } catch {
    return false; // whoever reads it will say why it cannot be read
  }
  try {
    const head = Buffer.alloc(MAGIC.length);
    const length = readSync(file, head, 0, head.length, 0);
    return isPacked(head.subarray(0, length)) || head.toString() === MAGIC;
  } catch {
    return false; // a folder
  } finally {
    closeSync(file);
  }
}

/**
 * Opens a plain recording in its middle: at `offset`, where a line begins, with the lines that make the state there. `header` is its
 * first line. Throws NO_RECORDING or REC_TOO_NEW.
 */
export function openRecordingAt(
  path: string,
  header: string,
  offset: number,
  state: readonly string[],
): RecordingReader {
  const stream = createReadStream(path, { highWaterMark: CHUNK_BYTES, start: offset });
  try {
    return new RecordingReader(path, new LineSource(path, stream), header, {}, state);
  } catch (error) {
    stream.destroy();
    throw error;
  }
}

/** Every event of a recording, in the order of its lines. */
export async function* readRecording(
  path: string,
  options: ReadOptions = {},
): AsyncGenerator<TrafficEvent> {
  const reader = await openRecording(path, options);
  for await (const entries of reader.batches())
    for (const entry of entries) if (entry.event !== null) yield entry.event;
}

/** The first line of `name`. Throws NO_RECORDING or REC_TOO_NEW. */
export function readHeader(name: string, line: string): RecordingHeader {
  let json: JsonObject | null = null;
  try {
    if (line.startsWith(MAGIC)) json = JSON.parse(line) as JsonObject;
  } catch {
    json = null;
  }
  if (json === null || typeof json.min !== 'number') throw noRecording(name, line);
  if (json.min > FORMAT_VERSION)
    throw new RmtopError(
      'REC_TOO_NEW',
      `${name} needs a reader of format ${json.min}; this rmtop reads up to ${FORMAT_VERSION}`,
      {
        why: `it was written by ${printable(String(json.tool ?? 'a newer rmtop'))}`,
        next: ['update rmtop'],
      },
    );
  return json as RecordingHeader;
}

/** Whether a recording is what a ring held (`--ring 60s`): the ring says so in its note. */
export function isOfRing({ note }: RecordingHeader): boolean {
  return typeof note === 'string' && note.startsWith(RING_NOTE);
}

/** What the note of a ring's header begins with; its size or time follows. */
export const RING_NOTE = 'ring ';

function noRecording(name: string, line: string): RmtopError {
  const looksLike = /^\d+\.\d+ \[\d+ /.test(line)
    ? ['rmtop import --from monitor FILE -o FILE.rmtop']
    : /^\*\d+\r?$/.test(line)
      ? [
          'rmtop import --from resp FILE -o FILE.rmtop',
          'rmtop import --from aof FILE -o FILE.rmtop',
        ]
      : ['rmtop record -o FILE.rmtop -u HOST:PORT        makes one'];
  return new RmtopError('NO_RECORDING', `${name} is no recording of rmtop`, {
    why: `line 1 should start with ${MAGIC}`,
    next: looksLike,
  });
}

function damagedLine(name: string, line: number): RmtopError {
  return new RmtopError('REC_DAMAGED', `${name} line ${line} is no record`, {
    next: ['without --strict such lines are skipped and counted'],
  });
}

function printable(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, '?').slice(0, 80);
}
