/** `rmtop`: the proxy, with the screen on a terminal, else headless. */
import type { Command } from 'commander';
import { createThreadedProxy, type ProxyOptions, RmtopError } from 'rmtop';
import { RECORD_KEEP, runHeadless } from '../headless.js';
import { type ProxyFlags, type Resolved, resolve, withProxyFlags } from '../options.js';
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
  ScreenFlags & { readonly json?: boolean; readonly quiet?: boolean };

/** Adds the flags of the plain command, and what it does. */
export function runCommand(program: Command): void {
  withScreenFlags(withProxyFlags(program), 'what the screen shows, or --json prints')
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
  const options: ProxyOptions = {
    config: resolved.config,
    dialling: resolved.dialling,
    listen: resolved.listen,
    credentials: null,
    keep: screen ? SCREEN_KEEP : RECORD_KEEP,
    hashes: flags.json === true,
    seed: Math.floor(Math.random() * 0xffffffff),
  };
  if (screen) return showScreen(await createThreadedProxy(options), resolved, look);
  return runHeadless(options, {
    json: flags.json === true,
    quiet: flags.quiet === true,
    filter: look.filter,
  });
}
