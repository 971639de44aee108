/** Envoy's RING_HASH (mesh page, 5.4): entries of each host on a ring of 64 bits; a key belongs to the next entry. */
import { type Hash64, murmurHash64, xxHash64 } from './hash.js';
import type { WeightedHost } from './maglev.js';

export type RingOptions = {
  readonly minimumSize: number;
  readonly maximumSize: number;
  readonly hash: 'XX_HASH' | 'MURMUR_HASH_2';
};

export const DEFAULT_RING: RingOptions = {
  minimumSize: 1024,
  maximumSize: 8_388_608,
  hash: 'XX_HASH',
};

/** Entries in ascending order of their hash; `host` is an index into the hosts the ring was made of. */
export type Ring = {
  readonly hi: Uint32Array;
  readonly lo: Uint32Array;
  readonly host: Uint16Array;
};

/** The ring of `hosts`, in the order they are listed. */
export function hashRing(
  hosts: readonly WeightedHost[],
  options: RingOptions = DEFAULT_RING,
): Ring {
  const entries = ringEntries(hosts, options).sort((a, b) =>
    a.hash < b.hash ? -1 : a.hash > b.hash ? 1 : 0,
  );
  const ring = {
    hi: new Uint32Array(entries.length),
    lo: new Uint32Array(entries.length),
    host: new Uint16Array(entries.length),
  };
  entries.forEach((entry, i) => {
    ring.hi[i] = Number(entry.hash >> 32n);
    ring.lo[i] = Number(entry.hash & 0xffffffffn);
    ring.host[i] = entry.host;
  });
  return ring;
}

function ringEntries(
  hosts: readonly WeightedHost[],
  options: RingOptions,
): { readonly hash: bigint; readonly host: number }[] {
  const sum = hosts.reduce((total, host) => total + host.weight, 0);
  const weights = hosts.map((host) => host.weight / sum);
  const lightest = Math.min(...weights);
  const scale = Math.min(Math.ceil(lightest * options.minimumSize) / lightest, options.maximumSize);
  const hash = options.hash === 'XX_HASH' ? xxHash64 : murmurHash64;
  const entries: { hash: bigint; host: number }[] = [];
  let filled = 0;
  let goal = 0;
  hosts.forEach((host, index) => {
    goal += scale * (weights[index] as number);
    for (let i = 0; filled < goal; i++, filled++)
      entries.push({ hash: hash(`${host.key}_${i}`), host: index });
  });
  return entries;
}

/** The entry that `hash` belongs to: the first at or after it, else the first of all. */
export function ringIndex(ring: Ring, hash: Hash64): number {
  let low = 0;
  let high = ring.hi.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const entryHi = ring.hi[middle] as number;
    const isBefore =
      entryHi < hash.hi || (entryHi === hash.hi && (ring.lo[middle] as number) < hash.lo);
    if (isBefore) low = middle + 1;
    else high = middle;
  }
  return low === ring.hi.length ? 0 : low;
}

/** The index of the host that `hash` belongs to. */
export function hostOnRing(ring: Ring, hash: Hash64): number {
  return ring.host[ringIndex(ring, hash)] as number;
}
