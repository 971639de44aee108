/**
 * The faults of a recording, to hit exactly the same commands again: each distinct one becomes a rule, and what is drawn for a command
 * says whether it is one of those (recording page, 5: `--faults recorded`).
 */
import type { CommandEvent } from '../events/event.js';
import type { FaultAction, FaultRule } from '../mesh/config.js';
import type { FaultPlan } from '../mesh/decision.js';
import type { Rng } from '../mesh/rng.js';

/** Which rule hit each of several equal commands; `next` is which of them comes next. */
type Hits = { readonly all: (string | null)[]; next: number };

/** Faults of recorded commands by connection. Commands are added in the order of their arrival. */
export class FaultScript {
  /** One for each distinct fault: jitter is settled, for what a command waited is known. */
  readonly rules: FaultRule[] = [];
  /** How many commands were hit. */
  hits = 0;
  private readonly ids = new Map<string, string>();
  /** By connection, then by what the command says: the rule that hit each of them, in order. */
  private readonly connections = new Map<number, Map<string, Hits>>();

  add(event: CommandEvent): void {
    const { fault } = event.decision;
    let commands = this.connections.get(event.connection);
    if (commands === undefined) {
      commands = new Map();
      this.connections.set(event.connection, commands);
    }
    const says = textOf(event.command.argv);
    const hits = commands.get(says);
    const hit = fault === null ? null : this.ruleOf(fault);
    if (hit !== null) this.hits++;
    if (hits === undefined) commands.set(says, { all: [hit], next: 0 });
    else hits.all.push(hit);
  }

  /** Everything hits once more, for another round. */
  again(): void {
    for (const commands of this.connections.values())
      for (const hits of commands.values()) hits.next = 0;
  }

  private ruleOf(plan: FaultPlan): string {
    const action = settled(plan);
    const key = JSON.stringify([plan.id, action]);
    let id = this.ids.get(key);
    if (id !== undefined) return id;
    const isTaken = this.rules.some((rule) => rule.id === plan.id);
    id = isTaken ? `${plan.id}.${this.rules.length + 1}` : plan.id;
    this.ids.set(key, id);
    this.rules.push({ id, on: true, percent: 100, scope: '', action, seed: 0, max: null });
    return id;
  }

  /**
   * What is drawn for a client that replays the connection that `connection` gives, undefined for any other: its rules hit what they had
   * hit, the n-th of equal commands as the n-th of them; everything else is drawn from `chance`.
   */
  rng(connection: () => number | undefined, chance: Rng): Rng {
    const [first] = this.rules;
    let current: string | null = null;
    return {
      below: (n) => chance.below(n),
      rule: (rule, command) => {
        // Rules are asked in their order, so that the first one means another command.
        if (rule.id === first?.id) {
          const hits = this.connections.get(connection() ?? -1)?.get(textOf(command.argv));
          current = hits?.all[hits.next++] ?? null;
        }
        return rule.id === current ? 0 : -1;
      },
    };
  }
}

function settled({ action, ms }: FaultPlan): FaultAction {
  return action.kind === 'delay' ? { ...action, ms: ms ?? action.ms, jitterMs: 0 } : action;
}

function textOf(argv: readonly Buffer[]): string {
  return argv.map((arg) => arg.toString('latin1')).join('\0');
}
