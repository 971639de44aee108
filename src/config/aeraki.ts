/** Aeraki's RedisServices and RedisDestinations, with the Services they are for → the Envoy shape (config page, 2.1, 2.2 and 2.8). */
import { type AerakiLogin, readAuth } from './aeraki-auth.js';
import { generateCluster, plainCluster } from './aeraki-cluster.js';
import { generateProxy, plainProxy } from './aeraki-rules.js';
import type { Position } from './diagnostic.js';
import type { Document } from './documents.js';
import { outboundName } from './istio-name.js';
import { DEFAULT_DOMAIN, type Service, type ServicePort, sameNamespace } from './kubernetes.js';
import { get, type MapNode, makeMap, placeOf, str, strings } from './node.js';
import { normalise } from './normalise.js';
import type { Shape, World } from './shape.js';

type Rule = {
  readonly kind: 'RedisService' | 'RedisDestination';
  readonly name: string;
  /** Null where it is not written: it fits any then. */
  readonly namespace: string | null;
  readonly hosts: readonly string[];
  readonly spec: MapNode;
  readonly at: Position;
};

/** What `readAeraki` is told besides the documents. */
export type AerakiOptions = {
  /** Of objects that do not say theirs; null: any. */
  readonly namespace: string | null;
  /** Nothing else makes a listener: Services with a redis port are taken although no rule is there. */
  readonly isAlone: boolean;
};

/** Adds the listeners and clusters that Aeraki generates. */
export function readAeraki(
  documents: readonly Document[],
  shape: Shape,
  world: World,
  options: AerakiOptions,
): void {
  if (documents.length === 0 && !options.isAlone) return;
  const generator = new Generator(documents, shape, world, options);
  generator.run();
}

/** A port whose name Aeraki takes for Redis: both of its tests together. */
export function isRedisPort(name: string): boolean {
  return /^tcp-redis(-|$)/.test(name);
}

const DEFAULT_PORT = 6379;

/** Links rules and services. An object, for every step looks up what the others found. */
class Generator {
  private readonly services: readonly Rule[];
  private readonly destinations: readonly Rule[];
  private readonly shape: Shape;
  private readonly world: World;
  /** Redis ports by service. */
  private readonly made = new Set<string>();

  constructor(documents: readonly Document[], shape: Shape, world: World, options: AerakiOptions) {
    const rules = documents.map((document) => readRule(document, world, options));
    this.services = rules.filter((rule) => rule.kind === 'RedisService');
    this.destinations = rules.filter((rule) => rule.kind === 'RedisDestination');
    this.shape = shape;
    this.world = world;
  }

  run(): void {
    for (const service of this.world.services.all) this.addService(service);
    for (const rule of this.services) for (const host of rule.hosts) this.addAssumed(host, rule);
    if (this.shape.listeners.length > 0) return;
    for (const rule of this.destinations)
      for (const host of rule.hosts) this.addAssumed(host, rule);
  }

  /** A Service of the files. */
  private addService(service: Service): void {
    const { world } = this;
    const host = service.hosts[0] ?? '';
    const ports = service.ports.filter((port) => isRedisPort(port.name));
    const isRuled = [...this.services, ...this.destinations].some(
      (rule) =>
        rule.hosts.some((each) => service.hosts.includes(each)) &&
        sameNamespace(rule.namespace, service.namespace),
    );
    // Two redis ports make two EnvoyFilters of one name: the second replaces the first.
    const port = ports.at(-1) ?? (world.intended && isRuled ? service.ports[0] : undefined);
    if (isRuled && ports.length === 0) this.sayPortName(service);
    if (port === undefined) return;
    if (ports.length > 1)
      world.findings.say(
        'AERAKI-DROPPED',
        ports[0]?.at ?? service.at,
        `Service ${service.name} has ${ports.length} redis ports`,
        {
          consequence: `their EnvoyFilters have one name: only that of port ${port.number} stays`,
          advice: 'one Service for each',
        },
      );
    if (service.headless || (service.addresses.length === 0 && service.endpoints.length > 0)) {
      world.findings.say(
        'AERAKI-NOADDRESS',
        service.at,
        `Service ${service.name} has no address${service.headless ? ': it is headless' : ''}`,
        {
          consequence:
            'Aeraki makes a listener for each address, so none: the traffic stays plain TCP',
          advice: 'a Service with a ClusterIP beside it',
          level: isRuled ? 'error' : 'info',
        },
      );
      if (!world.intended) return;
    }
    const first = service.ports[0] ?? port;
    if (first !== port) {
      world.findings.say(
        'AERAKI-PORTORDER',
        port.at,
        `port ${port.name} is not the first of Service ${service.name}`,
        {
          consequence: `Aeraki patches the listener of port ${first.number}: traffic to ${port.number} stays plain TCP`,
          advice: 'put the redis port first',
        },
      );
      world.findings.withoutEffect(
        port.at,
        `redis on port ${port.number} of ${host}`,
        `port ${first.number} speaks Redis instead`,
      );
    }
    this.addListener(
      { host, hosts: service.hosts, namespace: service.namespace, port, at: service.at },
      service,
      world.intended ? port.number : first.number,
    );
  }

