/** `?`: the help over everything else. */
import type { Model } from '../model.js';
import { EMPTY_LINE } from '../text/line-edit.js';

export function openHelp(model: Model): void {
  model.dialog = { kind: 'help', topic: 'keys', query: EMPTY_LINE, at: 0 };
}
