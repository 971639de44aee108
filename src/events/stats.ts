/** Exact totals of all commands, kept where they end; nothing is sampled, and no consumer's slowness changes them. */

import { COMMANDS, type CommandSpec } from '../commands/table.js';
import type { MirrorState } from './event.js';
import { addHistogram, createHistogram, type Histogram, recordUs } from './histogram.js';
import { type MeshGauges, MeshStats, type MeshTotals, NO_GAUGES } from './mesh-stats.js';

/** Totals of one command, node or of everything. */
export type Tally = {
  calls: number;
  errors: number;
  /** Bytes of requests and of replies on the client's side. */
  bytesIn: number;
  bytesOut: number;
  /** The longest, exactly; the histogram knows it to 3 %. */
  maxUs: number;
  readonly latency: Histogram;
};

/** The tally of one command, or of all. */
export type CommandTally = Tally & {
  /** Replies that said there is nothing. */
  nils: number;
};

/** What a fault or rule has done. */
export type FaultTally = {
  /** Commands it was drawn for; of Envoy's faults only those it hit. */
  inScope: number;
  hits: number;
};

/** Totals of one mirror. `chosen` = sent + dropped; of those sent, what is none of the rest is still waited for. */
export class MirrorTally {
  chosen = 0;
  sent = 0;
  dropped = 0;
  same = 0;
  different = 0;
  uncompared = 0;
  failed = 0;
  /** How much longer the mirror took to answer than the client's server, each from when it was sent; less counts as 0. */
  readonly lag: Histogram = createHistogram();

  /** Counts what came of one copy; the lag counts where both replies came. */
  count(state: MirrorState, lagUs: number, hasLag: boolean): void {
    if (state === 'same') this.same++;
    else if (state === 'diff') this.different++;
    else if (state === 'uncompared') this.uncompared++;
    else if (state === 'failed') this.failed++;
    if (hasLag && state !== 'failed') recordUs(this.lag, Math.max(0, lagUs));
  }
}

/** A copy of all totals at one moment; plain data, for posting and printing. */
export type Totals = {
  readonly atUs: number;
  readonly all: CommandTally;
  readonly reads: number;
  readonly writes: number;
  /** Answered by the proxy itself, refused by the mesh, forwarded only by --open. */
  readonly answered: number;
  readonly refused: number;
  readonly opened: number;
  /** `upstream failure` and its like: no server's reply. */
  readonly failed: number;
  readonly redirects: number;
  readonly clients: number;
  readonly clientsTotal: number;
  readonly commands: Readonly<Record<string, CommandTally>>;
  /** By announced address. */
  readonly nodes: Readonly<Record<string, Tally>>;
  /** By id. */
  readonly faults: Readonly<Record<string, FaultTally>>;
  /** By upstream. */
  readonly mirrors: Readonly<Record<string, MirrorTotals>>;
  /** What Envoy counts. */
  readonly mesh: MeshTotals;
};

/** A mirror's totals as plain data. */
export type MirrorTotals = Omit<MirrorTally, 'count'>;

function emptyTally(): Tally {
  return { calls: 0, errors: 0, bytesIn: 0, bytesOut: 0, maxUs: 0, latency: createHistogram() };
}

function emptyCommandTally(): CommandTally {
  return { ...emptyTally(), nils: 0 };
}

/** The running totals of one proxy. Counters that are simply added to are public fields. */
export class Stats {
  reads = 0;
  writes = 0;
  answered = 0;
  refused = 0;
  opened = 0;
  failed = 0;
  redirects = 0;
  clients = 0;
  clientsTotal = 0;
  readonly all: CommandTally = emptyCommandTally();
  /** What Envoy counts. */
  readonly mesh: MeshStats = new MeshStats();
  private readonly byCommand: (CommandTally | undefined)[] = new Array(COMMANDS.length);
  private readonly unknown: CommandTally = emptyCommandTally();
  private readonly byNode = new Map<string, NodeTally>();
  private readonly byFault = new Map<string, FaultTally>();
  private readonly byMirror = new Map<string, MirrorTally>();

