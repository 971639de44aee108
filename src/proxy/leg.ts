/** One request on its way to a server and back: sent, redirected if the mesh would follow, answered or failed. */
import type { CommandSpec } from '../commands/table.js';
import type { AttemptNote } from '../events/block.js';
import type { Cause } from '../events/event.js';
import { addTo } from '../events/stats.js';
import type { Hop, Via } from '../mesh/decision.js';
import { isClusterDown, parseRedirect } from '../mesh/redirect.js';
import { EMPTY, MINUS } from '../resp/bytes.js';
import type { ReplyReader } from '../resp/reply.js';
import type { Core } from './core.js';
import { ASKING, NOBODY, type UpstreamConnection, type Waiter } from './upstream.js';

/** What is sent: `prefix`, then `frame[start..end)` as the client sent it. */
export type RequestBytes = {
  readonly prefix: Buffer;
  readonly frame: Buffer;
  readonly start: number;
  readonly end: number;
};

/** The way of one part of a command. A command of one part is its own leg, so that it costs no object more. */
export abstract class Leg implements Waiter {
  prefix: Buffer = EMPTY;
  /** What is sent instead of the client's bytes: its request with another key. */
  rewritten: Buffer | null = null;
  frame: Buffer;
  start: number;
  end: number;
  /** µs since the stream began; -1: not yet. */
  sentAtUs = -1;
  doneAtUs = -1;
  via: Via = 'shared';
  hop: Hop | null = null;
  part = 0;
  /** Written down from the first redirect on; without one, the decision says all. */
  attempts: AttemptNote[] | null = null;
  readonly core: Core;

  constructor(core: Core, frame: Buffer, start: number, end: number) {
    this.core = core;
    this.frame = frame;
    this.start = start;
    this.end = end;
  }

  abstract get owner(): object;
  abstract get takesPieces(): boolean;
  abstract get isCancelled(): boolean;
  abstract readonly spec: CommandSpec | undefined;
  /** The reply that counts has come. */
  protected abstract arrived(reader: ReplyReader): void;
  abstract failed(cause: Cause): void;
  abstract piece(reader: ReplyReader, last: boolean, connection: UpstreamConnection): void;

  /** Sends the request on `connection`. */
  sendOn(connection: UpstreamConnection): void {
    if (this.rewritten !== null) connection.send(this, this.rewritten, 0, this.rewritten.length);
    else if (this.prefix.length === 0) connection.send(this, this.frame, this.start, this.end);
    else connection.sendWithPrefix(this, this.prefix, this.frame, this.start, this.end);
  }

  sent(atUs: number): void {
    const last = this.attempts?.at(-1);
    if (last !== undefined) last.sentUs = atUs;
    if (this.sentAtUs < 0) this.sentAtUs = atUs;
  }

  get lastSentUs(): number {
    return this.attempts?.at(-1)?.sentUs ?? this.sentAtUs;
  }

  /** Counts a reply of so many bytes at its server. */
  protected countReply(connection: UpstreamConnection, length: number, isError: boolean): void {
    const us = connection.readAtUs - this.lastSentUs;
    addTo(connection.tally, us, this.end - this.start, length, isError);
  }

  reply(reader: ReplyReader, connection: UpstreamConnection): void {
    this.doneAtUs = connection.readAtUs;
    const isError = reader.type === MINUS;
    this.countReply(connection, reader.end - reader.start, isError);
    if (isError && this.core.config.settings.enableRedirection && this.via === 'shared') {
      if (
        this.redirected(reader.buf.toString('latin1', reader.start + 1, reader.end - 2), connection)
      )
        return;
    }
    this.closeAttempt();
    this.arrived(reader);
  }

  /** Follows a MOVED or ASK; false: the error is the client's. */
  private redirected(error: string, by: UpstreamConnection): boolean {
    const { address: from, resp } = by.options;
    if (isClusterDown(error)) {
      this.failed({ code: 'cluster-down', address: from, detail: error });
      return true;
    }
    const redirect = parseRedirect(error);
    const upstream = this.hop?.upstream;
    if (redirect === null || upstream === undefined) return false;
    const connection = this.core.pool.redirectTarget(upstream, redirect.address, resp);
    const { cluster } = by.options;
    if (connection === null) {
      cluster.redirectFailed++;
      return false;
    }
    cluster.redirectSucceeded++;
    if (this.attempts === null) {
      this.attempts = [
        {
          part: this.part,
          address: from,
          kind: 'decided',
          sentUs: this.sentAtUs,
          doneUs: this.doneAtUs,
        },
      ];
    } else this.closeAttempt();
    this.attempts.push({
      part: this.part,
      address: redirect.address,
      kind: redirect.kind,
      sentUs: this.doneAtUs,
      doneUs: 0,
    });
    // The flag that ASKING sets holds for one command: no other client's request may come between, and none can, for both are
    // appended to the same output in one go.
    if (redirect.kind === 'ASK') connection.send(NOBODY, ASKING, 0, ASKING.length);
    this.sendOn(connection);
    this.core.redirected(upstream);
    return true;
  }

  protected closeAttempt(): void {
    const last = this.attempts?.at(-1);
    if (last !== undefined) last.doneUs = this.doneAtUs;
  }
}
