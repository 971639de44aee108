/** Where the data plane of a replay takes each command, compared with where it was taken in the recording. */
import {
  type CommandEvent,
  compareDecisions,
  compareServers,
  type DecisionChange,
  type Redecided,
  type ReplayItem,
  type ReplayReport,
  StreamContext,
} from 'rmtop';
import type { ReplayFlags } from './flags.js';
import { commandText, type Script } from './script.js';
import type { PlaneHooks } from './target.js';

/** What goes over one connection to the data plane, in order: `greeting` first where it says HELLO for its client. */
export type RoutedLink = {
  readonly connection: number;
  readonly round: number;
  /** What is sent next and not decided yet; null: not to be compared. */
  readonly waiting: (CommandEvent | null)[];
};

/** Keys of their own may be elsewhere, and are named otherwise. */
const VARIED: ReadonlySet<DecisionChange> = new Set(['shard', 'split', 'key', 'server']);

/** Knows which of the data plane's commands is which of the recording. */
export class Routes implements Pick<PlaneHooks, 'decided' | 'learned'> {
  /** By the port that the data plane sees. */
  private readonly links = new Map<number, RoutedLink>();
  private readonly plane = new StreamContext();
  private readonly script: Script;
  private readonly flags: ReplayFlags;
  private readonly report: ReplayReport;

  constructor(script: Script, flags: ReplayFlags, report: ReplayReport) {
    this.script = script;
    this.flags = flags;
    this.report = report;
  }

  /** A connection that is about to be opened; `isGreeted`: its first command is not of the recording. */
  link(connection: number, round: number, isGreeted: boolean): RoutedLink {
    return { connection, round, waiting: isGreeted ? [null] : [] };
  }

  opened(link: RoutedLink, localPort: number): void {
    this.links.set(localPort, link);
  }

  /** The recorded connection that stands behind a port. */
  connectionOf(localPort: number): number | undefined {
    return this.links.get(localPort)?.connection;
  }

  sent(link: RoutedLink, items: readonly ReplayItem[]): void {
    const isUnknown = this.flags.routing === 'off' || this.script.isImported;
    for (const { recorded } of items) link.waiting.push(isUnknown ? null : recorded);
  }

  learned(event: Parameters<StreamContext['learn']>[0]): void {
    this.plane.learn(event);
  }

  /** Commands of a connection finish in the order they were sent in. */
  decided(localPort: number, now: CommandEvent): void {
    const link = this.links.get(localPort);
    const recorded = link?.waiting.shift();
    if (link === undefined || recorded === undefined || recorded === null) return;
    const found = this.compare(recorded, now);
    const isVaried = this.flags.vary !== undefined && link.round > 1;
    const counts = found !== null && !(isVaried && VARIED.has(found.change));
    this.report.route(recorded.seq, commandText(recorded), counts ? found : null, link.round);
  }

  private compare({ decision }: CommandEvent, now: CommandEvent): Redecided | null {
    const isOther = this.flags.mesh !== undefined;
    const found = compareDecisions(decision, now.decision, !isOther);
    if (found !== null || this.flags.routing !== 'strict') return found;
    return compareServers(
      [decision, this.script.context.topology(decision.topologyVersion)],
      [now.decision, this.plane.topology(now.decision.topologyVersion)],
    );
  }
}
