/** The way from flags to the screen, for every command that has one. */
import path from 'node:path';
import type { Command } from 'commander';
import {
  type LoadedMesh,
  type Playback,
  type ProxyHandle,
  parseFilter,
  RmtopError,
  readTolerances,
  type Tolerances,
} from 'rmtop';
import type { KeyChoices } from '../ui/key-table.js';
import type { Replaying } from '../ui/replays.js';
import { type Resolved, usage } from './options.js';
import type { ScreenRecorder } from './screen-recorder.js';
import type { ScreenReplays } from './screen-replays.js';
import { keepSetting } from './settings/keep.js';
import type { Settings } from './settings/read.js';
import { version } from './version.js';

/** What commander gives for the flags that `withScreenFlags` adds. */
export type ScreenFlags = {
  readonly tui?: boolean;
  readonly filter?: string;
  readonly fps?: string;
  readonly color?: string;
  readonly theme?: string;
  readonly symbols?: string;
  readonly mouse?: boolean;
  readonly settings?: Settings;
};

/** How the screen is to look, checked; an empty filter shows everything. */
export type Look = {
  readonly filter: string;
  readonly fps: number;
  readonly color: string;
  readonly theme: Theme | null;
  readonly symbols: Symbols | 'auto';
  readonly mouse: boolean;
  /** The columns to begin with; null: the usual ones. */
  readonly columns: string | null;
  /** What ends a key's prefix; null: a colon. */
  readonly delimiter: string | null;
  readonly filters: Readonly<Record<string, string>>;
  readonly keys: KeyChoices;
  /** What the replies that `=` compares may differ in. */
  readonly tolerances: Tolerances;
  /** The files that settings are kept in; null: none. */
  readonly userFile: string | null;
  readonly projectFile: string | null;
};

/** The values of `--theme` and `--symbols`. */
export const THEMES = ['auto', 'dark', 'light', 'contrast', 'mono'] as const;
type Theme = (typeof THEMES)[number];
export const SYMBOLS = ['braille', 'block', 'ascii'] as const;
type Symbols = (typeof SYMBOLS)[number];

/** What the screen shows values up to; the rest of a larger one is not kept. */
export const SCREEN_KEEP: { readonly value: number; readonly record: number } = {
  value: 16 * 1024,
  record: 256 * 1024,
};

/** Adds the flags that say whether there is a screen, and how it looks. */
export function withScreenFlags(command: Command, filtered = 'what the screen shows'): Command {
  command
    .option('-f, --filter <expression>', filtered)
    .option('--no-tui', 'headless although stdout is a terminal');
  return withLookFlags(command);
}

/** Adds those that say how it looks. */
export function withLookFlags(command: Command): Command {
  return command
    .option('--color <when>', 'auto, always or never')
    .option('--theme <name>', `${THEMES.join(', ')} (default: $RMTOP_THEME, auto)`)
    .option('--symbols <kind>', `what charts are drawn with: auto, ${SYMBOLS.join(', ')}`)
    .option('--mouse', "wheel and clicks; the terminal's own selection needs Shift then")
    .option('--fps <number>', 'frames a second at most, 1 to 20 (default: 10)');
}

/** Checks the flags. Throws USAGE, or FILTER with the column where the expression is wrong. */
export function readLook(flags: ScreenFlags): Look {
  const fps = Number(flags.fps ?? 10);
  if (!(fps >= 1 && fps <= 20)) throw usage('--fps', flags.fps ?? '', 'a number from 1 to 20');
  const color = flags.color ?? 'auto';
  if (!['auto', 'always', 'never'].includes(color))
    throw usage('--color', color, 'auto, always or never');
  const theme = flags.theme === undefined ? null : oneOf('--theme', flags.theme, THEMES);
  const symbols = oneOf('--symbols', flags.symbols ?? 'auto', [...SYMBOLS, 'auto'] as const);
  const mouse = flags.mouse === true;
  const text = flags.filter ?? '';
  const filter = parseFilter(text);
  if (filter.kind === 'filter')
    return { filter: text, fps, color, theme, symbols, mouse, ...fromFiles(flags.settings) };
  throw new RmtopError(
    'FILTER',
    `--filter '${text}': ${filter.message} at column ${filter.column}`,
    {
      why: filter.hint,
      next: ["rmtop -f 'rtt>2ms'"],
    },
  );
}

