/** Recordings as fixtures: read into that form, or rewritten in it (recording page, 4.7). */
import { renameSync, writeFileSync } from 'node:fs';
import {
  type Entry,
  type Filter,
  FixtureMaker,
  type FixtureOptions,
  type RecordingSummary,
  Selection,
} from 'rmtop';
import { openFile } from './recording-files.js';

/** What is read. */
export type ReadFixtureOptions = FixtureOptions & {
  readonly filter: Filter | null;
  readonly strict: boolean;
  /** What is made of each entry before it becomes part of the fixture. */
  readonly clean?: (entry: Entry) => Entry;
};

/** The lines of the fixture that `file` makes, and the state of the file. Held in memory: fixtures are small. */
export async function readFixture(
  file: string,
  { filter, strict, latency, clean = (entry) => entry }: ReadFixtureOptions,
): Promise<{ readonly lines: readonly string[]; readonly summary: RecordingSummary }> {
  const reader = await openFile(file, strict);
  const selection = new Selection(reader, filter);
  const maker = new FixtureMaker({ latency });
  for await (const entries of reader.batches())
    for (const entry of entries) if (selection.wants(entry)) maker.add(clean(entry));
  return { lines: maker.lines(), summary: reader.summary() };
}

/** Puts the fixture of a recording into its place, whole or not at all. */
export async function makeFixture(file: string): Promise<void> {
  const { lines } = await readFixture(file, { filter: null, strict: false, latency: false });
  const made = `${file}.${process.pid}.tmp`;
  writeFileSync(made, `${lines.join('\n')}\n`, { mode: 0o600, flag: 'wx' });
  renameSync(made, file);
}
