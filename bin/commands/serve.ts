/** `rmtop serve FILE`: answers clients from a recording. */
import { Command as Cli } from 'commander';
import {
  type Behind,
  type Exhausted,
  type FaultRule,
  isLoopback,
  joinAddress,
  type MatchMode,
  type OnMiss,
  parseAddressMap,
  parseArgumentRule,
  readServable,
  type ServeHandle,
  type ServeOptions,
  serveScript,
  showSpoken,
  singleUpstreamConfig,
  splitAddress,
  startBehind,
} from 'rmtop';
import { DEFAULT_LISTEN, parseDuration, parseListen, usage } from '../options.js';
import { readRules } from '../overrides.js';
import { seedOf } from '../plan.js';
import { redactKey } from '../record-flags.js';
import { filterOf, say, sayCondition } from '../recording-files.js';
import { type Ended, type ModeFlags, planMode, planUpstream, recordAll } from '../serve-mode.js';
import { withSettings } from '../settings/apply.js';

type Flags = ModeFlags & {
  readonly match: string;
  readonly argument?: readonly string[];
  readonly exhausted: string;
  readonly auth: string;
  readonly latency: string;
  readonly faults: string;
  readonly redactKeyEnv?: string;
  readonly expectAll?: boolean;
  readonly idleExit?: string;
  readonly maxClients?: string;
  readonly strict?: boolean;
};

/** What is listed at most, of what was missed and of what nobody asked for. */
const MOST_LISTED = 20;

export function serveCommand(): Cli {
  const collect = (value: string, before: readonly string[] = []): readonly string[] => [
    ...before,
    value,
  ];
  return withSettings(new Cli('serve'), [])
    .description('answer clients from a recording; no Redis is needed')
    .argument('<file>', 'a recording, .rmtop or .rmtop.gz; - is stdin')
    .option('-l, --listen <address>', `where clients connect (default: ${DEFAULT_LISTEN})`)
    .option('--cluster', 'a port for each recorded node, as a Redis Cluster')
    .option('--match <mode>', 'strict, key or loose', 'key')
    .option(
      '--argument <rule>',
      "with --match loose: 'SET 2 ignore', 'SET 2 json', 'SET 2 glob s-*'; repeatable",
      collect,
    )
    .option(
      '--exhausted <what>',
      'after the last recorded reply: last, error or loop (auto: last for reads, error for writes)',
      'auto',
    )
    .option(
      '--on-miss <what>',
      'error (default), nil, close, hang, forward=HOST:PORT, or record=HOST:PORT: forward and add to the file',
    )
    .option(
      '--mode <mode>',
      "as VCR's: none (only the recording), once (record it where there is none), new (add what is missing), all (record anew)",
    )
    .option('-u, --upstream <address>', 'with --mode: the real servers, host:port or URL')
    .option('--auth <what>', 'logins: any, or recorded: only those of the recording', 'any')
    .option('--latency <what>', 'none, recorded or xN (x2: twice as slow)', 'none')
    .option('--faults <what>', 'none, or recorded: repeat the injected ones', 'none')
    .option(
      '--fault <rule>',
      "inject more: 'error 50% cmd=GET', 'delay 200ms 10% class=read'; repeatable",
      collect,
    )
    .option('--seed <number>', 'for the draws of --fault: the same traffic is hit again')
    .option('-f, --filter <expression>', 'only the commands that fit')
    .option('--redact-key-env <name>', 'the variable with the key that values were hashed with')
    .option('--expect-all', 'exit with 1 unless everything was asked for, and nothing else')
    .option('--idle-exit <duration>', 'end when no command has come for so long')
    .option('--max-clients <count>', 'refuse more')
    .option('--strict', 'a damaged line is an error')
    .option('-q, --quiet', 'say only what went wrong')
    .action(async (file: string, flags: Flags) => {
      process.exitCode = await serve(file, flags);
    });
}

