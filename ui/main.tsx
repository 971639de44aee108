/** The screen's beginning and end: the terminal is taken, and given back whatever happens; the proxy outlives a screen that fails. */
import {
  type MeshConfig,
  type Playback,
  type ProxyHandle,
  parseFilter,
  RmtopError,
  type Tolerances,
} from 'rmtop';
import { perform } from './commands.js';
import { farewell, reportOf, stoppedText } from './exit.js';
import type { KeyChoices } from './key-table.js';
import type { Styling } from './look.js';
import type { Effects, Warning } from './model.js';
import type { Recordings } from './recordings.js';
import type { Replaying, Replays } from './replays.js';
import { Screen } from './screen.js';
import { supportOf } from './terminal/support.js';
import { type Port, processPort, Terminal } from './terminal/terminal.js';
import type { ThemeChoice } from './theme.js';
import { type End, watchProcess } from './watch.js';

/** What the screen is started with. */
export type ScreenOptions = {
  readonly proxy: ProxyHandle;
  readonly config: MeshConfig;
  /** The upstream as the user wrote it. */
  readonly label: string;
  readonly version: string;
  /** What is wrong in the mesh's files, the gravest first. */
  readonly warnings: readonly Warning[];
  /** The filter expression to begin with. */
  readonly filter: string | null;
  readonly color: string;
  readonly fps: number;
  readonly theme: ThemeChoice | null;
  readonly symbols: Styling['symbols'];
  readonly mouse: boolean;
  /** The columns to begin with; null: the usual ones. */
  readonly columns: string | null;
  /** What ends a key's prefix; null: a colon. */
  readonly delimiter: string | null;
  /** Filters by name. */
  readonly filters: Readonly<Record<string, string>>;
  readonly recordings: Recordings;
  /** What is played, of which `proxy` is the source; null: live traffic. */
  readonly playback: Playback | null;
  /** The recording that is sent again, through `proxy`, and that ends with the screen; null: none is. */
  readonly replay: Replaying | null;
  /** The way to send recordings again; null: there is none here. */
  readonly replays: Replays | null;
  /** Of a recording: its files. */
  readonly files: readonly string[];
  /** Called when the screen hears what comes. */
  readonly started: () => void;
  /** Keeps a setting; see `Effects.keep`. */
  readonly keep: Effects['keep'];
  /** Keys that are not the usual ones; they do not contradict each other. */
  readonly keys: KeyChoices;
  /** What compared replies may differ in; left out: the usual. */
  readonly tolerances?: Tolerances;
};

/** Where the screen runs: this process, or a test. */
export type Surroundings = {
  readonly port: Port;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly platform: string;
  /** Dies of the signal that the terminal's end is: Node itself cannot end well without the terminal it began on. */
  readonly hangUp: () => void;
  /** Tells `ended` what ends the screen from outside; gives the way to stop. `leave` is for an end that leaves no time. */
  readonly watch: (ended: (end: End) => void, leave: () => void) => () => void;
  readonly say: (text: string) => void;
};

/** The terminal has gone without a word: as good as this signal. */
const SIGHUP = 1;
/** How long commands in flight may take to finish when the user quits. */
const GRACE_MS = 1000;

/**
 * Runs the screen until the user quits or something ends it; gives the exit code: 0, 128 and the signal's number, or 8 when the core
 * has died. Throws FILTER when the filter to begin with is wrong; the terminal has not been touched then.
 */
