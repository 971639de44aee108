/**
 * Copies of requests to mirrors (mesh page, 7), and what comes of comparing their replies with the clients'.
 *
 * A mirror never makes a client wait and never fails it: copies go on connections of their own, and where a mirror is slow or dead they
 * are dropped and counted.
 */

import { Command } from '../commands/command.js';
import type { CommandSpec } from '../commands/table.js';
import { compareReplies } from '../compare/compare.js';
import type { Tolerances } from '../compare/tolerances.js';
import type { Cause, MirrorState } from '../events/event.js';
import { addTo, type MirrorTally } from '../events/stats.js';
import type { Hop, Part } from '../mesh/decision.js';
import { equalBytes, MINUS } from '../resp/bytes.js';
import type { ReplyReader } from '../resp/reply.js';
import { REQUEST, RequestParser } from '../resp/request.js';
import type { Core } from './core.js';
import type { Exchange } from './exchange.js';
import { Leg } from './leg.js';
import { WaitingRoom } from './room.js';
import type { UpstreamConnection } from './upstream.js';

/** Copies of one mirror that may wait for their replies, and the bytes they may hold meanwhile. */
const MAX_WAITING = 8192;
const MAX_WAITING_BYTES = 16 * 1024 * 1024;
/** Replies above this are not kept to be compared. */
const MAX_COMPARED = 1024 * 1024;
/** After a connection to a mirror has failed no copies go to it for so long: each would only make another connection. */
const REST_US = 1_000_000;
/** What is kept of a reply that differs. */
const MAX_SHOWN = 4096;

/** All mirrors of one proxy. */
export class Mirrors {
  private readonly core: () => Core;
  private readonly byUpstream = new Map<string, Mirror>();
  /** Where the first of two replies waits for the other. */
  readonly room: WaitingRoom = new WaitingRoom();
  /** What replies may differ in; undefined: the usual. */
  readonly tolerances: Tolerances | undefined;

  constructor(core: () => Core, tolerances?: Tolerances) {
    this.core = core;
    this.tolerances = tolerances;
  }

  /** Sends the copies of one part of `exchange`, whose request is what `source` sends; gives the first of them, which knows the others. */
  send(exchange: Exchange, part: Part, index: number, source: Leg): MirrorCopy | null {
    let first: MirrorCopy | null = null;
    for (const hop of part.mirrors) {
      const copy = new MirrorCopy(exchange, this.mirror(hop.upstream), hop, index, source, first);
      first = copy;
      copy.setOut(part.via === 'transaction');
    }
    return first;
  }

  /** A request went by that could not be copied. */
  skip(exchange: Exchange, part: Part, index: number, why: string): void {
    for (const hop of part.mirrors)
      new MirrorCopy(exchange, this.mirror(hop.upstream), hop, index, exchange, null).drop(why);
  }

  private mirror(upstream: string): Mirror {
    let mirror = this.byUpstream.get(upstream);
    if (mirror === undefined) {
      mirror = new Mirror(this.core().stats.mirror(upstream));
      this.byUpstream.set(upstream, mirror);
    }
    return mirror;
  }
}

/** One mirror's load and totals. */
class Mirror {
  waiting = 0;
  bytes = 0;
  /** 0: it does not rest. */
  restUntilUs = 0;
  readonly tally: MirrorTally;

  constructor(tally: MirrorTally) {
    this.tally = tally;
  }
}

/** What is known of the client's reply. */
const NONE_YET = 0;
const HAS_COME = 1;
const WILL_NOT_COME = 2;
const TOO_LARGE = 3;

/** One copy on its way, and the reply that its own is compared with. */
export class MirrorCopy extends Leg {
  readonly spec: CommandSpec | undefined;
  private readonly exchange: Exchange;
  private readonly mirror: Mirror;
  private readonly to: Hop;
  /** What it is a copy of. */
  private readonly source: Leg;
  /** Another copy of the same request. */
  private readonly next: MirrorCopy | null;
  private whatOfOurs = NONE_YET;
  private oursAtUs = 0;
  /** The reply that came first, `kept[keptStart..keptEnd)`; null while none has. */
  private kept: Buffer | null = null;
  private keptStart = 0;
  private keptEnd = 0;
  private held = 0;
  private isOver = false;

