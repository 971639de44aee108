/** Blocks → the lines of a recording: header, records, check records, parts, the last line. Runs in the writer's thread. */
import { AT, FLAG, KIND_COMMAND } from '../events/block.js';
import type { CommandEvent, OtherEvent } from '../events/event.js';
import { type Block, StreamContext } from '../events/reader.js';
import { type ClientInfo, Facts } from '../filter/facts.js';
import { type Filter, parseFilter } from '../filter/filter.js';
import type { Breath } from './breath.js';
import { LineEncoder } from './encoder.js';
import { commandToJson } from './format.js';
import { headerToJson, otherToJson, seconds } from './others.js';
import { Redactor, removesMore } from './redact.js';
import { Sink } from './sink.js';
import { isJsonObject, type JsonObject } from './values.js';
import type { WriterOptions, WrittenTotals } from './writer.js';

/** A check record is due after so much, or so long. */
const CHECK_BYTES = 1024 * 1024;
const CHECK_MS = 5000;

/** Writes one recording. `nowMs` is a monotonic clock; anything that writes throws what writing throws. */
export class Recorder {
  /** Why no more is written, once that is so. */
  stopped: string | null = null;
  private readonly options: WriterOptions;
  private readonly sink: Sink;
  private readonly nowMs: () => number;
  private readonly context = new StreamContext();
  private readonly encoder: LineEncoder;
  private readonly filter: Filter | null;
  private readonly facts: Facts;
  private readonly redactor: Redactor | null;
  private readonly clients = new Map<number, ClientInfo>();
  /** What a new part starts with. */
  private hello: Extract<OtherEvent, { type: 'hello' }> | null = null;
  private topology: OtherEvent | null = null;
  private config: OtherEvent | null = null;
  private readonly open = new Map<number, OtherEvent>();
  private commands = 0;
  private lastSeq = 0;
  private lastUs = 0;
  private dropped = 0;
  private cut = 0;
  private saved = 0;
  private notSaved = 0;
  private checkedAt = 0;
  private checkedMs: number;
  private readonly breath: Breath | null;

  /** `breath` is told of each command, so that the thread can rest in between. */
  constructor(options: WriterOptions, nowMs: () => number, breath: Breath | null = null) {
    this.options = options;
    this.breath = breath;
    this.nowMs = nowMs;
    this.sink = new Sink(options.sink, nowMs());
    this.checkedMs = nowMs();
    this.encoder = new LineEncoder(this.context);
    const filter = parseFilter(options.filter);
    this.filter = filter.kind === 'filter' && options.filter !== '' ? filter : null;
    this.redactor = removesMore(options.redact) ? new Redactor(options.redact) : null;
    this.facts = new Facts({
      topology: (version) => this.context.topology(version),
      config: (version) => this.context.config(version),
      client: (connection) => this.clients.get(connection),
      slowUs: () => null,
      nowUs: () => this.lastUs,
    });
  }

  /** What has been written, in all parts. */
  get textBytes(): number {
    return this.sink.textBytes;
  }

  /** Writes what a block holds. */
  block(block: Block): void {
    if (this.stopped !== null) return;
    const { breath } = this;
    breath?.begin();
    block.walk((kind, offset) => {
      if (kind === KIND_COMMAND) {
        this.command(block, offset);
        breath?.step();
      } else this.other(block.other(offset));
    });
    this.emit();
    if (this.sink.isFile) this.look();
  }

  /** What has waited long enough is written; called a few times a second. */
  tick(): void {
    if (this.stopped === null) this.sink.tick(this.nowMs());
  }

  /** Writes the last line and closes. */
  end(why: string): WrittenTotals {
    if (this.stopped === null) this.finish(why);
    return {
      commands: this.commands,
      bytes: this.sink.textBytes,
      parts: this.sink.part,
      cut: this.cut,
      dropped: this.dropped,
      ...(this.saved + this.notSaved === 0
        ? {}
        : { snapshot: { saved: this.saved, left: this.notSaved } }),
    };
  }

