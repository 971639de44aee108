/**
 * Blocks of events → lines, as bytes. A recorder is paid for by everyone whose commands it writes down, so the common command (one part,
 * one key, nothing special) is written straight from its block's bytes into the output; all others go by `format.ts`. Both write the
 * same line: a test compares them on random streams. A fifth of format.ts's time.
 */
import { Command, NEW_SESSION, type SessionView } from '../commands/command.js';
import { FIRST, NONE } from '../commands/keys.js';
import type { CommandSpec } from '../commands/table.js';
import { AT, ATTEMPT_INTS, FLAG, HEAD } from '../events/block.js';
import type { Block, StreamContext } from '../events/reader.js';
import { whyOf } from '../events/why.js';
import type { CompiledConfig } from '../mesh/compile.js';
import { decide } from '../mesh/decide.js';
import { type Decision, type Hop, isOpened, type Part } from '../mesh/decision.js';
import { decisiveSlot } from '../mesh/decisive.js';
import { replayRng } from '../mesh/rng.js';
import { aliasOf, SLOTS, type Topology } from '../mesh/topology.js';
import { ByteWriter, Piece } from './byte-writer.js';
import { commandToJson } from './format.js';
import type { JsonObject } from './values.js';

/** Arguments of a command that is written the fast way. */
const MOST_ARGS = 64;
/** Tails kept: one for each kind of place a command goes to; a handful, but for a configuration of many routes. */
const MOST_TAILS = 4096;
const MOST_SESSIONS = 4096;

/** Writes lines into `out`, which its owner empties. */
export class LineEncoder {
  readonly out: ByteWriter = new ByteWriter();
  private readonly context: StreamContext;
  private readonly command = new Command();
  private readonly frame: {
    frame: Buffer;
    argc: number;
    argStart: Int32Array;
    argEnd: Int32Array;
  } = {
    frame: Buffer.alloc(0),
    argc: 0,
    argStart: new Int32Array(MOST_ARGS),
    argEnd: new Int32Array(MOST_ARGS),
  };
  /** By server, and then by why: the bytes of `"rt" … "p"`; for one topology and configuration. */
  private tails = new Map<string, Tail[]>();
  private made = 0;
  /** Where that is all that counts, by row of the table and slot: number of the tail in `kept`, from 1. Half of a line's time was deciding. */
  private bySlot = new Map<number, Uint16Array>();
  private kept: Tail[] = [];
  /** By connection: one made for each command would be most of what a line costs the collector. */
  private readonly sessions = new Map<number, SessionView>();
  private tailsOf: Topology | null = null;
  private tailsUnder: CompiledConfig | null = null;
  /** Of the command that is being written: its slot, or -1; and what was drawn for it. */
  private slot = -1;
  private drawn: readonly number[] = NO_DRAWS;

  constructor(context: StreamContext) {
    this.context = context;
  }

  /** Writes any line. */
  json(line: JsonObject): void {
    this.out.utf8(JSON.stringify(line));
    this.out.byte(LF);
  }

  /** Writes the line of the command at `offset`. */
  commandAt(block: Block, offset: number): void {
    const start = this.out.used;
    if (this.fast(block, offset)) return;
    this.out.used = start;
    this.out.odd = false;
    this.json(commandToJson(block.command(offset, this.context), this.context));
  }

