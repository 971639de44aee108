/**
 * Announced address → the address to dial. Seeds, CLUSTER SLOTS, MOVED and ASK all pass through here, once each.
 *
 * Precedence (config page, 3.3): the exact `host:port`, then the host alone, then `*:port`. Host names are compared without regard to
 * case and to a final dot; nothing is mapped twice; `0.0.0.0` as a target means 127.0.0.1.
 */
import { RmtopError } from '../errors.js';
import { joinAddress, splitAddress } from './address.js';

/** What `--map` said, by the form of its left side. A target without a port keeps the port. */
export type AddressMap = {
  readonly exact: ReadonlyMap<string, string>;
  readonly hosts: ReadonlyMap<string, string>;
  readonly ports: ReadonlyMap<number, string>;
};

export const NO_MAP: AddressMap = { exact: new Map(), hosts: new Map(), ports: new Map() };

/**
 * The map of `FROM=TO` entries: `10.1.2.3:6379=127.0.0.1:7001`, `redis-0.redis=127.0.0.1:7001`, `*:6379=127.0.0.1:6379`,
 * `:6379=:16379`. Throws BAD_MAP.
 */
export function parseAddressMap(entries: readonly string[]): AddressMap {
  const exact = new Map<string, string>();
  const hosts = new Map<string, string>();
  const ports = new Map<number, string>();
  for (const entry of entries) {
    const at = entry.indexOf('=');
    const from = entry.slice(0, at).trim();
    const to = entry.slice(at + 1).trim();
    if (at < 1 || to === '' || (to.includes(':') && !isBareIpv6(to) && splitAddress(to) === null))
      throw badMap(entry);
    const address = isBareIpv6(from) ? null : splitAddress(from);
    if (address === null) {
      if (/[\s*]/.test(from) || (from.includes(':') && !isBareIpv6(from))) throw badMap(entry);
      hosts.set(normalHost(from), to);
    } else if (address.host === '*' || address.host === '') ports.set(address.port, to);
    else exact.set(`${normalHost(address.host)}|${address.port}`, to);
  }
  return { exact, hosts, ports };
}

function badMap(entry: string): RmtopError {
  return new RmtopError('BAD_MAP', `--map '${entry}' is not FROM=TO`, {
    why: 'FROM is host:port, host or *:port; TO is host:port, host or :port',
    next: ['rmtop --map 10.1.44.41:6379=127.0.0.1:63791'],
  });
}

/** An IPv6 host without a port: all of it in brackets, or two colons or more and none. */
function isBareIpv6(text: string): boolean {
  return text.startsWith('[') ? text.endsWith(']') : text.split(':').length > 2;
}

function normalHost(host: string): string {
  return host
    .toLowerCase()
    .replace(/\.$/, '')
    .replace(/^\[(.*)\]$/, '$1');
}

/** Whether the map says anything of `address`, were it that it stays. */
export function hasEntry(map: AddressMap, address: string): boolean {
  const parts = splitAddress(address);
  return parts !== null && entryFor(map, parts) !== undefined;
}

function entryFor(
  map: AddressMap,
  { host, port }: { readonly host: string; readonly port: number },
): string | undefined {
  const name = normalHost(host);
  return map.exact.get(`${name}|${port}`) ?? map.hosts.get(name) ?? map.ports.get(port);
}

/** The address to dial for `address` (`host:port`), itself where nothing fits. */
export function mapAddress(map: AddressMap, address: string): string {
  const parts = splitAddress(address);
  const to = parts === null ? undefined : entryFor(map, parts);
  if (parts === null || to === undefined) return address;
  const target = isBareIpv6(to) ? null : splitAddress(to);
  const targetHost = target === null ? normalHost(to) : target.host || parts.host;
  return joinAddress(
    targetHost === '0.0.0.0' ? '127.0.0.1' : targetHost,
    target?.port ?? parts.port,
  );
}
