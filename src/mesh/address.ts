/** `host:port` as text: IPv6 hosts may stand with or without brackets, as Redis announces them without. */

export type HostPort = { readonly host: string; readonly port: number };

/** The parts of `host:port`, split at the last colon; null where there is no port, or it is none. Brackets are taken off. */
export function splitAddress(address: string): HostPort | null {
  const colon = address.lastIndexOf(':');
  if (colon === -1) return null;
  const port = address.slice(colon + 1);
  if (!/^\d{1,5}$/.test(port) || Number(port) > 65535) return null;
  const host = address.slice(0, colon);
  return { host: /^\[.*\]$/.test(host) ? host.slice(1, -1) : host, port: Number(port) };
}

/** `host:port`, an IPv6 host in brackets. */
export function joinAddress(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/** Whether `host` is an IPv4 or IPv6 literal rather than a name. */
export function isIpLiteral(host: string): boolean {
  if (host.includes(':')) return /^[0-9a-fA-F:.]+$/.test(host);
  const parts = host.split('.');
  return parts.length === 4 && parts.every((part) => /^\d{1,3}$/.test(part) && Number(part) < 256);
}

/** Whether an address only this machine can reach: 127.0.0.0/8, ::1 or localhost. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127\.\d+\.\d+\.\d+$/.test(host);
}

/** The URL at which clients on this machine find what listens at `host`; `login` is what stands before the host, with its `@`. */
export function clientUrl({ host, port }: HostPort, login = ''): string {
  const name = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host;
  return `redis://${login}${joinAddress(name, port)}`;
}
