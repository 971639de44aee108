/** The demo without a terminal: the same proxy and traffic for a while, then what was routed where. */
import {
  type ProxyHandle,
  type ProxyOptions,
  readEvents,
  type Totals,
  type TrafficEvent,
} from 'rmtop';
import { count } from '../headless.js';
import type { Stage } from './stage.js';
import { Ledger, summaryLines, totalsLine } from './summary.js';

/** How long commands in flight may take to finish. */
const GRACE_MS = 2000;

/** How long it runs: whichever comes first. */
export type Span = { readonly forMs: number; readonly commands: number };

/** Runs for `span`, or until `signalled` gives an exit code; gives the lines to print and the exit code. */
export async function runUnattended(
  proxy: ProxyHandle,
  options: ProxyOptions,
  stage: Stage,
  span: Span,
  signalled: Promise<number>,
): Promise<{ readonly lines: readonly string[]; readonly exitCode: number }> {
  const ledger = new Ledger(options.config);
  let left = span.commands;
  const enough = new Promise<number>((resolve) => {
    const add = (event: TrafficEvent): void => {
      ledger.add(event);
      if (event.type === 'command' && --left === 0) resolve(0);
    };
    readEvents(proxy, add, true);
  });
  const startedMs = performance.now();
  stage.play(proxy.address.host, proxy.address.port);
  const exitCode = await Promise.race([signalled, enough, timeIsOver(span.forMs)]);
  await stage.rest();
  const seconds = (performance.now() - startedMs) / 1000;
  await proxy.close(GRACE_MS);
  const totals = await proxy.totals();
  const { host, port } = proxy.address;
  const { settings } = options.config;
  return {
    exitCode,
    lines: [
      `rmtop demo: ${totals.clientsTotal} clients on ${host}:${port} for ${seconds.toFixed(1)} s; behind it ${stage.description}; reads ${settings.readPolicy}`,
      totalsLine(totals),
      '',
      ...summaryLines(totals, ledger),
      '',
      mirrorLine(stage.mirror, totals),
    ],
  };
}

function mirrorLine(address: string, { mirrors }: Totals): string {
  const { chosen = 0, same = 0, different = 0, failed = 0, dropped = 0 } = mirrors.mirror ?? {};
  const rest = failed + dropped === 0 ? '' : `, ${count(failed)} failed, ${count(dropped)} dropped`;
  return `mirror ${address}: ${count(chosen)} writes copied, ${count(same)} replies the same, ${count(different)} different${rest}`;
}

/** The exit code of the signal that comes; whoever calls this is not ended by it. */
export function signal(): Promise<number> {
  return new Promise((resolve) => {
    process.once('SIGINT', () => resolve(130));
    process.once('SIGTERM', () => resolve(143));
    process.once('SIGHUP', () => resolve(143));
  });
}

function timeIsOver(ms: number): Promise<number> {
  return new Promise((resolve) => {
    setTimeout(() => resolve(0), ms).unref(); // a signal may come first; until then the proxy keeps the process
  });
}
