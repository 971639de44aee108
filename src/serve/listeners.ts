/** SUBSCRIBE and its like: confirmations, and the recorded messages at their times after the subscription. */
import type { Command } from '../commands/command.js';
import type { RecordedSubscription } from '../recording/script.js';
import { bulkReply, integerReply, pushReply } from '../resp/build.js';
import { encodeReply, type RespVersion } from '../resp/encode.js';
import { decodeReply, type Reply } from '../resp/value.js';

const NULL: Reply = { type: 'null', spelling: '$' };

/** Hands each recorded subscription to one client, the last of a channel to all that come later. */
export class Subscriptions {
  private readonly byChannel = new Map<string, RecordedSubscription[]>();

  constructor(all: readonly RecordedSubscription[]) {
    for (const each of all) {
      const known = this.byChannel.get(each.channel);
      if (known === undefined) this.byChannel.set(each.channel, [each]);
      else known.push(each);
    }
  }

  /** Null for a channel that nobody subscribed to. */
  take(channel: string): RecordedSubscription | null {
    const left = this.byChannel.get(channel) ?? [];
    return (left.length > 1 ? left.shift() : left[0]) ?? null;
  }
}

/** What one client listens to. `write` gets bytes, `miss` the name of a channel that was not recorded. */
export class Listener {
  private readonly subscriptions: Subscriptions;
  private readonly write: (bytes: Buffer) => void;
  private readonly miss: (text: string) => void;
  private readonly channels = new Map<string, NodeJS.Timeout[]>();

  constructor(
    subscriptions: Subscriptions,
    write: (bytes: Buffer) => void,
    miss: (text: string) => void,
  ) {
    this.subscriptions = subscriptions;
    this.write = write;
    this.miss = miss;
  }

  /** Carries out a command of the family; false for any other. */
  take(command: Command, resp: RespVersion): boolean {
    const { name } = command;
    if (/^[PS]?SUBSCRIBE$/.test(name)) {
      for (let i = 1; i < command.argc; i++) this.subscribe(name, command.text(i), resp);
      return true;
    }
    if (!/^[PS]?UNSUBSCRIBE$/.test(name)) return false;
    const named = command.argv.slice(1).map((channel) => channel.toString('latin1'));
    const left = named.length > 0 ? named : [...this.channels.keys()];
    for (const channel of left) {
      this.stop(channel);
      this.confirm(name, channel, resp);
    }
    if (left.length === 0) this.confirm(name, null, resp);
    return true;
  }

  private subscribe(name: string, channel: string, resp: RespVersion): void {
    const found = this.subscriptions.take(channel);
    if (found === null) {
      this.miss(
        `no recorded subscription to ${JSON.stringify(channel).replace(/[^\x20-\x7e]/g, '?')}`,
      );
      return;
    }
    if (found.refused !== null) {
      this.write(found.refused);
      return;
    }
    this.stop(channel);
    const timers = found.messages.map(({ afterUs, reply }) =>
      setTimeout(() => this.write(asMessage(reply, resp)), afterUs / 1000),
    );
    this.channels.set(channel, timers);
    this.confirm(name, channel, resp);
  }

  private confirm(name: string, channel: string | null, resp: RespVersion): void {
    const reply = pushReply([
      bulkReply(name.toLowerCase()),
      channel === null ? NULL : bulkReply(channel),
      integerReply(this.channels.size),
    ]);
    this.write(encodeReply(reply, resp));
  }

  private stop(channel: string): void {
    for (const timer of this.channels.get(channel) ?? []) clearTimeout(timer);
    this.channels.delete(channel);
  }

  /** The client has gone. */
  close(): void {
    for (const channel of [...this.channels.keys()]) this.stop(channel);
  }
}

/** A message in the form of the client's version: a push on RESP3, an array on RESP2. */
function asMessage(reply: Buffer, resp: RespVersion): Buffer {
  const value = decodeReply(reply);
  return value?.type === '*' || value?.type === '>'
    ? encodeReply(pushReply(value.items), resp)
    : reply;
}
