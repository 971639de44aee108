/**
 * `--open`: what the mesh refuses is forwarded as a good cluster client would, and marked as refused by the mesh.
 *
 * Keyed commands go whole to the owner of their first key, so that the server answers CROSSSLOT where it would; keyless ones as
 * Redis's command tips say; commands that wait, subscribe or stream go on a connection of the client's own.
 */
import type { Command } from '../commands/command.js';
import type { CompiledRoute } from './compile.js';
import type { Deciding } from './decide.js';
import type { Decision, Part, Reason, RefusalCode, Via } from './decision.js';
import { findRoute, NO_ROUTE } from './route.js';

const NO_KEY = Buffer.alloc(0);

/** Refusals that are no matter of what the mesh knows: they stand in every mode. */
const STAND: ReadonlySet<RefusalCode> = new Set<RefusalCode>([
  'noauth',
  'invalid-request',
  'nested-multi',
  'exec-without-multi',
  'discard-without-multi',
  'wrong-arity',
  'err-wrong-arity',
  'client-arity',
]);

/** CLIENT subcommands that would change a connection which all clients share. */
const CHANGES_CONNECTION: ReadonlySet<string> = new Set([
  'CLIENT REPLY',
  'CLIENT TRACKING',
  'CLIENT CACHING',
]);

/** The decision for a command that the mesh refuses with `refusal`. */
export function decideOpened(deciding: Deciding, refusal: RefusalCode): Decision {
  const { command } = deciding;
  const { session, spec } = command;
  const why: readonly Reason[] = [{ stage: 'admit', code: 'opened', refusal }];
  if (STAND.has(refusal) && !(refusal === 'wrong-arity' && isEnoughForRedis(command)))
    return deciding.refuse(refusal);
  // HELLO would change the version of a connection that all share, MULTI queue what all send: older levels know neither.
  if (spec?.name === 'HELLO')
    return session.multi ? deciding.refuse(refusal) : { ...deciding.answer('hello'), why };
  // Envoy says what it does not know before it asks for a login; what is forwarded needs one.
  if (!session.authenticated) return deciding.refuse('noauth');
  if (spec?.mesh === 'transaction') {
    const decision = deciding.transaction('transaction');
    return { ...decision, why: [...why, ...decision.why] };
  }
  const name = command.name;
  if (CHANGES_CONNECTION.has(name)) return deciding.refuse('shared-connection');
  if (spec?.open === 'never') return deciding.refuse('one-server-only');
  if (spec?.name === 'RESET') return { ...deciding.answer('reset'), why };
  if (session.multi) return queueOpened(deciding, why);
  switch (spec?.open) {
    case 'local':
      return { ...deciding.answer('ok'), why };
    case 'own':
      return keyedOrAny(deciding, why, 'own');
    case 'subscription':
      return subscribe(deciding, why);
    case 'monitor':
      return settle(deciding, why, 'monitor');
    case 'shards':
      return everywhere(deciding, why, false, 'shared');
    case 'own-shards':
      return everywhere(deciding, why, false, 'own');
    case 'nodes':
      return everywhere(deciding, why, true, 'shared');
    default:
      break;
  }
  if (name === 'CLIENT GETNAME') return { ...deciding.answer('client-name'), why };
  if (name === 'CLIENT ID') return { ...deciding.answer('client-id'), why };
  if (name.startsWith('CLIENT ')) return settle(deciding, why, 'own');
  return keyedOrAny(deciding, why, 'shared');
}

/** Too few words for Envoy may be enough for Redis: EVAL script 0, OBJECT HELP. */
function isEnoughForRedis({ spec, argc }: Command): boolean {
  return (spec?.mesh === 'eval' || spec?.mesh === 'object') && argc >= -spec.arity;
}

function keyedOrAny(deciding: Deciding, why: readonly Reason[], via: Via): Decision {
  const { command } = deciding;
  const at = command.keys[0];
  if (at !== undefined && at < command.argc) {
    const isWrite = via === 'own' || (command.spec?.writes ?? true);
    return deciding.forward([deciding.keyed(at, null, 'all', isWrite, via)], 'pass', why);
  }
  const route = findRoute(deciding.config, NO_KEY);
  if (route === null) return deciding.refuse('no-route', 0, [...why, NO_ROUTE]);
  return deciding.forward([deciding.toAnyShard(route, via)], 'pass', why);
}

