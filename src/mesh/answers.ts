/** What the proxy itself says, to the byte (mesh page, 2.10, 9.1 and 14). Pure: clock and passwords are arguments. */
import type { Command } from '../commands/command.js';
import {
  encodeArrayHead,
  encodeBulk,
  encodeError,
  encodeInteger,
  type RespVersion,
} from '../resp/encode.js';
import type { EnvoyLevel } from './config.js';
import type { RefusalCode } from './decision.js';

/** The passwords that clients may log in with. */
export type Credentials = {
  readonly username: string | null;
  readonly passwords: readonly string[];
};

/** Since when an unknown command is answered in Redis's words; config page, A.9: "early 2025". */
const REDIS_STYLE_UNKNOWN_SINCE = 34;

/** The error a refused command gets, without its `-`. Names are echoed as they were sent, one character a byte. */
export function refusalText(
  code: RefusalCode,
  command: Command,
  envoy: EnvoyLevel,
  of = 0,
): string {
  const name = command.argc > 0 ? command.nameAsSent : '';
  const second = command.argc > 1 ? command.text(1) : '';
  switch (code) {
    case 'invalid-request':
      return 'invalid request';
    case 'unknown-command':
      return envoy >= REDIS_STYLE_UNKNOWN_SINCE
        ? `ERR unknown command '${name}', with args beginning with: ${second}`
        : `unsupported command '${name}'`;
    case 'noproto':
      return 'NOPROTO unsupported protocol version';
    case 'noauth':
      return 'NOAUTH Authentication required.';
    case 'wrong-arity':
      return `wrong number of arguments for '${name}' command`;
    case 'err-wrong-arity':
      return `ERR wrong number of arguments for '${name}' command`;
    case 'not-in-transaction':
      return `'${isLocalName(command) ? name.toLowerCase() : name}' command is not supported within transaction`;
    case 'nested-multi':
      return 'MULTI calls can not be nested';
    case 'exec-without-multi':
      return 'EXEC without MULTI';
    case 'discard-without-multi':
      return 'DISCARD without MULTI';
    case 'cluster-scope':
      return 'ERR unsupported cluster scope command or invalid arguments';
    case 'cluster-subcommand':
      return `ERR cluster subcommand '${second.toLowerCase()}' is not supported`;
    case 'client-subcommand':
      return `ERR CLIENT subcommand '${second}' is not supported by the proxy`;
    case 'client-arity':
      return `ERR wrong number of arguments for 'client|${second.toLowerCase()}' command`;
    case 'hello-options':
      return 'ERR HELLO options are not supported by the proxy';
    case 'shard-id-not-numeric':
      return 'ERR invalid shard_id - must be a numeric shard index';
    case 'shard-id-out-of-range':
      return `ERR shard_id ${second} out of range (0-${of - 1})`;
    case 'no-route':
    case 'no-host':
      return 'no upstream host';
    case 'subscribed':
      return `ERR Can't execute '${name.toLowerCase()}': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed in this context`;
    case 'one-server-only':
      return `ERR rmtop: ${command.name} acts on one server; send it to that server directly`;
    case 'shared-connection':
      return `ERR rmtop: ${command.name} would change a connection that other clients share`;
  }
}

function isLocalName(command: Command): boolean {
  const name = command.spec?.parent ?? command.spec?.name;
  return name === 'HELLO' || name === 'CLIENT';
}

/** TIME: seconds, then the whole epoch time in microseconds rather than the remainder that Redis gives. */
export function timeReply(epochUs: number): Buffer {
  return Buffer.concat([
    encodeArrayHead(2),
    encodeBulk(String(Math.floor(epochUs / 1e6))),
    encodeBulk(String(Math.floor(epochUs))),
  ]);
}

/** What a login attempt comes to: its reply, and whether the connection is authenticated after it (null: as before). */
export type AuthOutcome = { readonly reply: Buffer; readonly authenticated: boolean | null };

const OK = Buffer.from('+OK\r\n');
const NO_PAIR = 'ERR Client sent AUTH, but no username-password pair is set';
const WRONG_PAIR = 'WRONGPASS invalid username-password pair';

