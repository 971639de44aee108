/** Where the admin page listens: `--admin HOST:PORT`. */
import { RmtopError } from '../errors.js';
import { type HostPort, isLoopback, joinAddress, splitAddress } from '../mesh/address.js';

/**
 * The address of `--admin`: `HOST:PORT`, or a PORT of this machine; port 0 takes a free one. Throws BAD_ADDRESS for what is neither,
 * and for what other machines can reach unless `allowAny` (`--admin-any`).
 */
export function parseAdmin(value: string, allowAny: boolean): HostPort {
  const text = value.trim();
  const parts = splitAddress(/^:?\d+$/.test(text) ? `127.0.0.1:${text.replace(':', '')}` : text);
  if (parts === null || parts.host === '') {
    throw new RmtopError('BAD_ADDRESS', `--admin ${value}: this is no HOST:PORT`, {
      next: ['rmtop --admin 127.0.0.1:9901', 'rmtop --admin 127.0.0.1:0        use a free port'],
    });
  }
  checkReach(parts, allowAny);
  return parts;
}

/** Throws BAD_ADDRESS for an address that other machines can reach, unless that is wanted. */
export function checkReach({ host, port }: HostPort, allowAny: boolean): void {
  if (allowAny || isLoopback(host)) return;
  throw new RmtopError(
    'BAD_ADDRESS',
    `--admin ${joinAddress(host, port)} would be open to other machines`,
    {
      why: 'the admin page asks for no password and shows the configuration and key prefixes',
      next: [
        `rmtop --admin 127.0.0.1:${port}`,
        `rmtop --admin ${joinAddress(host, port)} --admin-any        if it is meant to be`,
      ],
    },
  );
}
