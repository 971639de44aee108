/**
 * The stages in order: admit, fault, then for each part route, place, choose, mirror. Pure: the same command, topology, configuration and draws
 * give the same Decision. It looks at names, subcommands, the number of arguments, keys and the session; values never route.
 */
import type { Command } from '../commands/command.js';
import type { MeshClass } from '../commands/table.js';
import { type Admission, admit, classOf, lacksHello } from './admit.js';
import { chooseReader, chooseWriter } from './choose.js';
import type { CompiledConfig, CompiledRoute, Copies } from './compile.js';
import type {
  Action,
  Arguments,
  Decision,
  FaultPlan,
  Hop,
  Merge,
  Part,
  Reason,
  RefusalCode,
  RouteMatch,
  SessionChange,
  Via,
} from './decision.js';
import { meshFault, ruleFault } from './fault.js';
import { copiesOf } from './mirror.js';
import { decideOpened } from './open.js';
import { NO_SERVERS_PLACE, type PlacingContext, placeInTurn, placeKey } from './place.js';
import { RecordingRng, type Rng } from './rng.js';
import { findRoute, NO_ROUTE, rewriteKey } from './route.js';
import { NO_SERVERS, type Placement, type Topology } from './topology.js';

const NOTHING: readonly never[] = [];
const NO_COPIES: Copies = { hops: NOTHING, why: NOTHING };
const NO_KEY = Buffer.alloc(0);
const STORE_FIRST: SessionChange = { storeKey: 1 };
/** What a RESP2 client with subscriptions may say (only with `--open` can it be one). */
const MAY_SUBSCRIBERS: ReadonlySet<string> = new Set(
  'SUBSCRIBE PSUBSCRIBE SSUBSCRIBE UNSUBSCRIBE PUNSUBSCRIBE SUNSUBSCRIBE PING QUIT RESET'.split(
    ' ',
  ),
);
const ANSWERED: readonly Reason[] = [{ stage: 'admit', code: 'answered' }];
const REFUSED: readonly Reason[] = [{ stage: 'admit', code: 'refused' }];
const NO_HELLO_YET: Reason = { stage: 'admit', code: 'opened', refusal: 'noproto' };

/** Where the mesh sends `command`, and why. */
export function decide(
  command: Command,
  topology: Topology,
  config: CompiledConfig,
  rng: Rng,
): Decision {
  return new Deciding(command, topology, config, rng, true).decide();
}

/**
 * As `decide`, without the reasons of parts and of faults: for the data path, which acts on a decision and passes its draws on. Whoever
 * wants to know why makes it again from these. A third of what a decision allocates is its reasons.
 */
export function decideBriefly(
  command: Command,
  topology: Topology,
  config: CompiledConfig,
  rng: Rng,
): Decision {
  return new Deciding(command, topology, config, rng, false).decide();
}

/** What one decision is made with; `open.ts` uses the same pieces for what `--open` forwards. */
export class Deciding {
  readonly command: Command;
  readonly config: CompiledConfig;
  readonly rng: RecordingRng;
  readonly topology: Topology;
  private readonly placing: { upstream: string } & PlacingContext;
  readonly tellsWhy: boolean;
  private fault: FaultPlan | null = null;
  private faultWhy: readonly Reason[] = NOTHING;
  /** Which decisions rmtop's own rules look at. */
  private ruled: 'no' | 'forwarded' | 'all' = 'no';
  /** What the mesh refuses it does not copy either. */
  private isCopied = true;

  constructor(
    command: Command,
    topology: Topology,
    config: CompiledConfig,
    rng: Rng,
    tellsWhy: boolean,
  ) {
    this.tellsWhy = tellsWhy;
    this.command = command;
    this.topology = topology;
    this.config = config;
    this.rng = new RecordingRng(rng);
    const { hashtagging } = config.settings;
    this.placing = { upstream: '', hashtagging, rng: this.rng, tellsWhy };
  }

  decide(): Decision {
    const { command, config } = this;
    if (command.argc === 0) return this.refuse('invalid-request');
    if (!lacksHello(command, config)) return this.decideAdmitted();
    if (!config.open) return this.refuse('noproto');
    const decision = this.decideAdmitted();
    return { ...decision, why: [NO_HELLO_YET, ...decision.why] };
  }

  private decideAdmitted(): Decision {
    const { command, config } = this;
    if (
      command.session.subscribed &&
      command.session.resp === 2 &&
      !MAY_SUBSCRIBERS.has(command.spec?.name ?? '')
    ) {
      return this.refuse('subscribed');
    }
    const kind = classOf(command, config);
    const admission = admit(command, kind, config);
    if (admission !== null) return this.admitted(admission);
    if (config.faults !== null) {
      const { plan, why } = meshFault(config, command, this.rng, this.tellsWhy);
      this.fault = plan;
      this.faultWhy = why;
    }
    if (config.rules.length > 0) this.ruled = 'all';
    return this.carriedOut(kind);
  }

