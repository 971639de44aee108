/** Blocks → events. Cheap to walk through: an event is decoded when it is looked at. */
import { Command, NO_PEER, type Peer, type SessionView } from '../commands/command.js';
import { type CompiledConfig, compileConfig } from '../mesh/compile.js';
import { decide } from '../mesh/decide.js';
import { type Decision, partsOf } from '../mesh/decision.js';
import { replayRng } from '../mesh/rng.js';
import { hostPlacement, singleServer, slotPlacement, type Topology } from '../mesh/topology.js';
import { REQUEST, RequestParser } from '../resp/request.js';
import { AT, ATTEMPT_INTS, ATTEMPT_KINDS, FLAG, HEAD, KIND_COMMAND } from './block.js';
import { type KeptArgument, readCondensed } from './condense.js';
import type { Attempt, Cause, CommandEvent, Kept, OtherEvent, Outcome } from './event.js';
import type { Glance } from './glance.js';

/** Of how many clients the address is remembered: it may be part of a key. */
const PEERS_KEPT = 10_000;

/** How many topologies and configurations back a command may have been decided by. */
const VERSIONS_KEPT = 64;

/** What a reader must know to decode commands: topologies and configurations by version, and the servers' numbers. */
export class StreamContext {
  /** By number. */
  readonly addresses: string[] = [];
  private readonly topologies = new Map<number, Topology>();
  private readonly configs = new Map<number, CompiledConfig>();
  private readonly peers = new Map<number, Peer>();
  private listen = NO_PEER.local;
  private newest: Newest = { topology: undefined, config: undefined };

  /** Takes in an event that is no command. The order is the stream's; what is said again changes nothing. */
  learn(event: OtherEvent): void {
    if (event.type === 'server') this.addresses[event.number] = event.address;
    else if (event.type === 'hello') this.listen = event.listen[0] ?? NO_PEER.local;
    else if (event.type === 'session')
      keep(this.peers, event.connection, { remote: event.address, local: this.listen }, PEERS_KEPT);
    else if (event.type === 'topology') {
      const topology = topologyOf(event);
      keep(this.topologies, event.version, topology);
      if (event.version >= (this.newest.topology?.version ?? 0))
        this.newest = { ...this.newest, topology };
    } else if (event.type === 'config') {
      const config = compileConfig(event.config);
      keep(this.configs, config.version, config);
      if (config.version >= (this.newest.config?.version ?? 0))
        this.newest = { ...this.newest, config };
    }
  }

  /** That version; or the nearest known to a command that has waited for longer than versions are kept. */
  topology(version: number): Topology | undefined {
    return this.topologies.get(version) ?? nearest(this.topologies, version);
  }

  /** As `topology`. */
  config(version: number): CompiledConfig | undefined {
    return this.configs.get(version) ?? nearest(this.configs, version);
  }

  /** The two ends of a client's connection. */
  peer(connection: number): Peer {
    return this.peers.get(connection) ?? NO_PEER;
  }

  /** The newest of each. */
  get latest(): Newest {
    return this.newest;
  }
}

type Newest = {
  readonly topology: Topology | undefined;
  readonly config: CompiledConfig | undefined;
};

function keep<T>(
  versions: Map<number, T>,
  version: number,
  value: T,
  most: number = VERSIONS_KEPT,
): void {
  versions.set(version, value);
  if (versions.size > most) versions.delete(versions.keys().next().value as number);
}

function nearest<T>(versions: ReadonlyMap<number, T>, version: number): T | undefined {
  const [first] = [...versions.keys()].sort(
    (a, b) => Math.abs(a - version) - Math.abs(b - version),
  );
  return first === undefined ? undefined : versions.get(first);
}

/** The Topology that an event of type topology describes. */
export function topologyOf(event: Extract<OtherEvent, { type: 'topology' }>): Topology {
  const upstreams = Object.entries(event.upstreams).map(([name, state]) => {
    const unhealthy = new Set(
      state.servers.filter((server) => !server.healthy).map((server) => server.address),
    );
    if (state.kind === 'slots')
      return [name, slotPlacement(state.ranges ?? [], unhealthy)] as const;
    if (state.hosts !== null)
      return [name, hostPlacement(state.hosts.placed, state.hosts.balancer, unhealthy)] as const;
    const only = state.kind === 'single' ? state.servers[0] : undefined;
    return [
      name,
      only === undefined
        ? ({ kind: 'single', shards: [] } as const)
        : singleServer(only.address, only.healthy),
    ] as const;
  });
  return { version: event.version, upstreams: Object.fromEntries(upstreams) };
}