  private sayPortName(service: Service): void {
    const names = service.ports.map((port) => `'${port.name}'`).join(', ');
    this.world.findings.say(
      'AERAKI-PORTNAME',
      service.ports[0]?.at ?? service.at,
      `Service ${service.name} has no port named tcp-redis… (it has ${names || 'none'})`,
      {
        consequence: 'Aeraki does not touch it: plain TCP, and every rule for it is ignored',
        advice: 'name the port tcp-redis (or see what the rules would do with --intended)',
      },
    );
    this.world.findings.withoutEffect(
      service.at,
      `all rules for ${service.hosts[0]}`,
      'plain TCP: no port is named tcp-redis…',
    );
  }

  /** A host that a rule names and no Service of the files has: taken for a service with one redis port. */
  private addAssumed(written: string, rule: Rule): void {
    const host = this.fullHost(written, rule.namespace, placeOf(rule.spec, 'host'));
    if (host === null) return;
    const service = this.world.services.byHost(host);
    if (service !== null && sameNamespace(service.namespace, rule.namespace)) return;
    this.sayNoHost(host, rule);
    if (service !== null || this.made.has(host)) return;
    const port: ServicePort = { number: DEFAULT_PORT, name: 'tcp-redis', at: rule.at };
    this.addListener(
      { host, hosts: [host], namespace: rule.namespace, port, at: rule.at },
      null,
      DEFAULT_PORT,
    );
  }

  private sayNoHost(host: string, rule: Rule): void {
    const loaded = this.world.services.all.length > 0;
    this.world.findings.say(
      'AERAKI-NOHOST',
      placeOf(rule.spec, 'host'),
      `no Service ${host} is loaded${rule.namespace === null ? '' : ` in namespace ${rule.namespace}`}`,
      {
        level: loaded ? 'warning' : 'info',
        consequence: loaded
          ? 'in the mesh a rule for a host that is not there does nothing; here it is taken for a Service whose port 6379 is named tcp-redis'
          : 'it is taken for a Service whose port 6379 is named tcp-redis',
        advice: `kubectl -n ${rule.namespace ?? host.split('.')[1] ?? 'NAMESPACE'} get services,endpointslices -o yaml into the folder`,
      },
    );
  }

  private addListener(target: Target, service: Service | null, listenerPort: number): void {
    const { host, port } = target;
    this.made.add(host);
    this.addCluster(target);
    const applied = this.serviceRule(target);
    const proxy =
      applied === null ? plainProxy(host, port.number, target.at) : this.proxyOf(applied, target);
    const name =
      service?.addresses[0] === undefined
        ? ''
        : `${service.addresses[0]}_${service.ports[0]?.number ?? port.number}`;
    this.shape.listeners.push({
      name,
      hosts: target.hosts,
      port: listenerPort,
      proxy,
      at: applied?.rule.at ?? target.at,
    });
  }

