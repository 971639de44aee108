/**
 * One connection to one server: handshake, requests in flight first in first out, timeouts (mesh page, 9.3 and 10).
 *
 *   connecting ──▶ greeting (RESP3 only: until HELLO has answered) ──▶ ready ──▶ closed
 *       └── requests wait ──────────┘                                └─ every request in flight fails with the same cause
 */
import type { Socket } from 'node:net';
import type { CommandSpec } from '../commands/table.js';
import type { Cause } from '../events/event.js';
import type { ClusterStats } from '../events/mesh-stats.js';
import type { Tally } from '../events/stats.js';
import { BANG, MINUS } from '../resp/bytes.js';
import { encodeRequest, type RespVersion } from '../resp/encode.js';
import { FAILED, LAST_PIECE, MORE, PIECE, REPLY, ReplyReader } from '../resp/reply.js';
import { decodeReply } from '../resp/value.js';
import type { Clock } from './clock.js';
import { causeOf, dial, type Login, type TlsSettings } from './dial.js';
import { type Flushable, type Loop, Output } from './output.js';
import { Queue } from './queue.js';

/** Someone who waits for one reply. */
export type Waiter = {
  /** The client it waits for; null for nobody's. */
  readonly owner: object | null;
  /** Whether a large reply may come in pieces. */
  readonly takesPieces: boolean;
  /** Whether nobody wants the reply any more. */
  readonly isCancelled: boolean;
  /** What was asked, for statistics; undefined: what the proxy asks on its own account. */
  readonly spec: CommandSpec | undefined;
  /** Nobody waits for it: behind others that are on their way it may be gathered with more of its kind, and be written with them. */
  readonly mayGather?: boolean;
  /** When it was last written; -1: not yet, or nobody knows. */
  readonly lastSentUs: number;
  /** The request was written, at this time. */
  sent(atUs: number): void;
  /** The reply is `reader.buf[start..end)`; it must be copied to be kept. */
  reply(reader: ReplyReader, connection: UpstreamConnection): void;
  piece(reader: ReplyReader, last: boolean, connection: UpstreamConnection): void;
  /** No reply will come. */
  failed(cause: Cause): void;
};

/** What a connection is made with. Passwords live here and in the socket, nowhere else. */
export type UpstreamOptions = {
  readonly upstream: string;
  /** As announced. */
  readonly address: string;
  /** What is dialled: `address` through the map. */
  readonly dialled: string;
  readonly tls: TlsSettings | null;
  readonly login: Login | null;
  /** The read policy is not MASTER: say READONLY first. */
  readonly readonly: boolean;
  readonly resp: RespVersion;
  /** RESP3 types may come (Envoy 1.40). */
  readonly decodeResp3: boolean;
  readonly connectTimeoutMs: number;
  /** 0: none, for a connection on which a client may block. */
  readonly opTimeoutMs: number;
  /** A client's own, rather than the one all share. */
  readonly own: boolean;
  readonly tally: Tally;
  readonly cluster: ClusterStats;
  /** Whether each command is counted (`enable_command_stats`). */
  readonly commandStats: boolean;
  /** Hears what the server said to the login, which Envoy throws away: the text of its error, null where it agreed. */
  readonly onLogin: (refusal: string | null) => void;
  readonly clock: Clock;
  readonly loop: Loop;
  readonly onState: (
    connection: UpstreamConnection,
    state: 'ready' | 'detached' | 'closed',
    cause: Cause | null,
  ) => void;
  /** A reply that nobody asked for: a push, or a message to a subscriber. True: taken. */
  readonly onPush?: (reader: ReplyReader, connection: UpstreamConnection) => boolean;
};

/** One buffer that all connections read into: what was read is dealt with before the next read. */
const READ_BYTES = 64 * 1024;
let readBuffer: Buffer | null = null;

function sharedReadBuffer(): Buffer {
  readBuffer ??= Buffer.allocUnsafeSlow(READ_BYTES);
  return readBuffer;
}

/** Above this the socket does not take more for now: large requests wait. */
const WRITE_HIGH = 1024 * 1024;