  /** False where the command is none of the common ones; what was written so far is then to be forgotten. */
  private fast(block: Block, offset: number): boolean {
    const { ints, floats } = block;
    const head = offset >> 2;
    const flags = ints[head + AT.flags] as number;
    const attempts = ints[head + AT.attempts] as number;
    const total = floats[(head + AT.requestTotal) >> 1] as number;
    const kept = ints[head + AT.requestKept] as number;
    const isCommon =
      (flags & ~FLAG.resp3) === FLAG.authenticated &&
      attempts === 0 &&
      (ints[head + AT.transactionKey] as number) < 0 &&
      (ints[head + AT.pinned] as number) < 0 &&
      (ints[head + AT.home] as number) < 0 &&
      ints[head + AT.cause] === 0 &&
      kept === total;
    if (!isCommon) return false;
    const draws = ints[head + AT.draws] as number;
    const drawsAt = head + HEAD + ATTEMPT_INTS * attempts;
    const requestAt = (drawsAt + draws) << 2;
    if (!this.readRequest(block.bytes, requestAt, requestAt + kept)) return false;
    const topologyVersion = ints[head + AT.topologyVersion] as number;
    const configVersion = ints[head + AT.configVersion] as number;
    const topology = this.context.topology(topologyVersion);
    const config = this.context.config(configVersion);
    const { latest } = this.context;
    if (topology === undefined || config === undefined) return false;
    if (latest.topology !== topology || latest.config !== config) return false;
    const isResp3 = (flags & FLAG.resp3) !== 0;
    const { command } = this;
    command.load(this.frame, this.session(ints[head + AT.connection] as number, isResp3));
    const { spec } = command;
    if (spec === undefined || !(spec.keys === FIRST || spec.keys === NONE)) return false;
    if (topology !== this.tailsOf || config !== this.tailsUnder || this.made > MOST_TAILS)
      this.forget(topology, config);
    this.drawn = draws === 0 ? NO_DRAWS : Array.from(ints.subarray(drawsAt, drawsAt + draws));
    const tail = this.place(spec, topology, config);
    if (tail === null) return false;

    this.before(floats, ints, head);
    this.args(block.bytes);
    const { out } = this;
    if (this.slot >= 0) {
      out.piece(SLOT);
      out.whole(this.slot);
    }
    out.piece(tail.route);
    if (this.drawn.length > 0) this.draws(this.drawn);
    out.piece(tail.place);
    this.timing(floats, head);
    if (isResp3) out.piece(SESSION);
    if (spec.envoyWrite) out.piece(WRITE);
    const replyAt = requestAt + kept;
    const replyKept = ints[head + AT.replyKept] as number;
    if (
      !this.reply(
        block.bytes,
        replyAt,
        replyAt + replyKept,
        floats[(head + AT.replyTotal) >> 1] as number,
      )
    )
      return false;
    out.byte(CLOSE_BRACE);
    out.byte(LF);
    return !out.odd;
  }

  /** That of a client of which nothing is known but its address and version. */
  private session(connection: number, isResp3: boolean): SessionView {
    const { sessions } = this;
    const peer = this.context.peer(connection);
    const known = sessions.get(connection);
    const resp = isResp3 ? 3 : 2;
    if (known !== undefined && known.peer === peer && known.resp === resp) return known;
    if (sessions.size >= MOST_SESSIONS) sessions.clear();
    const session: SessionView = { ...NEW_SESSION, resp, peer };
    sessions.set(connection, session);
    return session;
  }

  /** An array of bulk strings, as nearly all requests are; false for anything else, such as a length with leading zeros. */
  private readRequest(bytes: Buffer, start: number, end: number): boolean {
    const { frame } = this;
    let at = start;
    if (bytes[at++] !== STAR) return false;
    const argc = this.length(bytes, at);
    if (argc < 1 || argc > MOST_ARGS) return false;
    at = this.pos;
    for (let i = 0; i < argc; i++) {
      if (bytes[at++] !== DOLLAR) return false;
      const length = this.length(bytes, at);
      if (length < 0) return false;
      at = this.pos;
      frame.argStart[i] = at;
      at += length;
      frame.argEnd[i] = at;
      at += 2;
    }
    frame.frame = bytes;
    frame.argc = argc;
    return at === end;
  }

  private pos = 0;

  /** A canonical length at `at`, and its line end; -1 for anything else. `pos` is behind it. */
  private length(bytes: Buffer, at: number): number {
    let value = 0;
    const first = at;
    for (; ; at++) {
      const digit = (bytes[at] as number) - ZERO;
      if (digit < 0 || digit > 9) break;
      value = value * 10 + digit;
      if (at - first > 8) return -1;
    }
    if (at === first || (bytes[first] === ZERO && at - first > 1)) return -1;
    if (bytes[at] !== CR || bytes[at + 1] !== LF) return -1;
    this.pos = at + 2;
    return value;
  }

