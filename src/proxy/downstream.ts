/**
 * One client connection: its bytes become requests, each is decided and carried out, its session follows.
 *
 * Reading stops, and with it the client, while one of the HOLD reasons stands. Nothing here decides where a command goes.
 */
import type { Socket } from 'node:net';
import { Command, NEW_SESSION, type SessionView } from '../commands/command.js';
import type { ClientInfo } from '../filter/facts.js';
import { decideBriefly } from '../mesh/decide.js';
import type { Decision } from '../mesh/decision.js';
import type { Rng } from '../mesh/rng.js';
import { encodeError } from '../resp/encode.js';
import {
  FAILED,
  INVALID,
  LARGE,
  LAST_PIECE,
  MORE,
  PIECE,
  REQUEST,
  RequestParser,
} from '../resp/request.js';
import { Chance } from './chance.js';
import type { Core } from './core.js';
import { countStart } from './count.js';
import { type Burst, Exchange } from './exchange.js';
import { execute } from './execute.js';
import { HOLD } from './hold.js';
import { LargeRequest, mayStream } from './large.js';
import { OwnConnections } from './own.js';
import { Replies, type RepliesOwner } from './replies.js';

const MAX_IN_FLIGHT = 1024;
const READ_AHEAD_BYTES = 1024 * 1024;
/** Since which Envoy RESP3 types are no protocol error. */
const RESP3_TYPES_SINCE = 40;
const PROTOCOL_ERROR = encodeError('downstream protocol error');

/** How a client stands at this moment; plain data. */
export type ClientState = {
  readonly connection: number;
  /** Whom it is logged in as; null: it has to log in yet. */
  readonly user: string | null;
  /** Between MULTI and EXEC. */
  readonly multi: boolean;
  /** Channels and patterns that it has subscribed to. */
  readonly channels: number;
  /** Requests that it has not been answered. */
  readonly inFlight: number;
};

export class Downstream implements RepliesOwner {
  readonly id: number;
  readonly core: Core;
  readonly socket: Socket;
  readonly address: string;
  readonly replies: Replies;
  /** Connections of this client alone: transaction, blocking, subscriptions. */
  readonly own: OwnConnections;
  session: SessionView;
  name: string | null = null;
  library: string | null = null;
  closed = false;
  private readonly chance: Rng;

  private readonly parser: RequestParser;
  private readonly command = new Command();
  private holds = 0;
  private pumping = false;
  private burst: Burst = { first: 0, size: 0 };
  private arrivedUs = 0;
  private largeOffered = false;
  private large: LargeRequest | null = null;
  private ended = false;
  private quitting = false;
  /** Questions for keys' values that this client's next step waits for, and what does. */
  private snapshots = 0;
  private whenSaved: (() => void)[] = [];
  private readonly onGone: (client: Downstream) => void;

  constructor(core: Core, socket: Socket, id: number, onGone: (client: Downstream) => void) {
    this.core = core;
    this.socket = socket;
    this.id = id;
    this.onGone = onGone;
    this.address = `${socket.remoteAddress ?? '?'}:${socket.remotePort ?? 0}`;
    this.session = {
      ...NEW_SESSION,
      authenticated: core.credentials === null,
      peer: {
        remote: this.address,
        local: `${socket.localAddress ?? '?'}:${socket.localPort ?? 0}`,
      },
    };
    this.parser = new RequestParser(core.config.envoy >= RESP3_TYPES_SINCE);
    this.replies = new Replies(core, socket, this);
    this.own = new OwnConnections(this);
    this.chance = core.chanceOf?.(this.address) ?? new Chance(core, this);
    if (!core.ready) this.holds = HOLD.starting;
    socket.setNoDelay(true);
    socket.on('data', (chunk) => this.read(chunk));
    socket.on('end', () => this.inputEnded());
    socket.on('error', (error) => this.gone('error', error.message));
    socket.on('close', () => this.gone('client', null));
    this.announce('opened');
  }

  /** Who this client is, for filters. */
  get info(): ClientInfo {
    const { address, name, library, session } = this;
    return { address, name, library, resp: session.resp };
  }

  /** How it stands now. */
  get state(): ClientState {
    const { id, session, replies, own, core } = this;
    return {
      connection: id,
      user: session.authenticated ? (core.credentials?.username ?? 'default') : null,
      multi: session.multi,
      channels: own.channels,
      inFlight: replies.inFlight,
    };
  }

