/** `rmtop import FILE --from monitor|aof|resp`: commands that were written down elsewhere become a recording. */
import { basename } from 'node:path';
import { Command as Cli } from 'commander';
import { IMPORT_FORMATS, importCommands } from 'rmtop';
import { usage } from '../options.js';
import { planRecording, type RecordFlags, sizeText } from '../record-flags.js';
import { say } from '../recording-files.js';
import { withSettings } from '../settings/apply.js';

type Flags = Pick<
  RecordFlags,
  'output' | 'force' | 'redact' | 'redactKeyEnv' | 'full' | 'settings'
> & {
  readonly from?: string;
  readonly lua?: boolean;
};

export function importCommand(): Cli {
  const forms = IMPORT_FORMATS.map(({ name, help }) => `${name} (${help})`).join(', ');
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
  const format = IMPORT_FORMATS.find(({ name }) => name === flags.from);
  if (format === undefined)
    throw usage('--from', flags.from ?? '', IMPORT_FORMATS.map(({ name }) => name).join(', '));
  const scripts = flags.lua === true;
  if (scripts && format.name !== 'monitor') throw usage('--lua', '', 'used with --from monitor');
  const output = flags.output ?? `${file === '-' ? 'stdin' : basename(file)}.rmtop`;
  const { writer } = planRecording(flags, output, '');
  const options = { ...writer, header: { ...writer.header, src: format.name } };
  const nowMs = (): number => performance.now();
  const { totals, notes } = await importCommands(format, file, options, nowMs, { scripts });
  for (const [why, count] of notes.skipped) say(`rmtop: left out: ${count} ${why}`);
  say(
    `imported ${totals.commands.toLocaleString('en-US')} commands into ${output} (${sizeText(totals.bytes)})`,
  );
  say(
    `next:  rmtop replay ${output} -u HOST:PORT        replies are not known, so none is compared`,
  );
}
