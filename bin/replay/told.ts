/** What a replay came to, for people. */
import type { Ended } from './watched.js';

/** The report, and what was not done where it ended early. `how`: how it was sent. */
export function replayLines(ended: Ended, how: string): string[] {
  const { report, outcome, script } = ended;
  return [...report.text(outcome, script.total, script.leftOut, how), ...earlyLines(ended)];
}

/** What was not done; none where all was. */
export function earlyLines({ early }: Ended): string[] {
  return early === '' ? [] : [`ended early: ${early}; what was compared so far is told`];
}
