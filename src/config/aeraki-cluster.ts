/** A RedisDestination → the cluster that Aeraki puts in the place of Istio's (config page, 2.7). */
import { isIpLiteral, splitAddress } from '../mesh/address.js';
import { type AuthOwner, readAuth } from './aeraki-auth.js';
import { crash, dropped } from './aeraki-rules.js';
import type { Position } from './diagnostic.js';
import { REDIS_CLUSTER_TYPE } from './envoy-cluster.js';
import {
  get,
  items,
  type MapNode,
  make,
  makeMap,
  type Node,
  type Plain,
  pairs,
  placeOf,
  str,
} from './node.js';
import type { ClusterShape, World } from './shape.js';

const DEFAULT_CONNECT_TIMEOUT_MS = 10_000;

/** Where a cluster comes from: its name and the port of its service. */
export type ClusterOrigin = { readonly name: string; readonly port: number; readonly at: Position };

/** The cluster of a redis port without a RedisDestination: any pod by the hash of the key. */
export function plainCluster({ name, at }: ClusterOrigin): ClusterShape {
  return {
    name,
    at,
    body: makeMap(
      { name, type: 'EDS', lb_policy: 'MAGLEV', connect_timeout: DEFAULT_CONNECT_TIMEOUT_MS },
      at,
    ),
  };
}

/** The cluster for a normalised RedisDestinationSpec; null where Aeraki makes none, so that Istio's stays. */
export function generateCluster(
  spec: MapNode,
  origin: ClusterOrigin,
  owner: AuthOwner,
  world: World,
): ClusterShape | null {
  const pool = get(spec, 'trafficPolicy', 'connectionPool');
  if (pool === undefined) return plainCluster(origin);
  const redis = get(pool, 'redis');
  const keepalive = get(pool, 'tcp', 'tcpKeepalive');
  if (pairs(keepalive).length > 0 && keepalive !== undefined)
    crash(keepalive.at, 'tcpKeepalive', 'it is left out here', world);
  const login = readAuth(get(redis, 'auth'), owner, world);
  if (login === 'missing' && !world.intended) return null;
  const isCluster = str(redis, 'mode') === 'CLUSTER';
  const seeds = isCluster ? readSeeds(spec, redis, origin, world) : [];
  if (seeds === null) return null;
  if (!isCluster && get(redis, 'discoveryEndpoints') !== undefined) {
    dropped(
      redis,
      'discoveryEndpoints',
      'redis.discoveryEndpoints in PROXY mode',
      'the hosts are those of the service; it takes mode: CLUSTER',
      world,
    );
  }
  const options: Plain =
    login === null || login === 'missing'
      ? undefined
      : {
          'envoy.filters.network.redis_proxy': {
            ...(login.password === ''
              ? {}
              : { auth_password: make({ inline_string: login.password }, login.at) }),
            ...(login.username === ''
              ? {}
              : { auth_username: make({ inline_string: login.username }, login.at) }),
          },
        };
  const at = redis === undefined ? origin.at : placeOf(redis, 'mode');
  const body = makeMap(
    {
      name: origin.name,
      connect_timeout: get(pool, 'tcp', 'connectTimeout') ?? DEFAULT_CONNECT_TIMEOUT_MS,
      ...(isCluster
        ? {
            cluster_type: { name: REDIS_CLUSTER_TYPE },
            lb_policy: 'CLUSTER_PROVIDED',
            load_assignment: { endpoints: [{ lb_endpoints: seeds }] },
          }
        : { type: 'EDS', lb_policy: 'MAGLEV' }),
      typed_extension_protocol_options: options,
    },
    at,
  );
  return { name: origin.name, body, at };
}

/** Endpoints to ask for the slots; null where one cannot be parsed, for then Aeraki makes no cluster at all. */
function readSeeds(
  spec: MapNode,
  redis: Node | undefined,
  { port }: ClusterOrigin,
  world: World,
): Plain[] | null {
  const written = items(redis, 'discoveryEndpoints');
  if (written.length === 0) return [endpoint(str(spec, 'host') ?? '', port, placeOf(spec, 'host'))];
  const seeds: Plain[] = [];
  for (const node of written) {
    const text = str(node) ?? '';
    const address = splitAddress(text);
    const isBareIpv6 = isIpLiteral(text) && text.includes(':');
    if (isBareIpv6 || (address === null && /^\[.*\]$/.test(text))) {
      world.findings.say('AERAKI-SEED', node.at, `discovery endpoint '${text}' is no host:port`, {
        consequence:
          "Aeraki drops the whole RedisDestination without a word: Istio's own cluster stays, without CLUSTER mode and password",
        advice: `write "[${text.replace(/[[\]]/g, '')}]:${port}"`,
      });
      if (!world.intended) return null;
      seeds.push(endpoint(text.replace(/[[\]]/g, ''), port, node.at));
      continue;
    }
    const colon = text.lastIndexOf(':');
    if (address === null && colon !== -1) {
      world.findings.say(
        'AERAKI-SEED',
        node.at,
        `discovery endpoint '${text}' has no number for a port`,
        {
          consequence: 'Aeraki takes port 0: it cannot be reached',
          advice: `write ${text.slice(0, colon)}:${port}`,
        },
      );
      seeds.push(endpoint(text.slice(0, colon), 0, node.at));
      continue;
    }
    seeds.push(
      address === null
        ? endpoint(text, port, node.at)
        : endpoint(address.host, address.port, node.at),
    );
  }
  return seeds;
}

function endpoint(host: string, port: number, at: Position): Node {
  return make(
    { endpoint: { address: { socket_address: { address: host, port_value: port } } } },
    at,
  );
}
