/** One command of a client and its reply, from arrival until it is written down. */
import type { SessionView } from '../commands/command.js';
import type { CommandSpec } from '../commands/table.js';
import { type AttemptNote, type CommandNote, FLAG } from '../events/block.js';
import type { ReplyKeeper } from '../events/condense.js';
import type { Cause } from '../events/event.js';
import type { CommandCounts } from '../events/mesh-stats.js';
import { type Decision, partsOf } from '../mesh/decision.js';
import { EMPTY } from '../resp/bytes.js';
import { encodeError, encodeReply } from '../resp/encode.js';
import type { ReplyReader } from '../resp/reply.js';
import { decodeReply } from '../resp/value.js';
import type { Core } from './core.js';
import type { Downstream } from './downstream.js';
import type { LargeRequest } from './large.js';
import { Leg } from './leg.js';
import type { MirrorCopy } from './mirrors.js';
import type { ByteStore } from './store.js';
import type { UpstreamConnection } from './upstream.js';

export const UPSTREAM_FAILURE: Buffer = encodeError('upstream failure');
export const NO_UPSTREAM_HOST: Buffer = encodeError('no upstream host');

export type Burst = { first: number; size: number };

export class Exchange extends Leg implements CommandNote {
  readonly client: Downstream;
  readonly seq: number;
  readonly atUs: number;
  readonly spec: CommandSpec | undefined;
  readonly session: SessionView;
  /** Made briefly: why is for those who make it again. */
  readonly decision: Decision;
  readonly burst: Burst;
  /** The client's next command. */
  next: Exchange | null = null;

  /** The reply is complete, though it may have to wait for earlier ones. */
  complete = false;
  /** What has come of a large reply while earlier ones are not written yet. */
  held: ByteStore | null = null;
  /** Messages to a subscriber that came behind this command. */
  pushes: Buffer[] | null = null;
  cause: Cause | null = null;
  /** Set for a command that is sent only when all earlier ones are done, and before which no later one is read. */
  startAlone: (() => void) | null = null;
  /** The legs of a command of several parts. */
  shares: readonly Leg[] | null = null;
  pendingSaid = false;
  /** Its fault has done to the reply what it does. */
  faultDone = false;
  /** The first of the copies to mirrors, which want to know the reply. */
  copies: MirrorCopy | null = null;
  ended: 'reply' | 'client-closed' | 'shutdown' = 'reply';
  /** Its client left before its reply was complete. */
  isUnanswered = false;
  /** Where Envoy counts it; null: nowhere. */
  counts: CommandCounts | null = null;
  /** An element of MGET's reply is an error. */
  hasFailedElement = false;

  /** Where the reply is, in the client's output or a copy; empty for one that came in pieces. */
  replyBuf: Buffer = EMPTY;
  replyStart = 0;
  replyEnd = 0;
  replyTotal = 0;
  isError = false;
  /** What is kept of a reply that came in pieces. */
  keeper: ReplyKeeper | null = null;
  large: LargeRequest | null = null;
  private wireBytes: number | null = null;
  private condensed = 0;

  constructor(
    core: Core,
    client: Downstream,
    seq: number,
    atUs: number,
    spec: CommandSpec | undefined,
    frame: Buffer,
    start: number,
    end: number,
    session: SessionView,
    decision: Decision,
    burst: Burst,
  ) {
    super(core, frame, start, end);
    this.client = client;
    this.seq = seq;
    this.atUs = atUs;
    this.spec = spec;
    this.session = session;
    this.decision = decision;
    this.burst = burst;
  }

  // ——— as one that waits for a server ———

  get owner(): object {
    return this.client;
  }

  get takesPieces(): boolean {
    return this.decision.fault === null;
  }

  get isCancelled(): boolean {
    return this.client.closed;
  }

  /** Where it was decided to go, for what is said of it. */
  get decidedAddress(): string {
    return partsOf(this.decision)[0]?.to?.address ?? '';
  }

