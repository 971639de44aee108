/** `rmtop reset`: gives a terminal back that a killed rmtop has left in its own state. */
import { Command } from 'commander';
import { RESTORE } from '../../ui/terminal/restore.js';

export function resetCommand(): Command {
  return new Command('reset')
    .description('restore the terminal after rmtop was killed')
    .action(() => {
      process.stdout.write(RESTORE);
    });
}
