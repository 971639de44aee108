/** Going to a command, and back to where one was: `ctrl-o` and `:forward`. */
import type { Model } from '../model.js';

const KEPT = 100;

/** Where the focus was before each jump, and where it was when one went back. */
export type Jumps = { readonly back: number[]; readonly forward: number[] };

/** A jump begins: the place is kept as the way back. */
export function keepPlace({ jumps, viewport }: Model): void {
  const { focus } = viewport;
  jumps.forward.length = 0;
  if (focus === null || jumps.back.at(-1) === focus) return;
  jumps.back.push(focus);
  if (jumps.back.length > KEPT) jumps.back.shift();
}

/** Goes to command `seq`; the way back is kept. */
export function jumpTo(model: Model, seq: number): void {
  keepPlace(model);
  model.show('stream');
  model.viewport.goTo(seq);
}

/** Back to where the last jump began; 1: forward again. */
export function goBack(model: Model, direction: -1 | 1 = -1): void {
  const { jumps, viewport } = model;
  const [from, to] = direction === -1 ? [jumps.back, jumps.forward] : [jumps.forward, jumps.back];
  const seq = from.pop();
  if (seq === undefined) {
    model.toasts.answer(`there is no place to go ${direction === -1 ? 'back' : 'forward'} to`);
    return;
  }
  if (viewport.focus !== null) to.push(viewport.focus);
  model.show('stream');
  if (!viewport.source.has(seq))
    model.toasts.answer(`#${seq} is not in memory any more; the nearest is`);
  viewport.goTo(seq);
}
