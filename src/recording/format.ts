/** A finished command → its line, format 1 (recording page, section 4). `encoder.ts` writes the common ones faster, and the same. */
import { type KeptArgument, readCut } from '../events/condense.js';
import type { Attempt, CommandEvent } from '../events/event.js';
import type { StreamContext } from '../events/reader.js';
import { whyOf } from '../events/why.js';
import {
  type Decision,
  isOpened,
  isStopped,
  type Part,
  partsOf,
  type RefusalCode,
} from '../mesh/decision.js';
import { aliasOf, type Topology } from '../mesh/topology.js';
import { decodeReply } from '../resp/value.js';
import { seconds } from './others.js';
import {
  argumentToJson,
  bytesToJson,
  type Json,
  type JsonObject,
  replyBytesToJson,
} from './values.js';

/** The line of a finished command. */
export function commandToJson(event: CommandEvent, context: StreamContext): JsonObject {
  const { decision, outcome, burst } = event;
  const topology = context.topology(decision.topologyVersion);
  const parts = partsOf(decision);
  const keys = event.command.keys;
  const slots = [...new Set(parts.map((part) => part.to?.slot ?? -1).filter((slot) => slot >= 0))];
  const isKnown = keys.length === 0 || (keys.length === 1 && keys[0] === 1);
  return {
    k: 'cmd',
    n: event.seq,
    t: seconds(event.atUs),
    d: seconds(event.durationUs),
    c: event.connection,
    ...(burst.size > 1 ? { q: [burst.first, event.seq - burst.first, burst.size] } : {}),
    a: event.args.map(argumentToJson),
    ...requestSize(event),
    ...(isKnown ? {} : { ks: keys }),
    ...(slots.length === 0 ? {} : { s: slots.length === 1 ? (slots[0] as number) : slots }),
    ...routeToJson(parts),
    ...(decision.action.kind === 'refuse' ? { rf: refusalName(decision.action.error) } : {}),
    ...mirrorsToJson(parts),
    ...(decision.draws.length > 0 ? { dr: decision.draws } : {}),
    ...versionsToJson(decision, context),
    u: nodesToJson(event, parts, topology),
    ...placeToJson(decision, event, parts),
    ...hopsToJson(event.attempts, topology, parts),
    ...attemptsToJson(event, parts),
    ...faultsToJson(decision),
    ...(parts.length > 0
      ? {
          tm: [
            event.queueUs,
            event.upstreamUs,
            Math.max(0, event.durationUs - event.queueUs - event.upstreamUs),
          ],
        }
      : {}),
    ...sessionToJson(event),
    ...letters(event, decision),
    ...replyPart(event),
    ...(outcome.kind === 'reply' && outcome.cause !== null ? { cause: { ...outcome.cause } } : {}),
    ...(outcome.kind === 'client-closed'
      ? { e: 'client_closed' }
      : outcome.kind === 'shutdown'
        ? { e: 'shutdown' }
        : {}),
  };
}

/** Bytes of the request on the wire, where they are not those of an array of its arguments; never the length of a secret. */
function requestSize({ request, args }: CommandEvent): { qs?: number } {
  if (args.some((arg) => arg.kind === 'redacted')) return {};
  return request.total === encodedSize(args) ? {} : { qs: request.total };
}

/** Bytes of a request as an array of bulk strings. */
export function encodedSize(args: readonly KeptArgument[]): number {
  let size = 3 + digits(args.length);
  for (const arg of args) {
    const length = arg.kind === 'cut' ? arg.total : arg.bytes.length;
    size += 5 + digits(length) + length;
  }
  return size;
}

function digits(n: number): number {
  let count = 1;
  for (; n >= 10; n = Math.trunc(n / 10)) count++;
  return count;
}

function routeToJson(parts: readonly Part[]): { rt?: string } {
  const route = parts[0]?.route;
  return route === undefined || route === null ? {} : { rt: route.prefix ?? '*' };
}

const REFUSALS: Partial<Record<RefusalCode, string>> = {
  'unknown-command': 'unsupported',
  'no-route': 'noroute',
  'no-host': 'nohost',
  'wrong-arity': 'arity',
  'err-wrong-arity': 'arity',
};

function refusalName(code: RefusalCode): string {
  return REFUSALS[code] ?? code;
}

/** The versions a decision was made with, where they are not the newest before this line. */
function versionsToJson(decision: Decision, context: StreamContext): { ev?: readonly number[] } {
  const { topology, config } = context.latest;
  const isLatest =
    topology?.version === decision.topologyVersion && config?.version === decision.configVersion;
  return isLatest ? {} : { ev: [decision.topologyVersion, decision.configVersion] };
}

function alias(topology: Topology | undefined, upstream: string, address: string): string {
  return topology === undefined ? address : aliasOf(topology, upstream, address);
}

function nodesToJson(
  event: CommandEvent,
  parts: readonly Part[],
  topology: Topology | undefined,
): Json {
  const [only] = parts;
  if (only === undefined || isStopped(event.decision)) return '-';
  if (parts.length === 1) {
    const address = event.attempts.at(-1)?.address ?? only.to?.address;
    return address === undefined ? '-' : alias(topology, only.to?.upstream ?? '', address);
  }
  return parts.map((part, i) => {
    const attempt = event.attempts.findLast((each) => each.part === i);
    const address = attempt?.address ?? part.to?.address;
    return {
      u: address === undefined ? '-' : alias(topology, part.to?.upstream ?? '', address),
      ks: part.args === 'all' ? [] : part.args.filter((at) => event.command.keys.includes(at)),
      d: attempt === undefined ? 0 : durationOf(attempt),
    };
  });
}

