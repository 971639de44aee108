/**
 * `--open`: the subscriptions of one client. Classic and pattern ones are on one connection, those to sharded channels on one for each
 * server that owns some. Counts in acknowledgements are the client's, not those of one of its connections.
 */
import type { Hop } from '../mesh/decision.js';
import { encodeReply, type RespVersion } from '../resp/encode.js';
import type { ReplyReader } from '../resp/reply.js';
import { decodeReply, type Reply, textOf } from '../resp/value.js';
import type { Downstream } from './downstream.js';
import type { Exchange } from './exchange.js';
import type { UpstreamConnection } from './upstream.js';

/** SUBSCRIBE, PSUBSCRIBE, SSUBSCRIBE: each has its own names. */
type Space = 'subscribe' | 'psubscribe' | 'ssubscribe';

const MINUS = 0x2d;

export class Subscriptions {
  private readonly client: Downstream;
  private readonly connections = new Map<string, UpstreamConnection>();
  private readonly names: Readonly<Record<Space, Set<string>>> = {
    subscribe: new Set(),
    psubscribe: new Set(),
    ssubscribe: new Set(),
  };
  /** The command whose acknowledgements are coming: there is one at a time, for they run alone. */
  private running: { exchange: Exchange; left: number; acknowledged: Buffer[] } | null = null;
  private closing = false;

  constructor(client: Downstream) {
    this.client = client;
  }

  /** Sends a (P|S)SUBSCRIBE or (P|S)UNSUBSCRIBE; its reply is one acknowledgement a name. */
  run(exchange: Exchange, name: string, to: Hop): void {
    const space = spaceOf(name.toLowerCase());
    const named = this.argumentsOf(exchange);
    const left = named > 0 ? named : Math.max(1, this.names[space].size);
    this.running = { exchange, left, acknowledged: [] };
    exchange.sendOn(this.connectionTo(to, space === 'ssubscribe', exchange.session.resp));
  }

  private argumentsOf(exchange: Exchange): number {
    const request = decodeReply(exchange.frame, exchange.start, exchange.end);
    return request?.type === '*' ? request.items.length - 1 : 0;
  }

  private connectionTo(to: Hop, isSharded: boolean, resp: RespVersion): UpstreamConnection {
    const key = isSharded ? to.address : 'classic';
    const found = this.connections.get(key);
    if (found !== undefined) return found;
    const connection = this.client.core.pool.openOwn(to, {
      resp,
      opTimeoutMs: 0,
      onPush: (reader, from) => this.heard(reader, from),
      onClosed: () => {
        this.connections.delete(key);
        const isLost = this.client.session.subscribed && !this.closing;
        // Messages have been missed from now on, which the client must know: it subscribes again when it reconnects.
        if (isLost) this.client.broken('the server of its subscriptions closed the connection');
      },
    });
    this.connections.set(key, connection);
    return connection;
  }

  /** A frame on a subscription's connection; false: an error, which is the reply to what was asked. */
  private heard(reader: ReplyReader, connection: UpstreamConnection): boolean {
    if (reader.type === MINUS) {
      this.running = null;
      return false;
    }
    const frame = decodeReply(Buffer.from(reader.buf.subarray(reader.start, reader.end)));
    const items = frame?.type === '*' || frame?.type === '>' ? frame.items : null;
    const kind = items?.[0] === undefined ? '' : (textOf(items[0])?.toString() ?? '');
    if (items === null || !/subscribe$/.test(kind)) {
      if (frame !== null) this.client.replies.push(encodeReply(frame, this.client.session.resp));
      return true;
    }
    const bytes = this.acknowledgement(kind, items);
    const { running } = this;
    if (running === null) {
      this.client.replies.push(bytes); // a sharded channel whose slot has moved away
      return true;
    }
    running.acknowledged.push(bytes);
    if (--running.left > 0) return true;
    this.running = null;
    connection.waiting.shift();
    running.exchange.doneAtUs = connection.readAtUs;
    const all = Buffer.concat(running.acknowledged);
    this.client.replies.deliver(running.exchange, all, 0, all.length);
    return true;
  }

  /** Counts a name in or out, and says so with the count of all of this client's. */
  private acknowledgement(kind: string, items: readonly Reply[]): Buffer {
    const name = items[1] === undefined ? null : textOf(items[1]);
    const space = spaceOf(kind);
    if (name !== null) {
      if (kind === space) this.names[space].add(name.toString('latin1'));
      else this.names[space].delete(name.toString('latin1'));
    }
    const { session } = this.client;
    this.client.session = { ...session, subscribed: this.total() > 0 };
    return this.acknowledge(kind, items[1] ?? NOTHING, session.resp);
  }

  private acknowledge(kind: string, name: Reply, resp: RespVersion): Buffer {
    const { subscribe, psubscribe, ssubscribe } = this.names;
    const count =
      spaceOf(kind) === 'ssubscribe' ? ssubscribe.size : subscribe.size + psubscribe.size;
    const items: Reply[] = [
      { type: '$', value: Buffer.from(kind) },
      name,
      { type: ':', value: String(count) },
    ];
    return encodeReply({ type: '>', items }, resp);
  }

  /** Channels, patterns and sharded channels. */
  get count(): number {
    return this.total();
  }

  private total(): number {
    const { subscribe, psubscribe, ssubscribe } = this.names;
    return subscribe.size + psubscribe.size + ssubscribe.size;
  }

  /** Ends all of one kind (`sunsubscribe`) by leaving their servers; the acknowledgements are ours. */
  endAll(kind: string): Buffer {
    const space = spaceOf(kind);
    const names = [...this.names[space]];
    const { resp } = this.client.session;
    if (names.length === 0) return this.acknowledge(kind, NOTHING, resp);
    this.closing = true;
    for (const [key, connection] of [...this.connections]) {
      if ((space === 'ssubscribe') !== (key === 'classic'))
        connection.close({ code: 'closed', address: connection.options.address });
    }
    this.closing = false;
    const acknowledged = names.map((name) => {
      this.names[space].delete(name);
      return this.acknowledge(kind, { type: '$', value: Buffer.from(name, 'latin1') }, resp);
    });
    this.client.session = { ...this.client.session, subscribed: this.total() > 0 };
    return Buffer.concat(acknowledged);
  }

  close(): void {
    this.closing = true;
    for (const connection of [...this.connections.values()])
      connection.close({ code: 'closed', address: connection.options.address });
    for (const names of Object.values(this.names)) names.clear();
    this.running = null;
    this.closing = false;
  }
}

const NOTHING: Reply = { type: 'null', spelling: '$' };

function spaceOf(kind: string): Space {
  if (kind.startsWith('p')) return 'psubscribe';
  return kind === 'ssubscribe' || kind === 'sunsubscribe' ? 'ssubscribe' : 'subscribe';
}