  private carriedOut(kind: MeshClass | null): Decision {
    const { command } = this;
    if (command.session.multi || kind === 'transaction') return this.transaction(kind);
    switch (kind) {
      case 'simple':
        return this.whole(1);
      case 'object':
        return this.whole(2);
      case 'eval':
        return this.whole(3);
      case 'mget':
        return this.perKey('get', 1, 'mget');
      case 'mset':
        return this.perKey('set', 2, 'mset');
      case 'sum':
        return this.perKey(null, 1, 'del');
      case 'scan':
        return this.allShards(1, 'scan');
      case 'everywhere':
        return this.allShards(
          0,
          command.spec?.name === 'HELLO' ? 'hello' : (command.spec?.merge ?? 'pass'),
        );
      case 'info-shard':
        return this.givenShard();
      default:
        return this.anyShard();
    }
  }

  private admitted(admission: NonNullable<Admission>): Decision {
    if (admission.kind === 'answer') return this.answer(admission.reply);
    if (!this.config.open) return this.refuse(admission.error);
    this.isCopied = false;
    if (this.config.rules.length > 0) this.ruled = 'forwarded';
    return decideOpened(this, admission.error);
  }

  // ——— the pieces ———

  answer(
    reply: Extract<Action, { kind: 'answer' }>['reply'],
    session: SessionChange = null,
  ): Decision {
    return this.done({ kind: 'answer', reply }, ANSWERED, session);
  }

  refuse(error: RefusalCode, of = 0, why: readonly Reason[] = REFUSED): Decision {
    return this.done({ kind: 'refuse', error, of }, why, null);
  }

  /** The decision to send `parts`; one part that found no server refuses the command. */
  forward(
    parts: readonly Part[],
    merge: Merge,
    why: readonly Reason[] = NOTHING,
    session: SessionChange = null,
  ): Decision {
    const only = parts.length === 1 ? parts[0] : undefined;
    if (only !== undefined && only.to === null && merge === 'pass') {
      return this.refuse(only.route === null ? 'no-route' : 'no-host', 0, [...why, ...only.why]);
    }
    return this.done({ kind: 'forward', parts, merge }, why, session);
  }

  private done(action: Action, why: readonly Reason[], session: SessionChange): Decision {
    if (this.ruled !== 'no') this.underRules(action);
    const { fault, faultWhy } = this;
    return {
      action,
      session,
      fault,
      why: faultWhy.length === 0 ? why : why.length === 0 ? faultWhy : [...why, ...faultWhy],
      draws: this.rng.draws ?? NOTHING,
      topologyVersion: this.topology.version,
      configVersion: this.config.version,
    };
  }

  /** rmtop's own rules look at where a command is to go, so they come last. Envoy's own fault has precedence. */
  private underRules(action: Action): void {
    const isForwarded = action.kind === 'forward';
    if (this.fault !== null || (this.ruled === 'forwarded' && !isForwarded)) return;
    const parts = isForwarded ? action.parts : NOTHING;
    const { plan, why } = ruleFault(
      this.config.rules,
      this.command,
      parts,
      this.topology,
      this.rng,
      this.tellsWhy,
    );
    this.fault = plan;
    if (why.length > 0)
      this.faultWhy = this.faultWhy.length === 0 ? why : [...this.faultWhy, ...why];
  }

  placement(route: RouteMatch): Placement {
    return this.topology.upstreams[route.upstream] ?? NO_SERVERS;
  }

  /** One request to the server of the key at position `at`. */
  keyed(
    at: number,
    name: string | null,
    args: Arguments,
    isWrite: boolean,
    via: Via = 'shared',
  ): Part {
    return this.toKey(this.command.arg(at), at, name, args, isWrite, via);
  }

