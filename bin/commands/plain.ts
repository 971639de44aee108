/** `rmtop`: the proxy, with the screen on a terminal, else headless. */
import type { Command } from 'commander';
import {
  createThreadedProxy,
  diagnosticLines,
  type ProxyHandle,
  RECORD_KEEP,
  RmtopError,
} from 'rmtop';
import { type AdminFlags, adminLine, withAdminFlags } from '../admin.js';
import { runHeadless } from '../headless.js';
import { type ProxyFlags, usage, withProxyFlags } from '../options.js';
import { onlyProxy, type Planned, planOf } from '../plan.js';
import { planRecording, type RecordFlags, withRecordFlags } from '../record-flags.js';
import {
  readLook,
  SCREEN_KEEP,
  type ScreenFlags,
  showScreen,
  wantsScreen,
  withScreenFlags,
} from '../screen.js';
import { ScreenRecorder } from '../screen-recorder.js';
import { ScreenReplays } from '../screen-replays.js';
import { mirrorTolerances, type SettingsFlags, withSettings } from '../settings/apply.js';
import { startProxies } from '../start.js';

/** What commander gives for the flags of the plain command. */
type PlainFlags = ProxyFlags &
  AdminFlags &
  RecordFlags &
  SettingsFlags &
  ScreenFlags & { readonly json?: boolean; readonly quiet?: boolean };

/** Adds the flags of the plain command, and what it does. */
export function plainCommand(program: Command): void {
  const flagged = withRecordFlags(
    withScreenFlags(
      withAdminFlags(withProxyFlags(program)),
      'what the screen shows, or --json prints',
    ),
  );
  withSettings(flagged, ['proxy', 'screen'])
    .option('--json', 'headless: one JSON record a command on stdout')
    .option('-q, --quiet', 'headless: no summary lines')
    .allowExcessArguments(true)
    .action(async (flags: PlainFlags) => {
      const [word] = program.args;
      if (word !== undefined) throw noSuchCommand(word, program);
      process.exitCode = await run(planOf(flags), flags);
    });
}

function noSuchCommand(word: string, program: Command): RmtopError {
  const names = program.commands.map((command) => command.name()).join(', ');
  return new RmtopError('USAGE', `rmtop has no command '${word}'`, {
    why: `there are: ${names}`,
    next: ['rmtop --help'],
  });
}

/** Runs what was planned until it is told to end; gives the exit code. */
async function run(planned: Planned, flags: PlainFlags): Promise<number> {
  const screen = flags.json !== true && wantsScreen(flags);
  const look = readLook(flags);
  // What the screen hides, or --json leaves out, is still recorded: the filter is theirs.
  if (flags.output === undefined && flags.ring !== undefined)
    throw usage('--ring', flags.ring, 'used with --output FILE');
  const record = flags.output === undefined ? null : planRecording(flags, flags.output, '');
  const json = flags.json === true ? planRecording(flags, null, look.filter) : null;
  const plan = record ?? json;
  if (plan !== null) onlyProxy(planned, 'a recording');
  const keeping = {
    keep: plan?.keep ?? (screen ? SCREEN_KEEP : RECORD_KEEP),
    hashes: plan !== null,
    ...mirrorTolerances(flags),
  };
  const label = planned.proxies[0]?.label ?? '';
  if (!screen)
    return runHeadless(planned, keeping, { json, record, quiet: flags.quiet === true, label });
  const running = await startProxies(planned, keeping, createThreadedProxy);
  const [shown, ...others] = running.proxies;
  for (const file of flags.settings?.files ?? [])
    shown.proxy.note('info', `settings are of ${file}`, null);
  tell(shown.proxy, planned);
  for (const { proxy, planned: other } of others)
    shown.proxy.note(
      'info',
      `${other.name} is on ${proxy.address.host}:${proxy.address.port}; this screen shows ${shown.planned.name}`,
      `rmtop --service ${other.name} shows it instead`,
    );
  if (running.admin !== null) shown.proxy.note('info', adminLine(running.admin), null);
  const recorder = new ScreenRecorder(shown.proxy, label, keeping.keep, flags);
  if (record !== null) recorder.begin(record);
  try {
    return await showScreen(shown.proxy, shown.planned, look, recorder, {
      mesh: planned.mesh,
      replays: new ScreenReplays(flags),
    });
  } finally {
    await running.close();
  }
}

/** Into the log: a finding of the files is one entry, with what to do about it. */
function tell(proxy: ProxyHandle, { mesh, notes }: Planned): void {
  const findings = (mesh?.diagnostics ?? []).filter(({ level }) => level !== 'info');
  const told = new Set(findings.flatMap(diagnosticLines));
  for (const { level, code, file, line, message, advice } of findings)
    proxy.note(level, `${file}:${line} [${code}] ${message}`, advice === '' ? null : advice);
  for (const note of notes) if (!told.has(note)) proxy.note('warning', note, null);
}
