/** Gives the answers that the proxy makes itself, and changes the session where they do (login, version, name). */
import type { Command } from '../commands/command.js';
import { authReply, helloReply, timeReply } from '../mesh/answers.js';
import type { LocalReply } from '../mesh/decision.js';
import { encodeArrayHead, encodeBulk, encodeInteger, encodeNull } from '../resp/encode.js';
import type { Downstream } from './downstream.js';
import type { Exchange } from './exchange.js';

const OK = Buffer.from('+OK\r\n');
const PONG = Buffer.from('+PONG\r\n');
const QUEUED = Buffer.from('+QUEUED\r\n');
const EMPTY_ARRAY = Buffer.from('*0\r\n');
const RESET = Buffer.from('+RESET\r\n');

/** Answers `exchange` with `reply`. */
export function answer(exchange: Exchange, command: Command, reply: LocalReply): void {
  const bytes = bytesOf(exchange, command, reply);
  exchange.client.replies.deliver(exchange, bytes, 0, bytes.length);
  if (reply === 'quit') exchange.client.quit();
}

function bytesOf(exchange: Exchange, command: Command, reply: LocalReply): Buffer {
  const { client, core } = exchange;
  switch (reply) {
    case 'ok':
      if (command.name === 'CLIENT SETNAME') rename(client, command.arg(2).toString(), null);
      else if (command.name === 'CLIENT SETINFO') setInfo(client, command);
      return OK;
    case 'pong':
      return client.session.subscribed && client.session.resp === 2
        ? subscribedPong(command)
        : PONG;
    case 'echo':
      return encodeBulk(command.arg(1));
    case 'time':
      return timeReply((performance.timeOrigin + performance.now()) * 1000);
    case 'quit':
      return OK;
    case 'queued':
      return QUEUED;
    case 'empty-array':
      return EMPTY_ARRAY;
    case 'auth': {
      const outcome = authReply(command, core.credentials);
      if (outcome.authenticated !== null)
        client.session = { ...client.session, authenticated: outcome.authenticated };
      return outcome.reply;
    }
    case 'hello':
      return hello(client, command);
    case 'client-name':
      return client.name === null ? encodeNull(client.session.resp) : encodeBulk(client.name);
    case 'client-id':
      return encodeInteger(client.id);
    case 'reset':
      client.own.close();
      client.session = {
        ...client.session,
        resp: 2,
        multi: false,
        transactionKey: null,
        pinned: null,
        subscribed: false,
        home: null,
      };
      return RESET;
    case 'unsubscribed':
      return client.own.unsubscribeAll(command.name.toLowerCase());
  }
}

function hello(client: Downstream, command: Command): Buffer {
  const { settings, open } = client.core.config;
  const outcome = helloReply(
    command,
    client.session.resp,
    open ? null : settings.protocolVersion,
    client.core.credentials,
  );
  if (outcome.accepted !== null) {
    const { resp, authenticated, name } = outcome.accepted;
    client.session = { ...client.session, resp, authenticated };
    rename(client, name ?? client.name, client.library);
  }
  return outcome.reply;
}

function rename(client: Downstream, name: string | null, library: string | null): void {
  client.name = name;
  client.library = library ?? client.library;
  client.announce('changed');
}

/** CLIENT SETINFO LIB-NAME x, then LIB-VER y: shown as `x y`. */
function setInfo(client: Downstream, command: Command): void {
  const value = command.arg(3).toString();
  const isVersion = command.arg(2).toString('latin1').toUpperCase() === 'LIB-VER';
  rename(client, client.name, isVersion ? `${client.library ?? '?'} ${value}` : value);
}

/** In RESP2, a subscriber's PING is answered in the form of its messages. */
function subscribedPong(command: Command): Buffer {
  return Buffer.concat([
    encodeArrayHead(2),
    encodeBulk('pong'),
    encodeBulk(command.argc > 1 ? command.arg(1) : ''),
  ]);
}
