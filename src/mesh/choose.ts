/** Shard and read policy → server (mesh page, 6). */
import type { ReadPolicy } from './config.js';
import type { Reason } from './decision.js';
import type { Rng } from './rng.js';
import type { Server, Shard } from './topology.js';

/** The server chosen; null where the policy leaves nobody. */
export type Choice = { readonly server: Server | null; readonly why: Reason };

const WRITE: Reason = { stage: 'choose', code: 'write' };
const PRIMARY: Reason = { stage: 'choose', code: 'primary' };

/** A write goes to the primary, even to an unhealthy one. */
export function chooseWriter(shard: Shard): Choice {
  return { server: shard.primary, why: WRITE };
}

/**
 * The server of `shard` that a read goes to under `policy`; null when the policy leaves nobody.
 *
 * Draws only when there is a choice, so that a recorded decision can be made again from its draws.
 * Source: Envoy's load balancer for Redis Cluster; unhealthy replicas are the last resort there too.
 */
export function chooseReader(shard: Shard, policy: ReadPolicy, rng: Rng): Choice {
  const { primary, replicas } = shard;
  switch (policy) {
    case 'MASTER':
      return { server: primary, why: PRIMARY };
    case 'PREFER_MASTER':
      return primary.healthy
        ? { server: primary, why: reason('policy', policy, [primary]) }
        : pick([primary, ...replicas], 'fallback', policy, rng);
    case 'REPLICA':
      return replicas.length === 0
        ? { server: null, why: reason('nobody', policy, replicas) }
        : pick(replicas, replicas.some(isHealthy) ? 'policy' : 'fallback', policy, rng);
    case 'PREFER_REPLICA':
      return replicas.some(isHealthy)
        ? pick(replicas, 'policy', policy, rng)
        : pick([primary, ...replicas], 'fallback', policy, rng);
    case 'ANY':
      return pick([primary, ...replicas], replicas.length === 0 ? 'policy' : 'random', policy, rng);
  }
}

/** One of the healthy, or of all when none is. */
function pick(
  servers: readonly Server[],
  code: 'policy' | 'fallback' | 'random',
  policy: ReadPolicy,
  rng: Rng,
): Choice {
  const healthy = servers.filter(isHealthy);
  const among = healthy.length > 0 ? healthy : servers;
  const index = among.length === 1 ? 0 : rng.below(among.length);
  return {
    server: among[index] ?? null,
    why: { stage: 'choose', code, policy, healthy: healthy.length, of: servers.length },
  };
}

function isHealthy(server: Server): boolean {
  return server.healthy;
}

function reason(code: 'policy' | 'nobody', policy: ReadPolicy, among: readonly Server[]): Reason {
  return {
    stage: 'choose',
    code,
    policy,
    healthy: among.filter(isHealthy).length,
    of: among.length,
  };
}