  /** Counts one finished command. */
  command(
    spec: CommandSpec | undefined,
    durationUs: number,
    bytesIn: number,
    bytesOut: number,
    isError: boolean,
    isNil: boolean,
  ): void {
    const tally = spec === undefined ? this.unknown : this.ofCommand(spec);
    addTo(this.all, durationUs, bytesIn, bytesOut, isError);
    addTo(tally, durationUs, bytesIn, bytesOut, isError);
    if (!isNil) return;
    this.all.nils++;
    tally.nils++;
  }

  private ofCommand(spec: CommandSpec): CommandTally {
    let tally = this.byCommand[spec.id];
    if (tally === undefined) {
      tally = emptyCommandTally();
      this.byCommand[spec.id] = tally;
    }
    return tally;
  }

  /** The tally of one server, by its announced address, as a server of `upstream`; for `addTo`. */
  node(address: string, upstream: string): Tally {
    const make = (): NodeTally => ({ address, upstream, tally: emptyTally() });
    return getOrMake(this.byNode, `${address} ${upstream}`, make).tally;
  }

  /** The tally of one fault or rule, by its id. */
  fault(id: string): FaultTally {
    return getOrMake(this.byFault, id, () => ({ inScope: 0, hits: 0 }));
  }

  /** The tally of one mirror, by its upstream. */
  mirror(upstream: string): MirrorTally {
    return getOrMake(this.byMirror, upstream, () => new MirrorTally());
  }

  /** A copy of everything. */
  totals(atUs: number, gauges: MeshGauges = NO_GAUGES): Totals {
    const commands: Record<string, CommandTally> = {};
    this.byCommand.forEach((tally, id) => {
      const spec = COMMANDS[id];
      if (tally !== undefined && spec !== undefined) commands[spec.name] = copy(tally);
    });
    if (this.unknown.calls > 0) commands['(unknown)'] = copy(this.unknown);
    const { reads, writes, answered, refused, opened, failed, redirects, clients, clientsTotal } =
      this;
    return {
      atUs,
      all: copy(this.all),
      reads,
      writes,
      answered,
      refused,
      opened,
      failed,
      redirects,
      clients,
      clientsTotal,
      commands,
      nodes: this.nodes(),
      faults: Object.fromEntries([...this.byFault].map(([id, tally]) => [id, { ...tally }])),
      mirrors: Object.fromEntries(
        [...this.byMirror].map(([upstream, tally]) => [
          upstream,
          { ...tally, lag: tally.lag.slice() },
        ]),
      ),
      mesh: this.mesh.totals(gauges, this.all.calls, (upstream) => this.latencyOf(upstream)),
    };
  }

  /** By address: a server of two upstreams is one server. */
  private nodes(): Record<string, Tally> {
    const nodes: Record<string, Tally> = {};
    for (const { address, tally } of this.byNode.values()) {
      const known = nodes[address];
      if (known === undefined) nodes[address] = copy(tally);
      else addTally(known, tally);
    }
    return nodes;
  }

  private latencyOf(upstream: string): Histogram {
    const latency = createHistogram();
    for (const node of this.byNode.values())
      if (node.upstream === upstream) addHistogram(latency, node.tally.latency);
    return latency;
  }
}

type NodeTally = { readonly address: string; readonly upstream: string; readonly tally: Tally };

function addTally(into: Tally, from: Tally): void {
  into.calls += from.calls;
  into.errors += from.errors;
  into.bytesIn += from.bytesIn;
  into.bytesOut += from.bytesOut;
  into.maxUs = Math.max(into.maxUs, from.maxUs);
  addHistogram(into.latency, from.latency);
}

/** Counts one request that a server answered. */
export function addTo(
  tally: Tally,
  us: number,
  bytesIn: number,
  bytesOut: number,
  isError: boolean,
): void {
  tally.calls++;
  if (isError) tally.errors++;
  tally.bytesIn += bytesIn;
  tally.bytesOut += bytesOut;
  if (us > tally.maxUs) tally.maxUs = us;
  recordUs(tally.latency, us);
}

function getOrMake<T>(map: Map<string, T>, name: string, make: () => T): T {
  let found = map.get(name);
  if (found === undefined) {
    found = make();
    map.set(name, found);
  }
  return found;
}

function copy<T extends Tally>(tally: T): T {
  return { ...tally, latency: tally.latency.slice() };
}
