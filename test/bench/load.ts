/** What a target is loaded with, and what was measured: redis-benchmark as fast as it goes, or so many commands a second. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** One kind of load. Values have 64 bytes; keys are spread over all slots. */
export type Load = {
  readonly name: string;
  readonly test: 'get' | 'set';
  readonly pipeline: number;
  readonly clients: number;
  readonly requests: number;
  /** From how many keys each is drawn. */
  readonly keys: number;
};

export type Result = { readonly rps: number; readonly p50Ms: number; readonly p99Ms: number };

/** Something that can be loaded: a port, and whether clients must know the cluster themselves. */
export type Loadable = { readonly port: number; readonly isCluster: boolean };

/** The same, beginning with number `by` (counted round): whoever is measured last finds fuller servers and a hotter machine. */
export function rotated<T>(all: readonly T[], by: number): readonly T[] {
  const from = by % all.length;
  return [...all.slice(from), ...all.slice(0, from)];
}

/** Runs `load` against `target`. */
export async function measure(target: Loadable, load: Load): Promise<Result> {
  const { stdout } = await run('redis-benchmark', [
    ...[
      '-p',
      String(target.port),
      '-t',
      load.test,
      '-d',
      '64',
      '-c',
      String(load.clients),
      '-P',
      String(load.pipeline),
    ],
    ...[
      '-n',
      String(load.requests),
      '-r',
      String(load.keys),
      '--csv',
      ...(target.isCluster ? ['--cluster'] : []),
    ],
  ]);
  // "test","rps","avg_latency_ms","min_latency_ms","p50_latency_ms","p95_latency_ms","p99_latency_ms","max_latency_ms"
  const line = stdout.split('\n').find((each) => each.startsWith(`"${load.test.toUpperCase()}"`));
  const fields = (line ?? '').split(',').map((field) => Number(field.replace(/"/g, '')));
  const [, rps, , , p50Ms, , p99Ms] = fields;
  if (!rps) throw new TypeError(`redis-benchmark said nothing of use:\n${stdout}`);
  return { rps, p50Ms: p50Ms ?? 0, p99Ms: p99Ms ?? 0 };
}

export type Steady = { readonly sent: number; readonly p50Ms: number; readonly p99Ms: number };

/** Sends `rate` commands a second for so many seconds, from a process of its own. */
export async function steadily(port: number, rate: string, seconds: string): Promise<Steady> {
  const [[only] = []] = await inTurns([port], rate, seconds, 1, 0);
  if (only === undefined) throw new TypeError('the loader said nothing');
  return only;
}

/** The same to several ports in turn, with what `loader.ts` has beside the last: by port, what came of each turn. */
export async function inTurns(
  ports: readonly number[],
  rate: string,
  seconds: string,
  turns: number,
  share: number,
): Promise<readonly (readonly Steady[])[]> {
  const loader = new URL('./loader.js', import.meta.url).pathname;
  const args = [loader, ports.join(','), rate, seconds, String(turns), String(share)];
  const { stdout } = await run(process.execPath, args, { maxBuffer: 64 * 1024 * 1024 });
  return JSON.parse(stdout) as Steady[][];
}
