/** The proxy without a screen: records on stdout with --json, everything for people on stderr. */
import {
  type Admin,
  createProxy,
  difference,
  isLoopback,
  type ProxyHandle,
  quantileUs,
  RecordWriter,
  RmtopError,
  readOnly,
  type Totals,
} from 'rmtop';
import { adminLine } from './admin.js';
import type { Planned } from './plan.js';
import { closingLines, type RecordPlan, recordedText } from './record-flags.js';
import { type Keeping, type Running, startProxies } from './start.js';

const SUMMARY_MS = 10_000;
/** How long commands in flight may take to finish when rmtop is told to end. */
const GRACE_MS = 2000;

type Say = (text: string) => void;

/** What a headless run does besides proxying. */
export type HeadlessPlan = {
  /** Records go to stdout; null: they do not. */
  readonly json: RecordPlan | null;
  /** Records go to a file; null: they do not. */
  readonly record: RecordPlan | null;
  readonly quiet: boolean;
  /** The upstream as its user wrote it. */
  readonly label: string;
  /** What is done meanwhile; its exit code is rmtop's, and signals are its. Absent: rmtop runs until a signal. */
  readonly meanwhile?: (address: ProxyHandle['address']) => Promise<number>;
};

/** Says what goes on without a screen. */
export function sayOnStderr(text: string): void {
  process.stderr.write(`${text}\n`);
}

/**
 * Runs `planned` until a signal, until nobody reads the records any more, or while something else is done; gives the exit code. Records are
 * of the first proxy: whoever asks for them has one.
 */
export async function runHeadless(
  planned: Planned,
  keeping: Keeping,
  plan: HeadlessPlan,
): Promise<number> {
  const { meanwhile } = plan;
  const signalled = meanwhile === undefined ? signal() : null;
  process.stderr.on('error', () => {}); // whoever read it has gone; the proxy goes on
  const say: Say = sayOnStderr;
  // A command that is run has stderr for itself if that is wished.
  const isTold = meanwhile === undefined || !plan.quiet;
  for (const note of planned.notes) say(note);
  const running = await startProxies(planned, keeping, createProxy);
  const [{ proxy }] = running.proxies;
  if (isTold) for (const each of running.proxies) introduce(each, running.proxies.length, say);
  if (running.admin !== null) introduceAdmin(running.admin, say);
  const writers = [plan.json, plan.record].flatMap((each) =>
    each === null ? [] : [attach(proxy, each, say)],
  );
  const stops = running.proxies.flatMap((each) => {
    const name = running.proxies.length === 1 ? '' : `${each.planned.name}: `;
    const sayNamed: Say = (text) => say(text.replace(/^rmtop: /, `rmtop: ${name}`));
    return [
      sayProblems(each.proxy, sayNamed, isTold),
      plan.quiet || meanwhile !== undefined ? () => {} : summarise(each.proxy, sayNamed),
    ];
  });

  const end =
    meanwhile === undefined
      ? await Promise.race([signalled, ...writers.map((each) => each.writer.broken)])
      : await whole(meanwhile(proxy.address), writers, say);
  for (const stop of stops) stop();
  await running.close(GRACE_MS);
  for (const { writer, stop, of } of writers) {
    stop();
    const totals = await writer.end(meanwhile === undefined ? 'signal' : 'quit');
    if (totals !== null && isTold)
      for (const line of closingLines(of, totals, plan.label)) say(line);
  }
  if (end instanceof RmtopError) throw end;
  if (!plan.quiet) say(await closingLine(running.proxies.map((each) => each.proxy)));
  if (typeof end === 'number') return end;
  return end === null ? 0 : end === 'SIGINT' ? 130 : 143;
}

/** What is done meanwhile goes on without a recording that broke; its own failure is what counts, else the recording's. */
async function whole(
  work: Promise<number>,
  writers: readonly Attached[],
  say: Say,
): Promise<number | RmtopError> {
  let broken: RmtopError | null = null;
  for (const { writer, stop } of writers)
    void writer.broken.then((error) => {
      stop();
      broken = error;
      if (error !== null) for (const line of error.lines()) say(line);
    });
  const code = await work;
  return code === 0 && broken !== null ? broken : code;
}

type Attached = {
  readonly writer: RecordWriter;
  /** Lets the proxy go on without it. */
  readonly stop: () => void;
  readonly of: RecordPlan;
};

/** Records `proxy` from now on. */
function attach(proxy: ProxyHandle, of: RecordPlan, say: Say): Attached {
  const writer = new RecordWriter(of.writer);
  const release = of.writer.ring === undefined ? () => {} : onDemand(writer, of, say);
  void writer.full.then((why) =>
    say(`rmtop: warning: the recording has ended, ${why}; the proxy goes on`),
  );
  const unsubscribe = proxy.subscribe(writer);
  const stop = (): void => {
    unsubscribe();
    release();
  };
  return { writer, stop, of };
}

