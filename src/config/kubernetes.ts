/** Services, their endpoints and Secrets, as the readers look them up (config page, 1.5). */
import { isIpLiteral, joinAddress } from '../mesh/address.js';
import type { Findings, Position } from './diagnostic.js';
import type { Document } from './documents.js';
import {
  get,
  isTrue,
  items,
  type MapNode,
  type Node,
  num,
  pairs,
  placeOf,
  str,
  strings,
} from './node.js';
import { decodeBase64 } from './secrets.js';

export type ServicePort = { readonly number: number; readonly name: string; readonly at: Position };

/** A Service or a ServiceEntry, as Aeraki and Istio see it. */
export type Service = {
  /** Full names; Aeraki names clusters after the first. */
  readonly hosts: readonly string[];
  readonly name: string;
  /** Null where the document does not say. */
  readonly namespace: string | null;
  /** Virtual addresses; none for a headless service. */
  readonly addresses: readonly string[];
  readonly headless: boolean;
  readonly externalName: string | null;
  readonly ports: readonly ServicePort[];
  /** Of a ServiceEntry that lists its endpoints itself. */
  readonly endpoints: readonly Backend[];
  readonly at: Position;
};

/** One address of a service: `port` and `portName` of the pod's side. */
export type Backend = {
  readonly ip: string;
  readonly port: number;
  /** '' matches the port of any name. */
  readonly portName: string;
  readonly hostname: string | null;
  readonly pod: string | null;
};

type Slice = {
  readonly service: string;
  readonly namespace: string | null;
  readonly backends: readonly Backend[];
};

/** A Secret's fields; the values are never shown. */
export type Secret = {
  readonly name: string;
  readonly namespace: string | null;
  readonly fields: ReadonlyMap<string, string>;
  readonly at: Position;
};

export const DEFAULT_DOMAIN = 'cluster.local';

/** Everything of Kubernetes that was loaded. */
export class Services {
  readonly all: Service[] = [];
  private readonly slices: Slice[] = [];
  private readonly secrets: Secret[] = [];

  addDocument({ root, kind }: Document, findings: Findings): void {
    if (kind === 'Service') this.all.push(readService(root, findings));
    else if (kind === 'ServiceEntry') this.all.push(readServiceEntry(root, findings));
    else if (kind === 'EndpointSlice') this.slices.push(readSlice(root));
    else if (kind === 'Endpoints') this.slices.push(readEndpoints(root));
    else if (kind === 'Secret') this.secrets.push(readSecret(root, findings));
  }

  /** The service with exactly this full name. */
  byHost(host: string): Service | null {
    return this.all.find((service) => service.hosts.includes(host)) ?? null;
  }

  /** The service a user-typed name means: `name`, `name.ns`, `name.ns.svc`, the full name; with or without a final dot. */
  byName(written: string): Service | null {
    const name = written.toLowerCase().replace(/\.$/, '');
    return (
      this.all.find((service) =>
        service.hosts.some(
          (host) =>
            host === name ||
            (host.startsWith(`${name}.`) && /^[^.]+(\.[^.]+(\.svc)?)?$/.test(name)),
        ),
      ) ?? null
    );
  }

  byAddress(address: string): Service | null {
    return this.all.find((service) => service.addresses.includes(address)) ?? null;
  }

  /** The Secret `name` of a namespace; a document that does not say its namespace fits any. */
  secret(name: string, namespace: string | null): Secret | null {
    return (
      this.secrets.findLast(
        (secret) => secret.name === name && sameNamespace(secret.namespace, namespace),
      ) ?? null
    );
  }

  /** The ready addresses behind a service's port; null where no document tells them. */
  backends(host: string, port: number): readonly Backend[] | null {
    const service = this.byHost(host);
    if (service !== null && service.endpoints.length > 0) return service.endpoints;
    const name = service?.name ?? host.split('.')[0] ?? '';
    const namespace = service?.namespace ?? host.split('.')[1] ?? null;
    const slices = this.slices.filter(
      (slice) => slice.service === name && sameNamespace(slice.namespace, namespace),
    );
    if (slices.length === 0) return null;
    const all = slices.flatMap((slice) => slice.backends);
    const wanted = service?.ports.find((each) => each.number === port)?.name;
    if (wanted !== undefined)
      return all.filter((backend) => backend.portName === '' || backend.portName === wanted);
    const names = new Set(all.map((backend) => backend.portName));
    return names.size <= 1
      ? all
      : all.filter((backend) => backend.port === port || backend.portName.startsWith('tcp-redis'));
  }

  /** The address of a pod by its name in a headless service: `pod.service.namespace.svc.domain`. */
  pod(host: string, port: number): string | null {
    const [pod, ...rest] = host.toLowerCase().replace(/\.$/, '').split('.');
    const backends = this.backends(rest.join('.'), port) ?? this.backendsByName(rest, port);
    const found = backends?.find((backend) => backend.hostname === pod || backend.pod === pod);
    return found === undefined ? null : joinAddress(found.ip, found.port);
  }

