/** What a replay goes through: rmtop's own data plane, or nothing. */
import {
  type Access,
  type CommandEvent,
  createProxy,
  isLoopback,
  type OtherEvent,
  type ProxyHandle,
  RECORD_KEEP,
  type ReplayReport,
  RmtopError,
  type Rng,
  readEvents,
  seededRng,
  splitAddress,
} from 'rmtop';
import { type Resolved, resolve } from '../options.js';
import type { ReplayFlags } from './flags.js';
import { type ReplayMesh, replayMesh } from './mesh.js';
import type { Servers } from './prepare.js';
import { type Routed, Routes } from './routes.js';
import type { Script } from './script.js';

/** Where commands are sent to, and what is behind it. */
export type Target = Servers & {
  /** Servers on other machines need a permission. */
  readonly dialled: readonly string[];
  /** The data plane between, and where it takes commands; null: none of ours is. */
  readonly proxy: ProxyHandle | null;
  readonly routes: Routes | null;
  /** What people call the servers. */
  readonly label: string;
  close(): Promise<void>;
};

const SEED = 1;
const NO_ACCESS: Access = { tls: null, login: null };

/** A data plane of rmtop's own, whose decisions are compared with the recorded ones; `routed` hears of each. Throws as `startPlane`. */
export async function meshTarget(
  script: Script,
  flags: ReplayFlags,
  report: ReplayReport,
  routed?: (routed: Routed) => void,
): Promise<Target> {
  const { faults } = script;
  const { label, ...mesh } = replayMesh(script.config, flags, faults);
  const routes = new Routes(script, flags, report, routed);
  const chance = seededRng(SEED);
  const plane = await startPlane(mesh, {
    decided: (localPort, event) => routes.decided(localPort, event),
    learned: (event) => routes.learned(event),
    chanceOf:
      faults === null
        ? null
        : (localPort) => faults.rng(() => routes.connectionOf(localPort), chance),
  });
  const [access = NO_ACCESS] = Object.values(mesh.dialling.access);
  const { dialled, primaries, proxy } = plane;
  const close = (): Promise<void> => proxy.close();
  const { address } = proxy;
  return { address, access, servers: dialled, dialled, primaries, proxy, routes, label, close };
}

/** Straight to one server. */
export async function directTarget(flags: ReplayFlags): Promise<Target> {
  const resolved: Resolved = resolve({ ...flags, listen: '127.0.0.1:0' });
  const seed = Object.values(resolved.config.upstreams)[0]?.seeds[0] ?? '';
  const at = seed.lastIndexOf(':');
  const address = { host: seed.slice(0, at), port: Number(seed.slice(at + 1)) };
  const dialled = isLoopback(address.host) ? [] : [seed];
  const [access = NO_ACCESS] = Object.values(resolved.dialling.access);
  const close = async (): Promise<void> => {};
  const behind = { servers: [seed], dialled, primaries: [seed] };
  return { address, access, ...behind, proxy: null, routes: null, label: resolved.label, close };
}

/** A running data plane. */
export type Plane = {
  readonly proxy: ProxyHandle;
  /** Addresses that are dialled, and those of primaries. */
  readonly dialled: readonly string[];
  readonly primaries: readonly string[];
};

/** What a replay wants to know, or say, of the data plane's clients, by the port they connect from. */
export type PlaneHooks = {
  decided(localPort: number, event: CommandEvent): void;
  /** Everything else that happens, such as another topology. */
  learned(event: OtherEvent): void;
  /** Null: chance is left alone. */
  readonly chanceOf: ((localPort: number) => Rng) | null;
};

/** Starts the data plane and waits until it knows its servers. Throws UPSTREAM_UNREACHABLE when it cannot. */
export async function startPlane(
  mesh: Pick<ReplayMesh, 'config' | 'dialling'>,
  hooks: PlaneHooks,
): Promise<Plane> {
  const { chanceOf } = hooks;
  const proxy = await createProxy({
    ...mesh,
    listen: { host: '127.0.0.1', port: 0 },
    credentials: null,
    keep: RECORD_KEEP,
    hashes: false,
    seed: 1,
    ...(chanceOf === null ? {} : { chanceOf: (address) => chanceOf(portOf(address)) }),
  });
  const ports = new Map<number, number>();
  const servers = await new Promise<Omit<Plane, 'proxy'>>((known, failed) => {
    readEvents(
      proxy,
      (event) => {
        if (event.type === 'command') {
          hooks.decided(ports.get(event.connection) ?? 0, event);
          return;
        }
        if (event.type === 'session') ports.set(event.connection, portOf(event.address));
        hooks.learned(event);
        settle(event, known, failed);
      },
      true,
    );
  }).catch(async (error: unknown) => {
    await proxy.close();
    throw error;
  });
  return { proxy, ...servers };
}

function portOf(address: string): number {
  return splitAddress(address)?.port ?? 0;
}

function settle(
  event: OtherEvent,
  known: (servers: Omit<Plane, 'proxy'>) => void,
  failed: (error: RmtopError) => void,
): void {
  if (event.type === 'log' && event.level === 'error')
    failed(
      new RmtopError('UPSTREAM_UNREACHABLE', event.text, {
        next: event.next === null ? [] : [event.next],
      }),
    );
  if (event.type !== 'topology') return;
  const states = Object.values(event.upstreams);
  if (states.some((state) => state.kind === 'unknown')) return;
  const servers = states.flatMap((state) => state.servers.map((server) => ({ state, server })));
  known({
    dialled: servers.map(({ server }) => server.dialled),
    primaries: servers
      .filter(
        ({ state, server }) =>
          state.ranges?.some(({ primary }) => primary === server.address) ?? true,
      )
      .map(({ server }) => server.dialled),
  });
}

/** Throws WRITES_REFUSED when writes, or the file `load`, would go to another machine and nobody has allowed it. */
export function refuseWrites(
  writes: number,
  dialled: readonly string[],
  isAllowed: boolean,
  load: string | null,
): void {
  const far = dialled.find((address) => !isLoopback(splitAddress(address)?.host ?? ''));
  if (far === undefined || (writes === 0 && load === null) || isAllowed) return;
  const what = writes === 0 ? load : `${writes.toLocaleString('en-US')} write commands`;
  throw new RmtopError('WRITES_REFUSED', `replay would send ${what} to ${far}`, {
    next: ['add --allow-writes, or --filter class=read, or replay against 127.0.0.1'],
  });
}
