/** What happened, as records: one union, read by the screen, the recorder, stdout and tests alike. */
import type { Command } from '../commands/command.js';
import type { Balancer, MeshConfig } from '../mesh/config.js';
import type { Decision } from '../mesh/decision.js';
import type { PlacedHost, SlotRange } from '../mesh/topology.js';
import type { KeptArgument } from './condense.js';

/** Why a request failed: what is behind Envoy's `upstream failure`. */
export type Cause = {
  readonly code:
    | 'refused'
    | 'unreachable'
    | 'unresolved'
    | 'connect-timeout'
    | 'op-timeout'
    | 'reset'
    | 'closed'
    | 'tls'
    | 'protocol'
    | 'handshake'
    | 'cluster-down'
    | 'removed'
    | 'shutdown'
    | 'too-many-unknown'
    /** One of rmtop's own rules: `detail` names it. */
    | 'fault';
  /** The server, as announced. */
  readonly address: string;
  /** How long it was waited for, where that is what failed. */
  readonly afterMs?: number;
  /** How many other requests the same closed connection took along. */
  readonly others?: number;
  readonly detail?: string;
};

/** One request to one server. Times are µs from the command's arrival; -1: it was never sent, or never answered. */
export type Attempt = {
  /** Index of the decision's part. */
  readonly part: number;
  /** Announced address. */
  readonly address: string;
  readonly kind: 'decided' | 'MOVED' | 'ASK';
  readonly sentUs: number;
  readonly doneUs: number;
};

/** How a command ended. */
export type Outcome =
  | { readonly kind: 'reply'; readonly cause: Cause | null }
  | { readonly kind: 'client-closed' | 'shutdown' };

/** Bytes as they were kept: RESP, or what `events/condense.ts` made of it. `total` counts what went over the wire. */
export type Kept = { readonly bytes: Buffer; readonly total: number; readonly condensed: boolean };

/**
 * What came of a copy to a mirror: `same` (also by a tolerance, which `detail` names), `diff`, `uncompared` (too large to keep), no
 * reply at all, or never sent.
 */
export type MirrorState = 'same' | 'diff' | 'uncompared' | 'failed' | 'dropped';

/**
 * Why a key's value was not saved: it is too large; too many at once; more keys than are remembered; the server refused, or did not
 * answer; no write of the key alone would find it where it is; its values are to be left out.
 */
export type SnapshotLeft = {
  readonly why: 'large' | 'rate' | 'full' | 'refused' | 'failed' | 'unrouted' | 'redacted';
  /** The size, or what the server said. */
  readonly detail: string;
};

/** A finished command. Decoded when looked at: a block holds it as bytes, and its decision is made again from its draws. */
export type CommandEvent = {
  readonly type: 'command';
  /** Arrival number, from 1, over all connections. */
  readonly seq: number;
  /** µs since the stream began, monotonic. */
  readonly atUs: number;
  readonly durationUs: number;
  readonly connection: number;
  readonly command: Command;
  /** Its arguments as far as they were kept: `command.argv` has `(redacted)` or the head for those that were not. */
  readonly args: readonly KeptArgument[];
  readonly decision: Decision;
  readonly attempts: readonly Attempt[];
  readonly outcome: Outcome;
  /** RESP as received; passwords replaced (see `events/condense.ts`). */
  readonly request: Kept;
  /** RESP as written to the client. */
  readonly reply: Kept;
  /** Time before it was sent upstream, and until the last reply came, µs. */
  readonly queueUs: number;
  readonly upstreamUs: number;
  /** Its place among the commands that arrived in the same bytes. */
  readonly burst: { readonly first: number; readonly size: number };
};

