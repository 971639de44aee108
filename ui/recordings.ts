/** What the screen asks of whoever writes recordings. */
import { RmtopError } from 'rmtop';

/** Recordings of the proxy that is shown. */
export type Recordings = {
  /** What is being recorded; null: nothing. `bytes` is what has been written; slow: the disk keeps the clients waiting. */
  readonly now: { readonly file: string; readonly bytes: number; readonly isSlow: boolean } | null;
  /** A name for a recording that begins now. */
  name(): string;
  /** Records everything from now on into a new file; gives its name. Throws RmtopError where that cannot be. */
  start(file: string): string;
  /** Ends it; settles with what it holds, when all of it is written. */
  stop(): Promise<string>;
  /** Writes a recording of these blocks; settles with what it holds. Rejects with RmtopError where that cannot be. */
  save(file: string, blocks: Iterable<readonly [ArrayBuffer, number]>): Promise<string>;
};

/** For the screen on a recording: its rows can be saved as another one; recording it again would give the same. */
export function rowsOnly(recordings: Recordings): Recordings {
  const refuse = (): never => {
    throw new RmtopError('USAGE', 'this is a recording');
  };
  return {
    now: null,
    name: () => recordings.name(),
    start: refuse,
    stop: () => Promise.reject(new RmtopError('USAGE', 'this is a recording')),
    save: (file, blocks) => recordings.save(file, blocks),
  };
}
