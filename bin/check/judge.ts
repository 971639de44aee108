/** Whether servers are what the configuration takes them for. Pure: what was seen is an argument. */
import {
  DIAGNOSTIC_LEVELS,
  type Diagnostic,
  type DiagnosticCode,
  FIRST_FORWARD_PORT,
  type Level,
  type MeshConfig,
  type Position,
  portForward,
  SLOTS,
  type Upstream,
} from 'rmtop';
import type { AskedUpstream, Seen } from './probe.js';

/** One upstream under judgement. */
export type Case = {
  readonly asked: AskedUpstream;
  readonly upstream: Upstream;
  readonly settings: MeshConfig['settings'];
  /** Whether a login is configured for it. */
  readonly logsIn: boolean;
  readonly at: Position;
};

type Say = (
  code: DiagnosticCode,
  message: string,
  more: { readonly consequence: string; readonly advice: string; readonly level?: Level },
) => void;

/** What is wrong with an upstream's servers, as findings at the place where it is defined. */
export function judge(given: Case): Diagnostic[] {
  const found: Diagnostic[] = [];
  const say: Say = (code, message, { consequence, advice, level = DIAGNOSTIC_LEVELS[code] }) =>
    found.push({ ...given.at, code, level, message, consequence, advice });
  const { asked, upstream } = given;
  judgeReach(given, say);
  judgeLogin(given, say);
  if (upstream.kind === 'redis-cluster') judgeCluster(given, say);
  else if (upstream.kind === 'hosts') judgeHosts(given, say);
  const isCluster = asked.servers.some((server) => server.ranges !== null);
  if (upstream.kind !== 'hosts' && isCluster) judgeNodes(given, say);
  return found;
}

/** Servers that do not answer. Of a Redis Cluster's seeds one is enough. */
function judgeReach({ asked, upstream, at }: Case, say: Say): void {
  const all = [...asked.servers, ...asked.announced];
  const down = all.filter((server) => server.down !== null);
  if (down.length === 0) return;
  const isSpare =
    upstream.kind !== 'hosts' &&
    asked.announced.every((server) => server.down === null) &&
    asked.servers.some((server) => server.down === null);
  const unmapped = down.filter((server) => server.dialled === server.address);
  const forwards = unmapped.flatMap(
    (server, i) => portForward(server.address, FIRST_FORWARD_PORT + i) ?? [],
  );
  const [first] = down;
  const text = `${down.length === 1 ? '' : `${down.length} of ${all.length} servers of `}${asked.name}: ${listed(down.map(reason))}`;
  const isFlag = at.line === 0;
  say(unmapped.length > 0 && !isLocal(unmapped) ? 'MAP-MISSING' : 'UPSTREAM-UNREACHABLE', text, {
    consequence: isSpare
      ? 'the topology is asked of the others'
      : 'commands for them fail with "no upstream host" or "upstream failure"',
    advice:
      forwards.length > 0
        ? `${forwards[0]?.command}, and ${forwards.map(({ map }) => map).join(' ')}`
        : first !== undefined && first.dialled !== first.address
          ? `is what forwards ${first.dialled} running?`
          : isFlag
            ? 'is the server running, and the address right?'
            : `--map ${first?.address}=127.0.0.1:PORT, for instance after kubectl port-forward`,
    ...(isSpare ? { level: 'warning' as const } : {}),
  });
}

function isLocal(servers: readonly Seen[]): boolean {
  return servers.every(({ address }) => /^(127\.|localhost:|\[::1\])/.test(address));
}

function reason({ address, dialled, down }: Seen): string {
  const via = dialled === address ? '' : `${address} by way of `;
  return `${via}${down}`;
}

function listed(texts: readonly string[]): string {
  const more = texts.length > 4 ? `; and ${texts.length - 4} more` : '';
  return `${texts.slice(0, 4).join('; ')}${more}`;
}

/** Envoy never looks at the answer to its AUTH. */
function judgeLogin({ asked, logsIn }: Case, say: Say): void {
  const all = [...asked.servers, ...asked.announced];
  const refused = all.find((server) => server.loginError !== null);
  if (refused !== undefined) {
    const isNeedless = /without any password configured|no password is set/i.test(
      refused.loginError ?? '',
    );
    say(
      'UPSTREAM-LOGIN',
      `${refused.address} refuses the login of ${asked.name}: ${refused.loginError}`,
      {
        consequence: isNeedless
          ? 'nothing: Envoy does not look at the answer, and the server lets everybody in'
          : "Envoy does not look at the answer: clients get the server's NOAUTH on their first command",
        advice: isNeedless
          ? 'remove the password, or set it on the server'
          : 'correct the password',
        ...(isNeedless ? { level: 'warning' as const } : {}),
      },
    );
    return;
  }
  const locked = all.find((server) => server.isLocked);
  if (locked === undefined) return;
  say(
    'UPSTREAM-LOGIN',
    `${locked.address} lets nobody ask it for its topology: ${locked.slotsError}`,
    {
      consequence: logsIn
        ? 'the user that the proxy logs in as may not ask CLUSTER SLOTS'
        : "no login is configured for it: clients get the server's NOAUTH",
      advice: 'auth_password in RedisProtocolOptions, auth in the RedisDestination, or --auth-file',
    },
  );
}

