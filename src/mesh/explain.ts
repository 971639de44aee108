/** Decision → lines of text: for `rmtop explain`, the screen's Decision tab and failing tests alike. */
import type { Command } from '../commands/command.js';
import { refusalText } from './answers.js';
import type { MeshConfig } from './config.js';
import {
  type Decision,
  type FaultPlan,
  isStopped,
  type Part,
  type Reason,
  type RefusalCode,
} from './decision.js';
import { toBigInt } from './hash.js';
import { RULE_DRAWS_PER_PERCENT } from './rng.js';
import { aliasOf, type Placement, type Topology } from './topology.js';

/** One stage's line: what it is about, and what came of it. `dim` marks an alternative that was not taken. */
export type ExplainLine = { readonly stage: string; readonly text: string; readonly dim?: true };

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
  if (action.kind === 'answer') {
    lines.push({
      stage: 'answer',
      text: `rmtop answers ${command.name} itself, as Envoy does; no server is asked`,
    });
  } else if (action.kind === 'refuse') {
    for (const reason of decision.why)
      if (reason.stage !== 'admit' && reason.stage !== 'fault')
        lines.push(partLine(reason, command, topology, config, null));
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
        : `${level(config.envoy)} does not know ${command.name} yet: it came with ${level(since)}`;
    }
    case 'no-route':
      return 'no prefix route matches the key, and there is no catch-all route';
    case 'no-host':
      return 'the upstream has no server for this: see the topology';
    case 'noproto':
      return config.settings.protocolVersion === 3
        ? 'the listener speaks RESP3: a client says HELLO 3 first'
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

function partLines(
  part: Part,
  of: number,
  command: Command,
  topology: Topology,
  config: MeshConfig,
): ExplainLine[] {
  const rewritten = part.why.find((reason) => reason.code === 'rewritten');
  const sent = rewritten?.code === 'rewritten' ? rewritten.key : null;
  const lines = part.why
    .filter((reason) => reason.stage !== 'mirror')
    .map((reason) => partLine(reason, command, topology, config, sent));
  if (of > 1) {
    const words = (part.args === 'all' ? [] : part.args.slice(0, 1)).map((at) =>
      quoted(command.arg(at)),
    );
    lines.unshift({ stage: 'part', text: [part.name ?? command.nameAsSent, ...words].join(' ') });
  }
  lines.push({ stage: 'node', text: nodeText(part, topology) });
  let copies = 0;
  for (const reason of part.why) {
    if (reason.stage !== 'mirror') continue;
    const to = reason.code === 'copied' ? part.mirrors[copies++] : undefined;
    lines.push({
      stage: 'mirror',
      text: mirrorText(
        reason,
        to === undefined ? null : aliasOf(topology, to.upstream, to.address),
      ),
    });
  }
  return lines;
}

function nodeText(part: Part, topology: Topology): string {
  if (part.to === null) return 'none: no upstream host';
  const alias = aliasOf(topology, part.to.upstream, part.to.address);
  const own = part.via === 'shared' ? '' : ', on a connection of the client’s own';
  return `${alias === part.to.address ? alias : `${alias} ${part.to.address}`} (${part.to.role})${own}`;
}

function mirrorText(reason: Extract<Reason, { stage: 'mirror' }>, alias: string | null): string {
  const { upstream, roll, numerator, of } = reason;
  const drawn = roll === -1 ? '' : ` (drew ${roll} of ${of}, share ${numerator})`;
  switch (reason.code) {
    case 'copied':
      return `${upstream}: a copy to ${alias}${drawn}`;
    case 'reads-excluded':
      return `${upstream}: no copy, reads are excluded`;
    case 'not-drawn':
      return `${upstream}: no copy${drawn}`;
    case 'no-host':
      return `${upstream}: no copy, it has no server`;
  }
}

/** `sent` is the key as the route rewrote it; null where it did not. */
function partLine(
  reason: Reason,
  command: Command,
  topology: Topology,
  config: MeshConfig,
  sent: Buffer | null,
): ExplainLine {
  const { stage } = reason;
  switch (reason.stage) {
    case 'route':
      return { stage, text: routeText(reason, config) };
    case 'place':
      return { stage, text: placeText(reason, command, topology, config, sent) };
    case 'choose':
      return { stage, text: chooseText(reason, command) };
    default:
      return { stage, text: reason.code };
  }
}

function routeText(reason: Extract<Reason, { stage: 'route' }>, config: MeshConfig): string {
  if (reason.code === 'none') return 'no prefix matches and there is no catch-all';
  if (reason.code === 'rewritten') return `the key is sent as ${quoted(reason.key)}`;
  const reads = reason.isRead ? ', where its reads go' : '';
  return reason.code === 'prefix'
    ? `prefix "${printable(reason.prefix)}"${notText(config, reason.prefix)} > ${reason.upstream}${reads}`
    : `catch-all${notText(config, null)} > ${reason.upstream}${reads}`;
}

