/** Where names of the mesh are to be found: entries for the address map (config page, 3.3). */
import { isIpLiteral, joinAddress, splitAddress } from '../mesh/address.js';
import { parseAddressMap } from '../mesh/address-map.js';
import type { MeshConfig } from '../mesh/config.js';
import type { Findings, Position } from './diagnostic.js';
import type { Document } from './documents.js';
import type { Services } from './kubernetes.js';
import { get, type Node, pairs, str } from './node.js';

/** `FROM=TO` entries: a service's name and addresses lead to its first endpoint, an ExternalName to what it stands for. */
export function serviceEntries(services: Services): string[] {
  return allEntries(services).filter(isEntry); // a name or an address that is none maps nothing
}

function allEntries(services: Services): string[] {
  const entries: string[] = [];
  for (const service of services.all) {
    const { externalName } = service;
    if (externalName !== null) {
      for (const host of service.hosts)
        for (const name of spellings(host)) entries.push(`${name}=${externalName}`);
      continue;
    }
    for (const port of service.ports) {
      const backend = services.backends(service.hosts[0] ?? '', port.number)?.[0];
      if (backend === undefined) continue;
      const to = joinAddress(backend.ip, backend.port);
      const names = [...service.hosts.flatMap(spellings), ...service.addresses];
      for (const name of names) entries.push(`${joinAddress(name, port.number)}=${to}`);
    }
    entries.push(...podEntries(services, service.hosts[0] ?? ''));
  }
  return entries;
}

/** The pods of a service by their own names: `redis-0.redis.ns.svc.cluster.local`. */
function podEntries(services: Services, host: string): string[] {
  const service = services.byHost(host);
  const ports = service?.ports ?? [];
  return ports.flatMap((port) =>
    (services.backends(host, port.number) ?? []).flatMap((backend) => {
      const pod = backend.hostname ?? backend.pod;
      return pod === null ? [] : spellings(host).map((name) => `${pod}.${name}=${backend.ip}`);
    }),
  );
}

/** The ways a full service name is written: with and without its domain. */
function spellings(host: string): string[] {
  const parts = host.split('.');
  if (isIpLiteral(host) || parts[2] !== 'svc') return [host];
  return [host, parts.slice(0, 3).join('.'), parts.slice(0, 2).join('.')];
}

/** An entry of `addressMap:`, `FROM=TO`, and where it stands. */
export type MapEntry = { readonly text: string; readonly at: Position };

/** The entries of `addressMap:` in rmtop's own file, in each of its forms; what is none becomes a finding. */
export function addressMapIn(documents: readonly Document[], findings: Findings): MapEntry[] {
  const entries: MapEntry[] = [];
  const rules = new Map<string, MapEntry>();
  for (const { root } of documents) {
    const map = get(root, 'addressMap');
    if (map?.kind === 'list') {
      for (const rule of map.items) {
        const entry = ruleEntry(rule);
        if (entry === null) sayBad(findings, rule.at, 'a rule');
        // The first rule that fits counts.
        else if (!rules.has(entry.from))
          rules.set(entry.from, { text: `${entry.from}=${entry.to}`, at: rule.at });
      }
      continue;
    }
    if (map?.kind !== 'map') {
      if (map !== undefined) sayBad(findings, map.at, 'addressMap');
      continue;
    }
    for (const [from, { at, value }] of pairs(map)) {
      const to = target(value);
      if (to === null || !isEntry(`${from}=${to}`)) sayBad(findings, at, `'${from}'`);
      else entries.push({ text: `${from}=${to}`, at });
    }
  }
  // Rules come after the map: they stand first, so that an entry of the map overrules them.
  return [...rules.values(), ...entries];
}

/** Says where several nodes of the map are one server here, though some listener reads from replicas. */
export function sayFolded(
  entries: readonly MapEntry[],
  configs: readonly MeshConfig[],
  findings: Findings,
): void {
  const reading = configs.find(
    ({ settings, upstreams }) =>
      settings.readPolicy !== 'MASTER' &&
      Object.values(upstreams).some(({ kind }) => kind === 'redis-cluster'),
  );
  if (reading === undefined) return;
  const first = new Map<string, string>();
  for (const { text, at } of entries) {
    const [from = '', to = ''] = text.split('=');
    // Without a port of its own a target stands for several.
    if (from.startsWith('*') || splitAddress(to) === null) continue;
    const before = first.get(to);
    if (before === undefined) first.set(to, from);
    else
      findings.say('MAP-FOLDED', at, `${before} and ${from} are both reached at ${to}`, {
        consequence: `read_policy is ${reading.settings.readPolicy}: whichever of them a read is meant for, the same one answers it`,
        advice: 'a port-forward, and an entry, for each pod',
      });
  }
}

function target(value: Node): string | null {
  if (value.kind === 'scalar')
    return typeof value.value === 'number' ? `:${value.value}` : value.text;
  const host = str(value, 'host');
  const port = str(value, 'port');
  if (host === null && port === null) return null;
  return port === null ? host : joinAddress(host ?? '', Number(port));
}

/** A rule of redis-py-cluster's `host_port_remap`. */
function ruleEntry(rule: Node): { readonly from: string; readonly to: string } | null {
  const [fromHost, fromPort, toHost, toPort] = ['from_host', 'from_port', 'to_host', 'to_port'].map(
    (key) => str(rule, key),
  );
  // Host alone or port alone is fine, but both sides of a pair are due.
  if ((fromHost == null) !== (toHost == null) || (fromPort == null) !== (toPort == null))
    return null;
  if (fromHost == null && fromPort == null) return null;
  const from = fromPort == null ? (fromHost ?? '') : joinAddress(fromHost ?? '*', Number(fromPort));
  const to = toPort == null ? (toHost ?? '') : joinAddress(toHost ?? '', Number(toPort));
  return isEntry(`${from}=${to}`) ? { from, to } : null;
}

function isEntry(entry: string): boolean {
  try {
    parseAddressMap([entry]);
    const from = entry.slice(0, entry.indexOf('='));
    return !/:\d+$/.test(from) || splitAddress(from) !== null;
  } catch {
    return false;
  }
}

function sayBad(findings: Findings, at: Position, what: string): void {
  findings.say('MAP-BAD', at, `${what} is no entry of an address map`, {
    consequence: 'it is left out',
    advice:
      '"10.1.44.41:6379": 127.0.0.1:63791, or {from_host: …, from_port: …, to_host: …, to_port: …}',
  });
}
