/** One replay from its flags to its outcome; says nothing on stdout. */
import {
  type Access,
  dialSocket,
  encodeRequest,
  isLoopback,
  PROCESS_CLOCK,
  Replay,
  type ReplayItem,
  type ReplayLink,
  type ReplayOptions,
  type ReplayOutcome,
  ReplayReport,
  roundSuffix,
  seededRng,
  withoutSuffix,
} from 'rmtop';
import { type Resolved, resolve } from '../options.js';
import { say } from '../recording-files.js';
import {
  connectionsOf,
  optionsOf,
  type Repetition,
  type ReplayFlags,
  rangeOf,
  repetitionOf,
  withFaultFile,
} from './flags.js';
import { replayMesh } from './mesh.js';
import { prepareServers, type Servers } from './prepare.js';
import { Routes } from './routes.js';
import { commandText, readScript, requestText, type Script } from './script.js';
import { Stepper } from './step.js';
import { refuseWrites, startPlane } from './target.js';

/** What a replay came to. */
export type Replayed = {
  readonly report: ReplayReport;
  readonly outcome: ReplayOutcome;
  readonly script: Script;
  readonly exitCode: 0 | 1 | 2;
};

/**
 * Sends the recording `file` again as flags say; `interruption` gives what ends it early, asked for when sending begins. Throws what
 * reading, connecting or forbidden writes throw.
 */
export async function replayRecording(
  file: string,
  given: ReplayFlags,
  interruption: (() => AbortSignal) | null = null,
): Promise<Replayed> {
  const flags = withFaultFile(given);
  const range = rangeOf(flags);
  const options = optionsOf(flags);
  const repetition = repetitionOf(flags);
  const script = await readScript(file, range, {
    strictHousekeeping: flags.strictHousekeeping === true,
    skipBlocking: flags.skipBlocking === true,
    password: process.env.REDISCLI_AUTH ?? null,
    faults: flags.faults === 'recorded',
    seedState: flags.seedState === true,
    asForwarded: flags.asForwarded === true,
    connections: connectionsOf(flags),
  });
  sayLimits(script);
  const report = new ReplayReport(options.tolerances.latency);
  const target = await (flags.direct === true
    ? directTarget(flags)
    : meshTarget(script, flags, report));
  try {
    const writes = script.writes + (script.start?.commands().length ?? 0);
    refuseWrites(writes, target.dialled, flags.allowWrites === true, flags.load ?? null);
    const rounds = new Rounds(script, flags, options, report, target);
    const outcome = await rounds.run(repetition, interruption?.() ?? null);
    await target.close();
    return { report, outcome, script, exitCode: outcome.closed.length > 0 ? 2 : report.exitCode };
  } finally {
    await target.close();
  }
}

/** What is not done as it was recorded. */
function sayLimits({ faulted, faults, edited, unfolded }: Script): void {
  if (faulted > 0 && faults === null)
    say(
      `rmtop: ${faulted} commands had been hit by faults: their replies are not compared; --faults recorded repeats them`,
    );
  if (edited > 0)
    say(
      `rmtop: ${edited} commands had been edited: they are sent as they were received, and not compared; --as-forwarded sends what they became`,
    );
  if (unfolded > 0)
    say(
      `rmtop: ${unfolded} connections keep one of their own: they watch, subscribe, block or select`,
    );
}

/** Where commands are sent to, and what is behind it. */
type Target = Servers & {
  /** Servers on other machines need a permission. */
  readonly dialled: readonly string[];
  /** Null: no data plane of ours is between. */
  readonly routes: Routes | null;
  close(): Promise<void>;
};

const SEED = 1;
const NO_ACCESS: Access = { tls: null, login: null };

/** A data plane of rmtop's own, whose decisions are compared with the recorded ones. */
async function meshTarget(
  script: Script,
  flags: ReplayFlags,
  report: ReplayReport,
): Promise<Target> {
  const { faults } = script;
  const mesh = replayMesh(script.config, flags, faults);
  const routes = new Routes(script, flags, report);
  const chance = seededRng(SEED);
  const plane = await startPlane(mesh, {
    decided: (localPort, event) => routes.decided(localPort, event),
    learned: (event) => routes.learned(event),
    chanceOf:
      faults === null
        ? null
        : (localPort) => faults.rng(() => routes.connectionOf(localPort), chance),
  });
  const [access = NO_ACCESS] = Object.values(mesh.dialling.access);
  const { dialled, primaries, proxy } = plane;
  const close = (): Promise<void> => proxy.close();
  return { address: proxy.address, access, servers: dialled, dialled, primaries, routes, close };
}

async function directTarget(flags: ReplayFlags): Promise<Target> {
  const resolved: Resolved = resolve({ ...flags, listen: '127.0.0.1:0' });
  const seed = Object.values(resolved.config.upstreams)[0]?.seeds[0] ?? '';
  const at = seed.lastIndexOf(':');
  const address = { host: seed.slice(0, at), port: Number(seed.slice(at + 1)) };
  const dialled = isLoopback(address.host) ? [] : [seed];
  const [access = NO_ACCESS] = Object.values(resolved.dialling.access);
  const close = async (): Promise<void> => {};
  return { address, access, servers: [seed], dialled, primaries: [seed], routes: null, close };
}

/** Sends everything once or several times. */
class Rounds {
  private readonly script: Script;
  private readonly flags: ReplayFlags;
  private readonly options: ReplayOptions;
  private readonly report: ReplayReport;
  private readonly target: Target;
  private current: Replay | null = null;
  private isOver = false;

  constructor(
    script: Script,
    flags: ReplayFlags,
    options: ReplayOptions,
    report: ReplayReport,
    target: Target,
  ) {
    this.script = script;
    this.flags = flags;
    this.options = options;
    this.report = report;
    this.target = target;
  }

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
    const outcomes: ReplayOutcome[] = [];
    try {
      for (let round = 1; round <= times && !this.isOver; round++) {
        this.report.round = round;
        if (round > 1) this.script.faults?.again();
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
    const { flags, script, target, report } = this;
    const isFirst = round === 1 || !varies;
    const isAllowed = flags.allowWrites === true;
    const prepared = await prepareServers(target, {
      flush: flags.flush === true && isFirst,
      load: isFirst ? (flags.load ?? null) : null,
      start: script.start,
      suffix: varies ? roundSuffix(round) : null,
      scripts: script.scripts.sources,
      isAllowed: target.dialled.length === 0 || isAllowed || script.writes === 0,
      isFirst: round === 1,
    });
    report.scripts = { loaded: prepared.scripts, missing: script.scripts.missing };
  }

  private round(round: number, varies: boolean): Promise<ReplayOutcome> {
    const { script, options, report } = this;
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
      },
    );
    this.current = replay;
    if (this.isOver) replay.stop();
    stepper?.begin(replay);
    return replay.run().finally(() => {
      stepper?.end();
      this.current = null;
    });
  }

  private dialler(round: number): ConstructorParameters<typeof Replay>[1] {
    const { address, routes } = this.target;
    return (connection, reply, closed): ReplayLink => {
      const greeting = this.script.resp3.has(connection) ? encodeRequest(['HELLO', '3']) : null;
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
