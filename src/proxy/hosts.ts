/** The hosts of an upstream that is no Redis Cluster: as they stand, or as their names resolve, again every few seconds. */
import { lookup } from 'node:dns/promises';
import { messageOf } from '../errors.js';
import type { ClusterStats } from '../events/mesh-stats.js';
import { isIpLiteral, joinAddress, splitAddress } from '../mesh/address.js';
import { hasEntry } from '../mesh/address-map.js';
import type { HostSet, HostSpec } from '../mesh/config.js';
import { forwardText } from '../mesh/forward.js';
import type { PlacedHost } from '../mesh/topology.js';
import type { Dialling } from './dial.js';
import type { Finder, Found, NotFound } from './discovery.js';

/** Envoy's `dns_refresh_rate`. */
const REFRESH_MS = 5000;
/** Until the first success. */
const RETRY_MS = 1000;

export type HostFinderOptions = {
  readonly name: string;
  readonly hostSet: HostSet;
  readonly dialling: Dialling;
  readonly stats: ClusterStats;
  readonly found: (found: Found) => void;
  readonly notFound: (why: NotFound) => void;
};

type Resolved = { readonly hosts: readonly PlacedHost[] } | { readonly error: string };

/** Finds the hosts of a HostSet. */
export class HostFinder implements Finder {
  private readonly options: HostFinderOptions;
  private timer: NodeJS.Timeout | null = null;
  private known = false;
  private closed = false;

  constructor(options: HostFinderOptions) {
    this.options = options;
  }

  start(): void {
    void this.resolve();
  }

  // Nothing that happens to a request tells where hosts are.
  redirected(): void {}
  failed(): void {}
  hostDegraded(): void {}

  private async resolve(): Promise<void> {
    const { hostSet } = this.options;
    const specs = hostSet.resolve === 'logical-dns' ? hostSet.hosts.slice(0, 1) : hostSet.hosts;
    const results = await Promise.all(specs.map((spec) => this.resolveOne(spec)));
    if (this.closed) return;
    const hosts = distinct(results.flatMap((result) => ('hosts' in result ? result.hosts : [])));
    const errors = results.flatMap((result) => ('error' in result ? [result.error] : []));
    if (hosts.length > 0) {
      this.known = true;
      const source = `${hosts.length} host${hosts.length === 1 ? '' : 's'}, ${hostSet.balancer.policy}`;
      this.options.found({ kind: 'hosts', source, hosts });
    }
    if (errors.length > 0 || hosts.length === 0) this.complain(errors);
    if (specs.some((spec) => this.isLookedUp(spec)))
      this.timer = setTimeout(() => void this.resolve(), this.known ? REFRESH_MS : RETRY_MS);
  }

  private complain(errors: readonly string[]): void {
    const { name, hostSet } = this.options;
    const first = hostSet.hosts[0]?.address ?? 'HOST:PORT';
    this.options.notFound({
      text:
        errors.length === 0
          ? `${name} has no hosts`
          : `cannot resolve hosts of ${name}: ${errors.slice(0, 3).join('; ')}`,
      next:
        forwardText(first) ??
        `--map ${first}=127.0.0.1:PORT, for instance after kubectl port-forward`,
      cause: null,
    });
  }

  private isLookedUp(spec: HostSpec): boolean {
    const { hostSet, dialling } = this.options;
    const parts = splitAddress(spec.address);
    return (
      hostSet.resolve !== 'static' &&
      parts !== null &&
      !isIpLiteral(parts.host) &&
      !hasEntry(dialling.map, spec.address)
    );
  }

  private async resolveOne(spec: HostSpec): Promise<Resolved> {
    const { hostSet } = this.options;
    const parts = splitAddress(spec.address);
    if (parts === null) return { error: `${spec.address} is no HOST:PORT` };
    const name = spec.hostname ?? parts.host;
    const place = (address: string): PlacedHost => ({
      address,
      key: spec.hashKey ?? (hostSet.balancer.hashByHostname ? name : address),
      weight: spec.weight,
    });
    if (!this.isLookedUp(spec)) return { hosts: [place(joinAddress(parts.host, parts.port))] };
    const { stats } = this.options;
    stats.updateAttempt++;
    try {
      const all = await lookup(parts.host, { all: true });
      stats.updateSuccess++;
      // Envoy asks for IPv6 first; names of a mesh rarely have it, and `localhost` often does with nothing behind it.
      const v4 = all.filter(({ family }) => family === 4);
      const found = v4.length > 0 ? v4 : all;
      const addresses = found.map(({ address }) => joinAddress(address, parts.port)).sort();
      return {
        hosts: (hostSet.resolve === 'logical-dns' ? addresses.slice(0, 1) : addresses).map(place),
      };
    } catch (error) {
      stats.updateFailure++;
      return { error: `${parts.host} (${messageOf(error)})` };
    }
  }

  close(): void {
    this.closed = true;
    if (this.timer !== null) clearTimeout(this.timer);
  }
}

function distinct(hosts: readonly PlacedHost[]): PlacedHost[] {
  const seen = new Set<string>();
  return hosts.filter(({ address }) => !seen.has(address) && seen.add(address));
}
