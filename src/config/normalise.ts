/**
 * A message as people write it → the message with its fields in one spelling and its values of the right type: durations are numbers of
 * ms, enums their upper-case names, lists lists. Everything odd becomes a finding; what cannot be understood is left out.
 */
import { nearest } from '../filter/suggest.js';
import type { DiagnosticCode, Findings, Position } from './diagnostic.js';
import { type Entry, type MapNode, make, type Node, type ScalarNode } from './node.js';
import {
  ENUM_ALIASES,
  ENUMS,
  type EnumName,
  MESSAGES,
  type MessageName,
  OPEN_MESSAGES,
} from './schema.js';
import { parseDuration } from './units.js';

/** Whose rules hold: Envoy's protobuf JSON takes both spellings, the CRDs only camelCase. */
export type Dialect = 'envoy' | 'crd';

type Reading = { readonly dialect: Dialect; readonly findings: Findings };

/** Where in the message a value stands, for findings: `settings.op_timeout`. */
type Place = { readonly path: string; readonly at: Position };

/** The message `name` at `node`; empty where the node is no mapping. */
export function normalise(
  node: Node,
  name: MessageName,
  dialect: Dialect,
  findings: Findings,
  path = '',
): MapNode {
  return message(node, name, { dialect, findings }, { path, at: node.at });
}

