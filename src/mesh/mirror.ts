/** Which mirrors of a route get a copy of a request, and which of their servers (mesh page, 7). */
import { chooseReader, chooseWriter } from './choose.js';
import type { CompiledRoute } from './compile.js';
import type { MirrorPolicy, ReadPolicy } from './config.js';
import type { Hop, Reason } from './decision.js';
import { type PlacingContext, placeKey } from './place.js';
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

/** Appends a reason for each mirror of `route` to `why`; gives the servers that get a copy. */
export function mirrorsOf(
  route: CompiledRoute,
  copied: Copied,
  topology: Topology,
  rng: RecordingRng,
  why: Reason[],
): readonly Hop[] {
  const hops: Hop[] = [];
  for (const mirror of route.mirrors) {
    const drawn = drawnFor(mirror, copied.isWrite, rng);
    const hop =
      drawn.code === 'copied'
        ? hopOf(mirror.upstream, topology.upstreams[mirror.upstream] ?? NO_SERVERS, copied, rng)
        : null;
    const { numerator, of } = mirror.fraction;
    why.push({
      stage: 'mirror',
      code: drawn.code === 'copied' && hop === null ? 'no-host' : drawn.code,
      upstream: mirror.upstream,
      roll: drawn.roll,
      numerator,
      of,
    });
    if (hop !== null) hops.push(hop);
  }
  return hops;
}

function drawnFor(
  { excludeReads, fraction }: MirrorPolicy,
  isWrite: boolean,
  rng: RecordingRng,
): { readonly code: 'copied' | 'reads-excluded' | 'not-drawn'; readonly roll: number } {
  if (excludeReads && !isWrite) return { code: 'reads-excluded', roll: -1 };
  if (fraction.numerator >= fraction.of) return { code: 'copied', roll: -1 };
  const roll = rng.below(fraction.of);
  return { code: roll < fraction.numerator ? 'copied' : 'not-drawn', roll };
}

function hopOf(
  upstream: string,
  placement: Placement,
  { key, at, isWrite, policy, hashtagging }: Copied,
  rng: RecordingRng,
): Hop | null {
  const context: PlacingContext = { upstream, hashtagging, rng };
  const place =
    typeof key === 'number' ? { shard: key, slot: -1 } : placeKey(placement, key, at, context);
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
