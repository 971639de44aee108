/**
 * A recording → what can be answered from it: commands with their replies in order of arrival, transactions as one unit each, pub/sub
 * messages, and the cluster as it was last seen.
 */
import type { Command } from '../commands/command.js';
import { type KeptArgument, readCut } from '../events/condense.js';
import type { CommandEvent, TrafficEvent } from '../events/event.js';
import type { FaultAction } from '../mesh/config.js';
import type { SlotRange } from '../mesh/topology.js';
import type { RespVersion } from '../resp/encode.js';
import { decodeReply } from '../resp/value.js';
import { RecordedCommand } from './command.js';
import { isJsonObject, type Json } from './values.js';

/** One command as it was sent. `hashes` has the keyed hash of removed arguments, where the recording kept one. */
export type Line = {
  readonly command: Command;
  readonly args: readonly KeptArgument[];
  readonly hashes: readonly (string | null)[];
};

/** Something that was asked, and what it was answered. */
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

/** A client of the recording. */
export type RecordedClient = { readonly connection: number; readonly name: string | null };

/** A message that a subscriber got. `afterUs` counts from its subscription. */
export type RecordedMessage = {
  readonly channel: string;
  readonly afterUs: number;
  readonly reply: Buffer;
};

/** A subscription of the recording, and what came of it. `refused` is the reply where it was an error. */
export type RecordedSubscription = {
  readonly channel: string;
  readonly atUs: number;
  readonly connection: number;
  readonly refused: Buffer | null;
  readonly messages: RecordedMessage[];
};

/** All that can be answered. */
export type Script = {
  readonly spoken: readonly Spoken[];
  /** By the order in which they came. */
  readonly clients: readonly RecordedClient[];
  readonly subscriptions: readonly RecordedSubscription[];
  /** The newest ranges of a Redis Cluster; null where there was none. */
  readonly ranges: readonly SlotRange[] | null;
  /** Of the servers, where one of their replies told it. */
  readonly redisVersion: string | null;
};

/** What the server of a recording answers by itself (7.2), and `spoken` leaves out. */
const HOUSEKEEPING: ReadonlySet<string> = new Set(
  `HELLO PING ECHO SELECT QUIT RESET AUTH INFO READONLY READWRITE ASKING WAIT MULTI DISCARD WATCH UNWATCH SUBSCRIBE UNSUBSCRIBE
  PSUBSCRIBE PUNSUBSCRIBE SSUBSCRIBE SUNSUBSCRIBE`.split(/\s+/),
);
const HOUSEKEEPING_CONTAINERS: ReadonlySet<string> = new Set(['CLIENT', 'COMMAND', 'CLUSTER']);

/** Whether a command is answered without the recording. */
export function isHousekeeping(name: string): boolean {
  if (HOUSEKEEPING.has(name) || name === 'SCRIPT LOAD') return true;
  return HOUSEKEEPING_CONTAINERS.has(name.split(' ', 1)[0] ?? '');
}

/** Faults after which a client has no reply of a server: those that only delay one are not here. */
const REPLACES: ReadonlySet<string> = new Set(['error', 'close', 'hang', 'moved', 'ask', 'down']);

/** Collects a script from the events of a recording, in the order of its lines. */
export class ScriptReader {
  private readonly commands: CommandEvent[] = [];
  private readonly names = new Map<number, string | null>();
  private readonly pushes: { connection: number; atUs: number; reply: Buffer }[] = [];
  private ranges: readonly SlotRange[] | null = null;

  add(event: TrafficEvent): void {
    switch (event.type) {
      case 'command':
        this.commands.push(event);
        return;
      case 'session':
        this.names.set(event.connection, event.name ?? this.names.get(event.connection) ?? null);
        return;
      case 'topology': {
        const slots = Object.values(event.upstreams).find(({ kind }) => kind === 'slots');
        this.ranges = slots?.ranges ?? this.ranges;
        return;
      }
      case 'push':
        this.pushes.push({
          connection: event.connection,
          atUs: event.atUs,
          reply: Buffer.from(event.reply, 'latin1'),
        });
        return;
      default:
    }
  }

