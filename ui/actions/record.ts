/** `W` and `w`: recording what comes, and saving what is in memory. */
import { blocksOf, messageOf, RmtopError } from 'rmtop';
import type { Model } from '../model.js';
import { count, size } from '../text/figures.js';
import { ask } from './prompt.js';

/** Rows in one block that goes to the writer. */
const BLOCK_BYTES = 1024 * 1024;

/** `W`: asks for the file, or ends the recording. */
export function toggleRecording(model: Model): void {
  if (model.playback !== null) {
    model.toasts.answer(isRecorded(model));
    return;
  }
  if (model.recordings.now !== null) {
    stopRecording(model);
    return;
  }
  ask(
    model,
    'record to',
    model.recordings.name(),
    () => `everything from now on, whatever is shown; ${model.keyOf('record')} ends it`,
    (file) => {
      const problem = startRecording(model, file);
      if (problem === null) model.did(`record start ${file}`);
      return problem;
    },
  );
}

function isRecorded(model: Model): string {
  return `this is a recording: ${model.keyOf('save-rows')} saves the rows that are shown`;
}

/** Records everything from now on; gives what is wrong instead. */
export function startRecording(model: Model, file: string): string | null {
  if (model.playback !== null) return isRecorded(model);
  const { now } = model.recordings;
  if (now !== null) return `${now.file} is being recorded: ${model.keyOf('record')} ends it`;
  try {
    const name = model.recordings.start(file.trim() === '' ? model.recordings.name() : file.trim());
    model.toasts.answer(`recording to ${name}   (${model.keyOf('record')} ends it)`);
    return null;
  } catch (error) {
    return problemOf(error);
  }
}

/** Ends the recording; what it holds is said when it is complete. Gives what is wrong instead. */
export function stopRecording(model: Model): string | null {
  if (model.recordings.now === null)
    return `nothing is being recorded: ${model.keyOf('record')} begins`;
  tell(model, model.recordings.stop());
  return null;
}

/** `w`: asks where to save the rows that are shown. */
export function askSaveRows(model: Model): void {
  const { rows } = model.feed;
  const about = model.sifter.isOn
    ? `those of the ${count(rows.length)} commands in memory that are shown`
    : `the ${count(rows.length)} commands in memory`;
  ask(
    model,
    'save rows to',
    model.recordings.name(),
    () => about,
    (file) => {
      const problem = saveRows(model, file);
      if (problem === null) model.did(`save ${file}`);
      return problem;
    },
  );
}

/** Saves the rows that are shown as a recording; gives what is wrong instead. */
export function saveRows(model: Model, file: string): string | null {
  const { rows } = model.feed;
  if (rows.length === 0) return 'there is no command in memory yet';
  while (!model.sifter.run(1000)); // as many as are in memory are known within a second
  try {
    const name = file.trim() === '' ? model.recordings.name() : file.trim();
    tell(model, model.recordings.save(name, blocksOfRows(model)));
    return null;
  } catch (error) {
    return problemOf(error);
  }
}

/** The state they rest on, then the rows shown with what came of their copies. */
function* blocksOfRows(model: Model): Generator<readonly [ArrayBuffer, number]> {
  const { feed } = model;
  yield* blocksOf(feed.past.all);
  let records: Uint8Array[] = [];
  let bytes = 0;
  for (let i = 0; i < feed.rows.length; i++) {
    if (!feed.rows.isShown(i)) continue;
    const row = feed.rows.row(i);
    if (row.kind === 'pending') continue;
    const record = row.block.record(row.offset);
    records.push(record);
    bytes += record.length;
    const copies = feed.mirrors(row.seq);
    if (bytes < BLOCK_BYTES && copies.length === 0) continue;
    yield joined(records, bytes);
    yield* blocksOf(copies);
    records = [];
    bytes = 0;
  }
  if (bytes > 0) yield joined(records, bytes);
}

function joined(records: readonly Uint8Array[], bytes: number): readonly [ArrayBuffer, number] {
  const block = new ArrayBuffer(bytes);
  const all = new Uint8Array(block);
  let at = 0;
  for (const record of records) {
    all.set(record, at);
    at += record.length;
  }
  return [block, bytes];
}

function tell(model: Model, done: Promise<string>): void {
  done.then(
    (text) => {
      model.toasts.answer(text);
      model.effects.changed();
    },
    (error: unknown) => {
      model.toasts.say('error', problemOf(error), null);
      model.effects.changed();
    },
  );
}

function problemOf(error: unknown): string {
  if (!(error instanceof RmtopError)) return messageOf(error);
  return [error.message, error.why].filter(Boolean).join(': ');
}

/** `REC off`, `REC 4.1MB`, `REC slow` while clients wait for the disk. */
export function recordBadge(model: Model): string {
  const { now } = model.recordings;
  if (now === null) return 'REC off';
  return now.isSlow ? 'REC slow' : `REC ${size(now.bytes)}B`;
}
