/** Recorded commands → what a replay sends; what cannot be sent is counted by its reason. */

import { Command } from '../commands/command.js';
import type { CommandEvent } from '../events/event.js';
import { encodeRequest } from '../resp/encode.js';
import { RecordedCommand } from './command.js';
import type { ReplayItem } from './replay.js';

/** How recorded commands are prepared. */
export type ItemOptions = {
  /** Compare HELLO, AUTH, CLIENT and SELECT as well. */
  readonly strictHousekeeping: boolean;
  readonly skipBlocking: boolean;
  /** What takes the place of a removed password; null: the login is left out. */
  readonly password: string | null;
  /** Times are of execution, and replies are not known: each command has been carried out before the next came. */
  readonly isExecuted?: boolean;
  /** Of an edited command: what went to the server, instead of what the client had sent. */
  readonly asForwarded?: boolean;
  /** What is put behind every key; null: keys are as they were. */
  readonly suffix?: Buffer | null;
};

/** What is not sent, and how often; `folded`: what would end or reset a connection that others share. */
export type LeftOut = { incomplete: number; blocking: number; logins: number; folded: number };

const HOUSEKEEPING: ReadonlySet<string> = new Set(['HELLO', 'AUTH', 'SELECT', 'QUIT', 'RESET']);
/** Commands that may wait for others, by `spec.open` being a connection of their own. */
const BLOCKING = /^(?:B[LRZ]|XREAD(?:GROUP)?$|WAIT)/;

/** Whether a command may wait for what other clients do. */
export function blocks({ name }: Command): boolean {
  return BLOCKING.test(name);
}

/** What is sent for `event`; null where it cannot or shall not be. */
export function replayItem(
  event: CommandEvent,
  options: ItemOptions,
  leftOut: LeftOut,
): ReplayItem | null {
  const { name } = event.command;
  if (event.args.length === 0) {
    leftOut.incomplete++;
    return null;
  }
  if (options.skipBlocking && blocks(event.command)) {
    leftOut.blocking++;
    return null;
  }
  const edited = options.asForwarded === true ? null : receivedArguments(event);
  const sent = edited ?? argumentsOf(event, options.password) ?? withoutLogin(event);
  const args = sent === null ? null : withSuffix(sent, event.command, options.suffix ?? null);
  if (args === null) {
    if (name === 'AUTH' || name === 'HELLO') leftOut.logins++;
    else leftOut.incomplete++;
    return null;
  }
  const { reply, outcome } = event;
  const isHousekeeping = HOUSEKEEPING.has(name) || name.startsWith('CLIENT');
  const hasReply = outcome.kind === 'reply' && (reply.bytes.length > 0 || reply.total > 0);
  const isWhole = hasReply && !reply.condensed && reply.bytes.length > 0;
  return {
    seq: event.seq,
    atUs: event.atUs,
    doneUs: hasReply
      ? event.atUs + event.durationUs
      : options.isExecuted === true
        ? event.atUs
        : null,
    connection: event.connection,
    burst: event.burst.first,
    command: Command.of(args),
    request: encodeRequest(args),
    expected: isWhole ? Buffer.from(reply.bytes) : null,
    compared: isWhole && edited === null && (options.strictHousekeeping || !isHousekeeping),
    recorded: edited === null ? event : null,
  };
}

/** What the client had sent, where that was edited before it went on; null where it was not, or is not all there. */
function receivedArguments(event: CommandEvent): readonly Buffer[] | null {
  const received = event instanceof RecordedCommand ? event.received : null;
  if (received === null || received.some((arg) => arg.kind !== 'whole')) return null;
  return received.map((arg) => arg.bytes);
}

function withSuffix(
  args: readonly Buffer[],
  { keys }: Command,
  suffix: Buffer | null,
): readonly Buffer[] {
  if (suffix === null || keys.length === 0) return args;
  return args.map((arg, at) => (keys.includes(at) ? Buffer.concat([arg, suffix]) : arg));
}

/** `HELLO 3 AUTH … SETNAME x` without its login: the version is what the client needs. Null for anything else. */
function withoutLogin({ command, args }: CommandEvent): readonly Buffer[] | null {
  if (command.name !== 'HELLO') return null;
  const at = args.findIndex((arg, i) => i > 1 && /^auth$/i.test(arg.bytes.toString('latin1')));
  const kept = at === -1 ? args : [...args.slice(0, at), ...args.slice(at + 3)];
  return kept.every((arg) => arg.kind === 'whole') ? kept.map((arg) => arg.bytes) : null;
}

/** The arguments, a password in the place of a removed one; null where something else is missing. */
function argumentsOf(event: CommandEvent, password: string | null): readonly Buffer[] | null {
  const { name } = event.command;
  const out: Buffer[] = [];
  const removed = event.args.filter((arg) => arg.kind === 'redacted').length;
  let nth = 0;
  for (const arg of event.args) {
    if (arg.kind === 'whole') {
      out.push(arg.bytes);
      continue;
    }
    if (arg.kind === 'cut' || arg.rule !== 'auth' || password === null) return null;
    if (name !== 'AUTH' && name !== 'HELLO') return null;
    nth++;
    // Of `user password` only the last is the password; the user is not known any more, and `default` is who has one.
    out.push(Buffer.from(nth === removed ? password : 'default'));
  }
  return out;
}
