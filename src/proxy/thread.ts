/**
 * The same ProxyHandle over a message port: the core in a worker thread, its consumers here.
 *
 * Blocks of events are moved, not copied. Each consumer acknowledges what it has taken; the worker keeps at most 8 MiB unacknowledged
 * for it, and then drops (and counts) or, for one that must lose nothing, lets the clients wait.
 */
import { Worker } from 'node:worker_threads';
import { type ErrorCode, RmtopError } from '../errors.js';
import { type Consumer, RING_BLOCKS } from '../events/bus.js';
import type { Totals } from '../events/stats.js';
import type { MeshConfig } from '../mesh/config.js';
import type { ClientState } from './downstream.js';
import type { NewAccess, ProxyHandle, ProxyOptions } from './proxy.js';

/** How long consumers may work on blocks before keys and frames have their turn. */
const TURN_MS = 8;
/** Of the core's heap: half of Node's default, for what is young there is a few hundred commands on their way. */
const YOUNG_MB = 24;
/** How often it is looked whether one that was behind has caught up. */
const OWING_MS = 10;

/** Main thread → worker. */
export type ToWorker =
  | { readonly type: 'subscribe'; readonly id: number; readonly lossless: boolean }
  | { readonly type: 'unsubscribe'; readonly id: number }
  | { readonly type: 'taken'; readonly id: number }
  | {
      readonly type: 'note';
      readonly level: 'info' | 'warning' | 'error';
      readonly text: string;
      readonly next: string | null;
    }
  | { readonly type: 'call'; readonly call: number; readonly name: 'totals' }
  | { readonly type: 'call'; readonly call: number; readonly name: 'clients' }
  | {
      readonly type: 'call';
      readonly call: number;
      readonly name: 'reconfigure';
      readonly config: MeshConfig;
      readonly access: NewAccess;
    }
  | {
      readonly type: 'call';
      readonly call: number;
      readonly name: 'closeClient';
      readonly connection: number;
    }
  | {
      readonly type: 'call';
      readonly call: number;
      readonly name: 'close';
      readonly graceMs: number;
    };

/** Worker → main thread. */
export type FromWorker =
  | {
      readonly type: 'listening';
      readonly address: { host: string; port: number };
      readonly startedAt: string;
    }
  | {
      readonly type: 'failed';
      readonly code: ErrorCode;
      readonly message: string;
      readonly why: string | null;
      readonly next: readonly string[];
    }
  | {
      readonly type: 'block';
      readonly id: number;
      readonly block: ArrayBuffer;
      readonly used: number;
    }
  | { readonly type: 'result'; readonly call: number; readonly value: CallValue };

/** What a call gives: totals, clients, whether there was something to do, or nothing. */
type CallValue = Totals | readonly ClientState[] | boolean | null;

/** Starts a proxy in a worker thread. Throws as `createProxy` does. */
export async function createThreadedProxy(options: ProxyOptions): Promise<ProxyHandle> {
  const worker = new Worker(new URL('./worker.js', import.meta.url), {
    workerData: options,
    stdout: true,
    resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MB },
    stderr: true,
  });
  // A thread has nothing to say to the terminal that the screen is on.
  worker.stdout.resume();
  worker.stderr.resume();
  return new Promise((resolve, reject) => {
    worker.once('error', reject);
    worker.once('message', (message: FromWorker) => {
      if (message.type === 'listening') resolve(new ThreadedProxy(worker, message, options.config));
      else if (message.type === 'failed') {
        reject(
          new RmtopError(message.code, message.message, { why: message.why, next: message.next }),
        );
        void worker.terminate();
      }
    });
  });
}

class ThreadedProxy implements ProxyHandle {
  readonly address: { readonly host: string; readonly port: number };
  readonly startedAt: string;
  readonly died: Promise<Error>;
  config: MeshConfig;
  private readonly worker: Worker;
  private readonly consumers = new Map<number, Consumer>();
  /** Came, and not given to their consumers yet: no more than the worker sends without an acknowledgement. */
  private readonly blocks: Extract<FromWorker, { type: 'block' }>[] = [];
  private turn: NodeJS.Immediate | null = null;
  /** Consumers whose blocks are taken and not acknowledged yet, one entry a block. */
  private readonly owed: number[] = [];
  private owing: NodeJS.Timeout | null = null;
  private readonly calls = new Map<number, (value: CallValue) => void>();
  private lastId = 0;
  private closing = false;

