/** Texts → every Redis listener they describe. Pure: files and environment are arguments; `load.ts` reads them from disk. */
import type { EnvoyLevel } from '../mesh/config.js';
import { addressMapIn, sayFolded, serviceEntries } from './addresses.js';
import { readAeraki } from './aeraki.js';
import { type Diagnostic, Findings, type NotInForce, type Position, sorted } from './diagnostic.js';
import { type Document, fillPlaceholders, parseText, type Text } from './documents.js';
import { type LoadedListener, listenerName, readListener } from './envoy.js';
import { type Format, formatOf } from './formats.js';
import { readEnvoyFilters } from './istio.js';
import { Services } from './kubernetes.js';
import { placeOf, str } from './node.js';
import type { Shape, World } from './shape.js';

/** How the files are to be understood. */
export type MeshOptions = {
  /** Aeraki as its CRDs read, instead of as it generates. */
  readonly intended: boolean;
  /** Values for `${NAME}`; they go before the environment. */
  readonly set: Readonly<Record<string, string>>;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly envoy: EnvoyLevel;
  /** Only the listener of this service, or of this name. */
  readonly service?: string | undefined;
  /** The namespace of Aeraki's objects that do not say theirs. */
  readonly namespace?: string | undefined;
};

/** A document that rmtop has no use for. */
export type Skipped = Position & { readonly kind: string };

/** What the files come to. */
export type LoadedMesh = {
  readonly listeners: readonly LoadedListener[];
  /** Errors first, then by place. */
  readonly diagnostics: readonly Diagnostic[];
  /** The files read: what is worth watching. */
  readonly files: readonly string[];
  readonly notInForce: readonly NotInForce[];
  readonly skipped: readonly Skipped[];
  /**
   * `FROM=TO` entries for `parseAddressMap`, weakest first, to stand before those of `--map`: of Services and endpoints, then of
   * `addressMap:` in the files.
   */
  readonly addressMap: readonly string[];
};

type Known = { readonly document: Document; readonly format: Format };

/** Reads texts, in the order of their names; `readFile` gives the files that a DataSource names. */
export function loadTexts(
  texts: readonly Text[],
  options: MeshOptions,
  readFile: (path: string) => string | null,
): LoadedMesh {
  const findings = new Findings();
  const skipped: Skipped[] = [];
  const known: Known[] = [];
  for (const text of texts) {
    for (const document of parseText(text, findings)) {
      const format = formatOf(document);
      if (format === null) skipped.push({ ...document.root.at, kind: document.kind ?? 'unknown' });
      else known.push({ document: filled(document, options), format });
    }
  }
  const documents = lastOfEach(known, findings);
  const services = new Services();
  const world: World = {
    findings,
    services,
    env: options.env,
    readFile,
    envoy: options.envoy,
    intended: options.intended,
  };
  const of = (name: Format['name']): Document[] =>
    documents.filter((each) => each.format.name === name).map((each) => each.document);
  for (const document of of('kubernetes')) services.addDocument(document, findings);
  const shape: Shape = {
    listeners: [],
    clusters: new Map(),
    endpoints: new Map(),
    absent: new Set(),
  };
  for (const { document, format } of documents) format.read?.(document, shape, world);
  readAeraki(of('aeraki'), shape, world, {
    namespace: options.namespace ?? null,
    isAlone: shape.listeners.length === 0 && of('envoy-filter').length === 0,
  });
  readEnvoyFilters(of('envoy-filter'), shape, world);
  const listeners = pick(shape, options.service, world).map((listener) =>
    readListener(listener, shape, world),
  );
  if (shape.listeners.length === 0) sayNothing(texts, skipped, findings);
  const map = addressMapIn(of('address-map'), findings);
  sayFolded(
    map,
    listeners.map(({ config }) => config),
    findings,
  );
  return {
    listeners: named(listeners),
    diagnostics: sorted(findings.diagnostics),
    files: texts.map((text) => text.file),
    notInForce: findings.notInForce,
    skipped,
    addressMap: [...serviceEntries(services), ...map.map(({ text }) => text)],
  };
}

/** `${X}` filled in everywhere but in Secrets: kubectl would not, and a password may look like one. */
function filled(document: Document, { set, env }: MeshOptions): Document {
  return document.kind === 'Secret'
    ? document
    : { ...document, root: fillPlaceholders(document.root, { ...env, ...set }) };
}

/** Of objects with equal kind, namespace and name the last one, as `kubectl apply` would leave it. */
function lastOfEach(known: readonly Known[], findings: Findings): Known[] {
  const last = new Map<string, Known>();
  const result = new Map<string, Known>();
  known.forEach((each, i) => {
    const { root, kind } = each.document;
    const name = str(root, 'metadata', 'name');
    if (kind === null || name === null) {
      result.set(`#${i}`, each);
      return;
    }
    const id = `${kind}|${str(root, 'metadata', 'namespace') ?? ''}|${name}`;
    const before = last.get(id);
    if (before !== undefined) {
      const { file, line } = before.document.root.at;
      findings.say(
        'READ-DUPOBJECT',
        placeOf(root, 'metadata', 'name'),
        `${kind} ${name} is defined a second time; first at ${file}:${line}`,
        {
          consequence:
            'the one read last counts, as after kubectl apply; files are read in the order of their names',
          advice: 'remove one of them',
        },
      );
      result.delete(id);
    }
    last.set(id, each);
    result.set(id, each);
  });
  return [...result.values()];
}

/** The listeners to run: all, or those that `service` names. */
function pick(shape: Shape, service: string | undefined, world: World): Shape['listeners'] {
  if (service === undefined) return shape.listeners;
  const wanted = service.toLowerCase().replace(/\.$/, '');
  const isNamed = (name: string): boolean =>
    name.toLowerCase() === wanted || name.toLowerCase().startsWith(`${wanted}.`);
  const found = shape.listeners.filter(
    ({ hosts, name, proxy }) =>
      hosts.some(isNamed) || name === service || str(proxy, 'stat_prefix') === service,
  );
  if (found.length > 0 || shape.listeners.length === 0) return found;
  const names = shape.listeners.map(listenerName);
  world.findings.say(
    'READ-NOTHING',
    { file: shape.listeners[0]?.at.file ?? '', line: 1, column: 1 },
    `no Redis listener is called '${service}'`,
    { advice: `there are: ${names.join(', ')}` },
  );
  return [];
}

function sayNothing(texts: readonly Text[], skipped: readonly Skipped[], findings: Findings): void {
  const file = texts[0]?.file ?? '';
  const kinds = [...new Set(skipped.map((each) => each.kind))].join(', ');
  findings.say(
    'READ-NOTHING',
    { file, line: 1, column: 1 },
    `no Redis listener in ${texts.length === 1 ? 'this file' : `these ${texts.length} files`}${kinds === '' ? '' : ` (only ${kinds})`}`,
    {
      consequence: 'there is nothing to proxy',
      advice:
        'wanted: an Envoy bootstrap or config dump with a redis_proxy filter, an Istio EnvoyFilter that adds one, or Aeraki RedisService objects',
    },
  );
}

/** Names made different, so that `--service` can tell listeners apart. */
function named(listeners: readonly LoadedListener[]): LoadedListener[] {
  const count = new Map<string, number>();
  return listeners.map((listener) => {
    const before = count.get(listener.name) ?? 0;
    count.set(listener.name, before + 1);
    return before === 0 ? listener : { ...listener, name: `${listener.name}#${before + 1}` };
  });
}
