/** Which mirrors of a route get a copy of a request, and which of their servers (mesh page, 7). */
import { chooseReader, chooseWriter } from './choose.js';
import type {
  CompiledConfig,
  CompiledMirror,
  CompiledRoute,
  Copies,
  MirrorReason,
} from './compile.js';
import type { Hop, Reason } from './decision.js';
import { type Place, type PlacingContext, placeKey } from './place.js';
import type { RecordingRng } from './rng.js';
import { NO_SERVERS, type Placement, type Topology } from './topology.js';

/** What copies are decided with. */
export type CopyContext = {
  readonly topology: Topology;
  readonly config: CompiledConfig;
  readonly rng: RecordingRng;
  readonly tellsWhy: boolean;
};

const NO_HOPS: readonly Hop[] = [];
const NO_REASONS: readonly Reason[] = [];

/**
 * What the mirrors of `route` get of a request; without the reasons where those are not to be told.
 *
 * `key` is as it is sent; for a command that goes to all shards it is the number of one.
 */
export function copiesOf(
  route: CompiledRoute,
  key: Buffer | number,
  at: number,
  isWrite: boolean,
  context: CopyContext,
): Copies {
  const { topology, rng, tellsWhy } = context;
  let hops: readonly Hop[] = NO_HOPS;
  let why: Reason[] | null = null;
  for (const mirror of route.mirrors) {
    let reason = reasonFor(mirror, isWrite, rng, tellsWhy);
    if (reason.code === 'copied') {
      const only = isWrite ? onlyHop(mirror, topology) : NO_HOPS;
      const to = only.length > 0 ? only : hopTo(mirror.upstream, key, at, isWrite, context);
      if (to.length === 0) reason = { ...reason, code: 'no-host' };
      else hops = hops.length === 0 ? to : [...hops, ...to];
    }
    if (!tellsWhy) continue;
    if (why === null) why = [reason];
    else why.push(reason);
  }
  return { hops, why: why ?? NO_REASONS };
}

function reasonFor(
  mirror: CompiledMirror,
  isWrite: boolean,
  rng: RecordingRng,
  tellsWhy: boolean,
): MirrorReason {
  const { excludeReads, fraction, upstream } = mirror;
  if (excludeReads && !isWrite) return mirror.excluded;
  const { numerator, of } = fraction;
  if (numerator >= of) return mirror.copied;
  const roll = rng.below(of);
  const code = roll < numerator ? 'copied' : 'not-drawn';
  if (!tellsWhy) return code === 'copied' ? mirror.copied : mirror.excluded;
  return { stage: 'mirror', code, upstream, roll, numerator, of };
}

/** Most mirrors are one server: the way to it is the same for every write. */
function onlyHop({ upstream, only }: CompiledMirror, topology: Topology): readonly Hop[] {
  if (only.topology !== topology) {
    const placement = topology.upstreams[upstream] ?? NO_SERVERS;
    const isOne =
      placement.kind === 'single' || (placement.kind === 'hosts' && placement.among.length === 1);
    const shard = isOne && placement.kind === 'hosts' ? (placement.among[0] as number) : 0;
    const address = isOne ? placement.shards[shard]?.primary.address : undefined;
    only.hops =
      address === undefined ? NO_HOPS : [{ upstream, slot: -1, shard, role: 'primary', address }];
    only.topology = topology;
  }
  return only.hops;
}

/** One, or none. */
function hopTo(
  upstream: string,
  key: Buffer | number,
  at: number,
  isWrite: boolean,
  { topology, config, rng }: CopyContext,
): readonly Hop[] {
  const { hashtagging, readPolicy } = config.settings;
  const placement = topology.upstreams[upstream] ?? NO_SERVERS;
  const place = placeCopy(placement, key, at, { upstream, hashtagging, rng, tellsWhy: false });
  const shard = placement.shards[place.shard];
  if (shard === undefined) return NO_HOPS;
  const { server } = isWrite ? chooseWriter(shard) : chooseReader(shard, readPolicy, rng);
  if (server === null) return NO_HOPS;
  const role = server === shard.primary ? 'primary' : 'replica';
  return [{ upstream, slot: place.slot, shard: place.shard, role, address: server.address }];
}

/** Nobody is told why a copy goes where it goes: of a single host the hash would be worked out for nothing. */
function placeCopy(
  placement: Placement,
  key: Buffer | number,
  at: number,
  context: PlacingContext,
): Pick<Place, 'shard' | 'slot'> {
  if (typeof key === 'number') return { shard: key, slot: -1 };
  return placement.kind === 'hosts' && placement.among.length === 1
    ? { shard: placement.among[0] as number, slot: -1 }
    : placeKey(placement, key, at, context);
}
