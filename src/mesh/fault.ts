/** Which fault hits a command, if any: first Envoy's own list (mesh page, 8), then rmtop's rules in their order. One at most. */
import type { Command } from '../commands/command.js';
import type { CompiledConfig } from './compile.js';
import type { FaultAction, FaultRule, MeshFault } from './config.js';
import type { FaultPlan, Part, Reason } from './decision.js';
import { type RecordingRng, RULE_DRAWS_PER_PERCENT } from './rng.js';
import type { Topology } from './topology.js';

/** What came of looking: the fault, and what was drawn for it. */
export type FaultOutcome = { readonly plan: FaultPlan | null; readonly why: readonly Reason[] };

const NOTHING: FaultOutcome = { plan: null, why: [] };

/** Envoy answers its own ERROR with this. */
export const INJECTED_ERROR = 'Fault Injected: Error';

/** Envoy's faults: one draw below 100, compared with the running total of the percentages. */
export function meshFault(
  config: CompiledConfig,
  command: Command,
  rng: RecordingRng,
  tellsWhy: boolean,
): FaultOutcome {
  const { faults } = config;
  if (faults === null) return NOTHING;
  const { spec } = command;
  const list =
    spec === undefined
      ? (faults.named.get(command.name.toLowerCase()) ?? faults.others)
      : (faults.bySpec[spec.id] ?? faults.others);
  if (list.length === 0) return NOTHING;
  const roll = rng.below(100);
  const hit = findShare(list, roll);
  if (hit === null && !tellsWhy) return NOTHING;
  return {
    plan: hit === null ? null : planOf(hit.id, roll, 100, hit.action, null, rng),
    why: [{ stage: 'fault', code: 'mesh', roll, hit: hit?.id ?? null }],
  };
}

function findShare(list: readonly MeshFault[], roll: number): MeshFault | null {
  let total = 0;
  for (const fault of list) {
    total += fault.percent;
    if (roll < total) return fault;
  }
  return null;
}

/** rmtop's rules, for a command that was decided to go to `parts`. */
export function ruleFault(
  rules: readonly FaultRule[],
  command: Command,
  parts: readonly Part[],
  topology: Topology,
  rng: RecordingRng,
  tellsWhy: boolean,
): FaultOutcome {
  if (!rng.concerns(rules, command)) return NOTHING;
  let why: Reason[] | null = null;
  for (const rule of rules) {
    const roll = rng.rule(rule, command, parts);
    if (roll < 0) continue;
    const { id, percent } = rule;
    const isHit = roll < Math.round(percent * RULE_DRAWS_PER_PERCENT);
    if (!isHit && !tellsWhy) continue;
    const reason: Reason = { stage: 'fault', code: 'rule', id, roll, percent, isHit };
    if (why === null) why = [reason];
    else why.push(reason);
    if (!isHit) continue;
    const redirect =
      rule.action.kind === 'moved' || rule.action.kind === 'ask'
        ? redirectText(rule.action, parts, topology)
        : null;
    const of = 100 * RULE_DRAWS_PER_PERCENT;
    return { plan: planOf(id, roll, of, rule.action, redirect, rng), why };
  }
  return why === null ? NOTHING : { plan: null, why };
}

function planOf(
  id: string,
  roll: number,
  of: number,
  action: FaultAction,
  redirect: string | null,
  rng: RecordingRng,
): FaultPlan {
  switch (action.kind) {
    case 'delay': {
      const { ms, jitterMs } = action;
      const jitter = jitterMs === 0 ? 0 : rng.below(2 * jitterMs + 1) - jitterMs;
      return { id, roll, of, action, ms: Math.max(0, ms + jitter), error: null };
    }
    case 'error':
      return { id, roll, of, action, ms: action.delayMs, error: action.text };
    case 'hang':
      return { id, roll, of, action, ms: action.ms, error: null };
    case 'down':
      return { id, roll, of, action, ms: null, error: 'upstream failure' };
    default:
      return { id, roll, of, action, ms: null, error: redirect };
  }
}

/** A redirect as the server would write it: to the address given, else to the next shard, which does not own the slot. */
function redirectText(
  action: Extract<FaultAction, { kind: 'moved' | 'ask' }>,
  parts: readonly Part[],
  topology: Topology,
): string {
  const to = parts.find((part) => part.to !== null)?.to ?? null;
  const shards = topology.upstreams[to?.upstream ?? '']?.shards ?? [];
  const wrong = shards[((to?.shard ?? 0) + 1) % Math.max(1, shards.length)];
  const target = action.to ?? wrong?.primary.address ?? to?.address ?? '127.0.0.1:6379';
  return `${action.kind.toUpperCase()} ${Math.max(0, to?.slot ?? 0)} ${target}`;
}
