/** Recording what a test does, and reading what was decided back from the file. */
import { RmtopError } from '../errors.js';
import { plainWriter } from '../recording/defaults.js';
import { openRecording } from '../recording/reader.js';
import { REDACT_AUTH } from '../recording/redact.js';
import { compileRedactRules, type RedactRule } from '../recording/redact-rules.js';
import { checkOutput } from '../recording/sink.js';
import { RecordWriter } from '../recording/writer.js';
import { readFilter } from './filter.js';
import { type StartProxyOptions, startSaving, type TestProxy } from './proxy.js';
import { type Seen, seenOf } from './seen.js';

/** How a session is recorded. */
export type RecordOptions = StartProxyOptions & {
  /** Replace the file if it exists; without it that is an error. */
  readonly force?: boolean;
  /** Only the commands that fit are kept: `key=cart:*`, `!cmd=INFO`. */
  readonly filter?: string;
  /** Save what keys hold before the first command on them, for `replay` to put back. Not with `filter`. */
  readonly snapshot?: boolean;
  /** What is left out besides passwords: `{ if: 'key=user:*', json: '$.email' }`, as in `rmtop.yaml`. Serving the file needs no more. */
  readonly redact?: readonly RedactRule[];
};

/** A proxy that writes everything down. */
export type RecordingSession = TestProxy & {
  readonly file: string;
  /** Closes the proxy, writes the rest, and says how many commands there are. */
  done(): Promise<{ readonly file: string; readonly commands: number }>;
};

/**
 * Starts a proxy that records into `file` (`.rmtop` or `.rmtop.gz`): connect to its `url`, then call `done`. Passwords are left out.
 * Throws as `startProxy`, FILTER, USAGE, OUTPUT_EXISTS, and OUTPUT_FAILED when it cannot be written.
 */
export async function record(file: string, options: RecordOptions): Promise<RecordingSession> {
  const { filter = '', snapshot = false, redact: rules = [] } = options;
  readFilter(filter);
  compileRedactRules(rules);
  if (snapshot && filter !== '')
    throw new RmtopError('USAGE', 'snapshot does not go with filter', {
      why: 'a command that is left out may have changed what was saved',
    });
  checkOutput(file, options.force === true);
  const proxy = await startSaving(options, snapshot);
  const writer = new RecordWriter(plainWriter(file, filter, { ...REDACT_AUTH, rules }));
  const stop = proxy.handle.subscribe(writer);
  let ending: Promise<{ file: string; commands: number }> | null = null;
  const end = async (): Promise<{ file: string; commands: number }> => {
    await proxy.close();
    stop();
    const broken = await Promise.race([writer.broken, writer.end('quit')]);
    if (broken instanceof Error) throw broken;
    return { file, commands: broken?.commands ?? 0 };
  };
  const done = (): Promise<{ file: string; commands: number }> => {
    ending ??= end();
    return ending;
  };
  return {
    file,
    done,
    url: proxy.url,
    host: proxy.host,
    port: proxy.port,
    commands: proxy.commands,
    command: (which, timeoutMs) => proxy.command(which, timeoutMs),
    decide: (...argv) => proxy.decide(...argv),
    clear: () => proxy.clear(),
    handle: proxy.handle,
    close: async () => void (await done()),
  };
}

/** The commands of a recording with what was decided about each, in order of arrival; needs no Redis. Throws as `openRecording`. */
export async function readCommands(file: string): Promise<Seen[]> {
  const reader = await openRecording(file);
  const seen: Seen[] = [];
  for await (const entries of reader.batches())
    for (const { event } of entries)
      if (event?.type === 'command') seen.push(seenOf(event, reader.context));
  return seen.sort((a, b) => a.seq - b.seq);
}
