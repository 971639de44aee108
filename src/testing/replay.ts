/** A recording sent again, to a server or through a proxy, and what comes back compared. */
import type { ToleranceRule } from '../compare/rules.js';
import { parseTolerances, readTolerances } from '../compare/tolerances.js';
import { parseSeed } from '../config/seed.js';
import { RmtopError } from '../errors.js';
import { isLoopback } from '../mesh/address.js';
import { redisCliLine } from '../recording/exporters/redis-cli.js';
import type { LatencyFinding } from '../recording/latencies.js';
import type { LoadingDial } from '../recording/loading.js';
import { putBack } from '../recording/put-back.js';
import { openRecording } from '../recording/reader.js';
import { redactionTolerances, redactRulesOf } from '../recording/redact-rules.js';
import { Replay, type ReplayItem } from '../recording/replay.js';
import { type LeftOut, replayItem } from '../recording/replay-items.js';
import { PROCESS_CLOCK } from '../recording/replay-pace.js';
import { listedItems } from '../recording/replay-plan.js';
import { ReplayReport, type ReplyDifference } from '../recording/replay-report.js';
import { dueBySeq, type SnapshotReport, SnapshotState } from '../recording/snapshot-state.js';
import { dialSocket } from '../serve/links.js';

/** How a recording is replayed. */
export type ReplayFileOptions = {
  /** Where to: a server, a `TestProxy`'s url. */
  readonly url: string;
  /** 1: as recorded; `max`, the default: as fast as cause and effect allow. */
  readonly speed?: number | 'max';
  /** `ttl=5s`, `order=off`, `latency=p99<2x`, `none`: what `rmtop replay --tolerate` takes. */
  readonly tolerate?: readonly string[];
  /** Rules as in `rmtop.yaml`: `{ if: 'key=session:*', json: '$.ts' }`. */
  readonly tolerances?: readonly ToleranceRule[];
  /** How much longer than recorded a reply is waited for; 5 s by default. */
  readonly guardMs?: number;
  /** Lets writes go to another machine. */
  readonly allowWrites?: boolean;
  /** False: what `record` with `snapshot` saved of keys is not put back first. */
  readonly snapshot?: boolean;
};

/** What came of it. `differences` are the first thousand. */
export type ReplayResults = {
  readonly sent: number;
  readonly same: number;
  /** The same within a tolerance. */
  readonly tolerated: number;
  readonly different: number;
  readonly notCompared: number;
  readonly differences: readonly ReplyDifference[];
  /** What came of the limits on latencies, where `tolerate` sets any. */
  readonly latency: readonly LatencyFinding[];
  /** What was put back first; null where the recording has no snapshots, or they are not wanted. */
  readonly snapshot: SnapshotReport | null;
};

/**
 * Sends every command of `file` again, a connection for each recorded one, in an order that keeps cause and effect. Throws as
 * `openRecording`, USAGE for a tolerance that is none, and WRITES_REFUSED for writes to another machine. To see what is decided otherwise, replay to a `startProxy`.
 */
export async function replay(file: string, options: ReplayFileOptions): Promise<ReplayResults> {
  const { host, port } = parseSeed(options.url);
  const state = new SnapshotState();
  const { items, removed } = await itemsOf(file, options.snapshot === false ? null : state);
  const writes =
    state.size + items.filter(({ command: { spec } }) => spec?.writes !== false).length;
  if (writes > 0 && !isLoopback(host) && options.allowWrites !== true)
    throw new RmtopError(
      'WRITES_REFUSED',
      `replay would send ${writes} write commands to ${host}:${port}`,
      {
        next: ['allowWrites: true, or replay against 127.0.0.1'],
      },
    );
  const rules = readTolerances(options.tolerances ?? []);
  const asked = parseTolerances(options.tolerate ?? [], rules);
  const tolerances = readTolerances(removed, asked);
  const pace = { speed: options.speed ?? 'max', maxGapMs: null } as const;
  const listed = listedItems(items);
  const dial: LoadingDial = (reply, closed) =>
    dialSocket({ host, port, greeting: null }, () => {}, reply, closed);
  const snapshot = state.isEmpty
    ? null
    : await putBack(state, dial, { due: dueBySeq(listed, pace), suffix: null, broken });
  const report = new ReplayReport(tolerances.latency);
  const run = new Replay(
    listed,
    (_connection, reply, closed) => dial(reply, closed),
    {
      ...pace,
      order: 'causal',
      guardMs: options.guardMs ?? 5000,
      pipeline: true,
      tolerances,
    },
    PROCESS_CLOCK,
    (result) => report.add(result, redisCliLine(result.item.command.argv)),
  );
  const { sent } = await run.run();
  const { same, tolerated, different, notCompared, differences, latency } = report;
  return { sent, same, tolerated, different, notCompared, differences, latency, snapshot };
}

function broken(why: string): RmtopError {
  return new RmtopError('REPLAY_FAILED', 'the keys could not be put back', { why });
}

/** What is sent, and by which tolerances what was taken out of the recording is passed over. */
type Sent = { readonly items: ReplayItem[]; readonly removed: readonly ToleranceRule[] };

async function itemsOf(file: string, snapshot: SnapshotState | null): Promise<Sent> {
  const reader = await openRecording(file);
  const leftOut: LeftOut = { incomplete: 0, blocking: 0, logins: 0, folded: 0 };
  const items: ReplayItem[] = [];
  for await (const entries of reader.batches())
    for (const { event } of entries) {
      if (event?.type === 'snapshot') snapshot?.add(event);
      if (event?.type !== 'command') continue;
      const item = replayItem(
        event,
        { strictHousekeeping: false, skipBlocking: false, password: null },
        leftOut,
      );
      if (item !== null) items.push(item);
    }
  const removed = redactionTolerances(redactRulesOf(reader.header));
  return { items: items.sort((a, b) => a.seq - b.seq), removed };
}
