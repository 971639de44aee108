/** The flags of a recorder, and what is said when it has ended. */
import { randomBytes } from 'node:crypto';
import path from 'node:path';
import type { Command } from 'commander';
import {
  checkOutput,
  headerOf,
  newHeader,
  openStream,
  RECORD_KEEP,
  type RecordWriter,
  type RedactOptions,
  type RingOptions,
  RmtopError,
  type WriterOptions,
  type WrittenTotals,
} from 'rmtop';
import { parseDuration, usage } from './options.js';
import { filterOf } from './recording-files.js';
import type { Settings } from './settings/read.js';

/** What commander gives for the flags that `withRecordFlags` adds. */
export type RecordFlags = {
  readonly output?: string;
  readonly force?: boolean;
  readonly rotate?: string;
  readonly keep?: string;
  readonly maxSize?: string;
  readonly sync?: string;
  readonly capture?: string;
  readonly redact?: string;
  readonly redactKeyEnv?: string;
  /** Whose rules go further. */
  readonly settings?: Pick<Settings, 'redaction'>;
  readonly full?: boolean;
  readonly lossy?: boolean;
  readonly ring?: string;
  readonly flushOn?: string;
};

/** As good as no limit: what a request may be at most. */
const FULL_KEEP = { value: 2 ** 30, record: 2 ** 31 - 1 } as const;

/** Adds the flags that say what is recorded, and where to. */
export function withRecordFlags(command: Command): Command {
  return command
    .option(
      '-o, --output <file>',
      'write a recording: FILE.rmtop, .rmtop.gz or, from Node 22.15 on, .rmtop.zst; a pipe is written to as it is',
    )
    .option('--force', 'replace the file if it exists')
    .option(
      '--rotate <size|duration>',
      'begin a new part (FILE-0002.rmtop) after so much: 256MiB, 10m',
    )
    .option('--keep <parts>', 'delete older parts')
    .option(
      '--ring <duration|size>',
      'keep only the latest, in memory: 60s, 64MiB or 60s,64MiB; written on SIGUSR2, on W and at the end',
    )
    .option(
      '--flush-on <expression>',
      'write the ring at the first command that fits, not at the end',
    )
    .option('--max-size <size>', 'end the recording at this size')
    .option(
      '--sync <when>',
      'fdatasync: never, check (every 5 s or 1 MiB) or line (default: check)',
    )
    .option('--capture <what>', 'replies, args (no replies) or keys (default: replies)')
    .option('--redact <what>', 'auth, values or keys=GLOB (default: auth); rules are in rmtop.yaml')
    .option(
      '--redact-key-env <name>',
      'the variable with the key that equal values are hashed with',
    )
    .option('--full', 'keep values of any size')
    .option(
      '--lossy',
      'when the disk is slow lose whole commands, and say so, rather than slow the clients down',
    );
}

/** A recording as the flags ask for it. */
export type RecordPlan = {
  readonly file: string | null;
  readonly writer: WriterOptions;
  readonly keep: { readonly value: number; readonly record: number };
};

/** What `-o` names; null: `-`, the standard output. For commands that have nothing else to say there. Throws USAGE for flags that need files. */
export function outputOrStdout(flags: RecordFlags, output: string): string | null {
  if (output !== '-') return output;
  checkStream(flags);
  return null;
}

/** Flags that ask for files, and are given for a stream. */
function checkStream(flags: RecordFlags): void {
  for (const flag of ['ring', 'rotate', 'keep'] as const) {
    const value = flags[flag];
    if (value !== undefined && value !== '')
      throw usage(`--${flag}`, value, 'used with -o FILE: a pipe is one stream');
  }
}

/**
 * The plan for writing to `file`, or to stdout (null). What is no file but is there, a pipe, is written to as it is. Throws USAGE,
 * OUTPUT_EXISTS or OUTPUT_FAILED.
 */
