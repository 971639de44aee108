/**
 * The stream of events: the core writes into one block after another; each full, or 50 ms old, block goes to every consumer.
 *
 * The bus waits for nobody. A consumer that is `lossless` and behind makes `congested` true, and it is the proxy that then stops reading
 * from clients; any other that is behind loses whole blocks. What it lost is counted and told to it as a gap, once it has caught up,
 * followed by the state as at its start, for events that later ones need may have been among what it lost.
 */
import {
  BlockWriter,
  type CommandNote,
  encodeOther,
  otherSize,
  type BlockWriter as Writer,
} from './block.js';
import type { OtherEvent } from './event.js';

/** Takes blocks in. It may be told of a server, configuration, topology or session that it knows already. */
export type Consumer = {
  /** Takes `bytes` of a block, which become its own; false: it had no room, and the block is lost to it. */
  accept(block: ArrayBuffer, used: number): boolean;
  /** Never lose a block to this one: slow the clients down instead. */
  readonly lossless: boolean;
  /** Whether it has so much to do that clients should wait. */
  readonly behind: boolean;
  /** A block of BLOCK_BYTES that it has no more use for, to be filled again: a fresh one costs the core 64 page faults. */
  spare?(): ArrayBuffer | undefined;
  /** Told how full the ring before it is (0 … 1), each time it has taken from it; where there is none, it is not called. */
  pressure?(share: number): void;
  /** The only events it looks at; absent: all. What no consumer looks at is not written; others it may be given all the same. */
  readonly only?: ReadonlySet<OtherEvent['type']>;
};

/** Blocks of 256 KiB that may be on their way to a consumer in another thread: 8 MiB. */
export const RING_BLOCKS = 32;

const FLUSH_MS = 50;

/** How many configurations and topologies are told to a late consumer: commands that were decided by an older one may still end. */
const VERSIONS_TOLD = 8;

/** What a consumer has not been given: `missed`, something, or all that was before it came; and how many commands. */
type Lost = { missed: boolean; dropped: number; from: number; to: number };

/** The stream of one proxy. */
export class EventBus {
  private readonly writer: Writer = new BlockWriter();
  private readonly consumers = new Map<Consumer, Lost>();
  /** The latest of each event that later ones need to be understood: configurations, topologies, open sessions. */
  private readonly state = new Map<string, OtherEvent>();
  private readonly refs = new Map<string, number>();
  private lossless: Consumer[] = [];
  /** What the consumers look at, all together; null: everything. */
  private wanted: ReadonlySet<OtherEvent['type']> | null = new Set();
  private timer: NodeJS.Timeout | null = null;

  /** Whether a consumer that must not lose anything is behind. */
  get congested(): boolean {
    for (const consumer of this.lossless) if (consumer.behind) return true;
    return false;
  }

  /** Adds a consumer: the first it gets is the state so far, then everything that happens from now on. */
  subscribe(consumer: Consumer): () => void {
    this.flush();
    const lost: Lost = { missed: true, dropped: 0, from: 0, to: 0 };
    this.catchUp(consumer, lost);
    this.consumers.set(consumer, lost);
    this.counted();
    return () => {
      this.flush();
      this.consumers.delete(consumer);
      this.counted();
    };
  }

  private counted(): void {
    const all = [...this.consumers.keys()];
    this.lossless = all.filter((each) => each.lossless);
    const wanted = new Set<OtherEvent['type']>();
    for (const { only } of all) for (const type of only ?? []) wanted.add(type);
    this.wanted = all.some((each) => each.only === undefined) ? null : wanted;
  }

  /** Whether anybody looks at events of this type. */
  wants(type: OtherEvent['type']): boolean {
    return this.wanted === null || this.wanted.has(type);
  }

  /** Tells a consumer what it lost, and the state; false: it has no room yet. */
  private catchUp(consumer: Consumer, lost: Lost): boolean {
    const events: OtherEvent[] = [...this.refs].map(([address, number]) => ({
      type: 'server',
      atUs: 0,
      number,
      address,
    }));
    const hello = this.state.get('hello');
    if (hello !== undefined) events.push(hello);
    for (const event of this.state.values()) if (event !== hello) events.push(event);
    const { dropped, from, to } = lost;
    if (dropped > 0) events.unshift({ type: 'gap', atUs: 0, dropped, from, to });
    for (const [block, used] of blocksOf(events)) if (!consumer.accept(block, used)) return false;
    lost.missed = false;
    lost.dropped = 0;
    return true;
  }