  private command(block: Block, offset: number): void {
    const { ints, floats } = block;
    const head = offset >> 2;
    const seq = floats[(head + AT.seq) >> 1] as number;
    if (seq > this.lastSeq) this.lastSeq = seq;
    const endUs =
      (floats[(head + AT.atUs) >> 1] as number) + (floats[(head + AT.durationUs) >> 1] as number);
    if (endUs > this.lastUs) this.lastUs = endUs;
    const flags = ints[head + AT.flags] as number;
    const isWhole = (flags & (FLAG.condensed | FLAG.replyCondensed)) === 0;
    if (isWhole && this.filter === null && this.redactor === null) {
      this.commands++;
      this.encoder.commandAt(block, offset);
      return;
    }
    const event = block.command(offset, this.context);
    if (this.filter !== null) {
      this.facts.load(event);
      if (!this.filter.matches(this.facts)) return;
    }
    this.commands++;
    if (!isWhole && isCut(event)) this.cut++;
    if (this.redactor === null || !this.redactor.touches(event))
      this.encoder.commandAt(block, offset);
    else this.encoder.json(this.redactor.line(commandToJson(event, this.context), event));
  }

  private other(event: OtherEvent): void {
    this.context.learn(event);
    if (event.atUs > this.lastUs) this.lastUs = event.atUs;
    switch (event.type) {
      case 'hello':
        if (this.hello !== null) return; // the state is told again to a consumer that lost something
        this.hello = event;
        this.encoder.json(headerToJson(event, this.options.header));
        return;
      case 'topology':
        this.topology = event;
        break;
      case 'config':
        this.config = event;
        break;
      case 'session':
        this.clients.set(event.connection, event);
        this.open.set(event.connection, event);
        break;
      case 'session-closed':
        this.open.delete(event.connection);
        break;
      case 'gap':
        this.dropped += event.dropped;
        break;
      default:
    }
    const line = otherToJson(event);
    if (line === null) return;
    const written = this.redactor?.other(line) ?? line;
    if (event.type === 'snapshot') this.countSnapshot(written);
    this.encoder.json(written);
  }

  private countSnapshot({ snap }: JsonObject): void {
    if (isJsonObject(snap) && snap.left === undefined) this.saved++;
    else this.notSaved++;
  }

  private emit(): void {
    const { out } = this.encoder;
    this.sink.write(out.written, this.nowMs());
    out.clear();
  }

  /** After a block: is a check record due, a new part, the end? */
  private look(): void {
    const nowMs = this.nowMs();
    const { sink } = this;
    if (sink.textBytes - this.checkedAt < CHECK_BYTES && nowMs - this.checkedMs < CHECK_MS) return;
    this.checkedAt = sink.textBytes;
    this.checkedMs = nowMs;
    const why = sink.limit();
    if (why !== null) {
      this.stopped = why;
      this.finish('limit');
      return;
    }
    this.encoder.json({
      k: 'ck',
      t: seconds(this.lastUs),
      n: this.lastSeq,
      cmds: this.commands,
      open: [...this.open.keys()],
      on: [],
    });
    this.emit();
    sink.check();
    if (sink.wantsRotation(nowMs)) this.rotate(nowMs);
  }

  /** The next part says again what the ones before it had said: it can be read alone. */
  private rotate(nowMs: number): void {
    if (this.hello === null) return;
    this.fin('rotate');
    const prev = this.sink.fileName;
    this.sink.rotate(nowMs);
    const { header } = this.options;
    this.encoder.json(headerToJson(this.hello, header, { part: this.sink.part, prev }));
    for (const event of [this.config, this.topology, ...this.open.values()]) {
      const line = event === null ? null : otherToJson(event);
      if (line !== null) this.encoder.json(line);
    }
    this.emit();
  }

  private finish(why: string): void {
    this.fin(why);
    this.sink.close();
  }

  private fin(why: string): void {
    this.encoder.json({
      k: 'fin',
      t: seconds(this.lastUs),
      why,
      n: this.lastSeq,
      cmds: this.commands,
      drop: this.dropped,
      bytes: this.sink.textBytes,
    });
    this.emit();
  }
}

/** Whether a value was cut for its size; passwords are left out of that count. */
function isCut(event: CommandEvent): boolean {
  return (
    event.args.some((arg) => arg.kind === 'cut') ||
    event.reply.total > event.reply.bytes.length + CUT_SLACK
  );
}

/** A marker in the place of a password may be that much shorter than the reply it stands for. */
const CUT_SLACK = 4096;
