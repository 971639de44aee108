/** What every part of the data path shares: the running configuration, the clock, and the ways to say what happened. */
import type { EventBus } from '../events/bus.js';
import type { PieceKeeper, ReplyKeeper } from '../events/condense.js';
import type { Stats } from '../events/stats.js';
import type { Scopes } from '../filter/scopes.js';
import type { Credentials } from '../mesh/answers.js';
import type { CompiledConfig } from '../mesh/compile.js';
import type { Rng } from '../mesh/rng.js';
import type { Topology } from '../mesh/topology.js';
import type { Turns } from './chance.js';
import type { Clock } from './clock.js';
import type { Exchange } from './exchange.js';
import type { Hung } from './faults.js';
import type { Mirrors } from './mirrors.js';
import type { Loop } from './output.js';
import type { Pool } from './pool.js';
import type { Snapshots } from './snapshots.js';

/** The proxy as its connections see it. `config` and `topology` are replaced, never changed. */
export type Core = {
  readonly clock: Clock;
  readonly loop: Loop;
  readonly stats: Stats;
  readonly bus: EventBus;
  readonly pool: Pool;
  readonly rng: Rng;
  readonly turns: Turns;
  readonly scopes: Scopes;
  readonly hung: Hung;
  readonly mirrors: Mirrors;
  /** Saves what keys held before the first command on them; null: nobody asked for that. */
  readonly snapshots: Snapshots | null;
  /** What a client's commands are decided with, where that is not left to chance; null: it is. */
  readonly chanceOf: ((address: string) => Rng) | null;
  config: CompiledConfig;
  topology: Topology;
  /** Passwords clients log in with; null: none are asked for. */
  credentials: Credentials | null;
  /** False until the first topology is known, or known not to come soon. */
  ready: boolean;
  nextSeq(): number;
  /** For what passes by in pieces. */
  newKeeper(): PieceKeeper;
  newReplyKeeper(): ReplyKeeper;
  /** A redirect was followed, or a request failed: either may call for a new topology. */
  redirected(upstream: string): void;
  failed(upstream: string): void;
  /** A command has ended, its reply written at `nowUs`. */
  finished(exchange: Exchange, nowUs: number): void;
};