export class UpstreamConnection implements Flushable {
  readonly options: UpstreamOptions;
  /** The server's totals. */
  readonly tally: Tally;
  /** Requests that wait for their reply, the handshake's among them. */
  readonly waiting: Queue<Waiter> = new Queue();
  state: 'connecting' | 'greeting' | 'ready' | 'closed' = 'connecting';
  /** When the last bytes came, µs. */
  readAtUs = 0;
  /** Hears of the end, besides those who wait: someone who is still sending. */
  whenClosed: ((cause: Cause) => void) | null = null;
  /** No longer in the pool: closes when nothing is waiting. */
  draining = false;
  /** Its server has left the upstream while requests were in flight. */
  isRemoved = false;

  private readonly socket: Socket;
  private readonly reader: ReplyReader;
  private readonly output: Output;
  private scheduled = false;
  private gathers = false;
  private unsent = 0;
  private deadlineUs = 0;
  private timer: NodeJS.Timeout | null = null;
  private readonly connectTimer: NodeJS.Timeout;
  private drainCallbacks: (() => void)[] = [];

  constructor(options: UpstreamOptions) {
    this.options = options;
    this.tally = options.tally;
    options.cluster.cxTotal++;
    options.cluster.cxActive++;
    this.reader = new ReplyReader(options.decodeResp3);
    this.output = new Output(options.loop);
    this.socket = dial(options.dialled, options.tls, {
      buffer: sharedReadBuffer(),
      onRead: (length, buffer) => this.read(buffer, length),
    });
    this.socket.setNoDelay(true);
    this.socket.on(options.tls === null ? 'connect' : 'secureConnect', () => this.connected());
    this.socket.on('error', (error) =>
      this.close(causeOf(error, options.address, options.tls !== null)),
    );
    this.socket.on('close', () => this.close({ code: 'closed', address: options.address }));
    this.socket.on('drain', () => this.drained());
    this.connectTimer = setTimeout(() => {
      const afterMs = options.connectTimeoutMs;
      this.close({ code: 'connect-timeout', address: options.address, afterMs });
    }, options.connectTimeoutMs);
  }

  private connected(): void {
    clearTimeout(this.connectTimer);
    const { login, readonly: sayReadonly, resp } = this.options;
    const user =
      login === null
        ? []
        : login.username === null
          ? [login.password]
          : [login.username, login.password];
    if (resp === 3) {
      const auth = login === null ? [] : ['AUTH', login.username ?? 'default', login.password];
      this.greet(encodeRequest(['HELLO', '3', ...auth]), (reader) => this.greeted(reader));
    } else if (login !== null)
      this.greet(encodeRequest(['auth', ...user]), ({ buf, type, start, end }) =>
        this.options.onLogin(isErrorType(type) ? buf.toString('latin1', start + 1, end - 2) : null),
      );
    if (sayReadonly) this.greet(encodeRequest(['readonly']), () => {});
    this.state = resp === 3 ? 'greeting' : 'ready';
    if (this.state === 'ready') this.ready();
  }

  /** The handshake's requests stand before those that were waiting. */
  private greet(request: Buffer, then: (reader: ReplyReader) => void): void {
    this.socket.write(request);
    this.handshake.push(then);
    this.count(undefined);
  }

  private readonly handshake: ((reader: ReplyReader) => void)[] = [];

  /** On RESP3 nothing is sent before the server has agreed to it. */
  private greeted(reader: ReplyReader): void {
    const reply = decodeReply(reader.buf, reader.start, reader.end);
    const proto =
      reply?.type === '%'
        ? reply.pairs.find(([key]) => key.type === '$' && key.value.equals(PROTO))?.[1]
        : null;
    if (proto?.type === ':' && proto.value === '3') {
      this.state = 'ready';
      this.ready();
      return;
    }
    const said = reply?.type === '-' ? reply.value.toString('latin1') : 'not a RESP3 greeting';
    this.close({ code: 'handshake', address: this.options.address, detail: said });
  }

  private ready(): void {
    this.options.onState(this, 'ready', null);
    if (this.output.waiting > 0) this.flush();
  }

  /** Sends `request[start..end)`, copied, and lets `waiter` wait for its reply. */
  send(waiter: Waiter, request: Buffer, start: number, end: number): void {
    if (this.state === 'closed') {
      waiter.failed(this.closedBy);
      return;
    }
    this.output.append(request, start, end);
    this.enqueue(waiter);
  }

  /** Sends `prefix` and `request[start..end)` as one request. */
  sendWithPrefix(
    waiter: Waiter,
    prefix: Buffer,
    request: Buffer,
    start: number,
    end: number,
  ): void {
    if (this.state === 'closed') {
      waiter.failed(this.closedBy);
      return;
    }
    this.output.append(prefix, 0, prefix.length);
    this.output.append(request, start, end);
    this.enqueue(waiter);
  }

