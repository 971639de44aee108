/** Which classes a command is in, for `class=…`. */
import { NONE } from '../commands/keys.js';
import { COMMANDS, type CommandSpec } from '../commands/table.js';

export type CommandClass =
  | 'read'
  | 'write'
  | 'admin'
  | 'pubsub'
  | 'script'
  | 'blocking'
  | 'tx'
  | 'conn';

export const CLASSES: readonly CommandClass[] = [
  'read',
  'write',
  'admin',
  'pubsub',
  'script',
  'blocking',
  'tx',
  'conn',
];

const words = (text: string): ReadonlySet<string> => new Set(text.split(/\s+/));

/** First words of the commands of each class that is about more than reading and writing. */
const SPECIAL: readonly (readonly [CommandClass, ReadonlySet<string>])[] = [
  [
    'pubsub',
    words(
      'SUBSCRIBE UNSUBSCRIBE PSUBSCRIBE PUNSUBSCRIBE SSUBSCRIBE SUNSUBSCRIBE PUBLISH SPUBLISH PUBSUB',
    ),
  ],
  ['script', words('EVAL EVALSHA EVAL_RO EVALSHA_RO FCALL FCALL_RO SCRIPT FUNCTION')],
  [
    'blocking',
    words(
      'BLPOP BRPOP BLMOVE BLMPOP BRPOPLPUSH BZPOPMIN BZPOPMAX BZMPOP XREAD XREADGROUP WAIT WAITAOF',
    ),
  ],
  ['tx', words('MULTI EXEC DISCARD WATCH UNWATCH')],
  ['conn', words('AUTH HELLO PING ECHO SELECT QUIT RESET CLIENT READONLY READWRITE ASKING TIME')],
];

/** The classes of each command, by `CommandSpec.id`. */
const BY_ID: readonly (readonly CommandClass[])[] = COMMANDS.map(findClasses);

/**
 * The classes of a command: `write` where Envoy or Redis takes it for one, `read` where it has keys and is none, `admin` where it
 * has no keys and is nothing else. An unknown command is in none.
 */
export function classesOf(spec: CommandSpec): readonly CommandClass[] {
  return BY_ID[spec.id] ?? [];
}

function findClasses(spec: CommandSpec): readonly CommandClass[] {
  const first = spec.name.split(' ')[0] ?? spec.name;
  const classes: CommandClass[] = SPECIAL.filter(([, names]) => names.has(first)).map(
    ([name]) => name,
  );
  if (spec.envoyWrite || spec.writes) classes.push('write');
  else if (spec.keys !== NONE) classes.push('read');
  if (classes.length === 0) classes.push('admin');
  return classes;
}
