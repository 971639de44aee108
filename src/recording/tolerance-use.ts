/** Which tolerances hid something, and how often, by command: what a comparison reports of them, whoever made it. */
import type { Comparison } from '../compare/compare.js';

/** Counts comparisons. */
export class ToleranceUse {
  private readonly used = new Map<string, Map<string, number>>();
  private readonly compared = new Map<string, number>();

  /** Counts what came of comparing two replies to the command `name`. */
  add(name: string, comparison: Comparison): void {
    this.compared.set(name, (this.compared.get(name) ?? 0) + 1);
    if (comparison.kind !== 'tolerated') return;
    for (const tolerance of comparison.by) {
      let commands = this.used.get(tolerance);
      if (commands === undefined) {
        commands = new Map();
        this.used.set(tolerance, commands);
      }
      commands.set(name, (commands.get(name) ?? 0) + 1);
    }
  }

  /** How many replies were compared, by command. */
  get commands(): ReadonlyMap<string, number> {
    return this.compared;
  }

  /** `order (SMEMBERS 14, HGETALL 9), ttl (TTL 4)`; null when none was needed. */
  text(): string | null {
    if (this.used.size === 0) return null;
    return [...this.used]
      .map(
        ([name, commands]) =>
          `${name} (${[...commands].map(([command, count]) => `${command} ${count}`).join(', ')})`,
      )
      .join(', ');
  }

  /** Counts by tolerance and command. */
  json(): Readonly<Record<string, Readonly<Record<string, number>>>> {
    return Object.fromEntries(
      [...this.used].map(([name, commands]) => [name, Object.fromEntries(commands)]),
    );
  }

  /** Tolerances that hid more than half of a command's replies. */
  warnings(): string[] {
    return [...this.used].flatMap(([name, commands]) =>
      [...commands].flatMap(([command, count]) => {
        const compared = this.compared.get(command) ?? 0;
        return count > 1 && count > compared / 2
          ? [`${name} hides ${count} of ${compared} replies to ${command}`]
          : [];
      }),
    );
  }
}
