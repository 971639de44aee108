/** The scopes of fault rules: filters, asked of a command when it is decided. */
import { Command } from '../commands/command.js';
import type { KeptArgument } from '../events/condense.js';
import type { Attempt, CommandEvent, Kept, Outcome } from '../events/event.js';
import { Facts, type World } from '../filter/facts.js';
import { type Filter, parseFilter } from '../filter/filter.js';
import type { FaultRule } from '../mesh/config.js';
import type { Decision, Part } from '../mesh/decision.js';
import { EMPTY } from '../resp/bytes.js';
import type { Core } from './core.js';
import type { Downstream } from './downstream.js';

const NOTHING: readonly never[] = [];
const NO_BYTES: Kept = { bytes: EMPTY, total: 0, condensed: false };

/** A command that has been decided and not sent: as much of an event as a scope may ask about. */
class DecidedCommand implements CommandEvent {
  readonly type = 'command';
  readonly seq = 0;
  readonly atUs = 0;
  readonly durationUs = 0;
  connection = 0;
  command: Command = new Command();
  readonly attempts: readonly Attempt[] = NOTHING;
  readonly outcome: Outcome = { kind: 'reply', cause: null };
  readonly request: Kept = NO_BYTES;
  readonly reply: Kept = NO_BYTES;
  readonly queueUs = 0;
  readonly upstreamUs = 0;
  readonly burst = { first: 0, size: 1 };
  parts: readonly Part[] = NOTHING;

  get args(): readonly KeptArgument[] {
    return this.command.argv.map((bytes) => ({ kind: 'whole', bytes }));
  }

  get decision(): Decision {
    return {
      action: { kind: 'forward', parts: this.parts, merge: 'pass' },
      session: null,
      fault: null,
      why: NOTHING,
      draws: NOTHING,
      topologyVersion: 0,
      configVersion: 0,
    };
  }
}

/** All scopes of one proxy, compiled when first asked for. */
export class Scopes {
  private readonly filters = new Map<string, Filter | null>();
  private readonly facts: Facts;
  private readonly event = new DecidedCommand();
  private client: Downstream | null = null;

  /** `now` gives what commands are decided with at the moment. */
  constructor(now: () => Pick<Core, 'topology' | 'config' | 'clock'>) {
    const world: World = {
      topology: () => now().topology,
      config: () => now().config,
      client: () => this.client?.info,
      slowUs: () => null,
      nowUs: () => now().clock.nowUs(),
    };
    this.facts = new Facts(world);
  }

  /** Whether `rule` concerns `command` of `client`, which was decided to go to `parts`. */
  covers(rule: FaultRule, command: Command, parts: readonly Part[], client: Downstream): boolean {
    const filter = this.filterOf(rule.scope);
    if (filter === null) return true;
    const { event } = this;
    this.client = client;
    event.connection = client.id;
    event.command = command;
    event.parts = parts;
    return filter.matches(this.facts.load(event));
  }

  /** Null: everything. A scope that is none was refused when the rule was made; here it covers nothing. */
  private filterOf(scope: string): Filter | null {
    let filter = this.filters.get(scope);
    if (filter === undefined) {
      filter = scope.trim() === '' ? null : compileScope(scope);
      this.filters.set(scope, filter);
    }
    return filter;
  }
}

const NEVER: Filter = { kind: 'filter', text: '', matches: () => false, readings: [] };

function compileScope(scope: string): Filter {
  const filter = parseFilter(scope, 'decision');
  return filter.kind === 'filter' ? filter : NEVER;
}
