/** The fields a filter can compare, with their types and the phase from which they are known. See `ux.md` d.3. */
import { errorSaidBy } from '../events/said.js';
import { CLASSES } from './classes.js';
import type { Facts } from './facts.js';
import { REPLY_TYPES, textsOfReply } from './reply.js';
import type { NumberType } from './units.js';

/** When a field is known: at arrival, after the decision, after the reply, after the mirror's reply. */
export type Phase = 'arrival' | 'decision' | 'reply' | 'mirror';

export const PHASES: readonly Phase[] = ['arrival', 'decision', 'reply', 'mirror'];

/** Several values: a comparison is true when any of them fits. Null: none, and no comparison is true. */
type Values<T> = T | null | readonly T[];

type Common = { readonly phase: Phase; readonly help: string; readonly example: string };

/** A field that is a number; durations are in µs, sizes in bytes. */
export type NumberField = Common & {
  readonly type: NumberType;
  readonly get: (facts: Facts) => Values<number>;
};

/** A field that is text, one character a byte. `name`: case does not count; `enum`: one of `values`, nor does it there. */
export type TextField = Common & {
  readonly type: 'bytes' | 'text' | 'name' | 'enum';
  readonly values?: readonly string[];
  readonly get: (facts: Facts) => Values<string>;
};

export type Field = NumberField | TextField;

/** Text as the bytes it is on the wire, one character each. */
export function asBytes(text: string): string {
  return Buffer.from(text).toString('latin1');
}

const orNull = (text: string | null | undefined): string | null =>
  text == null ? null : asBytes(text);
const absent = (): null => null;

function number(
  type: NumberType,
  phase: Phase,
  help: string,
  example: string,
  get: NumberField['get'],
): NumberField {
  return { type, phase, help, example, get };
}

function text(
  type: TextField['type'],
  phase: Phase,
  help: string,
  example: string,
  get: TextField['get'],
  values: readonly string[] = [],
): TextField {
  return { type, phase, help, example, get, values };
}

const WHYS = ['policy', 'fallback', 'redirect', 'random', 'write', 'pinned', 'refused'];

function tagOf(key: string): string | null {
  const from = key.indexOf('{');
  const to = from === -1 ? -1 : key.indexOf('}', from + 1);
  return to <= from + 1 ? null : key.slice(from + 1, to);
}

function prefixOf(key: string): string | null {
  const colon = key.indexOf(':');
  return colon === -1 ? null : key.slice(0, colon);
}

function present<T>(values: readonly (T | null)[]): readonly T[] {
  return values.filter((value): value is T => value !== null);
}

function forwarded(
  facts: Facts,
  us: (event: NonNullable<Facts['event']>) => number,
): number | null {
  return facts.event === null || facts.parts.length === 0 ? null : us(facts.event);
}

/** What came of each copy; while nothing has come of one, it is pending. */
function mirrorStates(facts: Facts): readonly string[] | null {
  const { mirrors } = facts;
  if (mirrors.length > 0) return mirrors.map((mirror) => mirror.state);
  return facts.isMirrored ? ['pending'] : null;
}

const clientName = (facts: Facts): string | null => orNull(facts.client?.name);
const clientAddress = (facts: Facts): string | null => orNull(facts.client?.address);