  private before(floats: Float64Array, ints: Int32Array, head: number): void {
    const { out } = this;
    const seq = floats[(head + AT.seq) >> 1] as number;
    out.piece(NUMBER);
    out.whole(seq);
    out.piece(TIME);
    out.seconds(floats[(head + AT.atUs) >> 1] as number);
    out.piece(DURATION);
    out.seconds(floats[(head + AT.durationUs) >> 1] as number);
    out.piece(CONNECTION);
    out.whole(ints[head + AT.connection] as number);
    const size = ints[head + AT.burstSize] as number;
    if (size <= 1) return;
    const at = ints[head + AT.burstAt] as number;
    out.piece(BURST);
    out.whole(seq - at);
    out.byte(COMMA);
    out.whole(at);
    out.byte(COMMA);
    out.whole(size);
    out.byte(CLOSE_BRACKET);
  }

  private args(bytes: Buffer): void {
    const { out, frame } = this;
    out.piece(ARGS);
    for (let i = 0; i < frame.argc; i++) {
      if (i > 0) out.byte(COMMA);
      out.string(bytes, frame.argStart[i] as number, frame.argEnd[i] as number);
    }
    out.byte(CLOSE_BRACKET);
  }

  private draws(draws: readonly number[]): void {
    const { out } = this;
    out.piece(DRAWS);
    for (const [i, draw] of draws.entries()) {
      if (i > 0) out.byte(COMMA);
      out.whole(draw);
    }
    out.byte(CLOSE_BRACKET);
  }

  private timing(floats: Float64Array, head: number): void {
    const { out } = this;
    const queueUs = floats[(head + AT.queueUs) >> 1] as number;
    const upstreamUs = floats[(head + AT.upstreamUs) >> 1] as number;
    const durationUs = floats[(head + AT.durationUs) >> 1] as number;
    out.piece(TIMING);
    out.whole(queueUs);
    out.byte(COMMA);
    out.whole(upstreamUs);
    out.byte(COMMA);
    out.whole(Math.max(0, durationUs - queueUs - upstreamUs));
    out.byte(CLOSE_BRACKET);
  }

  /** Where the loaded command went and why, as it is written; null where it is none of the common ones. */
  private place(spec: CommandSpec, topology: Topology, config: CompiledConfig): Tail | null {
    const slot = this.drawn.length === 0 ? decisiveSlot(this.command, topology, config) : -1;
    if (slot < 0) return this.decided(topology, config);
    let numbers = this.bySlot.get(spec.id);
    if (numbers === undefined) {
      numbers = new Uint16Array(SLOTS);
      this.bySlot.set(spec.id, numbers);
    }
    const number = numbers[slot] as number;
    if (number > 0) {
      this.slot = slot;
      return this.kept[number - 1] as Tail;
    }
    const tail = this.decided(topology, config);
    if (tail !== null && this.drawn.length === 0) {
      const known = this.kept.indexOf(tail);
      numbers[slot] = known < 0 ? this.kept.push(tail) : known + 1;
    }
    return tail;
  }

  private decided(topology: Topology, config: CompiledConfig): Tail | null {
    const decision = decide(this.command, topology, config, replayRng(this.drawn));
    const part = onlyPart(decision);
    if (part === null || part.to === null) return null;
    this.slot = part.to.slot;
    this.drawn = decision.draws;
    return this.tail(decision, part, topology);
  }

  private forget(topology: Topology, config: CompiledConfig): void {
    this.tails = new Map();
    this.bySlot = new Map();
    this.kept = [];
    this.made = 0;
    this.tailsOf = topology;
    this.tailsUnder = config;
  }

  /** What depends only on where the command went and why. */
  private tail(decision: Decision, part: Part, topology: Topology): Tail {
    const to = part.to as NonNullable<Part['to']>;
    const why = whyOf(decision, NO_ATTEMPTS);
    const policy = policyOf(part);
    let known = this.tails.get(to.address);
    if (known === undefined) {
      known = [];
      this.tails.set(to.address, known);
    }
    // There are as many as routes and policies lead to one server.
    for (const tail of known)
      if (
        tail.match === part.route &&
        tail.why === why &&
        tail.policy === policy &&
        tail.role === to.role &&
        tail.upstream === to.upstream
      )
        return tail;
    const made = tailOf(part.route, to, why, policy, topology);
    this.made++;
    known.push(made);
    return made;
  }