/** What only files say. */
function fromFiles(
  settings: Settings | undefined,
): Omit<Look, 'filter' | 'fps' | 'color' | 'theme' | 'symbols' | 'mouse'> {
  const columns = settings?.values.get('columns')?.value;
  const delimiter = settings?.values.get('delimiter')?.value;
  return {
    columns: columns === undefined ? null : String(columns),
    delimiter: delimiter === undefined || delimiter === '' ? null : String(delimiter),
    filters: settings?.filters ?? {},
    keys: settings?.keys ?? new Map(),
    tolerances: readTolerances(settings?.tolerances ?? []),
    userFile: settings?.userFile ?? null,
    projectFile: settings?.projectFile ?? null,
  };
}

function oneOf<T extends string>(flag: string, text: string, all: readonly T[]): T {
  const found = all.find((each) => each === text);
  if (found === undefined) throw usage(flag, text, all.join(', '));
  return found;
}

/** The screen needs a terminal on both sides that can do more than print. */
export function wantsScreen(flags: ScreenFlags): boolean {
  const { env, stdin, stdout } = process;
  return (
    flags.tui !== false &&
    stdin.isTTY === true &&
    stdout.isTTY === true &&
    env.TERM !== 'dumb' &&
    !env.CI
  );
}

/** Loads what draws the screen, for those who have to wait for something else anyway. */
export function preloadScreen(): void {
  loadScreen().catch(() => {}); // told when it is to be shown
}

function loadScreen(): Promise<typeof import('../ui/main.js')> {
  return import('../ui/main.js');
}

/** What is shown that is no live traffic, and what can be done from it. */
export type Shown = {
  readonly mesh?: LoadedMesh | null;
  /** A recording that is played, and its files. */
  readonly playback?: Playback;
  readonly files?: readonly string[];
  /** A recording that is sent again. */
  readonly replay?: Replaying;
  readonly replays?: ScreenReplays;
  /** Called when the screen hears what comes. */
  readonly begin?: () => void;
};

/** Shows `proxy` until its user quits, and closes it; gives the exit code. */
export async function showScreen(
  proxy: ProxyHandle,
  resolved: Pick<Resolved, 'config' | 'label'>,
  { filter, userFile, projectFile, ...look }: Look,
  recorder: ScreenRecorder,
  { mesh = null, playback, files = [], replay, replays, begin = () => {} }: Shown = {},
): Promise<number> {
  try {
    const { runScreen } = await loadScreen();
    return await runScreen({
      proxy,
      config: resolved.config,
      label: resolved.label,
      version: version(),
      warnings: warningsOf(mesh),
      filter: filter === '' ? null : filter,
      ...look,
      recordings: recorder,
      playback: playback ?? null,
      files,
      replay: replay ?? null,
      replays: replays ?? null,
      started: begin,
      keep: (where, keys, value) => {
        const file = where === 'user' ? userFile : projectFile;
        return file === null
          ? { kind: 'problem', message: 'there are no settings files here' }
          : keepSetting(file, keys, value);
      },
    });
  } finally {
    await Promise.race([proxy.close(), proxy.died]); // a core that has died closes nothing any more
    await recorder.close();
    const said = [...recorder.said, ...((await replays?.close()) ?? [])];
    if (said.length > 0) process.stderr.write(`${said.join('\n')}\n`);
  }
}

/** What the screen keeps in sight of what is wrong in the files. */
function warningsOf(mesh: LoadedMesh | null): { readonly text: string; readonly next: string }[] {
  return (mesh?.diagnostics ?? [])
    .filter(({ level }) => level !== 'info')
    .map(({ code, file, line, message, consequence, advice }) => ({
      text: `${code}: ${message}${consequence === '' ? '' : `: ${consequence}`} (${path.basename(file)}:${line})`,
      next: advice,
    }));
}
