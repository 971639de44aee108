/** `rmtop keys`: the keys of the screen, from the table that binds them. */
import { Command } from 'commander';
import { chosenRows, type KeyChoices, shownKey } from '../../ui/key-table.js';
import { readSettings } from '../settings/read.js';
import { table } from '../table.js';

type KeysFlags = { readonly json?: boolean; readonly config?: string | boolean };

/** The subcommand. */
export function keysCommand(): Command {
  return new Command('keys')
    .description('the keys of the screen, and the commands of its palette')
    .option('--json', 'one JSON object a key or command')
    .option('--config <file>', 'with the keys of this settings file only')
    .option('--no-config', 'as they are built in')
    .action(async (flags: KeysFlags) => {
      const { keys } = readSettings(flags, process.env, process.cwd());
      const all = await linesOf(keys);
      const lines = flags.json === true ? all.map((line) => JSON.stringify(line)) : asText(all);
      process.stdout.on('error', () => {}); // whoever read it has gone
      process.stdout.write(`${lines.join('\n')}\n`);
    });
}

type Line = {
  readonly section: string;
  /** What `keys:` in the settings, and the palette, call it. */
  readonly action: string;
  readonly keys: readonly string[];
  readonly help: string;
};

async function linesOf(choices: KeyChoices): Promise<readonly Line[]> {
  const { COMMANDS } = await import('../../ui/commands.js');
  return [
    ...chosenRows(choices).map(({ action, section, keys, help }) => ({
      section,
      action,
      keys: keys.map(shownKey),
      help,
    })),
    ...COMMANDS.map(({ name, usage, help }) => ({
      section: 'Palette',
      action: name,
      keys: [`:${name} ${usage}`.trim()],
      help,
    })),
  ];
}

function asText(all: readonly Line[]): string[] {
  const rows = all.map(({ section, action, keys, help }, i) => [
    all[i - 1]?.section === section ? '' : section,
    keys.join('  '),
    action,
    help,
  ]);
  return table(
    [{ title: 'WHERE' }, { title: 'KEY' }, { title: 'ACTION' }, { title: 'WHAT IT DOES' }],
    rows,
  );
}