/** The prefixes that were tried before `found` and did not match; none are said where there are none. */
function notText({ routes }: MeshConfig, found: string | null): string {
  const tried = routes
    .map((route) => route.prefix)
    .filter((prefix) => prefix !== null && (found === null || prefix.length > found.length));
  return tried.length === 0
    ? ''
    : ` (not ${tried.map((prefix) => `"${printable(prefix ?? '')}"`).join(' ')})`;
}

function placeText(
  reason: Extract<Reason, { stage: 'place' }>,
  command: Command,
  topology: Topology,
  config: MeshConfig,
  sent: Buffer | null,
): string {
  switch (reason.code) {
    case 'maglev':
    case 'ring': {
      const key = sent ?? keyAt(command, reason.key);
      const hashed = reason.to === -1 ? key : key.subarray(reason.from, reason.to);
      const tag = reason.to === -1 ? '' : `, the {tag} of ${quoted(key)}`;
      const how =
        reason.code === 'maglev'
          ? `MAGLEV entry ${reason.entry} of ${reason.of}`
          : `RING_HASH entry ${reason.entry} of ${reason.of}`;
      return `${how} = murmur(${quoted(hashed)}) ${toBigInt(reason)}${tag}`;
    }
    case 'turn':
      return `${reason.policy} over ${reason.of} hosts: the key plays no part`;
    case 'single':
      return 'one server, no slots';
    case 'no-servers':
      return 'the upstream has no servers yet';
    case 'shard':
      return `shard ${reason.shard} of ${reason.of}`;
    case 'random-shard':
      return `shard ${reason.shard}, drawn at random of ${reason.of}`;
    case 'uncovered':
      return `slot ${reason.slot} has no owner: Envoy takes shard 0`;
    case 'slot':
      return `slot ${reason.slot} = crc16(${quoted(sent ?? keyAt(command, reason.key))}) mod 16384, no {tag}${ownerText(reason.slot, topology, config)}`;
    case 'hash-tag': {
      const key = sent ?? keyAt(command, reason.key);
      const tag = key.subarray(reason.from, reason.to);
      return `slot ${reason.slot} = crc16(${quoted(tag)}) mod 16384, the {tag} of ${quoted(key)}${ownerText(reason.slot, topology, config)}`;
    }
  }
}

/** Position 0 stands for the key that the transaction has stored. */
function keyAt(command: Command, at: number): Buffer {
  return at === 0 ? (command.session.transactionKey ?? command.arg(0)) : command.arg(at);
}

function ownerText(slot: number, topology: Topology, config: MeshConfig): string {
  for (const name of Object.keys(config.upstreams)) {
    const placement = topology.upstreams[name];
    const range = placement && rangeOf(slot, placement);
    if (range) return `, owner ${range}`;
  }
  return '';
}

function rangeOf(slot: number, placement: Placement): string | null {
  for (const [i, shard] of placement.shards.entries()) {
    const range = shard.ranges.find(([start, end]) => start <= slot && slot <= end);
    if (range) return `s${i} ${range[0]}-${range[1]}`;
  }
  return null;
}

function chooseText(reason: Extract<Reason, { stage: 'choose' }>, command: Command): string {
  switch (reason.code) {
    case 'write':
      if (command.spec?.envoyWrite) return 'a write by Envoy’s list, so the primary';
      return command.session.multi
        ? 'a transaction, so the primary, whatever the policy'
        : 'not a read, so the primary';
    case 'primary':
      return 'a read under MASTER, so the primary';
    case 'pinned':
      return 'the server this client’s own connection is to';
    case 'node':
      return 'every node is asked';
    case 'policy':
      return `a read under ${reason.policy}: one of ${reason.of} (${reason.healthy} healthy)`;
    case 'fallback':
      return `a read under ${reason.policy}, which found nobody healthy: one of ${reason.of} (${reason.healthy} healthy) instead`;
    case 'random':
      return `a read under ${reason.policy}: drawn at random of ${reason.healthy === 0 ? reason.of : reason.healthy}`;
    case 'nobody':
      return `a read under ${reason.policy}, but the shard has no replica`;
  }
}

/** Text in which nothing can act on a terminal: control bytes, and all that is not ASCII, as `\xHH`. */
export function printable(text: string): string {
  return text.replace(
    /[^\x20-\x7e]/g,
    (char) => `\\x${(char.charCodeAt(0) & 0xff).toString(16).padStart(2, '0')}`,
  );
}

function quoted(bytes: Buffer): string {
  const text = bytes.toString('latin1', 0, 200).replace(/[\\"]/g, (char) => `\\${char}`);
  return `"${printable(text.length > 120 ? `${text.slice(0, 117)}...` : text)}"`;
}
