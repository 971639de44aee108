/**
 * What Envoy counts (mesh page, 11), where it counts it: plain fields that the data path adds to. Names and forms are made of them only
 * when somebody asks (`admin/metrics.ts`).
 */
import { COMMANDS, type CommandSpec, commandByName } from '../commands/table.js';
import type { TableShape } from '../mesh/table-shape.js';
import { createHistogram, type Histogram, recordUs } from './histogram.js';

/** `command.<cmd>.*` of a listener. `total` counts from the start of a command, the others its end. */
export type CommandCounts = {
  total: number;
  success: number;
  error: number;
  errorFault: number;
  delayFault: number;
  /** Until the reply is there, whether or not it has to wait for earlier ones. */
  readonly latency: Histogram;
};

/** `upstream_commands.<cmd>.*` of a cluster. */
export type UpstreamCommandCounts = {
  total: number;
  success: number;
  failure: number;
  readonly latency: Histogram;
};

/** By the id of a command's first word: `CONFIG GET` counts as `config`, as in Envoy. */
const FIRST_WORD: readonly number[] = COMMANDS.map(({ id, parent }) =>
  parent === null ? id : (commandByName(parent)?.id ?? id),
);

/** The classes of commands that `upstream_commands` has names for; all others are its `unknown`. */
const NAMED_UPSTREAM: ReadonlySet<string> = new Set(['simple', 'eval', 'sum', 'mget', 'mset']);

/** The counters of one upstream: what Envoy keeps under `cluster.<name>`. */
export class ClusterStats {
  cxTotal = 0;
  cxActive = 0;
  cxConnectFail = 0;
  cxConnectTimeout = 0;
  cxProtocolError = 0;
  rqTotal = 0;
  /** Connections given up because a reply was overdue. */
  rqTimeout = 0;
  /** Requests whose client had left when their reply came. */
  rqCancelled = 0;
  redirectSucceeded = 0;
  redirectFailed = 0;
  maxUnknownReached = 0;
  cxDrained = 0;
  helloFailure = 0;
  updateAttempt = 0;
  updateSuccess = 0;
  updateFailure = 0;
  private readonly byCommand: (UpstreamCommandCounts | undefined)[] = [];
  private unknown: UpstreamCommandCounts | undefined = undefined;

  /** The counters of one command at this upstream, for `enable_command_stats`. */
  command(spec: CommandSpec | undefined): UpstreamCommandCounts {
    if (spec === undefined || !NAMED_UPSTREAM.has(spec.mesh ?? '')) {
      this.unknown ??= upstreamCounts();
      return this.unknown;
    }
    let counts = this.byCommand[spec.id];
    if (counts === undefined) {
      counts = upstreamCounts();
      this.byCommand[spec.id] = counts;
    }
    return counts;
  }

  /** Counts a reply; `us` is negative where nobody knows when it was asked for. */
  replied(spec: CommandSpec | undefined, us: number, isSuccess: boolean): void {
    const counts = this.command(spec);
    if (isSuccess) counts.success++;
    else counts.failure++;
    if (us >= 0) recordUs(counts.latency, us);
  }

  /** A copy as plain data. */
  totals(rqActive: number, rqTime: Histogram, table: TableShape | null): ClusterTotals {
    const { byCommand, unknown, ...counters } = this;
    const commands: Record<string, UpstreamCommandCounts> = {};
    byCommand.forEach((counts, id) => {
      if (counts !== undefined) commands[nameOf(id)] = copied(counts);
    });
    if (unknown !== undefined) commands.unknown = copied(unknown);
    return { ...counters, rqActive, rqTime, table, commands };
  }
}

type Counters = Omit<ClusterStats, 'command' | 'replied' | 'totals'>;

/** One upstream's counters and gauges as plain data. */
export type ClusterTotals = Readonly<Counters> & {
  readonly rqActive: number;
  /** From sending to reply, µs. */
  readonly rqTime: Histogram;
  /** Of MAGLEV and RING_HASH. */
  readonly table: TableShape | null;
  /** By lower-case name, or `unknown`; only with `enable_command_stats`. */
  readonly commands: Readonly<Record<string, UpstreamCommandCounts>>;
};

/** What is not counted but looked at when totals are asked for. */
export type MeshGauges = {
  /** Requests of all clients so far. */
  readonly requests: number;
  /** Of clients that are connected now. */
  readonly rxBytes: number;
  readonly txBytes: number;
  readonly rxBuffered: number;
  readonly txBuffered: number;
  /** Requests that wait for a reply, by upstream. */
  readonly upstreamActive: Readonly<Record<string, number>>;
  readonly tables: Readonly<Record<string, TableShape | null>>;
};

