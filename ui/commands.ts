/**
 * What can be done by typing: the palette's lines, and what keys do that has a line of its own. Each command is one entry of one list;
 * whatever was done is noted as the line that does it again.
 */

import { clientCommands } from './commands/clients.js';
import { faultCommands } from './commands/faults.js';
import { filterCommands } from './commands/filtering.js';
import { keyCommands } from './commands/keys.js';
import { leavingCommands } from './commands/leaving.js';
import { playingCommands } from './commands/playing.js';
import { readingCommands } from './commands/reading.js';
import { recordingCommands } from './commands/recording.js';
import { savingCommands } from './commands/saving.js';
import { screenCommands } from './commands/screen.js';
import { undoingCommands } from './commands/undoing.js';
import type { Model } from './model.js';

/** A word that begins a line, and what the rest of the line does. */
export type Command = {
  readonly name: string;
  /** What follows the name, for people: `EXPR`, `on|off`; empty: nothing does. */
  readonly usage: string;
  readonly help: string;
  /** Whether it does something without anything following. */
  readonly alone: boolean;
  /** What may follow, as far as that is known. */
  readonly options?: (model: Model, typed: string) => readonly string[];
  /** Does it; gives what is wrong instead. */
  readonly run: (model: Model, rest: string) => string | null;
  /** Whether it notes by itself what was done, or there is nothing to do again. */
  readonly silent?: true;
};

export const COMMANDS: readonly Command[] = [
  ...filterCommands,
  ...readingCommands,
  ...savingCommands,
  ...recordingCommands,
  ...leavingCommands,
  ...playingCommands,
  ...faultCommands,
  ...clientCommands,
  ...undoingCommands,
  ...keyCommands,
  ...screenCommands,
];

export function commandOf(name: string): Command | undefined {
  return COMMANDS.find((command) => command.name === name);
}

/** Does what `line` says, and notes it; gives what is wrong instead. */
export function perform(model: Model, line: string): string | null {
  const [, name = '', rest = ''] = /^\s*:?(\S*)\s*(.*?)\s*$/s.exec(line) ?? [];
  const command = commandOf(name.toLowerCase());
  if (command === undefined) return `there is no command ${name}`;
  if (rest === '' && !command.alone) return `${command.name} ${command.usage}`;
  const problem = command.run(model, rest);
  if (problem === null && command.silent !== true)
    model.did(rest === '' ? command.name : `${command.name} ${rest}`);
  return problem;
}

/** The same for a key: what is wrong is said in the line of news. */
export function performing(line: string): (model: Model) => void {
  return (model) => {
    const problem = perform(model, line);
    if (problem !== null) model.toasts.answer(problem);
  };
}
