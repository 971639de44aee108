/** How an Envoy cluster chooses among its hosts → Balancer (config page, 1.2; mesh page, 5). */
import { type Balancer, DEFAULT_BALANCER } from '../mesh/config.js';
import { isTableSize, MAX_TABLE_SIZE } from '../mesh/maglev.js';
import type { RingOptions } from '../mesh/ring.js';
import { get, isTrue, items, type MapNode, type Node, num, placeOf, str } from './node.js';
import { normalise } from './normalise.js';
import type { ClusterShape, World } from './shape.js';
import { peel } from './typed.js';

type Policy = { readonly policy: Balancer['policy']; readonly config: Node | undefined };

/** Reads `load_balancing_policy`, else `lb_policy` with the settings beside it. */
export function readBalancer(cluster: ClusterShape, world: World): Balancer {
  const { body } = cluster;
  const { policy, config } = extension(body, world) ?? {
    policy: plainPolicy(cluster, world),
    config: undefined,
  };
  const common = get(body, 'common_lb_config');
  const hashing = [
    get(config, 'consistent_hashing_lb_config'),
    get(common, 'consistent_hashing_lb_config'),
  ];
  const bounded = [...hashing, config].find((each) => num(each, 'hash_balance_factor') !== null);
  if (bounded !== undefined) {
    world.findings.say(
      'ENVOY-NOTLOCAL',
      bounded.at,
      `cluster ${cluster.name}: hash_balance_factor moves keys away from hosts under load`,
      {
        consequence: 'a key may be elsewhere in the mesh; here it stays where its hash says',
      },
    );
  }
  return {
    policy,
    tableSize: tableSize(config ?? get(body, 'maglev_lb_config'), world),
    ring: ringOptions(config ?? get(body, 'ring_hash_lb_config'), world),
    hashByHostname: [...hashing, config].some((each) => isTrue(each, 'use_hostname_for_hashing')),
    panicThreshold:
      num(common, 'healthy_panic_threshold', 'value') ?? DEFAULT_BALANCER.panicThreshold,
  };
}

function plainPolicy({ body, name }: ClusterShape, world: World): Balancer['policy'] {
  const written = str(body, 'lb_policy');
  switch (written) {
    case 'MAGLEV':
    case 'RING_HASH':
    case 'RANDOM':
    case 'LEAST_REQUEST':
    case 'ROUND_ROBIN':
      return written;
    case 'ORIGINAL_DST_LB':
    case 'LOAD_BALANCING_POLICY_CONFIG':
      world.findings.say(
        'ENVOY-REFUSED',
        placeOf(body, 'lb_policy'),
        `cluster ${name}: lb_policy ${written} ${written === 'ORIGINAL_DST_LB' ? 'is gone' : 'without load_balancing_policy'}`,
        {
          consequence: 'Envoy refuses it; hosts are taken in turn here',
          advice: 'write lb_policy: MAGLEV for a sharded set',
        },
      );
      return 'ROUND_ROBIN';
    default:
      return 'ROUND_ROBIN';
  }
}

const EXTENSIONS: Readonly<Record<string, Balancer['policy']>> = {
  Maglev: 'MAGLEV',
  RingHash: 'RING_HASH',
  RoundRobin: 'ROUND_ROBIN',
  Random: 'RANDOM',
  LeastRequest: 'LEAST_REQUEST',
};

/** The first policy of the newer `load_balancing_policy` that is known here; null without one. */
function extension(body: MapNode, world: World): Policy | null {
  for (const policy of items(body, 'load_balancing_policy', 'policies')) {
    const written = get(policy, 'typed_extension_config', 'typed_config');
    const { type, body: message } =
      written === undefined ? { type: '', body: policy } : peel(written);
    const name = type.slice(type.lastIndexOf('.') + 1);
    const known = Object.hasOwn(EXTENSIONS, name) ? EXTENSIONS[name] : undefined;
    if (known === 'MAGLEV')
      return { policy: known, config: normalise(message, 'Maglev', 'envoy', world.findings) };
    if (known === 'RING_HASH')
      return { policy: known, config: normalise(message, 'RingHash', 'envoy', world.findings) };
    if (known !== undefined) return { policy: known, config: undefined };
    if (name !== 'ClusterProvided') {
      world.findings.say(
        'ENVOY-NOTLOCAL',
        policy.at,
        `the load balancing policy ${type || 'without a type'} is not known here`,
        { consequence: 'the next one of the list counts, or lb_policy' },
      );
    }
  }
  return null;
}

function tableSize(config: Node | undefined, world: World): number {
  const size = num(config, 'table_size') ?? DEFAULT_BALANCER.tableSize;
  if (isTableSize(size)) return size;
  world.findings.say(
    'ENVOY-REFUSED',
    config === undefined ? { file: '', line: 1, column: 1 } : placeOf(config, 'table_size'),
    `table_size is ${size}: The table size of maglev must be prime number`,
    {
      consequence: `Envoy refuses it; ${DEFAULT_BALANCER.tableSize} is taken here`,
      advice: `a prime up to ${MAX_TABLE_SIZE}, such as ${DEFAULT_BALANCER.tableSize}`,
    },
  );
  return DEFAULT_BALANCER.tableSize;
}

function ringOptions(config: Node | undefined, world: World): RingOptions {
  const { ring } = DEFAULT_BALANCER;
  const minimumSize = num(config, 'minimum_ring_size') ?? ring.minimumSize;
  const maximumSize = num(config, 'maximum_ring_size') ?? ring.maximumSize;
  const hash = str(config, 'hash_function') === 'MURMUR_HASH_2' ? 'MURMUR_HASH_2' : 'XX_HASH';
  if (minimumSize >= 1 && minimumSize <= maximumSize && maximumSize <= ring.maximumSize)
    return { minimumSize, maximumSize, hash };
  if (config !== undefined) {
    world.findings.say(
      'ENVOY-REFUSED',
      config.at,
      `a ring of ${minimumSize} to ${maximumSize} entries`,
      {
        consequence: 'Envoy refuses it; the default sizes are taken here',
        advice: `minimum_ring_size at most maximum_ring_size, and both at most ${ring.maximumSize}`,
      },
    );
  }
  return { ...ring, hash };
}
