/** Recorded the first time, served from then on: a test needs its Redis once. */
import { existsSync } from 'node:fs';
import { type RecordOptions, record } from './record.js';
import { type ServeFileOptions, serve } from './serve.js';

/** How. */
export type OnceOptions = {
  /** Where to record from, and how. */
  readonly record: RecordOptions;
  readonly serve?: ServeFileOptions;
  /** `once` records where there is no file; `none` never does (for CI); `all` always does, over what is there. */
  readonly mode?: 'once' | 'none' | 'all';
};

/** Something to connect to: the proxy that records, or the recording. */
export type RecordedOrServed = {
  readonly url: string;
  readonly host: string;
  readonly port: number;
  readonly isRecording: boolean;
  /** Closes. Of a recording that was served, throws UNMET as `FakeRedis.done` does. */
  done(expectations?: { readonly expectAll?: boolean }): Promise<void>;
};

/** Serves `file`, or records it where the mode says so. Throws as `serve` and `record`. */
export async function serveOrRecord(file: string, options: OnceOptions): Promise<RecordedOrServed> {
  const { mode = 'once' } = options;
  if (mode === 'none' || (mode === 'once' && existsSync(file))) {
    const fake = await serve(file, options.serve);
    const { url, host, port } = fake;
    return { url, host, port, isRecording: false, done: (expected) => fake.done(expected) };
  }
  const session = await record(file, { ...options.record, force: true });
  const { url, host, port } = session;
  return { url, host, port, isRecording: true, done: async () => void (await session.done()) };
}
