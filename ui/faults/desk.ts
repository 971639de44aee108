/**
 * The fault rules as the user wants them: switched, changed, undone. Each change goes to the core, which takes it between two commands,
 * and is said to be done only when the core has acknowledged it.
 */
import { type FaultRule, type MeshConfig, type NewRule, parseRule, ruleText } from 'rmtop';
import { UNCHANGEABLE } from '../transport.js';
import { Limits, limitText, parseLimited } from './limit.js';

/** What a desk needs: the configuration in force, and the way to change it. */
export type DeskNeeds = {
  readonly config: () => MeshConfig;
  readonly reconfigure: (config: MeshConfig) => Promise<void>;
  readonly say: (text: string) => void;
  readonly seed: number;
  /** The key of an action, for texts that name it. */
  readonly keyOf: (action: 'undo' | 'faults' | 'remove') => string;
  /** Whether the configuration is that of a recording: its rules are shown, and nothing changes them. */
  readonly isRecorded: boolean;
};

/** Rules to try, where there are none: all off. */
const STARTERS: readonly string[] = [
  'error 20% if class=write',
  'delay 50ms+-10ms 100% if class=read',
  'close 1%',
  'hang 10% max 3',
];

/** The keys `t 1` to `t 9`. */
export const MOST_RULES = 9;

export class FaultDesk {
  private readonly needs: DeskNeeds;
  private wanted: readonly FaultRule[];
  /** How long rules stay on that have a limit. */
  readonly limits: Limits = new Limits((id) => {
    void this.change(id, { on: false }, `${id} OFF: its time is over${this.undoable}`);
  });
  /** The rule that was switched last. */
  last: string | null = null;

  constructor(needs: DeskNeeds) {
    this.needs = needs;
    const { rules } = needs.config();
    this.wanted =
      rules.length > 0
        ? rules
        : STARTERS.flatMap((text, i) => {
            const rule = parseRule(text);
            return rule.kind === 'rule' ? [this.made(rule, `t${i + 1}`)] : [];
          });
  }

  get rules(): readonly FaultRule[] {
    return this.needs.isRecorded ? this.needs.config().rules : this.wanted;
  }

  /** How many are on, of rmtop's own and of the mesh's. */
  get on(): number {
    return (
      this.rules.filter((rule) => rule.on).length +
      this.needs.config().faults.filter((fault) => fault.on).length
    );
  }

  private get undoable(): string {
    return `   (${this.needs.keyOf('undo')} undo)`;
  }

  /** Whether a change is refused, which is said. */
  private refuses(): boolean {
    if (this.needs.isRecorded) this.needs.say(UNCHANGEABLE);
    return this.needs.isRecorded;
  }

  private made(rule: NewRule, id: string): FaultRule {
    const { percent, scope, action, max } = rule;
    return {
      id,
      on: false,
      percent,
      scope,
      action,
      max,
      seed: this.needs.seed + Number(id.slice(1)),
    };
  }

  /** Makes `rules` the ones in force; `done` is said when they are. */
  async put(rules: readonly FaultRule[], done: string): Promise<void> {
    if (this.refuses()) return;
    const before = this.wanted;
    this.wanted = rules;
    try {
      await this.needs.reconfigure({ ...this.needs.config(), rules });
      this.limits.follow(rules);
      this.needs.say(done);
    } catch (error) {
      if (this.wanted === rules) this.wanted = before;
      this.needs.say(
        `the core did not take it: ${error instanceof Error ? error.message : String(error)}`,
      );
    }
  }

  /** A rule as it is typed. */
  textOf(rule: FaultRule): string {
    return ruleText(rule) + limitText(this.limits.of(rule.id));
  }

  /** Switches rule `id` on or off. */
  toggle(id: string): Promise<void> {
    if (this.refuses()) return Promise.resolve();
    const rule = this.wanted.find((each) => each.id === id);
    if (rule === undefined) {
      this.needs.say(`there is no rule ${id}: ${this.needs.keyOf('faults')} n makes one`);
      return Promise.resolve();
    }
    this.last = id;
    const on = !rule.on;
    return this.change(
      id,
      { on },
      `${id} ${on ? 'ON' : 'OFF'}: ${this.textOf(rule)}${this.undoable}`,
    );
  }

