/**
 * A flight recorder: the latest of a stream is kept in memory and becomes a file when somebody asks for it, when a command fits an
 * expression, or at the end. Runs in the writer's thread.
 *
 * What is kept are blocks as they came: nothing is put into words before it is wanted. What the oldest of them needs to be understood
 * (topologies, configurations, open connections) is remembered when the ones before it go.
 */

import { unlinkSync } from 'node:fs';
import { AT, KIND_COMMAND } from '../events/block.js';
import { blocksOf } from '../events/bus.js';
import type { OtherEvent } from '../events/event.js';
import { Block, StreamContext } from '../events/reader.js';
import { parseFilter } from '../filter/filter.js';
import { RING_NOTE } from './reader.js';
import { Recorder } from './recorder.js';
import { Selection } from './select.js';
import { partPath } from './sink.js';
import type { RingOptions, WriterOptions, WrittenTotals } from './writer.js';

/** What a kept block costs besides its bytes, about. */
const BLOCK_COST = 512;
/** What is written at once, so that blocks can be taken in between. */
const STEP_BYTES = 2 * 1024 * 1024;
/** Configurations and topologies told at the start of a file: commands may still be decided by older ones. As the bus does. */
const VERSIONS_TOLD = 8;

/** A block, and when it came (ms of the recorder's clock). */
type Kept = { readonly block: Block; readonly atMs: number };

/** Keeps what `options.ring` says. `written` is told of every file that was completed. Writing throws what writing throws. */
export class RingRecorder {
  /** Why a file has ended before all was in it; null: none has. */
  stopped: string | null = null;
  private readonly options: WriterOptions;
  private readonly ring: RingOptions;
  private readonly nowMs: () => number;
  private readonly written: (file: string, totals: WrittenTotals) => void;
  private readonly kept: Kept[] = [];
  private heldBytes = 0;
  /** Of everything before the oldest block that is kept. */
  private readonly before = new StreamState();
  private readonly watch: Watch | null;
  /** The file that is being written, and how many of the kept blocks are still to go into it. */
  private file: Recorder | null = null;
  private left = 0;
  private files = 0;
  /** Commands that came since blocks were last asked to be written. */
  private fresh = 0;
  private readonly sum = { commands: 0, bytes: 0, parts: 0, cut: 0, dropped: 0 };

  constructor(
    options: WriterOptions & { readonly ring: RingOptions },
    nowMs: () => number,
    written: (file: string, totals: WrittenTotals) => void,
  ) {
    this.options = options;
    this.ring = options.ring;
    this.nowMs = nowMs;
    this.written = written;
    this.watch = options.ring.flushOn === '' ? null : new Watch(options.ring.flushOn);
  }

  /** What is held in memory, in bytes. */
  get textBytes(): number {
    return this.heldBytes;
  }

  /** Whether there is something for `step` to do. */
  get isWriting(): boolean {
    return this.left > 0;
  }

  /** Takes a block in, and lets go of what is too old or too much. */
  block(block: Block): void {
    const own = compact(block);
    this.kept.push({ block: own, atMs: this.nowMs() });
    this.heldBytes += costOf(own);
    own.walk((kind) => {
      if (kind === KIND_COMMAND) this.fresh++;
    });
    // While a file is written its blocks stay; it is written faster than they come, so that they are not many more than were asked for.
    if (this.left > 0) this.step(2 * costOf(own));
    else this.shed();
    if (this.watch?.fits(own) === true) this.flush();
  }

  /** Lets go of what has become too old; called a few times a second. */
  tick(): void {
    if (this.left === 0) this.shed();
  }

  /** Begins to write what is held: `step` does it. */
  flush(): void {
    if (this.left === 0) {
      this.shed();
      this.begin();
    }
    this.left = this.kept.length;
    this.fresh = 0;
    if (this.left === 0) this.finish('flush');
  }

  /** Writes some more of what was asked for, of at least `bytes`; false when all of it is written. */
  step(bytes: number = STEP_BYTES): boolean {
    for (let done = 0; this.left > 0 && done < bytes; ) {
      done += costOf((this.kept[0] as Kept).block);
      this.left--;
      this.file?.block(this.letGo());
      if (this.file !== null && this.file.stopped !== null) {
        this.stopped = this.file.stopped;
        this.left = 0;
      }
      if (this.left === 0) this.finish('flush');
    }
    return this.left > 0;
  }

  /** Writes what is still to be written, which with `flushOn` is nothing more; gives the totals of all files. */
  end(): WrittenTotals {
    while (this.step());
    if (this.watch === null && (this.fresh > 0 || this.files === 0)) {
      this.flush();
      while (this.step());
    }
    if (this.files === 0 && this.options.sink.kind === 'file') unlinkSync(this.options.sink.path);
    return this.sum;
  }