  /** Writes a finished command. */
  command(note: CommandNote, durationUs: number): void {
    if (this.wanted !== null) return;
    this.name(note);
    const size = this.writer.sizeOf(note);
    if (!this.writer.fits(size)) {
      this.flush();
      this.writer.fits(size);
    }
    this.writer.command(note, durationUs, this.refOf);
    if (this.timer === null) this.arm();
  }

  /** The addresses a note speaks of get their numbers, and their events, before it. */
  private name(note: CommandNote): void {
    if (note.pinned !== null) this.number(note.pinned);
    if (note.home !== null) this.number(note.home);
    if (note.attempts !== null) for (const attempt of note.attempts) this.number(attempt.address);
  }

  private number(address: string): void {
    if (this.refs.has(address)) return;
    const number = this.refs.size;
    this.refs.set(address, number);
    this.writeOther({ type: 'server', atUs: 0, number, address });
  }

  private readonly refOf = (address: string): number => this.refs.get(address) ?? -1;

  /** Writes any other event. */
  other(event: OtherEvent): void {
    this.remember(event);
    if (!this.wants(event.type)) return;
    this.writeOther(event);
    if (this.timer === null) this.arm();
  }

  private remember(event: OtherEvent): void {
    switch (event.type) {
      case 'hello':
        this.state.set('hello', event);
        return;
      case 'config':
        this.rememberVersion('config', event.config.version, event);
        return;
      case 'topology':
        this.rememberVersion('topology', event.version, event);
        return;
      case 'session':
        this.state.set(`session ${event.connection}`, event);
        return;
      case 'session-closed':
        this.state.delete(`session ${event.connection}`);
        return;
      default:
    }
  }

  private rememberVersion(type: 'config' | 'topology', version: number, event: OtherEvent): void {
    this.state.set(`${type} ${version}`, event);
    this.state.delete(`${type} ${version - VERSIONS_TOLD}`);
  }

  private writeOther(event: OtherEvent): void {
    const json = encodeOther(event);
    if (!this.writer.fits(otherSize(json))) {
      this.flush();
      this.writer.fits(otherSize(json));
    }
    this.writer.other(json, event.type);
  }

  private spare(): ArrayBuffer | undefined {
    for (const consumer of this.consumers.keys()) {
      const block = consumer.spare?.();
      if (block !== undefined) return block;
    }
    return undefined;
  }

  private arm(): void {
    this.timer = setTimeout(this.flush, FLUSH_MS);
    this.timer.unref();
  }

  /** Hands the block so far to all consumers. */
  readonly flush = (): void => {
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
    const { writer } = this;
    const { used, commands, firstSeq, lastSeq } = writer;
    if (used === 0) return;
    if (this.consumers.size === 0) {
      writer.clear();
      return;
    }
    const block = writer.take(this.spare());
    let left = this.consumers.size;
    for (const [consumer, lost] of this.consumers) {
      left--;
      // One that has lost something is told so when it has room again, not for each block that it has no room for.
      const isUpToDate = !lost.missed || (!consumer.behind && this.catchUp(consumer, lost));
      // A block belongs to whom it is given, so all but the last get a copy.
      if (!isUpToDate || !consumer.accept(left === 0 ? block : block.slice(0), used))
        note(lost, commands, firstSeq, lastSeq);
    }
  };
}

function note(lost: Lost, commands: number, first: number, last: number): void {
  lost.missed = true;
  if (commands === 0) return;
  if (lost.dropped === 0) lost.from = first;
  lost.dropped += commands;
  lost.to = last;
}

/** Events in as many blocks as they need, with the bytes used of each. */
export function blocksOf(events: readonly OtherEvent[]): [ArrayBuffer, number][] {
  const writer = new BlockWriter();
  const blocks: [ArrayBuffer, number][] = [];
  const end = (): void => {
    const { used } = writer;
    if (used > 0) blocks.push([writer.take(), used]);
  };
  for (const event of events) {
    const json = encodeOther(event);
    if (!writer.fits(otherSize(json))) {
      end();
      writer.fits(otherSize(json));
    }
    writer.other(json, event.type);
  }
  end();
  return blocks;
}
