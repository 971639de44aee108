/** What can be completed: read off the command line's own definition, so that no flag is missing and none is there that is not. */
import type { Command, Option } from 'commander';
import { FIELDS, FLAGS, READ_POLICIES } from 'rmtop';
import { IMPORT_NAMES } from '../commands/import.js';
import { SYMBOLS, THEMES } from '../screen.js';

/** What may stand in a place: files, words of a list, or what nobody can know. */
export type Values =
  | { readonly kind: 'files' }
  | { readonly kind: 'words'; readonly words: readonly string[] }
  | { readonly kind: 'unknown' };

/** `names`: `-u` and `--upstream`; `values` null: it takes none. */
export type OptionSpec = {
  readonly names: readonly string[];
  readonly help: string;
  readonly values: Values | null;
};

/** A subcommand, or, with an empty name, the plain command. */
export type CommandSpec = {
  readonly name: string;
  readonly help: string;
  readonly options: readonly OptionSpec[];
  readonly arguments: Values;
};

export const SHELLS = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof SHELLS)[number];

const FILES: Values = { kind: 'files' };
const UNKNOWN: Values = { kind: 'unknown' };

function words(all: readonly string[]): Values {
  return { kind: 'words', words: all };
}

/** What options with these names take, where their placeholder does not tell. */
const VALUES: Readonly<Record<string, Values>> = {
  '--read-policy': words(READ_POLICIES),
  '--theme': words(THEMES),
  '--symbols': words(['auto', ...SYMBOLS]),
  '--color': words(['auto', 'always', 'never']),
  '--protocol-version': words(['RESP2', 'RESP3']),
  '--filter': words([...Object.keys(FIELDS), ...Object.keys(FLAGS)]),
  '--mesh': FILES,
};

/** Where a flag of a subcommand's own takes words. */
const OWN_VALUES: Readonly<Record<string, Values>> = {
  'import --from': words(IMPORT_NAMES),
  'cat --faults': words(['mesh']),
  'serve --faults': words(['none', 'recorded']),
  'serve --auth': words(['any', 'recorded']),
  'serve --mode': words(['none', 'once', 'new', 'all']),
  'serve --on-miss': words(['error', 'nil', 'close', 'hang', 'forward=', 'record=']),
  'serve --match': words(['strict', 'key', 'loose']),
  'serve --exhausted': words(['auto', 'last', 'error', 'loop']),
  'serve --latency': words(['none', 'recorded']),
};

/** What stands behind these subcommands. */
const ARGUMENTS: Readonly<Record<string, Values>> = {
  completion: words(SHELLS),
  cat: FILES,
  check: FILES,
  diff: FILES,
  import: FILES,
  replay: FILES,
  run: FILES,
  serve: FILES,
};

/** The plain command, then each subcommand. */
export function completionSpec(program: Command): readonly CommandSpec[] {
  const names = program.commands.map((command) => command.name());
  return [
    { ...specOf(program), name: '', arguments: UNKNOWN },
    ...program.commands.map(specOf),
    {
      name: 'help',
      help: 'help for a command',
      options: [],
      arguments: words(names),
    },
  ];
}

function specOf(command: Command): CommandSpec {
  const name = command.name();
  return {
    name,
    help: command.description(),
    options: [
      ...command.options
        .filter((option) => !option.hidden)
        .map((option) => optionSpec(option, name)),
      { names: ['-h', '--help'], help: 'print this help', values: null },
    ],
    arguments: ARGUMENTS[name] ?? UNKNOWN,
  };
}

function optionSpec(option: Option, of: string): OptionSpec {
  const names = [option.short, option.long].filter((name) => name !== undefined);
  const placeholder = /[<[]([^>\]]*)[>\]]/.exec(option.flags)?.[1];
  const isFile = placeholder !== undefined && /\b(file|path|folder|dir)\b/.test(placeholder);
  return {
    names,
    help: option.description,
    values:
      placeholder === undefined
        ? null
        : (OWN_VALUES[`${of} ${option.long ?? ''}`] ??
          VALUES[option.long ?? ''] ??
          (option.argChoices === undefined ? null : words(option.argChoices)) ??
          (isFile ? FILES : UNKNOWN)),
  };
}
