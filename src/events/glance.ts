/**
 * A command's record looked at for counting: its name, keys, sizes and time, without deciding again and without an object a command.
 *
 * A reader that counts every command of a busy stream loads one Glance again and again (about 0.5 µs each; the whole event is 5).
 */
import { Command, NEW_SESSION } from '../commands/command.js';
import { isNilReply } from '../resp/bytes.js';
import { AT, ATTEMPT_INTS, ATTEMPT_KINDS, FLAG, HEAD } from './block.js';
import { readCondensed } from './condense.js';

const CR = 0x0d;
const ARRAY = 0x2a; // '*'
const BULK = 0x24; // '$'
const DECIDED = ATTEMPT_KINDS.indexOf('decided');

function redirectsOf(ints: Int32Array, head: number): number {
  let redirects = 0;
  const end = head + HEAD + ATTEMPT_INTS * (ints[head + AT.attempts] as number);
  for (let at = head + HEAD; at < end; at += ATTEMPT_INTS)
    if (ints[at + 2] !== DECIDED) redirects++;
  return redirects;
}

/** What a record says at first sight. */
export class Glance {
  /** Name, spec and keys of the command; its bytes are the block's. */
  readonly command: Command = new Command();
  seq = 0;
  atUs = 0;
  connection = 0;
  durationUs = 0;
  /** Bytes on the client's side. */
  requestBytes = 0;
  replyBytes = 0;
  /** Redirects that were followed. */
  redirects = 0;
  isError = false;
  isNil = false;
  private starts: Int32Array = new Int32Array(64);
  private ends: Int32Array = new Int32Array(64);
  private count = 0;

  /** Loads the command at `offset` of a block given as bytes and as its two kinds of numbers. */
  load(bytes: Buffer, ints: Int32Array, floats: Float64Array, offset: number): void {
    const head = offset >> 2;
    const wide = offset >> 3;
    this.seq = floats[wide + (AT.seq >> 1)] as number;
    this.atUs = floats[wide + (AT.atUs >> 1)] as number;
    this.durationUs = floats[wide + (AT.durationUs >> 1)] as number;
    this.requestBytes = floats[wide + (AT.requestTotal >> 1)] as number;
    this.replyBytes = floats[wide + (AT.replyTotal >> 1)] as number;
    this.connection = ints[head + AT.connection] as number;
    this.redirects = redirectsOf(ints, head);
    const requestAt =
      ((head +
        HEAD +
        ATTEMPT_INTS * (ints[head + AT.attempts] as number) +
        (ints[head + AT.draws] as number)) <<
        2) +
      Math.max(0, ints[head + AT.transactionKey] as number) +
      (ints[head + AT.cause] as number);
    const requestEnd = requestAt + (ints[head + AT.requestKept] as number);
    const replyKept = ints[head + AT.replyKept] as number;
    const first = replyKept === 0 ? 0 : bytes[requestEnd];
    this.isError = first === 0x2d || first === 0x21; // '-' '!'
    this.isNil = isNilReply(bytes, requestEnd, requestEnd + replyKept);
    const isCondensed = ((ints[head + AT.flags] as number) & FLAG.condensed) !== 0;
    if (isCondensed || !this.scan(bytes, requestAt, requestEnd))
      this.loadWords(
        isCondensed ? bytes.subarray(requestAt, requestEnd) : null,
        bytes,
        requestAt,
        requestEnd,
      );
    else
      this.command.load(
        { frame: bytes, argc: this.count, argStart: this.starts, argEnd: this.ends },
        NEW_SESSION,
      );
  }

  /** Finds the arguments of an array of bulk strings; false: it is none. */
  private scan(bytes: Buffer, from: number, end: number): boolean {
    if (bytes[from] !== ARRAY) return false;
    let at = from + 1;
    let argc = 0;
    for (; at < end && bytes[at] !== CR; at++) argc = argc * 10 + ((bytes[at] as number) - 0x30);
    at += 2;
    if (argc > this.starts.length) {
      this.starts = new Int32Array(argc * 2);
      this.ends = new Int32Array(argc * 2);
    }
    for (let i = 0; i < argc; i++) {
      if (bytes[at] !== BULK) return false;
      let length = 0;
      for (at++; at < end && bytes[at] !== CR; at++)
        length = length * 10 + ((bytes[at] as number) - 0x30);
      at += 2;
      this.starts[i] = at;
      at += length;
      this.ends[i] = at;
      at += 2;
    }
    this.count = argc;
    return at <= end;
  }

  /** Rare forms: what was condensed, and inline commands. */
  private loadWords(condensed: Buffer | null, bytes: Buffer, from: number, end: number): void {
    const words =
      condensed === null
        ? bytes
            .toString('latin1', from, end)
            .trim()
            .split(/\s+/)
            .map((word) => Buffer.from(word, 'latin1'))
        : readCondensed(condensed).map((arg) => arg.bytes);
    const whole = Command.of(words);
    this.command.load(
      {
        frame: Buffer.concat(words),
        argc: words.length,
        argStart: Int32Array.from(words, (_, i) => whole.startOf(i)),
        argEnd: Int32Array.from(words, (_, i) => whole.endOf(i)),
      },
      NEW_SESSION,
    );
  }
}
