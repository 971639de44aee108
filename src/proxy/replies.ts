/**
 * What goes out to one client: replies in the order of the requests, whatever order they come in (mesh page, 10.2).
 *
 *   head ─▶ exchange ─▶ exchange ─▶ tail        a reply for the head is appended to the output at once; one for a later
 *    │                                          command is held by its exchange until those before it are out
 *    └─▶ output ──(end of the turn)──▶ socket
 *          └─▶ overflow, while the client does not read
 */
import type { Socket } from 'node:net';
import type { Core } from './core.js';
import type { Exchange } from './exchange.js';
import { faultReply } from './faults.js';
import { type Flushable, Output } from './output.js';
import { WaitingRoom } from './room.js';
import { ByteStore } from './store.js';
import type { UpstreamConnection } from './upstream.js';

/** Bytes that may wait in a client's socket before it counts as slow. */
const SLOW_BYTES = 1024 * 1024;
/** Bytes of a reply that may wait for earlier replies before its server is told to wait, or the rest goes to the store. */
const HELD_BYTES = 4 * 1024 * 1024;

/**
 * While more replies are on their way, what has come waits this many turns for them: a pipeline over three nodes is then written once
 * rather than three times (bench, pipeline 16: 1.2 times the commands). A turn with nothing to do is over in microseconds.
 */
const MAX_DEFERRED = 2;
const WORTH_WRITING = 8 * 1024;

/** What the replies' owner hears. */
export type RepliesOwner = {
  /** The client reads again, or does not. */
  slow(isSlow: boolean): void;
  /** A command is done; the next one is now at the head. */
  advanced(): void;
  /** The client cannot be served any more. */
  broken(error: string): void;
};

export class Replies implements Flushable {
  /** The oldest command that is not done. */
  head: Exchange | null = null;
  inFlight = 0;

  private tail: Exchange | null = null;
  private done: Exchange[] = [];
  private scheduled = false;
  private deferred = 0;
  private readonly room = new WaitingRoom();
  private closed = false;
  private isSlow = false;
  private overflow: ByteStore | null = null;
  private draining = false;
  private ending = false;
  private readonly paused = new Set<UpstreamConnection>();
  private readonly core: Core;
  private readonly socket: Socket;
  private readonly owner: RepliesOwner;
  private readonly output: Output;

  constructor(core: Core, socket: Socket, owner: RepliesOwner) {
    this.core = core;
    this.socket = socket;
    this.owner = owner;
    this.output = new Output(core.loop);
    socket.on('drain', () => this.drained());
  }

  /** Bytes that the socket has not been given yet. */
  get waitingBytes(): number {
    return this.output.waiting + (this.overflow?.size ?? 0);
  }

  enqueue(exchange: Exchange): void {
    if (this.tail === null) this.head = exchange;
    else this.tail.next = exchange;
    this.tail = exchange;
    this.inFlight++;
  }

  /** The whole reply to `exchange` is `from[start..end)`. */
  deliver(exchange: Exchange, from: Buffer, start: number, end: number): void {
    if (this.closed || exchange.complete) return;
    if (exchange.decision.fault !== null && faultReply(exchange, from, start, end)) return;
    exchange.complete = true;
    exchange.isError = from[start] === MINUS || from[start] === BANG;
    exchange.replyTotal = end - start;
    if (exchange !== this.head) {
      this.hold(exchange, from, start, end);
      return;
    }
    this.write(exchange, from, start, end);
    this.advance();
  }

  /** Copies a reply that has to wait for earlier ones. */
  private hold(exchange: Exchange, from: Buffer, start: number, end: number): void {
    const at = this.room.put(from, start, end);
    exchange.replyBuf = this.room.chunk;
    exchange.replyStart = at;
    exchange.replyEnd = at + end - start;
  }

  /** Some bytes of the reply to the first command, now; `lastPart` ends it. */
  part(bytes: Buffer): void {
    if (!this.closed) this.send(bytes, 0, bytes.length);
  }

