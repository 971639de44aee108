/**
 * Connections that belong to one client: the transaction's, and with `--open` those on which it blocks, subscribes or monitors.
 *
 * They die with the client; when the transaction's dies first, the transaction is over.
 */
import type { Hop, Part } from '../mesh/decision.js';
import { encodeRequest, type RespVersion } from '../resp/encode.js';
import type { Downstream } from './downstream.js';
import { type Exchange, NO_UPSTREAM_HOST } from './exchange.js';
import type { Leg } from './leg.js';
import { Subscriptions } from './subscriptions.js';
import { NOBODY, type UpstreamConnection } from './upstream.js';

const MULTI = encodeRequest(['MULTI']);
const PING = encodeRequest(['PING']);
const PLUS = 0x2b;

export class OwnConnections {
  private readonly client: Downstream;
  private transaction: UpstreamConnection | null = null;
  /** By upstream: where this client's transaction is copied to. */
  private readonly mirrored = new Map<string, UpstreamConnection>();
  /** By address and RESP version: where commands of this client may block. */
  private readonly blocking = new Map<string, UpstreamConnection>();
  private readonly others = new Set<UpstreamConnection>();
  private readonly subscriptions: Subscriptions;

  constructor(client: Downstream) {
    this.client = client;
    this.subscriptions = new Subscriptions(client);
  }

  /** Channels and patterns that the client has subscribed to. */
  get channels(): number {
    return this.subscriptions.count;
  }

  /** The transaction's connection, opened at its first keyed command; with `multi`, MULTI is said on it first and its OK kept back. */
  forTransaction(to: Hop, multi: boolean): UpstreamConnection {
    if (this.transaction !== null) return this.transaction;
    const { client } = this;
    const { opTimeoutMs } = client.core.config.settings;
    const connection = client.core.pool.openOwn(to, {
      resp: client.session.resp,
      opTimeoutMs,
      onClosed: (closed) => {
        if (this.transaction !== closed) return;
        this.transaction = null;
        client.session = { ...client.session, multi: false, transactionKey: null, pinned: null };
      },
    });
    this.transaction = connection;
    client.session = { ...client.session, pinned: to.address };
    if (multi) connection.send(NOBODY, MULTI, 0, MULTI.length);
    return connection;
  }

  /** The connection of a transaction's copy to one mirror; as `forTransaction`. */
  forMirror(to: Hop, multi: boolean): UpstreamConnection {
    const known = this.mirrored.get(to.upstream);
    if (known !== undefined) return known;
    const { client } = this;
    const { opTimeoutMs } = client.core.config.settings;
    const connection = client.core.pool.openOwn(to, {
      resp: client.session.resp,
      opTimeoutMs,
      onClosed: (closed) => {
        if (this.mirrored.get(to.upstream) === closed) this.mirrored.delete(to.upstream);
      },
    });
    this.mirrored.set(to.upstream, connection);
    if (multi) connection.send(NOBODY, MULTI, 0, MULTI.length);
    return connection;
  }

  /** The transaction is over at the mirrors as well. */
  endMirrors(): void {
    const connections = [...this.mirrored.values()];
    this.mirrored.clear();
    for (const connection of connections) connection.drain();
  }

  /** EXEC or DISCARD has been sent: its reply is the last on this connection. */
  endTransaction(): void {
    const connection = this.transaction;
    this.transaction = null;
    connection?.drain();
  }

  /** A connection for one large request. */
  open(to: Hop, resp: RespVersion, opTimeoutMs: number): UpstreamConnection {
    const connection = this.client.core.pool.openOwn(to, {
      resp,
      opTimeoutMs,
      onClosed: (closed) => this.others.delete(closed),
    });
    this.others.add(connection);
    return connection;
  }

  /** Runs a command that may wait or speaks unasked; the client's other commands wait meanwhile. */
  run(exchange: Exchange, name: string, part: Part): void {
    if (part.to === null) {
      exchange.client.replies.deliver(exchange, NO_UPSTREAM_HOST, 0, NO_UPSTREAM_HOST.length);
    } else if (part.via === 'subscription') this.subscriptions.run(exchange, name, part.to);
    else if (part.via === 'monitor') this.monitor(exchange, part.to);
    else exchange.sendOn(this.blockingOn(part.to, exchange.session.resp));
  }

  /**
   * One server's share of WAIT. The server waits for the writes up to this connection's last command, so it gets one first: the
   * writes themselves went on the shared connection.
   */
  runShare(share: Leg, to: Hop, resp: RespVersion): void {
    const connection = this.blockingOn(to, resp);
    connection.send(NOBODY, PING, 0, PING.length);
    share.sendOn(connection);
  }

  private blockingOn(to: Hop, resp: RespVersion): UpstreamConnection {
    const key = `${resp} ${to.address}`;
    const found = this.blocking.get(key);
    if (found !== undefined) return found;
    const connection = this.client.core.pool.openOwn(to, {
      resp,
      opTimeoutMs: 0,
      onClosed: () => this.blocking.delete(key),
    });
    this.blocking.set(key, connection);
    return connection;
  }

  private monitor(exchange: Exchange, to: Hop): void {
    const { client } = this;
    const connection = client.core.pool.openOwn(to, {
      resp: 2,
      opTimeoutMs: 0,
      onPush: (reader, { waiting }) => {
        if (waiting.length > 0 || reader.type !== PLUS) return false;
        client.replies.push(Buffer.from(reader.buf.subarray(reader.start, reader.end)));
        return true;
      },
      onClosed: (closed) => {
        if (this.others.delete(closed)) client.broken('the server ended MONITOR');
      },
    });
    this.others.add(connection);
    exchange.sendOn(connection);
  }

  /** UNSUBSCRIBE and its like, where there is nothing on a server to end, or everything is. */
  unsubscribeAll(kind: string): Buffer {
    return this.subscriptions.endAll(kind);
  }

  close(): void {
    const all = [
      ...this.blocking.values(),
      ...this.others,
      ...this.mirrored.values(),
      ...(this.transaction === null ? [] : [this.transaction]),
    ];
    this.transaction = null;
    this.blocking.clear();
    this.others.clear();
    this.mirrored.clear();
    this.subscriptions.close();
    for (const connection of all)
      connection.close({
        code: 'closed',
        address: connection.options.address,
        detail: 'the client left',
      });
  }
}