/** `stat_prefix` of `statPrefix`. */
export function snake(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

function camel(name: string): string {
  return name.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}

function message(node: Node, name: MessageName, reading: Reading, place: Place): MapNode {
  const fields: Readonly<Record<string, string>> = MESSAGES[name];
  const entries = new Map<string, Entry>();
  if (node.kind !== 'map') {
    wrongType(reading, place, node, 'a mapping');
    return { kind: 'map', entries, at: node.at };
  }
  for (const [written, { at, value }] of node.entries) {
    if (written === '@type' || (value.kind === 'scalar' && value.value === null)) continue; // nothing is absent
    const field = reading.dialect === 'envoy' ? snake(written) : written;
    const type = Object.hasOwn(fields, field) ? fields[field] : undefined;
    const path = place.path === '' ? written : `${place.path}.${written}`;
    if (type === undefined) {
      unknownField(reading, name, written, { path, at });
      continue;
    }
    const read = fieldOf(value, type, reading, { path, at: value.at });
    if (read !== null) entries.set(field, { at, value: read });
  }
  return { kind: 'map', entries, at: node.at };
}

function fieldOf(node: Node, type: string, reading: Reading, place: Place): Node | null {
  if (!type.startsWith('[')) return oneOf(node, type, reading, place);
  if (node.kind !== 'list') {
    reading.findings.say(
      'READ-HINT',
      place.at,
      `${place.path} is a list; one value is taken as a list of one`,
      {
        level: reading.dialect === 'crd' ? 'warning' : 'info',
        consequence: reading.dialect === 'crd' ? 'the API server refuses it' : '',
        advice: 'write it as a list: `- …`',
      },
    );
  }
  const list = node.kind === 'list' ? node.items : [node];
  const read = list.flatMap(
    (item, i) =>
      oneOf(item, type.slice(1, -1), reading, { path: `${place.path}[${i}]`, at: item.at }) ?? [],
  );
  return { kind: 'list', items: read, at: node.at };
}

function oneOf(node: Node, type: string, reading: Reading, place: Place): Node | null {
  if (type === 'any') return node;
  if (Object.hasOwn(MESSAGES, type)) return message(node, type as MessageName, reading, place);
  if (node.kind !== 'scalar') {
    // A secret in the wrong shape is still a secret: nothing of it is shown.
    wrongType(reading, place, node, WANTED[type] ?? 'one word');
    return null;
  }
  if (node.value === null) {
    // Only in a list: where a field is nothing it is absent.
    wrongType(reading, place, node, WANTED[type] ?? 'one word');
    return null;
  }
  if (Object.hasOwn(ENUMS, type)) return enumOf(node, type as EnumName, reading, place);
  switch (type) {
    case 'bool':
      return boolOf(node, reading, place);
    case 'uint':
    case 'double':
      return numberOf(node, type, reading, place);
    case 'duration':
      return durationOf(node, reading, place);
    default:
      return textOf(node, type, reading, place);
  }
}

const WANTED: Readonly<Record<string, string>> = {
  string: 'text',
  secret: 'text',
  bool: 'true or false',
  uint: 'a whole number, 0 or more',
  double: 'a number',
  duration: 'a duration such as 5s',
};

function wrongType({ findings }: Reading, place: Place, node: Node, wanted: string): void {
  const isNothing = node.kind === 'scalar' && node.value === null;
  const is =
    node.kind === 'list'
      ? 'a list'
      : node.kind === 'map'
        ? 'a mapping'
        : isNothing
          ? 'nothing'
          : 'a single value';
  findings.say(
    'READ-TYPE',
    place.at,
    `${place.path === '' ? 'this' : place.path} is ${is}; wanted: ${wanted}`,
    { consequence: 'it is left out here; the mesh refuses it' },
  );
}

function hint({ findings }: Reading, place: Place, message: string, advice: string): void {
  findings.say('READ-HINT', place.at, `${place.path} ${message}`, { advice });
}

function textOf(node: ScalarNode, type: string, reading: Reading, place: Place): Node {
  if (typeof node.value === 'string') return node;
  reading.findings.say(
    'READ-TYPE',
    place.at,
    `${place.path} is ${typeof node.value === 'number' ? 'a number' : 'a truth value'} where text is due`,
    {
      consequence:
        type === 'secret'
          ? 'taken as it is written here; the mesh refuses it'
          : `taken as '${node.text}' here; the mesh refuses it`,
      advice: 'put it in quotes',
    },
  );
  return { ...node, value: node.text };
}

/** The words that YAML 1.1, which Kubernetes's tools read, takes for truth values. */
const YAML_1_1: Readonly<Record<string, boolean>> = {
  yes: true,
  on: true,
  y: true,
  no: false,
  off: false,
  n: false,
};

function boolOf(node: ScalarNode, reading: Reading, place: Place): Node | null {
  if (typeof node.value === 'boolean') return node;
  const word = node.text.toLowerCase();
  const other = Object.hasOwn(YAML_1_1, word) ? YAML_1_1[word] : undefined;
  const value = word === 'true' ? true : word === 'false' ? false : other;
  if (value === undefined) {
    reading.findings.say(
      'READ-TYPE',
      place.at,
      `${place.path} is '${node.text}'; wanted: true or false`,
      { consequence: 'it is left out here; the mesh refuses it' },
    );
    return null;
  }
  hint(reading, place, `is the text '${node.text}', taken as ${value}`, `write ${value}`);
  return { ...node, value };
}

function numberOf(
  node: ScalarNode,
  type: 'uint' | 'double',
  reading: Reading,
  place: Place,
): Node | null {
  const value =
    typeof node.value === 'number'
      ? node.value
      : typeof node.value === 'string' && node.text.trim() !== ''
        ? Number(node.text)
        : Number.NaN;
  if (
    !Number.isFinite(value) ||
    (type === 'uint' && (!Number.isInteger(value) || value < 0 || value > 0xffffffff))
  ) {
    reading.findings.say(
      'READ-TYPE',
      place.at,
      `${place.path} is '${node.text}'; wanted: ${WANTED[type]}`,
      { consequence: 'it is left out here; the mesh refuses it' },
    );
    return null;
  }
  if (typeof node.value === 'string')
    hint(reading, place, 'is a number written as text', `write ${value} without quotes`);
  return { ...node, value };
}

/** Node's timers go no further; longer is for ever here (25 days). */
const LONGEST_MS = 0x7fffffff;

function durationOf(node: ScalarNode, reading: Reading, place: Place): Node | null {
  const read = parseDuration(node.text.trim());
  const say = (consequence: string, advice: string): void =>
    reading.findings.say(
      'READ-DURATION',
      place.at,
      `${place.path} is '${node.text}', no duration${reading.dialect === 'envoy' ? ' as Envoy reads them' : ''}`,
      { consequence, advice },
    );
  if (typeof node.value === 'number' || (read === null && /^\d+(\.\d+)?$/.test(node.text))) {
    say('taken as seconds here; the mesh refuses a number without a unit', `write ${node.text}s`);
    return { ...node, value: Math.max(0, Math.min(Number(node.text) * 1000, LONGEST_MS)) };
  }
  if (read === null || read.ms < 0) {
    say('it is left out here; the mesh refuses it', 'write seconds with an s: 5s, 0.25s');
    return null;
  }
  if (reading.dialect === 'envoy' && !read.isEnvoy)
    say(`taken as ${read.ms / 1000}s here; Envoy refuses it`, `write ${read.ms / 1000}s`);
  return { ...node, value: Math.min(read.ms, LONGEST_MS) };
}

function enumOf(node: ScalarNode, name: EnumName, reading: Reading, place: Place): Node | null {
  const names: readonly string[] = ENUMS[name];
  const isEnvoy = reading.dialect === 'envoy';
  if (isEnvoy && typeof node.value === 'number') {
    const found = names[node.value];
    if (found !== undefined) return make(found, node.at);
  }
  const upper = node.text.toUpperCase();
  const found = ENUM_ALIASES[name]?.[upper] ?? names.find((each) => each === upper);
  if (found === undefined) {
    const near = nearest(node.text, names);
    reading.findings.say(
      'READ-ENUM',
      place.at,
      `${place.path} is '${node.text}'; it can be ${names.join(', ')}`,
      {
        consequence: 'it is left out here; the mesh refuses it',
        advice: near === null ? '' : `write ${near}`,
      },
    );
    return null;
  }
  if (!isEnvoy && node.text !== found) {
    reading.findings.say(
      'READ-ENUM',
      place.at,
      `${place.path} is '${node.text}'; names are written in upper case here`,
      {
        consequence: `taken as ${found}; the API server refuses it`,
        advice: `write ${found}`,
      },
    );
  }
  return make(found, node.at);
}

/** Where the other messages of the same dialect have a field of this name. */
function homesOf(field: string, isCrd: boolean): string[] {
  return Object.entries(HOMES).flatMap(([name, home]) =>
    home.crd === isCrd && Object.hasOwn(MESSAGES[name as MessageName], field) ? [home.path] : [],
  );
}

/** How a message is reached, for "it belongs under …". */
const HOMES: Readonly<
  Partial<Record<MessageName, { readonly path: string; readonly crd: boolean }>>
> = {
  ConnPoolSettings: { path: 'settings', crd: false },
  PrefixRoutes: { path: 'prefix_routes', crd: false },
  Route: { path: 'prefix_routes.routes[]', crd: false },
  RequestMirrorPolicy: { path: 'prefix_routes.….request_mirror_policy[]', crd: false },
  RedisFault: { path: 'faults[]', crd: false },
  RedisProxy: { path: 'the redis_proxy filter itself', crd: false },
  RedisClusterConfig: { path: "the cluster's cluster_type.typed_config", crd: false },
  RedisProtocolOptions: {
    path: 'the cluster\'s typed_extension_protocol_options["envoy.filters.network.redis_proxy"]',
    crd: false,
  },
  ServiceSettings: { path: 'spec.settings', crd: true },
  RedisServiceSpec: { path: 'spec of a RedisService', crd: true },
  KeyMatch: { path: 'spec.redis[].match.key', crd: true },
  ServiceRoute: { path: 'spec.redis[]', crd: true },
  ServiceFault: { path: 'spec.faults[]', crd: true },
  RedisPool: { path: 'spec.trafficPolicy.connectionPool.redis of a RedisDestination', crd: true },
  TcpPool: { path: 'spec.trafficPolicy.connectionPool.tcp of a RedisDestination', crd: true },
};

function unknownField(
  { dialect, findings }: Reading,
  name: MessageName,
  written: string,
  place: Place,
): void {
  const fields = Object.keys(MESSAGES[name]);
  const isCrd = dialect === 'crd';
  const code: DiagnosticCode = isCrd ? 'READ-SPELLING' : 'READ-UNKNOWN';
  const consequence = isCrd
    ? 'the API server cuts unknown fields off: it does nothing'
    : 'Envoy refuses the configuration over an unknown field';
  const other = isCrd ? camel(written) : snake(written);
  if (isCrd && fields.includes(other)) {
    findings.say(code, place.at, `${place.path}: only camelCase is read in a Kubernetes object`, {
      consequence,
      advice: `write ${other}`,
    });
    return;
  }
  const homes = homesOf(other, isCrd);
  const near = nearest(other, fields);
  const advice =
    homes.length > 0
      ? `${other} belongs under ${homes.join(', or ')}`
      : near !== null
        ? `did you mean ${near}?`
        : `known here: ${fields.join(', ')}`;
  const isOpen = OPEN_MESSAGES.has(name);
  findings.say(
    code,
    place.at,
    `${place.path}: there is no such field here${isOpen ? ', as far as rmtop knows' : ''}`,
    {
      consequence,
      advice,
      ...(isOpen ? { level: 'warning' } : {}),
    },
  );
  if (isCrd)
    findings.withoutEffect(place.at, place.path, 'nothing: the API server cuts the field off');
}