/** Everything that is no command. */
export type OtherEvent =
  | {
      readonly type: 'hello';
      readonly atUs: number;
      /** ISO 8601 with µs, UTC: the moment `atUs` counts from. */
      readonly startedAt: string;
      readonly listen: readonly string[];
      readonly upstream: string;
    }
  /** Command records name servers by number. */
  | {
      readonly type: 'server';
      readonly atUs: number;
      readonly number: number;
      readonly address: string;
    }
  | { readonly type: 'config'; readonly atUs: number; readonly config: MeshConfig }
  | {
      readonly type: 'topology';
      readonly atUs: number;
      readonly version: number;
      readonly upstreams: Readonly<Record<string, UpstreamState>>;
    }
  | {
      readonly type: 'session';
      readonly atUs: number;
      readonly connection: number;
      readonly state: 'opened' | 'changed';
      readonly address: string;
      readonly name: string | null;
      readonly library: string | null;
      readonly resp: 2 | 3;
    }
  | {
      readonly type: 'session-closed';
      readonly atUs: number;
      readonly connection: number;
      readonly by: 'client' | 'rmtop' | 'error';
      readonly error: string | null;
    }
  | {
      readonly type: 'upstream';
      readonly atUs: number;
      readonly upstream: string;
      readonly address: string;
      readonly dialled: string;
      /** `failed`: it ended before it was ever ready. */
      readonly state: 'ready' | 'closed' | 'failed';
      readonly own: boolean;
      readonly cause: Cause | null;
    }
  | {
      readonly type: 'pending';
      readonly atUs: number;
      readonly seq: number;
      readonly arrivedUs: number;
      readonly connection: number;
      readonly name: string;
      readonly key: string | null;
    }
  | {
      readonly type: 'mirror';
      readonly atUs: number;
      /** The command it is a copy of, and the index of the part. */
      readonly seq: number;
      readonly part: number;
      readonly upstream: string;
      readonly address: string;
      readonly state: MirrorState;
      /** How much longer the mirror took than the client's server, each from when it was sent, µs; negative: less; null: one never came. */
      readonly lagUs: number | null;
      readonly durationUs: number | null;
      /** Where the replies differ and how; by what they are the same; why nothing was sent. */
      readonly detail: string | null;
      /** The mirror's reply where it differs: RESP, one character a byte, its first 4 KiB. */
      readonly reply: string | null;
      readonly cause: Cause | null;
    }
  | {
      readonly type: 'push';
      readonly atUs: number;
      readonly connection: number;
      readonly reply: string;
    }
  | {
      readonly type: 'log';
      readonly atUs: number;
      readonly level: 'info' | 'warning' | 'error';
      readonly text: string;
      readonly next: string | null;
    }
  /** What a key held before the first command on it. */
  | {
      readonly type: 'snapshot';
      readonly atUs: number;
      /** The first command on the key. */
      readonly seq: number;
      /** As its client called it, one character a byte. */
      readonly key: string;
      readonly upstream: string;
      /** What DUMP gave, in base64; null where the key was not there, or was not saved. */
      readonly dump: string | null;
      /** As PTTL says it: ms, -1 without a time to live, -2 for a key that was not there. */
      readonly ttlMs: number;
      /** Null: it is saved. */
      readonly left: SnapshotLeft | null;
    }
  | {
      readonly type: 'gap';
      readonly atUs: number;
      readonly dropped: number;
      readonly from: number;
      readonly to: number;
    };

/** What is known of one upstream's servers. `ranges` is null for all but a Redis Cluster, `hosts` for all but a set of hosts. */
export type UpstreamState = {
  readonly kind: 'slots' | 'single' | 'hosts' | 'unknown';
  readonly source: string;
  readonly ranges: readonly SlotRange[] | null;
  readonly hosts: { readonly placed: readonly PlacedHost[]; readonly balancer: Balancer } | null;
  readonly servers: readonly ServerState[];
};

/** One server: what is dialled for it, Envoy's view of its health, and whether rmtop could connect to it. */
export type ServerState = {
  readonly address: string;
  readonly dialled: string;
  readonly healthy: boolean;
  /** Null: not tried yet. */
  readonly reachable: boolean | null;
  readonly error: string | null;
};

export type TrafficEvent = CommandEvent | OtherEvent;
