/** Why a command went where it went and how it fared, as labelled lines: for the strip under the stream and the Decision tab. */
import { describeCause, errorSaidBy, explain, type Facts } from 'rmtop';
import type { Look } from '../look.js';
import { count, milliseconds } from '../text/figures.js';
import { fit, wrap } from '../text/fit.js';
import { printableText } from '../text/printable.js';
import { replyKind, replyValue } from '../text/replies.js';
import type { Meaning } from '../theme.js';

/** One statement; `label` says what it is about. */
export type Statement = {
  readonly label: string;
  readonly text: string;
  readonly meaning: Meaning | null;
};

/** All there is to say, the decision first. `limit`: how long an error may be, `valueLimit`: and a value. */
export function statements(
  facts: Facts,
  unicode: boolean,
  limit: number,
  valueLimit: number = limit,
): Statement[] {
  const note = facts.mark?.note ?? null;
  const noted = note === null ? [] : [say('note', printableText(note, { unicode }), 'slow')];
  if (facts.pending !== null) return [...noted, ...waiting(facts)];
  return [...noted, ...decided(facts, unicode), ...happened(facts, unicode, limit, valueLimit)];
}

function waiting(facts: Facts): Statement[] {
  const seconds = Math.max(0, facts.world.nowUs() - facts.atUs) / 1e6;
  return [
    say('wait', `waiting for the reply, for ${seconds.toFixed(1)} s when this was drawn`),
    say('', 'where it went is told when it has ended: the decision comes with its event'),
  ];
}

function say(label: string, text: string, meaning: Meaning | null = null): Statement {
  return { label, text, meaning };
}

/** Why a command went where it went. */
export function decided(facts: Facts, unicode: boolean): Statement[] {
  const { event, decision, topology } = facts;
  const config = decision === null ? undefined : facts.world.config(decision.configVersion);
  if (event === null || decision === null || topology === undefined || config === undefined)
    return [say('why', 'the topology it was decided with is no longer known')];
  return explain(event.command, decision, topology, config.config).map((line) =>
    say(
      line.stage,
      printableText(line.text.replaceAll('’', "'"), { unicode }),
      line.dim === true ? 'dim' : line.stage === 'refuse' ? 'error' : null,
    ),
  );
}

function happened(facts: Facts, unicode: boolean, limit: number, valueLimit: number): Statement[] {
  const { event } = facts;
  if (event === null) return [];
  const lines: Statement[] = [];
  if (event.outcome.kind === 'reply' && event.outcome.cause !== null) {
    const cause = printableText(describeCause(event.outcome.cause), { unicode });
    lines.push(say('cause', cause, 'error'));
  }
  lines.push(
    say('reply', replyText(facts, unicode, limit, valueLimit), facts.isError ? 'error' : null),
  );
  return lines;
}

/** `:18   0.38 ms = queue 0.03 + upstream 0.30 + proxy 0.05`. */
function replyText(facts: Facts, unicode: boolean, limit: number, valueLimit: number): string {
  const { event, reply } = facts;
  if (event === null) return '';
  const printing = { unicode };
  const took = `${milliseconds(event.durationUs, 9)} ms`;
  if (event.outcome.kind !== 'reply')
    return `none: ${event.outcome.kind === 'client-closed' ? 'the client had closed its connection' : 'rmtop was ending'}, after ${took}`;
  const kind =
    reply === null ? `${count(event.reply.total)} bytes` : replyKind(reply, printing, limit);
  const value =
    reply !== null && (reply.type === '$' || reply.type === '*')
      ? `  ${replyValue(reply, printing, valueLimit)}`
      : '';
  const shown = value.length > valueLimit ? `${value.slice(0, valueLimit)}~` : value;
  const said = errorSaidBy(event);
  return `${kind}${shown}${said === null ? '' : `   (${said} said)`}   ${took}${timeParts(facts)}`;
}

function timeParts(facts: Facts): string {
  const { event } = facts;
  if (event === null || facts.parts.length === 0) return '';
  const ms = (us: number): string => (Math.max(0, us) / 1000).toFixed(2);
  const rest = event.durationUs - event.queueUs - event.upstreamUs;
  return ` = queue ${ms(event.queueUs)} + upstream ${ms(event.upstreamUs)} + proxy ${ms(rest)}`;
}

/** What says least goes first where there is no room: what was not done, that no prefix matched, and whom a copy went to. */
const LEAST: readonly ((each: Statement) => boolean)[] = [
  ({ meaning }) => meaning === 'dim',
  ({ label, text }) => label === 'route' && text.startsWith('catch-all'),
  ({ label }) => label === 'mirror',
];

/** The statements for `height` lines: all, or those that say most, the last among them. */
export function mostTelling(list: readonly Statement[], height: number): readonly Statement[] {
  const kept = [...list];
  for (const says of LEAST)
    for (let i = kept.length - 2; i >= 0 && kept.length > height; i--) {
      const each = kept[i];
      if (each !== undefined && says(each)) kept.splice(i, 1);
    }
  if (kept.length > height) kept.splice(Math.max(0, height - 1), kept.length - height);
  return kept;
}

const LABEL = 7;

/** A statement in `width` cells. */
export function statementLine(
  { label, text, meaning }: Statement,
  look: Look,
  width: number,
): string {
  const body = fit(text, Math.max(0, width - LABEL - 1));
  const painted = meaning === null ? body : look.theme.paint(meaning, body);
  return ` ${look.theme.paint('dim', fit(label, LABEL))}${painted}`;
}

/** The statements with all their text, in as many lines as it takes. */
export function wrappedStatements(list: readonly Statement[], look: Look, width: number): string[] {
  return list.flatMap(({ label, text, meaning }) =>
    wrap(text, Math.max(20, width - LABEL - 2)).map((line, i) => {
      const painted = meaning === null ? line : look.theme.paint(meaning, line);
      return ` ${look.theme.paint('dim', fit(i === 0 ? label : '', LABEL))}${painted}`;
    }),
  );
}
