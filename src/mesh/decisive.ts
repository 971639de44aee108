/** Where a name and a slot say all: for those who decide the same commands again and again, and may keep what came of one. */
import type { Command } from '../commands/command.js';
import { FIRST } from '../commands/keys.js';
import type { CompiledConfig } from './compile.js';
import { slotIn } from './place.js';
import type { Topology } from './topology.js';

/**
 * The slot of `command`'s key, where all commands of that row of the table whose key is in that slot are decided alike, but for where the
 * key's hash tag is; -1 where more than that matters. Commands that draw are alike only with the same draws.
 */
export function decisiveSlot(command: Command, topology: Topology, config: CompiledConfig): number {
  const { spec, session } = command;
  if (config.onlyUpstream === null || spec === undefined || command.argc < 2) return -1;
  if (spec.keys !== FIRST || config.classes[spec.id] !== 'simple') return -1;
  if (!session.authenticated || session.multi || session.subscribed) return -1;
  if (topology.upstreams[config.onlyUpstream]?.kind !== 'slots') return -1;
  return slotIn(command.frame, command.startOf(1), command.endOf(1));
}
