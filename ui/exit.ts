/** What is said on the terminal when the screen is gone. `ux.md` e.6. */
import { writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { ProxyHandle, Totals } from 'rmtop';
import type { Model } from './model.js';
import { count, plural } from './text/figures.js';

/** `rmtop: 48,112 commands from 4 clients in 60 s, 0 lost.` */
export function farewell(model: Model, totals: Totals | null, ms: number): string {
  const commands = totals?.all.calls ?? model.feed.rows.arrived;
  const clients = totals?.clientsTotal ?? model.feed.sessions.open;
  const seconds = ms < 9950 ? (ms / 1000).toFixed(1) : count(Math.round(ms / 1000));
  return `rmtop: ${plural(commands, 'command')} from ${plural(clients, 'client')} in ${seconds} s, ${count(model.feed.lost)} lost.`;
}

/** What is said when the screen has failed and the proxy goes on without it. */
export function stoppedText(proxy: ProxyHandle, model: Model, report: string): string {
  const { host, port } = proxy.address;
  const clients = plural(model.feed.sessions.open, 'client');
  return `rmtop: screen stopped (${report}). Proxy still running on ${host}:${port}, ${clients}. Ctrl-C ends it.`;
}

/** Writes down what went wrong, for whoever mends it; gives where, or what it was when that cannot be written. */
export function reportOf(error: unknown, version: string): string {
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  const file = path.join(tmpdir(), `rmtop-report-${process.pid}.txt`);
  try {
    const about = `rmtop ${version}, Node ${process.version}, ${process.platform} ${process.arch}`;
    writeFileSync(file, `${about}\n${new Date().toISOString()}\n\n${text}\n`, { mode: 0o600 });
    return `report ${file}`;
  } catch {
    return text.split('\n')[0] ?? '';
  }
}
