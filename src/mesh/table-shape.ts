/** How a hashed set of hosts is dealt out: the figures Envoy publishes as `maglev_lb.*` and `ring_hash_lb.*`. */
import type { Placement } from './topology.js';

/** Entries of the table, or of the ring, of the host that has fewest and of the one that has most. */
export type TableShape = {
  readonly kind: 'maglev' | 'ring';
  /** Of the table or ring as a whole. */
  readonly size: number;
  readonly min: number;
  readonly max: number;
};

/** The shape of a placement's table or ring; null where it has none, or no hosts to deal to. */
export function tableShape(placement: Placement): TableShape | null {
  if (placement.kind !== 'hosts' || placement.among.length === 0) return null;
  const { table, ring, among } = placement;
  if (table !== null)
    return { kind: 'maglev', size: table.length, ...extremes(table, among.length) };
  if (ring !== null)
    return { kind: 'ring', size: ring.host.length, ...extremes(ring.host, among.length) };
  return null;
}

function extremes(
  entries: Uint16Array,
  hosts: number,
): { readonly min: number; readonly max: number } {
  const counts = new Uint32Array(hosts);
  for (const host of entries) counts[host] = (counts[host] as number) + 1;
  return { min: Math.min(...counts), max: Math.max(...counts) };
}
