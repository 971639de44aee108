/** Why a command went where it went, in one word: for records, filters and the screen alike. */
import { type Decision, partsOf, type Reason } from '../mesh/decision.js';
import type { Attempt } from './event.js';

/** In a word, why a part went where it went: policy fallback redirect random write pinned refused. */
export function whyOf(decision: Decision, attempts: readonly Attempt[]): string {
  if (decision.action.kind === 'refuse') return 'refused';
  if (attempts.some((attempt) => attempt.kind !== 'decided')) return 'redirect';
  const reasons: readonly Reason[] = partsOf(decision)[0]?.why ?? [];
  const choose = reasons.find((reason) => reason.stage === 'choose')?.code;
  if (reasons.some((reason) => reason.code === 'random-shard') || choose === 'random')
    return 'random';
  if (choose === 'write' || choose === 'pinned' || choose === 'fallback') return choose;
  return choose === 'nobody' ? 'refused' : 'policy';
}
