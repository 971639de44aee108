/** The command line: the list of subcommands, and how errors are told. */
import { Command, CommanderError } from 'commander';
import { messageOf, RmtopError } from 'rmtop';
import { catCommand } from './commands/cat.js';
import { checkCommand } from './commands/check.js';
import { completionCommand } from './commands/completion.js';
import { configCommand } from './commands/config.js';
import { demoCommand } from './commands/demo.js';
import { diffCommand } from './commands/diff.js';
import { explainCommand } from './commands/explain.js';
import { importCommand } from './commands/import.js';
import { keysCommand } from './commands/keys.js';
import { openCommand } from './commands/open.js';
import { plainCommand } from './commands/plain.js';
import { recordCommand } from './commands/record.js';
import { replayCommand } from './commands/replay.js';
import { resetCommand } from './commands/reset.js';
import { runCommand } from './commands/run.js';
import { serveCommand } from './commands/serve.js';
import { version } from './version.js';

const EXAMPLES = `
Examples:
  rmtop --upstream redis-cluster:6379              proxy on 127.0.0.1:6380 and the screen
  rmtop -u 127.0.0.1:7001 --read-policy PREFER_REPLICA
  rmtop --no-tui --json -u redis:6379 | jq .       one JSON record a command
  rmtop --mesh envoy.yaml                          as the mesh configured by it would (Envoy, Istio, Aeraki)
  rmtop check mesh/ --probe                        what those files come to, and what is wrong with them
  rmtop explain GET cart:{42}:items -u redis:6379  where a command would go, and why
  rmtop run -u redis:6379 -- npm test              a proxy for as long as that runs; it finds it in REDIS_URL
  rmtop demo                                       a cluster, traffic and the screen, from nothing
  rmtop keys                                       the screen's keys; on it, ? and :
  rmtop config                                     settings in force, and where each comes from
`;

/** Parses the command line and runs what it asks for; ends the process with the exit code of what went wrong. */
export async function main(argv: readonly string[]): Promise<void> {
  const program = new Command('rmtop')
    .description(
      "See what the service mesh does with your Redis commands: a debugging proxy that behaves as Envoy's redis_proxy.",
    )
    .version(version(), '--version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .helpCommand('help [command]', 'help for a command')
    .addHelpText('before', EXAMPLES)
    .enablePositionalOptions()
    .showSuggestionAfterError(true)
    .exitOverride();
  plainCommand(program);
  for (const add of [
    checkCommand,
    explainCommand,
    runCommand,
    recordCommand,
    openCommand,
    catCommand,
    replayCommand,
    diffCommand,
    importCommand,
    serveCommand,
    demoCommand,
    keysCommand,
    configCommand,
    completionCommand,
    resetCommand,
  ])
    program.addCommand(add());
  program
    .command('version')
    .description('print the version')
    .action(() => {
      process.stdout.write(`${version()}\n`);
    });
  for (const command of program.commands) command.exitOverride().showSuggestionAfterError(true);
  try {
    await program.parseAsync([...argv]);
  } catch (error) {
    process.exit(tell(error));
  }
}

/** Says what went wrong on stderr; gives the exit code. */
export function tell(error: unknown): number {
  // commander has printed its own message: help and version end well, everything else is usage.
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 64;
  const known = error instanceof RmtopError ? error : new RmtopError('INTERNAL', messageOf(error));
  process.stderr.write(`${known.lines().join('\n')}\n`);
  if (known.code === 'INTERNAL' && error instanceof Error)
    process.stderr.write(`${error.stack ?? ''}\n`);
  return known.exitCode;
}