/** One block, and where its records start. */
export class Block {
  readonly bytes: Buffer;
  /** The same bytes, for those who read heads without an event's object: see `AT`. */
  readonly ints: Int32Array;
  readonly floats: Float64Array;

  constructor(block: ArrayBuffer, used: number) {
    this.bytes = Buffer.from(block, 0, used);
    this.ints = new Int32Array(block);
    this.floats = new Float64Array(block);
  }

  /** Calls `each` with the kind and the offset of every record, in order. */
  walk(each: (kind: number, offset: number) => void): void {
    for (let offset = 0; offset < this.bytes.length; ) {
      each(this.ints[offset >> 2] as number, offset);
      offset += this.ints[(offset >> 2) + AT.length] as number;
    }
  }

  other(offset: number): OtherEvent {
    const length = this.ints[(offset >> 2) + 2] as number;
    return JSON.parse(this.bytes.toString('utf8', offset + 16, offset + 16 + length)) as OtherEvent;
  }

  /** The bytes of one record; records can be put together to blocks again. */
  record(offset: number): Uint8Array {
    const length = this.ints[(offset >> 2) + AT.length] as number;
    return this.bytes.subarray(offset, offset + length);
  }

  /** Whether the event at `offset`, which is no command, is of the type with that number. */
  isOfType(offset: number, number: number): boolean {
    return this.ints[(offset >> 2) + 3] === number;
  }

  seq(offset: number): number {
    return this.floats[(offset >> 3) + (AT.seq >> 1)] as number;
  }

  /** Looks at the command at `offset` for counting. */
  glance(offset: number, into: Glance): void {
    into.load(this.bytes, this.ints, this.floats, offset);
  }

  isCommand(offset: number): boolean {
    return this.ints[offset >> 2] === KIND_COMMAND;
  }

  command(offset: number, context: StreamContext): CommandEvent {
    return new DecodedCommand(this.bytes, this.ints, this.floats, offset, context);
  }
}

/** A command's record, decoded field by field as it is asked for. */
class DecodedCommand implements CommandEvent {
  readonly type = 'command';
  private readonly bytes: Buffer;
  private readonly ints: Int32Array;
  private readonly floats: Float64Array;
  private readonly head: number;
  private readonly context: StreamContext;
  private known: { command?: Command; decision?: Decision } = {};

  constructor(
    bytes: Buffer,
    ints: Int32Array,
    floats: Float64Array,
    offset: number,
    context: StreamContext,
  ) {
    this.bytes = bytes;
    this.ints = ints;
    this.floats = floats;
    this.head = offset >> 2;
    this.context = context;
  }

  private int(field: number): number {
    return this.ints[this.head + field] as number;
  }

  private float(field: number): number {
    return this.floats[(this.head + field) >> 1] as number;
  }

  get seq(): number {
    return this.float(AT.seq);
  }

  get atUs(): number {
    return this.float(AT.atUs);
  }

  get durationUs(): number {
    return this.float(AT.durationUs);
  }

  get connection(): number {
    return this.int(AT.connection);
  }

  get queueUs(): number {
    return this.float(AT.queueUs);
  }

  get upstreamUs(): number {
    return this.float(AT.upstreamUs);
  }

  get burst(): { readonly first: number; readonly size: number } {
    return { first: this.seq - this.int(AT.burstAt), size: this.int(AT.burstSize) };
  }

  /** Where the bytes after the ints start: transaction key, cause, request, reply. */
  private get tail(): number {
    return (this.head + HEAD + ATTEMPT_INTS * this.int(AT.attempts) + this.int(AT.draws)) << 2;
  }

  private get requestAt(): number {
    return this.tail + Math.max(0, this.int(AT.transactionKey)) + this.int(AT.cause);
  }

  get request(): Kept {
    const at = this.requestAt;
    return {
      bytes: this.bytes.subarray(at, at + this.int(AT.requestKept)),
      total: this.float(AT.requestTotal),
      condensed: (this.int(AT.flags) & FLAG.condensed) !== 0,
    };
  }

