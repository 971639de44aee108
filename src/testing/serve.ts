/** A recording in the place of a Redis, for the length of a test. */
import { parseFlags } from '../config/flags.js';
import { RmtopError } from '../errors.js';
import type { FaultRule } from '../mesh/config.js';
import { parseArgumentRule } from '../recording/loose.js';
import { type Exhausted, type MatchMode, showSpoken } from '../recording/matching.js';
import { readServable } from '../recording/servable.js';
import { type ServeHandle, type ServeStats, serveScript } from '../serve/server.js';
import { readFilter } from './filter.js';

/** How a recording is served; everything may be left out. */
export type ServeFileOptions = {
  /** What a command must have in common with a recorded one: `key` (the default), `strict` or `loose`. */
  readonly match?: MatchMode;
  /** With `match: 'loose'`: `SET 2 ignore`, `SET 2 json`, `SET 2 glob session-*`. */
  readonly arguments?: readonly string[];
  /** After the last recorded reply: `auto` repeats it for reads and refuses writes. */
  readonly exhausted?: Exhausted;
  /** What becomes of a command that was not recorded. */
  readonly onMiss?: 'error' | 'nil' | 'close' | 'hang';
  /** `recorded`: clients log in as those of the recording did, `any`, the default: as they like. */
  readonly auth?: 'any' | 'recorded';
  /** A port for each recorded node, as a Redis Cluster. */
  readonly cluster?: boolean;
  /** Recorded durations: not at all, as they were, or so many times as long. */
  readonly latency?: 'none' | 'recorded' | number;
  /** Whether injected faults are repeated. */
  readonly faults?: 'none' | 'recorded';
  /** New faults: `error 50% cmd=GET`, `delay 200ms 10% class=read`. Nothing that the mesh does: without `cluster` there are no nodes. */
  readonly fault?: string | readonly string[];
  /** For the draws of `fault`: with the same seed the same commands are hit. 1 by default. */
  readonly seed?: number;
  /** Only the commands that fit this filter. */
  readonly filter?: string;
  /** What removed values were hashed with, where the recording was made with a key. */
  readonly redactKey?: string;
  /** 0, the default: free ones. */
  readonly port?: number;
};

/** A recorded node at its port. */
export type FakeNode = {
  /** `s2.p` is the primary of shard 2, `s2.r1` its first replica. */
  readonly node: string;
  readonly host: string;
  readonly port: number;
  readonly url: string;
};

/** A served recording. */
export type FakeRedis = {
  /** `redis://127.0.0.1:PORT`, of the first node. */
  readonly url: string;
  readonly host: string;
  readonly port: number;
  /** One, or with `cluster` each recorded node, primaries before their replicas. */
  readonly nodes: readonly FakeNode[];
  stats(): ServeStats;
  /** What was asked for and not recorded. */
  misses(): readonly string[];
  /** What was recorded and nobody asked for: `#12 GET cart:1`. */
  leftovers(): readonly string[];
  /** Closes; throws UNMET with the list of misses and, with `expectAll`, of what nobody asked for. */
  done(expectations?: { readonly expectAll?: boolean }): Promise<void>;
  close(): Promise<void>;
};

/**
 * Serves `file` on a free port of 127.0.0.1. Throws FILE_UNREADABLE, NO_RECORDING or REC_NO_REPLIES for a file that cannot be served,
 * USAGE or FILTER for what is wrong with the options.
 */
export function serve(file: string, options: ServeFileOptions = {}): Promise<FakeRedis> {
  return serveBefore(file, options, null);
}

/** As `serve`; what was not recorded goes to `behindPort` of this machine, null: nowhere. */
export async function serveBefore(
  file: string,
  options: ServeFileOptions,
  behindPort: number | null,
): Promise<FakeRedis> {
  const { latency = 'none' } = options;
  const { script } = await readServable(file, {
    filter: readFilter(options.filter ?? ''),
    mayBeEmpty: behindPort !== null,
  });
  const server = await serveScript(script, {
    match: options.match ?? 'key',
    exhausted: options.exhausted ?? 'auto',
    faults: options.faults === 'recorded',
    rules: (options.arguments ?? []).map(parseArgumentRule),
    redactKey: options.redactKey ?? '',
    listen: { host: '127.0.0.1', port: options.port ?? 0 },
    cluster: options.cluster === true,
    inject: rulesOf(options),
    latency: latency === 'none' ? 0 : latency === 'recorded' ? 1 : latency,
    auth: options.auth ?? 'any',
    onMiss: behindPort === null ? (options.onMiss ?? 'error') : 'forward',
    forwardPort: behindPort ?? 0,
    maxClients: Number.POSITIVE_INFINITY,
    hint: '',
  });
  return fakeOf(file, server, behindPort !== null);
}

function rulesOf({ fault = [], seed = 1 }: ServeFileOptions): readonly FaultRule[] {
  return parseFlags({ fault: typeof fault === 'string' ? [fault] : fault }, seed).rules;
}

/** With `mayMiss`, what was missed was answered elsewhere. */
function fakeOf(file: string, server: ServeHandle, mayMiss: boolean): FakeRedis {
  const nodes = server.nodes.map(({ alias, host, port }) => ({
    node: alias,
    host,
    port,
    url: `redis://${host}:${port}`,
  }));
  const [first] = server.nodes;
  const misses = (): string[] =>
    [...server.misses()].map(([text, times]) => (times === 1 ? text : `${text} (${times} times)`));
  const leftovers = (): string[] =>
    server.leftovers().map((spoken) => `#${spoken.seq} ${showSpoken(spoken)}`);
  return {
    url: `redis://${first.host}:${first.port}`,
    host: first.host,
    port: first.port,
    nodes,
    stats: () => server.stats(),
    misses,
    leftovers,
    async done({ expectAll = false } = {}) {
      await server.close();
      const wrong = [
        ...(mayMiss ? [] : misses()),
        ...(expectAll ? leftovers().map((text) => `nobody asked for ${text}`) : []),
      ];
      if (wrong.length > 0)
        throw new RmtopError(
          'UNMET',
          `${file} was not used as it was recorded:\n  ${wrong.join('\n  ')}`,
        );
    },
    close: () => server.close(),
  };
}
