/**
 * `npm run bench`: what the proxy costs, as ratios to a bare Node pipe measured in the same run. No timed test: machines are noisy.
 *
 *   npm run bench -- [--rounds 3] [--quick] [--only headless,screen] [--loads 'pipeline 1'] [--json FILE]
 *
 * Every figure is the median of its rounds; the rounds go through all targets in turn, so that a slow minute touches all of them. What the
 * screen, a recording and a mesh cost is compared side by side (`--loads none`: only that). The cluster has three primaries and no
 * replicas: the pipe's one server has none either.
 */
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { findServerProgram, Servers, startCluster } from '../../bin/demo/servers.js';
import { type Load, measure, type Result } from './load.js';
import { SPREAD_KEYS } from './mesh.js';
import { recordFigures } from './records.js';
import { type Comparison, compare, reportCompared } from './side-by-side.js';
import { type Target, targets } from './targets.js';

const KEYS = 100_000;
const ALL_LOADS: readonly Load[] = [
  { name: 'SET pipeline 1', test: 'set', pipeline: 1, clients: 50, requests: 60_000, keys: KEYS },
  { name: 'GET pipeline 1', test: 'get', pipeline: 1, clients: 50, requests: 60_000, keys: KEYS },
  {
    name: 'SET pipeline 16',
    test: 'set',
    pipeline: 16,
    clients: 50,
    requests: 400_000,
    keys: KEYS,
  },
  {
    name: 'GET pipeline 16',
    test: 'get',
    pipeline: 16,
    clients: 50,
    requests: 400_000,
    keys: KEYS,
  },
  { name: 'GET one client', test: 'get', pipeline: 1, clients: 1, requests: 15_000, keys: KEYS },
];

type Row = {
  readonly target: string;
  readonly load: string;
  readonly rps: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
};

const { values: flags } = parseArgs({
  options: {
    rounds: { type: 'string', default: '3' },
    quick: { type: 'boolean', default: false },
    only: { type: 'string' },
    loads: { type: 'string', default: '' },
    json: { type: 'string' },
  },
});

/** Those whose names end so. */
const LOADS = ALL_LOADS.filter((load) => load.name.endsWith(flags.loads));

const program = findServerProgram();
if (program === null) throw new TypeError('the bench needs redis-server and redis-benchmark');
const servers = new Servers(program);
const running: Target[] = [];
try {
  const cluster = await startCluster(servers, 3, [], 0);
  const single = await servers.start();
  const wanted = flags.only?.split(',');
  for (const start of targets(cluster, single)) {
    if (wanted !== undefined && start.name !== 'pipe' && !wanted.includes(start.name)) continue;
    const target = await start.start();
    if (target !== null) running.push(target);
  }
  const rounds = Number(flags.rounds);
  const plain = running.filter(({ name }) => !name.startsWith('mesh'));
  const rows = await measureAll(plain, rounds, flags.quick ? 0.2 : 1);
  const ports = [single.port, ...cluster.nodes.map((node) => node.port)];
  const compared = [];
  for (const comparison of comparisons(running)) {
    const each = await compare(comparison, rounds, ports);
    reportCompared(comparison, each);
    compared.push(...each);
  }
  const memory = await Promise.all(
    plain.filter((target) => target.isRmtop).map((target) => growth(target, flags.quick)),
  );
  report(rows, memory);
  const records = await recordFigures(flags.quick ? 20_000 : 400_000);
  for (const [what, perSecond] of Object.entries(records))
    console.log(`${what.padEnd(40)}${`${perSecond.toLocaleString('en-US')} /s`.padStart(24)}`);
  if (flags.json !== undefined)
    writeFileSync(flags.json, `${JSON.stringify({ rows, compared, memory, records }, null, 2)}\n`);
} finally {
  for (const target of running) await target.stop();
  await servers.stop();
}

