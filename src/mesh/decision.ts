/** The Decision: where the mesh sends a command and why. Everything else in rmtop leads to it or comes from it. */
import type { MergeRule } from '../commands/table.js';
import type { Balancer, FaultAction, ReadPolicy } from './config.js';

/** What the proxy answers by itself; `mesh/answers.ts` has the bytes. */
export type LocalReply =
  | 'ok'
  | 'pong'
  | 'echo'
  | 'time'
  | 'quit'
  | 'queued'
  | 'empty-array'
  | 'auth'
  | 'hello'
  | 'client-name'
  | 'client-id'
  | 'reset'
  | 'unsubscribed';

/** Why a command is refused; `mesh/answers.ts` has Envoy's texts, the last two are rmtop's own. */
export type RefusalCode =
  | 'invalid-request'
  | 'unknown-command'
  | 'noproto'
  | 'noauth'
  | 'wrong-arity'
  | 'err-wrong-arity'
  | 'not-in-transaction'
  | 'nested-multi'
  | 'exec-without-multi'
  | 'discard-without-multi'
  | 'cluster-scope'
  | 'cluster-subcommand'
  | 'client-subcommand'
  | 'client-arity'
  | 'hello-options'
  | 'shard-id-not-numeric'
  | 'shard-id-out-of-range'
  | 'no-route'
  | 'no-host'
  | 'subscribed'
  | 'one-server-only'
  | 'shared-connection';

/** How the replies of a command's parts become its reply. `del` adds up, `mset` wants OK from all; see `proxy/merge.ts`. */
export type Merge = 'pass' | 'mget' | 'mset' | 'del' | 'scan' | 'hello' | MergeRule;

/** What a command does to its client's session once it is decided. */
export type SessionChange =
  | 'begin' // MULTI
  | 'end' // EXEC, DISCARD
  | 'clear-key' // UNWATCH
  | 'settle' // keyless commands of this client stay on the server chosen now
  | { readonly storeKey: number } // WATCH outside, or the first keyed command inside, a transaction: the key's position
  | null;

/** Which kind of connection a part goes on: the one all clients share, or one of the client's own. */
export type Via = 'shared' | 'transaction' | 'own' | 'subscription' | 'monitor';

/** The route that matched; `prefix` is null for the catch-all. */
export type RouteMatch = { readonly prefix: string | null; readonly upstream: string };

/** A server and the way to it. `slot` is -1 where none was computed. */
export type Hop = {
  readonly upstream: string;
  readonly slot: number;
  readonly shard: number;
  readonly role: 'primary' | 'replica';
  /** As announced; what is dialled for it is the address map's business. */
  readonly address: string;
};

/** All arguments, the name included. */
export type Arguments = readonly number[] | 'all';

/** One request to one server: the whole command, or one key's share of it. */
export type Part = {
  /** What is sent as the name; null: as the client spelled it. */
  readonly name: string | null;
  /** Positions in argv of what follows the name, or 'all'. */
  readonly args: Arguments;
  readonly route: RouteMatch | null;
  /** Null where no host was found: the part's reply is then `no upstream host`. */
  readonly to: Hop | null;
  readonly via: Via;
  /** The key as it is sent, where the route rewrites it. */
  readonly rekey: { readonly at: number; readonly bytes: Buffer } | null;
  /** Where copies go. */
  readonly mirrors: readonly Hop[];
  readonly why: readonly Reason[];
};

