/** Completion for bash, 3.2 (of macOS) and later. */
import type { CommandSpec, OptionSpec, Values } from './spec.js';

/** The script, for `eval "$(rmtop completion bash)"`. */
export function bashScript(spec: readonly CommandSpec[]): string {
  const [plain, ...subcommands] = spec;
  const names = subcommands.map(({ name }) => name).join(' ');
  const takesValue = new Set(
    spec.flatMap(({ options }) =>
      options.filter(({ values }) => values !== null).flatMap((option) => option.names),
    ),
  );
  return `# bash completion for rmtop: eval "$(rmtop completion bash)", or a file in bash-completion's folder
_rmtop_words() {
  local IFS=$' \\t\\n'
  COMPREPLY=( $(compgen -W "$1" -- "$cur") )
}
_rmtop_files() {
  local IFS=$'\\n'
  compopt -o filenames 2>/dev/null
  COMPREPLY=( $(compgen -f -- "$cur") )
}
_rmtop() {
  local cur prev command='' i word
  COMPREPLY=()
  cur=\${COMP_WORDS[COMP_CWORD]}
  prev=\${COMP_WORDS[COMP_CWORD-1]}
  # bash breaks words at =
  if [[ $cur == = ]]; then cur=''
  elif [[ $prev == = ]]; then prev=\${COMP_WORDS[COMP_CWORD-2]}
  fi
  for (( i = 1; i < COMP_CWORD; i++ )); do
    word=\${COMP_WORDS[i]}
    case $word in
      ${[...takesValue].join('|')}) (( i++ )); [[ \${COMP_WORDS[i]} == = ]] && (( i++ )) ;;
      -*|=) ;;
      *) command=$word; break ;;
    esac
  done
  case $command in
${subcommands.map((command) => clause(command, '')).join('\n')}
${plain === undefined ? '' : clause({ ...plain, arguments: { kind: 'words', words: [names] } }, '*')}
  esac
}
complete -F _rmtop rmtop
`;
}

function clause(command: CommandSpec, pattern: string): string {
  const { options } = command;
  const flags = options.flatMap(({ names }) => names).join(' ');
  const values = options
    .filter((option): option is OptionSpec & { values: Values } => option.values !== null)
    .map(({ names, values: own }) => `        ${names.join('|')}) ${action(own)}; return ;;`);
  return `    ${pattern === '' ? command.name : pattern})
      case $prev in
${values.join('\n')}
        *) ;;
      esac
      if [[ $cur == -* ]]; then _rmtop_words '${flags}'
      else ${action(command.arguments)}
      fi ;;`;
}

function action(values: Values): string {
  switch (values.kind) {
    case 'files':
      return '_rmtop_files';
    case 'words':
      return `_rmtop_words '${values.words.join(' ')}'`;
    case 'unknown':
      return ':';
  }
}
