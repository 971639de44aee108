/** How servers are reached: the address map, TLS and logins of each upstream. Secrets are here, not in the configuration. */
import { connect, type Socket } from 'node:net';
import { type ConnectionOptions, checkServerIdentity, connect as connectTls } from 'node:tls';
import { messageOf, systemCode } from '../errors.js';
import type { Cause } from '../events/event.js';
import { splitAddress } from '../mesh/address.js';
import { type AddressMap, mapAddress } from '../mesh/address-map.js';

/** A login at a server. */
export type Login = { readonly username: string | null; readonly password: string };

/** TLS to one upstream's servers, as plain data: it is posted to the worker. */
export type TlsSettings = Pick<
  ConnectionOptions,
  'ca' | 'cert' | 'key' | 'servername' | 'rejectUnauthorized'
> & {
  /** Names of which the certificate must have one; empty: any name will do, as in Envoy; absent: that of the server, as in Node. */
  readonly names?: readonly string[];
};

/** What one upstream's servers are reached with. */
export type Access = {
  readonly tls: TlsSettings | null;
  readonly login: Login | null;
  /** Logins of single servers, by announced address: they go before `login`. */
  readonly byAddress?: Readonly<Record<string, Login>>;
};

/** Everything needed to dial. */
export type Dialling = {
  readonly map: AddressMap;
  readonly access: Readonly<Record<string, Access>>;
};

const PLAIN: Access = { tls: null, login: null };

/** What the server at the announced `address` is reached with. */
export function accessTo(dialling: Dialling, upstream: string, address: string): Access {
  const access = dialling.access[upstream] ?? PLAIN;
  const login = access.byAddress?.[address];
  return login === undefined ? access : { tls: access.tls, login };
}

/** The address that is dialled for the announced `address`. */
export function dialledFor(dialling: Dialling, address: string): string {
  return mapAddress(dialling.map, address);
}

/** Where reads go that need no chunk of their own; see `upstream.ts`. */
export type ReadInto = {
  readonly buffer: Buffer;
  readonly onRead: (length: number, buffer: Buffer) => void;
};

/** Connects to `dialled`; over TLS, reads come as 'data' events to `onRead` too. */
export function dial(dialled: string, tls: TlsSettings | null, readInto: ReadInto | null): Socket {
  const target = splitAddress(dialled) ?? { host: dialled, port: 6379 };
  if (tls !== null) {
    const { names, ...settings } = tls;
    const socket = connectTls({
      ...settings,
      ...target,
      servername: tls.servername ?? nameOnly(target.host),
      ...(names === undefined ? {} : { checkServerIdentity: oneOf(names) }),
    });
    if (readInto !== null)
      socket.on('data', (chunk: Buffer) => readInto.onRead(chunk.length, chunk));
    return socket;
  }
  if (readInto === null) return connect(target);
  const { buffer, onRead } = readInto;
  return connect({
    ...target,
    onread: {
      buffer,
      callback: (length, bytes) => {
        onRead(length, bytes as Buffer);
        return true;
      },
    },
  });
}

/** Whether a certificate has one of `names`; without any, its names do not matter. */
function oneOf(names: readonly string[]): typeof checkServerIdentity {
  return (_host, certificate) => {
    if (names.length === 0) return undefined;
    const errors = names.map((name) => checkServerIdentity(name, certificate));
    return errors.includes(undefined) ? undefined : errors[0];
  };
}

/** TLS wants a server name, which an address is not. */
function nameOnly(host: string): string {
  return /^[\d.]+$/.test(host) || host.includes(':') ? '' : host;
}

/** What stands behind a socket's error. */
export function causeOf(error: unknown, address: string, overTls: boolean): Cause {
  const detail = messageOf(error);
  switch (systemCode(error)) {
    case 'ECONNREFUSED':
      return { code: 'refused', address, detail };
    case 'ECONNRESET':
    case 'EPIPE':
      return { code: 'reset', address, detail };
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return { code: 'unresolved', address, detail };
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
    case 'ETIMEDOUT':
      return { code: 'unreachable', address, detail };
    default:
      return { code: overTls ? 'tls' : 'reset', address, detail };
  }
}

/** A cause in a few words: `refused`, `no reply for 200 ms`; with what it took along. */
export function describeCause(cause: Cause): string {
  const along =
    cause.others === undefined
      ? ''
      : `; ${cause.others} other request${cause.others === 1 ? '' : 's'} went down with the connection`;
  return `${causeText(cause)}${along}`;
}

function causeText(cause: Cause): string {
  const { address, afterMs, detail } = cause;
  switch (cause.code) {
    case 'refused':
      return `${address} refused the connection`;
    case 'unreachable':
      return `${address} cannot be reached`;
    case 'unresolved':
      return `the name in ${address} cannot be resolved`;
    case 'connect-timeout':
      return `${address} did not accept the connection within ${afterMs} ms`;
    case 'op-timeout':
      return `${address} sent no reply for ${afterMs} ms (op_timeout)`;
    case 'reset':
      return `${address} reset the connection`;
    case 'closed':
      return `${address} closed the connection`;
    case 'tls':
      return `TLS to ${address} failed: ${detail}`;
    case 'protocol':
      return `${address} sent what is not RESP: ${detail}`;
    case 'handshake':
      return `${address} refused the greeting: ${detail}`;
    case 'cluster-down':
      return `${address} said ${detail}`;
    case 'removed':
      return `${address} is no longer part of the upstream`;
    case 'shutdown':
      return 'rmtop is ending';
    case 'fault':
      return `${address} counts as dead by fault rule ${detail}`;
    case 'too-many-unknown':
      return `${address} is unknown, and there are too many connections to unknown servers`;
  }
}

/** What a server said to `login`, fit to be shown: printable, short, and without the password should it be repeated there. */
export function refusalText(said: string, login: Login | null): string {
  const hidden =
    login === null || login.password === '' ? said : said.replaceAll(login.password, '***');
  return hidden.replace(/[^\x20-\x7e]/g, '?').slice(0, 200);
}
