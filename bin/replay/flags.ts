/** The flags of `rmtop replay`, and what they come to. */
import type { Command } from 'commander';
import { parseTolerances, type ReplayOptions } from 'rmtop';
import { type ProxyFlags, parseDuration, usage, withProxyFlags } from '../options.js';
import { filterOf } from '../recording-files.js';
import type { Range } from './script.js';

/** What commander gives. */
export type ReplayFlags = ProxyFlags & {
  readonly speed: string;
  readonly order: string;
  readonly maxGap?: string;
  readonly filter?: string;
  readonly from?: string;
  readonly to?: string;
  readonly only?: string;
  readonly tolerate?: readonly string[];
  readonly routing: string;
  readonly direct?: boolean;
  readonly allowWrites?: boolean;
  readonly strictHousekeeping?: boolean;
  readonly skipBlocking?: boolean;
  readonly pipeline: boolean;
  readonly guard: string;
  readonly faults?: string;
  readonly seedState?: boolean;
  readonly flush?: boolean;
  readonly decideOnly?: boolean;
  readonly json?: boolean;
  readonly junit?: string;
};

/** What is taken where nothing is said. */
export const REPLAY_DEFAULTS: Pick<
  ReplayFlags,
  'speed' | 'order' | 'routing' | 'guard' | 'pipeline'
> = {
  speed: '1',
  order: 'causal',
  routing: 'role',
  guard: '5s',
  pipeline: true,
};

/** Adds the flags. */
export function withReplayFlags(command: Command): Command {
  const collect = (value: string, before: readonly string[] = []): readonly string[] => [
    ...before,
    value,
  ];
  return withProxyFlags(command)
    .option(
      '--speed <factor>',
      '0.1 to 100, or max: as fast as the order allows',
      REPLAY_DEFAULTS.speed,
    )
    .option(
      '--order <how>',
      'causal, conn (only within a connection), serial or none',
      REPLAY_DEFAULTS.order,
    )
    .option('--max-gap <duration>', 'shorten longer silences to this')
    .option(
      '--guard <duration>',
      'how much longer than recorded a reply is waited for',
      REPLAY_DEFAULTS.guard,
    )
    .option('-f, --filter <expression>', 'only the commands that fit; transactions stay whole')
    .option('--from <duration>', 'only what came after')
    .option('--to <duration>', 'only what came before')
    .option('--only <n1..n2>', 'only these numbers')
    .option(
      '--tolerate <setting>',
      'ttl=5s, order=off, errors=strict … or none; repeatable',
      collect,
    )
    .option('--routing <how>', 'compare where commands go: role, or off', REPLAY_DEFAULTS.routing)
    .option('--direct', 'straight to the server, not through the mesh')
    .option('--allow-writes', 'send writes to servers that are not on this machine')
    .option(
      '--strict-housekeeping',
      'compare the replies to HELLO, AUTH, CLIENT and SELECT as well',
    )
    .option('--skip-blocking', 'leave out BLPOP and its like')
    .option('--no-pipeline', 'one write a command')
    .option('--faults <which>', 'recorded: the same faults hit the same commands again')
    .option('--flush', 'empty the servers first; only on this machine')
    .option('--seed-state', 'first put there what the first reads of the recording found')
    .option('--decide-only', 'send nothing: decide every command again under --mesh and flags')
    .option('--json', 'the report as JSON')
    .option('--junit <file>', 'write the report as JUnit XML as well');
}

/** How to replay. Throws USAGE. */
export function optionsOf(flags: ReplayFlags): ReplayOptions {
  const { order } = flags;
  if (order !== 'causal' && order !== 'conn' && order !== 'serial' && order !== 'none')
    throw usage('--order', order, 'causal, conn, serial or none');
  const speed = flags.speed === 'max' ? 'max' : Number(flags.speed);
  if (speed !== 'max' && !(speed >= 0.1 && speed <= 100))
    throw usage('--speed', flags.speed, '0.1 to 100, or max');
  if (flags.routing !== 'role' && flags.routing !== 'off')
    throw usage('--routing', flags.routing, 'role or off');
  if (flags.faults !== undefined && flags.faults !== 'recorded')
    throw usage('--faults', flags.faults, 'recorded');
  if (flags.faults !== undefined && flags.direct === true)
    throw usage('--faults', flags.faults, 'used without --direct: faults are the mesh’s');
  if (flags.mesh !== undefined && flags.direct === true)
    throw usage('--mesh', flags.mesh.join(' '), 'used without --direct');
  return {
    speed,
    order,
    maxGapMs: flags.maxGap === undefined ? null : parseDuration('--max-gap', flags.maxGap),
    guardMs: parseDuration('--guard', flags.guard),
    pipeline: flags.pipeline,
    tolerances: parseTolerances(flags.tolerate ?? []),
  };
}

/** Which commands are meant. Throws USAGE or FILTER. */
export function rangeOf(flags: ReplayFlags): Range {
  const [, first, last] = /^(\d+)\.\.(\d*)$/.exec(flags.only ?? '1..') ?? [];
  if (first === undefined) throw usage('--only', flags.only ?? '', 'numbers such as 10..20');
  return {
    filter: filterOf(flags.filter),
    fromMs: flags.from === undefined ? 0 : parseDuration('--from', flags.from),
    toMs: flags.to === undefined ? Number.POSITIVE_INFINITY : parseDuration('--to', flags.to),
    firstSeq: Number(first),
    lastSeq: last ? Number(last) : Number.POSITIVE_INFINITY,
  };
}
