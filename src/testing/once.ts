/** Recorded the first time, served from then on: a test needs its Redis once. */
import { existsSync } from 'node:fs';
import { besideOf, putInPlace } from '../recording/replace.js';
import { startBehind } from '../serve/behind.js';
import { type RecordOptions, record } from './record.js';
import { type FakeRedis, type ServeFileOptions, serve, serveBefore } from './serve.js';
import { readSource } from './source.js';

/** How. */
export type OnceOptions = {
  /** Where to record from, and how. */
  readonly record: RecordOptions;
  readonly serve?: ServeFileOptions;
  /**
   * As VCR's record modes: `once` records where there is no file; `none` never does (for CI); `new` serves what is recorded and adds
   * what is not; `all` always records, and `done` puts that in the place of what is there.
   */
  readonly mode?: 'once' | 'none' | 'new' | 'all';
};

/** Something to connect to: the proxy that records, or the recording. */
export type RecordedOrServed = {
  readonly url: string;
  readonly host: string;
  readonly port: number;
  /** Everything comes from the real servers. */
  readonly isRecording: boolean;
  /**
   * Closes, and writes what was recorded: a recording that was not `done`, or in which no command came, leaves the file as it was. Of one
   * that was served, throws UNMET as `FakeRedis.done` does.
   */
  done(expectations?: { readonly expectAll?: boolean }): Promise<void>;
};

/** Serves `file`, or records it where the mode says so. Throws as `serve` and `record`. */
export async function serveOrRecord(file: string, options: OnceOptions): Promise<RecordedOrServed> {
  const { mode = 'once' } = options;
  if (mode === 'none' || (mode === 'once' && existsSync(file)))
    return servedOf(await serve(file, options.serve));
  if (mode === 'new' && existsSync(file)) return withNew(file, options);
  const made = besideOf(file);
  const session = await record(made, { ...options.record, force: true });
  const { url, host, port } = session;
  const done = async (): Promise<void> => {
    const { commands } = await session.done();
    putInPlace(made, file, commands);
  };
  return { url, host, port, isRecording: true, done };
}

/** Serves what is recorded, and adds the rest. */
async function withNew(
  file: string,
  { record: source, serve: how = {} }: OnceOptions,
): Promise<RecordedOrServed> {
  const behind = await startBehind(readSource(source), file, how.redactKey);
  try {
    const served = servedOf(await serveBefore(file, how, behind.port));
    return {
      ...served,
      async done(expected) {
        try {
          await served.done(expected);
        } finally {
          await behind.close();
        }
      },
    };
  } catch (error) {
    await behind.close();
    throw error;
  }
}

function servedOf(fake: FakeRedis): RecordedOrServed {
  const { url, host, port } = fake;
  return { url, host, port, isRecording: false, done: (expected) => fake.done(expected) };
}