  private backendsByName(
    [name = '', namespace]: readonly string[],
    port: number,
  ): readonly Backend[] | null {
    const service = this.byName(namespace === undefined ? name : `${name}.${namespace}`);
    return service === null ? null : this.backends(service.hosts[0] ?? '', port);
  }
}

/** Whether two namespaces may be the same; one that is not written matches any. */
export function sameNamespace(a: string | null, b: string | null): boolean {
  return a === null || b === null || a === b;
}

function metadata(root: MapNode): { readonly name: string; readonly namespace: string | null } {
  return {
    name: str(root, 'metadata', 'name') ?? '',
    namespace: str(root, 'metadata', 'namespace'),
  };
}

function readService(root: MapNode, findings: Findings): Service {
  const { name, namespace } = metadata(root);
  const ip = str(root, 'spec', 'clusterIP');
  const all = [...new Set([...(ip === null ? [] : [ip]), ...strings(root, 'spec', 'clusterIPs')])];
  return {
    hosts: [`${name}.${namespace ?? 'default'}.svc.${DEFAULT_DOMAIN}`],
    name,
    namespace,
    addresses: all.filter((address) => address !== 'None' && address !== ''),
    headless: ip === 'None',
    externalName:
      str(root, 'spec', 'type') === 'ExternalName' ? str(root, 'spec', 'externalName') : null,
    ports: readPorts(root, 'port', findings),
    endpoints: [],
    at: placeOf(root, 'metadata', 'name'),
  };
}

function readPorts(root: MapNode, key: string, findings: Findings): ServicePort[] {
  return items(root, 'spec', 'ports').flatMap((port) => {
    const number = numberOf(port, key);
    if (Number.isInteger(number) && number > 0 && number <= 65_535)
      return [{ number, name: str(port, 'name') ?? '', at: port.at }];
    findings.say('READ-TYPE', placeOf(port, key), `${key} is no port from 1 to 65535`, {
      consequence: 'it is left out here; the API server refuses it',
    });
    return [];
  });
}

function numberOf(node: Node, key: string): number {
  return num(node, key) ?? (Number(str(node, key) ?? 0) || 0);
}

function readServiceEntry(root: MapNode, findings: Findings): Service {
  const { name, namespace } = metadata(root);
  const ports = readPorts(root, 'number', findings);
  const endpoints = items(root, 'spec', 'endpoints').flatMap((endpoint): Backend[] => {
    const ip = str(endpoint, 'address') ?? '';
    return ports.map((port) => ({
      ip,
      portName: port.name,
      port: num(endpoint, 'ports', port.name) ?? port.number,
      hostname: null,
      pod: null,
    }));
  });
  return {
    hosts: strings(root, 'spec', 'hosts'),
    name,
    namespace,
    addresses: strings(root, 'spec', 'addresses').filter((address) => isIpLiteral(address)),
    headless: false,
    externalName: null,
    ports,
    endpoints,
    at: placeOf(root, 'metadata', 'name'),
  };
}

function readSlice(root: MapNode): Slice {
  const { namespace } = metadata(root);
  const ports = items(root, 'ports');
  const backends = items(root, 'endpoints').flatMap((endpoint): Backend[] => {
    const ready = get(endpoint, 'conditions', 'ready');
    if (ready !== undefined && !isTrue(ready)) return [];
    return strings(endpoint, 'addresses').flatMap((ip) =>
      ports.map((port) => ({
        ip,
        port: numberOf(port, 'port'),
        portName: str(port, 'name') ?? '',
        hostname: str(endpoint, 'hostname'),
        pod: str(endpoint, 'targetRef', 'name'),
      })),
    );
  });
  // By its label, not by its own name.
  return {
    service: str(root, 'metadata', 'labels', 'kubernetes.io/service-name') ?? '',
    namespace,
    backends,
  };
}

function readEndpoints(root: MapNode): Slice {
  const { name, namespace } = metadata(root);
  const backends = items(root, 'subsets').flatMap((subset) =>
    items(subset, 'addresses').flatMap((address) =>
      items(subset, 'ports').map(
        (port): Backend => ({
          ip: str(address, 'ip') ?? '',
          port: numberOf(port, 'port'),
          portName: str(port, 'name') ?? '',
          hostname: str(address, 'hostname'),
          pod: str(address, 'targetRef', 'name'),
        }),
      ),
    ),
  );
  return { service: name, namespace, backends };
}

function readSecret(root: MapNode, findings: Findings): Secret {
  const { name, namespace } = metadata(root);
  const fields = new Map<string, string>();
  for (const [key, { at, value }] of pairs(root, 'data')) {
    const text = decodeBase64(str(value) ?? '');
    if (text === null) {
      findings.say('READ-BASE64', at, `Secret ${name}: field '${key}' under data is not base64`, {
        consequence: 'the API server refuses the Secret; the field is left out here',
        advice: 'put plain text under stringData',
      });
    } else fields.set(key, text);
  }
  // Merged in by the API server, and stringData wins.
  for (const [key, { value }] of pairs(root, 'stringData')) fields.set(key, str(value) ?? '');
  return { name, namespace, fields, at: placeOf(root, 'metadata', 'name') };
}
