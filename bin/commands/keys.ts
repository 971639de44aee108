/** `rmtop keys`: the keys of the screen, from the table that binds them. */
import { Command } from 'commander';
import { table } from '../table.js';

type KeysFlags = { readonly json?: boolean };

/** The subcommand. */
export function keysCommand(): Command {
  return new Command('keys')
    .description('the keys of the screen, and the commands of its palette')
    .option('--json', 'one JSON object a key or command')
    .action(async (flags: KeysFlags) => {
      const lines = flags.json === true ? await asJson() : await asText();
      process.stdout.on('error', () => {}); // whoever read it has gone
      process.stdout.write(`${lines.join('\n')}\n`);
    });
}

type Line = {
  readonly section: string;
  readonly keys: readonly string[];
  readonly help: string;
};

async function lines(): Promise<readonly Line[]> {
  const { KEYS, shownKey } = await import('../../ui/keys.js');
  const { COMMANDS } = await import('../../ui/commands.js');
  return [
    ...KEYS.map(({ section, keys, help }) => ({ section, keys: keys.map(shownKey), help })),
    ...COMMANDS.map(({ name, usage, help }) => ({
      section: 'Palette',
      keys: [`:${name} ${usage}`.trim()],
      help,
    })),
  ];
}

async function asJson(): Promise<string[]> {
  return (await lines()).map((line) => JSON.stringify(line));
}

async function asText(): Promise<string[]> {
  const all = await lines();
  const rows = all.map(({ section, keys, help }, i) => [
    all[i - 1]?.section === section ? '' : section,
    keys.join('  '),
    help,
  ]);
  return table([{ title: 'WHERE' }, { title: 'KEY' }, { title: 'WHAT IT DOES' }], rows);
}
