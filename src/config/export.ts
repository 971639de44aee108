/** Fault rules → an Aeraki RedisService, for those that the mesh can carry out too. */
import { stringify } from 'yaml';
import type { FaultRule, MeshFault } from '../mesh/config.js';
import { envoyDuration } from './units.js';

/** A rule that the mesh cannot carry out, and why. */
export type NotExported = { readonly id: string; readonly why: string };

export type Exported = {
  /** The RedisService; '' where no rule fits. */
  readonly yaml: string;
  readonly left: readonly NotExported[];
};

/** What is exported, and for which service. */
export type ExportOptions = {
  /** The service's full name. */
  readonly host: string;
  readonly faults: readonly MeshFault[];
  readonly rules: readonly FaultRule[];
};

/** The service, where its name is not known. */
const SOME_HOST = 'redis.default.svc.cluster.local';

/** The service that faults are exported for: `label` where it is the name of one, a port aside; else one to put the name in place of. */
export function serviceHost(label: string): { readonly host: string; readonly isKnown: boolean } {
  const host = label.replace(/:\d+$/, '');
  const isKnown = /^[a-z][a-z0-9-]*(?:\.[a-z0-9-]+)+$/.test(host);
  return { host: isKnown ? host : SOME_HOST, isKnown };
}

type Fitting = {
  readonly type: 'DELAY' | 'ERROR';
  readonly percent: number;
  readonly delayMs: number;
  readonly commands: readonly string[];
};

/** The faults that are on, as `spec.faults` of a RedisService; those of the mesh first, for their order counts. */
export function exportFaults({ host, faults, rules }: ExportOptions): Exported {
  const left: NotExported[] = [];
  const fitting: Fitting[] = faults
    .filter((fault) => fault.on)
    .map(({ percent, commands, action }) => ({
      type: action.kind === 'error' ? 'ERROR' : 'DELAY',
      percent,
      commands,
      delayMs: action.kind === 'error' ? action.delayMs : action.ms,
    }));
  for (const rule of rules.filter((each) => each.on)) {
    const fit = fitOf(rule);
    if (typeof fit === 'string') left.push({ id: rule.id, why: fit });
    else fitting.push(fit);
  }
  if (fitting.length === 0) return { yaml: '', left };
  const [name = 'redis', namespace = 'default'] = host.split('.');
  const object = {
    apiVersion: 'redis.aeraki.io/v1alpha1',
    kind: 'RedisService',
    metadata: { name: `${name}-faults`, namespace },
    spec: {
      host: [host],
      faults: fitting.map(({ type, percent, delayMs, commands }) => ({
        type,
        percentage: { value: percent },
        ...(delayMs === 0 ? {} : { delay: envoyDuration(delayMs) }),
        ...(commands.length === 0
          ? {}
          : { commands: commands.map((command) => command.toUpperCase()) }),
      })),
    },
  };
  return { yaml: stringify(object), left };
}

/** The rule in Aeraki's words, or why it has none. */
function fitOf({ action, percent, scope, max }: FaultRule): Fitting | string {
  const commands = commandsIn(scope);
  if (commands === null) return 'the mesh knows no scope but a list of commands: cmd in {GET,SET}';
  if (max !== null) return 'the mesh does not count hits: no max';
  if (!Number.isInteger(percent)) return 'Envoy cuts percentages to whole ones';
  if (action.kind === 'delay') {
    if (action.jitterMs > 0) return 'the mesh knows no jitter';
    if (action.at === 'request')
      return 'the mesh delays the reply, not the request: add "on reply"';
    return { type: 'DELAY', percent, commands, delayMs: action.ms };
  }
  if (action.kind !== 'error') return `the mesh has no ${action.kind}`;
  if (action.at === 'reply')
    return 'the mesh sends an error instead of the command, never after it';
  if (action.text !== 'Fault Injected: Error')
    return 'the mesh has one error text: Fault Injected: Error';
  return { type: 'ERROR', percent, commands, delayMs: action.delayMs };
}

/** The commands of a scope `cmd=GET` or `cmd in {GET,SET}`, none of the empty one; null of any other scope. */
function commandsIn(scope: string): readonly string[] | null {
  const text = scope.trim();
  if (text === '') return [];
  const one = /^cmd=([A-Za-z]+)$/.exec(text)?.[1];
  if (one !== undefined) return [one];
  const list = /^cmd in \{([A-Za-z, ]+)\}$/.exec(text)?.[1];
  return list === undefined ? null : list.split(',').map((name) => name.trim());
}
