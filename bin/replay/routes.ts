/** Where the data plane of a replay takes each command, compared with where it was taken in the recording. */
import {
  type Cause,
  type CommandEvent,
  compareDecisions,
  compareServers,
  type DecisionChange,
  describeCause,
  type Redecided,
  type ReplayItem,
  type ReplayReport,
  StreamContext,
} from 'rmtop';
import type { ReplayFlags } from './flags.js';
import { commandText, type Script } from './script.js';

/** A command on its way through the data plane: its number in the recording, and what it was there; null: not to be compared. */
type Waiting = { readonly n: number; readonly recorded: CommandEvent | null };

/** What goes over one connection to the data plane, in order. */
export type RoutedLink = {
  readonly connection: number;
  readonly round: number;
  /** What was sent and is not decided yet; null: the HELLO that is said for a client. */
  readonly waiting: (Waiting | null)[];
};

/** A command that went through the data plane as its number `seq`; `found`: what is different about its way. */
export type Routed = {
  readonly seq: number;
  readonly n: number;
  readonly round: number;
  readonly found: Redecided | null;
};

/** Why a command could not be sent on that had been, once: its server has gone. */
const LOST: ReadonlySet<Cause['code']> = new Set([
  'refused',
  'unreachable',
  'unresolved',
  'connect-timeout',
  'reset',
  'closed',
]);

/** Keys of their own may be elsewhere, and are named otherwise. */
const VARIED: ReadonlySet<DecisionChange> = new Set(['shard', 'split', 'key', 'server']);

/** Knows which of the data plane's commands is which of the recording. */
export class Routes {
  /** By the port that the data plane sees. */
  private readonly links = new Map<number, RoutedLink>();
  private readonly plane = new StreamContext();
  private readonly script: Script;
  private readonly flags: ReplayFlags;
  private readonly report: ReplayReport;
  private readonly routed: (routed: Routed) => void;

  constructor(
    script: Script,
    flags: ReplayFlags,
    report: ReplayReport,
    routed: (routed: Routed) => void = () => {},
  ) {
    this.script = script;
    this.flags = flags;
    this.report = report;
    this.routed = routed;
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
    for (const { seq, recorded } of items)
      link.waiting.push({ n: seq, recorded: isUnknown ? null : recorded });
  }

  learned(event: Parameters<StreamContext['learn']>[0]): void {
    this.plane.learn(event);
  }

  /** Commands of a connection finish in the order they were sent in. */
  decided(localPort: number, now: CommandEvent): void {
    const link = this.links.get(localPort);
    const waited = link?.waiting.shift();
    if (link === undefined || waited === undefined || waited === null) return;
    const { n, recorded } = waited;
    this.notice(n, recorded, now);
    const found = recorded === null ? null : this.compare(recorded, now);
    const isVaried = this.flags.vary !== undefined && link.round > 1;
    const counts = found !== null && !(isVaried && VARIED.has(found.change));
    if (recorded !== null)
      this.report.route(n, commandText(recorded), counts ? found : null, link.round);
    this.routed({ seq: now.seq, n, round: link.round, found: counts ? found : null });
  }

  /** Servers that are gone make a replay one that could not be completed, unless they were gone in the recording, too. */
  private notice(n: number, recorded: CommandEvent | null, { outcome }: CommandEvent): void {
    const cause = outcome.kind === 'reply' ? outcome.cause : null;
    if (cause === null || !LOST.has(cause.code)) return;
    const wasError = recorded?.reply.bytes[0] === 0x2d; /* - */
    if (!wasError) this.report.lose(n, describeCause(cause));
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