  /** The reply to the first command was `bytes`, of which those before `from` are out. */
  lastPart(exchange: Exchange, bytes: Buffer, from: number): void {
    if (this.closed) return;
    this.send(bytes, from, bytes.length);
    exchange.complete = true;
    exchange.isError = bytes[0] === MINUS || bytes[0] === BANG;
    exchange.replyTotal = bytes.length;
    exchange.replyBuf = bytes;
    exchange.replyStart = 0;
    exchange.replyEnd = bytes.length;
    this.advance();
  }

  /** The next bytes of a large reply; `last` ends it. */
  deliverPiece(
    exchange: Exchange,
    piece: Buffer,
    last: boolean,
    connection: UpstreamConnection,
  ): void {
    if (this.closed) return;
    exchange.keeper ??= this.core.newReplyKeeper();
    exchange.keeper.add(piece);
    exchange.replyTotal += piece.length;
    if (exchange === this.head) {
      this.send(piece, 0, piece.length);
      const waiting = this.socket.writableLength + this.output.waiting + (this.overflow?.size ?? 0);
      if (waiting > SLOW_BYTES) this.relieve(connection, exchange);
    } else {
      exchange.held ??= this.newStore();
      exchange.held.push(Buffer.from(piece));
      if (exchange.held.size > HELD_BYTES) this.relieve(connection, exchange);
    }
    if (!last) return;
    exchange.complete = true;
    if (exchange === this.head) this.advance();
  }

  /** A message to a subscriber, or a line of MONITOR: out between two replies, never before that to an earlier command. */
  push(bytes: Buffer): void {
    if (this.closed) return;
    const behind = this.tail;
    if (behind === null) this.send(bytes, 0, bytes.length);
    else {
      behind.pushes ??= [];
      behind.pushes.push(bytes);
    }
  }

  /**
   * More has come than the client takes: its server waits. Where others wait for theirs on the same connection it may not, and the
   * reply goes to the store; the server then waits for the disk at most.
   */
  private relieve(connection: UpstreamConnection, exchange: Exchange): void {
    connection.detach();
    if (connection.hasOthers(exchange.client)) {
      if (exchange === this.head) this.overflow ??= this.newStore();
      const store = exchange === this.head ? this.overflow : exchange.held;
      if (!store?.isBehind) return;
    }
    connection.pause();
    this.paused.add(connection);
  }

  private newStore(): ByteStore {
    const store = new ByteStore((error) => this.owner.broken(error.message));
    store.onReadable = () => this.storeWritten();
    return store;
  }

  private write(exchange: Exchange, from: Buffer, start: number, end: number): void {
    if (this.overflow === null && this.isSlow) this.overflow = this.newStore();
    if (this.overflow === null) {
      this.output.append(from, start, end);
      exchange.replyBuf = this.output.chunk as Buffer;
      exchange.replyStart = this.output.at;
      exchange.replyEnd = this.output.at + end - start;
      this.schedule();
      return;
    }
    exchange.replyBuf = Buffer.from(from.subarray(start, end));
    exchange.replyStart = 0;
    exchange.replyEnd = end - start;
    this.overflow.push(exchange.replyBuf);
    this.schedule();
  }

  private send(from: Buffer, start: number, end: number): void {
    if (this.overflow !== null) this.overflow.push(Buffer.from(from.subarray(start, end)));
    else this.output.append(from, start, end);
    this.schedule();
  }

  /** The head is done, and so may be those behind it. */
  private advance(): void {
    for (let exchange = this.head; exchange?.complete; exchange = this.head) {
      this.done.push(exchange);
      this.inFlight--;
      if (exchange.pushes !== null)
        for (const bytes of exchange.pushes) this.send(bytes, 0, bytes.length);
      this.head = exchange.next;
      // One that has grown old would keep all that came after it alive until the next full collection.
      exchange.next = null;
      if (this.head === null) this.tail = null;
      else if (this.head.held !== null) this.adopt(this.head);
      else if (this.head.complete)
        this.write(this.head, this.head.replyBuf, this.head.replyStart, this.head.replyEnd);
    }
    this.schedule();
    this.owner.advanced();
  }

