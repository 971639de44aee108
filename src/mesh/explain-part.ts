/** The lines of `explain` about one part of a command: route, place, choice, node and mirrors. */
import type { Command } from '../commands/command.js';
import type { MeshConfig, ReadPolicy } from './config.js';
import type { Hop, Part, Reason } from './decision.js';
import { toBigInt } from './hash.js';
import { printable, quoted } from './printable.js';
import { aliasOf, type Placement, type Topology } from './topology.js';

/** One stage's line: what it is about, and what came of it. `dim` marks an alternative that was not taken. */
export type ExplainLine = { readonly stage: string; readonly text: string; readonly dim?: true };

/** Where a part of a command goes, and why; what was decided before the parts is said elsewhere. */
export function partLines(
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
    .map((reason) => partLine(reason, command, part, topology, sent, config));
  if (of > 1) {
    const words = (part.args === 'all' ? [] : part.args.slice(0, 1)).map((at) =>
      quoted(command.arg(at)),
    );
    lines.unshift({ stage: 'part', text: [part.name ?? command.nameAsSent, ...words].join(' ') });
  }
  lines.push({ stage: 'node', text: nodeText(part, topology) });
  if (isStrayWrite(command, part)) {
    const then = config.settings.enableRedirection
      ? 'which redirection follows'
      : 'which enable_redirection would follow';
    lines.push({
      stage: 'trap',
      text: `${command.name} is not in Envoy’s list of writes, and the replica will answer MOVED, ${then}; under MASTER it goes to the primary`,
    });
  }
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

/** Whether the part is of a command that writes, as Redis has it, and goes to a replica: Envoy's own list of writes lacks it. */
export function isStrayWrite({ spec }: Command, { to }: Part): boolean {
  return to?.role === 'replica' && spec !== undefined && spec.writes && !spec.envoyWrite;
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

/** `sent` is the key as the route rewrote it; null where it did not. `part` is null where the command is refused. */
export function partLine(
  reason: Reason,
  command: Command,
  part: Part | null,
  topology: Topology,
  sent: Buffer | null,
  config: MeshConfig,
): ExplainLine {
  const { stage } = reason;
  const placement = topology.upstreams[part?.to?.upstream ?? ''];
  switch (reason.stage) {
    case 'route':
      return { stage, text: routeText(reason, config) };
    case 'place':
      return { stage, text: placeText(reason, command, placement, sent) };
    case 'choose':
      return { stage, text: chooseText(reason, command, topology, part?.to ?? null) };
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
  placement: Placement | undefined,
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
      return `slot ${reason.slot} = crc16(${quoted(sent ?? keyAt(command, reason.key))}) mod 16384, no {tag}${ownerText(reason.slot, placement)}`;
    case 'hash-tag': {
      const key = sent ?? keyAt(command, reason.key);
      const tag = key.subarray(reason.from, reason.to);
      return `slot ${reason.slot} = crc16(${quoted(tag)}) mod 16384, the {tag} of ${quoted(key)}${ownerText(reason.slot, placement)}`;
    }
  }
}

/** Position 0 stands for the key that the transaction has stored. */
function keyAt(command: Command, at: number): Buffer {
  return at === 0 ? (command.session.transactionKey ?? command.arg(0)) : command.arg(at);
}

function ownerText(slot: number, placement: Placement | undefined): string {
  const range = placement === undefined ? null : rangeOf(slot, placement);
  return range === null ? '' : `, owner ${range}`;
}

function rangeOf(slot: number, placement: Placement): string | null {
  for (const [i, shard] of placement.shards.entries()) {
    const range = shard.ranges.find(([start, end]) => start <= slot && slot <= end);
    if (range) return `s${i} ${range[0]}-${range[1]}`;
  }
  return null;
}

function chooseText(
  reason: Extract<Reason, { stage: 'choose' }>,
  command: Command,
  topology: Topology,
  to: Hop | null,
): string {
  if (to !== null && topology.upstreams[to.upstream]?.kind === 'hosts')
    return 'each host counts as a primary: the read policy has no say';
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
      return `a read under ${reason.policy}: ${oneOf(reason, topology, to)}`;
    case 'fallback':
      return `a read under ${reason.policy}, which found nobody healthy: ${oneOf(reason, topology, to)} instead`;
    case 'random':
      return `a read under ${reason.policy}, drawn at random: ${oneOf(reason, topology, to)}`;
    case 'nobody':
      return `a read under ${reason.policy}, but the shard has no replica`;
  }
}

/** Of more candidates than this only the number is said. */
const MOST_CANDIDATES = 8;

type Candidates = { readonly policy: ReadPolicy; readonly healthy: number; readonly of: number };

/** `one of s1.p s1.r1, unhealthy s1.r2`; how many they were where the topology is another by now. */
function oneOf(choice: Candidates, topology: Topology, to: Hop | null): string {
  const numbers = `one of ${choice.of} (${choice.healthy} healthy)`;
  const shard = to === null ? undefined : topology.upstreams[to.upstream]?.shards[to.shard];
  if (to === null || shard === undefined || choice.of > MOST_CANDIDATES) return numbers;
  const { primary, replicas } = shard;
  const among =
    choice.of > replicas.length
      ? [primary, ...replicas]
      : choice.policy === 'PREFER_MASTER'
        ? [primary]
        : replicas;
  if (among.length !== choice.of) return numbers;
  const names = (isHealthy: boolean): string =>
    among
      .filter(({ healthy }) => healthy === isHealthy)
      .map(({ address }) => aliasOf(topology, to.upstream, address))
      .join(' ');
  const [healthy, unhealthy] = [names(true), names(false)];
  const list = [healthy, unhealthy && `unhealthy ${unhealthy}`].filter(Boolean).join(', ');
  return choice.of === 1 ? `only ${list}` : `one of ${list}`;
}
