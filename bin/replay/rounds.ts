/** Sends a script once or several times, each time with the servers prepared for it. */
import {
  dialSocket,
  dueBySeq,
  encodeRequest,
  PROCESS_CLOCK,
  Replay,
  type ReplayItem,
  type ReplayItems,
  type ReplayLink,
  type ReplayOptions,
  type ReplayOutcome,
  type ReplayReport,
  type ReplayResult,
  roundSuffix,
  withoutSuffix,
} from 'rmtop';
import type { Say } from '../recording-files.js';
import type { Repetition, ReplayFlags } from './flags.js';
import { type Preparation, prepareServers } from './prepare.js';
import { commandText, requestText, type Script } from './script.js';
import { Stepper } from './step.js';
import type { Target } from './target.js';

/** What is sent where, and who hears of it. */
export type RoundsNeeds = {
  readonly script: Script;
  readonly flags: ReplayFlags;
  readonly options: ReplayOptions;
  readonly report: ReplayReport;
  readonly target: Target;
  readonly say: Say;
  /** A round begins. */
  readonly began: (replay: Replay, items: ReplayItems, round: number) => void;
  readonly answered: (result: ReplayResult, command: string, round: number) => void;
};

/** All rounds of a replay. */
export class Rounds {
  private readonly needs: RoundsNeeds;
  private current: Replay | null = null;
  private isOver = false;

  constructor(needs: RoundsNeeds) {
    this.needs = needs;
  }

  /** Runs them until they are over, or `interrupted`: then what is on its way is still waited for. */
  async run(
    { times, loopMs, varies }: Repetition,
    interrupted: AbortSignal | null,
  ): Promise<ReplayOutcome> {
    const stop = (): void => {
      this.isOver = true;
      this.current?.stop();
    };
    const timer = loopMs === null ? undefined : setTimeout(stop, loopMs);
    interrupted?.addEventListener('abort', stop);
    const { script, report } = this.needs;
    const outcomes: ReplayOutcome[] = [];
    try {
      for (let round = 1; round <= times && !this.isOver; round++) {
        report.round = round;
        if (round > 1) script.faults?.again();
        await this.prepare(round, varies);
        outcomes.push(await this.round(round, varies));
        // An empty recording would go round for ever without anybody else getting a turn.
        await new Promise((resolve) => setImmediate(resolve));
      }
    } finally {
      clearTimeout(timer);
      interrupted?.removeEventListener('abort', stop);
    }
    return together(outcomes);
  }

  /** Rounds with keys of their own find the servers as the first one did: what was put there for it is not touched. */
  private async prepare(round: number, varies: boolean): Promise<void> {
    const { flags, script, target, report, say } = this.needs;
    const isFirst = round === 1 || !varies;
    const isAllowed = flags.allowWrites === true;
    const prepared = await prepareServers(target, {
      flush: flags.flush === true && isFirst,
      load: isFirst ? (flags.load ?? null) : null,
      start: script.start,
      snapshot: this.snapshot(round, varies),
      suffix: varies ? roundSuffix(round) : null,
      scripts: script.scripts.sources,
      isAllowed: target.dialled.length === 0 || isAllowed || script.writes === 0,
      isFirst: round === 1,
      say,
    });
    report.snapshot = prepared.snapshot;
    report.scripts = { loaded: prepared.scripts, missing: script.scripts.missing };
  }

  private snapshot(round: number, varies: boolean): Preparation['snapshot'] {
    const { script, options } = this.needs;
    if (script.snapshot === null) return null;
    return { state: script.snapshot, due: dueBySeq(script.items(round, varies), options) };
  }

  private round(round: number, varies: boolean): Promise<ReplayOutcome> {
    const { script, options, report, began, answered } = this.needs;
    const items = script.items(round, varies);
    const suffix = varies ? roundSuffix(round) : null;
    const stepper = options.byStep === true ? new Stepper(items, textOf) : null;
    const replay = new Replay(
      items,
      this.dialler(round),
      suffix === null
        ? options
        : { ...options, translate: (reply) => withoutSuffix(reply, suffix) },
      PROCESS_CLOCK,
      (result) => {
        const text = textOf(result.item);
        report.add(result, text);
        stepper?.answered(result, text);
        answered(result, text, round);
      },
    );
    this.current = replay;
    if (this.isOver) replay.stop();
    began(replay, items, round);
    stepper?.begin(replay);
    return replay.run().finally(() => {
      stepper?.end();
      this.current = null;
    });
  }

  private dialler(round: number): ConstructorParameters<typeof Replay>[1] {
    const { script, target } = this.needs;
    const { address, routes } = target;
    return (connection, reply, closed): ReplayLink => {
      const greeting = script.resp3.has(connection) ? encodeRequest(['HELLO', '3']) : null;
      const routed = routes?.link(connection, round, greeting !== null);
      const link = dialSocket(
        { ...address, greeting },
        (localPort) => routed && routes?.opened(routed, localPort),
        reply,
        closed,
      );
      return {
        send(bytes, items = []) {
          if (routed !== undefined) routes?.sent(routed, items);
          link.send(bytes, items);
        },
        close: () => link.close(),
      };
    };
  }
}

function textOf({ recorded, command }: ReplayItem): string {
  return recorded === null ? requestText(command.argv) : commandText(recorded);
}

/** Several rounds as one. */
function together(outcomes: readonly ReplayOutcome[]): ReplayOutcome {
  const sum = (of: (outcome: ReplayOutcome) => number): number =>
    outcomes.reduce((total, outcome) => total + of(outcome), 0);
  return {
    sent: sum(({ sent }) => sent),
    connections: sum(({ connections }) => connections),
    durationMs: sum(({ durationMs }) => durationMs),
    unorderedFrom:
      outcomes.find(({ unorderedFrom }) => unorderedFrom !== null)?.unorderedFrom ?? null,
    closed: outcomes.flatMap(({ closed }) => closed),
  };
}
