/** Which mirrors of a route get a copy of a request, and which of their servers (mesh page, 7). */
import { chooseReader, chooseWriter } from './choose.js';
import type { CompiledMirror, CompiledRoute, Copies, MirrorReason } from './compile.js';
import type { ReadPolicy } from './config.js';
import type { Hop, Reason } from './decision.js';
import { type Place, type PlacingContext, placeKey } from './place.js';
import type { RecordingRng } from './rng.js';
import { NO_SERVERS, type Placement, type Topology } from './topology.js';

/** A request of which copies may be made. */
export type Copied = {
  /** As it is sent; the number of a shard for a command that goes to all of them. */
  readonly key: Buffer | number;
  readonly at: number;
  readonly isWrite: boolean;
  readonly policy: ReadPolicy;
  readonly hashtagging: boolean;
};

const NO_HOPS: readonly Hop[] = [];
const NO_REASONS: readonly Reason[] = [];

/** What the mirrors of `route` get of a request; without the reasons where those are not to be told. */
export function copiesOf(
  route: CompiledRoute,
  copied: Copied,
  topology: Topology,
  rng: RecordingRng,
  tellsWhy: boolean,
): Copies {
  let hops: Hop[] | null = null;
  let why: Reason[] | null = null;
  for (const mirror of route.mirrors) {
    const { upstream } = mirror;
    let reason = reasonFor(mirror, copied.isWrite, rng, tellsWhy);
    if (reason.code === 'copied') {
      const known = copied.isWrite ? onlyHop(mirror, topology) : null;
      const hop = known ?? hopTo(upstream, topology, copied, rng);
      if (hop === null) reason = { ...reason, code: 'no-host' };
      else if (hops === null) hops = [hop];
      else hops.push(hop);
    }
    if (!tellsWhy) continue;
    if (why === null) why = [reason];
    else why.push(reason);
  }
  return { hops: hops ?? NO_HOPS, why: why ?? NO_REASONS };
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
function onlyHop({ upstream, only }: CompiledMirror, topology: Topology): Hop | null {
  if (only.topology !== topology) {
    const placement = topology.upstreams[upstream] ?? NO_SERVERS;
    const isOne =
      placement.kind === 'single' || (placement.kind === 'hosts' && placement.among.length === 1);
    const shard = isOne && placement.kind === 'hosts' ? (placement.among[0] as number) : 0;
    const address = isOne ? placement.shards[shard]?.primary.address : undefined;
    only.hop =
      address === undefined ? null : { upstream, slot: -1, shard, role: 'primary', address };
    only.topology = topology;
  }
  return only.hop;
}

function hopTo(
  upstream: string,
  topology: Topology,
  { key, at, isWrite, policy, hashtagging }: Copied,
  rng: RecordingRng,
): Hop | null {
  const placement = topology.upstreams[upstream] ?? NO_SERVERS;
  const place = placeCopy(placement, key, at, { upstream, hashtagging, rng, tellsWhy: false });
  const shard = placement.shards[place.shard];
  if (shard === undefined) return null;
  const { server } = isWrite ? chooseWriter(shard) : chooseReader(shard, policy, rng);
  return (
    server && {
      upstream,
      slot: place.slot,
      shard: place.shard,
      role: server === shard.primary ? 'primary' : 'replica',
      address: server.address,
    }
  );
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
