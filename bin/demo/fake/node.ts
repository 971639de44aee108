/** One fake server: a port, its clients, and what becomes of a command: checked, sent elsewhere, queued or run. */
import { createServer, type Server, type Socket } from 'node:net';
import {
  Command,
  type CommandSpec,
  encodeReply,
  MORE_REQUESTS,
  REQUEST,
  REQUEST_FAILED,
  type Reply,
  RequestParser,
  slotOf,
} from 'rmtop';
import { blocking } from './blocking.js';
import { Call, type CommandTable, type NodeView, SENT } from './call.js';
import { Channels, channels, unsubscribeAll, WHILE_SUBSCRIBED } from './channels.js';
import { cluster } from './cluster.js';
import { connection } from './connection.js';
import { expiry } from './expiry.js';
import { hashes } from './hashes.js';
import { keys } from './keys.js';
import { lists } from './lists.js';
import { type Member, ownerOf } from './members.js';
import {
  error,
  notWhileSubscribed,
  OK,
  Refused,
  simple,
  unknownCommand,
  wrongArity,
} from './replies.js';
import { newSession, type Session } from './session.js';
import { sets } from './sets.js';
import { sortedSets } from './sorted-sets.js';
import type { Store } from './store.js';
import { strings } from './strings.js';
import { NOT_QUEUED, transactions } from './transactions.js';

/** Opens the port of a server, which serves nobody before `serve`: nodes must know all ports first. */
export async function listen(): Promise<Server> {
  const server = createServer({ noDelay: true });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  return server;
}

const TABLE: CommandTable = {
  ...strings,
  ...expiry,
  ...hashes,
  ...lists,
  ...sets,
  ...sortedSets,
  ...keys,
  ...connection,
  ...cluster,
  ...transactions,
  ...channels,
  ...blocking,
};

/** A fake server at work. */
export class FakeNode implements NodeView {
  readonly store: Store;
  readonly self: Member;
  readonly members: readonly Member[];
  readonly channels: Channels;
  readonly allChannels: readonly Channels[];
  private readonly server: Server;
  private readonly nowMs: () => number;
  private readonly sessions = new Map<Socket, Session>();
  private lastId = 0;

  /** `channels` are those of all members, in their order. */
  constructor(
    server: Server,
    store: Store,
    self: Member,
    members: readonly Member[],
    channels: readonly Channels[],
    nowMs: () => number,
  ) {
    this.server = server;
    this.store = store;
    this.self = self;
    this.members = members;
    this.channels = channels[members.indexOf(self)] ?? new Channels();
    this.allChannels = channels;
    this.nowMs = nowMs;
    server.on('connection', (socket) => this.accept(socket));
  }

  clients(): { readonly connected: number; readonly blocked: number } {
    const all = [...this.sessions.values()];
    const blocked = all.filter((session) => session.stopWaiting !== null).length;
    return { connected: all.length, blocked };
  }

  private accept(socket: Socket): void {
    const parser = new RequestParser();
    const read = (): void => {
      socket.cork(); // the replies to a pipeline leave together
      this.answerAll(parser, session);
      socket.uncork();
      if (session.ended) socket.end();
    };
    const session: Session = newSession(
      ++this.lastId,
      `${socket.remoteAddress}:${socket.remotePort}`,
      (reply) => socket.write(encode(reply, session.resp)),
      read,
    );
    this.sessions.set(socket, session);
    socket.on('error', () => {});
    socket.on('close', () => {
      this.sessions.delete(socket);
      session.stopWaiting?.();
      unsubscribeAll(session, this.channels);
    });
    socket.on('data', (chunk) => {
      parser.push(chunk);
      read();
    });
  }

