/** The files of a recording in order, and how its entries are had from any place on. */
import { createWriteStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { messageOf, RmtopError } from '../errors.js';
import { type FileIndex, indexOf, type Mark, markBefore, openFile, stateAt } from './file-index.js';
import {
  type Entry,
  openRecording,
  openRecordingAt,
  type RecordingHeader,
  readHeader,
} from './reader.js';

/** A file that is read from (a copy where the recording is compressed, or a pipe), and its index. */
type Track = { readonly file: string; readonly index: FileIndex; readonly header: RecordingHeader };

/** Where to go: a moment, the command with a number (or the next there is), one of the ends. */
export type PlaybackTarget = { readonly atUs: number } | { readonly seq: number } | 'start' | 'end';

/** Where to begin: before a line of one of the files. */
export type Place = { readonly track: number; readonly mark: Mark };

/** When an entry happened: a command when its reply was there. µs since the recording began. */
export function timeOf({ event }: Entry): number {
  if (event === null) return 0;
  return event.type === 'command' ? event.atUs + event.durationUs : event.atUs;
}

/** Recordings that are played one after the other: the parts of one. */
export class Playlist {
  readonly header: RecordingHeader;
  readonly start: Place;
  readonly end: Pick<FileIndex, 'lastUs' | 'lastSeq' | 'commands'>;
  private readonly tracks: readonly Track[];
  private readonly folder: string | null;

  constructor(tracks: readonly [Track, ...Track[]], folder: string | null) {
    this.tracks = tracks;
    this.folder = folder;
    this.header = tracks[0].header;
    this.start = { track: 0, mark: markBefore(tracks[0].index, () => true) };
    this.end = {
      lastUs: Math.max(...tracks.map(({ index }) => index.lastUs)),
      lastSeq: Math.max(...tracks.map(({ index }) => index.lastSeq)),
      commands: tracks.reduce((sum, { index }) => sum + index.commands, 0),
    };
  }

  /** Entries from `place` on, after the state there. */
  async *from(place: Place): AsyncGenerator<Entry[]> {
    for (let i = place.track; i < this.tracks.length; i++) {
      const { file, index } = this.tracks[i] as Track;
      const mark = i === place.track ? place.mark : markBefore(index, () => true);
      const state = await linesAt(file, index, mark.offset);
      yield* openRecordingAt(file, index.header, mark.offset, state).batches();
    }
  }

  /** The mark to begin at so that at least `lead` bytes come before `target`, or all there are. */
  before(target: PlaybackTarget, lead: number): Place {
    if (target === 'start') return this.start;
    const isLate = (mark: Mark): boolean =>
      target !== 'end' && ('atUs' in target ? mark.atUs > target.atUs : mark.seq >= target.seq);
    let track = 0;
    for (let i = 1; i < this.tracks.length; i++) if (!isLate(this.firstMark(i))) track = i;
    const { index } = this.tracks[track] as Track;
    const at = target === 'end' ? index.size : markBefore(index, isLate).offset;
    const early = markBefore(index, (mark) => mark.offset > at - lead);
    return { track, mark: early };
  }

  /** What had been before a part: its first command's number is not known without reading, the last of the part before is. */
  private firstMark(track: number): Mark {
    const before = this.tracks[track - 1]?.index;
    return { seq: before?.lastSeq ?? 0, atUs: before?.lastUs ?? 0, offset: 0 };
  }

  /** Removes the copies. */
  async close(): Promise<void> {
    if (this.folder !== null) await rm(this.folder, { recursive: true, force: true });
  }
}

async function linesAt(file: string, index: FileIndex, offset: number): Promise<string[]> {
  const handle = await openFile(file);
  try {
    const lines: string[] = [];
    for (const line of stateAt(index, offset)) {
      const bytes = Buffer.alloc(line.length);
      await handle.read(bytes, 0, line.length, line.offset);
      lines.push(bytes.toString());
    }
    return lines;
  } finally {
    await handle.close();
  }
}

/** Opens recordings for playing. Throws what opening one throws. */
export async function openPlaylist(files: readonly string[]): Promise<Playlist> {
  const folder: { made: string | null } = { made: null };
  try {
    const tracks: Track[] = [];
    for (const file of files) tracks.push(await openTrack(file, folder));
    const [first, ...others] = tracks;
    if (first === undefined) throw new RmtopError('USAGE', 'there is no recording to open');
    return new Playlist([first, ...others], folder.made);
  } catch (error) {
    if (folder.made !== null) await rm(folder.made, { recursive: true, force: true });
    throw error;
  }
}

async function openTrack(file: string, folder: { made: string | null }): Promise<Track> {
  if (file !== '-' && (await isPlain(file))) return trackOf(file, file);
  folder.made ??= await mkdtemp(path.join(tmpdir(), 'rmtop-'));
  const copy = path.join(folder.made, `${path.basename(file)}.plain`);
  const out = createWriteStream(copy, { mode: 0o600 });
  const reader = await openRecording(file);
  for await (const entries of reader.batches()) {
    const text = entries.map((entry) => `${entry.text}\n`).join('');
    if (!out.write(text)) await new Promise<void>((resolve) => out.once('drain', () => resolve()));
  }
  await new Promise<void>((resolve, reject) => {
    out.on('error', reject);
    out.end(() => resolve());
  });
  return trackOf(file, copy);
}

async function trackOf(name: string, file: string): Promise<Track> {
  const index = await indexOf(file);
  return { file, index, header: readHeader(name, index.header) };
}

/** Whether a file is text: neither gzip nor zstd starts with a brace. What is no recording is told of by its header. */
async function isPlain(file: string): Promise<boolean> {
  const handle = await openFile(file);
  try {
    const { bytesRead, buffer } = await handle.read(Buffer.alloc(4), 0, 4, 0).catch((error) => {
      // A folder can be opened, and not read.
      throw new RmtopError('FILE_UNREADABLE', `${file} cannot be read`, { why: messageOf(error) });
    });
    return bytesRead === 0 || (buffer[0] !== 0x1f && buffer[0] !== 0x28);
  } finally {
    await handle.close();
  }
}