  /** The reply that a later command holds is now at the front: what there is of it goes out, the rest follows. */
  private adopt(exchange: Exchange): void {
    const { held } = exchange;
    exchange.held = null;
    if (held === null) return;
    if (this.overflow !== null) {
      // Both at once would be two large replies that nobody read: put the second behind the first.
      this.pour(held, this.overflow);
      return;
    }
    held.onReadable = () => this.storeWritten();
    this.overflow = held;
    this.drainOverflow();
    this.resumeServers();
  }

  private pour(from: ByteStore, to: ByteStore): void {
    from.shift((bytes) => {
      if (bytes === null && from.size === 0) return;
      if (bytes !== null) to.push(bytes);
      this.pour(from, to);
    });
  }

  private schedule(): void {
    if (this.scheduled) return;
    this.scheduled = true;
    this.core.loop.schedule(this);
  }

  /** Writes what there is, whatever else may come in this turn. */
  flushNow(): void {
    this.deferred = MAX_DEFERRED;
    this.flush();
  }

  /** Writes what the turn has brought, then writes down what is done. */
  flush(): void {
    this.scheduled = false;
    if (this.closed) return;
    if (this.head !== null && this.deferred < MAX_DEFERRED && this.output.waiting < WORTH_WRITING) {
      this.deferred++;
      this.schedule();
      return;
    }
    this.deferred = 0;
    const { output, socket, core, done } = this;
    const nowUs = core.clock.nowUs();
    output.flush(socket);
    for (const exchange of done) core.finished(exchange, nowUs);
    done.length = 0;
    output.recycle(socket);
    if (this.overflow !== null) this.drainOverflow();
    if (!this.isSlow && (socket.writableLength > SLOW_BYTES || this.overflow !== null))
      this.setSlow(true);
  }

  private setSlow(isSlow: boolean): void {
    this.isSlow = isSlow;
    this.owner.slow(isSlow);
  }

  private drained(): void {
    if (this.overflow !== null) this.drainOverflow();
    if (this.overflow === null && this.isSlow) this.setSlow(false);
    if (this.overflow !== null) return;
    this.resumeServers();
    if (this.ending) this.socket.end();
  }

  /** The disk has caught up: servers that waited for it need not wait for the client, if others wait for them. */
  private storeWritten(): void {
    for (const connection of this.paused) {
      if (!connection.hasOthers(this.owner)) continue;
      this.paused.delete(connection);
      connection.resume();
    }
    this.drainOverflow();
  }

  private resumeServers(): void {
    for (const connection of this.paused) connection.resume();
    this.paused.clear();
  }

  /** Lets the client have what it did not read, as it reads. */
  private drainOverflow(): void {
    const { overflow } = this;
    // What the turn has brought so far is written at its end, and before this.
    if (overflow === null || this.draining || this.closed || this.output.waiting > 0) return;
    if (this.socket.writableLength > SLOW_BYTES) return;
    this.draining = true;
    overflow.shift((bytes) => {
      this.draining = false;
      if (this.closed) return;
      if (bytes !== null) this.socket.write(bytes);
      else if (overflow.size > 0)
        return; // on its way to the disk: `onReadable` will tell
      else {
        overflow.close();
        this.overflow = null;
        this.drained();
        return;
      }
      this.drainOverflow();
    });
  }

  /** Ends the output once everything is written. */
  end(): void {
    this.flushNow();
    this.ending = true;
    if (this.overflow === null) this.socket.end();
  }

  /** The client is gone: what was on its way to it is written down as such. */
  abandon(how: 'client-closed' | 'shutdown'): void {
    if (this.closed) return;
    this.flushNow();
    this.closed = true;
    this.output.clear();
    this.overflow?.close();
    const nowUs = this.core.clock.nowUs();
    for (let exchange = this.head; exchange !== null; exchange = exchange.next) {
      exchange.held?.close();
      exchange.ended = how;
      exchange.isUnanswered = !exchange.complete;
      exchange.complete = true;
      this.core.finished(exchange, nowUs);
    }
    this.head = this.tail = null;
    this.inFlight = 0;
    this.resumeServers();
  }
}

const MINUS = 0x2d;
const BANG = 0x21;
