/**
 * What can be asked about one command, worked out when it is asked: what filters compare and what the screen's columns show.
 *
 * Texts of keys, arguments and replies are given as bytes, one character a byte. Null is "not known", or "there is none".
 */
import { readCut } from '../events/condense.js';
import type { Attempt, CommandEvent, OtherEvent } from '../events/event.js';
import { whyOf } from '../events/why.js';
import type { CompiledConfig } from '../mesh/compile.js';
import { type Decision, type FaultPlan, isOpened, type Part, partsOf } from '../mesh/decision.js';
import { aliasOf, type Topology } from '../mesh/topology.js';
import { decodeReply, type Reply } from '../resp/value.js';
import { type CommandClass, classesOf } from './classes.js';
import { typeOfReply } from './reply.js';

/** What is known of a client. */
export type ClientInfo = {
  readonly address: string;
  readonly name: string | null;
  readonly library: string | null;
  readonly resp: 2 | 3;
};

/** What a command's facts rest on that is not in its event. */
export type World = {
  topology(version: number): Topology | undefined;
  config(version: number): CompiledConfig | undefined;
  client(connection: number): ClientInfo | undefined;
  /** From which duration on a command of this name is slow, µs; null when that is not known yet. */
  slowUs(name: string): number | null;
  /** Now, in µs since the stream began. */
  nowUs(): number;
  /** What came of the copies of command `seq`, as far as it is remembered. */
  mirrors?(seq: number): readonly MirrorEvent[];
  /** What the user wrote at command `seq`. */
  mark?(seq: number): Mark | undefined;
  /** How command `seq`, of a recording that is sent again, fares against what is recorded; null: it is none, or not answered yet. */
  replayed?(seq: number): ReplayDiff | null;
};

/** `elsewhere`: the reply is not another one, but the command went another way. */
export type ReplayDiff = 'same' | 'diff' | 'missing' | 'extra' | 'elsewhere';

/** What came of one copy to a mirror. */
export type MirrorEvent = Extract<OtherEvent, { type: 'mirror' }>;

/** A mark of the user, with a note to it. */
export type Mark = { readonly mark: string; readonly note: string | null };

/** A command that has not finished. */
export type PendingEvent = Extract<OtherEvent, { type: 'pending' }>;

/** A server that a part of a command went to, or is to go to. */
export type NodeFact = {
  readonly alias: string;
  readonly address: string;
  /** `s2`; null where the address is none of the topology's. */
  readonly shard: string | null;
  readonly role: 'primary' | 'replica';
};

const NONE: readonly never[] = [];

/** The facts about one command at a time: `load` it, then ask. */
export class Facts {
  event: CommandEvent | null = null;
  pending: PendingEvent | null = null;
  readonly world: World;
  private known: {
    decision?: Decision | null;
    keys?: readonly string[];
    args?: readonly string[];
    attempts?: readonly Attempt[];
    nodes?: readonly NodeFact[];
    reply?: Reply | null;
  } = {};

  constructor(world: World) {
    this.world = world;
  }

  load(event: CommandEvent | PendingEvent): this {
    this.event = event.type === 'command' ? event : null;
    this.pending = event.type === 'pending' ? event : null;
    this.known = {};
    return this;
  }

  get seq(): number {
    return this.event?.seq ?? this.pending?.seq ?? 0;
  }

  /** When it arrived, µs since the stream began. */
  get atUs(): number {
    return this.event?.atUs ?? this.pending?.arrivedUs ?? 0;
  }

  get connection(): number {
    return this.event?.connection ?? this.pending?.connection ?? 0;
  }

  get client(): ClientInfo | undefined {
    return this.world.client(this.connection);
  }

  /** `GET`, `CONFIG GET`. */
  get name(): string {
    return this.event?.command.name ?? this.pending?.name ?? '';
  }

  get classes(): readonly CommandClass[] {
    const spec = this.event?.command.spec;
    return spec === undefined ? NONE : classesOf(spec);
  }

  /** Arguments after the name, as far as they were kept. */
  get args(): readonly string[] {
    this.known.args ??= this.findArgs();
    return this.known.args;
  }

  private findArgs(): readonly string[] {
    if (this.event === null) return this.keys;
    const { command } = this.event;
    const args: string[] = [];
    for (let i = 1; i < command.argc; i++) args.push(command.arg(i).toString('latin1'));
    return args;
  }

  get keys(): readonly string[] {
    this.known.keys ??= this.findKeys();
    return this.known.keys;
  }

  private findKeys(): readonly string[] {
    if (this.event === null) return this.pending?.key == null ? NONE : [this.pending.key];
    const { command } = this.event;
    return command.keys.map((at) => command.text(at, Number.MAX_SAFE_INTEGER));
  }

