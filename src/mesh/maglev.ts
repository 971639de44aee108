/** Envoy's Maglev table (mesh page, 5.3): each host takes its turn to claim the next free place of its own permutation. */
import { xxHash64 } from './hash.js';

/** A host to place: `key` is what is hashed of it (5.2), `weight` at least 1. */
export type WeightedHost = { readonly key: string; readonly weight: number };

export const DEFAULT_TABLE_SIZE = 65537;
export const MAX_TABLE_SIZE = 5_000_011;

/** The table: for each place the index of its host in `hosts`. `size` is prime. Empty without hosts. */
export function maglevTable(
  hosts: readonly WeightedHost[],
  size: number = DEFAULT_TABLE_SIZE,
): Uint16Array {
  if (hosts.length === 0) return new Uint16Array(0);
  const sum = hosts.reduce((total, host) => total + host.weight, 0);
  const prime = BigInt(size);
  const turns = hosts
    .map((host, index) => ({
      index,
      key: Buffer.from(host.key),
      weight: host.weight / sum,
      offset: Number(xxHash64(host.key, 0n) % prime),
      skip: Number(xxHash64(host.key, 1n) % (prime - 1n)) + 1,
      next: 0,
      target: 0,
    }))
    .sort((a, b) => Buffer.compare(a.key, b.key)); // by byte, not by code unit
  const heaviest = Math.max(...turns.map((turn) => turn.weight));
  const table = new Uint16Array(size).fill(FREE);
  let filled = 0;
  for (let iteration = 1; filled < size; iteration++) {
    for (const turn of turns) {
      if (filled === size) break;
      // Doubles exactly as Envoy writes it: for unequal weights the rounding decides ties.
      if (iteration * turn.weight < turn.target) continue;
      turn.target += heaviest;
      let place = placeOf(turn, size);
      while (table[place] !== FREE) {
        turn.next++;
        place = placeOf(turn, size);
      }
      table[place] = turn.index;
      turn.next++;
      filled++;
    }
  }
  return table;
}

const FREE = 0xffff;

/** (offset + skip × next) mod size; skip × next may pass 2^53 in the largest tables only after a host has been round 10^9 times. */
function placeOf(
  turn: { readonly offset: number; readonly skip: number; readonly next: number },
  size: number,
): number {
  return (turn.offset + turn.skip * turn.next) % size;
}

/** Whether a table may have this size: Envoy refuses what is not prime, or too large. */
export function isTableSize(size: number): boolean {
  if (!Number.isInteger(size) || size < 2 || size > MAX_TABLE_SIZE) return false;
  for (let divisor = 2; divisor * divisor <= size; divisor++)
    if (size % divisor === 0) return false;
  return true;
}
