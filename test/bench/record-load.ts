/**
 * `node dist/test/bench/record-load.js [--rate 50000] [--turns 30] [--starts 3]`: what a recording adds to the clients' latencies at a steady
 * rate, which is not what it takes of a full load.
 *
 * Four proxies take turns of a second: one without a recording, one with, and two more without. Of these one is like the first: how far the
 * two are apart says how much of a difference is chance. Beside the other a process of the lowest priority takes as much of a processor as
 * a recording does: where that alone makes clients wait, as on a machine of two processors that has servers and load on them as
 * well, a recording cannot be had for less. No timed test.
 */
import { parseArgs } from 'node:util';
import { findServerProgram, Servers, startCluster } from '../../bin/demo/servers.js';
import { inTurns, type Steady, steadily } from './load.js';
import { type Target, targets } from './targets.js';

const { values: flags } = parseArgs({
  options: {
    rate: { type: 'string', default: '50000' },
    turns: { type: 'string', default: '30' },
    starts: { type: 'string', default: '3' },
  },
});

const NAMES = ['headless', 'record', 'headless again', 'headless, with another process'];
const WARM_UP_SECONDS = '8';
const RESAMPLES = 2000;

const program = findServerProgram();
if (program === null) throw new TypeError('the bench needs redis-server');
const servers = new Servers(program);
const all: Steady[][] = NAMES.map(() => []);
const cpuUs: number[] = NAMES.map(() => 0);
let running: readonly Target[] = [];
try {
  const cluster = await startCluster(servers, 3, [], 0);
  const starters = targets(cluster, await servers.start());
  // Each start is another throw of the dice: where threads come to lie, what is compiled when.
  for (let start = 0; start < Number(flags.starts); start++) {
    running = await Promise.all(
      NAMES.map(async (name) => {
        const starter = starters.find((each) => name.startsWith(each.name));
        const target = await starter?.start();
        if (!target) throw new TypeError(`${name} cannot be started`);
        return target;
      }),
    );
    const us: number[] = [];
    for (const target of running) us.push(await cpuOf(target));
    us.forEach((each, i) => {
      cpuUs[i] = (cpuUs[i] ?? 0) + each / Number(flags.starts);
    });
    const [headless = 0, record = 0] = us;
    const share = ((record - headless) * Number(flags.rate)) / 1e6;
    const ports = running.map(({ port }) => port);
    const turns = await inTurns(ports, flags.rate, '1', Number(flags.turns), share);
    for (const [i, each] of turns.entries()) all[i]?.push(...each);
    for (const target of running) await target.stop();
    running = [];
    process.stderr.write(
      `start ${start + 1} of ${flags.starts}: a recording takes ${Math.round(100 * share)} % of a processor\n`,
    );
  }
  for (const [i, name] of NAMES.entries()) {
    const figure = (of: (each: Steady) => number): string => {
      const own = (all[i] ?? []).map(of);
      const ratios = own.map((each, turn) => each / of(all[0]?.[turn] as Steady));
      const [low, high] = boundsOf(ratios);
      return `${mean(own).toFixed(2)} ms (x ${mean(ratios).toFixed(2)}: ${low.toFixed(2)} to ${high.toFixed(2)})`;
    };
    const p50 = figure(({ p50Ms }) => p50Ms);
    const p99 = figure(({ p99Ms }) => p99Ms);
    console.log(
      `${name.padEnd(31)} p50 ${p50}  p99 ${p99}  ${cpuUs[i]?.toFixed(1)} µs CPU a command`,
    );
  }
} finally {
  for (const target of running) await target.stop();
  await servers.stop();
}

/** µs for each command, once everything has been compiled. */
async function cpuOf(target: Target): Promise<number> {
  await steadily(target.port, flags.rate, '3');
  const before = target.cpuS();
  const { sent } = await steadily(target.port, flags.rate, WARM_UP_SECONDS);
  return ((target.cpuS() - before) * 1e6) / sent;
}

/** The geometric mean: one stall of the machine does not make the figure. */
function mean(values: readonly number[]): number {
  return Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length);
}

/** Between which the mean lies in nine of ten such series (bootstrap). */
function boundsOf(values: readonly number[]): readonly [number, number] {
  const any = (): number => values[Math.floor(Math.random() * values.length)] ?? 1;
  const means = Array.from({ length: RESAMPLES }, () => mean(values.map(any))).sort(
    (a, b) => a - b,
  );
  return [means[RESAMPLES / 20] ?? 1, means[RESAMPLES - RESAMPLES / 20] ?? 1];
}
