/** `rmtop explain COMMAND…`: what the mesh would do with a command, without sending it. */
import { Command as Cli } from 'commander';
import {
  Command,
  compileConfig,
  decide,
  explain,
  RmtopError,
  seededRng,
  type Topology,
} from 'rmtop';
import { discover } from '../discover.js';
import { type ProxyFlags, resolve, withProxyFlags } from '../options.js';

export function explainCommand(): Cli {
  const command = new Cli('explain')
    .description(
      'print where a command would go, and why; nothing is sent but the question for the topology',
    )
    .argument('<command...>', 'the command and its arguments, or a key alone')
    .option('--seed <number>', 'for the draws of random choices')
    .option('--json', 'print the Decision as JSON')
    .passThroughOptions(false);
  withProxyFlags(command);
  return command.action(
    async (
      words: string[],
      flags: ProxyFlags & { readonly json?: boolean; readonly seed?: string },
    ) => {
      const { config, dialling, label } = resolve({ ...flags, listen: '127.0.0.1:0' });
      const found = await discover(config, dialling);
      if (found.topology === null) {
        throw new RmtopError('UPSTREAM_UNREACHABLE', `cannot ask ${label} for its topology`, {
          why: found.why,
          next: found.next === null ? [] : [found.next],
        });
      }
      process.stdout.write(`${text(words, config, found.topology, flags).join('\n')}\n`);
    },
  );
}

function text(
  words: readonly string[],
  config: Parameters<typeof compileConfig>[0],
  topology: Topology,
  flags: { readonly json?: boolean; readonly seed?: string },
): string[] {
  // One word that is no command is taken for a key.
  const alone = words.length === 1 && Command.of(words).spec === undefined;
  const command = Command.of(alone ? ['GET', ...words] : words);
  const decision = decide(
    command,
    topology,
    compileConfig(config),
    seededRng(Number(flags.seed ?? Date.now())),
  );
  if (flags.json) return [JSON.stringify(decision, null, 2)];
  return [
    command.argv.map((arg) => arg.toString()).join(' '),
    ...explain(command, decision, topology, config).map(
      (line) => `  ${line.stage.padEnd(8)}${line.text}`,
    ),
  ];
}