/** Inside MULTI everything goes on the transaction's connection; the first command's key, or any shard, places it. */
function queueOpened(deciding: Deciding, why: readonly Reason[]): Decision {
  const { command } = deciding;
  const { transactionKey } = command.session;
  const at = command.keys[0] ?? 0;
  const decision =
    transactionKey === null ? deciding.queued(at) : deciding.pinned(transactionKey, null);
  return { ...decision, why: [...why, ...decision.why] };
}

/** SSUBSCRIBE goes to the owner of its first channel; classic subscriptions stay on the server that was chosen for the first. */
function subscribe(deciding: Deciding, why: readonly Reason[]): Decision {
  const { command } = deciding;
  const name = command.spec?.name ?? '';
  const isSharded = name === 'SSUBSCRIBE' || name === 'SUNSUBSCRIBE';
  if (isSharded && command.argc > 1)
    return deciding.forward([deciding.keyed(1, null, 'all', true, 'subscription')], 'pass', why);
  const isUnsubscribe = name.includes('UNSUBSCRIBE');
  if (isUnsubscribe && (isSharded || command.session.home === null))
    return { ...deciding.answer('unsubscribed'), why };
  return settle(deciding, why, 'subscription');
}

/** On the server where this client's own keyless commands are; the first of them settles which. */
function settle(deciding: Deciding, why: readonly Reason[], via: Via): Decision {
  const route = findRoute(deciding.config, NO_KEY);
  if (route === null) return deciding.refuse('no-route', 0, [...why, NO_ROUTE]);
  const { home } = deciding.command.session;
  const part = home === null ? deciding.toAnyShard(route, via) : atHome(deciding, route, home, via);
  return deciding.forward([part], 'pass', why, home === null ? 'settle' : null);
}

function atHome(deciding: Deciding, route: CompiledRoute, home: string, via: Via): Part {
  const { match } = route.writes;
  const { shards } = deciding.placement(match);
  const at = shards.findIndex((shard) =>
    [shard.primary, ...shard.replicas].some((server) => server.address === home),
  );
  const role = at === -1 || shards[at]?.primary.address === home ? 'primary' : 'replica';
  return {
    name: null,
    args: 'all',
    route: match,
    to: { upstream: match.upstream, slot: -1, shard: Math.max(at, 0), role, address: home },
    via,
    rekey: null,
    mirrors: [],
    why: [{ stage: 'choose', code: 'pinned' }],
  };
}

/** To all primaries, or to all nodes, with the merge of Redis's command tips. */
function everywhere(
  deciding: Deciding,
  why: readonly Reason[],
  replicasToo: boolean,
  via: Via,
): Decision {
  const route = findRoute(deciding.config, NO_KEY);
  if (route === null) return deciding.refuse('no-route', 0, [...why, NO_ROUTE]);
  const { match } = route.writes;
  const { shards } = deciding.placement(match);
  if (shards.length === 0) return deciding.refuse('no-host', 0, why);
  const parts = shards.flatMap((shard, index) =>
    (replicasToo ? [shard.primary, ...shard.replicas] : [shard.primary]).map(
      (server): Part => ({
        name: null,
        args: 'all',
        route: match,
        to: {
          upstream: match.upstream,
          slot: -1,
          shard: index,
          role: server === shard.primary ? 'primary' : 'replica',
          address: server.address,
        },
        via,
        rekey: null,
        mirrors: [],
        why: [
          { stage: 'place', code: 'shard', shard: index, of: shards.length },
          { stage: 'choose', code: server === shard.primary ? 'primary' : 'node' },
        ],
      }),
    ),
  );
  const split: Reason = {
    stage: 'split',
    code: replicasToo ? 'all-nodes' : 'all-shards',
    parts: parts.length,
  };
  return deciding.forward(parts, deciding.command.spec?.merge ?? 'concat', [...why, split]);
}
