/** `rmtop import FILE --from monitor|aof|resp`: commands that were written down elsewhere become a recording. */
import { rmSync, statSync } from 'node:fs';
import { basename } from 'node:path';
import { Command as Cli } from 'commander';
import {
  besideOf,
  IMPORT_FORMATS,
  importCommands,
  importHar,
  replaceBy,
  type WriterOptions,
} from 'rmtop';
import { usage } from '../options.js';
import { outputOrStdout, planRecording, type RecordFlags, sizeText } from '../record-flags.js';
import { say, sayCondition } from '../recording-files.js';
import { withSettings } from '../settings/apply.js';

const HAR = 'har';
/** What `--from` takes. */
export const IMPORT_NAMES: readonly string[] = [...IMPORT_FORMATS.map(({ name }) => name), HAR];

type Flags = Pick<
  RecordFlags,
  'output' | 'force' | 'redact' | 'redactKeyEnv' | 'full' | 'settings'
> & {
  readonly from?: string;
  readonly lua?: boolean;
};

export function importCommand(): Cli {
  const forms = [
    ...IMPORT_FORMATS.map(({ name, help }) => `${name} (${help})`),
    'har (what rmtop cat --har printed)',
  ].join(', ');
  return withSettings(new Cli('import'), [])
    .description('make a recording of commands that were written down elsewhere')
    .argument('<file>', 'what to read; - is stdin')
    .requiredOption('--from <form>', forms)
    .option('--lua', 'with --from monitor: commands that scripts ran become notes')
    .option('-o, --output <file>', 'the recording (default: FILE.rmtop)')
    .option('--force', 'replace the file if it exists')
    .option('--redact <what>', 'auth, values or keys=GLOB (default: auth); rules are in rmtop.yaml')
    .option(
      '--redact-key-env <name>',
      'the variable with the key that equal values are hashed with',
    )
    .option('--full', 'keep values of any size')
    .action(async (file: string, flags: Flags) => {
      await run(file, flags);
    });
}

async function run(file: string, flags: Flags): Promise<void> {
  if (flags.from === HAR) {
    await runHar(file, flags);
    return;
  }
  const format = IMPORT_FORMATS.find(({ name }) => name === flags.from);
  if (format === undefined) throw usage('--from', flags.from ?? '', IMPORT_NAMES.join(', '));
  const scripts = flags.lua === true;
  if (scripts && format.name !== 'monitor') throw usage('--lua', '', 'used with --from monitor');
  const output = outputOf(file, flags);
  const { totals, notes } = await making(flags, output, (writer) =>
    importCommands(
      format,
      file,
      { ...writer, header: { ...writer.header, src: format.name } },
      nowMs,
      { scripts },
    ),
  );
  for (const [why, count] of notes.skipped) say(`rmtop: left out: ${count} ${why}`);
  sayImported(totals, output);
  say(
    `next:  rmtop replay ${output} -u HOST:PORT        replies are not known, so none is compared`,
  );
}

/** A recording again, replies and all. */
async function runHar(file: string, flags: Flags): Promise<void> {
  if (flags.lua === true) throw usage('--lua', '', 'used with --from monitor');
  const output = outputOf(file, flags);
  const { summary, bytes } = await making(flags, output, (writer) =>
    importHar(file, writer, nowMs),
  );
  sayCondition(file, summary);
  sayImported({ commands: summary.commands, bytes }, output);
}

/** Writes `output` by `write`. What could not be imported leaves no empty recording behind, and one that was there as it was. */
async function making<T>(
  flags: Flags,
  output: string,
  write: (writer: WriterOptions) => Promise<T>,
): Promise<T> {
  const isReplaced = flags.force === true && isFile(output);
  const made = isReplaced ? besideOf(output) : output;
  const { writer } = planRecording(flags, outputOrStdout(flags, made), '');
  try {
    const done = await write(writer);
    if (isReplaced) replaceBy(made, output);
    return done;
  } catch (error) {
    if (writer.sink.kind === 'file') rmSync(made, { force: true });
    throw error;
  }
}

/** Not a device or a pipe: those are written to, never replaced or removed. */
function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() === true;
}

function outputOf(file: string, { output }: Flags): string {
  return output ?? `${file === '-' ? 'stdin' : basename(file)}.rmtop`;
}

function nowMs(): number {
  return performance.now();
}

function sayImported(
  { commands, bytes }: { readonly commands: number; readonly bytes: number },
  output: string,
): void {
  const into = output === '-' ? '' : ` into ${output}`;
  say(`imported ${commands.toLocaleString('en-US')} commands${into} (${sizeText(bytes)})`);
}
