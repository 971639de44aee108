/** Completion for zsh. */
import type { CommandSpec, OptionSpec, Values } from './spec.js';

/** The script, for a file `_rmtop` in a folder of $fpath, or `source <(rmtop completion zsh)`. */
export function zshScript(spec: readonly CommandSpec[]): string {
  const [plain, ...subcommands] = spec;
  const described = subcommands
    .map(({ name, help }) => `    ${quoted(`${name}:${help.replaceAll(':', '\\:')}`)}`)
    .join('\n');
  return `#compdef rmtop
_rmtop_commands() {
  local -a commands
  commands=(
${described}
  )
  _describe -t commands 'command' commands
}
_rmtop() {
  local curcontext=$curcontext state line
  typeset -A opt_args
  _arguments -C -s -A '-*' \\
${argumentLines(plain?.options ?? [])}
    '1: :_rmtop_commands' \\
    '*:: :->rest' && return
  [[ $state == rest ]] || return
  case $line[1] in
${subcommands.map(clause).join('\n')}
  esac
}
if [[ $funcstack[1] == _rmtop ]]; then _rmtop "$@"; else compdef _rmtop rmtop; fi
`;
}

function clause({ name, options, arguments: values }: CommandSpec): string {
  // A place of which nothing is known is left out: for one that is named, zsh shows the name and inserts nothing.
  const more = values.kind === 'unknown' ? [] : [quoted(`*: :${action(values)}`)];
  const specs = [...options.map(argumentSpec), ...more];
  return `    ${name})
      _arguments -s -S \\
${specs.map((each) => `        ${each}`).join(' \\\n')} ;;`;
}

function argumentLines(options: readonly OptionSpec[]): string {
  return options.map((option) => `        ${argumentSpec(option)} \\`).join('\n');
}

/** \`'(-u --upstream)'{-u,--upstream}'[help]:value:action'\` */
function argumentSpec({ names, help, values }: OptionSpec): string {
  const text = help.replace(/[[\]:]/g, '\\$&');
  const value = values === null ? '' : `:value:${action(values)}`;
  // Most may be given again; telling which may not is the command's own business.
  return names
    .map((name) =>
      quoted(
        `*${name}${values === null ? '' : name.startsWith('--') ? '=' : '+'}[${text}]${value}`,
      ),
    )
    .join(' ');
}

function action(values: Values): string {
  switch (values.kind) {
    case 'files':
      return '_files';
    case 'words':
      return `(${values.words.join(' ')})`;
    case 'unknown':
      return ' ';
  }
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