async function serve(file: string, flags: Flags): Promise<number> {
  const idleMs = flags.idleExit === undefined ? null : parseDuration('--idle-exit', flags.idleExit);
  const plan = planMode(file, flags);
  const wanted = optionsOf(file, flags);
  const signalled = signal();
  if (plan.kind === 'record')
    return codeOf(await recordAll(file, plan.upstream, flags, signalled, idleMs));
  const { script, summary } = await readServable(file, {
    filter: filterOf(flags.filter),
    strict: flags.strict === true,
    mayBeEmpty: plan.addsFrom !== null,
  });
  sayCondition(file, summary);
  if (wanted.options.auth === 'recorded' && script.logins.length === 0)
    say(`rmtop: no login is recorded in ${file}: every AUTH is refused`);
  const behind = await startMisses(file, wanted, plan.addsFrom, flags);
  const onMiss = plan.addsFrom === null ? wanted.options.onMiss : 'forward';
  try {
    const options = { ...wanted.options, onMiss, forwardPort: behind?.port ?? 0 };
    const server = await serveScript(script, options);
    if (flags.quiet !== true) introduce(file, server, script.spoken.length);
    const end = await Promise.race([signalled, ...(idleMs === null ? [] : [server.idle(idleMs)])]);
    await server.close();
    return conclude(server, flags, end ?? null, behind !== null);
  } finally {
    const added = (await behind?.close()) ?? 0;
    if (added > 0) say(`rmtop: ${added} commands were added to ${file}`);
  }
}

/** Where misses go, with `--on-miss` or `--mode new`; null: nowhere. */
async function startMisses(
  file: string,
  { forward, records, options: { redactKey } }: Wanted,
  addsFrom: string | null,
  flags: Flags,
): Promise<Behind | null> {
  if (addsFrom !== null) {
    // Faults are injected where clients are, once.
    const { fault: _fault, ...others } = flags;
    const [planned] = planUpstream(addsFrom, others).proxies;
    return planned === undefined ? null : startBehind(planned, file, redactKey);
  }
  if (forward === null) return null;
  const source = {
    config: singleUpstreamConfig([forward], { open: true, enableRedirection: true }),
    dialling: { map: parseAddressMap([]), access: {} },
  };
  return startBehind(source, records ? file : null, redactKey);
}

type Wanted = {
  readonly options: ServeOptions;
  /** Where misses go; null: nowhere. */
  readonly forward: string | null;
  readonly records: boolean;
};

function optionsOf(file: string, flags: Flags): Wanted {
  const match = oneOf<MatchMode>('--match', flags.match, ['strict', 'key', 'loose']);
  const exhausted = oneOf<Exhausted>('--exhausted', flags.exhausted, [
    'auto',
    'last',
    'error',
    'loop',
  ]);
  const faults = oneOf('--faults', flags.faults, ['none', 'recorded']) === 'recorded';
  const { onMiss: missed = 'error' } = flags;
  const [, how, forward = null] = /^(forward|record)=(.+)$/.exec(missed) ?? [];
  const onMiss =
    forward !== null
      ? 'forward'
      : oneOf<OnMiss>('--on-miss', missed, ['error', 'nil', 'close', 'hang']);
  if (forward !== null && splitAddress(forward) === null)
    throw usage('--on-miss', missed, 'forward=HOST:PORT or record=HOST:PORT');
  if (how === 'record' && file === '-') throw usage('--on-miss', missed, 'used with a file');
  const argument = flags.argument ?? [];
  if (argument.length > 0 && match !== 'loose')
    throw usage('--argument', argument[0] ?? '', 'used with --match loose');
  const maxClients =
    flags.maxClients === undefined ? Number.POSITIVE_INFINITY : Number(flags.maxClients);
  if (!(maxClients >= 1))
    throw usage('--max-clients', flags.maxClients ?? '', 'a whole number from 1');
  return {
    forward,
    records: how === 'record',
    options: {
      listen: parseListen(flags.listen ?? DEFAULT_LISTEN),
      cluster: flags.cluster === true,
      match,
      exhausted,
      rules: argument.map(parseArgumentRule),
      faults,
      redactKey: flags.redactKeyEnv === undefined ? '' : redactKey(flags.redactKeyEnv),
      latency: latencyOf(flags.latency),
      auth: oneOf('--auth', flags.auth, ['any', 'recorded']),
      onMiss,
      inject: injected(flags),
      forwardPort: 0,
      maxClients,
      hint: ` run: rmtop serve ${file.replace(/[^\x21-\x7e]/g, '?')} --on-miss forward=HOST:PORT`,
    },
  };
}

