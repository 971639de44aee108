/** A command and what the mesh decided about it, in the words that tests assert in. */
import { Command } from '../commands/command.js';
import { showReply } from '../compare/show.js';
import type { CommandEvent } from '../events/event.js';
import type { StreamContext } from '../events/reader.js';
import { whyOf } from '../events/why.js';
import { decide } from '../mesh/decide.js';
import { type Decision, type Hop, type Part, partsOf } from '../mesh/decision.js';
import { explain } from '../mesh/explain.js';
import type { Rng } from '../mesh/rng.js';
import { aliasOf, type Topology } from '../mesh/topology.js';
import { redisCliLine } from '../recording/exporters/redis-cli.js';
import { decodeReply, isError } from '../resp/value.js';

/** Where one request went: a command has one, or one for each key or shard that the mesh splits it into. */
export type Placed = {
  /** The prefix that matched; null: the catch-all route, or none. */
  readonly prefix: string | null;
  /** The mesh's name for the servers; null where no route matched. */
  readonly upstream: string | null;
  /** From 0 to 16383; null where there are no slots. */
  readonly slot: number | null;
  /** From 0, in the order of the slots; null where no server was found. */
  readonly shard: number | null;
  readonly role: 'primary' | 'replica' | null;
  /** rmtop's name for the server: `s2.p` is the primary of shard 2, `s2.r1` its first replica. */
  readonly node: string | null;
  /** As the cluster announces it. */
  readonly address: string | null;
  /** The read policy that chose; null where none did, as for a write. */
  readonly policy: string | null;
  /** The upstreams that got a copy. */
  readonly mirrors: readonly string[];
};

/** What the mesh makes of a command. The fields of `Placed` are those of its first request. */
export type Decided = Placed & {
  /** As typed for redis-cli; passwords are not in it. */
  readonly text: string;
  /** Upper case, with its subcommand: `GET`, `CONFIG GET`. */
  readonly name: string;
  /** What the mesh did: sent it on, answered it itself, or refused it. */
  readonly outcome: 'forwarded' | 'answered' | 'refused';
  /** In a word: policy, fallback, redirect, random, write, pinned or refused. */
  readonly why: string;
  /** Why it was refused: `no-route`, `unknown-command`, …; null where it was not. */
  readonly refusal: string | null;
  /** The fault rule that hit; null: none. */
  readonly fault: string | null;
  readonly requests: readonly Placed[];
  /** The decision in sentences, a line a stage: what `rmtop explain` prints. For messages of failed tests. */
  readonly explained: readonly string[];
  /** The whole record. */
  readonly decision: Decision;
};

/** A command that was carried out. */
export type Seen = Decided & {
  /** Arrival number, from 1. */
  readonly seq: number;
  readonly connection: number;
  /** The reply in one line, as redis-cli shows it; long ones are cut. Null where there was none. */
  readonly reply: string | null;
  /** The error's text; null for any other reply. */
  readonly error: string | null;
  readonly durationMs: number;
  /** How many MOVED and ASK were followed. */
  readonly redirects: number;
};

/** A finished command. `context` knows the topologies and configurations of its stream. */
export function seenOf(event: CommandEvent, context: StreamContext): Seen {
  const { reply, attempts, decision } = event;
  const value = reply.bytes.length === 0 ? null : decodeReply(reply.bytes);
  const topology = context.topology(decision.topologyVersion);
  const config = context.config(decision.configVersion)?.config;
  const explained =
    topology === undefined || config === undefined
      ? []
      : explain(event.command, decision, topology, config).map(sentence);
  return {
    ...decidedOf(
      redisCliLine(event.args.map(({ bytes }) => bytes)),
      event.command.name,
      decision,
      topology,
      whyOf(decision, attempts),
      explained,
    ),
    seq: event.seq,
    connection: event.connection,
    reply: value === null ? null : showReply(value),
    error: value !== null && isError(value) ? value.value.toString('latin1') : null,
    durationMs: event.durationUs / 1000,
    redirects: attempts.filter(({ kind }) => kind !== 'decided').length,
  };
}

/** What would become of `argv` now, without sending anything. */
export function decideNow(
  argv: readonly (string | Buffer)[],
  context: StreamContext,
  rng: Rng,
): Decided | null {
  const { topology, config } = context.latest;
  if (topology === undefined || config === undefined) return null;
  const command = Command.of(argv);
  const decision = decide(command, topology, config, rng);
  return decidedOf(
    redisCliLine(command.argv),
    command.name,
    decision,
    topology,
    whyOf(decision, []),
    explain(command, decision, topology, config.config).map(sentence),
  );
}

function sentence({ stage, text }: { readonly stage: string; readonly text: string }): string {
  return `${stage}: ${text}`;
}

const NOWHERE: Placed = {
  prefix: null,
  upstream: null,
  slot: null,
  shard: null,
  role: null,
  node: null,
  address: null,
  policy: null,
  mirrors: [],
};

function decidedOf(
  text: string,
  name: string,
  decision: Decision,
  topology: Topology | undefined,
  why: string,
  explained: readonly string[],
): Decided {
  const { action, fault } = decision;
  const requests = partsOf(decision).map((part) => placedOf(part, topology));
  return {
    ...(requests[0] ?? NOWHERE),
    text,
    name,
    outcome:
      action.kind === 'forward' ? 'forwarded' : action.kind === 'answer' ? 'answered' : 'refused',
    why,
    refusal: action.kind === 'refuse' ? action.error : null,
    fault: fault?.id ?? null,
    requests,
    explained,
    decision,
  };
}

/** Without the upstream's name, which stands beside it. */
function aliasIn(topology: Topology, { upstream, address }: Hop): string {
  const alias = aliasOf(topology, upstream, address);
  return alias.startsWith(`${upstream}/`) ? alias.slice(upstream.length + 1) : alias;
}

function placedOf({ route, to, why, mirrors }: Part, topology: Topology | undefined): Placed {
  const choose = why.find((reason) => reason.stage === 'choose');
  return {
    prefix: route?.prefix ?? null,
    upstream: to?.upstream ?? route?.upstream ?? null,
    slot: to === null || to.slot < 0 ? null : to.slot,
    shard: to?.shard ?? null,
    role: to?.role ?? null,
    node: to === null || topology === undefined ? null : aliasIn(topology, to),
    address: to?.address ?? null,
    policy: choose !== undefined && 'policy' in choose ? choose.policy : null,
    mirrors: mirrors.map(({ upstream }) => upstream),
  };
}
