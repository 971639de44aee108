/** `rmtop completion SHELL`: the script that makes a shell complete rmtop's command line. */
import { Argument, Command } from 'commander';
import { bashScript } from '../completion/bash.js';
import { fishScript } from '../completion/fish.js';
import { completionSpec, SHELLS, type Shell } from '../completion/spec.js';
import { zshScript } from '../completion/zsh.js';

const SCRIPTS = { bash: bashScript, zsh: zshScript, fish: fishScript } as const;

const HOW = `
  bash   eval "$(rmtop completion bash)"          in ~/.bashrc
  zsh    source <(rmtop completion zsh)           in ~/.zshrc, after compinit
  fish   rmtop completion fish | source           in ~/.config/fish/config.fish`;

/** The subcommand. */
export function completionCommand(): Command {
  return new Command('completion')
    .description('the script that makes a shell complete commands, flags and their values')
    .addArgument(new Argument('<shell>', SHELLS.join(', ')).choices(SHELLS))
    .addHelpText('after', HOW)
    .action((shell: Shell, _flags, command: Command) => {
      const program = command.parent;
      if (program === null) return;
      process.stdout.on('error', () => {}); // whoever read it has gone
      process.stdout.write(SCRIPTS[shell](completionSpec(program)));
    });
}
