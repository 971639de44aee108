/** Settings files: found, read and checked. A project's `rmtop.yaml` is looked for upward from the working directory. */
import { existsSync, readFileSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';
import {
  nearest,
  parseFilter,
  type RedactRule,
  RmtopError,
  type ToleranceRule,
  type ToleranceSource,
} from 'rmtop';
import { isMap, isScalar, isSeq, LineCounter, type Node, parseDocument } from 'yaml';
import {
  type Action,
  actionNamed,
  conflictIn,
  type KeyChoices,
  type KeyProblem,
  keyNamed,
} from '../../ui/key-table.js';
import { readRedactionList, readToleranceList, type WrongAt } from './rules.js';
import { hasPassword, isSecretName } from './secrets.js';
import {
  FILTERS,
  KEYS,
  REDACTION,
  SETTINGS,
  type Setting,
  settingOf,
  TOLERANCES,
} from './table.js';

type Env = Readonly<Record<string, string | undefined>>;

/** A value and the file that says it. */
export type Said = {
  readonly value: string | boolean | readonly string[];
  readonly file: string;
  readonly line: number;
};

/** Everything that the files say; what the project says comes before what the user does. */
export type Settings = {
  /** Those that there are, first the one that wins. */
  readonly files: readonly string[];
  readonly values: ReadonlyMap<string, Said>;
  readonly filters: Readonly<Record<string, string>>;
  /** What replies may differ in: the user's first, then the project's. */
  readonly tolerances: ToleranceSource;
  /** What is taken out of recordings, by either file. */
  readonly redaction: readonly RedactRule[];
  /** The user's keys, by what they do; each does one thing. */
  readonly keys: KeyChoices;
  /** Where the screen keeps what it is told to keep: for the user, and for the project. */
  readonly userFile: string;
  readonly projectFile: string;
};

/** Where to look: the flags of the command line, or the usual places. */
export type Where = { readonly config?: string | boolean };

const PROJECT = 'rmtop.yaml';
const MOST_BYTES = 1024 * 1024;

export function userFile(env: Env): string {
  const base = env.XDG_CONFIG_HOME || path.join(env.HOME || homedir(), '.config');
  return path.join(base, 'rmtop', 'config.yaml');
}

/** Reads the files. Throws FILE_UNREADABLE, and SETTINGS with file, line and column where one is wrong. */
export function readSettings({ config }: Where, env: Env, cwd: string): Settings {
  const user = userFile(env);
  const named = typeof config === 'string' ? config : env.RMTOP_CONFIG || null;
  const files =
    config === false
      ? []
      : named !== null
        ? [path.resolve(cwd, named)]
        : [projectFile(cwd), existsSync(user) ? user : null].filter((file) => file !== null);
  const said: Sayings = {
    values: new Map(),
    filters: {},
    keys: new Map(),
    tolerances: [],
    redaction: [],
  };
  // The user's own first, so that the project's come over them.
  for (const file of files.toReversed()) readFile(file, said);
  const { values, filters, keys, tolerances, redaction } = said;
  const project = named === null ? projectFile(cwd) : path.resolve(cwd, named);
  return {
    files,
    values,
    filters,
    tolerances,
    redaction,
    keys: choicesOf(keys),
    userFile: user,
    projectFile: project ?? path.join(cwd, PROJECT),
  };
}

function projectFile(cwd: string): string | null {
  for (let folder = path.resolve(cwd); ; folder = path.dirname(folder)) {
    const file = path.join(folder, PROJECT);
    if (existsSync(file)) return file;
    if (path.dirname(folder) === folder) return null;
  }
}

/** What has been read so far. */
type Sayings = {
  readonly values: Map<string, Said>;
  readonly filters: Record<string, string>;
  readonly keys: SaidKeys;
  readonly tolerances: (string | ToleranceRule)[];
  readonly redaction: RedactRule[];
};

function readFile(file: string, said: Sayings): void {
  const lines = new LineCounter();
  const text = textOf(file);
  const document = parseDocument(text, { lineCounter: lines });
  const wrong = (at: number, message: string, next: readonly string[] = []): RmtopError => {
    const { line, col } = lines.linePos(at);
    return new RmtopError('SETTINGS', `${file}:${line}:${col}: ${message}`, {
      next: next.length > 0 ? next : ['rmtop config --schema', 'rmtop --no-config'],
    });
  };
  const [problem] = document.errors;
  if (problem !== undefined) {
    const what = problem.message.split('\n')[0]?.replace(/ at line.*$/, '') ?? '';
    throw wrong(problem.pos[0], `${what}${quotesMissing(text, lines, problem.pos[0])}`);
  }
  if (document.contents === null) return;
  if (!isMap(document.contents)) throw wrong(0, 'not a map of settings');
  for (const { key, value } of document.contents.items) {
    const at = (key as Node).range?.[0] ?? 0;
    const name = isScalar(key) ? String(key.value) : '';
    if (readList(name, value as Node | null, at, said, wrong)) continue;
    const setting = settingOf(name);
    if (setting === undefined) throw unknown(name, at, wrong);
    const found = readValue(setting, value as Node | null, file, (message) => wrong(at, message));
    if (hasPassword(String(found)))
      throw wrong(at, `${name} has a password in it, and files are shared`, SECRETS);
    said.values.set(name, { value: found, file, line: lines.linePos(at).line });
  }
}

/** `path: [3].name` begins a list to YAML. */
function quotesMissing(text: string, lines: LineCounter, at: number): string {
  const line = text.split('\n')[lines.linePos(at).line - 1] ?? '';
  return /\bpath:\s*\[/.test(line) ? ": a path needs quotes, as '[3].name'" : '';
}

/** What has a map or a list of its own; false for any other setting. */
function readList(
  name: string,
  node: Node | null,
  at: number,
  said: Sayings,
  wrong: WrongAt,
): boolean {
  switch (name) {
    case FILTERS:
      readFilters(node, at, said.filters, wrong);
      return true;
    case KEYS:
      readKeys(node, at, said.keys, wrong);
      return true;
    case TOLERANCES:
      said.tolerances.push(...readToleranceList(node, at, wrong));
      return true;
    case REDACTION:
      said.redaction.push(...readRedactionList(node, at, wrong));
      return true;
    default:
      return false;
  }
}

const SECRETS = ['REDISCLI_AUTH=... rmtop', 'auth-file: FILE'];

function unknown(name: string, at: number, wrong: WrongAt): RmtopError {
  if (isSecretName(name)) return wrong(at, `${name}: secrets are not kept in settings`, SECRETS);
  const near = nearest(name, [
    ...SETTINGS.map((each) => each.name),
    FILTERS,
    KEYS,
    TOLERANCES,
    REDACTION,
  ]);
  return wrong(at, `there is no setting ${name}${near === null ? '' : `, did you mean ${near}?`}`);
}

function textOf(file: string): string {
  try {
    if (statSync(file).size > MOST_BYTES)
      throw new RmtopError('SETTINGS', `${file} is larger than any settings are`);
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (error instanceof RmtopError) throw error;
    const { code } = error as NodeJS.ErrnoException;
    throw new RmtopError('FILE_UNREADABLE', `cannot read the settings ${file}: ${code}`, {
      next: ['rmtop --config FILE', 'rmtop --no-config'],
    });
  }
}

function readValue(
  setting: Setting,
  node: Node | null,
  file: string,
  wrong: (message: string) => RmtopError,
): Said['value'] {
  if (isSeq(node)) {
    if (!setting.many) throw wrong(`${setting.name} is one value, not a list`);
    return node.items.map((item) => {
      const one = oneOf(setting, item as Node, file, wrong);
      if (typeof one === 'boolean') throw wrong(`${setting.name} has true or false in its list`);
      return one;
    });
  }
  const one = oneOf(setting, node, file, wrong);
  if (!setting.many || typeof one === 'boolean') return one;
  return setting.name === 'columns' ? one.split(/[\s,]+/) : [one];
}

function oneOf(
  { name, kind, choices }: Setting,
  node: Node | null,
  file: string,
  wrong: (message: string) => RmtopError,
): string | boolean {
  const value = isScalar(node) ? node.value : undefined;
  if (kind === 'flag') {
    if (typeof value !== 'boolean') throw wrong(`${name} is true or false`);
    return value;
  }
  if (typeof value !== 'string' && typeof value !== 'number')
    throw wrong(`${name} is ${kind === 'number' ? 'a number' : 'a word'}`);
  if (kind === 'number' && typeof value !== 'number') throw wrong(`${name} is a number`);
  // As it was written: 1.40 is not 1.4.
  const text =
    (isScalar(node) && typeof value === 'number' ? node.source : undefined) ?? String(value);
  if (choices.length > 0 && !choices.includes(text))
    throw wrong(`${name} is one of ${choices.join(', ')}`);
  return kind === 'path' && text !== '-' ? path.resolve(path.dirname(file), text) : text;
}

/** Keys as files say them, with the way to say that one is wrong, and where. */
type SaidKeys = Map<
  Action,
  { readonly names: readonly string[]; readonly wrong: (problem: KeyProblem) => RmtopError }
>;

/** Those that contradict each other are found when all files are read: each may be right in its own. */
function choicesOf(said: SaidKeys): KeyChoices {
  const choices: KeyChoices = new Map([...said].map(([action, { names }]) => [action, names]));
  const conflict = conflictIn(choices);
  const where = conflict === null ? undefined : said.get(conflict.action);
  if (conflict !== null && where !== undefined) throw where.wrong(conflict);
  return choices;
}

function readKeys(node: Node | null, at: number, keys: SaidKeys, wrong: WrongAt): void {
  if (!isMap(node)) throw wrong(at, `${KEYS} is a map: an action and its key, or a list of keys`);
  for (const { key, value } of node.items) {
    const where = (key as Node).range?.[0] ?? at;
    const tell = ({ problem, next }: KeyProblem): RmtopError =>
      wrong(where, problem, next === '' ? ['rmtop keys'] : [next, 'rmtop keys']);
    const action = actionNamed(String(isScalar(key) ? key.value : key));
    if (typeof action !== 'string') throw tell(action);
    const items = isSeq(value) ? (value.items as Node[]) : [value as Node | null];
    const names = items.map((item) => {
      const text = isScalar(item) ? (item.source ?? item.value) : null;
      if (typeof text !== 'string' || text === '')
        throw tell({ problem: `${action} has no key`, next: `${action}: '#' # signs need quotes` });
      const name = keyNamed(text);
      if (typeof name !== 'string') throw tell(name);
      return name;
    });
    keys.set(action, { names, wrong: tell });
  }
}

function readFilters(
  node: Node | null,
  at: number,
  filters: Record<string, string>,
  wrong: WrongAt,
): void {
  if (!isMap(node)) throw wrong(at, `${FILTERS} is a map: a name and an expression each`);
  for (const { key, value } of node.items) {
    const where = (key as Node).range?.[0] ?? at;
    const text = isScalar(value) ? value.value : undefined;
    if (typeof text !== 'string') throw wrong(where, 'a filter is an expression: text');
    const parsed = parseFilter(text);
    if (parsed.kind === 'problem')
      throw wrong(where, `${parsed.message} at column ${parsed.column} of the filter`);
    filters[String(isScalar(key) ? key.value : key)] = text;
  }
}
