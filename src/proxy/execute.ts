/** Carries a Decision out: answers, refuses, or sends the parts and lets their replies be merged. */
import type { Command } from '../commands/command.js';
import { type CommandSpec, commandByName } from '../commands/table.js';
import type { Cause } from '../events/event.js';
import { refusalText } from '../mesh/answers.js';
import type { Merge, Part } from '../mesh/decision.js';
import { DOLLAR, EMPTY } from '../resp/bytes.js';
import { encodeArrayHead, encodeBulk, encodeError, encodeReply } from '../resp/encode.js';
import type { ReplyReader } from '../resp/reply.js';
import { decodeReply } from '../resp/value.js';
import { answer } from './answer.js';
import { attemptsOf, type Exchange, NO_UPSTREAM_HOST, UPSTREAM_FAILURE } from './exchange.js';
import { faultRequest } from './faults.js';
import { HOLD } from './hold.js';
import { Leg } from './leg.js';
import { isGoodElement, mergeReplies, type PartReply } from './merge.js';
import type { MirrorCopy } from './mirrors.js';
import { applySession } from './session.js';
import type { UpstreamConnection } from './upstream.js';

/** Carries out the decision of `exchange`, whose command is loaded in `command`. */
export function execute(exchange: Exchange, command: Command): void {
  const { fault } = exchange.decision;
  const isLater = fault !== null && faultRequest(exchange, (again) => carryOut(exchange, again));
  if (!isLater) carryOut(exchange, command);
}

function carryOut(exchange: Exchange, command: Command): void {
  const { decision, client } = exchange;
  const { action } = decision;
  switch (action.kind) {
    case 'answer':
      answer(exchange, command, action.reply);
      applySession(client, command, decision);
      return;
    case 'refuse': {
      const error = encodeError(
        refusalText(action.error, command, exchange.core.config.envoy, action.of),
      );
      client.replies.deliver(exchange, error, 0, error.length);
      return;
    }
    case 'forward': {
      exchange.core.snapshots?.before(exchange, command, action.parts);
      const [only] = action.parts;
      if (action.merge === 'pass' && only?.name === null && action.parts.length === 1)
        forwardWhole(exchange, only, command);
      else forwardParts(exchange, action.parts, action.merge, command);
      applySession(client, command, decision);
    }
  }
}

function forwardWhole(exchange: Exchange, part: Part, command: Command): void {
  exchange.hop = part.to;
  exchange.via = part.via;
  if (part.rekey !== null) exchange.rewritten = rekeyed(exchange, part.rekey, command);
  if (part.via === 'shared' && part.to !== null) {
    exchange.sendOn(exchange.core.pool.shared(part.to, exchange.session.resp));
    if (part.mirrors.length > 0)
      exchange.copies = exchange.core.mirrors.send(exchange, part, 0, exchange);
    return;
  }
  if (part.via === 'transaction') {
    const connection = openOwn(exchange, part, command);
    if (connection === null) return;
    exchange.sendOn(connection);
    if (part.mirrors.length > 0)
      exchange.copies = exchange.core.mirrors.send(exchange, part, 0, exchange);
    if (exchange.decision.session === 'end') exchange.client.own.endTransaction();
    return;
  }
  const { name } = command;
  runAlone(exchange, () => exchange.client.own.run(exchange, name, part));
}

/** The client's own connection for `part`; null where none is needed, for the reply has been given. */
export function openOwn(
  exchange: Exchange,
  part: Part | undefined,
  command: Command,
): UpstreamConnection | null {
  if (part?.to === null || part === undefined) {
    exchange.client.replies.deliver(exchange, NO_UPSTREAM_HOST, 0, NO_UPSTREAM_HOST.length);
    return null;
  }
  exchange.hop = part.to;
  const { own } = exchange.client;
  if (part.via === 'transaction') return own.forTransaction(part.to, command.session.multi);
  return own.open(part.to, exchange.session.resp, exchange.core.config.settings.opTimeoutMs);
}

/** What may wait, or speaks without being asked, runs when all earlier commands are done, and later ones wait until it is. */
function runAlone(exchange: Exchange, start: () => void): void {
  const { client } = exchange;
  const begin = exchange.core.snapshots === null ? start : () => client.afterSnapshots(start);
  client.hold(HOLD.alone);
  if (client.replies.head === exchange) begin();
  else exchange.startAlone = begin;
}

function forwardParts(
  exchange: Exchange,
  parts: readonly Part[],
  merge: Merge,
  command: Command,
): void {
  const gathering = new Gathering(exchange, merge, command);
  const shares = parts.map((part, i) => new Share(gathering, part, i, command));
  exchange.shares = shares;
  gathering.awaits(shares.length);
  const startAll = (): void => {
    for (const share of shares) share.begin();
  };
  if (parts.some((part) => part.via === 'own')) runAlone(exchange, startAll);
  else startAll();
}

/** Where the replies of a command's parts come together. */
class Gathering {
  readonly exchange: Exchange;
  private readonly merge: Merge;
  private readonly name: string;
  private readonly filter: string | null;
  private replies: (PartReply | undefined)[] = [];
  private readonly arrival: number[] = [];
  private left = 0;

  constructor(exchange: Exchange, merge: Merge, command: Command) {
    this.exchange = exchange;
    this.merge = merge;
    this.name = command.name;
    this.filter = merge === 'info' && command.argc > 1 ? command.arg(1).toString('latin1') : null;
  }

  awaits(count: number): void {
    this.left = count;
    this.replies = new Array(count);
  }

