/**
 * A server that answers from a function, for what a real one cannot be made to do: odd redirects, torn frames, silence.
 *
 * It records what it heard, a line of words a request.
 */
import { createServer, type Server, type Socket } from 'node:net';
import type { TestContext } from 'node:test';
import { REQUEST, RequestParser } from '../../src/resp/request.js';

/** What to do with a request: bytes to send, or null for silence. */
export type Answer = (argv: string[], socket: Socket) => string | Buffer | null;

export type FakeRedis = {
  readonly port: number;
  readonly address: string;
  readonly heard: string[][];
  readonly sockets: Set<Socket>;
  answer: Answer;
  close(): Promise<void>;
};

/** Starts one; closed with the test. */
export async function fakeRedis(t: TestContext, answer: Answer): Promise<FakeRedis> {
  const sockets = new Set<Socket>();
  const heard: string[][] = [];
  const server: Server = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
    const parser = new RequestParser();
    socket.on('data', (chunk) => {
      parser.push(chunk);
      for (let found = parser.next(); found !== 0; found = parser.next()) {
        if (found !== REQUEST) continue;
        const { frame, argc, argStart, argEnd } = parser;
        const argv = Array.from({ length: argc }, (_, i) =>
          frame.toString('latin1', argStart[i], argEnd[i]),
        );
        heard.push(argv);
        const reply = fake.answer(argv, socket);
        if (reply !== null && !socket.destroyed) socket.write(reply);
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const bound = server.address();
  const port = bound !== null && typeof bound === 'object' ? bound.port : 0;
  const close = async (): Promise<void> => {
    for (const socket of sockets) socket.destroy();
    if (server.listening) await new Promise((resolve) => server.close(resolve));
  };
  t.after(close);
  const fake: FakeRedis = { port, address: `127.0.0.1:${port}`, heard, sockets, answer, close };
  return fake;
}

/** The CLUSTER SLOTS reply that deals the slots evenly to shards, each `[primary, ...replicas]` by port. */
export function clusterSlots(shards: readonly (readonly number[])[]): string {
  const lines = shards.map((ports, i) => {
    const from = Math.round((16384 * i) / shards.length);
    const to = Math.round((16384 * (i + 1)) / shards.length) - 1;
    const nodes = ports.map((port) => `*2\r\n$9\r\n127.0.0.1\r\n:${port}\r\n`).join('');
    return `*${2 + ports.length}\r\n:${from}\r\n:${to}\r\n${nodes}`;
  });
  return `*${shards.length}\r\n${lines.join('')}`;
}

/** Answers CLUSTER SLOTS with `slots()` and all else with `answer`. */
export function clusterNode(slots: () => string, answer: Answer): Answer {
  return (argv, socket) => {
    const command = argv.map((word) => word.toUpperCase()).join(' ');
    if (command === 'CLUSTER SLOTS') return slots();
    if (command === 'PING') return '+PONG\r\n';
    return answer(argv, socket);
  };
}
