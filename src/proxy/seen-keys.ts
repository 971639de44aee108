/**
 * Which keys have been met: a set of 64-bit hashes in two arrays, 16 MiB for a million keys where their texts would take ten times that.
 *
 * Two of a million keys have the same hash once in some 40 million runs; the later of the two then counts as met.
 */
import { hashKey } from '../mesh/hash.js';

const FIRST_PLACES = 1024;

/** What `add` found. `full`: it was not there, and there is no room for it. */
export type Met = 'new' | 'known' | 'full';

/** A set that only grows, up to `most` keys. */
export class SeenKeys {
  private readonly most: number;
  private count = 0;
  private his: Uint32Array = new Uint32Array(FIRST_PLACES);
  private los: Uint32Array = new Uint32Array(FIRST_PLACES);

  constructor(most: number) {
    this.most = most;
  }

  get size(): number {
    return this.count;
  }

  /** Adds `key`; keys of different `space`s, whole numbers, are different ones. */
  add(key: Uint8Array, space: number): Met {
    const hash = hashKey(key);
    const hi = (hash.hi ^ Math.imul(space, SPREAD)) >>> 0;
    // Two zeros stand for a place that is free.
    const lo = hash.lo === 0 && hi === 0 ? 1 : hash.lo;
    const at = this.placeOf(hi, lo);
    if (this.his[at] !== 0 || this.los[at] !== 0) return 'known';
    if (this.count >= this.most) return 'full';
    this.his[at] = hi;
    this.los[at] = lo;
    if (++this.count * 2 > this.his.length) this.grow();
    return 'new';
  }

  /** Where it is, or would be. */
  private placeOf(hi: number, lo: number): number {
    const mask = this.his.length - 1;
    let at = lo & mask;
    while (
      (this.his[at] !== hi || this.los[at] !== lo) &&
      (this.his[at] !== 0 || this.los[at] !== 0)
    )
      at = (at + 1) & mask;
    return at;
  }

  private grow(): void {
    const { his, los } = this;
    this.his = new Uint32Array(his.length * 2);
    this.los = new Uint32Array(his.length * 2);
    for (let i = 0; i < his.length; i++) {
      const [hi, lo] = [his[i] as number, los[i] as number];
      if (hi === 0 && lo === 0) continue;
      const at = this.placeOf(hi, lo);
      this.his[at] = hi;
      this.los[at] = lo;
    }
  }
}

const SPREAD = 0x9e3779b1;
