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

/** The topology found, null where no upstream could be; and what is in the way of the others. */
export type Discovered = {
  readonly topology: Topology | null;
  readonly problems: readonly Problem[];
};

/** Why an upstream could not be found, and what to do about it. */
export type Problem = { readonly text: string; readonly next: string | null };

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
  const wanted = Object.keys(config.upstreams).length;
  const found = await new Promise<Discovered>((resolve) => {
    const problems: Problem[] = [];
    let newest: Extract<OtherEvent, { type: 'topology' }> | null = null;
    readEvents(proxy, (event) => {
      if (event.type === 'log' && event.level === 'error')
        problems.push({ text: event.text, next: event.next });
      else if (event.type === 'topology') newest = event;
      else return;
      const known = newest === null ? 0 : knownIn(newest);
      if (known + problems.length < wanted) return;
      resolve({ topology: newest === null || known === 0 ? null : topologyOf(newest), problems });
    });
  });
  await proxy.close();
  return found;
}

function knownIn({ upstreams }: Extract<OtherEvent, { type: 'topology' }>): number {
  return Object.values(upstreams).filter((upstream) => upstream.kind !== 'unknown').length;
}
