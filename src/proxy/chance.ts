/** Chance for the decisions of one client: what is drawn, whose turn it is among hosts, which fault rules concern it. */
import type { Command } from '../commands/command.js';
import type { FaultTally } from '../events/stats.js';
import { mayCover, type Scope, type ScopedClient, type Scopes } from '../filter/scopes.js';
import type { FaultRule } from '../mesh/config.js';
import type { Part } from '../mesh/decision.js';
import { type Rng, RULE_DRAWS_PER_PERCENT, seededRng } from '../mesh/rng.js';
import type { Core } from './core.js';
import type { Downstream } from './downstream.js';

/** Whose turn it is at each upstream: shared by all clients. */
export class Turns {
  private readonly next = new Map<string, number>();

  /** The index of the next of `of` hosts of `upstream`. */
  take(upstream: string, of: number): number {
    const turn = this.next.get(upstream) ?? 0;
    this.next.set(upstream, turn + 1);
    return turn % of;
  }
}

/** What a rule draws with, and what is counted of it. */
type Drawing = { readonly generator: Rng; readonly tally: FaultTally };
/** `drawing` is null until a command is in the scope. */
type Known = { readonly rule: FaultRule; readonly scope: Scope | null; drawing: Drawing | null };

/** More than rules can be on at once. */
const RULES_KNOWN = 64;

/** What fault rules draw for the commands of one client. `tallyOf` gives the tally of a rule, which all clients share. */
export class RuleDraws {
  private readonly scopes: Scopes;
  private readonly tallyOf: (id: string) => FaultTally;
  private readonly of: ScopedClient;
  /** By rule and seed: each rule has a generator for each client, so that the same traffic is hit again. */
  private readonly generators = new Map<string, Rng>();
  /** Found by the rule itself, from the first on: of the handful that there are this is faster than any table. */
  private readonly rules: Known[] = [];

  constructor(scopes: Scopes, tallyOf: (id: string) => FaultTally, of: ScopedClient) {
    this.scopes = scopes;
    this.tallyOf = tallyOf;
    this.of = of;
  }

  rule(rule: FaultRule, command: Command, parts: readonly Part[]): number {
    const known = this.find(rule);
    if (!this.scopes.covers(known.scope, command, parts, this.of)) return -1;
    known.drawing ??= { generator: this.generatorOf(rule), tally: this.tallyOf(rule.id) };
    const { generator, tally } = known.drawing;
    if (rule.max !== null && tally.hits >= rule.max) return -1;
    tally.inScope++;
    return generator.below(100 * RULE_DRAWS_PER_PERCENT);
  }

  concerns(rules: readonly FaultRule[], command: Command): boolean {
    for (const rule of rules) if (mayCover(this.find(rule).scope, command)) return true;
    return false;
  }

  private find(rule: FaultRule): Known {
    for (const known of this.rules) if (known.rule === rule) return known;
    if (this.rules.length >= RULES_KNOWN) this.rules.length = 0; // those of configurations before
    const known: Known = { rule, scope: this.scopes.scopeOf(rule), drawing: null };
    this.rules.push(known);
    return known;
  }

  private generatorOf({ id, seed }: FaultRule): Rng {
    const key = `${id} ${seed}`;
    let generator = this.generators.get(key);
    if (generator === undefined) {
      generator = seededRng(Math.imul(seed ^ (this.of.id * 0x9e3779b1), 0x85ebca6b));
      this.generators.set(key, generator);
    }
    return generator;
  }
}

/** The generator that a client's commands are decided with. */
export class Chance extends RuleDraws implements Required<Rng> {
  private readonly core: Core;

  constructor(core: Core, client: Downstream) {
    super(core.scopes, (id) => core.stats.fault(id), client);
    this.core = core;
  }

  below(n: number): number {
    return this.core.rng.below(n);
  }

  /** LEAST_REQUEST as Envoy does it: two hosts at random, the one with fewer requests in flight. */
  balance(
    policy: 'ROUND_ROBIN' | 'LEAST_REQUEST',
    upstream: string,
    addresses: readonly string[],
  ): number {
    const { core } = this;
    if (policy === 'ROUND_ROBIN') return core.turns.take(upstream, addresses.length);
    const one = core.rng.below(addresses.length);
    const other = core.rng.below(addresses.length);
    const inFlight = (index: number): number =>
      core.pool.inFlight(upstream, addresses[index] ?? '');
    return inFlight(other) < inFlight(one) ? other : one;
  }
}