  private begin(): void {
    const { sink, header } = this.options;
    this.files++;
    const path = this.path();
    this.file = new Recorder(
      {
        ...this.options,
        sink: sink.kind === 'file' ? { ...sink, path } : sink,
        header: { ...header, note: `${RING_NOTE}${this.ring.text}` },
      },
      this.nowMs,
    );
    for (const [block, used] of blocksOf(this.before.events()))
      this.file.block(new Block(block, used));
  }

  private path(): string {
    const { sink } = this.options;
    return sink.kind === 'file' ? partPath(sink.path, this.files) : '-';
  }

  private finish(why: string): void {
    const totals = this.file?.end(why);
    this.file = null;
    if (totals === undefined) return;
    this.sum.commands += totals.commands;
    this.sum.bytes += totals.bytes;
    this.sum.parts++;
    this.sum.cut += totals.cut;
    this.sum.dropped += totals.dropped;
    this.written(this.path(), totals);
  }

  private shed(): void {
    const { ms, bytes } = this.ring;
    const oldest = ms === null ? Number.NEGATIVE_INFINITY : this.nowMs() - ms;
    // The newest is kept, whatever its size.
    while (this.kept.length > 1 && this.heldBytes > bytes) this.letGo();
    while (this.kept.length > 0 && (this.kept[0] as Kept).atMs < oldest) this.letGo();
  }

  /** The oldest block, kept no longer; what it says of the state stays known. */
  private letGo(): Block {
    const { block } = this.kept.shift() as Kept;
    this.heldBytes -= costOf(block);
    this.before.learn(block);
    return block;
  }
}

/** A block without the room that nothing is in: one that was sent for its age may be nearly empty. */
function compact(block: Block): Block {
  const { buffer, length } = block.bytes;
  return length * 2 > buffer.byteLength
    ? block
    : new Block((buffer as ArrayBuffer).slice(0, length), length);
}

function costOf({ bytes }: Block): number {
  return bytes.buffer.byteLength + BLOCK_COST;
}

/** What of a stream's past its future rests on. */
class StreamState {
  private hello: OtherEvent | null = null;
  private readonly servers = new Map<number, OtherEvent>();
  private readonly configs = new Map<number, OtherEvent>();
  private readonly topologies = new Map<number, OtherEvent>();
  private readonly sessions = new Map<number, OtherEvent>();
  /** Commands that run, or that finish later in the stream. */
  private readonly pending = new Map<number, OtherEvent>();

  learn(block: Block): void {
    block.walk((kind, offset) => {
      if (kind !== KIND_COMMAND) this.event(block.other(offset));
      else if (this.pending.size > 0)
        this.pending.delete(block.floats[((offset >> 2) + AT.seq) >> 1] as number);
    });
  }

  private event(event: OtherEvent): void {
    switch (event.type) {
      case 'hello':
        this.hello = event;
        return;
      case 'server':
        this.servers.set(event.number, event);
        return;
      case 'config':
        this.configs.set(event.config.version, event);
        this.configs.delete(event.config.version - VERSIONS_TOLD);
        return;
      case 'topology':
        this.topologies.set(event.version, event);
        this.topologies.delete(event.version - VERSIONS_TOLD);
        return;
      case 'session':
        this.sessions.set(event.connection, event);
        return;
      case 'session-closed':
        this.sessions.delete(event.connection);
        return;
      case 'pending':
        this.pending.set(event.seq, event);
        return;
      default:
    }
  }

  /** In the order that a stream begins with. */
  events(): OtherEvent[] {
    return [
      ...(this.hello === null ? [] : [this.hello]),
      ...this.servers.values(),
      ...this.configs.values(),
      ...this.topologies.values(),
      ...this.sessions.values(),
      ...this.pending.values(),
    ];
  }
}

/** Waits for the first command that fits an expression. */
class Watch {
  private readonly context = new StreamContext();
  private readonly selection: Selection | null;
  private isOver = false;

  constructor(expression: string) {
    const filter = parseFilter(expression);
    this.selection =
      filter.kind === 'filter' ? new Selection({ context: this.context }, filter) : null;
  }

  /** Whether the first command that fits is in this block, which comes after all others that were asked for. */
  fits(block: Block): boolean {
    const { selection, context } = this;
    if (this.isOver || selection === null) return false;
    block.walk((kind, offset) => {
      if (this.isOver) return;
      if (kind === KIND_COMMAND) {
        this.isOver = selection.wants({ event: block.command(offset, context) });
        return;
      }
      const event = block.other(offset);
      context.learn(event);
      selection.wants({ event });
    });
    return this.isOver;
  }
}
