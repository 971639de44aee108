/** The stream of events, one by one, for those who do not keep blocks. */

import { KIND_COMMAND, TYPE_NUMBERS } from './block.js';
import type { Consumer } from './bus.js';
import type { OtherEvent, TrafficEvent } from './event.js';
import { Block, StreamContext } from './reader.js';

/** Something whose events can be had: a proxy. */
export type Source = { subscribe(consumer: Consumer): () => void };

/**
 * Calls `each` with every event of `source`, in order, the state so far first. Gives the way to stop. `lossless`: let clients wait
 * rather than miss an event.
 */
export function readEvents(
  source: Source,
  each: (event: TrafficEvent) => void,
  lossless = false,
): () => void {
  const context = new StreamContext();
  return source.subscribe({
    lossless,
    behind: false,
    accept(bytes, used) {
      const block = new Block(bytes, used);
      block.walk((kind, offset) => {
        if (kind === KIND_COMMAND) {
          each(block.command(offset, context));
          return;
        }
        const event = block.other(offset);
        context.learn(event);
        each(event);
      });
      return true;
    },
  });
}

/**
 * Calls `each` with every event of these types, and with nothing else: where nobody else reads, nothing else is even written. Gives the way
 * to stop.
 */
export function readOnly<T extends OtherEvent['type']>(
  source: Source,
  types: readonly T[],
  each: (event: Extract<OtherEvent, { type: T }>) => void,
): () => void {
  const numbers = types.map((type) => TYPE_NUMBERS[type]);
  return source.subscribe({
    lossless: false,
    behind: false,
    only: new Set(types),
    accept(bytes, used) {
      const block = new Block(bytes, used);
      block.walk((kind, offset) => {
        if (kind === KIND_COMMAND || !numbers.some((number) => block.isOfType(offset, number)))
          return;
        each(block.other(offset) as Extract<OtherEvent, { type: T }>);
      });
      return true;
    },
  });
}
