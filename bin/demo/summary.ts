/** What a demo without a screen prints at its end: where everything was routed. */
import {
  aliasOf,
  type CommandEvent,
  decodeReply,
  isError,
  isOpened,
  type MeshConfig,
  type OtherEvent,
  quantileUs,
  refusalBecause,
  type Tally,
  type Topology,
  type Totals,
  type TrafficEvent,
  topologyOf,
} from 'rmtop';
import { type Column, table } from '../table.js';

/** Commands that were refused in the same words. */
type Refused = {
  readonly command: string;
  readonly text: string;
  readonly because: string | null;
  count: number;
};

/** Keeps of the stream of events what totals do not hold: who was refused what, and where the servers are. */
export class Ledger {
  topology: Topology = { version: 0, upstreams: {} };
  readonly refused: Map<string, Refused> = new Map();
  /** Calls of commands that only --open let through. */
  readonly opened: Map<string, number> = new Map();
  private readonly config: MeshConfig;

  constructor(config: MeshConfig) {
    this.config = config;
  }

  add(event: TrafficEvent): void {
    if (event.type === 'command') this.addCommand(event);
    else if (event.type === 'topology') this.addTopology(event);
  }

  private addTopology(event: Extract<OtherEvent, { type: 'topology' }>): void {
    this.topology = topologyOf(event);
  }

  private addCommand(event: CommandEvent): void {
    const { action } = event.decision;
    const command = event.command.name;
    if (isOpened(event.decision)) this.opened.set(command, (this.opened.get(command) ?? 0) + 1);
    if (action.kind !== 'refuse') return;
    const known = this.refused.get(`${command} ${action.error}`);
    if (known !== undefined) {
      known.count++;
      return;
    }
    const reply = decodeReply(event.reply.bytes);
    this.refused.set(`${command} ${action.error}`, {
      command,
      text: reply !== null && isError(reply) ? reply.value.toString('latin1') : action.error,
      because: refusalBecause(action.error, event.command, this.config),
      count: 1,
    });
  }
}

/** The lines about where commands went. */
export function summaryLines(totals: Totals, ledger: Ledger): string[] {
  return [
    ...nodeTable(totals, ledger.topology),
    '',
    ...commandTable(totals),
    ...refusals(ledger),
    ...openedLines(ledger),
  ];
}

/** `4,012 commands: 2,900 reads and 1,000 writes forwarded, 40 answered by the proxy itself, 72 refused by the mesh, 20 errors`. */
export function totalsLine(totals: Totals): string {
  const { all, reads, writes, answered, refused, failed, redirects } = totals;
  return [
    `${grouped(all.calls)} commands: ${grouped(reads)} reads and ${grouped(writes)} writes forwarded`,
    `${grouped(answered)} answered by the proxy itself`,
    `${grouped(refused)} refused by the mesh`,
    `${grouped(all.errors)} error replies`,
    ...(failed > 0 ? [`${grouped(failed)} upstream failures`] : []),
    ...(redirects > 0 ? [`${grouped(redirects)} redirects`] : []),
  ].join(', ');
}

const left = (title: string): Column => ({ title, right: false });
const right = (title: string): Column => ({ title, right: true });

const NODE_COLUMNS: readonly Column[] = [
  left('node'),
  left('address'),
  left('role'),
  left('slots'),
  right('requests'),
  right('share'),
  right('errors'),
  right('p50 ms'),
  right('p99 ms'),
];

/** A row a server, in shard order; those that got nothing too. */
function nodeTable(totals: Totals, topology: Topology): string[] {
  const all = Object.values(totals.nodes).reduce((sum, node) => sum + node.calls, 0);
  const rows = Object.entries(topology.upstreams).flatMap(([upstream, { shards }]) =>
    shards.flatMap((shard) =>
      [shard.primary, ...shard.replicas].map(({ address }) => {
        const tally = totals.nodes[address];
        const isPrimary = address === shard.primary.address;
        return [
          aliasOf(topology, upstream, address),
          address,
          isPrimary ? 'primary' : 'replica',
          shard.ranges.map((range) => range.join('-')).join(' '),
          grouped(tally?.calls ?? 0),
          percent(tally?.calls ?? 0, all),
          ...outcome(tally),
        ];
      }),
    ),
  );
  return table(NODE_COLUMNS, rows);
}

const COMMAND_COLUMNS: readonly Column[] = [
  left('command'),
  right('calls'),
  right('share'),
  right('errors'),
  right('p50 ms'),
  right('p99 ms'),
];

/** A row a command, the most frequent first. */
function commandTable(totals: Totals): string[] {
  const rows = Object.entries(totals.commands)
    .sort(([a, x], [b, y]) => y.calls - x.calls || (a < b ? -1 : 1))
    .map(([name, tally]) => [
      name,
      grouped(tally.calls),
      percent(tally.calls, totals.all.calls),
      ...outcome(tally),
    ]);
  return table(COMMAND_COLUMNS, rows);
}

function refusals(ledger: Ledger): string[] {
  if (ledger.refused.size === 0) return [];
  const lines = [...ledger.refused.values()]
    .sort((a, b) => b.count - a.count)
    .flatMap(({ command, text, because, count }) => [
      `${command} x${grouped(count)}: -${printable(text)}`,
      ...(because === null ? [] : [`  ${because}`]),
    ]);
  return ['', 'refused by the mesh', ...lines];
}

function openedLines(ledger: Ledger): string[] {
  if (ledger.opened.size === 0) return [];
  const lines = [...ledger.opened].map(([command, count]) => `${command} x${grouped(count)}`);
  return ['', 'the mesh would refuse these; --open forwarded them', ...lines];
}

function outcome(tally: Tally | undefined): string[] {
  if (tally === undefined) return ['0', '', ''];
  const ms = (quantile: number): string => {
    const us = quantileUs(tally.latency, quantile);
    return us === null ? '' : (us / 1000).toFixed(2);
  };
  return [grouped(tally.errors), ms(0.5), ms(0.99)];
}

function grouped(n: number): string {
  return n.toLocaleString('en-US');
}

function percent(part: number, whole: number): string {
  return whole === 0 ? '' : `${((100 * part) / whole).toFixed(1)} %`;
}

/** Bytes of a reply may hold what acts on a terminal. */
function printable(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, '?');
}
