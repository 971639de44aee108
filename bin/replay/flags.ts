/** The flags of `rmtop replay`, and what they come to. */
import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { messageOf, parseTolerances, type ReplayOptions, RmtopError, readTolerances } from 'rmtop';
import { type ProxyFlags, parseDuration, usage, withProxyFlags } from '../options.js';
import { filterOf } from '../recording-files.js';
import { type ScreenFlags, withLookFlags } from '../screen.js';
import type { Range } from './script.js';

/** What commander gives. */
export type ReplayFlags = ProxyFlags &
  Omit<ScreenFlags, 'filter' | 'tui'> & {
    /** Show the replay on the screen. */
    readonly tui?: boolean;
    readonly speed: string;
    readonly rate?: string;
    readonly step?: boolean;
    readonly order: string;
    readonly conns?: string;
    readonly times?: string;
    readonly loop?: string;
    readonly vary?: string;
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
    readonly asForwarded?: boolean;
    readonly faults?: string;
    readonly load?: string;
    readonly seedState?: boolean;
    readonly snapshot: boolean;
    readonly flush?: boolean;
    readonly decideOnly?: boolean;
    readonly json?: boolean;
    readonly junit?: string;
  };

/** What is taken where nothing is said. */
export const REPLAY_DEFAULTS: Pick<
  ReplayFlags,
  'speed' | 'order' | 'routing' | 'guard' | 'pipeline' | 'snapshot'
> = {
  speed: '1',
  order: 'causal',
  routing: 'role',
  guard: '5s',
  pipeline: true,
  snapshot: true,
};

/** Adds the flags. */
export function withReplayFlags(command: Command): Command {
  const collect = (value: string, before: readonly string[] = []): readonly string[] => [
    ...before,
    value,
  ];
  withSendingFlags(withProxyFlags(command));
  command
    .option('-f, --filter <expression>', 'only the commands that fit; transactions stay whole')
    .option('--from <duration>', 'only what came after')
    .option('--to <duration>', 'only what came before')
    .option('--only <n1..n2>', 'only these numbers')
    .option(
      '--tolerate <setting>',
      'ttl=5s, order=off, latency=p99<2x … or none; repeatable; rules are in rmtop.yaml',
      collect,
    )
    .option(
      '--routing <how>',
      'compare where commands go: strict (also which replica), role, or off',
      REPLAY_DEFAULTS.routing,
    )
    .option('--direct', 'straight to the server, not through the mesh')
    .option('--as-forwarded', 'send edited commands as they were edited, not as they were received')
    .option('--allow-writes', 'send writes to servers that are not on this machine')
    .option(
      '--strict-housekeeping',
      'compare the replies to HELLO, AUTH, CLIENT and SELECT as well',
    )
    .option('--skip-blocking', 'leave out BLPOP and its like')
    .option(
      '--faults <which>',
      'recorded: the same faults hit the same commands again; or a file of others, a line as for --fault each',
    )
    .option('--flush', 'empty the servers first; only on this machine')
    .option('--load <file>', 'send this first: RESP, or a command a line as redis-cli takes them')
    .option('--seed-state', 'first put there what the first reads of the recording found')
    .option('--no-snapshot', 'do not put back the keys that record --snapshot has saved')
    .option('--decide-only', 'send nothing: decide every command again under --mesh and flags')
    .option('--tui', 'on the screen: play, pause, step, and what differs beside each other')
    .option('--json', 'the report as JSON')
    .option('--junit <file>', 'write the report as JUnit XML as well')
    .optionsGroup('The screen of --tui:');
  return withLookFlags(command).optionsGroup('Options:');
}

/** When, how often and over which connections. */
function withSendingFlags(command: Command): void {
  command
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
    .option('--rate <rate>', 'evenly, whatever the recorded times: 500/s, 30/m')
    .option('--step', 'one command for each Enter; a number: so many; c: all the rest; q: no more')
    .option('--max-gap <duration>', 'shorten longer silences to this')
    .option(
      '--guard <duration>',
      'how much longer than recorded a reply is waited for',
      REPLAY_DEFAULTS.guard,
    )
    .option(
      '--conns <number>',
      'fold the recorded connections onto so many; those that watch, subscribe or block keep their own',
    )
    .option('--times <number>', 'so many rounds; what prepares the servers is done before each')
    .option('--loop <duration>', 'rounds for this long')
    .option(
      '--vary <what>',
      'key: a suffix for each round after the first, so that they do not meet',
    )
    .option('--no-pipeline', 'one write a command');
}

/** How to replay. Throws USAGE. */
export function optionsOf(flags: ReplayFlags): ReplayOptions {
  const { order } = flags;
  if (order !== 'causal' && order !== 'conn' && order !== 'serial' && order !== 'none')
    throw usage('--order', order, 'causal, conn, serial or none');
  const speed = flags.speed === 'max' ? 'max' : Number(flags.speed);
  if (speed !== 'max' && !(speed >= 0.1 && speed <= 100))
    throw usage('--speed', flags.speed, '0.1 to 100, or max');
  if (!ROUTINGS.has(flags.routing)) throw usage('--routing', flags.routing, 'strict, role or off');
  if (flags.routing === 'strict' && flags.direct === true)
    throw usage('--routing', 'strict', 'used without --direct: without a mesh nothing is routed');
  if (flags.vary !== undefined && flags.vary !== 'key') throw usage('--vary', flags.vary, 'key');
  refuseTogether(flags);
  return {
    // On the screen, a key goes on from the steps at the recorded speed.
    speed: flags.step === true && flags.tui !== true ? 'max' : speed,
    perSecond: flags.rate === undefined ? null : rateOf(flags.rate),
    byStep: flags.step === true && flags.tui !== true,
    order,
    maxGapMs: flags.maxGap === undefined ? null : parseDuration('--max-gap', flags.maxGap),
    guardMs: parseDuration('--guard', flags.guard),
    pipeline: flags.pipeline,
    tolerances: parseTolerances(
      flags.tolerate ?? [],
      readTolerances(flags.settings?.tolerances ?? []),
    ),
  };
}

