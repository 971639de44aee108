/** Carries out the fault of a Decision: what happens before a command is sent, and what becomes of its reply. */
import { Command } from '../commands/command.js';
import type { FaultPlan } from '../mesh/decision.js';
import { encodeError } from '../resp/encode.js';
import { REQUEST, RequestParser } from '../resp/request.js';
import type { Exchange } from './exchange.js';
import { HOLD } from './hold.js';

/** The command of `exchange`, read again from its bytes: the client's own has gone on. */
export function reread(exchange: Exchange): Command {
  const parser = new RequestParser();
  parser.push(exchange.frame.subarray(exchange.start, exchange.end));
  if (parser.next() !== REQUEST) return Command.of([], exchange.session);
  const command = new Command();
  command.load(parser, exchange.session);
  return command;
}

/** Commands that a fault keeps for as long as its rule is on. */
export class Hung {
  private readonly byRule = new Map<string, Set<() => void>>();

  add(rule: string, goOn: () => void): void {
    const waiting = this.byRule.get(rule) ?? new Set();
    this.byRule.set(rule, waiting);
    waiting.add(goOn);
  }

  /** Lets those go on whose rule is not on any more. */
  release(isOn: (rule: string) => boolean): void {
    for (const [rule, waiting] of [...this.byRule]) {
      if (isOn(rule)) continue;
      this.byRule.delete(rule);
      for (const goOn of waiting) goOn();
    }
  }
}

/** Starts the fault of `exchange`; `goOn` carries the command out. True: it will be called later, or never. */
export function faultRequest(exchange: Exchange, goOn: (command: Command) => void): boolean {
  const { fault } = exchange.decision;
  if (fault === null) return false;
  exchange.core.stats.fault(fault.id).hits++;
  const { action, error, ms } = fault;
  const later = (): void => goOn(reread(exchange));
  switch (action.kind) {
    case 'error':
      if (action.at === 'reply') return false;
      after(exchange, ms ?? 0, () => answerError(exchange, error));
      return true;
    case 'moved':
    case 'ask':
      answerError(exchange, error);
      return true;
    case 'down':
      exchange.cause = { code: 'fault', address: exchange.decidedAddress, detail: fault.id };
      answerError(exchange, error);
      return true;
    case 'close':
      if (action.afterBytes !== null) return false;
      whenFirst(exchange, () => exchange.client.cut(`fault ${fault.id}`, action.reset));
      return true;
    case 'delay':
      if (action.at === 'reply') return false;
      holdBack(exchange, ms ?? 0, later);
      return true;
    case 'hang':
      if (ms !== null) holdBack(exchange, ms, later);
      else exchange.core.hung.add(fault.id, () => !exchange.client.closed && later());
      return true;
    case 'drip':
      return false;
  }
}

/** Whether the reply of `exchange`, `from[start..end)`, is dealt with here instead of being written at once. */
export function faultReply(exchange: Exchange, from: Buffer, start: number, end: number): boolean {
  const { fault } = exchange.decision;
  if (fault === null || exchange.faultDone || !changesReply(fault)) return false;
  exchange.faultDone = true;
  const { replies } = exchange.client;
  const { action, error, ms } = fault;
  const bytes = Buffer.from(from.subarray(start, end));
  switch (action.kind) {
    case 'delay':
      after(exchange, ms ?? 0, () => replies.deliver(exchange, bytes, 0, bytes.length));
      return true;
    case 'error':
      after(exchange, ms ?? 0, () => answerError(exchange, error));
      return true;
    case 'close':
      whenFirst(exchange, () => {
        replies.part(bytes.subarray(0, action.afterBytes ?? 0));
        exchange.client.cut(`fault ${fault.id}`, action.reset);
      });
      return true;
    case 'drip':
      whenFirst(exchange, () => drip(exchange, bytes, 0, action.bytes, action.pauseMs));
      return true;
    default:
      return false;
  }
}

function changesReply({ action }: FaultPlan): boolean {
  switch (action.kind) {
    case 'delay':
    case 'error':
      return action.at === 'reply';
    case 'close':
      return action.afterBytes !== null;
    default:
      return action.kind === 'drip';
  }
}

function answerError(exchange: Exchange, error: string | null): void {
  const reply = encodeError(error ?? 'upstream failure');
  exchange.faultDone = true;
  exchange.client.replies.deliver(exchange, reply, 0, reply.length);
}

/** Later commands of the client wait as well: they must not overtake this one on its way to the server. */
function holdBack(exchange: Exchange, ms: number, then: () => void): void {
  const { client } = exchange;
  client.hold(HOLD.fault);
  after(exchange, ms, () => {
    then();
    client.release(HOLD.fault);
  });
}

function after(exchange: Exchange, ms: number, then: () => void): void {
  if (ms === 0) then();
  else
    setTimeout(() => {
      if (!exchange.client.closed) then();
    }, ms);
}

/** When all earlier replies are out. */
function whenFirst(exchange: Exchange, then: () => void): void {
  if (exchange.client.replies.head === exchange) then();
  else exchange.startAlone = then;
}

function drip(exchange: Exchange, bytes: Buffer, at: number, size: number, pauseMs: number): void {
  const { replies } = exchange.client;
  const end = at + size;
  if (end >= bytes.length) {
    replies.lastPart(exchange, bytes, at);
    return;
  }
  replies.part(bytes.subarray(at, end));
  after(exchange, Math.max(1, pauseMs), () => drip(exchange, bytes, end, size, pauseMs));
}
