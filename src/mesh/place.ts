/** Key → slot → shard, or key → hash → host. */
import calculateSlot from 'cluster-key-slot';
import type { Reason } from './decision.js';
import { hashKey, modulo } from './hash.js';
import { ringIndex } from './ring.js';
import type { RecordingRng } from './rng.js';
import { type HostPlacement, type Placement, UNCOVERED } from './topology.js';

const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;

/** The part of a key between its first `{` and the next `}`, if there is something between them; else null. Positions in the key. */
export function hashTag(key: Uint8Array): { readonly from: number; readonly to: number } | null {
  const from = openBrace(key);
  if (from === -1) return null;
  const to = key.indexOf(CLOSE_BRACE, from + 1);
  return to > from + 1 ? { from: from + 1, to } : null;
}

/** Position of the first `{`, or -1. A loop: most keys have none and are short. */
function openBrace(key: Uint8Array): number {
  for (let i = 0; i < key.length; i++) if (key[i] === OPEN_BRACE) return i;
  return -1;
}

/** The slot of a key, 0 … 16383: CRC16 of its hash tag, or of all of it (mesh page, 4.1). */
export function slotOf(key: Buffer): number {
  // cluster-key-slot 1.1.2 takes the second pair of braces for the tag when the first is empty; Redis and Envoy hash the whole key.
  const brace = openBrace(key);
  if (brace !== -1 && key[brace + 1] === CLOSE_BRACE) return crc16(key) % 16384;
  return calculateSlot(key);
}

/** The slot of the key `bytes[from..end)`, for those who count keys and have no view of each. */
export function slotIn(bytes: Buffer, from: number, end: number): number {
  for (let i = from; i < end; i++)
    if (bytes[i] === OPEN_BRACE) return slotOf(bytes.subarray(from, end));
  return crc16(bytes, from, end) % 16384;
}

/** By the upper byte, what eight steps of CRC16/XMODEM come to. */
const CRC16 = Uint16Array.from({ length: 256 }, (_, byte) => {
  let crc = byte << 8;
  for (let bit = 0; bit < 8; bit++) crc = crc & 0x8000 ? (crc << 1) ^ 0x1021 : crc << 1;
  return crc;
});

/** CRC16/XMODEM of `bytes[from..end)`. */
export function crc16(bytes: Uint8Array, from = 0, end: number = bytes.length): number {
  let crc = 0;
  for (let i = from; i < end; i++)
    crc = ((crc << 8) & 0xffff) ^ (CRC16[(crc >> 8) ^ (bytes[i] as number)] as number);
  return crc;
}

/** Where a key belongs: index of its shard, -1 where the upstream has no server. */
export type Place = { readonly shard: number; readonly slot: number; readonly why: Reason };

const SINGLE: Place = { shard: 0, slot: -1, why: { stage: 'place', code: 'single' } };
export const NO_SERVERS_PLACE: Place = {
  shard: -1,
  slot: -1,
  why: { stage: 'place', code: 'no-servers' },
};

/** In the place of a reason that nobody asked for. */
const UNTOLD: Reason = { stage: 'place', code: 'slot', slot: -1, key: -1 };

/** What placing a key on a set of hosts rests on besides the key. */
export type PlacingContext = {
  readonly upstream: string;
  readonly hashtagging: boolean;
  readonly rng: RecordingRng;
  /** Whether a slot's reason is made: most places are slots. */
  readonly tellsWhy: boolean;
};

/**
 * Places `key`, which stands at position `at` of its command. A slot that nobody owns is shard 0's: Envoy's table starts at zero.
 */
export function placeKey(
  placement: Placement,
  key: Buffer,
  at: number,
  context: PlacingContext,
): Place {
  if (placement.shards.length === 0) return NO_SERVERS_PLACE;
  if (placement.kind === 'single') return SINGLE;
  if (placement.kind === 'hosts') return placeOnHosts(placement, key, at, context);
  const slot = slotOf(key);
  const owner = placement.owner[slot] as number;
  if (owner === UNCOVERED)
    return { shard: 0, slot, why: { stage: 'place', code: 'uncovered', slot, key: at } };
  if (!context.tellsWhy) return { shard: owner, slot, why: UNTOLD };
  const tag = openBrace(key) === -1 ? null : hashTag(key);
  const why: Reason =
    tag === null
      ? { stage: 'place', code: 'slot', slot, key: at }
      : { stage: 'place', code: 'hash-tag', slot, key: at, from: tag.from, to: tag.to };
  return { shard: owner, slot, why };
}

/** One host of a set: by the key's hash, or as a balancer goes that does not look at keys (mesh page, 5). */
function placeOnHosts(
  placement: HostPlacement,
  key: Buffer,
  at: number,
  context: PlacingContext,
): Place {
  const { table, ring } = placement;
  if (placement.among.length === 0) return NO_SERVERS_PLACE;
  if (table === null && ring === null) return placeInTurn(placement, context);
  const tag = context.hashtagging && openBrace(key) !== -1 ? hashTag(key) : null;
  const hash = tag === null ? hashKey(key) : hashKey(key, tag.from, tag.to);
  const of = table === null ? (ring?.host.length ?? 0) : table.length;
  const entry = table === null ? (ring === null ? 0 : ringIndex(ring, hash)) : modulo(hash, of);
  const host = (table ?? ring?.host)?.[entry] ?? 0;
  return {
    shard: placement.among[host] ?? 0,
    slot: -1,
    why: {
      stage: 'place',
      code: table === null ? 'ring' : 'maglev',
      key: at,
      from: tag?.from ?? 0,
      to: tag?.to ?? -1,
      hi: hash.hi,
      lo: hash.lo,
      entry,
      of,
    },
  };
}

/** ROUND_ROBIN, RANDOM, LEAST_REQUEST: the key plays no part. */
export function placeInTurn(
  { among, balancer, shards }: HostPlacement,
  { rng, upstream }: Pick<PlacingContext, 'rng' | 'upstream'>,
): Place {
  const { policy } = balancer;
  const of = among.length;
  const index =
    of === 1
      ? 0
      : policy === 'ROUND_ROBIN' || policy === 'LEAST_REQUEST'
        ? rng.balance(
            policy,
            upstream,
            among.map((host) => shards[host]?.primary.address ?? ''),
          )
        : rng.below(of);
  return {
    shard: among[index] ?? 0,
    slot: -1,
    why: { stage: 'place', code: 'turn', policy, of },
  };
}