  /** `isWrite` chooses the server, and the route's upstream; in a transaction the primary is a must, but its name tells the upstream. */
  toKey(
    key: Buffer,
    at: number,
    name: string | null,
    args: Arguments,
    isWrite: boolean,
    via: Via,
  ): Part {
    const route = findRoute(this.config, key);
    if (route === null) return part(name, args, null, null, via, [NO_ROUTE]);
    const inTransaction = via === 'transaction';
    const isRead = inTransaction ? !this.isWrite() : !isWrite;
    const way = isRead ? route.reads : route.writes;
    const placement = this.placement(way.match);
    const sent =
      route.strip === 0 && route.format === null
        ? key
        : rewriteKey(route, key, this.command.session.peer);
    const { placing } = this;
    placing.upstream = way.match.upstream;
    const place = placeKey(placement, sent, at, placing);
    const shard = placement.shards[place.shard];
    if (shard === undefined)
      return part(name, args, way.match, null, via, whyPlaced(way.why, sent, key, place.why));
    const choice = isWrite
      ? chooseWriter(shard)
      : chooseReader(shard, this.config.settings.readPolicy, this.rng);
    const to: Hop | null = choice.server && {
      upstream: way.match.upstream,
      slot: place.slot,
      shard: place.shard,
      role: choice.server === shard.primary ? 'primary' : 'replica',
      address: choice.server.address,
    };
    const copies = to === null ? NO_COPIES : this.copies(route, sent, at, isWrite);
    // Made at its full length: an array that grows takes room for 17 more.
    const why = !this.tellsWhy
      ? NOTHING
      : sent === key && copies.why.length === 0
        ? [way.why, place.why, choice.why]
        : [...whyPlaced(way.why, sent, key, place.why), choice.why, ...copies.why];
    // In a transaction only the key that places it is rewritten, never what is sent (2.9).
    const rekey = sent === key || inTransaction ? null : { at, bytes: sent };
    return { name, args, route: way.match, to, via, rekey, mirrors: copies.hops, why };
  }

  /** Copies of a keyed request, or (a number) of one for a shard. */
  private copies(route: CompiledRoute, key: Buffer | number, at: number, isWrite: boolean): Copies {
    if (route.mirrors.length === 0 || !this.isCopied) return NO_COPIES;
    if (!isWrite && route.readCopies !== null) return route.readCopies;
    return copiesOf(route, key, at, isWrite, this);
  }

  /** One request to the server that the policy chooses in shard `index`. */
  toShard(
    route: CompiledRoute,
    index: number,
    place: Reason,
    name: string | null = null,
    args: Arguments = 'all',
    via: Via = 'shared',
  ): Part {
    const { match, why: routeWhy } = route.reads;
    const shard = this.placement(match).shards[index];
    if (shard === undefined) return part(name, args, match, null, via, [routeWhy, place]);
    const choice = chooseReader(shard, this.config.settings.readPolicy, this.rng);
    const to: Hop | null = choice.server && {
      upstream: match.upstream,
      slot: -1,
      shard: index,
      role: choice.server === shard.primary ? 'primary' : 'replica',
      address: choice.server.address,
    };
    const copies =
      to === null || via !== 'shared' ? NO_COPIES : this.copies(route, index, 0, false);
    const why = [routeWhy, place, choice.why, ...copies.why];
    return { name, args, route: match, to, via, rekey: null, mirrors: copies.hops, why };
  }

  // ——— the kinds of command ———

  private isWrite(): boolean {
    return this.command.spec?.envoyWrite ?? false;
  }

  private whole(at: number): Decision {
    return this.forward([this.keyed(at, null, 'all', this.isWrite())], 'pass');
  }

  /** One part for each key, always: even for a single one (2.6). */
  private perKey(name: 'get' | 'set' | null, step: 1 | 2, merge: Merge): Decision {
    const isWrite = name === 'set' || (name === null && this.isWrite());
    const parts: Part[] = [];
    for (let at = 1; at < this.command.argc; at += step) {
      parts.push(this.keyed(at, name, step === 2 ? [at, at + 1] : [at], isWrite));
    }
    return this.forward(parts, merge, [{ stage: 'split', code: 'per-key', parts: parts.length }]);
  }

  /** To every shard (2.7). `keyAt` is the argument the route is looked up by; 0: the empty string. */
  private allShards(keyAt: number, merge: Merge): Decision {
    const route = findRoute(this.config, keyAt === 0 ? NO_KEY : this.command.arg(keyAt));
    if (route === null) return this.refuse('no-route', 0, [NO_ROUTE]);
    const of = this.placement(route.reads.match).shards.length;
    if (of === 0) return this.refuse('no-host', 0, [route.reads.why, NO_SERVERS_PLACE.why]);
    const parts = Array.from({ length: of }, (_, shard) =>
      this.toShard(route, shard, { stage: 'place', code: 'shard', shard, of }),
    );
    return this.forward(parts, merge, [{ stage: 'split', code: 'all-shards', parts: of }]);
  }