  /** The reply, where it is of a simple kind. */
  private reply(bytes: Buffer, start: number, end: number, total: number): boolean {
    const { out } = this;
    if (end === start) return false;
    switch (bytes[start]) {
      case PLUS:
      case MINUS:
        out.piece(bytes[start] === PLUS ? STATUS : ERROR);
        if (!endsHere(bytes, start + 1, end)) return false;
        out.string(bytes, start + 1, end - 2);
        out.byte(CLOSE_BRACE);
        return total >= 0;
      case DOLLAR: {
        if (bytes[start + 1] === MINUS) {
          out.piece(NIL);
          return end - start === 5;
        }
        const length = this.length(bytes, start + 1);
        if (length < 0 || this.pos + length + 2 !== end) return false;
        out.piece(REPLY);
        out.string(bytes, this.pos, end - 2);
        return true;
      }
      case COLON: {
        const length = this.length(bytes, start + 1);
        if (length < 0 || this.pos !== end) return false;
        out.piece(REPLY);
        out.whole(length);
        return true;
      }
      default:
        return false;
    }
  }
}

type Tail = {
  readonly match: Part['route'];
  readonly upstream: string;
  readonly role: Hop['role'];
  readonly why: string;
  readonly policy: string | null;
  readonly route: Piece;
  readonly place: Piece;
};

function tailOf(
  match: Part['route'],
  { upstream, role, address }: Hop,
  why: string,
  policy: string | null,
  topology: Topology,
): Tail {
  const letter = role === 'replica' ? 'R' : 'P';
  const route = match === null ? '' : `,"rt":${JSON.stringify(match.prefix ?? '*')}`;
  const alias = JSON.stringify(aliasOf(topology, upstream, address));
  const place = `,"u":${alias},"p":${JSON.stringify(policy === null ? [why, letter] : [why, letter, policy])}`;
  return {
    match,
    upstream,
    role,
    why,
    policy,
    route: new Piece(route),
    place: new Piece(place),
  };
}

const NO_DRAWS: readonly number[] = [];
const NO_ATTEMPTS: readonly never[] = [];

/** The part of a decision that forwards the whole command to one server; null for any other decision. */
function onlyPart(decision: Decision): Part | null {
  const { action } = decision;
  if (action.kind !== 'forward' || action.parts.length !== 1 || isOpened(decision)) return null;
  if (decision.fault !== null || decision.why.some((reason) => reason.stage === 'fault'))
    return null;
  const part = action.parts[0] as Part;
  return part.mirrors.length === 0 ? part : null;
}

function policyOf(part: Part): string | null {
  for (const reason of part.why)
    if (reason.stage === 'choose') return 'policy' in reason ? reason.policy : null;
  return null;
}

/** Whether the first line end of `bytes[start..end)` is its last two bytes. */
function endsHere(bytes: Buffer, start: number, end: number): boolean {
  for (let at = start; at < end - 2; at++) if (bytes[at] === CR) return false;
  return bytes[end - 2] === CR && bytes[end - 1] === LF;
}

// Pieces of a line.
const SLOT = new Piece(',"s":');
const SESSION = new Piece(',"ss":{"resp":3}');
const WRITE = new Piece(',"x":"W"');
const NUMBER = new Piece('{"k":"cmd","n":');
const TIME = new Piece(',"t":');
const DURATION = new Piece(',"d":');
const CONNECTION = new Piece(',"c":');
const BURST = new Piece(',"q":[');
const ARGS = new Piece(',"a":[');
const DRAWS = new Piece(',"dr":[');
const TIMING = new Piece(',"tm":[');
const NIL = new Piece(',"r":null');
const REPLY = new Piece(',"r":');
const STATUS = new Piece(',"r":{"+":');
const ERROR = new Piece(',"r":{"-":');

const CR = 0x0d;
const LF = 0x0a;
const DOLLAR = 0x24; // $
const PLUS = 0x2b; // +
const COMMA = 0x2c; // ,
const MINUS = 0x2d; // -
const STAR = 0x2a; // *
const ZERO = 0x30;
const COLON = 0x3a; // :
const CLOSE_BRACKET = 0x5d; // ]
const CLOSE_BRACE = 0x7d; // }
