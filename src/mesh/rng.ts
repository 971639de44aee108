/** Chance, as an argument: what was drawn is kept in the Decision, so that it can be made again. */

import type { Command } from '../commands/command.js';
import type { FaultRule } from './config.js';
import type { Part } from './decision.js';

/** What is not in the command, the topology or the configuration. A plain generator gives `below` only. */
export type Rng = {
  /** A whole number, 0 … n-1. */
  below(n: number): number;
  /** Which of `addresses` a balancer that has a memory takes next: its index. Without one it is drawn. */
  balance?(
    policy: 'ROUND_ROBIN' | 'LEAST_REQUEST',
    upstream: string,
    addresses: readonly string[],
  ): number;
  /**
   * What a fault rule draws for a command that was decided to go to `parts`: 0 … 99999, or -1 where the command is out of its scope.
   * The generator knows the client and the scope, which is a filter; without that every command is in scope.
   */
  rule?(rule: FaultRule, command: Command, parts: readonly Part[]): number;
  /** False where none of `rules` would draw for `command`, as far as its name and keys tell: then they need not be asked one by one. */
  concerns?(rules: readonly FaultRule[], command: Command): boolean;
};

/** A rule hits when what it draws is below its percentage times this. */
export const RULE_DRAWS_PER_PERCENT = 1000;

/** A generator with a 32-bit seed (mulberry32); the same seed gives the same draws. */
export function seededRng(seed: number): Rng {
  // Signed, for V8 keeps that as it is; an unsigned one of 32 bits would be an object a draw.
  let state = seed | 0;
  return {
    below(n) {
      state = (state + 0x6d2b79f5) | 0;
      let t = state;
      t = Math.imul(t ^ (t >>> 15), t | 1);
      t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
      return ((((t ^ (t >>> 14)) >>> 0) * n) / 4294967296) >>> 0;
    },
  };
}

/** Gives the draws of a recorded decision again, in order; 0 when there are no more. */
export function replayRng(draws: readonly number[]): Rng {
  let next = 0;
  return {
    below: (n) => Math.min(draws[next++] ?? 0, n - 1),
    rule: () => draws[next++] ?? -1,
  };
}

/** Draws from another generator and keeps what it drew. */
export class RecordingRng implements Required<Rng> {
  draws: number[] | null = null;
  /** Rules out of whose scope the command was: nothing need be kept of them unless another draw follows. */
  private skipped = 0;
  private readonly source: Rng;

  constructor(source: Rng) {
    this.source = source;
  }

  below(n: number): number {
    return this.keep(this.source.below(n));
  }

  balance(
    policy: 'ROUND_ROBIN' | 'LEAST_REQUEST',
    upstream: string,
    addresses: readonly string[],
  ): number {
    const { source } = this;
    return this.keep(
      source.balance?.(policy, upstream, addresses) ?? source.below(addresses.length),
    );
  }

  rule(rule: FaultRule, command: Command, parts: readonly Part[]): number {
    const { source } = this;
    const drawn = source.rule?.(rule, command, parts) ?? source.below(100 * RULE_DRAWS_PER_PERCENT);
    if (drawn >= 0) return this.keep(drawn);
    this.skipped++;
    return drawn;
  }

  concerns(rules: readonly FaultRule[], command: Command): boolean {
    return this.source.concerns?.(rules, command) ?? true;
  }

  private keep(drawn: number): number {
    for (; this.skipped > 0; this.skipped--) this.add(-1);
    return this.add(drawn);
  }

  private add(drawn: number): number {
    const { draws } = this;
    // Most commands draw once or twice: `push` would make room for 17 more.
    if (draws === null) this.draws = [drawn];
    else if (draws.length === 1) this.draws = [draws[0] as number, drawn];
    else draws.push(drawn);
    return drawn;
  }
}
