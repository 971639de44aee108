/** Sockets that requests go out on and replies come back in order: of a replay, and of misses that are forwarded. */
import { connect, type Socket } from 'node:net';
import { messageOf } from '../errors.js';
import type { ReplayLink } from '../recording/replay.js';
import { REPLY, ReplyReader } from '../resp/reply.js';

/** Where a connection leads, and what it says first. */
export type LinkTarget = {
  readonly host: string;
  readonly port: number;
  /** One command whose reply belongs to nobody; null: none. */
  readonly greeting: Buffer | null;
};

/** Connects to `target`. `opened` is told the local port, before anything is sent. */
export function dialSocket(
  { host, port, greeting }: LinkTarget,
  opened: (localPort: number) => void,
  reply: (bytes: Buffer) => void,
  closed: (why: string) => void,
): ReplayLink {
  const socket = connect({ host, port, noDelay: true });
  const reader = new ReplyReader();
  let isOver = false;
  let isSubscribed = false;
  let isGreeted = greeting === null;
  const over = (why: string): void => {
    if (isOver) return;
    isOver = true;
    closed(why);
  };
  socket.once('connect', () => opened(socket.localPort ?? 0));
  socket.on('data', (chunk) => {
    reader.push(chunk);
    while (!isOver && reader.next(false) === REPLY) {
      const bytes = Buffer.from(reader.buf.subarray(reader.start, reader.end));
      if (isPush(bytes, isSubscribed)) continue;
      if (isGreeted) reply(bytes);
      isGreeted = true;
    }
  });
  socket.once('error', (error) => over(messageOf(error)));
  socket.once('close', () => over('closed'));
  if (greeting !== null) socket.write(greeting);
  return {
    send(bytes) {
      isSubscribed ||= /SUBSCRIBE/i.test(bytes.toString('latin1', 0, 4096));
      socket.write(bytes);
    },
    close() {
      isOver = true;
      end(socket);
    },
  };
}

/** What is written still goes out. */
function end(socket: Socket): void {
  socket.end();
  socket.resume();
}

const MESSAGE = /^\*[34]\r\n\$\d\r\n[ps]?message\r\n/;

/** A message, which answers no command. On RESP2 it is an array like any other, so it is one only where something was subscribed. */
function isPush(bytes: Buffer, isSubscribed: boolean): boolean {
  return bytes[0] === 0x3e || (isSubscribed && MESSAGE.test(bytes.toString('latin1', 0, 32)));
}
