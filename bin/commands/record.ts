/** `rmtop record -o FILE`: the proxy and a recorder, without a screen. */
import { Command as Cli } from 'commander';
import { RmtopError } from 'rmtop';
import { type AdminFlags, withAdminFlags } from '../admin.js';
import { makeFixture } from '../fixture.js';
import { runHeadless } from '../headless.js';
import { type ProxyFlags, withProxyFlags } from '../options.js';
import { onlyProxy, planOf } from '../plan.js';
import {
  defaultOutput,
  outputOrStdout,
  planFixture,
  type RecordFlags,
  withRecordFlags,
} from '../record-flags.js';
import { readLook } from '../screen.js';
import { mirrorTolerances, type SettingsFlags, withSettings } from '../settings/apply.js';

export function recordCommand(): Cli {
  const command = new Cli('record').description(
    'proxy and write everything into a file, without a screen, until ctrl-c',
  );
  withSettings(withRecordFlags(withAdminFlags(withProxyFlags(command))), ['proxy'])
    .option('-f, --filter <expression>', 'record only the commands that fit')
    .option('--fixture', 'in the form for git: without what the machine and the moment put into it')
    .option(
      '--snapshot',
      'save what a key holds before the first command on it, so that a replay can put it back: one question more a key for the servers, values up to 1 MiB, 5,000 keys a second in the long run',
    )
    .option('-q, --quiet', 'no summary lines');
  return command.action(
    async (
      flags: ProxyFlags &
        AdminFlags &
        RecordFlags &
        SettingsFlags & {
          readonly filter?: string;
          readonly quiet?: boolean;
          readonly fixture?: boolean;
          readonly snapshot?: boolean;
        },
    ) => {
      const snapshot = flags.snapshot === true;
      if (snapshot) checkSnapshot(flags);
      const planned = planOf(flags);
      const { label } = onlyProxy(planned, 'a recording');
      const { filter } = readLook(flags.filter === undefined ? {} : { filter: flags.filter });
      const output = outputOrStdout(flags, flags.output ?? defaultOutput(new Date()));
      const record = planFixture(flags, output, filter);
      const keeping = { keep: record.keep, hashes: true, snapshot, ...mirrorTolerances(flags) };
      process.exitCode = await runHeadless(planned, keeping, {
        json: null,
        record,
        quiet: flags.quiet === true,
        label,
      });
      if (flags.fixture === true && record.file !== null) await makeFixture(record.file);
    },
  );
}

/** What a snapshot does not go with, and why. */
const APART: readonly (readonly [
  flag: 'redact' | 'capture' | 'filter' | 'ring' | 'rotate',
  of: RegExp,
  why: string,
])[] = [
  ['redact', /^values$/, 'every value would be left out'],
  ['capture', /^(?:args|keys)$/, 'what servers hold is left out'],
  ['filter', /./, 'a command that is left out may change what was saved'],
  ['ring', /./, 'a key is saved once, and may be what the ring has let go'],
  ['rotate', /./, 'a key is saved once, and may be in a part before'],
];

/** Throws USAGE for flags that a snapshot does not go with. */
function checkSnapshot(flags: RecordFlags & { readonly filter?: string }): void {
  for (const [flag, of, why] of APART)
    if (of.test(flags[flag] ?? ''))
      throw new RmtopError('USAGE', `--snapshot does not go with --${flag} ${flags[flag] ?? ''}`, {
        why,
        next: ['rmtop record --help'],
      });
}
