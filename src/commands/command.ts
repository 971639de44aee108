/** One command of a client: its arguments as ranges of the bytes they came in, its row of the table, and the session it came in. */
import type { RespVersion } from '../resp/encode.js';
import { FIRST, type Words } from './keys.js';
import { type CommandSpec, commandByName, lookUp } from './table.js';

/** The two ends of a client's connection, `host:port`. */
export type Peer = { readonly remote: string; readonly local: string };

/** Where nothing is known of the connection, as Envoy writes it. */
export const NO_PEER: Peer = { remote: '-', local: '-' };

/** The little state of a client's connection that routing depends on. */
export type SessionView = {
  readonly authenticated: boolean;
  /** The version its replies are written in; 3 only after HELLO 3. */
  readonly resp: RespVersion;
  /** Between MULTI and EXEC. */
  readonly multi: boolean;
  /** The key that WATCH, or the first command after MULTI, has stored: it places the transaction. */
  readonly transactionKey: Buffer | null;
  /** Advertised address of the server that the transaction's own connection is to. */
  readonly pinned: string | null;
  /** With --open: subscribed to a channel or pattern. */
  readonly subscribed: boolean;
  /** With --open: advertised address of the server that its subscriptions, or other keyless commands of its own, are on. */
  readonly home: string | null;
  /** For routes that put the client's address into keys. */
  readonly peer: Peer;
};

/** The session of a client that has said nothing yet, on a listener without passwords. */
export const NEW_SESSION: SessionView = {
  authenticated: true,
  resp: 2,
  multi: false,
  transactionKey: null,
  pinned: null,
  subscribed: false,
  home: null,
  peer: NO_PEER,
};

/** Where a request's bytes are: what a `RequestParser` gives. */
export type Frame = {
  readonly frame: Buffer;
  readonly argc: number;
  readonly argStart: Int32Array;
  readonly argEnd: Int32Array;
};

/** A client may send arguments of 512 MiB, which is more than a string can hold: so much of them becomes text at most. */
const MOST_TEXT = 512 * 1024;
const MOST_NAME = 256;
/** What a new Command has until it is loaded; three of its own would cost more than the loading. */
const NO_BYTES = Buffer.alloc(0);
const NO_PLACES = new Int32Array(0);

/**
 * A command as `decide` sees it.
 *
 * It is a view: arguments become Buffers when asked for, for most commands need one of them looked at. A connection loads each of
 * its requests into the same Command; whoever keeps one makes a `copy`.
 */
export class Command implements Words {
  spec: CommandSpec | undefined = undefined;
  argc = 0;
  session: SessionView = NEW_SESSION;

  private bytes: Buffer = NO_BYTES;
  private starts: Int32Array = NO_PLACES;
  private ends: Int32Array = NO_PLACES;

  /** The command `argv`, for tests, `explain` and recordings. */
  static of(argv: readonly (Buffer | string)[], session: SessionView = NEW_SESSION): Command {
    const words = argv.map((arg) => (typeof arg === 'string' ? Buffer.from(arg) : arg));
    const argStart = new Int32Array(words.length);
    const argEnd = new Int32Array(words.length);
    let at = 0;
    words.forEach((word, i) => {
      argStart[i] = at;
      at += word.length;
      argEnd[i] = at;
    });
    const command = new Command();
    command.load({ frame: Buffer.concat(words), argc: words.length, argStart, argEnd }, session);
    return command;
  }

  /** Becomes the command at `frame`. One without arguments stands for what was RESP, but no request. */
  load(frame: Frame, session: SessionView): void {
    this.bytes = frame.frame;
    this.starts = frame.argStart;
    this.ends = frame.argEnd;
    this.argc = frame.argc;
    this.session = session;
    const spec =
      this.argc > 0
        ? lookUp(this.bytes, this.starts[0] as number, this.ends[0] as number)
        : undefined;
    this.spec =
      spec?.container && this.argc > 1 ? (commandByName(this.containedName(spec)) ?? spec) : spec;
  }

  /** Argument `i`, sharing the request's bytes. */
  arg(i: number): Buffer {
    return this.bytes.subarray(this.starts[i], this.ends[i]);
  }

  /** What `startOf` and `endOf` are places in: the request, or more than it. */
  get frame(): Buffer {
    return this.bytes;
  }

  /** Where argument `i` begins and ends in the bytes of the request. */
  startOf(i: number): number {
    return this.starts[i] as number;
  }

  endOf(i: number): number {
    return this.ends[i] as number;
  }

  get argv(): readonly Buffer[] {
    return Array.from({ length: this.argc }, (_, i) => this.arg(i));
  }

  /** Upper case, with its subcommand if it has one: `GET`, `CONFIG GET`. */
  get name(): string {
    const { spec } = this;
    if (spec === undefined) return this.argc > 0 ? this.text(0, MOST_NAME).toUpperCase() : '';
    if (spec.parent === null && spec.container && this.argc > 1) return this.containedName(spec);
    return spec.name;
  }

  /** The name as the client spelled it, one character a byte. */
  get nameAsSent(): string {
    return this.text(0);
  }

  /** Argument `i` as text, one character a byte, cut after `most`. */
  text(i: number, most: number = MOST_TEXT): string {
    const start = this.starts[i] as number;
    return this.bytes.toString('latin1', start, Math.min(start + most, this.ends[i] as number));
  }

  /** Whether argument `i` begins with `prefix`: without a view of it, for that costs more than most comparisons. */
  startsWith(i: number, prefix: Uint8Array): boolean {
    const start = this.starts[i] as number;
    if ((this.ends[i] as number) - start < prefix.length) return false;
    for (let at = 0; at < prefix.length; at++)
      if (this.bytes[start + at] !== prefix[at]) return false;
    return true;
  }

  /** Whether a key begins with `prefix`. */
  hasKeyFrom(prefix: Uint8Array): boolean {
    const rule = this.spec?.keys ?? FIRST;
    if (rule === FIRST) return this.argc > 1 && this.startsWith(1, prefix);
    for (const at of rule(this)) if (this.startsWith(at, prefix)) return true;
    return false;
  }

  /** Positions of its keys; an unknown command is taken to have one, the first argument. */
  get keys(): readonly number[] {
    return (this.spec?.keys ?? FIRST)(this);
  }

  private containedName(container: CommandSpec): string {
    return `${container.name} ${this.text(1, MOST_NAME).toUpperCase()}`;
  }
}
