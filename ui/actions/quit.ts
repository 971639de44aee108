/** Ending, and asking before. */
import type { Model } from '../model.js';
import { bannerOf, closeBanner } from '../warnings.js';
import { back } from './move.js';
import { leaveRecording } from './open.js';

const TWICE_WITHIN_MS = 2000;

/** `Esc` closes what is open; at the root, the banner, then a recording that was opened from the screen. */
export function close(model: Model): void {
  if (back(model)) return;
  if (bannerOf(model) === null) leaveRecording(model);
  else closeBanner(model);
}

/** `q` closes what is open, and a recording that was opened from the screen; at the root it asks. */
export function backOrQuit(model: Model): void {
  if (!back(model) && !leaveRecording(model)) model.dialog = { kind: 'quit' };
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