  /** Lets `waiter` wait for the reply to a request whose bytes come by `pass`. */
  enqueue(waiter: Waiter): void {
    this.waiting.push(waiter);
    this.count(waiter.spec);
    this.unsent++;
    if (this.scheduled) return;
    const { loop } = this.options;
    if (waiter.mayGather === true && this.waiting.length > this.unsent) {
      if (this.gathers) return;
      this.gathers = true;
      loop.scheduleLater(this);
      return;
    }
    this.scheduled = true;
    loop.schedule(this);
  }

  private count(spec: CommandSpec | undefined): void {
    const { cluster, commandStats } = this.options;
    cluster.rqTotal++;
    if (commandStats) cluster.command(spec).total++;
  }

  /** Counts a reply to `waiter`, or to the handshake (null). */
  private countReply(waiter: Waiter | null, isError: boolean): void {
    const { cluster, commandStats } = this.options;
    const isCancelled = waiter?.isCancelled ?? false;
    if (isCancelled) cluster.rqCancelled++;
    if (!commandStats) return;
    const sentUs = waiter?.lastSentUs ?? -1;
    const us = sentUs < 0 ? -1 : this.readAtUs - sentUs;
    cluster.replied(waiter?.spec, us, !isError && !isCancelled);
  }

  /** Requests that wait for their reply, those of the handshake included. */
  get inFlight(): number {
    return this.waiting.length + this.handshake.length;
  }

  /** Passes bytes of a large request on; false: wait for `onDrain` before more. */
  pass(bytes: Buffer): boolean {
    if (this.state === 'closed') return true;
    this.output.appendShared(bytes);
    if (this.state === 'ready') this.flush();
    return this.socket.writableLength + this.output.waiting < WRITE_HIGH;
  }

  onDrain(callback: () => void): void {
    this.drainCallbacks.push(callback);
  }

  private drained(): void {
    const callbacks = this.drainCallbacks;
    this.drainCallbacks = [];
    for (const callback of callbacks) callback();
  }

  /** Stops reading replies: whoever they are for cannot take more. */
  pause(): void {
    this.socket.pause();
  }

  resume(): void {
    this.deadlineUs = this.options.clock.nowUs() + this.options.opTimeoutMs * 1000;
    this.socket.resume();
  }

  flush(): void {
    this.scheduled = false;
    this.gathers = false;
    if (this.state !== 'ready') return;
    if (this.output.waiting > 0) {
      this.output.flush(this.socket);
      this.output.recycle(this.socket);
    }
    if (this.unsent === 0) return;
    const nowUs = this.options.clock.nowUs();
    for (let i = this.waiting.length - this.unsent; i < this.waiting.length; i++)
      this.waiting.at(i)?.sent(nowUs);
    this.unsent = 0;
    if (this.timer === null && this.options.opTimeoutMs > 0) this.startTimer(nowUs);
  }

  // ——— replies ———

  private read(chunk: Buffer, length: number): void {
    if (this.state === 'closed') return;
    const { reader, waiting } = this;
    this.readAtUs = this.options.clock.nowUs();
    this.deadlineUs = this.readAtUs + this.options.opTimeoutMs * 1000;
    reader.push(chunk, length);
    // Where messages come unasked, the next frame may be one of them rather than the reply that is waited for.
    const mayPiece = this.options.onPush === undefined;
    for (;;) {
      switch (reader.next(mayPiece && (waiting.peek()?.takesPieces ?? false))) {
        case REPLY:
          this.deal(reader);
          break;
        case PIECE:
          waiting.peek()?.piece(reader, false, this);
          break;
        case LAST_PIECE: {
          const waiter = waiting.shift();
          if (waiter !== undefined) this.countReply(waiter, false);
          waiter?.piece(reader, true, this);
          break;
        }
        case FAILED:
          this.close({ code: 'protocol', address: this.options.address, detail: reader.error });
          return;
        case MORE:
          if (this.draining && waiting.length === 0)
            this.close({ code: 'removed', address: this.options.address });
          return;
      }
      if (this.isClosed()) return;
    }
  }

  private isClosed(): boolean {
    return this.state === 'closed';
  }

