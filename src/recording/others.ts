/** Events that are no command ↔ lines: the header, topologies, configurations, connections and what happens to them (4.3). */
import { createHash } from 'node:crypto';
import type {
  Cause,
  MirrorState,
  OtherEvent,
  ServerState,
  SnapshotLeft,
  UpstreamState,
} from '../events/event.js';
import type { MeshConfig } from '../mesh/config.js';
import type { RedactRule } from './redact-rules.js';
import {
  bytesFromJson,
  bytesToJson,
  isJsonObject,
  type Json,
  type JsonObject,
  replyBytesFromJson,
  replyBytesToJson,
} from './values.js';

/** What the header says of the recording as a whole. */
export type HeaderInfo = {
  readonly id: string;
  readonly tool: string;
  readonly cut: { readonly value: number; readonly record: number };
  readonly pendMs: number;
  readonly redact: {
    readonly mode: string;
    readonly key: 'none' | 'random' | 'given';
    /** A user's own, so that what is asked of the recording can be seen as it was recorded. */
    readonly rules?: readonly RedactRule[];
  };
  readonly capture: 'replies' | 'args' | 'keys';
  /** The commands that were recorded are those that fit it; '' for all. */
  readonly filter: string;
  /** Where it comes from when it was not recorded live; its commands have neither replies nor durations. */
  readonly src?: 'monitor' | 'aof' | 'resp';
  readonly note?: string;
};

/** Which part of a rotated recording a header is of, and the file name of the part before. */
export type PartInfo = { readonly part: number; readonly prev: string | null };

/** µs → seconds with at most six decimals. */
export function seconds(us: number): number {
  return Math.round(us) / 1e6;
}

/** Seconds of a line → whole µs; 0 for what is no number. */
export function micros(value: Json | undefined): number {
  return typeof value === 'number' ? Math.round(value * 1e6) : 0;
}

/** The first line. */
export function headerToJson(
  event: Extract<OtherEvent, { type: 'hello' }>,
  info: HeaderInfo,
  { part, prev }: PartInfo = { part: 1, prev: null },
): JsonObject {
  return {
    k: 'rmtop',
    v: 1,
    min: 1,
    id: info.id,
    part,
    ...(prev === null ? {} : { prev }),
    t0: event.startedAt,
    tool: info.tool,
    listen: event.listen,
    up: event.upstream,
    redact: { ...info.redact } as JsonObject,
    capture: info.capture,
    cut: info.cut,
    pend_ms: info.pendMs,
    ...(info.filter === '' ? {} : { filter: info.filter }),
    ...(info.src === undefined ? {} : { src: info.src }),
    ...(info.note === undefined ? {} : { note: info.note }),
  };
}

/** The line of an event that is no command; null for those that are not written. */
export function otherToJson(event: OtherEvent): JsonObject | null {
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
        at: t,
      };
    case 'mirror':
      return mirrorToJson(t, event);
    case 'gap':
      return { k: 'drop', t, from: event.from, to: event.to, why: 'queue', cmds: event.dropped };
    case 'push':
      return {
        k: 'push',
        t,
        c: event.connection,
        r: replyBytesToJson(Buffer.from(event.reply, 'latin1')),
      };
    case 'log':
      return {
        k: 'note',
        t,
        text: event.text,
        lvl: event.level,
        ...(event.next === null ? {} : { next: event.next }),
      };
    case 'snapshot':
      return snapshotToJson(t, event);
    case 'upstream':
      return {
        k: 'up',
        t,
        u: event.upstream,
        addr: event.address,
        ...(event.dialled === event.address ? {} : { via: event.dialled }),
        st: event.state,
        ...(event.own ? { own: true } : {}),
        ...(event.cause === null ? {} : { cause: { ...event.cause } }),
      };
    case 'hello':
    case 'server':
      return null;
  }
}

/** A note that older readers pass over. A key that was not there has neither `dump` nor `left`. */
function snapshotToJson(t: number, event: Extract<OtherEvent, { type: 'snapshot' }>): JsonObject {
  const { seq, key, upstream, dump, ttlMs, left } = event;
  return {
    k: 'note',
    t,
    n: seq,
    snap: {
      key: bytesToJson(Buffer.from(key, 'latin1')),
      up: upstream,
      ...(dump === null ? {} : { dump: { b64: dump } }),
      ...(left === null
        ? { ttl: ttlMs }
        : { left: left.why, ...(left.detail === '' ? {} : { why: left.detail }) }),
    },
  };
}

