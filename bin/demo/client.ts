/** A Redis client of a page: batches of commands out in one write, their replies counted in. */
import { connect, type Socket } from 'node:net';
import { encodeRequest, REPLY, ReplyReader, RmtopError } from 'rmtop';

/** Commands that are sent at once, each a list of words. */
export type Batch = readonly (readonly string[])[];

type Waiting = { left: number; readonly resolve: () => void; readonly reject: (e: Error) => void };

/** One connection. It neither reads replies nor connects again: its owner does what is to be done. */
export class DemoClient {
  private readonly socket: Socket;
  private readonly reader = new ReplyReader();
  private waiting: Waiting | null = null;

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (chunk) => this.read(chunk));
    socket.on('close', () =>
      this.waiting?.reject(new RmtopError('UPSTREAM_UNREACHABLE', 'the connection was closed')),
    );
  }

  /** Rejects when nobody listens there, or `signal` says that it is over; that also closes a connection. */
  static connect(host: string, port: number, signal: AbortSignal): Promise<DemoClient> {
    return new Promise((resolve, reject) => {
      const socket = connect({ host, port, noDelay: true });
      socket.once('connect', () => resolve(new DemoClient(socket)));
      socket.on('error', reject); // after the connection it is told by 'close'
      const end = (): void => void socket.destroy();
      signal.addEventListener('abort', end, { once: true });
      socket.once('close', () => signal.removeEventListener('abort', end));
      if (signal.aborted) end();
    });
  }

  /** Sends `batch` and waits for as many replies; rejects when the connection ends before. One batch at a time. */
  send(batch: Batch): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.socket.destroyed) {
        reject(new RmtopError('UPSTREAM_UNREACHABLE', 'the connection was closed'));
        return;
      }
      this.waiting = { left: batch.length, resolve, reject };
      this.socket.write(Buffer.concat(batch.map(encodeRequest)));
    });
  }

  private read(chunk: Buffer): void {
    this.reader.push(chunk);
    while (this.reader.next(false) === REPLY) {
      const { waiting } = this;
      if (waiting === null || --waiting.left > 0) continue;
      this.waiting = null;
      waiting.resolve();
    }
  }

  close(): void {
    this.socket.destroy();
  }
}
