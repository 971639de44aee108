/** A row of the table as COMMAND tells it, for servers of our own. */
import { arrayReply, bulkReply, integerReply, simpleReply } from '../resp/build.js';
import type { Reply } from '../resp/value.js';
import {
  ALL,
  ALL_BUT_LAST,
  FIRST,
  FROM_SECOND,
  firstAndGeoStore,
  firstAndStore,
  type KeyRule,
  NONE,
  PAIRS,
  SECOND,
  TWO,
} from './keys.js';
import type { CommandSpec } from './table.js';

type Positions = readonly [first: number, last: number, step: number];

/** First and last key and the step between them, as Redis states them; what is not here Redis calls movable. */
const POSITIONS: ReadonlyMap<KeyRule, Positions> = new Map<KeyRule, Positions>([
  [NONE, [0, 0, 0]],
  [FIRST, [1, 1, 1]],
  [SECOND, [2, 2, 1]],
  [TWO, [1, 2, 1]],
  [ALL, [1, -1, 1]],
  [ALL_BUT_LAST, [1, -2, 1]],
  [PAIRS, [1, -1, 2]],
  [FROM_SECOND, [2, -1, 1]],
]);

/** These have a first key that stands still. */
const PARTLY: ReadonlySet<KeyRule> = new Set([firstAndStore, firstAndGeoStore]);

/** Name, arity, flags, first key, last key, step. Source: COMMAND of Redis 7.0, of which these are the parts that clients route by. */
export function describeCommand(spec: CommandSpec): Reply {
  const fixed = POSITIONS.get(spec.keys);
  const [first, last, step] = fixed ?? (PARTLY.has(spec.keys) ? [1, 1, 1] : [0, 0, 0]);
  return arrayReply([
    bulkReply(spec.name.toLowerCase()),
    integerReply(spec.arity),
    arrayReply([
      simpleReply(spec.writes ? 'write' : 'readonly'),
      ...(fixed === undefined ? [simpleReply('movablekeys')] : []),
    ]),
    integerReply(first),
    integerReply(last),
    integerReply(step),
  ]);
}
