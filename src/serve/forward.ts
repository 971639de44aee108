/** Where misses go when they are forwarded: through a proxy of our own, so that a cluster's replies come from the right node. */
import { connect } from 'node:net';
import { REPLY, ReplyReader } from '../resp/reply.js';

/** A connection for one client. */
export type ForwardLink = { send(bytes: Buffer): void; close(): void };

/** Connects to `port` of this machine: `reply` is called with each reply in order, `closed` once. */
export function openLink(
  port: number,
  reply: (bytes: Buffer) => void,
  closed: (why: string) => void,
): ForwardLink {
  const socket = connect({ host: '127.0.0.1', port, noDelay: true });
  const reader = new ReplyReader();
  let why = 'closed';
  socket.on('data', (chunk: Buffer) => {
    reader.push(chunk);
    while (reader.next(false) === REPLY)
      reply(Buffer.from(reader.buf.subarray(reader.start, reader.end)));
  });
  socket.on('error', (error) => {
    why = error.message;
  });
  socket.on('close', () => closed(why));
  return {
    send: (bytes) => void socket.write(bytes),
    close: () => void socket.destroy(),
  };
}