  get reply(): Kept {
    const at = this.requestAt + this.int(AT.requestKept);
    return {
      bytes: this.bytes.subarray(at, at + this.int(AT.replyKept)),
      total: this.float(AT.replyTotal),
      condensed: (this.int(AT.flags) & FLAG.replyCondensed) !== 0,
    };
  }

  get command(): Command {
    this.known.command ??= commandOf(this.condensed, this.request, this.session);
    return this.known.command;
  }

  private get condensed(): KeptArgument[] {
    return this.int(AT.flags) & FLAG.condensed ? readCondensed(this.request.bytes) : [];
  }

  get args(): readonly KeptArgument[] {
    const { condensed } = this;
    return condensed.length > 0
      ? condensed
      : this.command.argv.map((bytes) => ({ kind: 'whole', bytes }));
  }

  private get session(): SessionView {
    const flags = this.int(AT.flags);
    const keyLength = this.int(AT.transactionKey);
    return {
      authenticated: (flags & FLAG.authenticated) !== 0,
      resp: flags & FLAG.resp3 ? 3 : 2,
      multi: (flags & FLAG.multi) !== 0,
      subscribed: (flags & FLAG.subscribed) !== 0,
      transactionKey: keyLength < 0 ? null : this.bytes.subarray(this.tail, this.tail + keyLength),
      pinned: this.address(this.int(AT.pinned)),
      home: this.address(this.int(AT.home)),
      peer: this.context.peer(this.int(AT.connection)),
    };
  }

  private address(ref: number): string | null {
    return ref < 0 ? null : (this.context.addresses[ref] ?? null);
  }

  /** Made again from what it was made of: the replay law. */
  get decision(): Decision {
    this.known.decision ??= this.decideAgain();
    return this.known.decision;
  }

  private decideAgain(): Decision {
    const topology = this.context.topology(this.int(AT.topologyVersion));
    const config = this.context.config(this.int(AT.configVersion));
    if (topology === undefined || config === undefined)
      throw new TypeError('an event without its topology or configuration');
    const at = this.head + HEAD + ATTEMPT_INTS * this.int(AT.attempts);
    const draws = Array.from(this.ints.subarray(at, at + this.int(AT.draws)));
    return decide(this.command, topology, config, replayRng(draws));
  }

  get attempts(): readonly Attempt[] {
    const count = this.int(AT.attempts);
    if (count === 0) {
      const only = partsOf(this.decision)[0];
      if (only === undefined || only.to === null) return [];
      const sentUs = this.queueUs;
      return [
        {
          part: 0,
          address: only.to.address,
          kind: 'decided',
          sentUs,
          doneUs: sentUs + this.upstreamUs,
        },
      ];
    }
    return Array.from({ length: count }, (_, i) => {
      const at = this.head + HEAD + ATTEMPT_INTS * i;
      return {
        part: this.ints[at] as number,
        address: this.address(this.ints[at + 1] as number) ?? '?',
        kind: ATTEMPT_KINDS[this.ints[at + 2] as number] ?? 'decided',
        sentUs: this.floats[(at >> 1) + 2] as number,
        doneUs: this.floats[(at >> 1) + 3] as number,
      };
    });
  }

  get outcome(): Outcome {
    const flags = this.int(AT.flags);
    if (flags & FLAG.clientClosed) return { kind: 'client-closed' };
    if (flags & FLAG.shutdown) return { kind: 'shutdown' };
    const length = this.int(AT.cause);
    if (length === 0) return { kind: 'reply', cause: null };
    const at = this.requestAt - length;
    return {
      kind: 'reply',
      cause: JSON.parse(this.bytes.toString('utf8', at, at + length)) as Cause,
    };
  }
}

/**
 * The command of a kept request: as it was, or with markers in the place of what was taken out; without arguments where it was none.
 */
function commandOf(args: readonly KeptArgument[], request: Kept, session: SessionView): Command {
  if (args.length > 0)
    return Command.of(
      args.map((arg) => arg.bytes),
      session,
    );
  const parser = new RequestParser();
  parser.push(request.bytes);
  if (parser.next() !== REQUEST) return Command.of([], session);
  const command = new Command();
  command.load(parser, session);
  return command;
}