  constructor(
    exchange: Exchange,
    mirror: Mirror,
    to: Hop,
    part: number,
    source: Leg,
    next: MirrorCopy | null,
  ) {
    super(exchange.core, source.frame, source.start, source.end);
    this.exchange = exchange;
    this.mirror = mirror;
    this.to = to;
    this.source = source;
    this.next = next;
    this.hop = to;
    this.part = part;
    this.spec = source.spec;
    this.prefix = source.prefix;
    this.rewritten = source.rewritten;
  }

  /** Sends it, or drops it. */
  setOut(inTransaction: boolean): void {
    const { mirror, core, exchange } = this;
    mirror.tally.chosen++;
    const size = this.rewritten?.length ?? this.prefix.length + this.end - this.start;
    if (mirror.waiting >= MAX_WAITING || mirror.bytes + size > MAX_WAITING_BYTES) {
      this.drop('the mirror is slow: too many copies wait for it');
      return;
    }
    if (mirror.restUntilUs > 0) {
      if (core.clock.nowUs() < mirror.restUntilUs) {
        this.drop('the mirror could not be reached a moment ago');
        return;
      }
      mirror.restUntilUs = 0;
    }
    mirror.waiting++;
    this.holds(size);
    mirror.tally.sent++;
    if (inTransaction) {
      this.via = 'transaction';
      this.sendOn(exchange.client.own.forMirror(this.to, exchange.session.multi));
      if (exchange.decision.session === 'end') exchange.client.own.endMirrors();
    } else this.sendOn(core.pool.shared(this.to, exchange.session.resp));
  }

  private holds(bytes: number): void {
    this.held += bytes;
    this.mirror.bytes += bytes;
  }

  // ——— the client's reply ———

  /** The client's reply is `from[start..end)`; all copies of the request hear of it. */
  ours(from: Buffer, start: number, end: number, atUs: number): void {
    this.next?.ours(from, start, end, atUs);
    if (this.isOver) return;
    this.oursAtUs = atUs;
    if (end - start > MAX_COMPARED) this.cannotCompare();
    else if (this.kept !== null) this.compare(from, start, end);
    else {
      this.whatOfOurs = HAS_COME;
      this.keep(from, start, end);
    }
  }

  /** It comes in pieces, which nobody keeps. */
  oursTooLarge(atUs: number): void {
    this.next?.oursTooLarge(atUs);
    this.oursAtUs = atUs;
    this.cannotCompare();
  }

  private cannotCompare(): void {
    if (this.kept !== null) this.over('uncompared', null);
    else this.whatOfOurs = TOO_LARGE;
  }

  oursFailed(atUs: number): void {
    this.next?.oursFailed(atUs);
    this.oursAtUs = atUs;
    if (this.kept !== null) this.over('diff', 'ours failed', this.keptBytes(this.kept));
    else this.whatOfOurs = WILL_NOT_COME;
  }

  private keep(from: Buffer, start: number, end: number): void {
    const { room } = this.core.mirrors;
    this.keptStart = room.put(from, start, end);
    this.keptEnd = this.keptStart + end - start;
    this.kept = room.chunk;
    this.holds(end - start);
  }

  private keptBytes(kept: Buffer): Buffer {
    return kept.subarray(this.keptStart, this.keptEnd);
  }

  // ——— the mirror's ———

  get owner(): object {
    return this.mirror;
  }

  get takesPieces(): boolean {
    return true;
  }

  get mayGather(): boolean {
    return true;
  }

  /** A copy outlives the client: nobody waited for it. */
  get isCancelled(): boolean {
    return false;
  }

  /** As of any leg. A copy that is answered at once has a way of its own: the engine makes better code of what it meets one kind in. */
  override reply(reader: ReplyReader, connection: UpstreamConnection): void {
    if (reader.type === MINUS || this.attempts !== null) {
      super.reply(reader, connection);
      return;
    }
    const { readAtUs } = connection;
    this.doneAtUs = readAtUs;
    const bytesOut = reader.end - reader.start;
    addTo(connection.tally, readAtUs - this.sentAtUs, this.end - this.start, bytesOut, false);
    this.arrived(reader);
  }

