/** Asks an upstream once what it is; for the commands that need a topology and no proxy. */
import {
  createProxy,
  type Dialling,
  type MeshConfig,
  type OtherEvent,
  readEvents,
  type Topology,
  topologyOf,
} from 'rmtop';

/** The topology found, or why there is none. */
export type Discovered = {
  readonly topology: Topology | null;
  readonly why: string | null;
  readonly next: string | null;
};

/** Discovers the upstreams of `config`: with a proxy that nobody connects to, so that there is one way to do it. */
export async function discover(config: MeshConfig, dialling: Dialling): Promise<Discovered> {
  const proxy = await createProxy({
    config,
    dialling,
    listen: { host: '127.0.0.1', port: 0 },
    credentials: null,
    keep: { value: 0, record: 0 },
    hashes: false,
    seed: 1,
  });
  const found = await new Promise<Discovered>((resolve) => {
    readEvents(proxy, (event) => {
      const result = event.type === 'command' ? null : read(event);
      if (result !== null) resolve(result);
    });
  });
  await proxy.close();
  return found;
}

function read(event: OtherEvent): Discovered | null {
  if (event.type === 'log' && event.level === 'error')
    return { topology: null, why: event.text, next: event.next };
  if (event.type !== 'topology') return null;
  const isKnown = Object.values(event.upstreams).every((upstream) => upstream.kind !== 'unknown');
  return isKnown ? { topology: topologyOf(event), why: null, next: null } : null;
}