export function planRecording(flags: RecordFlags, file: string | null, filter: string): RecordPlan {
  const keep = flags.full === true ? FULL_KEEP : RECORD_KEEP;
  const redact = readRedaction(flags);
  if (flags.keep !== undefined && flags.rotate === undefined)
    throw usage('--keep', flags.keep, 'used with --rotate');
  const rotate = flags.rotate === undefined ? NO_ROTATION : parseRotate(flags.rotate);
  const sync = flags.sync ?? 'check';
  if (sync !== 'never' && sync !== 'check' && sync !== 'line')
    throw usage('--sync', sync, 'never, check or line');
  const maxBytes = flags.maxSize === undefined ? null : parseSize('--max-size', flags.maxSize);
  const keepParts = flags.keep === undefined ? null : parseCount('--keep', flags.keep);
  if (file === '-') throw usage('--output', '-', 'a file: the standard output is taken');
  const fd = file === null ? 1 : openStream(file);
  if (file !== null && fd !== null) checkStream(flags);
  const made = fd === null ? file : null;
  const ring = made === null ? null : planRing(flags);
  if (made !== null) checkOutput(made, flags.force === true);
  return {
    file: made,
    keep,
    writer: {
      sink:
        made === null
          ? { kind: 'fd', fd: fd ?? 1 }
          : { kind: 'file', path: made, sync, maxBytes, ...rotate, keepParts },
      header: newHeader({
        cut: keep,
        redact: headerOf(redact, flags.redactKeyEnv !== undefined),
        capture: redact.capture,
        filter,
      }),
      filter,
      redact,
      lossy: flags.lossy === true,
      ...(ring === null ? {} : { ring }),
    },
  };
}

/** As `planRecording`, of what may be asked for `--fixture`: that is made of one whole file. */
export function planFixture(
  flags: RecordFlags & { readonly fixture?: boolean },
  file: string | null,
  filter: string,
): RecordPlan {
  if (flags.fixture !== true) return planRecording(flags, file, filter);
  if (flags.rotate !== undefined || file?.endsWith('.gz'))
    throw usage('--fixture', '', 'one file in .rmtop: neither --rotate nor .gz');
  const plan = planRecording(flags, file, filter);
  if (plan.file === null)
    throw usage('--fixture', '', 'used with -o FILE.rmtop: it is made of the whole file');
  return plan;
}

const NO_ROTATION = { rotateBytes: null, rotateMs: null } as const;

function parseRotate(text: string): { rotateBytes: number | null; rotateMs: number | null } {
  return isDuration(text)
    ? { rotateBytes: null, rotateMs: parseDuration('--rotate', text) }
    : { rotateBytes: parseSize('--rotate', text), rotateMs: null };
}

function isDuration(text: string): boolean {
  return /\d(?:ms|s|m)$/.test(text);
}

/** What a ring holds at most when only its duration is given. */
const RING_BYTES = 256 * 1024 ** 2;

/** `60s`, `64MiB` or both; null without a ring. Throws USAGE and FILTER. */
function planRing(flags: RecordFlags): RingOptions | null {
  const { ring: text, flushOn = '' } = flags;
  if (text === undefined) {
    if (flags.flushOn !== undefined) throw usage('--flush-on', flushOn, 'used with --ring');
    return null;
  }
  if (flags.rotate !== undefined) throw usage('--ring', text, 'used without --rotate');
  filterOf(flushOn, '--flush-on');
  let ms: number | null = null;
  let bytes: number | null = null;
  for (const each of text.split(',')) {
    if (isDuration(each) && ms === null) ms = parseDuration('--ring', each);
    else if (bytes === null) bytes = parseSize('--ring', each);
    else throw usage('--ring', text, 'a duration, a size or both: 60s,64MiB');
  }
  return { ms, bytes: bytes ?? RING_BYTES, text, flushOn };
}

const SIZE_UNITS: Readonly<Record<string, number>> = {
  '': 1,
  k: 1e3,
  kb: 1e3,
  kib: 1024,
  m: 1e6,
  mb: 1e6,
  mib: 1024 ** 2,
  g: 1e9,
  gb: 1e9,
  gib: 1024 ** 3,
};

/** `256MiB`, `1GB`, `4096` in bytes. Throws USAGE. */
export function parseSize(flag: string, text: string): number {
  const [, figure = '', unit = ''] = /^(\d+(?:\.\d+)?) ?([a-z]*)$/i.exec(text) ?? [];
  const bytes = Math.round(Number(figure) * (SIZE_UNITS[unit.toLowerCase()] ?? Number.NaN));
  if (figure === '' || !(bytes > 0)) throw usage(flag, text, 'a size such as 256MiB or 1GB');
  return bytes;
}

function parseCount(flag: string, text: string): number {
  const count = Number(text);
  if (!Number.isInteger(count) || count < 1) throw usage(flag, text, 'a whole number from 1');
  return count;
}

