/** A proxy for a test: on a free port, its events kept, closed when the test ends. */
import type { TestContext } from 'node:test';
import type { ToleranceSource } from '../../src/compare/tolerances.js';
import type { CommandEvent, OtherEvent } from '../../src/events/event.js';
import { readEvents } from '../../src/events/subscribe.js';
import { parseAddressMap } from '../../src/mesh/address-map.js';
import type { Credentials } from '../../src/mesh/answers.js';
import {
  type MeshConfig,
  type Settings,
  singleUpstreamConfig,
  type Upstream,
} from '../../src/mesh/config.js';
import type { Access } from '../../src/proxy/dial.js';
import { createProxy, type ProxyHandle } from '../../src/proxy/proxy.js';
import { TestClient } from './client.js';
import { until } from './until.js';

export type TestProxyOptions = {
  readonly seeds: readonly (number | string)[];
  readonly settings?: Partial<Settings>;
  readonly upstream?: Partial<Upstream> & { readonly envoy?: number };
  /** Makes the configuration of what the options above say. */
  readonly config?: (base: MeshConfig) => MeshConfig;
  readonly map?: readonly string[];
  readonly access?: Access;
  readonly credentials?: Credentials;
  readonly tolerances?: ToleranceSource;
};

export type TestProxy = {
  readonly handle: ProxyHandle;
  readonly port: number;
  readonly commands: CommandEvent[];
  readonly others: OtherEvent[];
  /** A client that is closed with the test. */
  client(): Promise<TestClient>;
  /** The event of the `n`-th finished command that `fits`, waited for. */
  event(fits: (event: CommandEvent) => boolean): Promise<CommandEvent>;
};

const same = (config: MeshConfig): MeshConfig => config;

/** Starts a proxy in front of `seeds` (ports of this machine, or addresses). */
export async function startProxy(t: TestContext, options: TestProxyOptions): Promise<TestProxy> {
  const seeds = options.seeds.map((seed) =>
    typeof seed === 'number' ? `127.0.0.1:${seed}` : seed,
  );
  const handle = await createProxy({
    config: (options.config ?? same)(
      singleUpstreamConfig(seeds, options.settings, options.upstream),
    ),
    listen: { host: '127.0.0.1', port: 0 },
    dialling: {
      map: parseAddressMap(options.map ?? []),
      access: options.access === undefined ? {} : { redis: options.access },
    },
    credentials: options.credentials ?? null,
    keep: { value: 1_048_576, record: 8_388_608 },
    hashes: true,
    seed: 7,
    ...(options.tolerances === undefined ? {} : { tolerances: options.tolerances }),
  });
  const commands: CommandEvent[] = [];
  const others: OtherEvent[] = [];
  readEvents(handle, (event) => {
    if (event.type === 'command') commands.push(event);
    else others.push(event);
  });
  const clients: TestClient[] = [];
  t.after(async () => {
    for (const client of clients) client.close();
    await handle.close();
  });
  return {
    handle,
    port: handle.address.port,
    commands,
    others,
    async client() {
      const client = await TestClient.connect(handle.address.port);
      clients.push(client);
      return client;
    },
    async event(fits) {
      let found: CommandEvent | undefined;
      await until(() => {
        found = commands.find(fits);
        return found !== undefined;
      });
      return found as CommandEvent;
    },
  };
}
