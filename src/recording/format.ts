/** Events ↔ lines of a recording, format 1 (recording page, section 4). Nothing else knows these names. */
import { isUtf8 } from 'node:buffer';
import { createHash } from 'node:crypto';
import { type KeptArgument, readCut } from '../events/condense.js';
import type {
  Attempt,
  CommandEvent,
  OtherEvent,
  ServerState,
  UpstreamState,
} from '../events/event.js';
import type { StreamContext } from '../events/reader.js';
import { whyOf } from '../events/why.js';
import type { MeshConfig } from '../mesh/config.js';
import { type Decision, isOpened, type Part, partsOf, type RefusalCode } from '../mesh/decision.js';
import { aliasOf, type Topology } from '../mesh/topology.js';
import { decodeReply, type Reply } from '../resp/value.js';

/** A byte string: text where it is UTF-8. */
export type S =
  | string
  | { b64: string }
  | { red: string; len?: number }
  | { cut: number; head: S; sha256: string };

/** A JSON value of a line. */
export type Json =
  | null
  | boolean
  | number
  | string
  | readonly Json[]
  | { readonly [key: string]: Json | undefined };

/** What the header says of the stream as a whole. */
export type HeaderInfo = {
  readonly id: string;
  readonly tool: string;
  readonly cut: { readonly value: number; readonly record: number };
  readonly pendMs: number;
};

/** Bytes as text if they are UTF-8, else as base64. */
export function bytesToJson(bytes: Buffer): Json {
  return isUtf8(bytes) ? bytes.toString() : { b64: bytes.toString('base64') };
}

/** Keys are kept whole, whatever their size; above this one even they are cut, for a line is a string. */
const MOST_WHOLE = 8 * 1024 * 1024;

function argumentToJson(arg: KeptArgument): Json {
  switch (arg.kind) {
    case 'whole': {
      if (arg.bytes.length <= MOST_WHOLE) return bytesToJson(arg.bytes);
      const sha256 = createHash('sha256').update(arg.bytes).digest('hex');
      return { cut: arg.bytes.length, head: bytesToJson(arg.bytes.subarray(0, 4096)), sha256 };
    }
    case 'redacted':
      return { red: arg.rule };
    case 'cut':
      return { cut: arg.total, head: bytesToJson(arg.bytes), sha256: arg.sha256 };
  }
}

const SAFE_INTEGER = /^(?:0|-?[1-9]\d{0,15})$/;

/** A reply by its RESP type byte; see the recording page, 4.2. */
export function replyToJson(reply: Reply): Json {
  switch (reply.type) {
    case '$':
      return bytesToJson(reply.value);
    case ':':
      return SAFE_INTEGER.test(reply.value) && Number.isSafeInteger(Number(reply.value))
        ? Number(reply.value)
        : { ':': reply.value };
    case 'null':
      return reply.spelling === '$' ? null : { [reply.spelling]: null };
    case '#':
      return reply.value;
    case '*':
      return reply.items.map(replyToJson);
    case '+':
    case '-':
    case '!':
    case '=':
      return { [reply.type]: bytesToJson(reply.value) };
    case ',':
    case '(':
      return { [reply.type]: reply.value };
    case '~':
    case '>':
      return { [reply.type]: reply.items.map(replyToJson) };
    case '%':
      return { '%': reply.pairs.map(([key, value]) => [replyToJson(key), replyToJson(value)]) };
    case '|':
      return {
        '|': reply.pairs.map(([key, value]) => [replyToJson(key), replyToJson(value)]),
        v: replyToJson(reply.of),
      };
  }
}

/** µs → seconds with at most six decimals. */
function seconds(us: number): number {
  return Math.round(us) / 1e6;
}

/** The first line. */
export function headerToJson(
  event: Extract<OtherEvent, { type: 'hello' }>,
  info: HeaderInfo,
): Json {
  return {
    k: 'rmtop',
    v: 1,
    min: 1,
    id: info.id,
    part: 1,
    t0: event.startedAt,
    tool: info.tool,
    listen: event.listen,
    up: event.upstream,
    redact: { mode: 'auth', key: 'none' },
    capture: 'replies',
    cut: info.cut,
    pend_ms: info.pendMs,
  };
}

/** A `mir` line; with its reply where that is not the client's. */
function mirrorToJson(t: number, event: Extract<OtherEvent, { type: 'mirror' }>): Json {
  const { state, detail, reply, durationUs } = event;
  const theirs = reply === null ? null : decodeReply(Buffer.from(reply, 'latin1'));
  return {
    k: 'mir',
    n: event.seq,
    to: event.upstream,
    t,
    ...(durationUs === null ? {} : { d: seconds(durationUs) }),
    st: state,
    ...(theirs === null ? {} : { r: replyToJson(theirs) }),
    ...(detail === null ? {} : state === 'same' ? { tol: detail } : { note: detail }),
    ...(event.cause === null ? {} : { cause: event.cause.code }),
  };
}

