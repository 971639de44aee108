/** One replay from its flags to its outcome; says nothing on stdout. */
import {
  type Replay,
  type ReplayItems,
  type ReplayOptions,
  type ReplayOutcome,
  ReplayReport,
  type ReplayResult,
  readTolerances,
} from 'rmtop';
import { type Say, say } from '../recording-files.js';
import {
  connectionsOf,
  optionsOf,
  type ReplayFlags,
  rangeOf,
  repetitionOf,
  withFaultFile,
} from './flags.js';
import { Rounds } from './rounds.js';
import type { Routed } from './routes.js';
import { readScript, type Script } from './script.js';
import { directTarget, meshTarget, refuseWrites, type Target } from './target.js';

/** What a replay came to. */
export type Replayed = {
  readonly report: ReplayReport;
  readonly outcome: ReplayOutcome;
  readonly script: Script;
  readonly exitCode: 0 | 1 | 2;
};

/** Who watches a replay, and what hears of it. */
export type ReplayWatcher = {
  readonly say: Say;
  readonly began: (replay: Replay, items: ReplayItems, round: number) => void;
  readonly answered: (result: ReplayResult, command: string, round: number) => void;
  readonly routed: (routed: Routed) => void;
};

const NOBODY: ReplayWatcher = { say, began: () => {}, answered: () => {}, routed: () => {} };

/** A replay that could begin: the recording is read, the servers are there, and what it sends is allowed. */
export type OpenedReplay = {
  readonly script: Script;
  readonly options: ReplayOptions;
  readonly report: ReplayReport;
  readonly target: Target;
  /** Sends everything; `interrupted` ends it early. Throws what preparing the servers throws. */
  run(interrupted: AbortSignal | null): Promise<ReplayOutcome>;
  /** Closes the data plane: then the report has all that it will ever have. */
  close(): Promise<void>;
};

/** 0 all the same, 1 something differs, 2 it could not be completed. */
export function exitCodeOf(report: ReplayReport, outcome: ReplayOutcome): 0 | 1 | 2 {
  return outcome.closed.length > 0 ? 2 : report.exitCode;
}

/** Opens the replay of `file`, as flags say. Throws what reading, connecting or forbidden writes throw. */
export async function openReplay(
  file: string,
  given: ReplayFlags,
  watcher: ReplayWatcher = NOBODY,
): Promise<OpenedReplay> {
  const flags = withFaultFile(given);
  const range = rangeOf(flags);
  const asked = optionsOf(flags);
  const repetition = repetitionOf(flags);
  const made = {
    strictHousekeeping: flags.strictHousekeeping === true,
    skipBlocking: flags.skipBlocking === true,
    password: process.env.REDISCLI_AUTH ?? null,
    faults: flags.faults === 'recorded',
    seedState: flags.seedState === true,
    snapshot: flags.snapshot,
    asForwarded: flags.asForwarded === true,
    connections: connectionsOf(flags),
  };
  const script = await readScript(file, range, made, watcher.say);
  sayLimits(script, watcher.say);
  // Whatever is asked for: parts that were taken out of the recording cannot be compared.
  const removed = readTolerances(script.removed, asked.tolerances);
  const options = { ...asked, tolerances: removed };
  const report = new ReplayReport(options.tolerances.latency);
  const target = await (flags.direct === true
    ? directTarget(flags)
    : meshTarget(script, flags, report, watcher.routed));
  try {
    const put = (script.start?.commands().length ?? 0) + (script.snapshot?.size ?? 0);
    const writes = script.writes + put;
    refuseWrites(writes, target.dialled, flags.allowWrites === true, flags.load ?? null);
  } catch (error) {
    await target.close();
    throw error;
  }
  const rounds = new Rounds({ script, flags, options, report, target, ...watcher });
  return {
    script,
    options,
    report,
    target,
    run: (interrupted) => rounds.run(repetition, interrupted),
    close: () => target.close(),
  };
}

/**
 * Sends the recording `file` again as flags say; `interruption` gives what ends it early, asked for when sending begins. Throws what
 * reading, connecting or forbidden writes throw.
 */
export async function replayRecording(
  file: string,
  given: ReplayFlags,
  interruption: (() => AbortSignal) | null = null,
): Promise<Replayed> {
  const opened = await openReplay(file, given);
  try {
    const outcome = await opened.run(interruption?.() ?? null);
    await opened.close();
    const { report, script } = opened;
    return { report, outcome, script, exitCode: exitCodeOf(report, outcome) };
  } finally {
    await opened.close();
  }
}

/** What is not done as it was recorded. */
function sayLimits({ faulted, faults, edited, unfolded }: Script, note: Say): void {
  if (faulted > 0 && faults === null)
    note(
      `rmtop: ${faulted} commands had been hit by faults: their replies are not compared; --faults recorded repeats them`,
    );
  if (edited > 0)
    note(
      `rmtop: ${edited} commands had been edited: they are sent as they were received, and not compared; --as-forwarded sends what they became`,
    );
  if (unfolded > 0)
    note(
      `rmtop: ${unfolded} connections keep one of their own: they watch, subscribe, block or select`,
    );
}