  /** INFO.SHARD: the index is looked at like a key. */
  private givenShard(): Decision {
    const text = this.command.text(1, 32);
    if (!/^\d+$/.test(text)) return this.refuse('shard-id-not-numeric');
    const route = findRoute(this.config, NO_KEY);
    if (route === null) return this.refuse('no-route', 0, [NO_ROUTE]);
    const of = this.placement(route.reads.match).shards.length;
    if (of === 0) return this.refuse('no-host', 0, [route.reads.why, NO_SERVERS_PLACE.why]);
    const shard = Number(text);
    if (shard >= of) return this.refuse('shard-id-out-of-range', of);
    const args = this.command.argc > 2 ? [2] : NOTHING;
    return this.forward(
      [this.toShard(route, shard, { stage: 'place', code: 'shard', shard, of }, 'INFO', args)],
      'pass',
    );
  }

  /** Envoy takes the clock modulo the number of shards (2.11); here it is a draw, so that it can be made again. */
  private anyShard(): Decision {
    const route = findRoute(this.config, NO_KEY);
    if (route === null) return this.refuse('no-route', 0, [NO_ROUTE]);
    return this.forward([this.toAnyShard(route, 'shared')], 'pass');
  }

  toAnyShard(route: CompiledRoute, via: Via): Part {
    const placement = this.placement(route.reads.match);
    if (placement.kind === 'hosts' && placement.table === null && placement.ring === null) {
      const { upstream } = route.reads.match;
      const place = placeInTurn(placement, { rng: this.rng, upstream });
      return this.toShard(route, place.shard, place.why, null, 'all', via);
    }
    const of = placement.shards.length;
    const shard = of > 1 ? this.rng.below(of) : 0;
    return this.toShard(
      route,
      shard,
      { stage: 'place', code: 'random-shard', shard, of },
      null,
      'all',
      via,
    );
  }

  // ——— transactions (2.9) ———

  /** MULTI, EXEC, DISCARD, WATCH, UNWATCH, and whatever comes between MULTI and EXEC. */
  transaction(kind: MeshClass | null): Decision {
    const { session, spec } = this.command;
    const stored = session.transactionKey;
    switch (kind === 'transaction' ? spec?.name : undefined) {
      case 'MULTI':
        if (session.multi) return this.refuse('nested-multi');
        return stored === null ? this.answer('ok', 'begin') : this.pinned(stored, 'begin');
      case 'EXEC':
        if (!session.multi) return this.refuse('exec-without-multi');
        return stored === null ? this.answer('empty-array', 'end') : this.pinned(stored, 'end');
      case 'DISCARD':
        if (!session.multi) return this.refuse('discard-without-multi');
        return stored === null ? this.answer('ok', 'end') : this.pinned(stored, 'end');
      case 'WATCH':
        if (session.multi) return this.queued(1);
        return this.forward([this.keyed(1, null, 'all', false)], 'pass', NOTHING, STORE_FIRST);
      case 'UNWATCH':
        if (stored === null) return this.answer(session.multi ? 'queued' : 'ok');
        if (session.multi) return this.pinned(stored, null);
        return this.forward(
          [this.toKey(stored, 0, null, 'all', false, 'shared')],
          'pass',
          NOTHING,
          'clear-key',
        );
      default:
        return this.queued(1);
    }
  }

  /** A command between MULTI and EXEC: the first keyed one opens the transaction's connection. */
  queued(keyAt: number): Decision {
    const stored = this.command.session.transactionKey;
    if (stored !== null) return this.pinned(stored, null);
    return this.forward([this.keyed(keyAt, null, 'all', true, 'transaction')], 'pass', NOTHING, {
      storeKey: keyAt,
    });
  }

  /** On the transaction's connection. The route is looked up anew with the stored key; the server stays the one connected to. */
  pinned(key: Buffer, session: SessionChange): Decision {
    const looked = this.toKey(key, 0, null, 'all', true, 'transaction');
    const { pinned } = this.command.session;
    if (looked.to === null || pinned === null)
      return this.forward([looked], 'pass', NOTHING, session);
    const stays: Part = {
      ...looked,
      to: { ...looked.to, address: pinned },
      why: looked.why.map((reason) =>
        reason.stage === 'choose' ? { stage: 'choose', code: 'pinned' } : reason,
      ),
    };
    return this.forward([stays], 'pass', NOTHING, session);
  }
}

/** The reasons up to where a key belongs. */
function whyPlaced(route: Reason, sent: Buffer, key: Buffer, place: Reason): Reason[] {
  return sent === key
    ? [route, place]
    : [route, { stage: 'route', code: 'rewritten', key: sent }, place];
}

function part(
  name: string | null,
  args: Arguments,
  route: RouteMatch | null,
  to: Hop | null,
  via: Via,
  why: readonly Reason[],
): Part {
  return { name, args, route, to, via, rekey: null, mirrors: NOTHING, why };
}
