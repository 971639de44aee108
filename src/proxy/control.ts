/** A connection of rmtop's own to one server, for the few commands it asks itself: CLUSTER SLOTS, PING. RESP2, by redis-parser. */
import type { Socket } from 'node:net';
import RedisParser from 'redis-parser';
import type { Cause } from '../events/event.js';
import { encodeRequest } from '../resp/encode.js';
import { type Access, causeOf, dial, refusalText } from './dial.js';

/** An answer: a value, an error the server sent, or no answer at all. */
export type ControlReply =
  | { readonly kind: 'value'; readonly value: unknown }
  | { readonly kind: 'error'; readonly text: string }
  | { readonly kind: 'failed'; readonly cause: Cause };

type Asked = { readonly resolve: (reply: ControlReply) => void; readonly timer: NodeJS.Timeout };

export class ControlConnection {
  readonly address: string;
  closed = false;
  /** What the server said to the login, where it refused it. */
  loginRefusal: string | null = null;
  private readonly socket: Socket;
  private readonly asked: Asked[] = [];
  private readonly connectTimer: NodeJS.Timeout;

  /** Connects to `dialled`, which is announced as `address`, and logs in. */
  constructor(address: string, dialled: string, access: Access, connectTimeoutMs: number) {
    this.address = address;
    this.socket = dial(dialled, access.tls, null);
    const parser = new RedisParser({
      returnReply: (value: unknown) => this.answered({ kind: 'value', value }),
      returnError: (error: Error) => this.answered({ kind: 'error', text: error.message }),
      returnFatalError: () => this.fail({ code: 'protocol', address, detail: 'not RESP2' }),
    });
    this.socket.on('data', (chunk: Buffer) => parser.execute(chunk));
    this.socket.on(access.tls === null ? 'connect' : 'secureConnect', () =>
      clearTimeout(this.connectTimer),
    );
    this.socket.on('error', (error) => this.fail(causeOf(error, address, access.tls !== null)));
    this.socket.on('close', () => this.fail({ code: 'closed', address }));
    this.connectTimer = setTimeout(
      () => this.fail({ code: 'connect-timeout', address, afterMs: connectTimeoutMs }),
      connectTimeoutMs,
    );
    if (access.login !== null) {
      const { login } = access;
      void this.ask(
        ['auth', ...(login.username === null ? [] : [login.username]), login.password],
        connectTimeoutMs,
      ).then((reply) => {
        if (reply.kind === 'error') this.loginRefusal = refusalText(reply.text, login);
      });
    }
  }

  /** Asks one command. It never rejects; after a failure or a timeout the connection is closed. */
  ask(argv: readonly (Buffer | string)[], timeoutMs: number): Promise<ControlReply> {
    if (this.closed)
      return Promise.resolve({ kind: 'failed', cause: { code: 'closed', address: this.address } });
    return new Promise((resolve) => {
      const timer = setTimeout(
        () => this.fail({ code: 'op-timeout', address: this.address, afterMs: timeoutMs }),
        timeoutMs,
      );
      this.asked.push({ resolve, timer });
      this.socket.write(encodeRequest(argv));
    });
  }

  private answered(reply: ControlReply): void {
    const asked = this.asked.shift();
    if (asked === undefined) return;
    clearTimeout(asked.timer);
    asked.resolve(reply);
  }

  private fail(cause: Cause): void {
    this.closed = true;
    clearTimeout(this.connectTimer);
    this.socket.destroy();
    for (let asked = this.asked.shift(); asked !== undefined; asked = this.asked.shift()) {
      clearTimeout(asked.timer);
      asked.resolve({ kind: 'failed', cause });
    }
  }

  close(): void {
    this.fail({ code: 'shutdown', address: this.address });
  }
}
