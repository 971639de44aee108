/** What was asked in a recording and what it was answered: kept as lines, for a recording has more of them than memory has room. */
import type { Command } from '../commands/command.js';
import { type KeptArgument, readCut } from '../events/condense.js';
import type { FaultAction } from '../mesh/config.js';
import type { RespVersion } from '../resp/encode.js';
import { decodeReply } from '../resp/value.js';
import type { RecordedCommand } from './command.js';
import { CommandStore } from './command-store.js';
import { isJsonObject, type Json } from './values.js';

/** One command as it was sent. `hashes` has the keyed hash of removed arguments, where the recording kept one. */
export type Line = {
  readonly command: Command;
  readonly args: readonly KeptArgument[];
  readonly hashes: readonly (string | null)[];
};

/** Something that was asked, and what it was answered; all but the figures is read when it is looked at. */
export type Spoken = {
  /** Arrival number; of a transaction its EXEC's. */
  readonly seq: number;
  readonly connection: number;
  /** The command; of a transaction those between MULTI and EXEC. */
  readonly lines: readonly Line[];
  readonly isTransaction: boolean;
  /** RESP; null where the recording does not have it: `lacks` says why. */
  readonly reply: Buffer | null;
  readonly lacks: string | null;
  /** What each command of a transaction was answered when it was queued. */
  readonly queued: readonly (Buffer | null)[];
  readonly resp: RespVersion;
  readonly durationUs: number;
  /** The kind of fault that made the reply, or that took its place. */
  readonly injected: FaultAction['kind'] | null;
};

/** Faults after which a client has no reply of a server: those that only delay one are not here. */
const REPLACES: ReadonlySet<string> = new Set(['error', 'close', 'hang', 'moved', 'ask', 'down']);

/** Keeps lines, and gives what was spoken in them. */
export class SpokenStore {
  private readonly commands = new CommandStore();

  /** Keeps a command that is part of a transaction; gives its number. */
  keep(event: RecordedCommand, text: string): number {
    return this.commands.add(event, text);
  }

  command(event: RecordedCommand, text: string): Spoken {
    return new KeptSpoken(this.commands, event, this.keep(event, text), null);
  }

  /** `event` is the EXEC of what is `queued`. */
  transaction(event: RecordedCommand, text: string, queued: readonly number[]): Spoken {
    return new KeptSpoken(this.commands, event, this.keep(event, text), queued);
  }
}

class KeptSpoken implements Spoken {
  readonly seq: number;
  readonly connection: number;
  readonly injected: FaultAction['kind'] | null;
  private readonly store: CommandStore;
  private readonly number: number;
  private readonly members: readonly number[] | null;

  constructor(
    store: CommandStore,
    event: RecordedCommand,
    number: number,
    members: readonly number[] | null,
  ) {
    this.seq = event.seq;
    this.connection = event.connection;
    this.injected = injectedKind(event);
    this.store = store;
    this.number = number;
    this.members = members;
  }

  private get event(): RecordedCommand {
    return this.store.event(this.number);
  }

  get isTransaction(): boolean {
    return this.members !== null;
  }

  get lines(): readonly Line[] {
    if (this.members === null) return [lineOf(this.event)];
    return this.members.map((member) => lineOf(this.store.event(member)));
  }

  get reply(): Buffer | null {
    const { bytes, condensed } = this.event.reply;
    return bytes.length > 0 && !condensed ? bytes : null;
  }

  get lacks(): string | null {
    const { bytes, total } = this.event.reply;
    return this.reply === null ? lackOf(bytes, total) : null;
  }

  get queued(): readonly (Buffer | null)[] {
    return (this.members ?? []).map((member) => {
      const { bytes, condensed } = this.store.event(member).reply;
      return condensed || bytes.length === 0 ? null : bytes;
    });
  }

  get resp(): RespVersion {
    return this.event.command.session.resp;
  }

  get durationUs(): number {
    return this.event.durationUs;
  }
}

/** Whether a client got a reply, or a fault in its place. */
export function wasAnswered(event: RecordedCommand): boolean {
  return event.outcome.kind === 'reply' || injectedKind(event) !== null;
}

function lackOf(bytes: Buffer, total: number): string {
  const marker = bytes.length > 0 ? decodeReply(bytes) : null;
  const cut = marker?.type === '=' ? readCut(marker.value) : null;
  if (cut !== null) return `it was cut: ${cut.total} bytes`;
  return total > 0 ? 'it was removed' : 'there was none';
}

/** A recorded command as it was sent. */
export function lineOf(event: RecordedCommand): Line {
  const { args } = event;
  const json = event.json.a;
  return {
    command: event.command,
    args,
    hashes: args.every(({ kind }) => kind === 'whole')
      ? []
      : args.map((_, i) => hashOf(Array.isArray(json) ? (json as readonly Json[])[i] : undefined)),
  };
}

function hashOf(value: Json | undefined): string | null {
  return isJsonObject(value) && typeof value.h === 'string' ? value.h : null;
}

/** Read off the line, for making the decision again takes longer. */
function injectedKind(event: RecordedCommand): FaultAction['kind'] | null {
  const { f } = event.json;
  const [first] = Array.isArray(f) ? (f as readonly Json[]) : [];
  const kind = isJsonObject(first) && typeof first.kind === 'string' ? first.kind : '';
  return REPLACES.has(kind) ? (kind as FaultAction['kind']) : null;
}