/** One stage's outcome: a code and its figures, no prose. `explain` makes the sentences. */
export type Reason =
  | { readonly stage: 'admit'; readonly code: 'opened'; readonly refusal: RefusalCode }
  | { readonly stage: 'admit'; readonly code: 'answered' | 'refused' }
  | {
      readonly stage: 'split';
      readonly code: 'per-key' | 'all-shards' | 'all-nodes';
      readonly parts: number;
    }
  | {
      readonly stage: 'fault';
      readonly code: 'mesh';
      readonly roll: number;
      readonly hit: string | null;
    }
  | {
      readonly stage: 'fault';
      readonly code: 'rule';
      readonly id: string;
      /** In thousandths of a percent. */
      readonly roll: number;
      readonly percent: number;
      readonly isHit: boolean;
    }
  | {
      readonly stage: 'route';
      readonly code: 'catch-all';
      readonly upstream: string;
      /** Whether the upstream is the route's `read_command_policy`. */
      readonly isRead: boolean;
    }
  | {
      readonly stage: 'route';
      readonly code: 'prefix';
      readonly prefix: string;
      readonly upstream: string;
      readonly isRead: boolean;
    }
  | { readonly stage: 'route'; readonly code: 'rewritten'; readonly key: Buffer }
  | { readonly stage: 'route'; readonly code: 'none' }
  | {
      readonly stage: 'place';
      readonly code: 'slot' | 'uncovered';
      readonly slot: number;
      readonly key: number;
    }
  | {
      readonly stage: 'place';
      readonly code: 'hash-tag';
      readonly slot: number;
      readonly key: number;
      /** The tag is key[from..to). */
      readonly from: number;
      readonly to: number;
    }
  | {
      readonly stage: 'place';
      readonly code: 'maglev' | 'ring';
      readonly key: number;
      /** The hashed tag is key[from..to); `to` is -1 where all of the key is hashed. */
      readonly from: number;
      readonly to: number;
      /** The hash, in halves. */
      readonly hi: number;
      readonly lo: number;
      /** The entry of the table or ring, and how many there are. */
      readonly entry: number;
      readonly of: number;
    }
  | {
      readonly stage: 'place';
      readonly code: 'turn';
      readonly policy: Balancer['policy'];
      readonly of: number;
    }
  | { readonly stage: 'place'; readonly code: 'single' | 'no-servers' }
  | {
      readonly stage: 'place';
      readonly code: 'shard' | 'random-shard';
      readonly shard: number;
      readonly of: number;
    }
  | { readonly stage: 'choose'; readonly code: 'write' | 'primary' | 'pinned' | 'node' }
  | {
      readonly stage: 'choose';
      readonly code: 'policy' | 'fallback' | 'random' | 'nobody';
      readonly policy: ReadPolicy;
      /** Of the servers the policy could choose among: how many were healthy, how many there are. */
      readonly healthy: number;
      readonly of: number;
    }
  | {
      readonly stage: 'mirror';
      readonly code: 'copied' | 'reads-excluded' | 'not-drawn' | 'no-host';
      readonly upstream: string;
      /** What was drawn, below `of`; -1 where nothing had to be. */
      readonly roll: number;
      readonly numerator: number;
      readonly of: number;
    };

/** A fault that hits a command: which, what was drawn for it, and what it does. */
export type FaultPlan = {
  readonly id: string;
  readonly roll: number;
  /** How many outcomes the draw had. */
  readonly of: number;
  readonly action: FaultAction;
  /** How long it takes, jitter included; null: without end, or no matter of time. */
  readonly ms: number | null;
  /** The error given in the place of the reply, without its `-`; null where the fault gives none. */
  readonly error: string | null;
};

/** What is done with a command. */
export type Action =
  | { readonly kind: 'forward'; readonly parts: readonly Part[]; readonly merge: Merge }
  | { readonly kind: 'answer'; readonly reply: LocalReply }
  | { readonly kind: 'refuse'; readonly error: RefusalCode; readonly of: number };

/** Everything the mesh decided about one command. */
export type Decision = {
  /** With a fault at the request: what would have been done. */
  readonly action: Action;
  readonly session: SessionChange;
  readonly fault: FaultPlan | null;
  /** Stages that concern the command as a whole, in order; those of a part are with the part. */
  readonly why: readonly Reason[];
  /** Every draw, in order, so that the decision can be made again. */
  readonly draws: readonly number[];
  readonly topologyVersion: number;
  readonly configVersion: number;
};

/** Whether the mesh would have refused the command that `--open` forwarded. */
export function isOpened(decision: Decision): boolean {
  return decision.why[0]?.code === 'opened';
}

/** Whether a fault keeps the command from being carried out at all. */
export function isStopped({ fault }: Decision): boolean {
  if (fault === null) return false;
  const { action } = fault;
  switch (action.kind) {
    case 'error':
      return action.at === 'request';
    case 'close':
      return action.afterBytes === null;
    case 'hang':
      return action.ms === null;
    case 'moved':
    case 'ask':
    case 'down':
      return true;
    default:
      return false;
  }
}

/** The parts of a decision; none when nothing is forwarded. */
export function partsOf(decision: Decision): readonly Part[] {
  return decision.action.kind === 'forward' ? decision.action.parts : [];
}
