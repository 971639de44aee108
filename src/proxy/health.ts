/**
 * Two views of a server. Envoy's: healthy, unless an active health checker has given it up; without one every server is healthy, whatever
 * its state. And rmtop's own, which decides nothing: can it be connected to from here?
 */
import type { HealthCheck } from '../mesh/config.js';
import { ControlConnection } from './control.js';
import { accessTo, type Dialling, describeCause, dialledFor } from './dial.js';

/** PINGs the servers of an upstream, each on a connection of its own. */
export class HealthChecker {
  private readonly check: HealthCheck;
  private readonly upstream: string;
  private readonly dialling: Dialling;
  private readonly changed: (address: string, healthy: boolean) => void;
  private readonly servers = new Map<
    string,
    { connection: ControlConnection | null; healthy: boolean; run: number }
  >();
  private readonly timer: NodeJS.Timeout;

  constructor(
    upstream: string,
    check: HealthCheck,
    dialling: Dialling,
    changed: (address: string, healthy: boolean) => void,
  ) {
    this.upstream = upstream;
    this.check = check;
    this.dialling = dialling;
    this.changed = changed;
    this.timer = setInterval(() => this.pingAll(), check.intervalMs);
  }

  /** Checks these servers from now on, and no others. New ones count as healthy until they fail. */
  watch(addresses: readonly string[]): void {
    const wanted = new Set(addresses);
    for (const [address, server] of this.servers) {
      if (wanted.has(address)) continue;
      server.connection?.close();
      this.servers.delete(address);
    }
    const isNew = addresses.filter((address) => !this.servers.has(address));
    for (const address of isNew)
      this.servers.set(address, { connection: null, healthy: true, run: 0 });
    for (const address of isNew) void this.ping(address);
  }

  private pingAll(): void {
    for (const address of this.servers.keys()) void this.ping(address);
  }

  private async ping(address: string): Promise<void> {
    const server = this.servers.get(address);
    if (server === undefined) return;
    if (server.connection === null || server.connection.closed) {
      const dialled = dialledFor(this.dialling, address);
      server.connection = new ControlConnection(
        address,
        dialled,
        accessTo(this.dialling, this.upstream, address),
        this.check.timeoutMs,
      );
    }
    const reply = await server.connection.ask(['PING'], this.check.timeoutMs);
    if (this.servers.get(address) !== server) return;
    const good = reply.kind === 'value' && reply.value === 'PONG';
    server.run = good === server.healthy ? 0 : server.run + 1;
    const threshold = good ? this.check.healthyThreshold : this.check.unhealthyThreshold;
    if (server.run < threshold) return;
    server.run = 0;
    if (good === server.healthy) return;
    server.healthy = good;
    this.changed(address, good);
  }

  close(): void {
    clearInterval(this.timer);
    for (const server of this.servers.values()) server.connection?.close();
    this.servers.clear();
  }
}

/** Whether a server can be connected to and speaks RESP: null if so, else why not. */
export async function probe(
  upstream: string,
  address: string,
  dialling: Dialling,
  timeoutMs: number,
): Promise<string | null> {
  const connection = new ControlConnection(
    address,
    dialledFor(dialling, address),
    accessTo(dialling, upstream, address),
    timeoutMs,
  );
  const reply = await connection.ask(['PING'], timeoutMs);
  connection.close();
  return reply.kind === 'failed' ? describeCause(reply.cause) : null;
}
