/** Every fault that was on at some time of a recording, as rules: what `cat --faults` writes down again. */
import type { TrafficEvent } from '../events/event.js';
import type { FaultRule, MeshFault } from '../mesh/config.js';

/** Collects them from the events of recordings, each once, in the order in which they came. */
export class FaultRules {
  /** Of the mesh's files. */
  readonly faults: MeshFault[] = [];
  /** Of rmtop's own. */
  readonly rules: FaultRule[] = [];
  private readonly known = new Set<string>();

  add(event: TrafficEvent): void {
    if (event.type !== 'config') return;
    const { faults, rules } = event.config;
    for (const fault of faults) if (this.isNew(fault)) this.faults.push(fault);
    for (const rule of rules) if (this.isNew(rule)) this.rules.push(rule);
  }

  /** What a rule draws with, and how it is called, makes no other rule of it. */
  private isNew(rule: MeshFault | FaultRule): boolean {
    if (!rule.on) return false;
    const { id: _id, ...said } = { ...rule, seed: 0 };
    const text = JSON.stringify(said);
    const isNew = !this.known.has(text);
    this.known.add(text);
    return isNew;
  }
}
