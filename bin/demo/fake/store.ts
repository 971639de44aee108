/** The data of one shard: keys with a typed value and perhaps a time to live. Texts hold one character a byte. */
import { Refused, WRONG_TYPE } from './replies.js';

/** What a key can hold. */
export type Data = {
  readonly string: string;
  readonly list: string[];
  readonly hash: Map<string, string>;
  readonly set: Set<string>;
  /** Score of each member. */
  readonly zset: Map<string, number>;
};

/** What TYPE says of a key. */
export type Kind = keyof Data;

type Entry = {
  readonly kind: Kind;
  readonly data: Data[Kind];
  /** Unix time; null: it stays. */
  expiresAtMs: number | null;
};

const EMPTY: { readonly [K in Kind]: () => Data[K] } = {
  string: () => '',
  list: () => [],
  hash: () => new Map(),
  set: () => new Set(),
  zset: () => new Map(),
};

/** A primary and its replicas share one: what is written is there at once. */
export class Store {
  private entries = new Map<string, Entry>();
  /** How often each key was written to, for WATCH; kept for watched keys only. */
  private readonly watched = new Map<string, number>();
  /** Those who wait for a key to get something, the first of them first. */
  private readonly waiting = new Map<string, Set<() => void>>();
  private readonly nowMs: () => number;

  constructor(nowMs: () => number) {
    this.nowMs = nowMs;
  }

  private entry(key: string): Entry | undefined {
    const entry = this.entries.get(key);
    if (entry === undefined || !this.isOver(entry)) return entry;
    this.delete(key);
    return undefined;
  }

  private isOver(entry: Entry): boolean {
    return entry.expiresAtMs !== null && entry.expiresAtMs <= this.nowMs();
  }

  /** The value of `key`; null when there is none. Throws WRONGTYPE when it is of another kind. */
  read<K extends Kind>(key: string, kind: K): Data[K] | null {
    const entry = this.entry(key);
    if (entry === undefined) return null;
    if (entry.kind !== kind) throw new Refused(WRONG_TYPE);
    return entry.data as Data[K];
  }

  /** The value to change: an empty one where there is none. `wrote` removes it if it stays empty. */
  change<K extends Exclude<Kind, 'string'>>(key: string, kind: K): Data[K] {
    const known = this.read(key, kind);
    if (known !== null) return known;
    const data = EMPTY[kind]();
    this.put(key, kind, data);
    return data;
  }

  /** Sets a value of any kind, which then stays until `expiresAtMs`. */
  put<K extends Kind>(
    key: string,
    kind: K,
    data: Data[K],
    expiresAtMs: number | null = null,
  ): void {
    this.entries.set(key, { kind, data, expiresAtMs });
  }

  kindOf(key: string): Kind | null {
    return this.entry(key)?.kind ?? null;
  }

  has(key: string): boolean {
    return this.entry(key) !== undefined;
  }

  delete(key: string): boolean {
    this.count(key);
    return this.entries.delete(key);
  }

  /** Unix time in ms; null: no such key, or it stays. */
  expiryOf(key: string): number | null {
    return this.entry(key)?.expiresAtMs ?? null;
  }

  setExpiry(key: string, expiresAtMs: number | null): void {
    const entry = this.entry(key);
    if (entry !== undefined) entry.expiresAtMs = expiresAtMs;
  }

  rename(from: string, to: string): void {
    const entry = this.entry(from);
    if (entry === undefined) return;
    this.entries.delete(from);
    this.entries.set(to, entry);
  }

  /** All keys there are now, the oldest first. */
  keys(): string[] {
    this.sweep();
    return [...this.entries.keys()];
  }

  /** Forgets what is over: keys that nobody asks for any more. */
  sweep(): void {
    for (const [key, entry] of this.entries) if (this.isOver(entry)) this.delete(key);
  }

  clear(): void {
    for (const key of this.entries.keys()) this.count(key);
    this.entries.clear();
  }

  /** After a write to `key`: Redis keeps no empty collections, and transactions that watch it fail. */
  wrote(key: string): void {
    this.count(key);
    const entry = this.entries.get(key);
    if (entry === undefined || typeof entry.data === 'string') return;
    const size = Array.isArray(entry.data) ? entry.data.length : entry.data.size;
    if (size === 0) this.entries.delete(key);
    else this.wakeAll(key);
  }

  private wakeAll(key: string): void {
    for (const wake of [...(this.waiting.get(key) ?? [])])
      if (this.waiting.get(key)?.has(wake)) wake(); // one that was woken may have woken others
  }

  /** Has `wake` called after each write that leaves something in the collection `key`, until `stopWaiting`. */
  waitFor(key: string, wake: () => void): void {
    const known = this.waiting.get(key);
    if (known === undefined) this.waiting.set(key, new Set([wake]));
    else known.add(wake);
  }

  stopWaiting(key: string, wake: () => void): void {
    const known = this.waiting.get(key);
    known?.delete(wake);
    if (known?.size === 0) this.waiting.delete(key);
  }

  private count(key: string): void {
    const writes = this.watched.get(key);
    if (writes !== undefined) this.watched.set(key, writes + 1);
  }

  /** A number that changes when `key` does. */
  watch(key: string): number {
    const writes = this.watched.get(key) ?? 0;
    this.watched.set(key, writes);
    this.entry(key); // one that is over is deleted now, not under the watcher's feet
    return this.watched.get(key) ?? 0;
  }
}