  /** The RedisService that applies: the last by name that claims a host of the service. */
  private serviceRule(
    target: Target,
  ): { readonly rule: Rule; readonly host: string; readonly login: AerakiLogin | null } | null {
    const { world } = this;
    const claims = this.claimsOf(this.services, target);
    const rule = claims.at(-1);
    if (rule === undefined) return null;
    for (const lost of claims.slice(0, -1)) {
      world.findings.say(
        'AERAKI-DUPSERVICE',
        placeOf(lost.spec, 'host'),
        `RedisService ${lost.name} and ${rule.name} both claim ${target.host}`,
        {
          consequence: `${rule.name} wins: the last by name; nothing of ${lost.name} holds for it`,
          advice: 'one RedisService for a host',
        },
      );
      world.findings.withoutEffect(
        lost.at,
        `RedisService ${lost.name} for ${target.host}`,
        `RedisService ${rule.name}`,
      );
    }
    const login = readAuth(
      get(rule.spec, 'settings', 'auth'),
      { kind: rule.kind, name: rule.name, namespace: rule.namespace },
      world,
    );
    // Aeraki falls back to what it makes without a RedisService.
    if (login === 'missing' && !world.intended) return null;
    const host = target.hosts.find((each) => rule.hosts.includes(each)) ?? target.host;
    return { rule, host, login: login === 'missing' ? null : login };
  }

  /** The rules for a service, in the order of the API server's lists: by name. */
  private claimsOf(rules: readonly Rule[], target: Target): Rule[] {
    return rules
      .filter((rule) => this.claims(rule, target))
      .sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
  }

  private claims(rule: Rule, target: Target): boolean {
    if (!sameNamespace(rule.namespace, target.namespace)) return false;
    return rule.hosts.some(
      (host) =>
        target.hosts.includes(host) ||
        (this.world.intended && target.hosts.includes(fullName(host, rule.namespace) ?? host)),
    );
  }

  private proxyOf(
    {
      rule,
      host,
      login,
    }: { readonly rule: Rule; readonly host: string; readonly login: AerakiLogin | null },
    target: Target,
  ): MapNode {
    const { namespace } = rule;
    return generateProxy(rule.spec, {
      host,
      listenPort: target.port.number,
      login,
      world: this.world,
      target: (written, port, at) => {
        const full = this.fullHost(written, namespace, at) ?? written;
        return {
          host: full,
          port: port === 0 ? this.lookUpPort(full, target.port, namespace) : port,
        };
      },
      use: (to, port, at) => this.useCluster(to, port, at, namespace),
    });
  }

  /** `findServicePort`: the service is looked for in the RedisService's namespace only. */
  private lookUpPort(host: string, listening: ServicePort, namespace: string | null): number {
    const service = this.world.services.byHost(host);
    if (service === null || !sameNamespace(service.namespace, namespace)) return listening.number;
    const [only, ...others] = service.ports;
    if (only !== undefined && others.length === 0) return only.number;
    const found = service.ports.find(
      (port) => port.number === listening.number || port.name === listening.name,
    );
    return found?.number ?? listening.number;
  }

  /** Makes the cluster a route or mirror leads to, where the files have no Service that says what it is. */
  private useCluster(host: string, port: number, at: Position, namespace: string | null): void {
    const name = outboundName(host, port);
    if (this.shape.clusters.has(name) || this.shape.absent.has(name)) return;
    const service = this.world.services.byHost(host);
    if (service !== null) {
      if (!service.ports.some((each) => each.number === port)) this.shape.absent.add(name);
      else if (!service.ports.some((each) => isRedisPort(each.name))) this.sayPortName(service);
      return;
    }
    if (isShort(host)) {
      this.shape.absent.add(name);
      return;
    }
    this.addCluster({
      host,
      hosts: [host],
      namespace: null,
      port: { number: port, name: 'tcp-redis', at },
      at,
    });
    if (this.world.services.all.length > 0)
      this.sayNoHost(host, {
        kind: 'RedisService',
        name: '',
        namespace,
        hosts: [],
        spec: makeMap({}, at),
        at,
      });
  }

