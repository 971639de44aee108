/** `?`: the help over everything else. */
import { openMenu } from '../menu.js';
import type { Model } from '../model.js';

/** The keys; `?` again shows the filter language. */
export function openHelp(model: Model): void {
  openMenu(model, 'keys');
}

export function openFilterHelp(model: Model): void {
  openMenu(model, 'filter-help');
}
