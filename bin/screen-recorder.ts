/** Recordings that are begun and ended from the screen, and the one that the command line asked for. */
import { type ProxyHandle, RecordWriter, RmtopError } from 'rmtop';
import type { Recordings } from '../ui/recordings.js';
import {
  closingLines,
  defaultOutput,
  planRecording,
  type RecordFlags,
  type RecordPlan,
  recordedText,
} from './record-flags.js';

/** What is recorded. */
type Recorded = Pick<ProxyHandle, 'subscribe' | 'note'>;

type Current = {
  readonly plan: RecordPlan;
  readonly file: string;
  readonly writer: RecordWriter;
  readonly stop: () => void;
};

/** The flags that say what is not to be in a recording. */
type RedactionFlags = Pick<RecordFlags, 'redact' | 'redactKeyEnv' | 'settings'>;

/** Writes recordings of `proxy`; `upstream` is what is said of where it can be replayed. */
export class ScreenRecorder implements Recordings {
  /** What is to be said when the screen is gone: every recording that was made. */
  readonly said: string[] = [];
  private readonly proxy: Recorded;
  private readonly upstream: string;
  private readonly keep: RecordPlan['keep'];
  private readonly redaction: RedactionFlags;
  private current: Current | null = null;
  /** What is still being written. */
  private readonly unfinished = new Set<Promise<unknown>>();

  /** `keep` is how much of a value the proxy keeps for its events, `redaction` what is taken out of every recording. */
  constructor(
    proxy: Recorded,
    upstream: string,
    keep: RecordPlan['keep'],
    redaction: RedactionFlags = {},
  ) {
    const { redact, redactKeyEnv, settings } = redaction;
    this.redaction = {
      ...(redact === undefined ? {} : { redact }),
      ...(redactKeyEnv === undefined ? {} : { redactKeyEnv }),
      ...(settings === undefined ? {} : { settings }),
    };
    this.proxy = proxy;
    this.upstream = upstream;
    this.keep = keep;
  }

  get now(): Recordings['now'] {
    if (this.current === null) return null;
    const { file, writer } = this.current;
    return { file, bytes: writer.textBytes, isSlow: writer.behind };
  }

  name(): string {
    return defaultOutput(new Date());
  }

  start(file: string): string {
    return this.begin(this.planOf(file));
  }

  /** Records as `plan` says from now on; gives the file's name. */
  begin(plan: RecordPlan): string {
    const file = plan.file ?? '';
    const writer = new RecordWriter(plan.writer);
    writer.onFile = (written) =>
      this.said.push(recordedText({ ...plan, file: written.file }, written.totals));
    const current: Current = { plan, file, writer, stop: this.proxy.subscribe(writer) };
    this.current = current;
    const gaveUp = (level: 'error' | 'warning', why: string): void => {
      if (this.current !== current) return;
      this.proxy.note(level, `the recording ${file} has ended${why}`, null);
      void this.end(current);
    };
    void writer.broken.then((error) => gaveUp('error', `: ${error?.why ?? 'nobody reads it'}`));
    void writer.full.then((why) => gaveUp('warning', `, ${why}`));
    return file;
  }

  async stop(): Promise<string> {
    const { current } = this;
    if (current === null) return 'nothing is being recorded';
    return current.plan.writer.ring === undefined ? this.end(current) : flush(current);
  }

  private async end(current: Current): Promise<string> {
    if (this.current === current) this.current = null;
    current.stop();
    return this.ended(current.plan, await current.writer.end('quit'));
  }

  /** Ends what is being recorded and waits until everything is written. */
  async close(): Promise<void> {
    if (this.current !== null) await this.end(this.current);
    await Promise.allSettled(this.unfinished);
  }

  save(file: string, blocks: Iterable<readonly [ArrayBuffer, number]>): Promise<string> {
    const saving = this.write(file, blocks);
    this.unfinished.add(saving);
    void saving.catch(() => {}).then(() => this.unfinished.delete(saving));
    return saving;
  }

  private async write(
    file: string,
    blocks: Iterable<readonly [ArrayBuffer, number]>,
  ): Promise<string> {
    const plan = this.planOf(file);
    const writer = new RecordWriter(plan.writer);
    for (const [block, used] of blocks) writer.accept(block, used);
    const ended = writer.end('quit');
    const broken = await Promise.race([writer.broken, ended.then(() => 'ended' as const)]);
    if (broken instanceof RmtopError) throw broken;
    return this.ended(plan, await ended);
  }

  private ended(plan: RecordPlan, totals: Awaited<ReturnType<RecordWriter['end']>>): string {
    if (totals === null) return `${plan.file} is not complete: its writer has died`;
    const lines = closingLines(plan, totals, this.upstream);
    this.said.push(...lines);
    return plan.writer.ring === undefined ? recordedText(plan, totals) : (lines[0] ?? '');
  }

  private planOf(file: string): RecordPlan {
    const plan = planRecording(this.redaction, file, '');
    // What is cut is cut by the proxy, which keeps as much as the screen needs: the header says that, not the recorder's own limits.
    const header = { ...plan.writer.header, cut: this.keep };
    return { ...plan, keep: this.keep, writer: { ...plan.writer, header } };
  }
}

/** A ring is not ended by being written: it goes on, and the next file has what comes from now on. */
async function flush({ plan, writer, file }: Current): Promise<string> {
  const written = await writer.flush();
  return written === null
    ? `${file} is not complete: its writer has died`
    : recordedText({ ...plan, file: written.file }, written.totals);
}