  /** Bytes that it has sent and that are no whole request yet, or are held back. */
  get heldBytes(): number {
    return this.parser.heldBytes;
  }

  /** Says who this client is: at the start, and when it gives itself a name or another RESP version. */
  announce(state: 'opened' | 'changed'): void {
    const { id, address, name, library, session, core } = this;
    core.bus.other({
      type: 'session',
      atUs: core.clock.nowUs(),
      connection: id,
      state,
      address,
      name,
      library,
      resp: session.resp,
    });
  }

  // ——— reading ———

  private read(chunk: Buffer): void {
    if (this.closed) return;
    this.arrivedUs = this.core.clock.nowUs();
    this.burst = { first: 0, size: 0 };
    this.parser.push(chunk);
    this.pump();
  }

  hold(reason: number): void {
    this.holds |= reason;
  }

  /** Holds a client that may be in the middle of nothing: no bytes of its own would make it notice. */
  pauseFor(reason: number): void {
    this.hold(reason);
    this.socket.pause();
  }

  release(reason: number): void {
    if ((this.holds & reason) === 0) return;
    this.holds &= ~reason;
    if (this.holds !== 0 || this.closed) return;
    this.socket.resume();
    this.pump();
  }

  /** Deals with requests for as long as nothing holds the client back. */
  private pump(): void {
    if (this.pumping) return;
    this.pumping = true;
    while (this.holds === 0 && !this.closed && this.step());
    this.pumping = false;
    if (this.closed) return;
    // While a command runs alone the client is read on, a little: else its leaving would go unnoticed behind what it had sent.
    const isAlone = this.holds === HOLD.alone && this.parser.heldBytes < READ_AHEAD_BYTES;
    if (this.holds !== 0 && !isAlone) this.socket.pause();
    else if (this.ended && this.holds === 0 && this.replies.head === null) this.replies.end();
  }

  private step(): boolean {
    const { parser } = this;
    if (this.largeOffered) return this.startLarge();
    switch (parser.next()) {
      case REQUEST:
        this.carryOut(parser.frame, parser.start, parser.end);
        return true;
      case LARGE:
        return this.startLarge();
      case PIECE:
        this.large?.piece(parser, false);
        return true;
      case LAST_PIECE:
        this.large?.piece(parser, true);
        this.large = null;
        return true;
      case INVALID:
        this.invalid();
        return true;
      case FAILED:
        this.protocolError(parser.error);
        return false;
      case MORE:
        return false;
      default:
        return false;
    }
  }

  private carryOut(frame: Buffer, start: number, end: number): void {
    const { command, core } = this;
    command.load(this.parser, this.session);
    const decision = decideBriefly(command, core.topology, core.config, this.chance);
    execute(this.admit(decision, frame, start, end), command);
  }

  /** RESP, but no request: it is answered, and shown as a command without a name. */
  private invalid(): void {
    const { core, command } = this;
    command.load(NO_REQUEST, this.session);
    const decision: Decision = {
      action: { kind: 'refuse', error: 'invalid-request', of: 0 },
      session: null,
      fault: null,
      why: [{ stage: 'admit', code: 'refused' }],
      draws: [],
      topologyVersion: core.topology.version,
      configVersion: core.config.version,
    };
    execute(this.admit(decision, NO_REQUEST.request, 0, NO_REQUEST.request.length), command);
  }

  /** The loaded command takes its place among the client's commands. */
  private admit(decision: Decision, frame: Buffer, start: number, end: number): Exchange {
    const { core, burst } = this;
    const seq = core.nextSeq();
    if (burst.size++ === 0) burst.first = seq;
    const exchange = new Exchange(
      core,
      this,
      seq,
      this.arrivedUs,
      this.command.spec,
      frame,
      start,
      end,
      this.session,
      decision,
      burst,
    );
    exchange.counts = countStart(core, this.command, decision);
    this.replies.enqueue(exchange);
    if (this.replies.inFlight >= MAX_IN_FLIGHT) this.hold(HOLD.full);
    return exchange;
  }

  /** A large argument has begun: see `large.ts`. The client's earlier commands are waited for, so that the order stays. */
  private startLarge(): boolean {
    const { parser, command, core } = this;
    this.largeOffered = false;
    if (parser.args < 3) return true; // the name or the key itself: nothing is known yet
    command.load(parser, this.session);
    if (!mayStream(command, parser.args, core.config)) return true;
    if (this.replies.head !== null) {
      this.largeOffered = true;
      this.hold(HOLD.alone);
      return false;
    }
    const decision = decideBriefly(command, core.topology, core.config, this.chance);
    const exchange = this.admit(decision, parser.frame, parser.start, parser.start);
    this.large = new LargeRequest(exchange, command, parser);
    parser.inPieces();
    return true;
  }

