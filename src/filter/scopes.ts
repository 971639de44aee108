/** The scopes of fault rules: filters, asked of a command when it is decided. */
import type { Command } from '../commands/command.js';
import { COMMANDS } from '../commands/table.js';
import type { CompiledConfig } from '../mesh/compile.js';
import type { FaultRule } from '../mesh/config.js';
import type { Part } from '../mesh/decision.js';
import { type Rng, RULE_DRAWS_PER_PERCENT } from '../mesh/rng.js';
import type { Topology } from '../mesh/topology.js';
import type { Predicate } from './compile.js';
import { DecidedCommand } from './decided.js';
import { type ClientInfo, Facts, type World } from './facts.js';
import { parseFilter } from './filter.js';
import { parse } from './parse.js';
import { keyPrefixesOf, type Verdict, verdictOf } from './verdict.js';

/** Whose command it is that a scope is asked about; `id` is the connection's. */
export type ScopedClient = { readonly id: number; readonly info: ClientInfo };

/** What commands are decided with at the moment; the clock is the stream's. */
export type ScopeContext = {
  readonly topology: Topology;
  readonly config: CompiledConfig;
  readonly clock: { nowUs(): number };
};

/** What a scope says of a command by its name alone. */
const NOT_ASKED = 0;
const COVERED = 1;
const NOT_COVERED = 2;
/** It depends on more than the name. */
const OPEN = 3;

/** A compiled scope, and what it says of commands by their names, by `CommandSpec.id`: most are settled so. */
export type Scope = {
  readonly matches: Predicate;
  readonly verdict: Verdict;
  readonly verdicts: Uint8Array;
  /** Where the name does not settle it: prefixes that must all begin a key, if that is all there is to ask. */
  readonly keys: readonly Buffer[] | null;
};

/** All scopes of one proxy, compiled when first asked for. */
export class Scopes {
  private readonly scopes = new Map<string, Scope | null>();
  private readonly facts: Facts;
  private readonly event = new DecidedCommand();
  private client: ScopedClient | null = null;

  constructor(now: () => ScopeContext) {
    const world: World = {
      topology: () => now().topology,
      config: () => now().config,
      client: () => this.client?.info,
      slowUs: () => null,
      nowUs: () => now().clock.nowUs(),
    };
    this.facts = new Facts(world);
  }

  /** Whether a rule of this scope concerns `command` of `client`, which was decided to go to `parts`. Nobody's command is no client's. */
  covers(
    scope: Scope | null,
    command: Command,
    parts: readonly Part[],
    client: ScopedClient | null,
  ): boolean {
    const settled = settledBy(scope, command);
    if (settled !== null || scope === null) return settled ?? true;
    const { spec } = command;
    const { event } = this;
    this.client = client;
    event.connection = client?.id ?? 0;
    event.command = command;
    event.parts = parts;
    const facts = this.facts.load(event);
    // A container's row stands for subcommands that have none of their own: those differ in name.
    if (spec !== undefined && scope.verdicts[spec.id] === NOT_ASKED && !spec.container) {
      const verdict = scope.verdict(facts);
      scope.verdicts[spec.id] = verdict === null ? OPEN : verdict ? COVERED : NOT_COVERED;
      if (verdict !== null) return verdict;
    }
    return scope.matches(facts);
  }

  /** Null: everything. A scope that is none was refused when the rule was made; here it covers nothing. */
  scopeOf({ scope: text }: FaultRule): Scope | null {
    let scope = this.scopes.get(text);
    if (scope === undefined) {
      scope = text.trim() === '' ? null : compileScope(text);
      this.scopes.set(text, scope);
    }
    return scope;
  }
}

function compileScope(text: string): Scope {
  const filter = parseFilter(text, 'decision');
  const verdicts = new Uint8Array(COMMANDS.length);
  if (filter.kind !== 'filter')
    return { matches: () => false, verdict: () => false, verdicts, keys: null };
  const tree = parse(text);
  return {
    matches: filter.matches,
    verdict: verdictOf(tree),
    verdicts,
    keys: keyPrefixesOf(tree),
  };
}

/** Whether `scope` may cover `command`, as far as its name and keys tell; null covers everything. */
export function mayCover(scope: Scope | null, command: Command): boolean {
  return settledBy(scope, command) !== false;
}

/** Whether `scope` covers `command`; null where its name and keys do not tell, or it has not been asked yet. */
function settledBy(scope: Scope | null, command: Command): boolean | null {
  if (scope === null) return true;
  const { spec } = command;
  const known = spec === undefined ? NOT_ASKED : (scope.verdicts[spec.id] as number);
  if (known === COVERED) return true;
  if (known === NOT_COVERED) return false;
  return known === OPEN && scope.keys !== null ? hasKeysFrom(command, scope.keys) : null;
}

/** Without the facts: a rule for some keys is asked of every command. */
function hasKeysFrom(command: Command, prefixes: readonly Buffer[]): boolean {
  for (const prefix of prefixes) if (!command.hasKeyFrom(prefix)) return false;
  return true;
}

/** A generator for deciding without a proxy: draws from `rng`, and knows which rules concern a command, as one of no client. */
export function scopedRng(rng: Rng, topology: Topology, config: CompiledConfig): Rng {
  const scopes = new Scopes(() => ({ topology, config, clock: { nowUs: () => 0 } }));
  return {
    below: (n) => rng.below(n),
    rule: (rule, command, parts) =>
      scopes.covers(scopes.scopeOf(rule), command, parts, null)
        ? rng.below(100 * RULE_DRAWS_PER_PERCENT)
        : -1,
  };
}
