/**
 * What one target costs beside another, where it is a few percent: machines drift by more than that in a minute, so both are loaded for
 * a second each in turn, many times, and what is told is the median of the ratios within a round.
 */
import { ask } from '../../bin/demo/servers.js';
import { type Load, measure, rotated } from './load.js';
import type { Target } from './targets.js';

/** For each of the bench's rounds. */
const ROUNDS = 6;
/** Until all has been compiled that is ever called. */
const WARM_UP = 4;
/** Width of a cell. */
const CELL = 40;

export type Comparison = {
  readonly title: string;
  readonly targets: readonly Target[];
  /** Of a target and what it is compared with, the names. */
  readonly pairs: readonly (readonly [target: string, base: string])[];
  /** From how many keys each is drawn. */
  readonly keys: number;
};

export type Compared = {
  readonly target: string;
  readonly base: string;
  readonly load: string;
  readonly rps: number;
  /** Of the base's rate. */
  readonly rate: number;
  /** CPU time of the target's process for a command, and of the base's: what a busy machine disturbs least. */
  readonly usPerCommand: number;
  readonly cpu: number;
};

type Sample = { readonly rps: number; readonly us: number };

function loadsOf(keys: number): readonly Load[] {
  return ([1, 16] as const).flatMap((pipeline) =>
    (['set', 'get'] as const).map((test) => ({
      name: `${test.toUpperCase()} pipeline ${pipeline}`,
      test,
      pipeline,
      clients: 50,
      requests: pipeline === 1 ? 20_000 : 80_000,
      keys,
    })),
  );
}

/** Loads all targets in turn. Keys are many: those of the servers on `ports` are thrown away after each load. */
export async function compare(
  { targets, pairs, keys }: Comparison,
  rounds: number,
  ports: readonly number[],
): Promise<Compared[]> {
  if (targets.length < 2) return [];
  const samples = new Map<string, Sample[]>();
  const of = (target: string, load: string): Sample[] => samples.get(`${target}\n${load}`) ?? [];
  for (let round = -WARM_UP; round < rounds * ROUNDS; round++) {
    for (const load of loadsOf(keys)) {
      for (const target of rotated(targets, round + WARM_UP)) {
        const before = target.cpuS();
        const { rps } = await measure(target, load);
        const us = ((target.cpuS() - before) * 1e6) / load.requests;
        if (round >= 0)
          samples.set(`${target.name}\n${load.name}`, [...of(target.name, load.name), { rps, us }]);
      }
      await Promise.all(ports.map((port) => ask(port, ['FLUSHALL', 'ASYNC'])));
    }
  }
  return pairs.flatMap(([target, base]) =>
    loadsOf(keys).flatMap(({ name }) => {
      const own = of(target, name);
      const theirs = of(base, name);
      if (own.length === 0 || theirs.length === 0) return [];
      const ratio = (figure: (sample: Sample) => number): number =>
        middle(own.map((each, i) => figure(each) / figure(theirs[i] as Sample)));
      return [
        {
          target,
          base,
          load: name,
          rps: middle(own.map(({ rps }) => rps)),
          rate: ratio(({ rps }) => rps),
          usPerCommand: middle(own.map(({ us }) => us)),
          cpu: ratio(({ us }) => us),
        },
      ];
    }),
  );
}

function middle(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0;
}

/** Prints them. */
export function reportCompared({ title, pairs, keys }: Comparison, all: readonly Compared[]): void {
  if (all.length === 0) return;
  const loads = loadsOf(keys).map(({ name }) => name);
  console.log(`\n${title.padEnd(45)}${loads.map((name) => name.padStart(CELL)).join('')}`);
  for (const [target, base] of pairs) {
    const cells = loads.map((name) => {
      const row = all.find(
        (each) => each.target === target && each.base === base && each.load === name,
      );
      if (row === undefined) return ''.padStart(CELL);
      const { rps, rate, usPerCommand, cpu } = row;
      const text = `${Math.round(rps).toLocaleString('en-US')}/s (${rate.toFixed(2)}), ${usPerCommand.toFixed(2)} µs CPU (${cpu.toFixed(2)})`;
      return text.padStart(CELL);
    });
    console.log(`${`${target} (× ${base})`.padEnd(45)}${cells.join('')}`);
  }
}
