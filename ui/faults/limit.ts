/** `for 30s` at the end of a rule, or before its `if`: how long it stays on. The screen keeps this limit; the core knows none. */

import { type NewRule, parseRule, type RuleProblem } from 'rmtop';

/** A rule as it is typed here. */
export type LimitedRule = NewRule & { readonly forMs: number | null };

/** Reads a rule with its limit. */
export function parseLimited(text: string): LimitedRule | RuleProblem {
  const { text: rest, forMs } = splitLimit(text);
  const rule = parseRule(rest);
  return rule.kind === 'problem' ? rule : { ...rule, forMs };
}

/** A rule's text without its limit, and the limit. */
type Limited = { readonly text: string; readonly forMs: number | null };

const LIMIT = /\s+for\s+(\d+(?:\.\d+)?)(ms|s|m)(?=\s+if\s|\s*$)/;
const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000 };

function splitLimit(text: string): Limited {
  const match = LIMIT.exec(text);
  if (match === null) return { text, forMs: null };
  const [whole, amount = '0', unit = 's'] = match;
  const rest = text.slice(0, match.index) + text.slice(match.index + whole.length);
  return { text: rest, forMs: Number(amount) * (UNITS[unit] ?? 1000) };
}

/** ` for 30s`; empty without a limit. */
export function limitText(forMs: number | null): string {
  if (forMs === null) return '';
  if (forMs % 60_000 === 0) return ` for ${forMs / 60_000}m`;
  return forMs % 1000 === 0 ? ` for ${forMs / 1000}s` : ` for ${forMs}ms`;
}

/** How long rules may still be on: starts with a rule's going on, ends with its going off. */
export class Limits {
  private readonly limits = new Map<string, number>();
  private readonly running = new Map<string, { untilMs: number; timer: NodeJS.Timeout }>();
  private readonly over: (id: string) => void;

  /** `over` is told of a rule whose time has passed. */
  constructor(over: (id: string) => void) {
    this.over = over;
  }

  of(id: string): number | null {
    return this.limits.get(id) ?? null;
  }

  /** Sets or lifts the limit of a rule; one that is on begins its time anew. */
  set(id: string, forMs: number | null): void {
    this.stop(id);
    if (forMs === null) this.limits.delete(id);
    else this.limits.set(id, forMs);
  }

  /** How long the rule will still be on; null: it is off, or has no limit. */
  leftMs(id: string): number | null {
    const run = this.running.get(id);
    return run === undefined ? null : Math.max(0, run.untilMs - performance.now());
  }

  /** Takes note of which rules are on now. */
  follow(rules: readonly { readonly id: string; readonly on: boolean }[]): void {
    const on = new Set(rules.filter((rule) => rule.on).map((rule) => rule.id));
    for (const id of this.running.keys()) if (!on.has(id)) this.stop(id);
    for (const id of on) {
      const forMs = this.limits.get(id);
      if (forMs === undefined || this.running.has(id)) continue;
      const timer = setTimeout(() => {
        this.running.delete(id);
        this.over(id);
      }, forMs);
      timer.unref();
      this.running.set(id, { untilMs: performance.now() + forMs, timer });
    }
  }

  private stop(id: string): void {
    const run = this.running.get(id);
    if (run !== undefined) clearTimeout(run.timer);
    this.running.delete(id);
  }
}
