/**
 * Blocks of events → lines, as bytes. A recorder is paid for by everyone whose commands it writes down, so the common command (one part,
 * one key, nothing special) is written straight from its block's bytes into the output; all others go by `format.ts`. Both write the
 * same line: a test compares them on random streams. 1.2 µs a command where format.ts takes 8.
 */
import { Command, NEW_SESSION, type SessionView } from '../commands/command.js';
import { FIRST, NONE } from '../commands/keys.js';
import { AT, ATTEMPT_INTS, FLAG, HEAD } from '../events/block.js';
import type { Block, StreamContext } from '../events/reader.js';
import { whyOf } from '../events/why.js';
import { decide } from '../mesh/decide.js';
import { type Decision, type Hop, isOpened, type Part } from '../mesh/decision.js';
import { replayRng } from '../mesh/rng.js';
import { aliasOf, type Topology } from '../mesh/topology.js';
import { ByteWriter } from './byte-writer.js';
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
  /** By server, and then by why: the bytes of `"rt" … "p"`; for one topology. */
  private tails = new Map<string, Tail[]>();
  private made = 0;
  /** By connection: one made for each command would be most of what a line costs the collector. */
  private readonly sessions = new Map<number, SessionView>();
  private tailsOf: Topology | null = null;

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
    const drawn = draws === 0 ? NO_DRAWS : Array.from(ints.subarray(drawsAt, drawsAt + draws));
    const decision = decide(command, topology, config, replayRng(drawn));
    const part = onlyPart(decision);
    if (part === null || part.to === null) return false;
    if (decision.topologyVersion !== topologyVersion || decision.configVersion !== configVersion)
      return false;

    this.before(floats, ints, head);
    this.args(block.bytes);
    const { out } = this;
    if (part.to.slot >= 0) {
      out.bytes(SLOT);
      out.whole(part.to.slot);
    }
    const tail = this.tail(decision, part, topology);
    out.bytes(tail.route);
    if (decision.draws.length > 0) this.draws(decision.draws);
    out.bytes(tail.place);
    this.timing(floats, head);
    if (isResp3) out.bytes(SESSION);
    if (spec.envoyWrite) out.bytes(WRITE);
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
    out.bytes(NUMBER);
    out.whole(seq);
    out.bytes(TIME);
    out.seconds(floats[(head + AT.atUs) >> 1] as number);
    out.bytes(DURATION);
    out.seconds(floats[(head + AT.durationUs) >> 1] as number);
    out.bytes(CONNECTION);
    out.whole(ints[head + AT.connection] as number);
    const size = ints[head + AT.burstSize] as number;
    if (size <= 1) return;
    const at = ints[head + AT.burstAt] as number;
    out.bytes(BURST);
    out.whole(seq - at);
    out.byte(COMMA);
    out.whole(at);
    out.byte(COMMA);
    out.whole(size);
    out.byte(CLOSE_BRACKET);
  }

  private args(bytes: Buffer): void {
    const { out, frame } = this;
    out.bytes(ARGS);
    for (let i = 0; i < frame.argc; i++) {
      if (i > 0) out.byte(COMMA);
      out.string(bytes, frame.argStart[i] as number, frame.argEnd[i] as number);
    }
    out.byte(CLOSE_BRACKET);
  }

  private draws(draws: readonly number[]): void {
    const { out } = this;
    out.bytes(DRAWS);
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
    out.bytes(TIMING);
    out.whole(queueUs);
    out.byte(COMMA);
    out.whole(upstreamUs);
    out.byte(COMMA);
    out.whole(Math.max(0, durationUs - queueUs - upstreamUs));
    out.byte(CLOSE_BRACKET);
  }

  /** What depends only on where the command went and why. */
  private tail(decision: Decision, part: Part, topology: Topology): Tail {
    if (this.tailsOf !== topology || this.made > MOST_TAILS) {
      this.tails = new Map();
      this.tailsOf = topology;
      this.made = 0;
    }
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
        out.bytes(bytes[start] === PLUS ? STATUS : ERROR);
        if (!endsHere(bytes, start + 1, end)) return false;
        out.string(bytes, start + 1, end - 2);
        out.byte(CLOSE_BRACE);
        return total >= 0;
      case DOLLAR: {
        if (bytes[start + 1] === MINUS) {
          out.bytes(NIL);
          return end - start === 5;
        }
        const length = this.length(bytes, start + 1);
        if (length < 0 || this.pos + length + 2 !== end) return false;
        out.bytes(REPLY);
        out.string(bytes, this.pos, end - 2);
        return true;
      }
      case COLON: {
        const length = this.length(bytes, start + 1);
        if (length < 0 || this.pos !== end) return false;
        out.bytes(REPLY);
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
  readonly route: Buffer;
  readonly place: Buffer;
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
    route: Buffer.from(route),
    place: Buffer.from(place),
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
const SLOT = Buffer.from(',"s":');
const SESSION = Buffer.from(',"ss":{"resp":3}');
const WRITE = Buffer.from(',"x":"W"');
const NUMBER = Buffer.from('{"k":"cmd","n":');
const TIME = Buffer.from(',"t":');
const DURATION = Buffer.from(',"d":');
const CONNECTION = Buffer.from(',"c":');
const BURST = Buffer.from(',"q":[');
const ARGS = Buffer.from(',"a":[');
const DRAWS = Buffer.from(',"dr":[');
const TIMING = Buffer.from(',"tm":[');
const NIL = Buffer.from(',"r":null');
const REPLY = Buffer.from(',"r":');
const STATUS = Buffer.from(',"r":{"+":');
const ERROR = Buffer.from(',"r":{"-":');

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
