/**
 * A recording → what can be answered from it: commands with their replies in order of arrival, transactions as one unit each, pub/sub
 * messages, and the cluster as it was last seen.
 */
import type { CommandEvent, TrafficEvent } from '../events/event.js';
import type { SlotRange } from '../mesh/topology.js';
import { RecordedCommand } from './command.js';
import { type RecordedLogin, recordedLogin } from './logins.js';
import type { CompiledRedactRule } from './redact-rules.js';
import { type Spoken, SpokenStore, wasAnswered } from './spoken.js';

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
  readonly logins: readonly RecordedLogin[];
  /** Whether all clients of the recording had logged in before they asked for anything. */
  readonly isLoginNeeded: boolean;
  /** The newest ranges of a Redis Cluster; null where there was none. */
  readonly ranges: readonly SlotRange[] | null;
  /** Of the servers, where one of their replies told it. */
  readonly redisVersion: string | null;
  /** What a command that comes is made of before it is looked for: as it would have been recorded. */
  readonly rules: readonly CompiledRedactRule[];
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

/** Collects a script from the lines of a recording, in their order: those of one connection come as they were asked. */
export class ScriptReader {
  private readonly store = new SpokenStore();
  private readonly spoken: Spoken[] = [];
  /** By connection: the rows of what was queued since its MULTI. */
  private readonly transactions = new Map<number, number[]>();
  private readonly subscriptions: RecordedSubscription[] = [];
  private readonly logins: RecordedLogin[] = [];
  /** Connections that have logged in. */
  private readonly loggedIn = new Set<number>();
  private hasStrangers = false;
  private readonly names = new Map<number, string | null>();
  private readonly pushes: { connection: number; atUs: number; reply: Buffer }[] = [];
  private ranges: readonly SlotRange[] | null = null;
  private redisVersion: string | null = null;

  /** `text` is the line. */
  add(event: TrafficEvent, text: string): void {
    switch (event.type) {
      case 'command':
        if (event instanceof RecordedCommand) this.command(event, text);
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

  private command(event: RecordedCommand, text: string): void {
    const { connection } = event;
    const { name } = event.command;
    this.redisVersion ??= versionIn(event, name);
    this.login(event, name);
    if (/^[PS]?SUBSCRIBE$/.test(name)) this.subscriptions.push(...subscriptionsOf(event));
    const open = this.transactions.get(connection);
    if (name === 'MULTI') {
      if (open === undefined) this.transactions.set(connection, []);
    } else if (name === 'EXEC') {
      this.transactions.delete(connection);
      this.spoken.push(this.store.transaction(event, text, open ?? []));
    } else if (name === 'DISCARD') this.transactions.delete(connection);
    else if (open !== undefined) {
      if (name !== 'WATCH' && name !== 'UNWATCH') open.push(this.store.keep(event, text));
    } else if (!isHousekeeping(name) && wasAnswered(event))
      this.spoken.push(this.store.command(event, text));
  }

  private login(event: RecordedCommand, name: string): void {
    const { connection } = event;
    const login = recordedLogin(event);
    if (login !== null) {
      this.logins.push(login);
      if (login.refused === null) this.loggedIn.add(connection);
    } else if (name === 'RESET') this.loggedIn.delete(connection);
    else if (!this.loggedIn.has(connection) && !isHousekeeping(name)) {
      const isTurnedAway = event.reply.bytes.toString('latin1', 0, 7) === '-NOAUTH';
      this.hasStrangers ||= !isTurnedAway;
    }
  }

  /** To be called once, at the end; `rules` are those that the recording was made under. */
  script(rules: readonly CompiledRedactRule[] = []): Script {
    const { spoken, subscriptions, ranges, redisVersion } = this;
    spoken.sort((a, b) => a.seq - b.seq);
    subscriptions.sort((a, b) => a.atUs - b.atUs);
    this.deliver();
    const clients = [...this.names].map(([connection, name]) => ({ connection, name }));
    const { logins, hasStrangers } = this;
    const isLoginNeeded = logins.some(({ refused }) => refused === null) && !hasStrangers;
    return { spoken, clients, subscriptions, logins, isLoginNeeded, ranges, redisVersion, rules };
  }

  /** Gives each message to the subscription that it came of. */
  private deliver(): void {
    for (const { connection, atUs, reply } of this.pushes) {
      const channel = channelOf(reply);
      const of = this.subscriptions.findLast(
        (each) => each.connection === connection && each.channel === channel && each.atUs <= atUs,
      );
      if (of !== undefined && channel !== null)
        of.messages.push({ channel, afterUs: atUs - of.atUs, reply });
    }
  }
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
