/** Free ports of 127.0.0.1 for servers that are told their port before they start. */
import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';

/** What Redis adds to a node's port for the cluster bus. */
export const BUS_OFFSET = 10000;

// Below the ranges that systems take for outgoing connections, and so that no server's port is another's bus.
const LOWEST = 10000;
const HIGHEST = 19999;

/**
 * `count` different ports that are free now, and whose cluster bus ports are.
 *
 * Another process may take one before the server does; drawn at random they seldom meet, and whoever starts servers tries again.
 */
export async function freePorts(count: number): Promise<number[]> {
  const ports = new Set<number>();
  while (ports.size < count) {
    const port = randomInt(LOWEST, HIGHEST + 1);
    if ((await isFree(port)) && (await isFree(port + BUS_OFFSET))) ports.add(port);
  }
  return [...ports];
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
