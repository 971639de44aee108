/** The Decision tab: every stage in order, then who asked, when, and each request that was made. */
import { type Attempt, aliasOf, type Facts } from 'rmtop';
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
    ...attemptLines(facts, look, width),
    '',
    ` ${theme.bold('who and when')}`,
    ...wrappedStatements(who(facts, look.unicode, clock), look, width),
  ];
}

/** `s1.p ` of the server that was asked, also where it was not the last one; empty: it has no such name. */
function aliasText({ topology, parts }: Facts, { part, address }: Attempt): string {
  const upstream = parts[part]?.to?.upstream ?? '';
  const alias = topology === undefined ? address : aliasOf(topology, upstream, address);
  return alias === address ? '' : `${alias} `;
}

/** Requests one by one, where they are not simply one. */
export function attemptLines(facts: Facts, look: Look, width: number): string[] {
  const list = facts.attempts;
  if (list.length < 2) return [];
  const ms = (us: number): string => (us / 1000).toFixed(2);
  const lines = list.map((attempt, i): Statement => {
    const alias = aliasText(facts, attempt);
    const how = attempt.kind === 'decided' ? '' : ` after ${attempt.kind}`;
    return {
      label: String(i + 1),
      text: printableText(
        `${alias}${attempt.address}${how}   ${attempt.sentUs < 0 ? 'never sent' : `sent +${ms(attempt.sentUs)} ms`}, ${attempt.doneUs < 0 ? 'never answered' : `answered +${ms(attempt.doneUs)} ms`}`,
        look,
      ),
      meaning: null,
    };
  });
  return ['', ` ${look.theme.bold('requests')}`, ...wrappedStatements(lines, look, width)];
}