  constructor(
    worker: Worker,
    { address, startedAt }: Extract<FromWorker, { type: 'listening' }>,
    config: MeshConfig,
  ) {
    this.worker = worker;
    this.config = config;
    this.address = address;
    this.startedAt = startedAt;
    worker.on('message', (message: FromWorker) => this.heard(message));
    this.died = new Promise((resolve) => {
      worker.on('error', (error) =>
        resolve(error instanceof Error ? error : new RmtopError('INTERNAL', String(error))),
      );
      worker.on('exit', (code) => {
        this.ended();
        if (!this.closing) resolve(new RmtopError('INTERNAL', `the core ended with code ${code}`));
      });
    });
  }

  private heard(message: FromWorker): void {
    if (message.type === 'block') {
      this.blocks.push(message);
      this.turn ??= setImmediate(() => this.takeSome());
    } else if (message.type === 'result') {
      this.calls.get(message.call)?.(message.value);
      this.calls.delete(message.call);
    }
  }

  /**
   * A port hands over all its messages before anything else of the thread has its turn, and while the core is faster than the consumers
   * there are always more: keys would wait for seconds. So blocks are taken in turns, with room for everything else between them.
   */
  private takeSome(): void {
    const untilMs = performance.now() + TURN_MS;
    do this.takeOne();
    while (this.blocks.length > 0 && performance.now() < untilMs);
    this.tellPressure();
    this.turn = this.blocks.length > 0 ? setImmediate(() => this.takeSome()) : null;
  }

  /** What has come and is not taken yet fills the ring: the core has sent it, and waits for the acknowledgement. */
  private tellPressure(): void {
    for (const [id, consumer] of this.consumers) {
      if (consumer.pressure === undefined) continue;
      let waiting = 0;
      for (const block of this.blocks) if (block.id === id) waiting++;
      consumer.pressure(waiting / RING_BLOCKS);
    }
  }

  private takeOne(): void {
    const message = this.blocks.shift();
    if (message === undefined) return;
    const consumer = this.consumers.get(message.id);
    consumer?.accept(message.block, message.used);
    if (consumer?.lossless === true && consumer.behind) this.owe(message.id);
    else this.tell({ type: 'taken', id: message.id });
  }

  /** One that must lose nothing has too much to do: what is not acknowledged makes the core slow the clients down. */
  private owe(id: number): void {
    this.owed.push(id);
    this.owing ??= setInterval(() => {
      for (const each of this.owed.splice(0)) {
        if (this.consumers.get(each)?.behind === true) this.owed.push(each);
        else this.tell({ type: 'taken', id: each });
      }
      if (this.owed.length > 0 || this.owing === null) return;
      clearInterval(this.owing);
      this.owing = null;
    }, OWING_MS);
    this.owing.unref();
  }

  private takeAll(): void {
    if (this.turn !== null) clearImmediate(this.turn);
    this.turn = null;
    while (this.blocks.length > 0) this.takeOne();
  }

  private tell(message: ToWorker): void {
    this.worker.postMessage(message);
  }

  /** Nobody will answer any more. */
  private ended(): void {
    this.takeAll();
    for (const resolve of this.calls.values()) resolve(null);
    this.calls.clear();
  }

  subscribe(consumer: Consumer): () => void {
    const id = ++this.lastId;
    this.consumers.set(id, consumer);
    this.tell({ type: 'subscribe', id, lossless: consumer.lossless });
    return () => {
      this.tell({ type: 'unsubscribe', id });
      this.consumers.delete(id);
    };
  }

  async totals(): Promise<Totals> {
    const totals = await this.call((call) => ({ type: 'call', call, name: 'totals' }));
    if (totals === null || typeof totals === 'boolean' || !('atUs' in totals))
      throw new RmtopError('INTERNAL', 'the core has ended');
    return totals;
  }

  async clients(): Promise<readonly ClientState[]> {
    const clients = await this.call((call) => ({ type: 'call', call, name: 'clients' }));
    return Array.isArray(clients) ? clients : [];
  }

  async reconfigure(config: MeshConfig, access: NewAccess = {}): Promise<void> {
    this.config = { ...config, version: this.config.version + 1 };
    await this.call((call) => ({ type: 'call', call, name: 'reconfigure', config, access }));
  }

  async closeClient(connection: number): Promise<boolean> {
    return (
      (await this.call((call) => ({ type: 'call', call, name: 'closeClient', connection }))) ===
      true
    );
  }

  note(level: 'info' | 'warning' | 'error', text: string, next: string | null): void {
    this.tell({ type: 'note', level, text, next });
  }

  async close(graceMs = 0): Promise<void> {
    if (this.closing) return;
    this.closing = true;
    await this.call((call) => ({ type: 'call', call, name: 'close', graceMs }));
    this.takeAll();
    await this.worker.terminate();
  }

  private call(message: (call: number) => ToWorker): Promise<CallValue> {
    const call = ++this.lastId;
    return new Promise((resolve) => {
      this.calls.set(call, resolve);
      this.tell(message(call));
    });
  }
}
