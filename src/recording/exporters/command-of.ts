/** What several exporters ask of an entry. */
import { RmtopError } from '../../errors.js';
import type { CommandEvent } from '../../events/event.js';
import type { Entry } from '../reader.js';

/** The finished command of an entry; null for any other. */
export function commandOf(entry: Entry): CommandEvent | null {
  return entry.event?.type === 'command' ? entry.event : null;
}

/** The arguments of a command that is all there. Throws REC_INCOMPLETE where something was removed or cut. */
export function wholeArguments(event: CommandEvent): readonly Buffer[] {
  const missing = event.args.find((arg) => arg.kind !== 'whole');
  if (missing !== undefined)
    throw new RmtopError(
      'REC_INCOMPLETE',
      `command #${event.seq} ${event.command.name} is not all there: an argument was ${missing.kind === 'cut' ? 'cut for its size' : 'removed'}`,
      {
        next: [
          'add --skip to leave such commands out',
          'record with --full to keep values of any size',
        ],
      },
    );
  return event.args.map((arg) => arg.bytes);
}
