/** A proxy for a test: behaves as the mesh, and remembers every command with what was decided about it. */
import { RmtopError } from '../errors.js';
import type { OtherEvent } from '../events/event.js';
import { StreamContext } from '../events/reader.js';
import { readEvents } from '../events/subscribe.js';
import { seededRng } from '../mesh/rng.js';
import { createProxy, type ProxyHandle } from '../proxy/proxy.js';
import { RECORD_KEEP } from '../recording/defaults.js';
import { type Decided, decideNow, type Seen, seenOf } from './seen.js';
import { type MeshSource, readSource } from './source.js';

/** How a test's proxy is started. */
export type StartProxyOptions = MeshSource & {
  /** 0, the default: a free one. */
  readonly port?: number;
  /** Chance is the same in every run with the same seed; 1 by default. */
  readonly seed?: number;
};

/** Which command is meant: its words from the first on (`GET cart:1`), a pattern for its text, or a test of one's own. */
export type Which = string | RegExp | ((seen: Seen) => boolean);

/** A running proxy. */
export type TestProxy = {
  /** `redis://127.0.0.1:PORT` */
  readonly url: string;
  readonly host: string;
  readonly port: number;
  /** Every finished command, in the order in which they ended. They come a moment after the client has its reply. */
  readonly commands: readonly Seen[];
  /** The first command that fits, waited for. Rejects with UNMET when none comes within `timeoutMs` (10 s). */
  command(which: Which, timeoutMs?: number): Promise<Seen>;
  /** What would become of a command now; sends nothing. */
  decide(...argv: readonly (string | Buffer)[]): Decided;
  /** Forgets the commands so far. */
  clear(): void;
  /** The proxy itself: its events, statistics, configuration. */
  readonly handle: ProxyHandle;
  /** Lets commands in flight finish, for 2 s at most, and closes everything. */
  close(): Promise<void>;
};

const GRACE_MS = 2000;
const WAIT_MS = 10_000;

/**
 * Starts a proxy on a free port of 127.0.0.1, and waits until it knows its servers. Throws UPSTREAM_UNREACHABLE where it cannot, MESH,
 * FILE_UNREADABLE, USAGE or BAD_ADDRESS for what is wrong with the options.
 */
export function startProxy(options: StartProxyOptions): Promise<TestProxy> {
  return startSaving(options, false);
}

/** As `startProxy`; with `snapshot`, what keys hold before the first command on them is told in the events. */
export async function startSaving(
  options: StartProxyOptions,
  snapshot: boolean,
): Promise<TestProxy> {
  const handle = await createProxy({
    ...readSource(options),
    listen: { host: '127.0.0.1', port: options.port ?? 0 },
    keep: RECORD_KEEP,
    hashes: true,
    seed: options.seed ?? 1,
    snapshot,
  });
  const proxy = new RunningProxy(handle, options.seed ?? 1);
  try {
    await proxy.ready;
  } catch (error) {
    await handle.close();
    throw error;
  }
  return proxy;
}

type Waiter = { readonly fits: (seen: Seen) => boolean; readonly found: (seen: Seen) => void };

class RunningProxy implements TestProxy {
  readonly handle: ProxyHandle;
  readonly commands: Seen[] = [];
  readonly ready: Promise<void>;
  private readonly context = new StreamContext();
  private readonly seed: number;
  private readonly waiters = new Set<Waiter>();

  constructor(handle: ProxyHandle, seed: number) {
    this.handle = handle;
    this.seed = seed;
    this.ready = new Promise((resolve, reject) => {
      readEvents(handle, (event) => {
        if (event.type === 'command') {
          this.add(seenOf(event, this.context));
          return;
        }
        this.context.learn(event);
        settle(event, resolve, reject);
      });
    });
  }

  get host(): string {
    return this.handle.address.host;
  }

  get port(): number {
    return this.handle.address.port;
  }

  get url(): string {
    return `redis://${this.host}:${this.port}`;
  }

  private add(seen: Seen): void {
    this.commands.push(seen);
    for (const waiter of [...this.waiters]) if (waiter.fits(seen)) waiter.found(seen);
  }

  command(which: Which, timeoutMs: number = WAIT_MS): Promise<Seen> {
    const fits = fitsWhich(which);
    const known = this.commands.find(fits);
    if (known !== undefined) return Promise.resolve(known);
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.waiters.delete(waiter);
        reject(this.noSuch(which, timeoutMs));
      }, timeoutMs);
      const waiter: Waiter = {
        fits,
        found: (seen) => {
          clearTimeout(timer);
          this.waiters.delete(waiter);
          resolve(seen);
        },
      };
      this.waiters.add(waiter);
    });
  }

  private noSuch(which: Which, timeoutMs: number): RmtopError {
    const last = this.commands.slice(-10).map(({ text }) => text);
    return new RmtopError('UNMET', `no command fits ${String(which)} within ${timeoutMs} ms`, {
      why: last.length === 0 ? 'there was no command at all' : `there were: ${last.join('; ')}`,
    });
  }

  decide(...argv: readonly (string | Buffer)[]): Decided {
    const decided = decideNow(argv, this.context, seededRng(this.seed));
    if (decided === null) throw new RmtopError('INTERNAL', 'the servers are not known yet');
    return decided;
  }

  clear(): void {
    this.commands.length = 0;
  }

  close(): Promise<void> {
    return this.handle.close(GRACE_MS);
  }
}

/** The stream has said enough: every upstream is known, or one cannot be reached. */
function settle(event: OtherEvent, known: () => void, failed: (error: RmtopError) => void): void {
  if (event.type === 'log' && event.level === 'error')
    failed(
      new RmtopError('UPSTREAM_UNREACHABLE', event.text, {
        next: event.next === null ? [] : [event.next],
      }),
    );
  else if (event.type === 'topology') {
    const states = Object.values(event.upstreams);
    if (states.length > 0 && states.every(({ kind }) => kind !== 'unknown')) known();
  }
}

function fitsWhich(which: Which): (seen: Seen) => boolean {
  if (typeof which === 'function') return which;
  if (typeof which !== 'string') return ({ text }) => which.test(text);
  const wanted = which.trim().split(/\s+/);
  const name = (wanted[0] ?? '').toUpperCase();
  return ({ text }) => {
    const words = text.split(' ');
    return (
      (words[0] ?? '').toUpperCase() === name &&
      wanted.slice(1).every((word, i) => words[i + 1] === word)
    );
  };
}
