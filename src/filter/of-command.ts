/** Filters about a command as such: the same answer for one that has just come and for the same one read from a recording. */
import type { Command } from '../commands/command.js';
import type { FilterProblem } from './ast.js';
import { DecidedCommand } from './decided.js';
import { Facts } from './facts.js';
import { parseFilter } from './filter.js';

/** A filter that is asked of commands. */
export type CommandFilter = {
  readonly kind: 'filter';
  readonly text: string;
  matches(command: Command): boolean;
};

/** What can be asked where only name and keys are sure to be there: values may have been removed. */
export const KEY_FIELDS: ReadonlySet<string> = new Set(
  'cmd class key keys prefix tag args all pubsub'.split(' '),
);

/** What can be asked where all arguments are there. */
export const COMMAND_FIELDS: ReadonlySet<string> = new Set([...KEY_FIELDS, 'arg']);

/** The filter that `text` says, of no other than the fields `only`; or what is wrong with it. */
export function parseCommandFilter(
  text: string,
  only: ReadonlySet<string>,
): CommandFilter | FilterProblem {
  const filter = parseFilter(text, 'arrival', only);
  if (filter.kind === 'problem') return filter;
  const event = new DecidedCommand();
  const facts = new Facts({
    topology: () => undefined,
    config: () => undefined,
    client: () => undefined,
    slowUs: () => null,
    nowUs: () => 0,
  });
  return {
    kind: 'filter',
    text,
    matches(command) {
      event.command = command;
      return filter.matches(facts.load(event));
    },
  };
}
