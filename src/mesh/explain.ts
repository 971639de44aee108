/** Decision → lines of text: for `rmtop explain`, the screen's Decision tab and failing tests alike. */
import type { Command } from '../commands/command.js';
import { refusalText } from './answers.js';
import type { MeshConfig } from './config.js';
import {
  type Decision,
  type FaultPlan,
  isStopped,
  type Reason,
  type RefusalCode,
} from './decision.js';
import { type ExplainLine, partLine, partLines } from './explain-part.js';
import { printable } from './printable.js';
import { RULE_DRAWS_PER_PERCENT } from './rng.js';
import type { Topology } from './topology.js';

/** Of an error that echoes what was sent no more is shown. */
const MOST_SHOWN = 500;

/** What a decision says, a line a stage. `topology` and `config` are those it was made with. */
export function explain(
  command: Command,
  decision: Decision,
  topology: Topology,
  config: MeshConfig,
): ExplainLine[] {
  const lines: ExplainLine[] = [];
  const { action } = decision;
  for (const reason of decision.why) {
    const line = commandLine(reason, command);
    if (line !== null) lines.push(line);
  }
  lines.push(...outOfScope(decision, config));
  if (action.kind === 'answer') {
    lines.push({
      stage: 'answer',
      text: `rmtop answers ${command.name} itself, as Envoy does; no server is asked`,
    });
  } else if (action.kind === 'refuse') {
    for (const reason of decision.why)
      if (reason.stage !== 'admit' && reason.stage !== 'fault')
        lines.push(partLine(reason, command, null, topology, null, config));
    lines.push({
      stage: 'refuse',
      text: `-${printable(refusalText(action.error, command, config.envoy, action.of).slice(0, MOST_SHOWN))}`,
    });
    const because = refusalBecause(action.error, command, config);
    if (because !== null) lines.push({ stage: 'why', text: because });
  } else {
    for (const part of action.parts)
      lines.push(...partLines(part, action.parts.length, command, topology, config));
  }
  if (decision.fault !== null) lines.push(faultLine(decision.fault, isStopped(decision)));
  return lines;
}

function faultLine(fault: FaultPlan, stops: boolean): ExplainLine {
  const before = stops ? '; nothing is sent, whatever stands above' : '';
  return { stage: 'fault', text: `${fault.id} hits: ${faultText(fault)}${before}` };
}

/** The rules that were on and had no say; of those behind one that hit nothing is known. */
function outOfScope({ why, fault }: Decision, { rules }: MeshConfig): ExplainLine[] {
  const isMeshHit = why.some(
    (reason) => reason.stage === 'fault' && reason.code === 'mesh' && reason.hit !== null,
  );
  if (isMeshHit) return []; // they were not asked
  const asked = new Set(
    why.flatMap((reason) =>
      reason.stage === 'fault' && reason.code === 'rule' ? [reason.id] : [],
    ),
  );
  const on = rules.filter((rule) => rule.on);
  const hitAt = on.findIndex(({ id }) => id === fault?.id);
  return (hitAt === -1 ? on : on.slice(0, hitAt))
    .filter(({ id }) => !asked.has(id))
    .map(({ id, scope, max }) => ({
      stage: 'fault',
      text: `${id}: not in its scope ${printable(scope)}${max === null ? '' : `, or it has hit its ${max} times`}`,
      dim: true,
    }));
}

function faultText({ action, ms, error }: FaultPlan): string {
  const late = ms === null || ms === 0 ? '' : ` after ${ms} ms`;
  switch (action.kind) {
    case 'delay':
      return action.at === 'reply'
        ? `the reply is held for ${ms} ms`
        : `the request waits for ${ms} ms`;
    case 'error':
      return action.at === 'reply'
        ? `the reply is replaced by -${printable(error ?? '')}${late}`
        : `-${printable(error ?? '')}${late}`;
    case 'close': {
      const how = action.reset ? 'reset' : 'closed';
      return action.afterBytes === null
        ? `the client's connection is ${how}`
        : `the client's connection is ${how} after ${action.afterBytes} bytes of the reply`;
    }
    case 'hang':
      return ms === null ? 'no answer' : `no answer for ${ms} ms`;
    case 'drip':
      return `the reply comes ${action.bytes} bytes at a time, ${action.pauseMs} ms between them`;
    case 'moved':
    case 'ask':
      return `-${printable(error ?? '')}`;
    case 'down':
      return 'the server counts as dead: -upstream failure';
  }
}

/** What makes the clients that speak RESP3 unasked connect all the same: tried with node-redis 6.3.1 and redis-py 8.1.0. */
const TO_RESP2 = 'node-redis 6 connects with RESP: 2, redis-py 8 with protocol=2';

function asksForResp3(command: Command): boolean {
  return command.name === 'HELLO' && command.argc > 1 && command.text(1, 8) === '3';
}

/** The reason of a refusal in a sentence, where the error's own text does not say it; null where it does. */
export function refusalBecause(
  code: RefusalCode,
  command: Command,
  config: MeshConfig,
): string | null {
  const level = (minor: number): string => `Envoy 1.${minor}`;
  switch (code) {
    case 'unknown-command': {
      const since = command.spec?.mesh ? command.spec.since : null;
      return since === null
        ? `${level(config.envoy)} does not know ${printable(command.name)}, nor does any other; --open forwards it`
        : `${level(config.envoy)} does not know ${command.name} yet: it came with ${level(since)}${asksForResp3(command) ? `; ${TO_RESP2}` : ''}`;
    }
    case 'no-route':
      return 'no prefix route matches the key, and there is no catch-all route';
    case 'no-host':
      return 'the upstream has no server for this: see the topology';
    case 'noproto':
      return config.settings.protocolVersion === 3
        ? 'the listener speaks RESP3: a client says HELLO 3 first'
        : asksForResp3(command)
          ? `the listener speaks RESP2: ${TO_RESP2}; --open accepts HELLO 3`
          : 'the listener speaks RESP2; --open accepts HELLO 3';
    default:
      return null;
  }
}

function commandLine(reason: Reason, command: Command): ExplainLine | null {
  switch (reason.stage) {
    case 'admit':
      return reason.code === 'opened'
        ? {
            stage: 'admit',
            text: `the mesh would refuse this (${reason.refusal}); --open forwards it`,
          }
        : null;
    case 'split':
      if (reason.code === 'per-key') {
        return {
          stage: 'split',
          text: `${reason.parts} requests, one for each ${command.name === 'MSET' ? 'pair' : 'key'}`,
        };
      }
      return {
        stage: 'split',
        text: `${reason.parts} requests, one to each ${reason.code === 'all-shards' ? 'shard' : 'node'}`,
      };
    case 'fault':
      return { stage: 'fault', text: drawText(reason) };
    default:
      return null;
  }
}

function drawText(reason: Extract<Reason, { stage: 'fault' }>): string {
  if (reason.code === 'mesh') {
    const share = `drew ${reason.roll} of 100`;
    return reason.hit === null
      ? `${share}: none of the mesh's faults`
      : `${share}: the mesh's ${reason.hit}`;
  }
  const { id, roll, percent, isHit } = reason;
  return `${id}: drew ${roll / RULE_DRAWS_PER_PERCENT} of 100, ${isHit ? 'below' : 'not below'} ${percent}`;
}
