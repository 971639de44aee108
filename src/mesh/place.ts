/** Key → slot → shard. */
import calculateSlot from 'cluster-key-slot';
import type { Reason } from './decision.js';
import { type Placement, UNCOVERED } from './topology.js';

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

/** CRC16/XMODEM, bit by bit: for the rare key above. */
export function crc16(bytes: Uint8Array): number {
  let crc = 0;
  for (const byte of bytes) {
    crc ^= byte << 8;
    for (let bit = 0; bit < 8; bit++) crc = crc & 0x8000 ? (crc << 1) ^ 0x1021 : crc << 1;
    crc &= 0xffff;
  }
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

/** Places `key`, which stands at position `at` of its command. A slot that nobody owns is shard 0's: Envoy's table starts at zero. */
export function placeKey(placement: Placement, key: Buffer, at: number): Place {
  if (placement.shards.length === 0) return NO_SERVERS_PLACE;
  if (placement.kind === 'single') return SINGLE;
  const slot = slotOf(key);
  const owner = placement.owner[slot] as number;
  if (owner === UNCOVERED)
    return { shard: 0, slot, why: { stage: 'place', code: 'uncovered', slot, key: at } };
  const tag = openBrace(key) === -1 ? null : hashTag(key);
  const why: Reason =
    tag === null
      ? { stage: 'place', code: 'slot', slot, key: at }
      : { stage: 'place', code: 'hash-tag', slot, key: at, from: tag.from, to: tag.to };
  return { shard: owner, slot, why };
}
