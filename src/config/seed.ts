/** Where servers are, as users write it: an address or a URL, with its login. */
import { RmtopError } from '../errors.js';
import { splitAddress } from '../mesh/address.js';
import type { UpstreamLogin } from './access.js';

/** A server as its user names it. */
export type Seed = {
  readonly host: string;
  readonly port: number;
  readonly tls: boolean;
  readonly login: UpstreamLogin | null;
};

/** Reads `host:port`, `host`, or a redis:// or rediss:// URL. Throws BAD_ADDRESS, without showing a password. */
export function parseSeed(text: string): Seed {
  if (/^rediss?:\/\//i.test(text)) return parseUrl(text);
  const address =
    splitAddress(text) ?? (text !== '' && !text.includes(':') ? { host: text, port: 6379 } : null);
  if (address === null || address.host === '' || /[\s/@]/.test(text)) throw badAddress(text);
  return { ...address, tls: false, login: null };
}

function parseUrl(text: string): Seed {
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    throw badAddress(text.replace(/\/\/[^@]*@/, '//***@'));
  }
  const password = decodeURIComponent(url.password);
  const username = decodeURIComponent(url.username);
  return {
    host: url.hostname.replace(/^\[(.*)\]$/, '$1') || '127.0.0.1',
    port: url.port === '' ? 6379 : Number(url.port),
    tls: url.protocol.toLowerCase() === 'rediss:',
    login: password === '' ? null : { username: username === '' ? null : username, password },
  };
}

function badAddress(text: string): RmtopError {
  return new RmtopError('BAD_ADDRESS', `--upstream '${text}' is not an address`, {
    why: 'wanted: host:port, or redis://[user:password@]host:port, or rediss://…',
    next: ['rmtop --upstream redis-cluster:6379'],
  });
}
