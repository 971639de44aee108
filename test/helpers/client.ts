/** A client that speaks RESP and nothing else: what goes out and what comes in are bytes the test sees. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { encodeRequest } from '../../src/resp/encode.js';
import { REPLY, ReplyReader } from '../../src/resp/reply.js';

export class TestClient {
  readonly socket: Socket;
  /** Settles when the connection is closed by either side. */
  readonly closed: Promise<void>;
  private readonly reader = new ReplyReader();
  private readonly replies: string[] = [];
  private readonly waiting: ((reply: string) => void)[] = [];
  private isClosed = false;

  private constructor(socket: Socket) {
    this.socket = socket;
    this.closed = new Promise((resolve) => {
      socket.on('close', () => {
        this.isClosed = true;
        for (const wait of this.waiting.splice(0)) wait('(closed)');
        resolve();
      });
    });
    socket.on('error', () => {});
    socket.on('data', (chunk) => this.read(chunk));
  }

  /** Connects to `port` of this machine. */
  static async connect(port: number): Promise<TestClient> {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    await once(socket, 'connect');
    return new TestClient(socket);
  }

  private read(chunk: Buffer): void {
    this.reader.push(chunk);
    while (this.reader.next(false) === REPLY) {
      const reply = this.reader.buf.toString('latin1', this.reader.start, this.reader.end);
      const wait = this.waiting.shift();
      if (wait === undefined) this.replies.push(reply);
      else wait(reply);
    }
  }

  /** Writes bytes as they are. */
  write(bytes: string | Buffer): void {
    this.socket.write(bytes);
  }

  /** The next reply, as the text of its bytes (latin1); `(closed)` when none will come. */
  next(): Promise<string> {
    const reply = this.replies.shift();
    if (reply !== undefined) return Promise.resolve(reply);
    if (this.isClosed) return Promise.resolve('(closed)');
    return new Promise((resolve) => {
      this.waiting.push(resolve);
    });
  }

  /** Sends one command and gives its reply. */
  ask(...argv: (string | Buffer)[]): Promise<string> {
    this.write(encodeRequest(argv));
    return this.next();
  }

  /** Sends all in one write, and gives the replies. */
  async pipeline(commands: readonly (readonly (string | Buffer)[])[]): Promise<string[]> {
    this.write(Buffer.concat(commands.map(encodeRequest)));
    const replies: string[] = [];
    for (let i = 0; i < commands.length; i++) replies.push(await this.next());
    return replies;
  }

  close(): void {
    this.socket.destroy();
  }
}

/** `$3\r\nabc\r\n` for 'abc'. */
export function bulk(text: string): string {
  return `$${Buffer.byteLength(text)}\r\n${text}\r\n`;
}