/** What is to be removed. Throws USAGE. */
export function readRedaction(flags: RecordFlags): RedactOptions {
  const text = flags.redact ?? 'auth';
  const capture = flags.capture ?? 'replies';
  if (capture !== 'replies' && capture !== 'args' && capture !== 'keys')
    throw usage('--capture', capture, 'replies, args or keys');
  const glob = /^keys=(.+)$/s.exec(text)?.[1] ?? '';
  if (text !== 'auth' && text !== 'values' && glob === '')
    throw usage('--redact', text, 'auth, values or keys=GLOB');
  const mode = glob !== '' ? 'keys' : text === 'values' ? 'values' : 'auth';
  const rules = flags.settings?.redaction ?? [];
  // Rules alone hash nothing unless they are given a key: the same test recorded again is to give the same file.
  const isHashed = mode !== 'auth' || (rules.length > 0 && flags.redactKeyEnv !== undefined);
  return { mode, glob, key: isHashed ? redactKey(flags.redactKeyEnv) : '', capture, rules };
}

/** The key is given by the environment, for a flag shows in `ps`; without one it is random and gone with the process. */
export function redactKey(name: string | undefined): string {
  if (name === undefined) return randomBytes(32).toString('hex');
  const key = process.env[name];
  if (key === undefined || key === '')
    throw new RmtopError('USAGE', `--redact-key-env ${name}: there is no such variable`, {
      next: [`export ${name}=…`],
    });
  return key;
}

/** `rmtop-20261130-120405.rmtop`, for a recording without a name. */
export function defaultOutput(now: Date): string {
  const text = now.toISOString().replace(/[-:]/g, '').replace('T', '-').slice(0, 15);
  return `rmtop-${text}.rmtop`;
}

/** What is said when a recording has ended: what it holds, and what can be done with it. */
export function closingLines(plan: RecordPlan, totals: WrittenTotals, upstream: string): string[] {
  const { file, writer } = plan;
  if (file === null) return [];
  if (writer.ring !== undefined && totals.parts === 0)
    return [`rmtop: no command fitted --flush-on '${writer.ring.flushOn}': nothing was written`];
  const name = shownName(file);
  return [
    ...(writer.ring === undefined ? [recordedText(plan, totals)] : []), // each file of a ring was told already
    `next:  rmtop cat ${name}`,
    ...(writer.redact.capture === 'keys' ? [] : [`       rmtop replay ${name} -u ${upstream}`]),
  ];
}

function shownName(file: string): string {
  return path.relative('.', file) || file;
}

/** `recorded a.rmtop (4.1 MB, 12,345 commands, …)`. */
export function recordedText({ file, writer }: RecordPlan, totals: WrittenTotals): string {
  const { mode, capture, rules } = writer.redact;
  const facts = [
    sizeText(totals.bytes),
    `${totals.commands.toLocaleString('en-US')} commands`,
    ...(totals.parts > 1 ? [`${totals.parts} parts`] : []),
    capture === 'replies' ? 'values kept' : capture === 'args' ? 'no replies' : 'keys only',
    `${mode === 'auth' ? 'AUTH' : 'values'} redacted${rules.length === 0 ? '' : ` and by ${rules.length} rule${rules.length === 1 ? '' : 's'}`}`,
    ...snapshotFacts(totals),
    ...(totals.cut > 0 ? [`${totals.cut.toLocaleString('en-US')} with large values cut`] : []),
    ...(totals.dropped > 0 ? [`${totals.dropped.toLocaleString('en-US')} NOT recorded`] : []),
  ];
  return `recorded ${shownName(file ?? '-')} (${facts.join(', ')})`;
}

function snapshotFacts({ snapshot }: WrittenTotals): string[] {
  if (snapshot === undefined) return [];
  const { saved, left } = snapshot;
  const notSaved = left === 0 ? '' : `, ${left.toLocaleString('en-US')} NOT saved`;
  return [`a snapshot of ${saved.toLocaleString('en-US')} keys${notSaved}`];
}

/** 4.1 MB */
export function sizeText(bytes: number): string {
  const units = ['bytes', 'kB', 'MB', 'GB', 'TB'];
  let value = bytes;
  let unit = 0;
  for (; value >= 1000 && unit < units.length - 1; unit++) value /= 1000;
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit]}`;
}

export type { RecordWriter };