/** The rules of `--fault`. Throws USAGE, or FILTER where a rule's scope is none. */
function injected({ fault = [], seed }: Flags): readonly FaultRule[] {
  return readRules({ fault }, seedOf(seed)).rules;
}

function oneOf<T extends string>(flag: string, value: string, allowed: readonly T[]): T {
  const found = allowed.find((each) => each === value);
  if (found === undefined) throw usage(flag, value, allowed.join(', '));
  return found;
}

function latencyOf(text: string): number {
  if (text === 'none') return 0;
  if (text === 'recorded') return 1;
  const factor = Number(/^x(\d+(?:\.\d+)?)$/.exec(text)?.[1]);
  if (!(factor >= 0 && factor <= 10_000)) throw usage('--latency', text, 'none, recorded or xN');
  return factor;
}

function signal(): Promise<Ended> {
  return new Promise((resolve) => {
    process.once('SIGINT', () => resolve('SIGINT'));
    process.once('SIGTERM', () => resolve('SIGTERM'));
    process.once('SIGHUP', () => resolve('SIGTERM'));
  });
}

function introduce(file: string, { nodes }: ServeHandle, count: number): void {
  const [first] = nodes;
  const where = joinAddress(first.host, first.port);
  const as = nodes.length > 1 ? ` as a Redis Cluster of ${nodes.length} nodes` : '';
  say(`rmtop: serving ${file} (${count.toLocaleString('en-US')} commands)${as} on ${where}`);
  if (nodes.length > 1)
    for (const { alias, host, port, recorded } of nodes)
      say(`  ${alias.padEnd(6)} ${joinAddress(host, port)}  was ${recorded}`);
  if (!isLoopback(first.host)) say(`rmtop: whoever can reach ${where} can read the recording`);
}

/** Says what came of it; gives the exit code. */
function conclude(server: ServeHandle, flags: Flags, end: Ended, isForwarded: boolean): number {
  const { commands, served, missed, left } = server.stats();
  const count = (n: number): string => n.toLocaleString('en-US');
  if (flags.quiet !== true)
    say(
      `rmtop: ${count(commands)} commands, ${count(served)} recorded replies served, ${count(missed)} missed, ${count(left)} not asked for`,
    );
  let i = 0;
  for (const [id, { inScope, hits }] of server.faults())
    say(
      `rmtop: --fault ${id} (${flags.fault?.[i++] ?? ''}) hit ${count(hits)} of ${count(inScope)}`,
    );
  list(
    'no recorded reply:',
    [...server.misses()].map(([text, times]) => (times === 1 ? text : `${text} (${times} times)`)),
  );
  if (flags.expectAll === true) {
    list(
      'nobody asked for:',
      server.leftovers().map((spoken) => `#${spoken.seq} ${showSpoken(spoken)}`),
    );
    if (left > 0 || (missed > 0 && !isForwarded)) return 1;
  }
  return codeOf(end);
}

function codeOf(end: Ended): number {
  return end === 'SIGINT' ? 130 : end === 'SIGTERM' ? 143 : 0;
}

function list(title: string, lines: readonly string[]): void {
  if (lines.length === 0) return;
  say(title);
  for (const line of lines.slice(0, MOST_LISTED)) say(`  ${line}`);
  if (lines.length > MOST_LISTED) say(`  and ${lines.length - MOST_LISTED} more`);
}
