/** SUBSCRIBE, UNSUBSCRIBE, PUBLISH; patterns and sharded channels the fake does not know. */
import { type Call, type CommandTable, SENT } from './call.js';
import { bulk, bulkOrNull, int, pushed } from './replies.js';
import type { Session } from './session.js';

/** Who listens to what on one node. */
export class Channels {
  private readonly listeners = new Map<string, Set<Session>>();

  add(channel: string, session: Session): void {
    const known = this.listeners.get(channel);
    if (known === undefined) this.listeners.set(channel, new Set([session]));
    else known.add(session);
  }

  remove(channel: string, session: Session): void {
    const known = this.listeners.get(channel);
    known?.delete(session);
    if (known?.size === 0) this.listeners.delete(channel);
  }

  /** Gives how many got it. */
  deliver(channel: string, message: string): number {
    const listeners = [...(this.listeners.get(channel) ?? [])];
    for (const session of listeners)
      session.send(pushed([bulk('message'), bulk(channel), bulk(message)]));
    return listeners.length;
  }
}

/** What a RESP2 client may still send while it is subscribed. */
export const WHILE_SUBSCRIBED: ReadonlySet<string> = new Set([
  'SUBSCRIBE',
  'UNSUBSCRIBE',
  'PING',
  'QUIT',
  'RESET',
]);

/** The commands, by name. */
export const channels: CommandTable = {
  SUBSCRIBE: (call) => {
    for (const channel of call.from(1)) {
      call.session.channels.add(channel);
      call.node.channels.add(channel, call.session);
      confirm(call, 'subscribe', channel);
    }
    return SENT;
  },
  UNSUBSCRIBE: (call) => {
    const named = call.from(1);
    const left = named.length > 0 ? named : [...call.session.channels];
    for (const channel of left) {
      call.session.channels.delete(channel);
      call.node.channels.remove(channel, call.session);
      confirm(call, 'unsubscribe', channel);
    }
    if (left.length === 0) confirm(call, 'unsubscribe', null);
    return SENT;
  },
  // The whole cluster hears it; what is counted is who did on this node.
  PUBLISH: ({ node, words: [, channel = '', message = ''] }) => {
    const counts = node.allChannels.map((each) => each.deliver(channel, message));
    return int(counts[node.allChannels.indexOf(node.channels)] ?? 0);
  },
};

function confirm(call: Call, what: string, channel: string | null): void {
  const count = int(call.session.channels.size);
  call.session.send(pushed([bulk(what), bulkOrNull(channel), count]));
}

/** A client has gone. */
export function unsubscribeAll(session: Session, from: Channels): void {
  for (const channel of session.channels) from.remove(channel, session);
  session.channels.clear();
}
