/**
 * Events as bytes. The core writes each finished command into a block with a few dozen integer stores and two short copies; a block
 * crosses to another thread without being copied, and a reader decodes only the events it looks at.
 *
 *   block   = record …            each a multiple of 8 bytes
 *   record  = kind, length, …     int32 in the machine's order: blocks never leave the machine
 *   command = head (HEAD ints), attempts (8 ints each), draws (1 int each), then bytes: transaction key, cause, request, reply
 *   other   = kind, length, length of the JSON, which type of event; then JSON
 *
 * What `decide` was given is kept, not the Decision: by the replay law the same inputs and draws give it again.
 */
import { copyBytes } from '../resp/bytes.js';
import type { Attempt, Cause, OtherEvent } from './event.js';

/** Stands in a record, so that readers may pass over what they do not want without decoding it. Blocks are never stored. */
export const TYPE_NUMBERS: Readonly<Record<OtherEvent['type'], number>> = {
  hello: 0,
  server: 1,
  config: 2,
  topology: 3,
  session: 4,
  'session-closed': 5,
  upstream: 6,
  pending: 7,
  mirror: 8,
  push: 9,
  log: 10,
  gap: 11,
  snapshot: 12,
};

export const BLOCK_BYTES: number = 256 * 1024;

export const KIND_COMMAND = 1;
export const KIND_OTHER = 2;

/**
 * Positions in a command's head, in int32. Those from seq to upstreamUs are float64, two places each: a command may wait for
 * hours, and 2^31 µs are 36 minutes.
 */
export const AT = {
  kind: 0,
  length: 1,
  seq: 2,
  atUs: 4,
  requestTotal: 6,
  replyTotal: 8,
  durationUs: 10,
  queueUs: 12,
  upstreamUs: 14,
  connection: 16,
  flags: 17,
  requestKept: 18,
  replyKept: 19,
  topologyVersion: 20,
  configVersion: 21,
  burstAt: 22,
  burstSize: 23,
  draws: 24,
  attempts: 25,
  transactionKey: 26,
  pinned: 27,
  home: 28,
  cause: 29,
} as const;
/** Even, and so is the size of an attempt: their float64 stand at multiples of 8 bytes. */
export const HEAD = 30;
/** Part, server, kind, one unused, then sentUs and doneUs as float64. */
export const ATTEMPT_INTS = 8;

export const FLAG = {
  authenticated: 1,
  resp3: 2,
  multi: 4,
  subscribed: 8,
  clientClosed: 16,
  shutdown: 32,
  /** The request, or the reply, is not as it was on the wire: see `events/condense.ts`. */
  condensed: 64,
  replyCondensed: 128,
} as const;

export const ATTEMPT_KINDS: readonly Attempt['kind'][] = ['decided', 'MOVED', 'ASK'];

/** One attempt while it is being made; `address` is announced, times are µs since the stream began, -1 for never. */
export type AttemptNote = {
  readonly part: number;
  readonly address: string;
  readonly kind: Attempt['kind'];
  sentUs: number;
  doneUs: number;
};

/** What the core knows of a finished command; an exchange of the proxy is one. */
export type CommandNote = {
  readonly seq: number;
  readonly atUs: number;
  readonly connection: number;
  readonly flags: number;
  readonly topologyVersion: number;
  readonly configVersion: number;
  readonly draws: readonly number[];
  /** Null: the one part was answered by the server decided, in `queueUs` and `upstreamUs`. */
  readonly attempts: readonly AttemptNote[] | null;
  readonly queueUs: number;
  readonly upstreamUs: number;
  readonly burst: { readonly first: number; size: number };
  readonly transactionKey: Buffer | null;
  readonly pinned: string | null;
  readonly home: string | null;
  readonly cause: Cause | null;
  readonly requestBuf: Buffer;
  readonly requestStart: number;
  readonly requestEnd: number;
  readonly requestTotal: number;
  readonly replyBuf: Buffer;
  readonly replyStart: number;
  readonly replyEnd: number;
  readonly replyTotal: number;
};

/** Fills one block after another. */
export class BlockWriter {
  /** Bytes of the block in use; how many commands it holds, the lowest number among them and the highest. */
  used = 0;
  commands = 0;
  firstSeq = 0;
  lastSeq = 0;
  private block: ArrayBuffer = new ArrayBuffer(BLOCK_BYTES);
  private ints = new Int32Array(this.block);
  private floats = new Float64Array(this.block);
  private bytes = new Uint8Array(this.block);

  /** Bytes a note takes at most. */
  sizeOf(note: CommandNote): number {
    const kept = note.requestEnd - note.requestStart + (note.replyEnd - note.replyStart);
    const rare =
      note.cause === null && note.transactionKey === null
        ? 0
        : causeBytes(note.cause).length + (note.transactionKey?.length ?? 0);
    return (
      4 * (HEAD + ATTEMPT_INTS * (note.attempts?.length ?? 0) + note.draws.length) + kept + rare + 8
    );
  }

  /** Whether the block has room for `bytes` more. An empty block always has: it grows to what is needed. */
  fits(bytes: number): boolean {
    if (this.used + bytes <= this.block.byteLength) return true;
    if (this.used > 0) return false;
    this.fresh(new ArrayBuffer(Math.ceil(bytes / 4096) * 4096));
    return true;
  }

