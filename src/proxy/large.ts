/**
 * A request with a large argument, passed on as it comes.
 *
 * It goes on a connection of its own: on the shared one, a client that sends slowly would keep everybody's requests behind its own.
 * For the record its other arguments are kept, and the head of the large one.
 */
import { Command } from '../commands/command.js';
import { condenseArguments, type KeptArgument, type PieceKeeper } from '../events/condense.js';
import { classOf } from '../mesh/admit.js';
import type { CompiledConfig } from '../mesh/compile.js';
import type { RequestParser } from '../resp/request.js';
import { decodeReply } from '../resp/value.js';
import type { Exchange } from './exchange.js';
import { execute, openOwn } from './execute.js';
import { HOLD } from './hold.js';
import type { UpstreamConnection } from './upstream.js';

/** Whether the command's place is known, although of its arguments only `args` have begun and the last of them has not ended. */
export function mayStream(command: Command, args: number, config: CompiledConfig): boolean {
  const kind = classOf(command, config);
  return (
    config.isPlain && args > 2 && (kind === 'simple' || (kind === 'mset' && command.session.multi))
  );
}

/** Arguments behind the large one are kept whole up to this size. */
const LATER_BYTES = 64 * 1024;

export class LargeRequest {
  total = 0;
  private readonly exchange: Exchange;
  private readonly argc: number;
  private readonly known: Buffer[];
  private readonly keeper: PieceKeeper;
  /** Bytes of the first piece before the large argument's own. */
  private skip: number;
  private contentLeft: number;
  private readonly later: Buffer[][] = [];
  private connection: UpstreamConnection | null = null;

  /** `command` is loaded with the arguments known so far; the parser has just offered the request in pieces. */
  constructor(exchange: Exchange, command: Command, parser: RequestParser) {
    const { args } = parser;
    const start = parser.argStart[args - 1] as number;
    this.exchange = exchange;
    this.argc = parser.argc;
    this.known = Array.from({ length: args - 1 }, (_, i) => Buffer.from(command.arg(i)));
    this.keeper = exchange.core.newKeeper();
    this.skip = start - parser.start;
    this.contentLeft = (parser.argEnd[args - 1] as number) - start;
    exchange.large = this;
    const { action } = exchange.decision;
    if (action.kind !== 'forward') return; // what is refused is read to its end, and then answered
    const [part] = action.parts;
    if (part !== undefined && part.mirrors.length > 0)
      exchange.core.mirrors.skip(exchange, part, 0, 'too large to be copied');
    if (part !== undefined) exchange.core.snapshots?.beforeLarge(exchange, command, part, args - 1);
    this.connection = openOwn(exchange, part, command);
    if (this.connection !== null) this.connection.whenClosed = (cause) => exchange.failed(cause);
  }

  /** Passes on what the parser holds out. */
  piece(parser: RequestParser, last: boolean): void {
    const bytes = parser.frame.subarray(parser.start, parser.end);
    this.total += bytes.length;
    this.keep(bytes, parser.pieceArg);
    const { connection, exchange } = this;
    if (connection !== null && !connection.pass(bytes)) {
      exchange.client.hold(HOLD.upstream);
      connection.onDrain(() => exchange.client.release(HOLD.upstream));
    }
    if (!last) return;
    exchange.client.hold(HOLD.alone); // the next command of this client goes on another connection: it waits for the reply
    if (connection === null) execute(exchange, Command.of(this.argv(), exchange.session));
    else {
      connection.whenClosed = null;
      connection.enqueue(exchange);
      connection.drain();
    }
  }

  private keep(bytes: Buffer, arg: number): void {
    if (arg >= this.known.length + 1) {
      const at = arg - this.known.length - 1;
      this.later[at] ??= [];
      this.later[at]?.push(Buffer.from(bytes.subarray(0, LATER_BYTES)));
      return;
    }
    const from = Math.min(this.skip, bytes.length);
    const content = bytes.subarray(from, from + Math.min(this.contentLeft, bytes.length - from));
    this.skip -= from;
    this.contentLeft -= content.length;
    if (content.length > 0) this.keeper.add(content);
  }

  private argv(): Buffer[] {
    return Array.from({ length: this.argc }, (_, i) => this.known[i] ?? Buffer.alloc(0));
  }

  /** All of it as far as it is kept. */
  condensed(): Buffer {
    const later = this.later.map((pieces): KeptArgument => {
      const value = decodeReply(Buffer.concat(pieces));
      return value?.type === '$'
        ? { kind: 'whole', bytes: value.value }
        : { kind: 'redacted', rule: 'capture', bytes: Buffer.alloc(0) };
    });
    const args: KeptArgument[] = [
      ...this.known.map((bytes): KeptArgument => ({ kind: 'whole', bytes })),
      this.keeper.argument(),
      ...later,
    ];
    while (args.length < this.argc)
      args.push({ kind: 'redacted', rule: 'capture', bytes: Buffer.alloc(0) });
    return condenseArguments(args);
  }

  /** The client is gone in the middle of it: half a request is of no use to the server. */
  abandon(): void {
    if (this.connection === null) return;
    this.connection.whenClosed = null;
    this.connection.close({
      code: 'closed',
      address: this.connection.options.address,
      detail: 'the client left',
    });
  }
}
