/**
 * `node dist/test/bench/record-load.js [--rate 50000] [--seconds 5] [--rounds 12]`: what a recording adds to the clients' latencies at a
 * steady rate, which is not what it takes of a full load.
 *
 * One proxy with a recording and two without take turns, in changing order, for a 99th percentile of some milliseconds is mostly what the
 * machine did meanwhile: how far the two alike are apart says how much of the difference is chance. No timed test.
 */
import { parseArgs } from 'node:util';
import { findServerProgram, Servers, startCluster } from '../../bin/demo/servers.js';
import { steadily } from './load.js';
import { type Target, targets } from './targets.js';

const { values: flags } = parseArgs({
  options: {
    rate: { type: 'string', default: '50000' },
    seconds: { type: 'string', default: '5' },
    rounds: { type: 'string', default: '12' },
  },
});

type Runner = {
  readonly name: string;
  readonly target: Target;
  readonly p50: number[];
  readonly p99: number[];
  readonly us: number[];
};

const program = findServerProgram();
if (program === null) throw new TypeError('the bench needs redis-server');
const servers = new Servers(program);
const runners: Runner[] = [];
try {
  const cluster = await startCluster(servers, 3, [], 0);
  const single = await servers.start();
  const starters = targets(cluster, single);
  for (const name of ['headless', 'record', 'headless again']) {
    const starter = starters.find((each) => name.startsWith(each.name));
    const target = await starter?.start();
    if (target) runners.push({ name, target, p50: [], p99: [], us: [] });
  }
  for (let round = -1; round < Number(flags.rounds); round++) {
    const from = (round + 1) % runners.length;
    for (const runner of [...runners.slice(from), ...runners.slice(0, from)]) {
      const before = runner.target.cpuS();
      const { sent, p50Ms, p99Ms } = await steadily(runner.target.port, flags.rate, flags.seconds);
      if (round < 0) continue; // until all has been compiled
      runner.p50.push(p50Ms);
      runner.p99.push(p99Ms);
      runner.us.push(((runner.target.cpuS() - before) * 1e6) / sent);
    }
  }
  const [base] = runners;
  for (const { name, p50, p99, us } of runners) {
    const share = mean(p99) / mean(base?.p99 ?? []);
    console.log(
      `${name.padEnd(16)} p50 ${mean(p50).toFixed(2)} ms  p99 ${mean(p99).toFixed(2)} ms (${share.toFixed(2)})  ${mean(us).toFixed(2)} µs CPU a command`,
    );
  }
} finally {
  for (const { target } of runners) await target.stop();
  await servers.stop();
}

/** The geometric mean: one stall of the machine does not make the figure. */
function mean(values: readonly number[]): number {
  return Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length);
}
