/** Completion for fish. */
import type { CommandSpec, OptionSpec, Values } from './spec.js';

/** The script, for `~/.config/fish/completions/rmtop.fish`, or `rmtop completion fish | source`. */
export function fishScript(spec: readonly CommandSpec[]): string {
  const [plain, ...subcommands] = spec;
  const names = subcommands.map(({ name }) => name).join(' ');
  const lines = [
    '# fish completion for rmtop',
    'complete -c rmtop -f',
    ...subcommands.map(
      ({ name, help }) =>
        `complete -c rmtop -n __fish_use_subcommand -a ${name} -d ${quoted(help)}`,
    ),
    ...(plain?.options ?? []).map((option) =>
      optionLine(option, `not __fish_seen_subcommand_from ${names}`),
    ),
    ...subcommands.flatMap(({ name, options, arguments: values }) => [
      ...options.map((option) => optionLine(option, `__fish_seen_subcommand_from ${name}`)),
      ...(values.kind === 'unknown'
        ? []
        : [`complete -c rmtop -n '__fish_seen_subcommand_from ${name}'${action(values)}`]),
    ]),
  ];
  return `${lines.join('\n')}\n`;
}

function optionLine({ names, help, values }: OptionSpec, condition: string): string {
  const flags = names.map((name) =>
    name.startsWith('--') ? `-l ${name.slice(2)}` : `-s ${name.slice(1)}`,
  );
  const value = values === null ? '' : values.kind === 'files' ? ' -r -F' : ` -x${action(values)}`;
  return `complete -c rmtop -n '${condition}' ${flags.join(' ')}${value} -d ${quoted(help)}`;
}

function action(values: Values): string {
  switch (values.kind) {
    case 'files':
      return ' -F';
    case 'words':
      return ` -a ${quoted(values.words.join(' '))}`;
    case 'unknown':
      return '';
  }
}

function quoted(text: string): string {
  return `'${text.replace(/[\\']/g, '\\$&')}'`;
}