  // ——— what waits for keys to be saved (`snapshots.ts`) ———

  /** Nothing more is read until `snapshotAnswered` has been called as often. */
  awaitSnapshot(): void {
    this.snapshots++;
    this.hold(HOLD.snapshot);
  }

  snapshotAnswered(): void {
    if (--this.snapshots > 0) return;
    const waiting = this.whenSaved;
    this.whenSaved = [];
    if (!this.closed) for (const start of waiting) start();
    this.release(HOLD.snapshot);
  }

  /** Calls `start` when nothing is waited for. */
  afterSnapshots(start: () => void): void {
    if (this.snapshots === 0) start();
    else this.whenSaved.push(start);
  }

  // ——— what the replies tell ———

  slow(isSlow: boolean): void {
    if (isSlow) this.pauseFor(HOLD.slow);
    else this.release(HOLD.slow);
  }

  advanced(): void {
    const { head } = this.replies;
    if (head?.startAlone) {
      const start = head.startAlone;
      head.startAlone = null;
      start();
    }
    if (this.replies.inFlight < MAX_IN_FLIGHT / 2) this.release(HOLD.full);
    if (head !== null) return;
    if (this.large === null) this.release(HOLD.alone);
    if (this.quitting || (this.ended && this.holds === 0 && !this.pumping)) this.replies.end();
  }

  broken(error: string): void {
    this.gone('error', error);
  }

  // ——— the end ———

  /**
   * The client has sent all it will. What it asked is still answered (Envoy would drop it), but nobody waits for a client that is
   * probably gone: an element that BLPOP took for it would be lost.
   */
  private inputEnded(): void {
    this.ended = true;
    // What it sent while it was held is not read yet.
    if (this.replies.head === null && (this.holds === 0 || this.quitting)) this.replies.end();
    else if (this.holds & HOLD.alone) this.gone('client', null);
  }

  /** Everything decoded has been dealt with; now it closes at once, without waiting for replies (mesh page, 1.4). */
  private protocolError(error: string): void {
    this.core.stats.mesh.protocolErrors++;
    this.hold(HOLD.closing);
    this.replies.flushNow();
    this.socket.write(PROTOCOL_ERROR);
    this.socket.end();
    this.gone('error', error);
  }

  /** Closes after all replies are written: QUIT. */
  quit(): void {
    this.hold(HOLD.closing);
    this.quitting = true;
    if (this.replies.head === null) this.replies.end();
  }

  /** A fault ends the connection: what was written before goes out, unless it is `reset`. */
  cut(error: string, reset: boolean): void {
    this.hold(HOLD.closing);
    this.replies.flushNow();
    if (reset) this.socket.resetAndDestroy();
    else this.socket.end();
    this.gone('error', error);
  }

  /** rmtop is ending. Replies that are complete are written. */
  shutDown(): void {
    this.hold(HOLD.closing);
    this.replies.flushNow();
    this.gone('rmtop', null);
  }

  /** Somebody wants it gone: at once, also when it does not read what it is sent. */
  kick(): void {
    this.hold(HOLD.closing);
    this.replies.flushNow();
    this.socket.destroy();
    this.gone('rmtop', 'closed by hand');
  }

  private gone(by: 'client' | 'rmtop' | 'error', error: string | null): void {
    if (this.closed) return;
    this.replies.abandon(by === 'rmtop' ? 'shutdown' : 'client-closed');
    this.closed = true;
    this.own.close();
    this.large?.abandon();
    if (by === 'error' && !this.socket.writableEnded && !this.socket.destroyed)
      this.socket.destroy();
    else this.socket.destroySoon();
    this.core.bus.other({
      type: 'session-closed',
      atUs: this.core.clock.nowUs(),
      connection: this.id,
      by,
      error,
    });
    this.onGone(this);
  }
}

/** What stands for a request that was none. */
const NO_REQUEST = {
  request: Buffer.from('*1\r\n$0\r\n\r\n'),
  frame: Buffer.from('*1\r\n$0\r\n\r\n'),
  argc: 1,
  argStart: new Int32Array([8]),
  argEnd: new Int32Array([8]),
};