/** The line of an event that is no command; null for those that are not written. */
export function otherToJson(event: OtherEvent): Json | null {
  const t = seconds(event.atUs);
  switch (event.type) {
    case 'config':
      return configToJson(t, event.config);
    case 'topology':
      return topologyToJson(t, event);
    case 'session':
      return {
        k: 'conn',
        t,
        c: event.connection,
        addr: event.address,
        ...(event.name === null ? {} : { name: event.name }),
        ...(event.library === null ? {} : { lib: event.library }),
        resp: event.resp,
      };
    case 'session-closed':
      return {
        k: 'end',
        t,
        c: event.connection,
        why: event.by,
        ...(event.error === null ? {} : { err: event.error }),
      };
    case 'pending':
      return {
        k: 'pend',
        n: event.seq,
        t: seconds(event.arrivedUs),
        c: event.connection,
        a:
          event.key === null
            ? [event.name]
            : [event.name, bytesToJson(Buffer.from(event.key, 'latin1'))],
      };
    case 'mirror':
      return mirrorToJson(t, event);
    case 'gap':
      return { k: 'drop', t, from: event.from, to: event.to, why: 'queue' };
    case 'push': {
      const reply = decodeReply(Buffer.from(event.reply, 'latin1'));
      return { k: 'push', t, c: event.connection, r: reply === null ? null : replyToJson(reply) };
    }
    case 'log':
      return {
        k: 'note',
        t,
        text: event.next === null ? event.text : `${event.text}; ${event.next}`,
      };
    case 'hello':
    case 'server':
    case 'upstream':
      return null;
  }
}

function configToJson(t: number, config: MeshConfig): Json {
  const text = JSON.stringify(config);
  const sha256 = createHash('sha256').update(text).digest('hex');
  return { k: 'cfg', t, cv: config.version, name: 'flags', sha256, mesh: JSON.parse(text) as Json };
}

function topologyToJson(t: number, event: Extract<OtherEvent, { type: 'topology' }>): Json {
  const states = Object.entries(event.upstreams);
  const nodes = states.flatMap(([name, state]) =>
    nodesOf(states.length > 1 ? `${name}/` : '', state),
  );
  return {
    k: 'topo',
    t,
    ep: event.version,
    src: states.map(([, state]) => state.source).join(' '),
    nodes,
  };
}

function nodesOf(prefix: string, state: UpstreamState): Json[] {
  const primaries = [...new Set((state.ranges ?? []).map((range) => range.primary))];
  let shard = -1;
  let replica = 0;
  return state.servers.map((server) => {
    const isPrimary = state.ranges === null || primaries.includes(server.address);
    if (isPrimary) {
      shard++;
      replica = 0;
    } else replica++;
    const id = `${prefix}s${shard}.${isPrimary ? 'p' : `r${replica}`}`;
    const slots = (state.ranges ?? [])
      .filter((range) => range.primary === server.address)
      .map((range) => [range.start, range.end]);
    return nodeToJson(
      id,
      server,
      isPrimary ? slots : [],
      isPrimary ? null : `${prefix}s${shard}.p`,
    );
  });
}

function nodeToJson(
  id: string,
  server: ServerState,
  slots: readonly (readonly number[])[],
  of: string | null,
): Json {
  return {
    id,
    addr: server.address,
    ...(server.dialled === server.address ? {} : { via: server.dialled }),
    ...(slots.length === 0 ? {} : { slots }),
    ...(of === null ? {} : { of }),
    ...(server.reachable === false || !server.healthy ? { down: true } : {}),
  };
}

/** The line of a finished command. */
export function commandToJson(event: CommandEvent, context: StreamContext): Json {
  const { decision, outcome, burst } = event;
  const topology = context.topology(decision.topologyVersion);
  const parts = partsOf(decision);
  const keys = event.command.keys;
  const slots = [...new Set(parts.map((part) => part.to?.slot ?? -1).filter((slot) => slot >= 0))];
  const isKnown = keys.length === 0 || (keys.length === 1 && keys[0] === 1);
  return {
    k: 'cmd',
    n: event.seq,
    t: seconds(event.atUs),
    d: seconds(event.durationUs),
    c: event.connection,
    ...(burst.size > 1 ? { q: [burst.first, event.seq - burst.first, burst.size] } : {}),
    a: event.args.map(argumentToJson),
    ...(isKnown ? {} : { ks: keys }),
    ...(slots.length === 0 ? {} : { s: slots.length === 1 ? (slots[0] as number) : slots }),
    ...routeToJson(parts),
    ...(decision.action.kind === 'refuse' ? { rf: refusalName(decision.action.error) } : {}),
    ...(decision.draws.length > 0 ? { dr: decision.draws } : {}),
    ...versionsToJson(decision, context),
    u: nodesToJson(event, parts, topology),
    ...placeToJson(decision, event, parts),
    ...hopsToJson(event.attempts, topology, parts),
    ...(parts.length > 0
      ? {
          tm: [
            event.queueUs,
            event.upstreamUs,
            Math.max(0, event.durationUs - event.queueUs - event.upstreamUs),
          ],
        }
      : {}),
    ...letters(event, decision),
    ...replyPart(event),
    ...(outcome.kind === 'reply' && outcome.cause !== null ? { cause: { ...outcome.cause } } : {}),
    ...(outcome.kind === 'client-closed'
      ? { e: 'client_closed' }
      : outcome.kind === 'shutdown'
        ? { e: 'shutdown' }
        : {}),
  };
}

