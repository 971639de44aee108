/** `rmtop run -- CMD`: a proxy for as long as a command runs, which finds it in REDIS_URL. */
import { Command as Cli } from 'commander';
import { clientUrl, RECORD_KEEP } from 'rmtop';
import { type AdminFlags, withAdminFlags } from '../admin.js';
import { runChild } from '../child.js';
import { makeFixture } from '../fixture.js';
import { runHeadless } from '../headless.js';
import { type ProxyFlags, usage, withProxyFlags } from '../options.js';
import { onlyProxy, type Planned, planOf } from '../plan.js';
import {
  planFixture,
  type RecordFlags,
  type RecordPlan,
  withRecordFlags,
} from '../record-flags.js';
import { readLook } from '../screen.js';
import { mirrorTolerances, type SettingsFlags, withSettings } from '../settings/apply.js';

type Flags = ProxyFlags &
  AdminFlags &
  RecordFlags &
  SettingsFlags & {
    readonly filter?: string;
    readonly fixture?: boolean;
    readonly quiet?: boolean;
  };

export function runCommand(): Cli {
  const command = new Cli('run')
    .description(
      'proxy while a command runs, on a free port that it finds in REDIS_URL; exits with its code',
    )
    .argument('<command...>', 'the command and its arguments, after --')
    .passThroughOptions();
  withSettings(withRecordFlags(withAdminFlags(withProxyFlags(command))), ['proxy'])
    .option('-f, --filter <expression>', 'with --output: record only the commands that fit')
    .option('--fixture', 'with --output: in the form for git')
    .option('-q, --quiet', 'say nothing but what goes wrong');
  return command.action(async (words: readonly string[], flags: Flags) => {
    const isGiven = command.getOptionValueSource('listen') === 'cli';
    const planned = isGiven ? planOf(flags) : onFreePort(flags);
    const { label, credentials } = onlyProxy(planned, 'what a command runs with');
    const record = recordingOf(flags);
    process.exitCode = await runHeadless(
      planned,
      {
        keep: record?.keep ?? RECORD_KEEP,
        hashes: record !== null,
        ...mirrorTolerances(flags),
      },
      {
        json: null,
        record,
        quiet: flags.quiet === true,
        label,
        meanwhile: (address) => {
          const login =
            credentials === null ? '' : loginOf(credentials.username, credentials.passwords);
          const url = clientUrl(address, login);
          return runChild(words, { ...process.env, REDIS_URL: url, RMTOP_URL: url });
        },
      },
    );
    if (flags.fixture === true && record !== null && record.file !== null)
      await makeFixture(record.file);
  });
}

/** The port that files, settings and the environment wish for is the application's, not each test run's. */
function onFreePort(flags: Flags): Planned {
  const { listen: _listen, ...others } = flags;
  const hasFiles = (flags.mesh ?? []).length > 0;
  const planned = planOf(hasFiles ? others : { ...others, listen: '127.0.0.1:0' });
  return { ...planned, proxies: planned.proxies.map((each) => ({ ...each, ports: [0] })) };
}

function recordingOf(flags: Flags): RecordPlan | null {
  const { output } = flags;
  const { filter } = readLook(flags.filter === undefined ? {} : { filter: flags.filter });
  if (output !== undefined) return planFixture(flags, output, filter);
  for (const flag of ['ring', 'filter', 'fixture'] as const)
    if (flags[flag] !== undefined)
      throw usage(`--${flag}`, String(flags[flag]), 'used with --output FILE');
  return null;
}

function loginOf(username: string | null, [password = '']: readonly string[]): string {
  return `${encodeURIComponent(username ?? '')}:${encodeURIComponent(password)}@`;
}