  /** To be called once, at the end. */
  script(): Script {
    this.commands.sort((a, b) => a.seq - b.seq);
    const spoken: Spoken[] = [];
    const subscriptions: RecordedSubscription[] = [];
    const transactions = new Map<number, CommandEvent[]>();
    let redisVersion: string | null = null;
    for (const event of this.commands) {
      const { name } = event.command;
      redisVersion ??= versionIn(event, name);
      if (/^[PS]?SUBSCRIBE$/.test(name)) subscriptions.push(...subscriptionsOf(event));
      const open = transactions.get(event.connection);
      if (name === 'MULTI') {
        if (open === undefined) transactions.set(event.connection, []);
      } else if (name === 'EXEC') {
        transactions.delete(event.connection);
        spoken.push(spokenOf(event, open ?? []));
      } else if (name === 'DISCARD') transactions.delete(event.connection);
      else if (open !== undefined) {
        if (name !== 'WATCH' && name !== 'UNWATCH') open.push(event);
      } else if (!isHousekeeping(name) && wasAnswered(event)) spoken.push(spokenOf(event, null));
    }
    this.deliver(subscriptions);
    return {
      spoken,
      clients: [...this.names].map(([connection, name]) => ({ connection, name })),
      subscriptions,
      ranges: this.ranges,
      redisVersion,
    };
  }

  /** Gives each message to the subscription that it came of. */
  private deliver(subscriptions: readonly RecordedSubscription[]): void {
    for (const { connection, atUs, reply } of this.pushes) {
      const channel = channelOf(reply);
      const of = subscriptions.findLast(
        (each) => each.connection === connection && each.channel === channel && each.atUs <= atUs,
      );
      if (of !== undefined && channel !== null)
        of.messages.push({ channel, afterUs: atUs - of.atUs, reply });
    }
  }
}

/** Whether a client got a reply, or a fault in its place. */
function wasAnswered(event: CommandEvent): boolean {
  return event.outcome.kind === 'reply' || injectedKind(event) !== null;
}

function spokenOf(event: CommandEvent, queued: readonly CommandEvent[] | null): Spoken {
  const { bytes, condensed, total } = event.reply;
  const hasReply = bytes.length > 0 && !condensed;
  return {
    seq: event.seq,
    connection: event.connection,
    lines: queued === null ? [lineOf(event)] : queued.map(lineOf),
    isTransaction: queued !== null,
    reply: hasReply ? Buffer.from(bytes) : null,
    lacks: hasReply ? null : lackOf(bytes, total),
    queued: (queued ?? []).map(({ reply }) =>
      reply.condensed || reply.bytes.length === 0 ? null : Buffer.from(reply.bytes),
    ),
    resp: event.command.session.resp,
    durationUs: event.durationUs,
    injected: injectedKind(event),
  };
}

function lackOf(bytes: Buffer, total: number): string {
  const marker = bytes.length > 0 ? decodeReply(bytes) : null;
  const cut = marker?.type === '=' ? readCut(marker.value) : null;
  if (cut !== null) return `it was cut: ${cut.total} bytes`;
  return total > 0 ? 'it was removed' : 'there was none';
}

function lineOf(event: CommandEvent): Line {
  const json = event instanceof RecordedCommand ? event.json.a : undefined;
  const args = event.args;
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
function injectedKind(event: CommandEvent): FaultAction['kind'] | null {
  if (!(event instanceof RecordedCommand)) return event.decision.fault?.action.kind ?? null;
  const { f } = event.json;
  const [first] = Array.isArray(f) ? (f as readonly Json[]) : [];
  const kind = isJsonObject(first) && typeof first.kind === 'string' ? first.kind : '';
  return REPLACES.has(kind) ? (kind as FaultAction['kind']) : null;
}

function versionIn(event: CommandEvent, name: string): string | null {
  if (name !== 'INFO' && name !== 'HELLO') return null;
  const text = event.reply.bytes.toString('latin1');
  return (
    /redis_version:([\w.]+)/.exec(text)?.[1] ??
    /\$7\r\nversion\r\n\$\d+\r\n([\w.]+)/.exec(text)?.[1] ??
    null
  );
}

function subscriptionsOf(event: CommandEvent): RecordedSubscription[] {
  const { bytes } = event.reply;
  const refused = bytes[0] === 0x2d /* - */ ? Buffer.from(bytes) : null;
  return event.command.argv.slice(1).map((channel) => ({
    channel: channel.toString('latin1'),
    atUs: event.atUs,
    connection: event.connection,
    refused,
    messages: [],
  }));
}

/** The channel or pattern of `message`, `pmessage`, `smessage`; null for what is none. */
function channelOf(reply: Buffer): string | null {
  const [, channel = null] =
    /^[*>]\d\r\n\$\d\r\n[ps]?message\r\n\$\d+\r\n([^\r]*)\r\n/.exec(reply.toString('latin1')) ?? [];
  return channel;
}
