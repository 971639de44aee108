/** Arguments as large as a client may send them, 512 MiB: more than a string can hold. */
import { Command, NEW_SESSION, type SessionView } from '../../src/commands/command.js';

/** The system gives such a buffer its memory only where it is touched. */
const HUGE = Buffer.alloc(536_870_912);

/** The command `words`, then three arguments of 512 MiB. */
export function hugeArguments(
  words: readonly string[],
  session: SessionView = NEW_SESSION,
): Command {
  words.forEach((word, i) => {
    HUGE.write(word, 32 * i, 32, 'latin1');
  });
  const starts = [...words.map((_, i) => 32 * i), 0, 0, 0];
  const ends = [
    ...words.map((word, i) => 32 * i + word.length),
    HUGE.length,
    HUGE.length,
    HUGE.length,
  ];
  const command = new Command();
  const argStart = Int32Array.from(starts);
  command.load(
    { frame: HUGE, argc: starts.length, argStart, argEnd: Int32Array.from(ends) },
    session,
  );
  return command;
}