  /** Writes one command; `fits` has been asked. `refOf` numbers the addresses of servers. */
  command(note: CommandNote, durationUs: number, refOf: (address: string) => number): void {
    const { ints, floats, bytes } = this;
    const start = this.used;
    const head = start >> 2;
    const requestKept = note.requestEnd - note.requestStart;
    const replyKept = note.replyEnd - note.replyStart;
    const wide = head >> 1;
    floats[wide + (AT.seq >> 1)] = note.seq;
    floats[wide + (AT.atUs >> 1)] = note.atUs;
    floats[wide + (AT.requestTotal >> 1)] = note.requestTotal;
    floats[wide + (AT.replyTotal >> 1)] = note.replyTotal;
    floats[wide + (AT.durationUs >> 1)] = durationUs;
    floats[wide + (AT.queueUs >> 1)] = note.queueUs;
    floats[wide + (AT.upstreamUs >> 1)] = note.upstreamUs;
    ints[head] = KIND_COMMAND;
    ints[head + AT.connection] = note.connection;
    ints[head + AT.flags] = note.flags;
    ints[head + AT.requestKept] = requestKept;
    ints[head + AT.replyKept] = replyKept;
    ints[head + AT.topologyVersion] = note.topologyVersion;
    ints[head + AT.configVersion] = note.configVersion;
    ints[head + AT.burstAt] = note.seq - note.burst.first;
    ints[head + AT.burstSize] = note.burst.size;
    ints[head + AT.draws] = note.draws.length;
    ints[head + AT.transactionKey] = -1;
    ints[head + AT.pinned] = note.pinned === null ? -1 : refOf(note.pinned);
    ints[head + AT.home] = note.home === null ? -1 : refOf(note.home);
    ints[head + AT.cause] = 0;
    let at = head + HEAD;
    const { attempts, draws } = note;
    ints[head + AT.attempts] = attempts === null ? 0 : attempts.length;
    if (attempts !== null) {
      for (const attempt of attempts) {
        ints[at] = attempt.part;
        ints[at + 1] = refOf(attempt.address);
        ints[at + 2] = ATTEMPT_KINDS.indexOf(attempt.kind);
        floats[(at >> 1) + 2] = attempt.sentUs < 0 ? -1 : attempt.sentUs - note.atUs;
        floats[(at >> 1) + 3] = attempt.doneUs < 0 ? -1 : attempt.doneUs - note.atUs;
        at += ATTEMPT_INTS;
      }
    }
    for (let i = 0; i < draws.length; i++) ints[at++] = draws[i] as number;

    let pos = at << 2;
    if (note.transactionKey !== null)
      pos = this.extra(note.transactionKey, head + AT.transactionKey, pos);
    if (note.cause !== null) pos = this.extra(causeBytes(note.cause), head + AT.cause, pos);
    copyBytes(note.requestBuf, note.requestStart, note.requestStart + requestKept, bytes, pos);
    pos += requestKept;
    copyBytes(note.replyBuf, note.replyStart, note.replyStart + replyKept, bytes, pos);
    this.close(start, pos + replyKept);
    // Commands end in any order.
    if (this.commands === 0 || note.seq < this.firstSeq) this.firstSeq = note.seq;
    if (this.commands === 0 || note.seq > this.lastSeq) this.lastSeq = note.seq;
    this.commands++;
  }

  private extra(extra: Uint8Array, lengthAt: number, pos: number): number {
    this.ints[lengthAt] = extra.length;
    this.bytes.set(extra, pos);
    return pos + extra.length;
  }

  /** Writes any other event of that type; `fits(otherSize(json))` has been asked. */
  other(json: Buffer, type: OtherEvent['type']): void {
    const start = this.used;
    this.ints[start >> 2] = KIND_OTHER;
    this.ints[(start >> 2) + 2] = json.length;
    this.ints[(start >> 2) + 3] = TYPE_NUMBERS[type];
    this.bytes.set(json, start + 16);
    this.close(start, start + 16 + json.length);
  }

  private close(start: number, end: number): void {
    const length = (end - start + 7) & ~7;
    this.ints[(start >> 2) + AT.length] = length;
    this.used = start + length;
  }

  /** The block so far, `used` bytes of it valid, and a new one to go on with: `next`, or a fresh one. */
  take(next: ArrayBuffer = new ArrayBuffer(BLOCK_BYTES)): ArrayBuffer {
    const { block } = this;
    this.fresh(next);
    return block;
  }

  /** Forgets what the block holds. */
  clear(): void {
    this.used = 0;
    this.commands = 0;
  }

  private fresh(block: ArrayBuffer): void {
    this.block = block;
    this.ints = new Int32Array(block);
    this.floats = new Float64Array(block);
    this.bytes = new Uint8Array(block);
    this.clear();
  }
}

/** What is kept of a server's own words: one broken connection fails many commands, and each says why. */
const DETAIL_CHARS = 300;

function causeBytes(cause: Cause | null): Uint8Array {
  if (cause === null) return NO_BYTES;
  const detail = cause.detail?.slice(0, DETAIL_CHARS);
  return Buffer.from(JSON.stringify(detail === undefined ? cause : { ...cause, detail }));
}

const NO_BYTES = new Uint8Array(0);

/** The bytes of an event that is no command, ready for `BlockWriter.other`. */
export function encodeOther(event: OtherEvent): Buffer {
  return Buffer.from(JSON.stringify(event));
}

/** Room that such an event needs. */
export function otherSize(json: Buffer): number {
  return json.length + 24;
}
