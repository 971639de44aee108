/**
 * The replay law (architecture page, 5): what a recording says of each command's way is what deciding it again says, with the topology,
 * the configuration and the draws that stand before it.
 */
import type { StreamContext } from '../events/reader.js';
import type { RecordedCommand } from './command.js';
import { commandToJson } from './format.js';
import type { Json, JsonObject } from './values.js';

/** A field of a command's line that deciding again makes otherwise. */
export type BrokenLaw = {
  readonly n: number;
  readonly field: string;
  readonly recorded: Json;
  readonly again: Json;
};

/** The fields that come from the decision: slots, route, refusal, mirrors, draws, way, reason, faults, letters. */
const DECIDED = ['s', 'rt', 'rf', 'm', 'dr', 'u', 'p', 'f', 'fr', 'x'] as const;

/** Decides `event` again, whose reader's `context` stands where it stood; null where the law holds. */
export function checkLaw(event: RecordedCommand, context: StreamContext): BrokenLaw | null {
  const again: JsonObject = commandToJson(event, context);
  for (const field of DECIDED) {
    const [one, other] = [event.json[field] ?? null, again[field] ?? null];
    if (JSON.stringify(one) !== JSON.stringify(other))
      return { n: event.seq, field, recorded: one, again: other };
  }
  return null;
}
