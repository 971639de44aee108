/** `rmtop cat FILE…`: prints recordings. */
import { Command as Cli } from 'commander';
import {
  type Entry,
  EXPORTERS,
  type Exporter,
  headerOf,
  Redactor,
  RmtopError,
  redactedEntry,
  removesMore,
  Selection,
} from 'rmtop';
import { catFaults } from '../cat-faults.js';
import { readFixture } from '../fixture.js';
import { conflict, usage } from '../options.js';
import { readRedaction } from '../record-flags.js';
import { filterOf, Output, openFile, say, sayCondition } from '../recording-files.js';
import { withSettings } from '../settings/apply.js';
import type { Settings } from '../settings/read.js';

type Flags = {
  readonly filter?: string;
  readonly skip?: boolean;
  readonly strict?: boolean;
  readonly fixture?: boolean;
  readonly latency?: boolean;
  readonly redact?: string;
  readonly redactKeyEnv?: string;
  readonly faults?: string;
  readonly settings?: Settings;
} & Readonly<Record<string, unknown>>;

export function catCommand(): Cli {
  const command = new Cli('cat')
    .description('print recordings; - is stdin')
    .argument('<file...>', 'recordings, .rmtop, .rmtop.gz or .rmtop.zst')
    .option('-f, --filter <expression>', 'only the commands that fit')
    .option('--skip', 'leave out commands that cannot be exported whole')
    .option(
      '--redact <what>',
      'remove values, those of keys=GLOB, or with auth only what the rules of rmtop.yaml say: what --json prints can be shared',
    )
    .option(
      '--redact-key-env <name>',
      'the variable with the key that equal values are hashed with',
    )
    .option('--strict', 'a damaged line is an error')
    .option('--faults <form>', 'mesh: the fault rules as an Aeraki RedisService, where they fit')
    .option('--fixture', 'a recording for git: without what the machine and the moment put into it')
    .option('--latency', 'with --fixture: keep durations');
  for (const { name, help } of EXPORTERS) if (name !== 'text') command.option(`--${name}`, help);
  return withSettings(command, []).action(async (files: string[], flags: Flags) => {
    const exporter = exporterOf(flags);
    if (flags.faults !== undefined) {
      checkFaults(flags, exporter);
      await catFaults(files, flags.strict === true, new Output());
      return;
    }
    const clean = cleaner(flags);
    const out = new Output();
    if (flags.fixture === true) {
      await catFixture(files, exporter, flags, clean, out);
      return;
    }
    if (flags.latency === true) throw usage('--latency', '', 'used with --fixture');
    if (exporter.document !== undefined && files.length > 1)
      throw usage(`--${exporter.name}`, files.join(' '), 'made of one recording');
    if (exporter.head !== '') await out.write(exporter.head);
    for (const file of files) if (!(await cat(file, exporter, flags, clean, out))) return;
  });
}

/** Throws USAGE for what makes no sense beside `--faults`. */
function checkFaults(flags: Flags, { name }: Exporter): void {
  if (flags.faults !== 'mesh') throw usage('--faults', flags.faults ?? '', 'mesh');
  const beside = [
    ...(name === 'text' ? [] : [name]),
    ...['filter', 'skip', 'fixture', 'latency', 'redact'].filter((each) => each in flags),
  ];
  if (beside[0] !== undefined)
    throw conflict(`--${beside[0]}`, '--faults', '--faults prints rules, no commands');
}

/** Takes out of entries what `--redact` says. */
function cleaner(flags: Flags): (entry: Entry) => Entry {
  const { redact, redactKeyEnv, settings } = flags;
  if (redact === undefined) return (entry) => entry;
  const asked = {
    redact,
    ...(redactKeyEnv === undefined ? {} : { redactKeyEnv }),
    ...(settings === undefined ? {} : { settings }),
  };
  const options = readRedaction(asked);
  if (!removesMore(options)) return (entry) => entry; // passwords are in no recording
  const redactor = new Redactor(options);
  const header = headerOf(options, redactKeyEnv !== undefined);
  return (entry) => redactedEntry(entry, redactor, header);
}

function exporterOf(flags: Flags): Exporter {
  const asked = EXPORTERS.filter(({ name }) => flags[camel(name)] === true);
  if (asked.length > 1)
    throw usage(
      `--${asked[1]?.name ?? ''}`,
      '',
      `one form; --${asked[0]?.name ?? ''} is given as well`,
    );
  const [exporter = EXPORTERS[0]] = asked;
  if (exporter === undefined) throw new RmtopError('INTERNAL', 'no exporter');
  return exporter;
}

function camel(name: string): string {
  return name.replace(/-(.)/g, (_all, letter: string) => letter.toUpperCase());
}

async function catFixture(
  files: readonly string[],
  exporter: Exporter,
  flags: Flags,
  clean: (entry: Entry) => Entry,
  out: Output,
): Promise<void> {
  const [file = '', ...more] = files;
  if (more.length > 0) throw usage('--fixture', '', 'made of one recording');
  if (exporter.name !== 'text' && exporter.name !== 'json')
    throw usage(`--${exporter.name}`, '', 'one form; --fixture is given as well');
  const { lines, summary } = await readFixture(file, {
    filter: filterOf(flags.filter),
    strict: flags.strict === true,
    latency: flags.latency === true,
    clean,
  });
  for (const line of lines) if (!(await out.write(`${line}\n`))) return;
  sayCondition(file, summary);
}

/** False once nobody reads any more. */
async function cat(
  file: string,
  exporter: Exporter,
  flags: Flags,
  clean: (entry: Entry) => Entry,
  out: Output,
): Promise<boolean> {
  const reader = await openFile(file, flags.strict === true);
  const selection = new Selection(reader, filterOf(flags.filter));
  const document = exporter.document?.();
  const printer = document ?? exporter;
  let skipped = 0;
  for await (const entries of reader.batches()) {
    const pieces: (string | Buffer)[] = [];
    for (const entry of entries) {
      if (!selection.wants(entry)) continue;
      try {
        const piece = printer.entry(clean(entry));
        if (piece !== null) pieces.push(piece);
      } catch (error) {
        if (flags.skip !== true || !(error instanceof RmtopError)) throw error;
        skipped++;
      }
    }
    if (!(await writeAll(out, pieces))) return false;
  }
  if (document !== undefined && !(await out.write(document.end()))) return false;
  if (skipped > 0) say(`rmtop: ${file}: ${skipped} commands left out: they are not all there`);
  sayCondition(file, reader.summary());
  return true;
}

function writeAll(out: Output, pieces: readonly (string | Buffer)[]): Promise<boolean> {
  if (pieces.length === 0) return Promise.resolve(true);
  if (pieces.every((piece) => typeof piece === 'string')) return out.write(pieces.join(''));
  return out.write(
    Buffer.concat(pieces.map((piece) => (typeof piece === 'string' ? Buffer.from(piece) : piece))),
  );
}