  protected arrived(reader: ReplyReader): void {
    const { buf, start, end } = reader;
    switch (this.whatOfOurs) {
      case NONE_YET:
        this.keep(buf, start, end);
        break;
      case HAS_COME:
        this.compare(buf, start, end);
        break;
      case WILL_NOT_COME:
        this.over('diff', 'ours failed', buf.subarray(start, end));
        break;
      default:
        this.over('uncompared', null);
    }
  }

  piece(_reader: ReplyReader, last: boolean, connection: UpstreamConnection): void {
    this.doneAtUs = connection.readAtUs;
    if (last) this.over('uncompared', null);
  }

  failed(cause: Cause): void {
    this.doneAtUs = this.core.clock.nowUs();
    this.mirror.restUntilUs = this.doneAtUs + REST_US;
    this.core.failed(this.to.upstream);
    this.over('failed', null, null, cause);
  }

  /** One of the two replies has just come, `from[start..end)`; the other is kept. Most are equal: no view is made to see that. */
  private compare(from: Buffer, start: number, end: number): void {
    const kept = this.kept as Buffer;
    const isEqual =
      this.keptEnd - this.keptStart === end - start &&
      equalBytes(from, start, end, kept, this.keptStart);
    if (isEqual) {
      this.over('same', null);
      return;
    }
    const come = from.subarray(start, end);
    const first = this.keptBytes(kept);
    const [ours, theirs] = this.whatOfOurs === HAS_COME ? [first, come] : [come, first];
    const lagMs = Math.abs(this.doneAtUs - this.oursAtUs) / 1000;
    const { tolerances } = this.core.mirrors;
    const outcome = compareReplies(this.command(), ours, theirs, tolerances, { laterMs: lagMs });
    if (outcome.kind === 'same') this.over('same', null);
    else if (outcome.kind === 'tolerated') this.over('same', outcome.by.join(', '));
    else {
      const detail =
        outcome.kind === 'diff'
          ? `${outcome.path}${outcome.path === '' ? '' : ': '}${outcome.a} > ${outcome.b}`
          : outcome.kind;
      this.over('diff', detail, theirs);
    }
  }

  /** What was asked, for the rules of comparing. */
  private command(): Command {
    const parser = new RequestParser();
    // As the client sent it: a user's rule knows no other key, whatever a route has made of it.
    parser.push(Buffer.concat([this.prefix, this.frame.subarray(this.start, this.end)]));
    const command = new Command();
    if (parser.next() !== REQUEST) return Command.of([], this.exchange.session);
    command.load(parser, this.exchange.session);
    return command;
  }

  /** Not sent at all. */
  drop(why: string): void {
    this.mirror.tally.dropped++;
    this.isOver = true;
    this.say('dropped', why, null, null);
  }

  private over(
    state: MirrorState,
    detail: string | null,
    reply: Buffer | null = null,
    cause: Cause | null = null,
  ): void {
    if (this.isOver) return;
    this.isOver = true;
    const { mirror } = this;
    mirror.waiting--;
    mirror.bytes -= this.held;
    mirror.tally.count(state, this.lagUs, this.hasLag);
    this.say(state, detail, reply, cause);
  }

  private get hasLag(): boolean {
    return (
      this.oursAtUs > 0 && this.doneAtUs > 0 && this.sentAtUs >= 0 && this.source.sentAtUs >= 0
    );
  }

  /** Each from when it was sent: that a copy was gathered with others is not the mirror's doing. */
  private get lagUs(): number {
    return this.doneAtUs - this.sentAtUs - (this.oursAtUs - this.source.sentAtUs);
  }

  private say(
    state: MirrorState,
    detail: string | null,
    reply: Buffer | null,
    cause: Cause | null,
  ): void {
    const { core, exchange, to } = this;
    if (!core.bus.wants('mirror')) return;
    core.bus.other({
      type: 'mirror',
      atUs: core.clock.nowUs(),
      seq: exchange.seq,
      part: this.part,
      upstream: to.upstream,
      address: to.address,
      state,
      lagUs: this.hasLag ? this.lagUs : null,
      durationUs: this.sentAtUs > 0 && this.doneAtUs > 0 ? this.doneAtUs - this.sentAtUs : null,
      detail,
      reply: reply === null ? null : reply.toString('latin1', 0, MAX_SHOWN),
      cause,
    });
  }
}