export async function runScreen(
  options: ScreenOptions,
  around: Surroundings = thisProcess(),
): Promise<number> {
  const { proxy } = options;
  const filter = parseFilter(options.filter ?? '');
  if (filter.kind === 'problem') {
    await proxy.close();
    throw new RmtopError(
      'FILTER',
      `--filter '${options.filter}': ${filter.message} at column ${filter.column}`,
      { next: [filter.hint === null ? "rmtop -f 'rtt>2ms'" : filter.hint] },
    );
  }
  const startMs = Date.now();
  const terminal = new Terminal(around.port);
  const ends = endings();
  let endShell = (): void => {};
  const unwatch = around.watch(ends.add, () => {
    endShell();
    terminal.leave();
  });
  const forget = around.port.onGone(() => ends.add({ kind: 'signal', number: SIGHUP }));
  void proxy.died.then((error) => ends.add({ kind: 'core', error }));
  const screen = new Screen({
    ...around,
    proxy,
    terminal,
    filter,
    subject: {
      listen: proxy.address,
      config: options.config,
      label: options.label,
      version: options.version,
      warnings: options.warnings,
      files: options.files,
    },
    fps: options.fps,
    support: supportOf(around.env, options.color, options.theme),
    symbols: options.symbols,
    mouse: options.mouse,
    keep: options.keep,
    recordings: options.recordings,
    playback: options.playback,
    replay: options.replay,
    replays: options.replays,
    quit: () => ends.add({ kind: 'quit' }),
    failed: (error) => ends.add({ kind: 'failed', error }),
  });
  endShell = () => void screen.endShell();
  screen.model.keyChoices = options.keys;
  if (options.tolerances !== undefined) screen.model.tolerances = options.tolerances;
  for (const [name, text] of Object.entries(options.filters)) screen.model.saved.set(name, text);
  if (options.columns !== null) perform(screen.model, `columns ${options.columns}`);
  if (options.delimiter !== null) screen.model.feed.tallies.keys.delimiter = options.delimiter;
  try {
    screen.start();
    options.started();
  } catch (error) {
    ends.add({ kind: 'failed', error });
  }
  let end = await ends.next();
  screen.close();
  await screen.endShell();
  terminal.leave();
  if (end.kind === 'failed') {
    const { replay } = options;
    if (replay !== null) {
      around.say(
        `rmtop: screen stopped (${reportOf(end.error, options.version)}); the replay goes on`,
      );
      replay.play();
      void replay.over.then(
        () => ends.add({ kind: 'quit' }),
        () => ends.add({ kind: 'quit' }),
      );
    } else if (options.playback !== null) {
      around.say(`rmtop: screen stopped (${reportOf(end.error, options.version)})`);
      ends.add({ kind: 'quit' });
    } else around.say(stoppedText(proxy, screen.home, reportOf(end.error, options.version)));
    // Clients are not cut because a screen had a bug. What goes wrong from now on is said, and does not end it either.
    do {
      end = await ends.next();
    } while (end.kind === 'failed');
  }
  const code = await finish(end, options, screen, around, startMs);
  forget();
  unwatch();
  if (end.kind === 'signal' && end.number === SIGHUP) around.hangUp();
  return code;
}

/** Closes the proxy and says what it did. */
async function finish(
  end: End,
  { proxy, replay }: ScreenOptions,
  { home: model }: Screen,
  { say }: Surroundings,
  startMs: number,
): Promise<number> {
  if (end.kind === 'core') {
    say(`rmtop: the core has stopped: ${end.error.message}`);
    say(farewell(model, model.feed.meter.latest, Date.now() - startMs));
    return new RmtopError('INTERNAL', '').exitCode;
  }
  await replay?.end();
  const totals = await within(GRACE_MS, proxy.totals(), model.feed.meter.latest);
  await within(GRACE_MS * 2, proxy.close(GRACE_MS), undefined);
  if (model.playback === null && replay === null)
    say(farewell(model, totals, Date.now() - startMs));
  return end.kind === 'signal' ? 128 + end.number : 0;
}

/** What `promise` gives, or `otherwise` if it fails or takes too long. */
async function within<T>(ms: number, promise: Promise<T>, otherwise: T): Promise<T> {
  let timer: NodeJS.Timeout | null = null;
  const late = new Promise<T>((resolve) => {
    timer = setTimeout(() => resolve(otherwise), ms);
  });
  const first = await Promise.race([promise.catch(() => otherwise), late]);
  if (timer !== null) clearTimeout(timer);
  return first;
}

/** What ended, or is to end, the screen, one after the other. */
function endings(): { readonly add: (end: End) => void; readonly next: () => Promise<End> } {
  const queue: End[] = [];
  let wake: () => void = () => {};
  return {
    add: (end) => {
      queue.push(end);
      wake();
    },
    next: async () => {
      for (;;) {
        const end = queue.shift();
        if (end !== undefined) return end;
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    },
  };
}

function thisProcess(): Surroundings {
  return {
    port: processPort(process.stdin, process.stdout),
    env: process.env,
    platform: process.platform,
    hangUp: () => process.kill(process.pid, 'SIGHUP'),
    watch: (ended, leave) => watchProcess(process, ended, leave),
    say: (text) => {
      process.stderr.write(`${text}\n`);
    },
  };
}