const ROUTINGS: ReadonlySet<string> = new Set(['strict', 'role', 'off']);

type Name = keyof ReplayFlags;

/** Flags that contradict each other, and why. */
const APART: readonly (readonly [Name, readonly Name[], string])[] = [
  ['direct', ['faults', 'fault', 'mesh', 'route', 'mirror'], 'the mesh is left out'],
  ['rate', ['speed', 'maxGap'], 'recorded times do not count'],
  [
    'step',
    ['speed', 'maxGap', 'rate', 'order', 'times', 'loop'],
    'each command waits to be asked for',
  ],
  ['loop', ['times'], 'either so many rounds, or so long'],
  ['tui', ['direct', 'decideOnly'], "the screen shows what goes through rmtop's own data plane"],
  [
    'decideOnly',
    [
      'direct',
      'rate',
      'step',
      'conns',
      'times',
      'loop',
      'vary',
      'load',
      'flush',
      'seedState',
      'faults',
      'junit',
      'asForwarded',
    ],
    'nothing is sent',
  ],
];

/** Recorded faults find their commands by connection and arguments. */
const APART_FROM_RECORDED: readonly Name[] = ['conns', 'vary'];

function refuseTogether(flags: ReplayFlags): void {
  const isGiven = (name: Name): boolean => {
    const value = flags[name];
    return value !== undefined && value !== false && value !== REPLAY_DEFAULTS[name as 'speed'];
  };
  for (const [name, others, why] of APART) {
    const other = isGiven(name) ? others.find(isGiven) : undefined;
    if (other !== undefined)
      throw new RmtopError('USAGE', `${flagOf(other)} does not go with ${flagOf(name)}`, {
        why,
        next: ['rmtop replay --help'],
      });
  }
  const changed = flags.faults === 'recorded' ? APART_FROM_RECORDED.find(isGiven) : undefined;
  if (changed !== undefined)
    throw new RmtopError('USAGE', `--faults recorded does not go with ${flagOf(changed)}`, {
      why: 'faults hit the very commands of a recorded connection',
      next: ['rmtop replay --help'],
    });
  if (flags.vary !== undefined && !isGiven('times') && !isGiven('loop'))
    throw new RmtopError('USAGE', '--vary is about rounds', {
      why: 'there is one only',
      next: ['add --times 10 or --loop 10m'],
    });
}

/** `decideOnly` as it is typed. */
function flagOf(name: string): string {
  return `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

const PER_MS: Readonly<Record<string, number>> = { s: 1000, m: 60_000 };
const MOST_PER_SECOND = 1_000_000;

/** `500/s` → commands a second. */
function rateOf(text: string): number {
  const [, figure, unit] = /^(\d+(?:\.\d+)?)\/([sm])$/.exec(text) ?? [];
  const rate = (Number(figure) * 1000) / (PER_MS[unit ?? ''] ?? Number.NaN);
  if (!(rate > 0 && rate <= MOST_PER_SECOND)) throw usage('--rate', text, '500/s or 30/m');
  return rate;
}

/** The same flags, with what stands in a file of faults in the place of the file. Throws FILE_UNREADABLE. */
export function withFaultFile(flags: ReplayFlags): ReplayFlags {
  const { faults: file, ...others } = flags;
  if (file === undefined || file === 'recorded') return flags;
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw new RmtopError('FILE_UNREADABLE', `--faults ${file} cannot be read`, {
      why: messageOf(error),
      next: ['--faults recorded repeats the faults of the recording'],
    });
  }
  const rules = text.split(/\r?\n/).filter((line) => !/^\s*(?:#|$)/.test(line));
  return { ...others, fault: [...(flags.fault ?? []), ...rules.map((rule) => rule.trim())] };
}

/** How often everything is sent. */
export type Repetition = {
  readonly times: number;
  /** Null: until `times` rounds are over. */
  readonly loopMs: number | null;
  readonly varies: boolean;
};

/** As the flags say. Throws USAGE. */
export function repetitionOf(flags: ReplayFlags): Repetition {
  return {
    times:
      countOf('--times', flags.times) ?? (flags.loop === undefined ? 1 : Number.POSITIVE_INFINITY),
    loopMs: flags.loop === undefined ? null : parseDuration('--loop', flags.loop),
    varies: flags.vary !== undefined,
  };
}

/** How many connections there are to be; null: as recorded. Throws USAGE. */
export function connectionsOf(flags: ReplayFlags): number | null {
  return countOf('--conns', flags.conns);
}

function countOf(flag: string, text: string | undefined): number | null {
  if (text === undefined) return null;
  const count = Number(text);
  if (!/^\d+$/.test(text) || count === 0 || count > 1_000_000)
    throw usage(flag, text, 'a number from 1');
  return count;
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