function durationOf({ sentUs, doneUs }: Attempt): number {
  return sentUs < 0 || doneUs < 0 ? 0 : seconds(doneUs - sentUs);
}

function placeToJson(
  decision: Decision,
  event: CommandEvent,
  parts: readonly Part[],
): { p?: Json } {
  const [first] = parts;
  if (first === undefined) return {};
  const why = whyOf(decision, event.attempts);
  const choose = first.why.find((reason) => reason.stage === 'choose');
  const policy = choose !== undefined && 'policy' in choose ? choose.policy : null;
  const role = first.to?.role === 'replica' ? 'R' : 'P';
  return { p: policy === null ? [why, role] : [why, role, policy] };
}

function hopsToJson(
  attempts: readonly Attempt[],
  topology: Topology | undefined,
  parts: readonly Part[],
): { hp?: Json } {
  const hops = attempts.flatMap((attempt, i) => {
    const from = attempts[i - 1];
    if (attempt.kind === 'decided' || from === undefined) return [];
    const { slot, upstream } = parts[attempt.part]?.to ?? { slot: -1, upstream: '' };
    return [
      [
        attempt.kind,
        slot,
        alias(topology, upstream, from.address),
        alias(topology, upstream, attempt.address),
      ],
    ];
  });
  return hops.length === 0 ? {} : { hp: hops };
}

/** The mirrors that got a copy: so that one left out by its share and one that was lost can be told apart. */
function mirrorsToJson(parts: readonly Part[]): { m?: Json } {
  const chosen = new Set(parts.flatMap((part) => part.mirrors.map((hop) => hop.upstream)));
  return chosen.size === 0 ? {} : { m: [...chosen] };
}

/** The fault that hit, and the draws of rules that did not, as shares of 1. */
function faultsToJson({ fault, why }: Decision): { f?: Json; fr?: Json } {
  const missed = why.flatMap((reason) =>
    reason.stage === 'fault' && reason.code === 'rule' && !reason.isHit
      ? [[reason.id, reason.roll / 100_000] as const]
      : [],
  );
  const hit = fault && {
    id: fault.id,
    kind: fault.action.kind,
    roll: fault.of === 0 ? 0 : fault.roll / fault.of,
    ...(fault.ms === null ? {} : { ms: fault.ms }),
  };
  return {
    ...(hit === null ? {} : { f: [hit] }),
    ...(missed.length === 0 ? {} : { fr: Object.fromEntries(missed) }),
  };
}

/** The attempts that a line's other fields imply: one, to the server decided, in the time of `tm`. */
export function impliedAttempts(
  decision: Decision,
  queueUs: number,
  upstreamUs: number,
): readonly Attempt[] {
  const [only] = partsOf(decision);
  if (only === undefined || only.to === null) return [];
  const { address } = only.to;
  return [{ part: 0, address, kind: 'decided', sentUs: queueUs, doneUs: queueUs + upstreamUs }];
}

/** All attempts with their times, where they are not those implied. */
function attemptsToJson(event: CommandEvent, parts: readonly Part[]): { at?: Json } {
  const { attempts, decision, queueUs, upstreamUs } = event;
  if (parts.length === 0 && attempts.length === 0) return {};
  const implied = impliedAttempts(decision, queueUs, upstreamUs);
  const isImplied =
    attempts.length === implied.length &&
    attempts.every((attempt, i) => {
      const { part, address, kind, sentUs, doneUs } = implied[i] as Attempt;
      return (
        attempt.part === part &&
        attempt.address === address &&
        attempt.kind === kind &&
        attempt.sentUs === sentUs &&
        attempt.doneUs === doneUs
      );
    });
  if (isImplied) return {};
  return {
    at: attempts.map(({ part, address, kind, sentUs, doneUs }) => [
      part,
      address,
      kind,
      sentUs,
      doneUs,
    ]),
  };
}

/** What the decision saw of the client's session, where it is not that of a new RESP2 client. */
function sessionToJson({ command }: CommandEvent): { ss?: Json } {
  const { authenticated, resp, subscribed, transactionKey, pinned, home } = command.session;
  const state = {
    ...(authenticated ? {} : { auth: false }),
    ...(resp === 3 ? { resp } : {}),
    ...(subscribed ? { sub: true } : {}),
    ...(transactionKey === null ? {} : { tk: bytesToJson(transactionKey) }),
    ...(pinned === null ? {} : { pin: pinned }),
    ...(home === null ? {} : { home }),
  };
  return Object.keys(state).length === 0 ? {} : { ss: state };
}

function letters(event: CommandEvent, decision: Decision): { x?: string } {
  const flags = [
    event.command.session.multi ? 'T' : '',
    decision.action.kind === 'forward' && !isStopped(decision) ? '' : 'L',
    event.command.spec?.envoyWrite ? 'W' : '',
    isOpened(decision) ? 'O' : '',
  ].join('');
  return flags === '' ? {} : { x: flags };
}

/** The reply, or only its size where it was not kept. */
function replyPart(event: CommandEvent): { r?: Json; rs?: number } {
  const { bytes, total, condensed } = event.reply;
  const reply = bytes.length === 0 ? null : decodeReply(bytes);
  if (reply === null) return total > 0 ? { rs: total } : {};
  if (!condensed) return { r: replyBytesToJson(bytes) };
  const content = reply.type === '=' ? reply.value : Buffer.alloc(0);
  const cut = readCut(content);
  if (cut !== null) return { r: argumentToJson(cut), rs: total };
  const rule = content.toString().replace(/^red:/, '');
  return rule === 'size' ? { rs: total } : { r: { red: rule }, rs: total };
}