/** With its reply where that is not the client's; `note` says where the two differ, `tol` by what they are the same. */
function mirrorToJson(t: number, event: Extract<OtherEvent, { type: 'mirror' }>): JsonObject {
  const { part, state, detail, reply, lagUs, durationUs, cause } = event;
  return {
    k: 'mir',
    n: event.seq,
    ...(part === 0 ? {} : { part }),
    to: event.upstream,
    addr: event.address,
    t,
    ...(durationUs === null ? {} : { d: seconds(durationUs) }),
    ...(lagUs === null ? {} : { lag: Math.round(lagUs) }),
    st: state,
    ...(reply === null ? {} : { r: replyBytesToJson(Buffer.from(reply, 'latin1')) }),
    ...(detail === null ? {} : state === 'same' ? { tol: detail } : { note: detail }),
    ...(cause === null ? {} : { cause: { ...cause } }),
  };
}

function configToJson(t: number, config: MeshConfig): JsonObject {
  const text = JSON.stringify(config);
  const sha256 = createHash('sha256').update(text).digest('hex');
  return { k: 'cfg', t, cv: config.version, name: 'flags', sha256, mesh: JSON.parse(text) as Json };
}

/** `nodes` is what people and other tools read; `ups` is the same as the discovery saw it, so that nothing has to be guessed back. */
function topologyToJson(t: number, event: Extract<OtherEvent, { type: 'topology' }>): JsonObject {
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
    ups: JSON.parse(JSON.stringify(event.upstreams)) as Json,
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

// ——— back ———

/** What lines before this one have said: a second `conn` of a connection is a change. */
export type KnownSessions = Set<number>;

/** The event that a line holds; null for lines that are none (`cmd`, `ck`, `fin`, marks, kinds of later versions). */
export function otherFromJson(line: JsonObject, known: KnownSessions): OtherEvent | null {
  const atUs = micros(line.t);
  switch (line.k) {
    case 'rmtop':
      return {
        type: 'hello',
        atUs: 0,
        startedAt: text(line.t0),
        listen: Array.isArray(line.listen) ? line.listen.map(String) : [],
        upstream: text(line.up),
      };
    case 'cfg':
      return isJsonObject(line.mesh)
        ? { type: 'config', atUs, config: line.mesh as unknown as MeshConfig }
        : null;
    case 'topo':
      return {
        type: 'topology',
        atUs,
        version: whole(line.ep),
        upstreams: isJsonObject(line.ups)
          ? (line.ups as unknown as Record<string, UpstreamState>)
          : upstreamsOfNodes(line),
      };
    case 'conn':
      return sessionFromJson(line, atUs, known);
    case 'end':
      known.delete(whole(line.c));
      return {
        type: 'session-closed',
        atUs,
        connection: whole(line.c),
        by: line.why === 'client' || line.why === 'rmtop' ? line.why : 'error',
        error: textOrNull(line.err),
      };
    case 'pend': {
      const [name, key] = Array.isArray(line.a) ? (line.a as readonly Json[]) : [];
      return {
        type: 'pending',
        atUs: line.at === undefined ? atUs : micros(line.at),
        seq: whole(line.n),
        arrivedUs: atUs,
        connection: whole(line.c),
        name: text(name),
        key: bytesFromJson(key)?.toString('latin1') ?? null,
      };
    }
    case 'mir':
      return mirrorFromJson(line, atUs);
    case 'drop': {
      const [from, to] = [whole(line.from), whole(line.to)];
      const dropped = typeof line.cmds === 'number' ? line.cmds : to - from + 1;
      return { type: 'gap', atUs, dropped, from, to };
    }
    case 'push': {
      const reply = replyBytesFromJson(line.r)?.toString('latin1') ?? '';
      return { type: 'push', atUs, connection: whole(line.c), reply };
    }
    case 'note':
      if (isJsonObject(line.snap)) return snapshotFromJson(line.snap, line, atUs);
      return typeof line.lvl === 'string' ? logFromJson(line, atUs) : null;
    case 'up':
      return {
        type: 'upstream',
        atUs,
        upstream: text(line.u),
        address: text(line.addr),
        dialled: text(line.via ?? line.addr),
        state: line.st === 'ready' || line.st === 'failed' ? line.st : 'closed',
        own: line.own === true,
        cause: causeFromJson(line.cause),
      };
    default:
      return null;
  }
}

const MIRROR_STATES: readonly MirrorState[] = ['same', 'diff', 'uncompared', 'failed', 'dropped'];

function mirrorFromJson(line: JsonObject, atUs: number): OtherEvent {
  const state = MIRROR_STATES.find((each) => each === line.st) ?? 'dropped';
  return {
    type: 'mirror',
    atUs,
    seq: whole(line.n),
    part: whole(line.part),
    upstream: text(line.to),
    address: text(line.addr),
    state,
    lagUs: typeof line.lag === 'number' ? line.lag : null,
    durationUs: typeof line.d === 'number' ? micros(line.d) : null,
    detail: textOrNull(line.tol ?? line.note),
    reply: replyBytesFromJson(line.r)?.toString('latin1') ?? null,
    cause: causeFromJson(line.cause),
  };
}

const LEFT: readonly SnapshotLeft['why'][] = [
  'large',
  'rate',
  'full',
  'refused',
  'failed',
  'unrouted',
  'redacted',
];

/** Null for one without a key: there is nothing to put back. */
function snapshotFromJson(snap: JsonObject, line: JsonObject, atUs: number): OtherEvent | null {
  const key = bytesFromJson(snap.key);
  if (key === null) return null;
  const why = LEFT.find((each) => each === snap.left);
  const dump = bytesFromJson(snap.dump);
  // What a later version says of why is at least not saved.
  const isLeft =
    snap.left !== undefined ||
    typeof snap.ttl !== 'number' ||
    (dump === null) !== (snap.ttl === -2);
  return {
    type: 'snapshot',
    atUs,
    seq: whole(line.n),
    key: key.toString('latin1'),
    upstream: text(snap.up),
    dump: isLeft ? null : (dump?.toString('base64') ?? null),
    ttlMs: isLeft ? -2 : whole(snap.ttl),
    left: isLeft ? { why: why ?? 'failed', detail: text(snap.why) } : null,
  };
}

function causeFromJson(value: Json | undefined): Cause | null {
  return isJsonObject(value) ? (value as unknown as Cause) : null;
}

function logFromJson(line: JsonObject, atUs: number): OtherEvent {
  const level = line.lvl === 'error' || line.lvl === 'warning' ? line.lvl : 'info';
  return { type: 'log', atUs, level, text: text(line.text), next: textOrNull(line.next) };
}

function sessionFromJson(line: JsonObject, atUs: number, known: KnownSessions): OtherEvent {
  const connection = whole(line.c);
  const state = known.has(connection) ? 'changed' : 'opened';
  known.add(connection);
  return {
    type: 'session',
    atUs,
    connection,
    state,
    address: text(line.addr),
    name: textOrNull(line.name),
    library: textOrNull(line.lib),
    resp: line.resp === 3 ? 3 : 2,
  };
}

/** A topology that was written without `ups`, by hand or by another tool: one upstream, its shards by `of` and `slots`. */
function upstreamsOfNodes(line: JsonObject): Record<string, UpstreamState> {
  const nodes = Array.isArray(line.nodes) ? line.nodes.filter(isJsonObject) : [];
  const ranges = nodes.flatMap((node) =>
    (Array.isArray(node.slots) ? (node.slots as [number, number][]) : []).map(([start, end]) => ({
      start,
      end,
      primary: text(node.addr),
      replicas: nodes.filter((each) => each.of === node.id).map((each) => text(each.addr)),
    })),
  );
  const servers = nodes.map((node) => ({
    address: text(node.addr),
    dialled: text(node.via ?? node.addr),
    healthy: node.down !== true,
    reachable: null,
    error: null,
  }));
  const kind = ranges.length > 0 ? 'slots' : servers.length === 1 ? 'single' : 'unknown';
  const source = text(line.src);
  return {
    redis: { kind, source, ranges: kind === 'slots' ? ranges : null, hosts: null, servers },
  };
}

function text(value: Json | undefined): string {
  return typeof value === 'string' ? value : '';
}

function textOrNull(value: Json | undefined): string | null {
  return typeof value === 'string' ? value : null;
}

function whole(value: Json | undefined): number {
  return typeof value === 'number' ? Math.trunc(value) : 0;
}