  /** The cluster of a service's redis port; of several RedisDestinations the first by name counts. */
  private addCluster(target: Target): void {
    const { world } = this;
    const origin = {
      name: outboundName(target.host, target.port.number),
      port: target.port.number,
      at: target.at,
    };
    const claims = this.claimsOf(this.destinations, target);
    const [rule, ...lost] = claims;
    for (const other of lost) {
      world.findings.say(
        'AERAKI-DUPDEST',
        placeOf(other.spec, 'host'),
        `RedisDestination ${rule?.name} and ${other.name} are both for ${target.host}`,
        {
          consequence: `${rule?.name} wins: the first by name`,
          advice: 'one RedisDestination for a host',
        },
      );
      world.findings.withoutEffect(
        other.at,
        `RedisDestination ${other.name} for ${target.host}`,
        `RedisDestination ${rule?.name}`,
      );
    }
    // Its Secret is looked for where the service is.
    const namespace = target.namespace ?? rule?.namespace ?? null;
    const cluster =
      rule === undefined
        ? plainCluster(origin)
        : generateCluster(
            rule.spec,
            { ...origin, at: rule.at },
            { kind: 'RedisDestination', name: rule.name, namespace },
            world,
          );
    if (cluster === null) return;
    this.shape.clusters.set(cluster.name, cluster);
    const backends = world.services.backends(target.host, target.port.number) ?? [];
    if (str(cluster.body, 'lb_policy') === 'MAGLEV' && backends.length > 1) {
      world.findings.say(
        'AERAKI-MAGLEV',
        cluster.at,
        `${target.host} has ${backends.length} endpoints, and its mode is PROXY`,
        {
          consequence:
            'keys are spread over them by MAGLEV: right for independent servers; in front of a Redis Cluster most keys answer MOVED, in front of a primary with replicas writes fail with READONLY',
          advice:
            'a RedisDestination with connectionPool.redis.mode: CLUSTER for a Redis Cluster; a Service that selects the primary alone',
        },
      );
    }
  }

  /** A host as rules write it, said where it is short; null where it then means nothing. */
  private fullHost(written: string, namespace: string | null, at: Position): string | null {
    if (this.world.services.byHost(written) !== null || !isShort(written)) return written;
    const full =
      fullName(written, namespace) ?? `${written.split('.')[0]}.NAMESPACE.svc.${DEFAULT_DOMAIN}`;
    this.world.findings.say('AERAKI-SHORTNAME', at, `'${written}' is no full service name`, {
      consequence: 'names are compared letter by letter: the mesh finds no such service',
      advice: `write ${full}`,
    });
    if (!this.world.intended) return null;
    return fullName(written, namespace) ?? written;
  }
}

/** A service's port that becomes a listener or a cluster. */
type Target = {
  readonly host: string;
  readonly hosts: readonly string[];
  readonly namespace: string | null;
  readonly port: ServicePort;
  readonly at: Position;
};

function readRule({ root, kind }: Document, world: World, options: AerakiOptions): Rule {
  const isService = kind === 'RedisService';
  const spec = get(root, 'spec') ?? makeMap({}, root.at);
  const body = normalise(
    spec,
    isService ? 'RedisServiceSpec' : 'RedisDestinationSpec',
    'crd',
    world.findings,
    'spec',
  );
  const hosts = strings(body, 'host');
  const name = str(root, 'metadata', 'name') ?? '';
  const at = placeOf(root, 'metadata', 'name');
  const written = str(root, 'metadata', 'namespace') ?? options.namespace;
  if (written === null) {
    world.findings.say('READ-NAMESPACE', at, `${kind} ${name} does not say its namespace`, {
      consequence: 'it is linked to objects of any namespace',
      advice: 'write metadata.namespace, or give --namespace',
    });
  }
  if (hosts.length === 0)
    world.findings.say('AERAKI-NOHOST', at, `${kind} ${name} has no host`, {
      consequence: 'it holds for nothing',
      advice: isService
        ? 'host: [NAME.NAMESPACE.svc.cluster.local]'
        : 'host: NAME.NAMESPACE.svc.cluster.local',
    });
  return {
    kind: isService ? 'RedisService' : 'RedisDestination',
    name,
    namespace: written,
    hosts,
    spec: body,
    at,
  };
}

/** `name`, `name.namespace` or `name.namespace.svc`: never equal to the full name that Aeraki compares with. */
function isShort(host: string): boolean {
  return /^[^.]+(\.[^.]+(\.svc)?)?\.?$/.test(host);
}

function fullName(host: string, namespace: string | null): string | null {
  if (!isShort(host)) return null;
  const [name = '', ns = namespace] = host.replace(/\.$/, '').split('.');
  return ns === null || ns === undefined ? null : `${name}.${ns}.svc.${DEFAULT_DOMAIN}`;
}
