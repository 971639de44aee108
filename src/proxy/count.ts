/**
 * What of a command Envoy counts on the listener's side, and when (mesh page, 11.1): the splitter's refusals and the `total` of its
 * handler when it comes, how it ended when it has.
 *
 * Source: Envoy's command splitter. A handler's `latency` is taken where a request was on its way to a server or met a fault, not where
 * it was turned back at once.
 */
import type { Command } from '../commands/command.js';
import { commandByName } from '../commands/table.js';
import { recordUs } from '../events/histogram.js';
import type { CommandCounts } from '../events/mesh-stats.js';
import { type Decision, isOpened, type RefusalCode } from '../mesh/decision.js';
import type { Core } from './core.js';
import type { Exchange } from './exchange.js';

/** How Envoy counts a refusal: at the splitter, as an error of the command's handler, in its total only, or not at all. */
const REFUSALS: Readonly<
  Record<RefusalCode, 'invalid' | 'unsupported' | 'noproto' | 'error' | 'total' | 'nowhere'>
> = {
  'invalid-request': 'invalid',
  'unknown-command': 'unsupported',
  noproto: 'noproto',
  noauth: 'nowhere',
  'wrong-arity': 'error',
  'err-wrong-arity': 'nowhere',
  'not-in-transaction': 'total',
  'nested-multi': 'total',
  'exec-without-multi': 'total',
  'discard-without-multi': 'total',
  'cluster-scope': 'error',
  'cluster-subcommand': 'error',
  'client-subcommand': 'nowhere',
  'client-arity': 'nowhere',
  'hello-options': 'error',
  'shard-id-not-numeric': 'error',
  'shard-id-out-of-range': 'error',
  'no-route': 'error',
  'no-host': 'error',
  subscribed: 'nowhere',
  'one-server-only': 'nowhere',
  'shared-connection': 'nowhere',
};

/** Since when a refusal for want of HELLO 3 has a counter of its own; before, HELLO was a command like others. */
const NOPROTO_SINCE = 40;

/** Counts a command that has come; gives where its end is to be counted, null where nowhere. */
export function countStart(core: Core, command: Command, decision: Decision): CommandCounts | null {
  const counts = startCounts(core, command, decision);
  if (counts !== null) counts.total++;
  return counts;
}

function startCounts(core: Core, command: Command, decision: Decision): CommandCounts | null {
  const { action } = decision;
  switch (action.kind) {
    case 'forward':
      // What the mesh would have refused has no handler in it.
      return core.config.open && isOpened(decision) ? null : handlerOf(core, command);
    case 'answer':
      return action.reply === 'hello' || command.spec?.mesh === 'transaction'
        ? handlerOf(core, command)
        : null;
    case 'refuse':
      return countRefusal(core, command, action.error);
  }
}

function countRefusal(core: Core, command: Command, error: RefusalCode): CommandCounts | null {
  const { mesh } = core.stats;
  switch (REFUSALS[error]) {
    case 'invalid':
      mesh.invalidRequests++;
      return null;
    case 'unsupported':
      mesh.unsupportedCommands++;
      return null;
    case 'noproto':
      if (core.config.envoy < NOPROTO_SINCE) return handlerOf(core, command);
      mesh.noproto++;
      return null;
    case 'nowhere':
      return null;
    default:
      return firstWord(command) === 'CLIENT' ? null : handlerOf(core, command);
  }
}

/** Within a transaction all commands are MULTI's; but HELLO, which is refused there, stays HELLO. */
function handlerOf({ stats: { mesh } }: Core, command: Command): CommandCounts {
  const { spec, session } = command;
  if (session.multi && spec?.name !== 'HELLO') return mesh.command(MULTI);
  return spec === undefined
    ? mesh.customCommand(command.nameAsSent.toLowerCase())
    : mesh.command(spec);
}

function firstWord({ spec }: Command): string | undefined {
  return spec?.parent ?? spec?.name;
}

const MULTI = commandByName('MULTI') as NonNullable<ReturnType<typeof commandByName>>;

/** Counts how a command ended, its reply written at `nowUs`. */
export function countEnd(exchange: Exchange, counts: CommandCounts, nowUs: number): void {
  const { action, fault } = exchange.decision;
  if (fault !== null) {
    // An error is one from the start; of what is delayed, the reply behind it has been counted when the client leaves.
    if (!exchange.isUnanswered || exchange.faultDone || fault.action.kind === 'error')
      countFaulty(exchange, counts, nowUs);
    return;
  }
  if (exchange.isUnanswered) return; // Envoy cancels it, and counts neither
  switch (action.kind) {
    case 'forward':
      countOutcome(exchange, counts);
      recordUs(counts.latency, exchange.doneAtUs - exchange.atUs);
      return;
    case 'answer':
      if (action.reply !== 'hello') return;
      if (exchange.isError) counts.error++;
      else counts.success++;
      return;
    case 'refuse':
      if (REFUSALS[action.error] !== 'total' || exchange.spec?.name === 'HELLO') counts.error++;
  }
}

function countOutcome(exchange: Exchange, counts: CommandCounts): void {
  if (isFailure(exchange)) counts.error++;
  else counts.success++;
}

/** A server's error is a success of a command that went to one server; of one that was split it is a failure. */
function isFailure(exchange: Exchange): boolean {
  const { action } = exchange.decision;
  if (action.kind !== 'forward') return exchange.isError;
  return action.merge === 'pass'
    ? exchange.cause !== null
    : exchange.isError || exchange.hasFailedElement;
}

/** rmtop's own rules count as the fault of Envoy's that they are most like. */
function countFaulty(exchange: Exchange, counts: CommandCounts, nowUs: number): void {
  const { action, ms } = exchange.decision.fault as NonNullable<Decision['fault']>;
  if (action.kind === 'error') {
    counts.error++;
    counts.errorFault++;
  } else if (exchange.decision.action.kind === 'forward') countOutcome(exchange, counts);
  if (exchange.isUnanswered) return; // it left during the delay
  if ((action.kind === 'delay' || action.kind === 'error') && (ms ?? 0) > 0) counts.delayFault++;
  recordUs(counts.latency, nowUs - exchange.atUs);
}
