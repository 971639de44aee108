/** What routes, faults and mirrors cost: the proxy with the mesh of `mesh.ts` beside the plain one. */
import { ask } from '../../bin/demo/servers.js';
import { type Load, measure } from './load.js';
import { SPREAD_KEYS } from './mesh.js';
import type { Target } from './targets.js';

/** What the mesh is compared with the plain proxy under: short rounds, in turn, for the machine's speed drifts. */
const LOADS: readonly Load[] = ([1, 16] as const).flatMap((pipeline) =>
  (['set', 'get'] as const).map((test) => ({
    name: `${test.toUpperCase()} pipeline ${pipeline}`,
    test,
    pipeline,
    clients: 50,
    requests: pipeline === 1 ? 20_000 : 60_000,
    keys: SPREAD_KEYS,
  })),
);
/** Width of a cell. */
const CELL = 40;
/** For each of the bench's. */
const ROUNDS = 8;

/** Whether a target is there for this comparison alone. */
export function isMesh({ name }: Pick<Target, 'name'>): boolean {
  return name.startsWith('mesh');
}

export type MeshRow = {
  readonly target: string;
  readonly load: string;
  readonly rps: number;
  /** CPU time of the proxy for a command: what a busy machine disturbs least. */
  readonly usPerCommand: number;
};

/** The proxy with a mesh beside the plain one, in the same minutes. Keys are many: they are thrown away after each load. */
export async function compareMesh(
  compared: readonly Target[],
  rounds: number,
  ports: readonly number[],
): Promise<MeshRow[]> {
  if (compared.length < 2) return [];
  const found = new Map<string, { readonly rps: number[]; readonly us: number[] }>();
  for (let round = 0; round < rounds * ROUNDS; round++) {
    for (const load of LOADS) {
      for (const target of round % 2 === 0 ? compared : compared.toReversed()) {
        const before = target.cpuS();
        const { rps } = await measure(target, load);
        const us = ((target.cpuS() - before) * 1e6) / load.requests;
        const key = `${target.name}\n${load.name}`;
        const each = found.get(key) ?? { rps: [], us: [] };
        found.set(key, each);
        each.rps.push(rps);
        each.us.push(us);
      }
      await Promise.all(ports.map((port) => ask(port, ['FLUSHALL', 'ASYNC'])));
    }
  }
  return [...found].map(([key, { rps, us }]) => {
    const [target = '', load = ''] = key.split('\n');
    return { target, load, rps: middle(rps), usPerCommand: middle(us) };
  });
}

function middle(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0;
}

/** Prints them. */
export function reportMesh(rows: readonly MeshRow[]): void {
  if (rows.length === 0) return;
  const of = (target: string, load: string): MeshRow | undefined =>
    rows.find((row) => row.target === target && row.load === load);
  console.log(
    `\n${'five prefixes, four fault rules (× headless)'.padEnd(45)}${LOADS.map(({ name }) => name.padStart(CELL)).join('')}`,
  );
  for (const target of new Set(rows.map((row) => row.target))) {
    const cells = LOADS.map(({ name }) => {
      const row = of(target, name);
      const base = of('headless', name);
      if (row === undefined || base === undefined) return ''.padStart(CELL);
      const rps = `${Math.round(row.rps).toLocaleString('en-US')}/s (${(row.rps / base.rps).toFixed(2)})`;
      const cpu = `${row.usPerCommand.toFixed(2)} µs CPU (${(row.usPerCommand / base.usPerCommand).toFixed(2)})`;
      return `${rps}, ${cpu}`.padStart(CELL);
    });
    console.log(`${target.padEnd(45)}${cells.join('')}`);
  }
}
