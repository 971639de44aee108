/** `rmtop record -o FILE`: the proxy and a recorder, without a screen. */
import { Command as Cli } from 'commander';
import { type AdminFlags, withAdminFlags } from '../admin.js';
import { makeFixture } from '../fixture.js';
import { runHeadless } from '../headless.js';
import { type ProxyFlags, usage, withProxyFlags } from '../options.js';
import { onlyProxy, planOf } from '../plan.js';
import {
  defaultOutput,
  planRecording,
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
        },
    ) => {
      if (flags.fixture === true && (flags.rotate !== undefined || flags.output?.endsWith('.gz')))
        throw usage('--fixture', '', 'one file in .rmtop: neither --rotate nor .gz');
      const planned = planOf(flags);
      const { label } = onlyProxy(planned, 'a recording');
      const { filter } = readLook(flags.filter === undefined ? {} : { filter: flags.filter });
      const record = planRecording(flags, flags.output ?? defaultOutput(new Date()), filter);
      const keeping = { keep: record.keep, hashes: true, ...mirrorTolerances(flags) };
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
