/** One replay from its flags to its outcome; says nothing on stdout. */
import {
  type Access,
  compareDecisions,
  dialSocket,
  encodeRequest,
  isLoopback,
  PROCESS_CLOCK,
  Replay,
  type ReplayLink,
  type ReplayOptions,
  ReplayReport,
  seededRng,
} from 'rmtop';
import { type Resolved, resolve } from '../options.js';
import { say } from '../recording-files.js';
import { optionsOf, type ReplayFlags, rangeOf } from './flags.js';
import { replayMesh } from './mesh.js';
import { flushServers, seedState } from './prepare.js';
import { commandText, readScript, type Script } from './script.js';
import { type Plane, refuseWrites, startPlane } from './target.js';

type Outcome = Awaited<ReturnType<Replay['run']>>;

/** What a replay came to. */
export type Replayed = {
  readonly report: ReplayReport;
  readonly outcome: Outcome;
  readonly script: Script;
  readonly exitCode: 0 | 1 | 2;
};

/** Sends the recording `file` again as `flags` say. Throws what reading, connecting or forbidden writes throw. */
export async function replayRecording(file: string, flags: ReplayFlags): Promise<Replayed> {
  const range = rangeOf(flags);
  const options = optionsOf(flags);
  const script = await readScript(file, range, {
    strictHousekeeping: flags.strictHousekeeping === true,
    skipBlocking: flags.skipBlocking === true,
    password: process.env.REDISCLI_AUTH ?? null,
    faults: flags.faults === 'recorded',
    seedState: flags.seedState === true,
  });
  if (script.faulted > 0 && script.faults === null)
    say(
      `rmtop: ${script.faulted} commands had been hit by faults: their replies are not compared; --faults recorded repeats them`,
    );
  const report = new ReplayReport();
  const outcome = await (flags.direct === true
    ? replayDirect(script, flags, options, report)
    : replayThrough(script, flags, options, report));
  return { report, outcome, script, exitCode: outcome.closed.length > 0 ? 2 : report.exitCode };
}

const SEED = 1;

/** Through a data plane of rmtop's own, whose decisions are compared with the recorded ones. */
async function replayThrough(
  script: Script,
  flags: ReplayFlags,
  options: ReplayOptions,
  report: ReplayReport,
): Promise<Outcome> {
  const { faults } = script;
  const mesh = replayMesh(script.config, flags, faults);
  const routes = new Routes(script, flags, report);
  const chance = seededRng(SEED);
  const plane: Plane = await startPlane(mesh, {
    decided: (localPort, event) => routes.decided(localPort, event),
    chanceOf:
      faults === null
        ? null
        : (localPort) => faults.rng(() => routes.connections.get(localPort), chance),
  });
  try {
    refuseWrites(writesOf(script), plane.dialled, flags.allowWrites === true);
    const [access] = Object.values(mesh.dialling.access);
    if (flags.flush === true) await flushServers(plane.primaries, access ?? NO_ACCESS);
    const outcome = await start(script, plane.proxy.address, options, report, routes);
    await plane.proxy.close();
    return outcome;
  } finally {
    await plane.proxy.close();
  }
}

const NO_ACCESS: Access = { tls: null, login: null };

function writesOf({ writes, start }: Script): number {
  return writes + (start?.commands().length ?? 0);
}

/** Which of the data plane's commands is which of the recording. */
class Routes {
  /** By the port that stands for it. */
  readonly connections = new Map<number, number>();
  private readonly waiting = new Map<number, number[]>();
  private readonly greeted = new Set<number>();
  private readonly script: Script;
  private readonly flags: ReplayFlags;
  private readonly report: ReplayReport;

  constructor(script: Script, flags: ReplayFlags, report: ReplayReport) {
    this.script = script;
    this.flags = flags;
    this.report = report;
    for (const { connection, seq } of script.items) {
      const seqs = this.waiting.get(connection);
      if (seqs === undefined) this.waiting.set(connection, [seq]);
      else seqs.push(seq);
    }
  }

  opened(connection: number, localPort: number, isGreeted: boolean): void {
    this.connections.set(localPort, connection);
    if (isGreeted) this.greeted.add(localPort);
  }

  /** Commands of a connection finish in the order they were sent in. */
  decided(
    localPort: number,
    now: Parameters<Parameters<typeof startPlane>[1]['decided']>[1],
  ): void {
    if (this.greeted.delete(localPort)) return;
    const seq = this.waiting.get(this.connections.get(localPort) ?? -1)?.shift();
    const recorded = seq === undefined ? undefined : this.script.bySeq.get(seq);
    const isUnknown = this.flags.routing === 'off' || this.script.isImported;
    if (recorded === undefined || isUnknown) return;
    const isOther = this.flags.mesh !== undefined;
    const found = compareDecisions(recorded.decision, now.decision, !isOther);
    this.report.route(recorded.seq, commandText(recorded), found);
  }
}

function replayDirect(
  script: Script,
  flags: ReplayFlags,
  options: ReplayOptions,
  report: ReplayReport,
): Promise<Outcome> {
  const resolved: Resolved = resolve({ ...flags, listen: '127.0.0.1:0' });
  const seed = Object.values(resolved.config.upstreams)[0]?.seeds[0] ?? '';
  const at = seed.lastIndexOf(':');
  const address = { host: seed.slice(0, at), port: Number(seed.slice(at + 1)) };
  const dialled = isLoopback(address.host) ? [] : [seed];
  refuseWrites(writesOf(script), dialled, flags.allowWrites === true);
  const [access = NO_ACCESS] = Object.values(resolved.dialling.access);
  const flushed = flags.flush === true ? flushServers([seed], access) : Promise.resolve();
  return flushed.then(() => start(script, address, options, report, null));
}

/** Puts the start state there, then replays. */
async function start(
  script: Script,
  address: { readonly host: string; readonly port: number },
  options: ReplayOptions,
  report: ReplayReport,
  routes: Routes | null,
): Promise<Outcome> {
  if (script.start !== null)
    await seedState(script.start, (reply, closed) =>
      dialSocket({ ...address, greeting: null }, () => {}, reply, closed),
    );
  const greetings = greetingsOf(script);
  const dial = (
    connection: number,
    reply: (bytes: Buffer) => void,
    closed: (why: string) => void,
  ): ReplayLink => {
    const greeting = greetings.get(connection) ?? null;
    return dialSocket(
      { ...address, greeting },
      (localPort) => routes?.opened(connection, localPort, greeting !== null),
      reply,
      closed,
    );
  };
  const replay = new Replay(script.items, dial, options, PROCESS_CLOCK, (result) => {
    const recorded = script.bySeq.get(result.item.seq);
    report.add(result, recorded === undefined ? '' : commandText(recorded));
  });
  return replay.run();
}

/** Connections whose HELLO 3 is not among what is sent: it came before the recording, or is filtered out. */
function greetingsOf({ items, bySeq }: Script): ReadonlyMap<number, Buffer> {
  const greetings = new Map<number, Buffer>();
  const seen = new Set<number>();
  for (const { connection, seq } of items) {
    if (seen.has(connection)) continue;
    seen.add(connection);
    if (bySeq.get(seq)?.command.session.resp === 3)
      greetings.set(connection, encodeRequest(['HELLO', '3']));
  }
  return greetings;
}