/** What costs little is compared side by side. */
function comparisons(all: readonly Target[]): readonly Comparison[] {
  const targetsOf = (...names: string[]): Target[] =>
    all.filter(({ name }) => names.includes(name));
  const every: readonly Comparison[] = [
    {
      title: 'screen and recording',
      targets: targetsOf('headless', 'events', 'screen', 'record'),
      pairs: [
        ['events', 'headless'],
        ['screen', 'events'],
        ['screen', 'headless'],
        ['record', 'events'],
        ['record', 'headless'],
      ],
      keys: KEYS,
    },
    {
      title: 'five prefixes, four fault rules',
      targets: targetsOf('headless', 'mesh', 'mesh without mirrors'),
      pairs: [
        ['mesh without mirrors', 'headless'],
        ['mesh', 'headless'],
      ],
      keys: SPREAD_KEYS,
    },
  ];
  return every.filter(({ pairs }) => pairs.some(([name]) => targetsOf(name).length > 0));
}

async function measureAll(all: readonly Target[], rounds: number, scale: number): Promise<Row[]> {
  const results = new Map<string, Result[]>();
  for (let round = 0; round < rounds; round++) {
    for (const load of LOADS) {
      for (const target of all) {
        const key = `${target.name}\n${load.name}`;
        const result = await measure(target, {
          ...load,
          requests: Math.round(load.requests * scale),
        });
        results.set(key, [...(results.get(key) ?? []), result]);
      }
    }
    process.stderr.write(`round ${round + 1} of ${rounds}\n`);
  }
  return [...results].map(([key, each]) => {
    const [target = '', load = ''] = key.split('\n');
    const median = (of: (result: Result) => number): number =>
      each.map(of).sort((a, b) => a - b)[each.length >> 1] ?? 0;
    return {
      target,
      load,
      rps: median((r) => r.rps),
      p50Ms: median((r) => r.p50Ms),
      p99Ms: median((r) => r.p99Ms),
    };
  });
}

type Growth = { readonly target: string; readonly rssMb: number; readonly afterMillionMb: number };

/** Resident memory now, and after a million commands more. */
async function growth(target: Target, quick: boolean): Promise<Growth> {
  const rssMb = target.rssMb();
  await measure(target, {
    name: 'million',
    test: 'set',
    pipeline: 16,
    clients: 50,
    requests: quick ? 200_000 : 1_000_000,
    keys: KEYS,
  });
  return { target: target.name, rssMb, afterMillionMb: target.rssMb() };
}

function report(rows: readonly Row[], memory: readonly Growth[]): void {
  const of = (target: string, load: string): Row | undefined =>
    rows.find((row) => row.target === target && row.load === load);
  const names = [...new Set(rows.map((row) => row.target))];
  const print = (line: string): void => console.log(line);
  print('');
  print(
    `${'commands a second (× the bare pipe)'.padEnd(40)}${LOADS.slice(0, 4)
      .map((load) => load.name.padStart(24))
      .join('')}`,
  );
  for (const name of names) {
    const cells = LOADS.slice(0, 4).map((load) => {
      const rps = of(name, load.name)?.rps ?? 0;
      const ratio = rps / (of('pipe', load.name)?.rps ?? Number.NaN);
      return `${Math.round(rps).toLocaleString('en-US')} (${ratio.toFixed(2)})`.padStart(24);
    });
    print(`${name.padEnd(40)}${cells.join('')}`);
  }
  print('');
  print(
    `${'one client: ms (added to direct)'.padEnd(40)}${'p50'.padStart(24)}${'p99'.padStart(24)}`,
  );
  const direct = of('direct', 'GET one client');
  for (const name of names) {
    const row = of(name, 'GET one client');
    if (row === undefined) continue;
    const cell = (ms: number, base: number | undefined): string =>
      `${ms.toFixed(3)} (+${(ms - (base ?? 0)).toFixed(3)})`.padStart(24);
    print(`${name.padEnd(40)}${cell(row.p50Ms, direct?.p50Ms)}${cell(row.p99Ms, direct?.p99Ms)}`);
  }
  print('');
  for (const each of memory)
    print(
      `${each.target}: ${each.rssMb} MB resident, ${each.afterMillionMb} MB after a million commands more`,
    );
}
