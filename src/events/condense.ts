/**
 * Requests and replies that are not kept as they were: passwords are taken out, large values cut to their head. What was taken out
 * is said in its place, so a reader never takes a piece for the whole.
 *
 * A condensed request is a RESP array in which `$` is an argument as it was, `!` the rule that removed one, and `=cut:` the head of a
 * large one; none of the last two can occur in a request. A condensed reply is such a `=cut:` value alone.
 */
import { createHash, type Hash } from 'node:crypto';
import type { Command } from '../commands/command.js';
import { encodeArrayHead, encodeBulk } from '../resp/encode.js';
import { decodeReply } from '../resp/value.js';

/** How much of a cut value is kept. */
const HEAD_BYTES = 4096;

/** How much is kept: the values above `value` bytes are cut; a record that is still above `record` has all cut that can be. */
export type KeepLimits = { readonly value: number; readonly record: number };

/** An argument as far as it was kept. */
export type KeptArgument =
  | { readonly kind: 'whole'; readonly bytes: Buffer }
  | { readonly kind: 'redacted'; readonly rule: string; readonly bytes: Buffer }
  | {
      readonly kind: 'cut';
      readonly bytes: Buffer;
      readonly total: number;
      readonly sha256: string;
    };

const REDACTED = Buffer.from('(redacted)');

/**
 * The positions of arguments that are secrets: what Redis hides in its own logs, and a little more (recording page, 4.6). What a
 * server would refuse for its form is read so that rather too much is taken out than a password left in.
 */
export function secretArguments(command: Command): readonly number[] {
  const { name, argc } = command;
  switch (name) {
    case 'AUTH':
      return positions(1, argc - 1);
    case 'HELLO':
      return helloSecrets(command).at;
    case 'MIGRATE':
      return migrateSecrets(command);
    case 'CONFIG SET':
      return positions(3, argc - 1).filter((i) => isSecretSetting(wordAt(command, i - 1)));
    case 'ACL SETUSER':
      return positions(3, argc - 1).filter((i) => /^[><#!]/.test(wordAt(command, i)));
    default:
      return [];
  }
}

function positions(from: number, to: number): number[] {
  return Array.from({ length: Math.max(0, to - from + 1) }, (_, i) => from + i);
}

function wordAt(command: Command, i: number): string {
  return command.text(i, 256);
}

/** The two words after AUTH, and whatever is no option behind them: a password with a space in it, say. The error will name that. */
function helloSecrets(command: Command): {
  readonly at: number[];
  readonly isNamedInError: boolean;
} {
  const at: number[] = [];
  let isNamedInError = false;
  for (let i = 1; i < command.argc; i++) {
    const word = wordAt(command, i).toUpperCase();
    if (word === 'AUTH') {
      at.push(...positions(i + 1, Math.min(i + 2, command.argc - 1)));
      i += 2;
    } else if (word === 'SETNAME') i++;
    else if (at.length > 0) {
      at.push(i);
      isNamedInError = true;
    }
  }
  return { at, isNamedInError };
}

/** The word after AUTH, the two after AUTH2. Options start at the sixth word, so that a key may be named AUTH. */
function migrateSecrets(command: Command): number[] {
  const at: number[] = [];
  for (let i = 6; i < command.argc; i++) {
    const word = wordAt(command, i).toUpperCase();
    const count = word === 'AUTH' ? 1 : word === 'AUTH2' ? 2 : 0;
    at.push(...positions(i + 1, Math.min(i + count, command.argc - 1)));
    if (word === 'KEYS')
      i++; // the first key places the command
    else i += count;
  }
  return at;
}

const SECRET_SETTINGS: ReadonlySet<string> = new Set(
  'requirepass masterauth masteruser primaryauth primaryuser tls-key-file-pass tls-client-key-file-pass'.split(
    ' ',
  ),
);

function isSecretSetting(name: string): boolean {
  return SECRET_SETTINGS.has(name.toLowerCase());
}

/** Whether the reply to this command may hold a secret: it is then not kept at all. */
export function hasSecretReply(command: Command): boolean {
  const { name } = command;
  if (name === 'ACL GETUSER' || name === 'ACL LIST' || name === 'ACL GENPASS') return true;
  if (name === 'HELLO') return helloSecrets(command).isNamedInError;
  if (name !== 'CONFIG GET') return false;
  // Any pattern might match one: `*`, `require*`, `require\\pass`.
  return positions(2, command.argc - 1).some((i) => {
    const pattern = wordAt(command, i);
    return /[*?[\\]/.test(pattern) || isSecretSetting(pattern);
  });
}

/** What routes EVAL, which may be no key (mesh page, 2.5). */
const EVAL_KEY = 3;

/** The request without its secrets and with large values cut; keys are always kept whole, for they decide. */
export function condenseRequest(command: Command, limits: KeepLimits): Buffer {
  const secrets = new Set(secretArguments(command));
  const keys = new Set([0, 1, ...command.keys]);
  if (command.spec?.mesh === 'eval') keys.add(EVAL_KEY);
  const build = (limit: number): Buffer =>
    Buffer.concat([
      encodeArrayHead(command.argc),
      ...command.argv.map((arg, i) => {
        if (secrets.has(i)) return encodeMarker('!', Buffer.from('auth'));
        return arg.length > limit && !keys.has(i)
          ? cutMarker(arg, arg.length, sha256(arg))
          : encodeBulk(arg);
      }),
    ]);
  const condensed = build(limits.value);
  return condensed.length > limits.record ? build(HEAD_BYTES) : condensed;
}

/** A large value in the place of its bytes: the head of `bytes`, how long all of it was, and its hash. */
export function cutMarker(bytes: Buffer, total: number, hash: string): Buffer {
  const head = bytes.subarray(0, HEAD_BYTES);
  return encodeMarker('=', Buffer.concat([Buffer.from(`cut:${total}:${hash}:`), head]));
}

/** A reply that is not kept: `auth`, it may hold a secret; `size`, it is large and no string. */
export function redactedMarker(rule: string): Buffer {
  return encodeMarker('=', Buffer.from(`red:${rule}`));
}

function encodeMarker(type: '!' | '=', content: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`${type}${content.length}\r\n`), content, Buffer.from('\r\n')]);
}

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** The arguments of a condensed request. */
export function readCondensed(bytes: Buffer): KeptArgument[] {
  const array = decodeReply(bytes);
  if (array?.type !== '*') return [];
  return array.items.map((item): KeptArgument => {
    if (item.type === '!')
      return { kind: 'redacted', rule: item.value.toString(), bytes: REDACTED };
    if (item.type === '=')
      return readCut(item.value) ?? { kind: 'redacted', rule: 'capture', bytes: REDACTED };
    return { kind: 'whole', bytes: item.type === '$' ? item.value : Buffer.alloc(0) };
  });
}

