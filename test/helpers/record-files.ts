/** Recordings for tests: written by the recorder itself from events, and read back. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { TestContext } from 'node:test';
import { BlockWriter, type CommandNote } from '../../src/events/block.js';
import { Block, StreamContext } from '../../src/events/reader.js';
import type { HeaderInfo } from '../../src/recording/others.js';
import { type Entry, openRecording, type RecordingReader } from '../../src/recording/reader.js';
import { REDACT_AUTH } from '../../src/recording/redact.js';
import type { WriterOptions } from '../../src/recording/writer.js';
import type { Mesh } from './mesh.js';
import { stateOf } from './notes.js';

/** Where the recordings are that come with the project. */
export const RECORDINGS: string = path.join(import.meta.dirname, '..', '..', '..', 'recordings');

/** A folder that goes with the test. */
export function folder(t: TestContext): string {
  const made = mkdtempSync(path.join(tmpdir(), 'rmtop-test-'));
  t.after(() => rmSync(made, { recursive: true, force: true }));
  return made;
}

export const HEADER: HeaderInfo = {
  id: '01KC6Z2T9Q',
  tool: 'rmtop 0.1.0',
  cut: { value: 1_048_576, record: 8_388_608 },
  pendMs: 250,
  redact: { mode: 'auth', key: 'none' },
  capture: 'replies',
  filter: '',
};

/** What a recorder of `file` is started with. */
export function writing(file: string, more: Partial<WriterOptions> = {}): WriterOptions {
  return {
    sink: {
      kind: 'file',
      path: file,
      sync: 'never',
      maxBytes: null,
      rotateBytes: null,
      rotateMs: null,
      keepParts: null,
    },
    header: HEADER,
    filter: '',
    redact: REDACT_AUTH,
    lossy: false,
    ...more,
  };
}

/** All entries of a file, and its reader. */
export async function readAll(
  file: string,
  strict = false,
): Promise<{ readonly entries: Entry[]; readonly reader: RecordingReader }> {
  const reader = await openRecording(file, { strict });
  const entries: Entry[] = [];
  for await (const batch of reader.batches()) entries.push(...batch);
  return { entries, reader };
}

/** One command in a block, and what is needed to decode it. */
export function blockOf(
  note: CommandNote,
  mesh: Mesh,
  durationUs: number,
): { readonly block: Block; readonly offset: number; readonly context: StreamContext } {
  const context = new StreamContext();
  for (const event of stateOf(mesh)) context.learn(event);
  const writer = new BlockWriter();
  writer.fits(writer.sizeOf(note));
  const numbers: string[] = [];
  writer.command(note, durationUs, (address) => {
    if (!numbers.includes(address)) numbers.push(address);
    return numbers.indexOf(address);
  });
  numbers.forEach((address, number) => {
    context.learn({ type: 'server', atUs: 0, number, address });
  });
  const { used } = writer;
  const block = new Block(writer.take(), used);
  let offset = 0;
  block.walk((_kind, at) => {
    offset = at;
  });
  return { block, offset, context };
}