/** All fields by name, in the order of the help. Outside of a replay what it compares is absent. */
export const FIELDS: Readonly<Record<string, Field>> = {
  n: number('int', 'arrival', 'arrival number', 'n>48000', (facts) => facts.seq),
  t: number(
    'duration',
    'arrival',
    'arrival, since the start',
    't in {10s..20s}',
    (facts) => facts.atUs,
  ),
  age: number(
    'duration',
    'arrival',
    'time since it arrived',
    'age<5s',
    (facts) => facts.world.nowUs() - facts.atUs,
  ),
  conn: number('int', 'arrival', 'number of the connection', 'conn=7', (facts) => facts.connection),
  client: text('text', 'arrival', 'name or address of the client', 'client=worker', (facts) =>
    present([clientName(facts), clientAddress(facts)]),
  ),
  'client.name': text(
    'text',
    'arrival',
    'name the client gave itself',
    'client.name=worker',
    clientName,
  ),
  'client.addr': text(
    'text',
    'arrival',
    'address of the client',
    'client.addr=10.1.2.3:*',
    clientAddress,
  ),
  user: text('text', 'arrival', 'user it logged in as', 'user=app', absent),
  db: number('int', 'arrival', 'database', 'db=0', () => 0),
  resp: number(
    'int',
    'arrival',
    'RESP version of the connection',
    'resp=3',
    (facts) => facts.client?.resp ?? null,
  ),
  cmd: text(
    'name',
    'arrival',
    'command; CONFIG matches CONFIG GET too',
    'cmd in {GET, MGET}',
    (facts) => {
      const { name } = facts;
      const space = name.indexOf(' ');
      return space === -1 ? name : [name, name.slice(0, space)];
    },
  ),
  class: text(
    'enum',
    'arrival',
    'kind of command',
    'class=write',
    (facts) => facts.classes,
    CLASSES,
  ),
  arg: text('bytes', 'arrival', 'any argument', 'arg="\\x00\\xff"', (facts) => facts.args),
  args: number('int', 'arrival', 'number of arguments', 'args>10', (facts) => facts.args.length),
  key: text('bytes', 'arrival', 'any key', 'key=session:*', (facts) => facts.keys),
  keys: number('int', 'arrival', 'number of keys', 'keys>1', (facts) => facts.keys.length),
  prefix: text('bytes', 'arrival', 'text before the first : of a key', 'prefix=user', (facts) =>
    present(facts.keys.map(prefixOf)),
  ),
  tag: text('bytes', 'arrival', 'hash tag of a key', 'tag=42', (facts) =>
    present(facts.keys.map(tagOf)),
  ),
  'req.size': number(
    'size',
    'arrival',
    'bytes of the request',
    'req.size>=4KiB',
    (facts) => facts.event?.request.total ?? null,
  ),
  pipe: number('int', 'arrival', 'place in the pipeline it came in, from 1', 'pipe>10', (facts) =>
    facts.event === null ? null : facts.seq - facts.event.burst.first + 1,
  ),
  slot: number('int', 'decision', 'slot', 'slot in {0..5460, 12000}', (facts) => facts.slots),
  route: text(
    'text',
    'decision',
    'prefix of the route; * for the catch-all',
    'route=user:',
    (facts) =>
      present(
        facts.parts.map((part) => (part.route === null ? null : asBytes(part.route.prefix ?? '*'))),
      ),
  ),
  policy: text(
    'enum',
    'decision',
    'read policy in force',
    'policy=MASTER',
    (facts) =>
      facts.decision === null
        ? null
        : (facts.world.config(facts.decision.configVersion)?.settings.readPolicy ?? null),
    ['MASTER', 'PREFER_MASTER', 'REPLICA', 'PREFER_REPLICA', 'ANY'],
  ),
  why: text(
    'enum',
    'decision',
    'why it went where it went',
    'why in {fallback, random}',
    (facts) => facts.why,
    WHYS,
  ),
  node: text('name', 'decision', 'alias of the node', 'node=s2.*', (facts) =>
    facts.nodes.map((node) => node.alias),
  ),
  'node.addr': text(
    'text',
    'decision',
    'announced address of the node',
    'node.addr=10.1.2.5:6379',
    (facts) => facts.nodes.map((node) => node.address),
  ),
  shard: text('name', 'decision', 'shard', 'shard=s2', (facts) =>
    present(facts.nodes.map((node) => node.shard)),
  ),
  role: text(
    'enum',
    'decision',
    'role of the node',
    'role=replica',
    (facts) => facts.nodes.map((node) => node.role),
    ['primary', 'replica'],
  ),
  'fault.id': text('name', 'decision', 'fault rule that hit', 'fault.id=t1', (facts) =>
    orNull(facts.fault?.id),
  ),
  'fault.kind': text('name', 'decision', 'kind of that fault', 'fault.kind=delay', (facts) =>
    orNull(facts.fault?.action.kind),
  ),
  hops: number('int', 'reply', 'redirects followed', 'hops>0', (facts) =>
    facts.event === null ? null : facts.hops,
  ),
  rtt: number(
    'duration',
    'reply',
    'from request to reply, for the client',
    'rtt>2ms',
    (facts) => facts.durationUs,
  ),
  'time.queue': number(
    'duration',
    'reply',
    'before it was sent upstream',
    'time.queue>1ms',
    (facts) => forwarded(facts, (event) => event.queueUs),
  ),
  'time.upstream': number(
    'duration',
    'reply',
    'until the last server had replied',
    'time.upstream>5ms',
    (facts) => forwarded(facts, (event) => event.upstreamUs),
  ),
  'time.proxy': number('duration', 'reply', 'the rest', 'time.proxy>1ms', (facts) =>
    forwarded(facts, (event) => Math.max(0, event.durationUs - event.queueUs - event.upstreamUs)),
  ),
  'rep.size': number(
    'size',
    'reply',
    'bytes of the reply',
    'rep.size>=64KiB',
    (facts) => facts.event?.reply.total ?? null,
  ),
  'rep.type': text(
    'enum',
    'reply',
    'type of the reply',
    'rep.type=array',
    (facts) => facts.replyType,
    REPLY_TYPES,
  ),
  reply: text('bytes', 'reply', 'text in the reply', 'reply=~/timeout/', (facts) =>
    facts.reply === null ? null : textsOfReply(facts.reply),
  ),
  error: text('bytes', 'reply', 'text of an error reply', 'error=~/^MOVED/', (facts) =>
    facts.isError && facts.reply !== null ? textsOfReply(facts.reply) : null,
  ),
  said: text(
    'enum',
    'reply',
    'who said the error: the proxy, as Envoy would, or a server',
    'said=proxy',
    (facts) => facts.event && errorSaidBy(facts.event),
    ['proxy', 'server'],
  ),
  'mirror.node': text(
    'name',
    'mirror',
    'mirror it was copied to',
    'mirror.node=redis-new',
    (facts) => facts.mirrors.map((mirror) => asBytes(mirror.upstream)),
  ),
  'mirror.state': text(
    'enum',
    'mirror',
    'what the mirror answered',
    'mirror.state=diff',
    mirrorStates,
    ['same', 'diff', 'uncompared', 'failed', 'dropped', 'pending'],
  ),
  'mirror.lag': number(
    'duration',
    'mirror',
    'how much longer it took to answer',
    'mirror.lag>5ms',
    (facts) => present(facts.mirrors.map((mirror) => mirror.lagUs)),
  ),
  'mirror.reply': text(
    'bytes',
    'mirror',
    "text in the mirror's reply",
    'mirror.reply=~/x/',
    (facts) => present(facts.mirrors.map((mirror) => mirror.reply)),
  ),
  mark: text('text', 'arrival', 'mark', 'mark=a', (facts) => orNull(facts.mark?.mark)),
  note: text('text', 'arrival', 'note', 'note=~/todo/', (facts) => orNull(facts.mark?.note)),
  'replay.diff': text(
    'enum',
    'arrival',
    'in a replay: how it differs',
    'replay.diff!=same',
    (facts) => facts.replayed,
    ['same', 'diff', 'missing', 'extra', 'elsewhere'],
  ),
};

export function isField(name: string): boolean {
  return Object.hasOwn(FIELDS, name);
}

/** `e.g. rtt>2ms`, for a message about that field; `in` asks for one with a set. */
export function exampleOf(name: string, form: 'any' | 'in' = 'any'): string | null {
  const field = isField(name.toLowerCase()) ? FIELDS[name.toLowerCase()] : undefined;
  if (field === undefined) return null;
  if (form === 'any' || field.example.includes(' in {')) return `e.g. ${field.example}`;
  const value = /(?:[=<>~]+)(.*)$/.exec(field.example)?.[1] ?? '1';
  return `e.g. ${name} in {${value}}`;
}
