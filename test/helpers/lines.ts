/** Events as the recorder writes them: through a block and back, then a line. */
import type { SessionView } from '../../src/commands/command.js';
import { BlockWriter, type CommandNote } from '../../src/events/block.js';
import type { CommandEvent, OtherEvent } from '../../src/events/event.js';
import { Block, StreamContext } from '../../src/events/reader.js';
import { commandToJson } from '../../src/recording/format.js';
import { headerToJson, otherToJson } from '../../src/recording/others.js';
import type { Mesh } from './mesh.js';
import { noteOf, stateOf } from './notes.js';

/** The line of a finished command; `more` are fields of its note. */
export function commandLine(
  argv: readonly (string | Buffer)[],
  mesh: Mesh,
  more: Partial<CommandNote> & { readonly session?: SessionView },
  durationUs: number,
): string {
  const context = new StreamContext();
  for (const event of stateOf(mesh)) context.learn(event);
  const { note } = noteOf(argv, mesh, more);
  const writer = new BlockWriter();
  writer.fits(writer.sizeOf(note));
  const numbers: string[] = [];
  writer.command(note, durationUs, (address) => numbers.push(address) - 1);
  numbers.forEach((address, number) => {
    context.learn({ type: 'server', atUs: 0, number, address });
  });
  const { used } = writer;
  const block = new Block(writer.take(), used);
  const events: CommandEvent[] = [];
  block.walk((_kind, offset) => {
    events.push(block.command(offset, context));
  });
  return JSON.stringify(commandToJson(events[0] as CommandEvent, context));
}

/** The line of any other event; null where none is written. */
export function otherLine(event: OtherEvent): string | null {
  const info = {
    id: '01KC6Z2T9Q',
    tool: 'rmtop 0.1.0',
    cut: { value: 1_048_576, record: 8_388_608 },
    pendMs: 250,
    redact: { mode: 'auth', key: 'none' as const },
    capture: 'replies' as const,
    filter: '',
  };
  const json = event.type === 'hello' ? headerToJson(event, info) : otherToJson(event);
  return json === null ? null : JSON.stringify(json);
}
