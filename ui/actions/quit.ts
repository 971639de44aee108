/** Ending, and asking before. */
import type { Model } from '../model.js';
import { closeBanner } from '../warnings.js';
import { back } from './move.js';

const TWICE_WITHIN_MS = 2000;

/** `Esc` closes what is open; at the root, the banner. */
export function close(model: Model): void {
  if (!back(model)) closeBanner(model);
}

/** `q` closes what is open; at the root it asks. */
export function backOrQuit(model: Model): void {
  if (!back(model)) model.dialog = { kind: 'quit' };
}

export function quit(model: Model): void {
  model.effects.quit();
}

/** The answer to `Quit? y/N`: anything but y is no. */
export function answerQuit(model: Model, key: string): void {
  model.dialog = null;
  if (key === 'y' || key === 'Y') model.effects.quit();
}

/** `ctrl-c`: the second within two seconds quits; from any place. */
export function interrupt(model: Model): void {
  const nowMs = performance.now();
  if (nowMs - model.interruptedMs < TWICE_WITHIN_MS) {
    model.effects.quit();
    return;
  }
  model.interruptedMs = nowMs;
  model.toasts.answer('press ctrl-c again to quit');
}
