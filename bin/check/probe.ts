/** Asks servers what they are: one connection each, a login and three questions. Nothing is written to them. */
import { lookup } from 'node:dns/promises';
import {
  type Access,
  ControlConnection,
  type ControlReply,
  type Dialling,
  describeCause,
  joinAddress,
  mapAddress,
  RmtopError,
  readSlots,
  type SlotRange,
  splitAddress,
  type Upstream,
} from 'rmtop';

/** What one server turned out to be. */
export type Seen = {
  readonly address: string;
  /** Where it was dialled: `address`, or what the address map makes of it. */
  readonly dialled: string;
  /** Why it could not be asked; null where it could. */
  readonly down: string | null;
  /** The server's answer to the login; null: it was accepted, or none was sent. */
  readonly loginError: string | null;
  /** It asks for a login, and got none that it takes. */
  readonly isLocked: boolean;
  /** Null where it does not say. */
  readonly role: 'primary' | 'replica' | null;
  /** Whether Redis Cluster is on; null where it does not say. */
  readonly isClusterNode: boolean | null;
  /** How many slots the node itself owns. */
  readonly ownSlots: number;
  /** What it answers to CLUSTER SLOTS, which Envoy asks too; null where it is refused or makes no sense. */
  readonly ranges: readonly SlotRange[] | null;
  /** Why `ranges` is null. */
  readonly slotsError: string | null;
};

/** What one upstream's servers turned out to be: those of the files, and the nodes that they announce. */
export type AskedUpstream = {
  readonly name: string;
  readonly servers: readonly Seen[];
  readonly announced: readonly Seen[];
};

/** Longer than a laptop's way to another continent, short enough to wait for. */
const MOST_MS = 5000;

/** Asks the servers of an upstream, and the nodes that a Redis Cluster among them announces. Never throws. */
export async function askUpstream(
  name: string,
  upstream: Upstream,
  dialling: Dialling,
): Promise<AskedUpstream> {
  const access = dialling.access[name] ?? { tls: null, login: null };
  const look = (address: string): Promise<Seen> =>
    lookAt(address, mapAddress(dialling.map, address), access, upstream);
  const written = await Promise.all(
    upstream.seeds.map((seed) => addresses(seed, upstream, dialling)),
  );
  const servers = await Promise.all([...new Set(written.flat())].map(look));
  const ranges = servers.find((server) => server.ranges !== null)?.ranges ?? [];
  const nodes = new Set(ranges.flatMap((range) => [range.primary, ...range.replicas]));
  const known = new Set(servers.map((server) => server.address));
  const rest = upstream.kind === 'hosts' ? [] : [...nodes].filter((address) => !known.has(address));
  return { name, servers, announced: await Promise.all(rest.map(look)) };
}

/** Every address of a STRICT_DNS name is a host to Envoy; a name that cannot be looked up stays, and is told when it is dialled. */
async function addresses(
  seed: string,
  { hostSet }: Upstream,
  { map }: Dialling,
): Promise<readonly string[]> {
  const parts = splitAddress(seed);
  if (hostSet?.resolve !== 'strict-dns' || parts === null || mapAddress(map, seed) !== seed)
    return [seed];
  try {
    const all = await soon(lookup(parts.host, { all: true, family: 4 }));
    return all.map(({ address }) => joinAddress(address, parts.port));
  } catch {
    return [seed];
  }
}

/** A resolver that does not answer may take its time; the address is tried as it stands then. */
async function soon<T>(promise: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new RmtopError('UPSTREAM_UNREACHABLE', 'no answer')), MOST_MS);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

async function lookAt(
  address: string,
  dialled: string,
  access: Access,
  { connectTimeoutMs, refresh }: Upstream,
): Promise<Seen> {
  const timeoutMs = Math.min(refresh.timeoutMs, MOST_MS);
  const login = access.byAddress?.[address] ?? access.login;
  // The login is asked here rather than by the connection: its answer, which Envoy throws away, is worth showing.
  const connection = new ControlConnection(
    address,
    dialled,
    { tls: access.tls, login: null },
    Math.min(connectTimeoutMs, MOST_MS),
  );
  const ask = (...argv: string[]): Promise<ControlReply> => connection.ask(argv, timeoutMs);
  const [auth, slots, nodes, role] = await Promise.all([
    login === null
      ? null
      : login.username === null
        ? ask('AUTH', login.password)
        : ask('AUTH', login.username, login.password),
    ask('CLUSTER', 'SLOTS'),
    ask('CLUSTER', 'NODES'),
    ask('ROLE'),
  ]);
  connection.close();
  const myself = ownLine(nodes);
  const ranges = slots.kind === 'value' ? readSlots(slots.value) : null;
  return {
    address,
    dialled,
    down: slots.kind === 'failed' ? describeCause(slots.cause) : null,
    loginError: auth?.kind === 'error' ? auth.text : null,
    isLocked: slots.kind === 'error' && /^(NOAUTH|NOPERM)/.test(slots.text),
    role: myself?.role ?? roleOf(role),
    isClusterNode: clusterOf(slots, myself !== null),
    ownSlots: myself?.slots ?? 0,
    ranges: typeof ranges === 'string' ? null : ranges,
    slotsError: slots.kind === 'error' ? slots.text : typeof ranges === 'string' ? ranges : null,
  };
}

function clusterOf(slots: ControlReply, isNode: boolean): boolean | null {
  if (isNode || slots.kind === 'value') return true;
  const isOff =
    slots.kind === 'error' &&
    /cluster support disabled|unknown command|unknown subcommand/i.test(slots.text);
  return isOff ? false : null;
}

function roleOf(reply: ControlReply): Seen['role'] {
  const word = reply.kind === 'value' && Array.isArray(reply.value) ? String(reply.value[0]) : '';
  return word === 'master' ? 'primary' : word === 'slave' ? 'replica' : null;
}

/** The node's own line of CLUSTER NODES: `ID ADDRESS myself,master - 0 0 1 connected 0-5460 …`. */
function ownLine(
  reply: ControlReply,
): { readonly role: 'primary' | 'replica'; readonly slots: number } | null {
  if (reply.kind !== 'value' || typeof reply.value !== 'string') return null;
  const line = reply.value.split('\n').find((each) => / \S*\bmyself\b/.test(each));
  if (line === undefined) return null;
  const [, , flags = '', , , , , , ...slots] = line.split(' ');
  let owned = 0;
  for (const range of slots) {
    const [, start, end] = /^(\d+)(?:-(\d+))?$/.exec(range) ?? [];
    if (start !== undefined) owned += Number(end ?? start) - Number(start) + 1;
  }
  return { role: flags.includes('slave') ? 'replica' : 'primary', slots: owned };
}
