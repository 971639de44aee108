/** `rmtop`: the proxy, with the screen on a terminal, else headless. */
import type { Command } from 'commander';
import { createThreadedProxy, type ProxyOptions, RmtopError } from 'rmtop';
import { attach, runHeadless } from '../headless.js';
import { type ProxyFlags, type Resolved, resolve, withProxyFlags } from '../options.js';
import {
  closingLines,
  planRecording,
  RECORD_KEEP,
  type RecordFlags,
  withRecordFlags,
} from '../record-flags.js';
import {
  readLook,
  SCREEN_KEEP,
  type ScreenFlags,
  showScreen,
  wantsScreen,
  withScreenFlags,
} from '../screen.js';

/** What commander gives for the flags of the plain command. */
export type RunFlags = ProxyFlags &
  RecordFlags &
  ScreenFlags & { readonly json?: boolean; readonly quiet?: boolean };

/** Adds the flags of the plain command, and what it does. */
export function runCommand(program: Command): void {
  withRecordFlags(
    withScreenFlags(withProxyFlags(program), 'what the screen shows, or --json prints'),
  )
    .option('--json', 'headless: one JSON record a command on stdout')
    .option('-q, --quiet', 'headless: no summary lines')
    .allowExcessArguments(true)
    .action(async (flags: RunFlags) => {
      const [word] = program.args;
      if (word !== undefined) throw noSuchCommand(word, program);
      process.exitCode = await run(resolve(flags), flags);
    });
}

function noSuchCommand(word: string, program: Command): RmtopError {
  const names = program.commands.map((command) => command.name()).join(', ');
  return new RmtopError('USAGE', `rmtop has no command '${word}'`, {
    why: `there are: ${names}`,
    next: ['rmtop --help'],
  });
}

/** Runs the proxy until it is told to end; gives the exit code. */
export async function run(resolved: Resolved, flags: RunFlags): Promise<number> {
  const screen = flags.json !== true && wantsScreen(flags);
  const look = readLook(flags);
  // What the screen hides, or --json leaves out, is still recorded: the filter is theirs.
  const record = flags.output === undefined ? null : planRecording(flags, flags.output, '');
  const json = flags.json === true ? planRecording(flags, null, look.filter) : null;
  const plan = record ?? json;
  const options = proxyOptions(
    resolved,
    plan?.keep ?? (screen ? SCREEN_KEEP : RECORD_KEEP),
    plan !== null,
  );
  if (!screen)
    return runHeadless(options, {
      json,
      record,
      quiet: flags.quiet === true,
      label: resolved.label,
    });
  const proxy = await createThreadedProxy(options);
  if (record === null) return showScreen(proxy, resolved, look);
  const { writer, stop } = attach(proxy, record, () => {});
  try {
    return await showScreen(proxy, resolved, look);
  } finally {
    stop();
    const totals = await writer.end('quit');
    if (totals !== null)
      process.stderr.write(`${closingLines(record, totals, resolved.label).join('\n')}\n`);
  }
}

/** What a proxy is made of, from flags. */
export function proxyOptions(
  resolved: Resolved,
  keep: ProxyOptions['keep'],
  hashes: boolean,
): ProxyOptions {
  return {
    config: resolved.config,
    dialling: resolved.dialling,
    listen: resolved.listen,
    credentials: null,
    keep,
    hashes,
    seed: Math.floor(Math.random() * 0xffffffff),
  };
}