function routeToJson(parts: readonly Part[]): { rt?: string } {
  const route = parts[0]?.route;
  return route === undefined || route === null ? {} : { rt: route.prefix ?? '*' };
}

const REFUSALS: Partial<Record<RefusalCode, string>> = {
  'unknown-command': 'unsupported',
  'no-route': 'noroute',
  'no-host': 'nohost',
  'wrong-arity': 'arity',
  'err-wrong-arity': 'arity',
};

function refusalName(code: RefusalCode): string {
  return REFUSALS[code] ?? code;
}

/** The versions a decision was made with, where they are not the newest before this line. */
function versionsToJson(decision: Decision, context: StreamContext): { ev?: readonly number[] } {
  const { topology, config } = context.latest;
  const isLatest =
    topology?.version === decision.topologyVersion && config?.version === decision.configVersion;
  return isLatest ? {} : { ev: [decision.topologyVersion, decision.configVersion] };
}

function alias(topology: Topology | undefined, upstream: string, address: string): string {
  return topology === undefined ? address : aliasOf(topology, upstream, address);
}

function nodesToJson(
  event: CommandEvent,
  parts: readonly Part[],
  topology: Topology | undefined,
): Json {
  const [only] = parts;
  if (only === undefined) return '-';
  if (parts.length === 1) {
    const address = event.attempts.at(-1)?.address ?? only.to?.address;
    return address === undefined ? '-' : alias(topology, only.to?.upstream ?? '', address);
  }
  return parts.map((part, i) => {
    const attempt = event.attempts.findLast((each) => each.part === i);
    const address = attempt?.address ?? part.to?.address;
    return {
      u: address === undefined ? '-' : alias(topology, part.to?.upstream ?? '', address),
      ks: part.args === 'all' ? [] : part.args.filter((at) => event.command.keys.includes(at)),
      d: attempt === undefined ? 0 : durationOf(attempt),
    };
  });
}

function durationOf({ sentUs, doneUs }: Attempt): number {
  return sentUs < 0 || doneUs < 0 ? 0 : seconds(doneUs - sentUs);
}

function placeToJson(
  decision: Decision,
  event: CommandEvent,
  parts: readonly Part[],
): { p?: Json } {
  const [first] = parts;
  if (first === undefined) return {};
  const why = whyOf(decision, event.attempts);
  const choose = first.why.find((reason) => reason.stage === 'choose');
  const policy = choose !== undefined && 'policy' in choose ? choose.policy : null;
  const role = first.to?.role === 'replica' ? 'R' : 'P';
  return { p: policy === null ? [why, role] : [why, role, policy] };
}

function hopsToJson(
  attempts: readonly Attempt[],
  topology: Topology | undefined,
  parts: readonly Part[],
): { hp?: Json } {
  const hops = attempts.flatMap((attempt, i) => {
    const from = attempts[i - 1];
    if (attempt.kind === 'decided' || from === undefined) return [];
    const { slot, upstream } = parts[attempt.part]?.to ?? { slot: -1, upstream: '' };
    return [
      [
        attempt.kind,
        slot,
        alias(topology, upstream, from.address),
        alias(topology, upstream, attempt.address),
      ],
    ];
  });
  return hops.length === 0 ? {} : { hp: hops };
}

function letters(event: CommandEvent, decision: Decision): { x?: string } {
  const flags = [
    event.command.session.multi ? 'T' : '',
    decision.action.kind === 'forward' ? '' : 'L',
    event.command.spec?.envoyWrite ? 'W' : '',
    isOpened(decision) ? 'O' : '',
  ].join('');
  return flags === '' ? {} : { x: flags };
}

/** The reply, or only its size where it was not kept. */
function replyPart(event: CommandEvent): { r?: Json; rs?: number } {
  const { bytes, total, condensed } = event.reply;
  const reply = bytes.length === 0 ? null : decodeReply(bytes);
  if (reply === null) return total > 0 ? { rs: total } : {};
  if (!condensed) return { r: replyToJson(reply) };
  const content = reply.type === '=' ? reply.value : Buffer.alloc(0);
  const cut = readCut(content);
  if (cut !== null) return { r: argumentToJson(cut), rs: total };
  const rule = content.toString().replace(/^red:/, '');
  return rule === 'size' ? { rs: total } : { r: { red: rule }, rs: total };
}