function judgeCluster({ asked }: Case, say: Say): void {
  const single = asked.servers.find((server) => server.isClusterNode === false);
  if (single !== undefined) {
    say(
      'UPSTREAM-MISMATCH',
      `${asked.name} is taken for a Redis Cluster, and ${single.address} is none: ${single.slotsError}`,
      {
        consequence:
          'in Envoy the cluster never becomes ready (in a bootstrap the listener never opens): every command gets "no upstream host"',
        advice:
          'lb_policy: MAGLEV with type STRICT_DNS or EDS, or mode: PROXY in the RedisDestination',
      },
    );
    return;
  }
  const odd = asked.servers.find(
    (server) => server.down === null && server.ranges === null && !server.isLocked,
  );
  if (odd !== undefined)
    say('UPSTREAM-MISMATCH', `${odd.address}: its CLUSTER SLOTS is of no use: ${odd.slotsError}`, {
      consequence: 'Envoy refuses it and asks again: the cluster is not ready until then',
      advice: `redis-cli -p PORT cluster slots; cluster-announce-ip on the nodes`,
    });
}

/** The nodes of a Redis Cluster, against what the read policy and the address map ask of them. */
function judgeNodes({ asked, settings, upstream }: Case, say: Say): void {
  const ranges = asked.servers.find((server) => server.ranges !== null)?.ranges ?? [];
  const covered = ranges.reduce((sum, range) => sum + range.end - range.start + 1, 0);
  if (covered < SLOTS)
    say('UPSTREAM-MISMATCH', `${asked.name}: ${SLOTS - covered} slots have no owner`, {
      consequence: 'Envoy sends their keys to the first shard, which answers CLUSTERDOWN',
      advice: 'redis-cli --cluster fix HOST:PORT',
      level: 'warning',
    });
  const lonely = ranges.filter((range) => range.replicas.length === 0);
  if (settings.readPolicy === 'REPLICA' && lonely.length > 0)
    say(
      'UPSTREAM-MISMATCH',
      `${asked.name}: read_policy REPLICA, and ${lonely.map(({ primary }) => primary).join(', ')} has no replica`,
      {
        consequence: 'reads of its slots get "no upstream host": there is no fall-back',
        advice: 'PREFER_REPLICA, or a replica',
      },
    );
  if (settings.readPolicy === 'MASTER' || upstream.kind === 'hosts') return;
  const folded = foldedOf([...asked.servers, ...asked.announced]);
  if (folded === null) return;
  say(
    'MAP-FOLDED',
    `${folded.from.join(', ')} are all reached at ${folded.to}, and read_policy is ${settings.readPolicy}`,
    {
      consequence: 'whichever node a read is meant for, the same one answers it',
      advice: 'a port-forward, and a --map, for each pod',
    },
  );
}

function foldedOf(all: readonly Seen[]): { readonly from: string[]; readonly to: string } | null {
  for (const { dialled } of all) {
    const from = all.filter((server) => server.dialled === dialled).map(({ address }) => address);
    if (from.length > 1) return { from, to: dialled };
  }
  return null;
}

/** A set of hosts whose servers are nodes of a Redis Cluster, or replicas. */
function judgeHosts({ asked, upstream, settings }: Case, say: Say): void {
  const up = asked.servers.filter((server) => server.down === null);
  const nodes = up.filter((server) => server.isClusterNode === true);
  const policy = upstream.hostSet?.balancer.policy ?? 'MAGLEV';
  const chosen = asked.servers.length > 1 ? ` by ${policy}` : '';
  if (nodes.length > 0) {
    const share = movedShare(asked.servers);
    if (share === 0) return;
    const followed = settings.enableRedirection;
    say(
      'UPSTREAM-MISMATCH',
      `${asked.name} sends keys to ${listed(nodes.map(({ address }) => address))}${chosen}, and ${nodes.length === 1 ? 'that is a node' : 'these are nodes'} of a Redis Cluster`,
      {
        consequence: followed
          ? `about ${Math.round(share * 100)} of 100 keys are answered MOVED, and take a detour (enable_redirection)`
          : `about ${Math.round(share * 100)} of 100 keys are answered MOVED, and clients get that as an error`,
        advice:
          'cluster_type: {name: envoy.clusters.redis} with lb_policy: CLUSTER_PROVIDED, or mode: CLUSTER in the RedisDestination',
        ...(followed ? { level: 'warning' as const } : {}),
      },
    );
    return;
  }
  const replicas = up.filter((server) => server.role === 'replica');
  if (replicas.length === 0) return;
  say(
    'UPSTREAM-MISMATCH',
    `${asked.name} sends keys to ${listed(replicas.map(({ address }) => address))}${chosen}, ${replicas.length === 1 ? 'which is a replica' : 'which are replicas'}`,
    {
      consequence: 'writes that come to a replica fail with READONLY',
      advice: 'a Service that selects the primary alone, or a Redis Cluster',
    },
  );
}

/** The share of keys that come to a node which does not own their slot: hosts have equal shares of the keys, as weights usually are. */
function movedShare(servers: readonly Seen[]): number {
  const right = servers.reduce((sum, server) => sum + server.ownSlots / SLOTS, 0);
  const nodes = servers.filter((server) => server.isClusterNode === true).length;
  return Math.max(0, (nodes - right) / servers.length);
}