/** AUTH (9.1): three elements are a user and a password; any other number is the single-password form. */
export function authReply(command: Command, credentials: Credentials | null): AuthOutcome {
  const first = command.arg(1);
  if (command.argc !== 3) {
    if (credentials === null || credentials.passwords.length === 0) {
      return {
        reply: encodeError('ERR Client sent AUTH, but no password is set'),
        authenticated: null,
      };
    }
    return isPassword(first, credentials)
      ? { reply: OK, authenticated: true }
      : { reply: encodeError('ERR invalid password'), authenticated: false };
  }
  if (credentials === null) return { reply: encodeError(NO_PAIR), authenticated: null };
  return isPair(first, command.arg(2), credentials)
    ? { reply: OK, authenticated: true }
    : { reply: encodeError(WRONG_PAIR), authenticated: false };
}

// Compared as bytes: what a client sends need not be text, and may be more than a string can hold.

function isPair(user: Buffer, password: Buffer, credentials: Credentials): boolean {
  const names = credentials.username === null ? ['', 'default'] : [credentials.username];
  return names.some((name) => user.equals(Buffer.from(name))) && isPassword(password, credentials);
}

function isPassword(password: Buffer, { passwords }: Credentials): boolean {
  return passwords.some((each) => password.equals(Buffer.from(each)));
}

/** What HELLO comes to: the reply, and what it changes when it succeeded. */
export type HelloOutcome = {
  readonly reply: Buffer;
  readonly accepted: {
    readonly resp: RespVersion;
    readonly authenticated: boolean;
    readonly name: string | null;
  } | null;
};

type HelloOptions = { auth: { user: Buffer; password: Buffer } | null; name: string | null };

/**
 * HELLO (2.10), answered locally. `listener` is the version the listener speaks; null: either (`--open`).
 * Errors come in Envoy's order of checks; a failed HELLO changes nothing.
 */
export function helloReply(
  command: Command,
  current: RespVersion,
  listener: RespVersion | null,
  credentials: Credentials | null,
): HelloOutcome {
  const { session } = command;
  const version = command.argc > 1 ? command.text(1) : String(current);
  if ((version !== '2' && version !== '3') || (listener !== null && version !== String(listener))) {
    return refused('NOPROTO unsupported protocol version');
  }
  const options = helloOptions(command);
  if (typeof options === 'string') return refused(options);
  let { authenticated } = session;
  if (options.auth !== null) {
    if (credentials === null) return refused(NO_PAIR);
    if (!isPair(options.auth.user, options.auth.password, credentials)) return refused(WRONG_PAIR);
    authenticated = true;
  } else if (!authenticated) return refused('NOAUTH Authentication required.');
  const resp = version === '3' ? 3 : 2;
  return { reply: helloMap(resp), accepted: { resp, authenticated, name: options.name } };
}

function refused(text: string): HelloOutcome {
  return { reply: encodeError(text), accepted: null };
}

/** More of a client's name is not shown anywhere. */
const MOST_NAME_BYTES = 1024;

function helloOptions(command: Command): HelloOptions | string {
  const options: HelloOptions = { auth: null, name: null };
  for (let i = 2; i < command.argc; i++) {
    const word = command.text(i);
    if (word.toUpperCase() === 'AUTH') {
      if (i + 2 >= command.argc)
        return 'ERR Syntax error: HELLO AUTH requires <username> <password>';
      if (options.auth !== null) return 'ERR Syntax error: HELLO AUTH specified more than once';
      options.auth = {
        user: command.arg(i + 1),
        password: command.arg(i + 2),
      };
      i += 2;
    } else if (word.toUpperCase() === 'SETNAME') {
      if (i + 1 >= command.argc) return 'ERR Syntax error: HELLO SETNAME requires a <clientname>';
      if (options.name !== null) return 'ERR Syntax error: HELLO SETNAME specified more than once';
      options.name = command.arg(i + 1).toString('utf8', 0, MOST_NAME_BYTES);
      i += 1;
    } else return `ERR Syntax error: unknown HELLO option '${word}'`;
  }
  return options;
}

/** The seven pairs Envoy answers, as a map on RESP3 and a flat array on RESP2. */
function helloMap(resp: RespVersion): Buffer {
  return Buffer.concat([
    Buffer.from(resp === 3 ? '%7\r\n' : '*14\r\n'),
    ...['server', 'envoy-redis-proxy', 'version', '6.0.0', 'proto'].map(encodeBulk),
    encodeInteger(resp),
    encodeBulk('id'),
    encodeInteger(0),
    ...['mode', 'standalone', 'role', 'master', 'modules'].map(encodeBulk),
    encodeArrayHead(0),
  ]);
}