  arrived(index: number, reply: PartReply): void {
    this.replies[index] = reply;
    this.arrival.push(index);
    if (--this.left > 0) return;
    const { exchange } = this;
    const shares = exchange.shares ?? [];
    exchange.attempts = attemptsOf(shares);
    exchange.sentAtUs = Math.min(
      ...shares.map((share) => (share.sentAtUs < 0 ? Number.POSITIVE_INFINITY : share.sentAtUs)),
    );
    if (!Number.isFinite(exchange.sentAtUs)) exchange.sentAtUs = -1;
    exchange.doneAtUs = Math.max(...shares.map((share) => share.doneAtUs));
    const merged = mergeReplies({
      merge: this.merge,
      name: this.name,
      replies: this.replies as PartReply[],
      arrival: this.arrival,
      section: this.filter,
      resp: exchange.session.resp,
    });
    if (this.merge === 'mget')
      exchange.hasFailedElement = !this.replies.every((each) => isGoodElement(each as PartReply));
    exchange.client.replies.deliver(exchange, merged, 0, merged.length);
  }

  failed(cause: Cause): void {
    this.exchange.cause ??= cause;
  }
}

/** One part of a command of several. */
class Share extends Leg {
  private readonly gathering: Gathering;
  private readonly viaOwn: boolean;
  private readonly of: Part;
  private copies: MirrorCopy | null = null;

  constructor(gathering: Gathering, part: Part, index: number, command: Command) {
    const { exchange } = gathering;
    super(exchange.core, exchange.frame, exchange.start, exchange.end);
    this.gathering = gathering;
    this.part = index;
    this.hop = part.to;
    this.of = part;
    this.viaOwn = part.via === 'own';
    this.via = part.via;
    if (part.args !== 'all' || part.name !== null) takeBytes(this, part, command);
    if (part.rekey !== null) this.rewritten = rekeyed(this, part.rekey, command);
  }

  get owner(): object {
    return this.gathering.exchange.client;
  }

  get takesPieces(): boolean {
    return false;
  }

  get isCancelled(): boolean {
    return this.gathering.exchange.client.closed;
  }

  get spec(): CommandSpec | undefined {
    const { name } = this.of;
    return name === null ? this.gathering.exchange.spec : commandByName(name.toUpperCase());
  }

  begin(): void {
    const { exchange } = this.gathering;
    if (this.hop === null) {
      this.gathering.arrived(this.part, { bytes: NO_UPSTREAM_HOST, isOurs: true });
      return;
    }
    if (this.viaOwn) exchange.client.own.runShare(this, this.hop, exchange.session.resp);
    else {
      this.sendOn(this.core.pool.shared(this.hop, exchange.session.resp));
      if (this.of.mirrors.length > 0)
        this.copies = this.core.mirrors.send(exchange, this.of, this.part, this);
    }
  }

  protected arrived(reader: ReplyReader): void {
    const { resp } = this.gathering.exchange.session;
    this.copies?.ours(reader.buf, reader.start, reader.end, this.doneAtUs);
    let bytes = Buffer.from(reader.buf.subarray(reader.start, reader.end));
    if (reader.attribute || (reader.resp3 && resp === 2)) {
      const reply = decodeReply(bytes);
      if (reply !== null) bytes = Buffer.from(encodeReply(reply, resp));
    }
    this.gathering.arrived(this.part, { bytes, isOurs: false });
  }

  piece(): void {}

  failed(cause: Cause): void {
    this.doneAtUs = this.core.clock.nowUs();
    this.closeAttempt();
    this.core.failed(this.hop?.upstream ?? '');
    this.copies?.oursFailed(this.doneAtUs);
    this.gathering.failed(cause);
    this.gathering.arrived(this.part, { bytes: UPSTREAM_FAILURE, isOurs: true });
  }
}

const NAMED_PREFIXES: Readonly<Record<string, Buffer>> = {
  get: Buffer.from('*2\r\n$3\r\nget\r\n'),
  set: Buffer.from('*3\r\n$3\r\nset\r\n'),
};

/**
 * The bytes of a part that is not the whole command: a head, then its arguments as they stand in the client's request.
 * Arguments that follow each other there are copied in one go.
 */
function takeBytes(leg: Leg, part: Part, command: Command): void {
  const args = part.args === 'all' ? [] : part.args;
  const [first, second] = args;
  const ready = part.name === null ? undefined : NAMED_PREFIXES[part.name];
  leg.prefix =
    ready ??
    Buffer.concat([encodeArrayHead(args.length + 1), encodeBulk(part.name ?? command.arg(0))]);
  if (first === undefined) {
    leg.frame = EMPTY;
    leg.start = leg.end = 0;
    return;
  }
  leg.start = headOf(leg.frame, command.startOf(first));
  leg.end = command.endOf(second ?? first) + 2;
}

/** The request that `leg` would send, with another key; `at` is the key's place in the client's command. */
function rekeyed(leg: Leg, { at, bytes }: NonNullable<Part['rekey']>, command: Command): Buffer {
  const from = headOf(leg.frame, command.startOf(at));
  const to = command.endOf(at) + 2;
  return Buffer.concat([
    leg.prefix,
    leg.frame.subarray(leg.start, from),
    encodeBulk(bytes),
    leg.frame.subarray(to, leg.end),
  ]);
}

/** Where the `$length` before the argument that starts at `at` begins. */
function headOf(frame: Buffer, at: number): number {
  at -= 3;
  while (frame[at] !== DOLLAR) at--;
  return at;
}