  private deal(reader: ReplyReader): void {
    const greeting = this.handshake.shift();
    if (greeting !== undefined) {
      this.countReply(null, isErrorType(reader.type));
      greeting(reader);
      return;
    }
    if (this.options.onPush?.(reader, this)) return;
    if (reader.type === PUSH) return; // Envoy drops pushes that nobody subscribed to
    const waiter = this.waiting.shift();
    if (waiter === undefined) {
      this.close({
        code: 'protocol',
        address: this.options.address,
        detail: 'a reply that nobody asked for',
      });
      return;
    }
    this.countReply(waiter, isErrorType(reader.type));
    waiter.reply(reader, this);
  }

  // ——— the end ———

  /** One timer a connection: restarted by each reply, which only moves the deadline (no timer is made a command). */
  private startTimer(nowUs: number): void {
    this.deadlineUs = nowUs + this.options.opTimeoutMs * 1000;
    this.timer = setTimeout(this.checkTimeout, this.options.opTimeoutMs);
  }

  private readonly checkTimeout = (): void => {
    this.timer = null;
    if (this.waiting.length === 0) return;
    const leftUs = this.deadlineUs - this.options.clock.nowUs();
    if (leftUs <= 0 && !this.socket.isPaused()) {
      this.close({
        code: 'op-timeout',
        address: this.options.address,
        afterMs: this.options.opTimeoutMs,
      });
      return;
    }
    this.timer = setTimeout(this.checkTimeout, Math.max(1, Math.ceil(leftUs / 1000)));
  };

  private closedBy: Cause = { code: 'closed', address: '' };

  /** Closes; every request in flight fails with `cause`, which says how many it took along. */
  close(cause: Cause): void {
    if (this.state === 'closed') return;
    this.countClose(cause);
    this.state = 'closed';
    clearTimeout(this.connectTimer);
    if (this.timer !== null) clearTimeout(this.timer);
    this.socket.destroy();
    this.output.clear();
    const others = this.waiting.length - 1;
    this.closedBy = others > 0 ? { ...cause, others } : cause;
    this.options.onState(this, 'closed', this.closedBy);
    for (let waiter = this.waiting.shift(); waiter !== undefined; waiter = this.waiting.shift()) {
      if (waiter.isCancelled) this.options.cluster.rqCancelled++;
      waiter.failed(this.closedBy);
    }
    this.whenClosed?.(this.closedBy);
    this.drained();
  }

  private countClose({ code }: Cause): void {
    const { cluster } = this.options;
    cluster.cxActive--;
    if (this.isRemoved && this.waiting.length === 0) cluster.cxDrained++;
    if (code === 'op-timeout') cluster.rqTimeout++;
    else if (code === 'connect-timeout') cluster.cxConnectTimeout++;
    else if (code === 'protocol') cluster.cxProtocolError++;
    else if (code === 'handshake') cluster.helloFailure++;
    else if (this.state === 'connecting' && !ENDED_HERE.has(code)) cluster.cxConnectFail++;
  }

  /** Whether others than `owner` wait for replies on this connection. */
  hasOthers(owner: object): boolean {
    for (let i = 0; i < this.waiting.length; i++) {
      const other = this.waiting.at(i)?.owner ?? null;
      if (other !== null && other !== owner) return true;
    }
    return false;
  }

  /** Leaves the pool: no new requests come, and it closes when those in flight are answered. */
  detach(): void {
    if (this.draining || this.options.own) return;
    this.draining = true;
    this.options.onState(this, 'detached', null);
  }

  /** Closes as soon as nothing waits for a reply: its server is no longer one of the upstream's. */
  drain(): void {
    this.draining = true;
    if (this.waiting.length === 0) this.close({ code: 'removed', address: this.options.address });
  }
}

const PROTO = Buffer.from('proto');
const PUSH = 0x3e;
/** Why a connection that was not ready yet ends, other than by its server. */
const ENDED_HERE: ReadonlySet<Cause['code']> = new Set(['removed', 'shutdown', 'closed']);

function isErrorType(type: number): boolean {
  return type === MINUS || type === BANG;
}

/** A waiter for a reply that nobody wants: that to `asking`, or to a mirror. */
export const NOBODY: Waiter = {
  owner: null,
  takesPieces: false,
  isCancelled: false,
  spec: undefined,
  lastSentUs: -1,
  sent: () => {},
  reply: () => {},
  piece: () => {},
  failed: () => {},
};

export const ASKING: Buffer = encodeRequest(['asking']);