/** What stands in the place of a cut value; null when it is no such marker. */
export function readCut(content: Buffer): Extract<KeptArgument, { kind: 'cut' }> | null {
  const match = /^cut:(\d+):([0-9a-f]*):/.exec(content.toString('latin1', 0, 128));
  if (match === null) return null;
  return {
    kind: 'cut',
    bytes: content.subarray(match[0].length),
    total: Number(match[1]),
    sha256: match[2] ?? '',
  };
}

/**
 * What is kept of a large bulk string, a reply that comes in pieces: head, length and hash of the string itself. Of any other large
 * reply only its size is kept, for half a tree is of no use to anyone.
 */
export class ReplyKeeper {
  private readonly keeper: PieceKeeper;
  private isBulk: boolean | null = null;
  private left = 0;

  constructor(withHash: boolean) {
    this.keeper = new PieceKeeper(withHash);
  }

  /** The next bytes of the reply's frame; the first hold at least its `$length` line. */
  add(bytes: Buffer): void {
    let from = 0;
    if (this.isBulk === null) {
      const lineEnd = bytes.indexOf(0x0d);
      this.isBulk = bytes[0] === 0x24 && lineEnd !== -1;
      this.left = this.isBulk ? Number(bytes.toString('latin1', 1, lineEnd)) : 0;
      from = lineEnd + 2;
    }
    if (this.left <= 0) return;
    const content = bytes.subarray(from, from + this.left);
    this.left -= content.length;
    this.keeper.add(content);
  }

  marker(): Buffer {
    const kept = this.keeper.argument();
    return this.isBulk && kept.kind === 'cut'
      ? cutMarker(kept.bytes, kept.total, kept.sha256)
      : redactedMarker('size');
  }
}

/** What is kept of bytes that pass by in pieces: their head, their number and, if asked for, their hash. */
export class PieceKeeper {
  total = 0;
  private readonly head: Buffer[] = [];
  private kept = 0;
  private readonly hash: Hash | null;

  /** A hash costs 2 ns a byte, so it is made only for those who keep it. */
  constructor(withHash: boolean) {
    this.hash = withHash ? createHash('sha256') : null;
  }

  add(bytes: Buffer): void {
    this.total += bytes.length;
    this.hash?.update(bytes);
    if (this.kept >= HEAD_BYTES) return;
    const part = Buffer.from(bytes.subarray(0, HEAD_BYTES - this.kept));
    this.head.push(part);
    this.kept += part.length;
  }

  /** What stands for all of it. */
  argument(): KeptArgument {
    const bytes = Buffer.concat(this.head);
    return { kind: 'cut', bytes, total: this.total, sha256: this.hash?.digest('hex') ?? '' };
  }
}

/** A condensed request of arguments that are already known as far as they are kept. */
export function condenseArguments(args: readonly KeptArgument[]): Buffer {
  return Buffer.concat([
    encodeArrayHead(args.length),
    ...args.map((arg) => {
      if (arg.kind === 'whole') return encodeBulk(arg.bytes);
      return arg.kind === 'redacted'
        ? encodeMarker('!', Buffer.from(arg.rule))
        : cutMarker(arg.bytes, arg.total, arg.sha256);
    }),
  ]);
}