/** What a ring holds is written at SIGUSR2, and every file that becomes of it is said; gives the way to stop that. */
function onDemand(writer: RecordWriter, of: RecordPlan, say: Say): () => void {
  writer.onFile = ({ file, totals }) => say(`rmtop: ${recordedText({ ...of, file }, totals)}`);
  const text = `rmtop: the latest ${of.writer.ring?.text ?? ''} of traffic are kept in memory`;
  if (process.platform === 'win32') {
    say(text);
    return () => {};
  }
  const flush = (): void => {
    void writer.flush();
  };
  process.on('SIGUSR2', flush);
  say(`${text}; kill -USR2 ${process.pid} writes them to ${of.file ?? ''}`);
  return () => process.off('SIGUSR2', flush);
}

function signal(): Promise<'SIGINT' | 'SIGTERM'> {
  return new Promise((resolve) => {
    process.once('SIGINT', () => resolve('SIGINT'));
    process.once('SIGTERM', () => resolve('SIGTERM'));
    process.once('SIGHUP', () => resolve('SIGTERM'));
  });
}

async function closingLine(proxies: readonly ProxyHandle[]): Promise<string> {
  const totals = await Promise.all(proxies.map((proxy) => proxy.totals()));
  const sum = (of: (each: Totals) => number): string =>
    count(totals.reduce((total, each) => total + of(each), 0));
  return `rmtop: ${sum(({ all }) => all.calls)} commands from ${sum(({ clientsTotal }) => clientsTotal)} clients`;
}

function introduce({ proxy, planned }: Running, of: number, say: Say): void {
  const { host, port } = proxy.address;
  const seeds = Object.values(planned.config.upstreams).map((upstream) => upstream.seeds.join(','));
  const name = of === 1 ? '' : `${planned.name}: `;
  say(`rmtop: ${name}listening on ${host}:${port}, upstream ${seeds.join(' ')}`);
  if (!isLoopback(host))
    say(`rmtop: whoever can reach ${host}:${port} can use the servers behind it`);
}

function introduceAdmin(admin: Admin, say: Say): void {
  const { host, port } = admin.address;
  say(`rmtop: ${adminLine(admin)}`);
  if (!isLoopback(host))
    say(`rmtop: whoever can reach ${host}:${port} can read the statistics and the configuration`);
}

/** Says what goes wrong and, if `all`, what the upstream turned out to be. */
function sayProblems(proxy: ProxyHandle, say: Say, all: boolean): () => void {
  const known = new Map<string, string>();
  return readOnly(proxy, ['log', 'topology'], (event) => {
    if (!all && (event.type !== 'log' || event.level === 'info')) return;
    if (event.type === 'log') {
      // What a server said may be quoted in it.
      const text = event.text.replace(/\p{Cc}/gu, '?');
      say(`rmtop: ${event.level === 'info' ? '' : `${event.level}: `}${text}`);
      if (event.next !== null) say(`  next: ${event.next}`);
    } else {
      for (const [name, state] of Object.entries(event.upstreams)) {
        const primaries = new Set((state.ranges ?? []).map((range) => range.primary));
        const text =
          state.kind === 'slots'
            ? `a Redis Cluster of ${primaries.size} shards, ${state.servers.length} nodes`
            : state.hosts !== null
              ? `${count(state.hosts.placed.length)} hosts, chosen by ${state.hosts.balancer.policy}`
              : `one server, no Redis Cluster`;
        if (state.kind === 'unknown' || known.get(name) === text) continue;
        known.set(name, text);
        say(`rmtop: ${name} is ${text}`);
      }
    }
  });
}

/** One line every 10 s, of what happened since the last. */
function summarise(proxy: ProxyHandle, say: Say): () => void {
  let before: Totals | null = null;
  const timer = setInterval(() => {
    void proxy.totals().then((now) => {
      say(summaryLine(now, before));
      before = now;
    });
  }, SUMMARY_MS);
  return () => clearInterval(timer);
}

/** `1,204/s  p50 0.41 p99 1.80 ms  errors 3 (0.0 %)  clients 4  reads 900 writes 304`. */
export function summaryLine(now: Totals, before: Totals | null): string {
  const ms = (now.atUs - (before?.atUs ?? 0)) / 1000;
  const calls = now.all.calls - (before?.all.calls ?? 0);
  const errors = now.all.errors - (before?.all.errors ?? 0);
  const latency =
    before === null ? now.all.latency : difference(now.all.latency, before.all.latency);
  const quantile = (q: number): string => ((quantileUs(latency, q) ?? 0) / 1000).toFixed(2);
  const failed = now.failed - (before?.failed ?? 0);
  return [
    `rmtop: ${count(Math.round((calls * 1000) / ms))}/s`,
    `p50 ${quantile(0.5)} p99 ${quantile(0.99)} ms`,
    `errors ${count(errors)} (${calls === 0 ? '0.0' : ((100 * errors) / calls).toFixed(1)} %)${failed > 0 ? `, ${count(failed)} of them upstream failures` : ''}`,
    `reads ${count(now.reads - (before?.reads ?? 0))} writes ${count(now.writes - (before?.writes ?? 0))}`,
    `refused ${count(now.refused - (before?.refused ?? 0))}`,
    `clients ${now.clients}`,
  ].join('  ');
}

/** 12,345. The first number that Intl writes takes it tens of milliseconds, which clients would wait. */
export function count(n: number): string {
  return String(n).replace(/\B(?=(\d{3})+$)/g, ',');
}
