/** Mesh files, run as `rmtop --mesh` runs them, in this process. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { TestContext } from 'node:test';
import type { ProxyFlags } from '../../bin/options.js';
import { planOf } from '../../bin/plan.js';
import { startProxies } from '../../bin/start.js';
import type { CommandEvent } from '../../src/events/event.js';
import { readEvents } from '../../src/events/subscribe.js';
import { createProxy } from '../../src/proxy/proxy.js';
import { TestClient } from './client.js';

/** A folder with these files, gone with the test. */
export function meshFolder(t: TestContext, files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'rmtop-mesh-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  for (const [name, text] of Object.entries(files)) writeFileSync(path.join(folder, name), text);
  return folder;
}

/** One listener that runs. */
export type RunListener = {
  readonly port: number;
  /** Every finished command so far. */
  readonly commands: CommandEvent[];
  /** A client that is closed with the test. */
  client(): Promise<TestClient>;
};

/** Runs files on free ports; gives the listener of a name that starts so, or the only one. */
export async function runMesh(
  t: TestContext,
  files: Readonly<Record<string, string>>,
  flags: ProxyFlags = {},
): Promise<(name?: string) => RunListener> {
  const planned = planOf({ ...flags, mesh: [meshFolder(t, files)], watch: false }, {}, 7);
  // The ports of the files may be taken, or be taken from another test.
  const proxies = planned.proxies.map((proxy) => ({ ...proxy, ports: [0] }));
  const running = await startProxies(
    { ...planned, proxies },
    { keep: { value: 65_536, record: 1_048_576 }, hashes: false },
    createProxy,
  );
  const clients: TestClient[] = [];
  t.after(async () => {
    for (const client of clients) client.close();
    await running.close();
  });
  const listeners = running.proxies.map(({ proxy, planned: { name } }) => {
    const commands: CommandEvent[] = [];
    readEvents(proxy, (event) => {
      if (event.type === 'command') commands.push(event);
    });
    const { port } = proxy.address;
    const client = async (): Promise<TestClient> => {
      const made = await TestClient.connect(port);
      clients.push(made);
      return made;
    };
    return { name: name ?? '', port, commands, client };
  });
  return (name = '') => {
    const fits = listeners.filter((listener) => listener.name.startsWith(name));
    assert.equal(fits.length, 1, listeners.map((listener) => listener.name).join(', '));
    return fits[0] ?? assert.fail();
  };
}
