/** The stream of events, one by one, for those who do not keep blocks. */

import { KIND_COMMAND } from './block.js';
import type { Consumer } from './bus.js';
import type { TrafficEvent } from './event.js';
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
