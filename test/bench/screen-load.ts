/**
 * `node dist/test/bench/screen-load.js [--rate 50000] [--seconds 60]`: what the screen does under load, and what it costs the clients.
 *
 * The same load goes through a headless rmtop and through one with a screen of 200x50. Told are the clients' latencies, how long a key
 * takes to be answered, the memory, and whether the figures on the screen add up to what was sent. No timed test: machines are noisy.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { parseArgs, stripVTControlCharacters } from 'node:util';
import { findServerProgram, Servers, startCluster } from '../../bin/demo/servers.js';
import { openTerminal, type ProgramTerminal } from '../helpers/pty.js';
import { type Steady, steadily } from './load.js';
import { headlessTarget } from './targets.js';

const { values: flags } = parseArgs({
  options: {
    rate: { type: 'string', default: '50000' },
    seconds: { type: 'string', default: '60' },
  },
});

const program = findServerProgram();
if (program === null) throw new TypeError('the bench needs redis-server');
const servers = new Servers(program);
const afters: (() => void)[] = [];
try {
  const cluster = await startCluster(servers, 3, [], 0);
  const upstream = `127.0.0.1:${cluster.nodes[0]?.port ?? 0}`;
  const headless = await headlessTarget(upstream);
  const without = await steadily(headless.port, flags.rate, flags.seconds);
  await headless.stop();
  say(`headless: ${latencies(without)}`);

  const terminal = openTerminal(
    { after: (fn) => void afters.push(fn as () => void) },
    ['-u', upstream, '-l', '127.0.0.1:0'],
    { columns: 200, rows: 50 },
  );
  const text = await terminal.shows(/rmtop :\d+ [\s\S]*\[ok\] upstream/);
  const port = Number(/rmtop :(\d+)/.exec(text)?.[1]);
  const keys = pressing(terminal);
  const rss: number[] = [];
  const watch = setInterval(() => rss.push(rssMb(terminal.pid)), 500);
  const before = cpuSeconds(terminal.pid);
  const withScreen = await steadily(port, flags.rate, flags.seconds);
  const spent = cpuSeconds(terminal.pid) - before;
  keys.stop();
  clearInterval(watch);
  say(`screen:   ${latencies(withScreen)}`);
  say(
    `keys answered: ${keys.times.length}, median ${quantile(keys.times, 0.5)} ms, p90 ${quantile(keys.times, 0.9)} ms, slowest ${quantile(keys.times, 1)} ms`,
  );
  say(`the screen's thread: ${Math.round((100 * spent) / Number(flags.seconds))} % of a core`);
  say(`memory: ${Math.max(...rss)} MB at most`);
  await addUp(terminal, withScreen.sent);
  terminal.type('Q');
  assert.equal((await terminal.ended()).code, 0);
  say(/rmtop: .* lost\./.exec(terminal.unwrapped())?.[0] ?? 'no farewell');
} finally {
  for (const after of afters) after();
  await servers.stop();
}

/** The counters of the screen, when it has come to rest: hidden + shown + evicted + lost = seen. */
async function addUp(terminal: ProgramTerminal, sent: number): Promise<void> {
  // Whatever the last key has opened is closed, and the filter begins empty.
  terminal.type('\x1b');
  await terminal.shows((screen) => !/type to search/.test(screen), 'no help');
  terminal.type('/\x15cmd=GET\r');
  const text = await terminal.shows(/[\d,]+ of [\d,]+ shown/);
  const figure = (pattern: RegExp): number =>
    Number((pattern.exec(text)?.[1] ?? '0').replaceAll(',', ''));
  const shown = figure(/([\d,]+) of [\d,]+ shown/);
  const kept = figure(/[\d,]+ of ([\d,]+) shown/);
  const evicted = figure(/evicted ([\d,]+)/);
  const lost = figure(/LOST ([\d,]+)/);
  say(
    `shown ${shown} + hidden ${kept - shown} + evicted ${evicted} + lost ${lost} = ${kept + evicted + lost}; sent ${sent}`,
  );
  assert.equal(kept + evicted + lost, sent, 'the counters do not add up');
}

/**
 * Presses H again and again: it hides the line of keys and shows it again (Esc would wait for what may follow it). Measured is the time until
 * the bytes of the line come, not until the emulator here has drawn them: this process has a share of the same processors.
 */
function pressing(terminal: ProgramTerminal): { readonly times: number[]; stop(): void } {
  const times: number[] = [];
  let typedMs = 0;
  let isShown = true;
  terminal.onOutput = (data) => {
    if (typedMs === 0 || !/Enter open/.test(stripVTControlCharacters(data))) return;
    times.push(Math.round((performance.now() - typedMs) * 10) / 10);
    typedMs = 0;
  };
  const timer = setInterval(() => {
    if (typedMs > 0) {
      if (performance.now() - typedMs > 10_000) say('a key was not answered in 10 s');
      return;
    }
    isShown = !isShown;
    if (isShown) typedMs = performance.now();
    terminal.type('H');
  }, 300);
  return { times, stop: () => clearInterval(timer) };
}

function latencies({ sent, p50Ms, p99Ms }: Steady): string {
  return `${sent} commands in ${flags.seconds} s, p50 ${p50Ms} ms, p99 ${p99Ms} ms`;
}

function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
}

function rssMb(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Math.round(Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1000);
}

/** Of the main thread, which is the screen's; the core has its own. */
function cpuSeconds(pid: number): number {
  const fields =
    readFileSync(`/proc/${pid}/task/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}