  /** Whether a key begins with `prefix`. */
  hasKeyFrom(prefix: Uint8Array): boolean {
    if (this.event === null) {
      const text = Buffer.from(prefix).toString('latin1');
      return this.keys.some((key) => key.startsWith(text));
    }
    return this.event.command.hasKeyFrom(prefix);
  }

  /** Null while it is pending, and where what it was decided by is no longer known. */
  get decision(): Decision | null {
    if (this.known.decision === undefined) this.known.decision = this.findDecision();
    return this.known.decision;
  }

  private findDecision(): Decision | null {
    try {
      return this.event?.decision ?? null;
    } catch {
      return null;
    }
  }

  get parts(): readonly Part[] {
    return this.decision === null ? NONE : partsOf(this.decision);
  }

  get topology(): Topology | undefined {
    return this.decision === null ? undefined : this.world.topology(this.decision.topologyVersion);
  }

  get attempts(): readonly Attempt[] {
    this.known.attempts ??= this.decision === null ? NONE : (this.event?.attempts ?? NONE);
    return this.known.attempts;
  }

  get slots(): readonly number[] {
    const slots = this.parts.map((part) => part.to?.slot ?? -1).filter((slot) => slot >= 0);
    return slots.length < 2 ? slots : [...new Set(slots)];
  }

  /** Where each part ended up, without repeats. */
  get nodes(): readonly NodeFact[] {
    this.known.nodes ??= this.findNodes();
    return this.known.nodes;
  }

  private findNodes(): readonly NodeFact[] {
    const { parts, attempts } = this;
    const nodes: NodeFact[] = [];
    parts.forEach((part, i) => {
      if (part.to === null) return;
      const address = attempts.findLast((each) => each.part === i)?.address ?? part.to.address;
      if (!nodes.some((node) => node.address === address)) nodes.push(this.nodeAt(part, address));
    });
    return nodes;
  }

  private nodeAt(part: Part, address: string): NodeFact {
    const { topology } = this;
    const alias =
      topology === undefined ? address : aliasOf(topology, part.to?.upstream ?? '', address);
    const match = /(s\d+)\.(p|r)\d*$/.exec(alias);
    if (alias === address || match === null)
      return { alias, address, shard: null, role: part.to?.role ?? 'primary' };
    return {
      alias,
      address,
      shard: match[1] ?? null,
      role: match[2] === 'r' ? 'replica' : 'primary',
    };
  }

  /** In a word, why it went where it went; null when the proxy answered by itself, or while it is pending. */
  get why(): string | null {
    const { decision } = this;
    if (decision === null || decision.action.kind === 'answer') return null;
    return whyOf(decision, this.attempts);
  }

  get isRefused(): boolean {
    return this.decision?.action.kind === 'refuse';
  }

  /** Forwarded although the mesh would refuse it. */
  get isOpened(): boolean {
    return this.decision !== null && isOpened(this.decision);
  }

  /** The fault that hits it. */
  get fault(): FaultPlan | null {
    return this.decision?.fault ?? null;
  }

  /** Whether copies of it go to a mirror. */
  get isMirrored(): boolean {
    return this.parts.some((part) => part.mirrors.length > 0);
  }

  /** What came of its copies so far. */
  get mirrors(): readonly MirrorEvent[] {
    return this.world.mirrors?.(this.seq) ?? NONE;
  }

  get mark(): Mark | undefined {
    return this.world.mark?.(this.seq);
  }

  get replayed(): ReplayDiff | null {
    return this.world.replayed?.(this.seq) ?? null;
  }

  /** Redirects followed. */
  get hops(): number {
    return this.attempts.reduce((n, attempt) => n + (attempt.kind === 'decided' ? 0 : 1), 0);
  }

  get durationUs(): number | null {
    return this.event?.durationUs ?? null;
  }

  get isSlow(): boolean {
    const { durationUs } = this;
    if (durationUs === null) return false;
    const limit = this.world.slowUs(this.name);
    return limit !== null && durationUs > limit;
  }

  /** Null where nothing of it was kept, or none was given. */
  get reply(): Reply | null {
    if (this.known.reply === undefined) this.known.reply = this.findReply();
    return this.known.reply;
  }

  private findReply(): Reply | null {
    const kept = this.event?.reply;
    if (kept === undefined || kept.bytes.length === 0) return null;
    const reply = decodeReply(kept.bytes);
    if (!kept.condensed || reply?.type !== '=') return reply;
    const cut = readCut(reply.value);
    return cut === null ? null : { type: '$', value: cut.bytes };
  }

  /** Whether the reply is an error; told by its first byte, without decoding it. */
  get isError(): boolean {
    const first = this.event?.reply.bytes[0];
    return first === 0x2d || first === 0x21; // '-' '!'
  }

  get isNil(): boolean {
    return this.reply?.type === 'null';
  }

  get replyType(): string | null {
    return this.reply === null ? null : typeOfReply(this.reply);
  }
}
