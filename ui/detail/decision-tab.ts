/** The Decision tab: every stage in order, then who asked, when, and each request that was made. */
import type { Facts } from 'rmtop';
import type { Look } from '../look.js';
import type { WallClock } from '../text/clock.js';
import { printableText } from '../text/printable.js';
import { type Statement, statements, wrappedStatements } from './decision.js';
import { who } from './who.js';

export function decisionLines(facts: Facts, look: Look, width: number, clock: WallClock): string[] {
  const { theme } = look;
  const why = statements(facts, look.unicode, 200);
  return [
    ` ${theme.bold('why')}`,
    ...wrappedStatements(why, look, width),
    ...attempts(facts, look, width),
    '',
    ` ${theme.bold('who and when')}`,
    ...wrappedStatements(who(facts, look.unicode, clock), look, width),
  ];
}

/** Requests one by one, where they are not simply one. */
function attempts(facts: Facts, look: Look, width: number): string[] {
  const list = facts.attempts;
  if (list.length < 2) return [];
  const ms = (us: number): string => (us / 1000).toFixed(2);
  const lines = list.map((attempt, i): Statement => {
    const node = facts.nodes.find((each) => each.address === attempt.address);
    const alias = node === undefined || node.alias === attempt.address ? '' : `${node.alias} `;
    const how = attempt.kind === 'decided' ? '' : ` after ${attempt.kind}`;
    return {
      label: String(i + 1),
      text: printableText(
        `${alias}${attempt.address}${how}   sent +${ms(attempt.sentUs)} ms, answered +${ms(attempt.doneUs)} ms`,
        look,
      ),
      meaning: null,
    };
  });
  return ['', ` ${look.theme.bold('requests')}`, ...wrappedStatements(lines, look, width)];
}
