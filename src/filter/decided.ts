/** A command alone as an event: as much of one as can be asked about before it is sent, or where nothing but the command is known. */
import { Command } from '../commands/command.js';
import type { KeptArgument } from '../events/condense.js';
import type { Attempt, CommandEvent, Kept, Outcome } from '../events/event.js';
import type { Decision, Part } from '../mesh/decision.js';
import { EMPTY } from '../resp/bytes.js';

const NOTHING: readonly never[] = [];
const NO_BYTES: Kept = { bytes: EMPTY, total: 0, condensed: false };

/** A command that has been decided and not sent; one is filled again for each that is asked about. */
export class DecidedCommand implements CommandEvent {
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
  readonly burst: CommandEvent['burst'] = { first: 0, size: 1 };
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