  /** Changes fields of rule `id`. */
  change(id: string, fields: Partial<FaultRule>, done: string): Promise<void> {
    return this.put(
      this.wanted.map((each) => (each.id === id ? { ...each, ...fields } : each)),
      done,
    );
  }

  allOff(): Promise<void> {
    const on = this.wanted.filter((rule) => rule.on).length;
    return this.put(
      this.wanted.map((rule) => ({ ...rule, on: false })),
      on === 0
        ? 'all rules are off'
        : `${on === 1 ? 'the one rule' : `all ${on} rules`} OFF${this.undoable}`,
    );
  }

  /** Adds a rule, switched on; gives what is wrong instead where there is no room. */
  add(rule: NewRule & { readonly forMs?: number | null }, on = true): string | null {
    if (this.needs.isRecorded) return UNCHANGEABLE;
    const used = new Set(this.wanted.map((each) => each.id));
    const id = Array.from({ length: MOST_RULES }, (_, i) => `t${i + 1}`).find(
      (each) => !used.has(each),
    );
    if (id === undefined)
      return `there are ${MOST_RULES} rules already: ${this.needs.keyOf('remove')} in the Faults pane removes one`;
    const made = { ...this.made(rule, id), on };
    this.limits.set(id, rule.forMs ?? null);
    this.last = id;
    void this.put(
      [...this.wanted, made].sort(byId),
      `${id} ${on ? 'ON' : 'added'}: ${this.textOf(made)}${this.undoable}`,
    );
    return null;
  }

  remove(id: string): Promise<void> {
    return this.put(
      this.wanted.filter((rule) => rule.id !== id),
      `${id} removed${this.undoable}`,
    );
  }

  /** What is different in `after`: a rule or two as they are there, else all of them in short. */
  difference(before: readonly FaultRule[], after: readonly FaultRule[]): string {
    const ids = new Set([...before, ...after].map(({ id }) => id));
    const find = (rules: readonly FaultRule[], id: string): FaultRule | undefined =>
      rules.find((each) => each.id === id);
    const changed = [...ids].filter((id) => find(before, id) !== find(after, id));
    if (changed.length > 2) return summary(after);
    const texts = changed.map((id) => {
      const rule = find(after, id);
      return rule === undefined
        ? `${id} is gone`
        : `${id} ${rule.on ? 'ON' : 'OFF'}: ${this.textOf(rule)}`;
    });
    return texts.join('; ');
  }

  /** The rules as a profile: a line each, `+` before those that are on. */
  get profile(): string {
    return this.wanted.map((rule) => `${rule.on ? '+ ' : '- '}${this.textOf(rule)}\n`).join('');
  }

  /** Takes the rules of a profile; gives what is wrong with it instead. */
  load(text: string): string | null {
    if (this.needs.isRecorded) return UNCHANGEABLE;
    const rules: FaultRule[] = [];
    const limits: (number | null)[] = [];
    for (const [i, line] of text.split('\n').entries()) {
      if (line.trim() === '' || line.startsWith('#')) continue;
      const rule = parseLimited(line.replace(/^[+-]\s*/, ''));
      if (rule.kind === 'problem') return `line ${i + 1}: ${rule.message}`;
      limits.push(rule.forMs);
      rules.push({ ...this.made(rule, `t${rules.length + 1}`), on: line.startsWith('+') });
    }
    if (rules.length > MOST_RULES) return `more than ${MOST_RULES} rules`;
    for (const [i, rule] of rules.entries()) this.limits.set(rule.id, limits[i] ?? null);
    void this.put(rules, `${summary(rules)}${this.undoable}`);
    return null;
  }
}

function byId(a: FaultRule, b: FaultRule): number {
  return a.id.localeCompare(b.id);
}

function summary(rules: readonly FaultRule[]): string {
  const on = rules.filter((rule) => rule.on).map((rule) => rule.id);
  return `${rules.length} rules, ${on.length === 0 ? 'all off' : `${on.join(' ')} on`}`;
}