  /** Answers everything that has arrived, up to a command that waits. */
  private answerAll(parser: RequestParser, session: Session): void {
    while (!session.ended && session.stopWaiting === null) {
      const found = parser.next();
      if (found === MORE_REQUESTS) return;
      if (found === REQUEST_FAILED) {
        session.send(error('ERR Protocol error'));
        session.ended = true;
      } else if (found === REQUEST) {
        const { frame, argc, argStart, argEnd } = parser;
        // Copied: a command that is queued or waits outlives the chunk it came in.
        const argv = Array.from({ length: argc }, (_, i) =>
          Buffer.from(frame.subarray(argStart[i], argEnd[i])),
        );
        const reply = this.take(Command.of(argv), session);
        if (reply !== SENT) session.send(reply);
      }
    }
  }

  /** Runs a command, or keeps it for EXEC. */
  private take(command: Command, session: Session): Reply | typeof SENT {
    try {
      this.check(command, session);
    } catch (thrown) {
      session.spoilt = true;
      return refusal(thrown);
    }
    if (session.queue === null || NOT_QUEUED.has(command.name))
      return this.run(command, session, false);
    session.queue.push(command.argv);
    return simple('QUEUED');
  }

  /** Throws for a command that is unknown, has the wrong number of words, or belongs on another node. */
  private check(command: Command, session: Session): void {
    const { spec, name, argc } = command;
    if (spec === undefined) throw new Refused(unknown(command));
    if (spec.arity < 0 ? argc < -spec.arity : argc !== spec.arity)
      throw new Refused(wrongArity(name));
    if (!(name in TABLE)) throw new Refused(unknown(command));
    if (session.resp === 2 && session.channels.size > 0 && !WHILE_SUBSCRIBED.has(name))
      throw new Refused(notWhileSubscribed(name));
    if (this.self.shard !== null) this.checkSlot(command, spec, session);
  }

  private checkSlot(command: Command, spec: CommandSpec, session: Session): void {
    const slots = new Set(command.keys.map((at) => slotOf(command.arg(at))));
    const [slot] = slots;
    if (slot === undefined) return;
    if (slots.size > 1) throw new Refused("CROSSSLOT Keys in request don't hash to the same slot");
    const owner = ownerOf(slot, this.members);
    const mayRead = session.readonly && !spec.writes && owner?.shard === this.self.shard;
    if (owner !== undefined && owner !== this.self && !mayRead)
      throw new Refused(`MOVED ${slot} 127.0.0.1:${owner.port}`);
  }

  runQueued(argv: readonly Buffer[], session: Session): Reply {
    const reply = this.run(Command.of(argv), session, true);
    return reply === SENT ? OK : reply;
  }

  private run(command: Command, session: Session, isQueued: boolean): Reply | typeof SENT {
    const words = command.argv.map((word) => word.toString('latin1'));
    const call = new Call(words, this, session, this.nowMs(), isQueued);
    try {
      return TABLE[command.name]?.(call) ?? OK;
    } catch (thrown) {
      return refusal(thrown);
    } finally {
      if (command.spec?.writes) for (const at of command.keys) this.store.wrote(words[at] ?? '');
    }
  }

  /** Closes the port and every connection. */
  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.server.close(resolve));
    for (const socket of this.sessions.keys()) socket.destroy();
    await closed;
  }
}

function unknown(command: Command): string {
  if (!command.name.includes(' '))
    return unknownCommand(command.argv.map((word) => word.toString('latin1')));
  const subcommand = command.arg(1).toString('latin1');
  return `ERR unknown subcommand '${subcommand}'. Try ${command.name.split(' ')[0]} HELP.`;
}

/** The error reply of a command that refused. Anything else is a mistake of ours, and told as one. */
function refusal(thrown: unknown): Reply {
  return error(thrown instanceof Refused ? thrown.message : `ERR rmtop's fake failed: ${thrown}`);
}

function encode(reply: Reply, resp: 2 | 3): Buffer {
  const isNullArray = reply.type === 'null' && reply.spelling === '*';
  return isNullArray && resp === 2 ? Buffer.from('*-1\r\n') : encodeReply(reply, resp);
}
