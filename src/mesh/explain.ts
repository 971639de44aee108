/** Decision → lines of text: for `rmtop explain`, the screen's Decision tab and failing tests alike. */
import type { Command } from '../commands/command.js';
import { refusalText } from './answers.js';
import type { MeshConfig } from './config.js';
import type { Decision, Part, Reason, RefusalCode } from './decision.js';
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
      if (reason.stage !== 'admit') lines.push(partLine(reason, command, topology, config));
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
  return lines;
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
    default:
      return null;
  }
}

function partLines(
  part: Part,
  of: number,
  command: Command,
  topology: Topology,
  config: MeshConfig,
): ExplainLine[] {
  const lines = part.why.map((reason) => partLine(reason, command, topology, config));
  if (of > 1) {
    const words = (part.args === 'all' ? [] : part.args.slice(0, 1)).map((at) =>
      quoted(command.arg(at)),
    );
    lines.unshift({ stage: 'part', text: [part.name ?? command.nameAsSent, ...words].join(' ') });
  }
  lines.push({ stage: 'node', text: nodeText(part, topology) });
  return lines;
}

function nodeText(part: Part, topology: Topology): string {
  if (part.to === null) return 'none: no upstream host';
  const alias = aliasOf(topology, part.to.upstream, part.to.address);
  const own = part.via === 'shared' ? '' : ', on a connection of the client’s own';
  return `${alias === part.to.address ? alias : `${alias} ${part.to.address}`} (${part.to.role})${own}`;
}

function partLine(
  reason: Reason,
  command: Command,
  topology: Topology,
  config: MeshConfig,
): ExplainLine {
  const { stage } = reason;
  switch (reason.stage) {
    case 'route':
      if (reason.code === 'none')
        return { stage, text: 'no prefix matches and there is no catch-all' };
      if (reason.code === 'prefix')
        return { stage, text: `prefix "${printable(reason.prefix)}" > ${reason.upstream}` };
      return { stage, text: catchAllText(reason.upstream, config) };
    case 'place':
      return { stage, text: placeText(reason, command, topology, config) };
    case 'choose':
      return { stage, text: chooseText(reason, command) };
    default:
      return { stage, text: reason.code };
  }
}

function catchAllText(upstream: string, config: MeshConfig): string {
  const prefixes = config.routes
    .filter((route) => route.prefix !== null)
    .map((route) => `"${printable(route.prefix ?? '')}"`);
  return prefixes.length === 0
    ? `catch-all > ${upstream}`
    : `catch-all (not ${prefixes.join(' ')}) > ${upstream}`;
}

function placeText(
  reason: Extract<Reason, { stage: 'place' }>,
  command: Command,
  topology: Topology,
  config: MeshConfig,
): string {
  switch (reason.code) {
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
      return `slot ${reason.slot} = crc16(${quoted(keyAt(command, reason.key))}) mod 16384, no {tag}${ownerText(reason.slot, topology, config)}`;
    case 'hash-tag': {
      const tag = keyAt(command, reason.key).subarray(reason.from, reason.to);
      return `slot ${reason.slot} = crc16(${quoted(tag)}) mod 16384, the {tag} of ${quoted(keyAt(command, reason.key))}${ownerText(reason.slot, topology, config)}`;
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
function printable(text: string): string {
  return text.replace(
    /[^\x20-\x7e]/g,
    (char) => `\\x${(char.charCodeAt(0) & 0xff).toString(16).padStart(2, '0')}`,
  );
}

function quoted(bytes: Buffer): string {
  const text = bytes.toString('latin1', 0, 200).replace(/[\\"]/g, (char) => `\\${char}`);
  return `"${printable(text.length > 120 ? `${text.slice(0, 117)}...` : text)}"`;
}