  protected arrived(reader: ReplyReader): void {
    if (this.copies !== null) this.copies.ours(reader.buf, reader.start, reader.end, this.doneAtUs);
    if (reader.resp3 && (this.session.resp === 2 || reader.attribute)) {
      const reply = decodeReply(reader.buf, reader.start, reader.end);
      const bytes = reply === null ? UPSTREAM_FAILURE : encodeReply(reply, this.session.resp);
      this.client.replies.deliver(this, bytes, 0, bytes.length);
      return;
    }
    this.client.replies.deliver(this, reader.buf, reader.start, reader.end);
  }

  piece(reader: ReplyReader, last: boolean, connection: UpstreamConnection): void {
    this.doneAtUs = connection.readAtUs;
    this.copies?.oursTooLarge(this.doneAtUs);
    this.client.replies.deliverPiece(
      this,
      reader.buf.subarray(reader.start, reader.end),
      last,
      connection,
    );
    if (last) this.countReply(connection, this.replyTotal, false);
  }

  failed(cause: Cause): void {
    this.doneAtUs = this.core.clock.nowUs();
    this.closeAttempt();
    this.cause = cause;
    this.copies?.oursFailed(this.doneAtUs);
    this.core.failed(this.hop?.upstream ?? '');
    if (this.keeper === null)
      this.client.replies.deliver(this, UPSTREAM_FAILURE, 0, UPSTREAM_FAILURE.length);
    else this.client.broken('a server closed its connection in the middle of a large reply');
  }

  // ——— as what is written down ———

  get connection(): number {
    return this.client.id;
  }

  get flags(): number {
    const { session } = this;
    let flags = this.condensed | (session.authenticated ? FLAG.authenticated : 0);
    if (session.resp === 3) flags |= FLAG.resp3;
    if (session.multi) flags |= FLAG.multi;
    if (session.subscribed) flags |= FLAG.subscribed;
    if (this.ended === 'client-closed') flags |= FLAG.clientClosed;
    if (this.ended === 'shutdown') flags |= FLAG.shutdown;
    return flags;
  }

  get topologyVersion(): number {
    return this.decision.topologyVersion;
  }

  get configVersion(): number {
    return this.decision.configVersion;
  }

  get draws(): readonly number[] {
    return this.decision.draws;
  }

  get transactionKey(): Buffer | null {
    return this.session.transactionKey;
  }

  get pinned(): string | null {
    return this.session.pinned;
  }

  get home(): string | null {
    return this.session.home;
  }

  get queueUs(): number {
    return this.sentAtUs < 0 ? 0 : this.sentAtUs - this.atUs;
  }

  get upstreamUs(): number {
    return this.sentAtUs < 0 || this.doneAtUs < 0 ? 0 : this.doneAtUs - this.sentAtUs;
  }

  get requestBuf(): Buffer {
    return this.frame;
  }

  get requestStart(): number {
    return this.start;
  }

  get requestEnd(): number {
    return this.end;
  }

  get requestTotal(): number {
    return this.large?.total ?? this.wireBytes ?? this.end - this.start;
  }

  /** What is written down in the place of the request, or of the reply: see `events/condense.ts`. */
  condenseRequest(bytes: Buffer): void {
    this.wireBytes = this.requestTotal;
    this.frame = bytes;
    this.start = 0;
    this.end = bytes.length;
    this.condensed |= FLAG.condensed;
  }

  condenseReply(bytes: Buffer): void {
    this.replyBuf = bytes;
    this.replyStart = 0;
    this.replyEnd = bytes.length;
    this.condensed |= FLAG.replyCondensed;
  }
}

/** The attempts of a command of several parts, in the order of its parts. */
export function attemptsOf(shares: readonly Leg[]): AttemptNote[] {
  return shares.flatMap((share): AttemptNote[] => {
    if (share.attempts !== null) return share.attempts;
    if (share.hop === null) return [];
    return [
      {
        part: share.part,
        address: share.hop.address,
        kind: 'decided',
        sentUs: share.sentAtUs,
        doneUs: share.doneAtUs,
      },
    ];
  });
}