/** Nothing is going on. */
export const NO_GAUGES: MeshGauges = {
  requests: 0,
  rxBytes: 0,
  txBytes: 0,
  rxBuffered: 0,
  txBuffered: 0,
  upstreamActive: {},
  tables: {},
};

/** The listener's side as plain data. Bytes and buffers are of all clients together. */
export type DownstreamTotals = {
  readonly rxBytes: number;
  readonly txBytes: number;
  readonly rxBuffered: number;
  readonly txBuffered: number;
  readonly requests: number;
  readonly requestsActive: number;
  readonly protocolErrors: number;
  readonly noproto: number;
  readonly invalidRequests: number;
  readonly unsupportedCommands: number;
};

/** Everything of this file as plain data. */
export type MeshTotals = {
  readonly downstream: DownstreamTotals;
  /** By lower-case name; only those that were seen. */
  readonly commands: Readonly<Record<string, CommandCounts>>;
  /** By upstream. */
  readonly clusters: Readonly<Record<string, ClusterTotals>>;
};

/** The counters of one proxy. */
export class MeshStats {
  protocolErrors = 0;
  noproto = 0;
  invalidRequests = 0;
  unsupportedCommands = 0;
  /** Of clients that have left. */
  rxBytes = 0;
  txBytes = 0;
  private readonly byCommand: (CommandCounts | undefined)[] = new Array(COMMANDS.length);
  private readonly byCustomName = new Map<string, CommandCounts>();
  private readonly byUpstream = new Map<string, ClusterStats>();

  /** The counters of the command that `spec` is, or is a subcommand of. */
  command(spec: CommandSpec): CommandCounts {
    const id = FIRST_WORD[spec.id] as number;
    let counts = this.byCommand[id];
    if (counts === undefined) {
      counts = commandCounts();
      this.byCommand[id] = counts;
    }
    return counts;
  }

  /** The counters of a custom command that the table does not have, by its lower-case name. */
  customCommand(name: string): CommandCounts {
    let counts = this.byCustomName.get(name);
    if (counts === undefined) {
      counts = commandCounts();
      this.byCustomName.set(name, counts);
    }
    return counts;
  }

  /** The counters of one upstream. */
  cluster(upstream: string): ClusterStats {
    let stats = this.byUpstream.get(upstream);
    if (stats === undefined) {
      stats = new ClusterStats();
      this.byUpstream.set(upstream, stats);
    }
    return stats;
  }

  /** A copy of everything; `finished` requests of clients have ended, `rqTime` gives an upstream's latencies. */
  totals(
    gauges: MeshGauges,
    finished: number,
    rqTime: (upstream: string) => Histogram,
  ): MeshTotals {
    const commands: Record<string, CommandCounts> = {};
    this.byCommand.forEach((counts, id) => {
      if (counts !== undefined) commands[nameOf(id)] = copied(counts);
    });
    for (const [name, counts] of this.byCustomName) commands[name] = copied(counts);
    const { protocolErrors, noproto, invalidRequests, unsupportedCommands } = this;
    return {
      downstream: {
        rxBytes: this.rxBytes + gauges.rxBytes,
        txBytes: this.txBytes + gauges.txBytes,
        rxBuffered: gauges.rxBuffered,
        txBuffered: gauges.txBuffered,
        requests: gauges.requests,
        requestsActive: Math.max(0, gauges.requests - finished),
        protocolErrors,
        noproto,
        invalidRequests,
        unsupportedCommands,
      },
      commands,
      clusters: Object.fromEntries(
        [...this.byUpstream].map(([upstream, stats]) => [
          upstream,
          stats.totals(
            gauges.upstreamActive[upstream] ?? 0,
            rqTime(upstream),
            gauges.tables[upstream] ?? null,
          ),
        ]),
      ),
    };
  }
}

function nameOf(id: number): string {
  return COMMANDS[id]?.name.toLowerCase() ?? '';
}

function commandCounts(): CommandCounts {
  return {
    total: 0,
    success: 0,
    error: 0,
    errorFault: 0,
    delayFault: 0,
    latency: createHistogram(),
  };
}

function upstreamCounts(): UpstreamCommandCounts {
  return { total: 0, success: 0, failure: 0, latency: createHistogram() };
}

function copied<T extends { readonly latency: Histogram }>(counts: T): T {
  return { ...counts, latency: counts.latency.slice() };
}
