/** Who sent a command and when, as labelled lines. */
import type { Facts } from 'rmtop';
import type { WallClock } from '../text/clock.js';
import { count } from '../text/figures.js';
import { printableText } from '../text/printable.js';
import type { Statement } from './decision.js';

/** The client, the moment, the pipeline it came in, its session's state and its sizes. */
export function who(facts: Facts, unicode: boolean, clock: WallClock): Statement[] {
  const { client, event } = facts;
  const say = (label: string, text: string): Statement => ({
    label,
    text: printableText(text, { unicode }),
    meaning: null,
  });
  const known =
    client === undefined
      ? ''
      : ` ${[client.address, client.name, client.library].filter(Boolean).join('  ')}  RESP${client.resp}`;
  const lines = [
    say('client', `c${facts.connection}${known}`),
    say('at', `${clock.text(facts.atUs)}   ${(facts.atUs / 1e6).toFixed(6)} s after the start`),
  ];
  if (event === null) return lines;
  const { burst } = event;
  if (burst.size > 1)
    lines.push(
      say(
        'burst',
        `${facts.seq - burst.first + 1} of ${burst.size} that came in one piece (from #${burst.first})`,
      ),
    );
  const { session } = event.command;
  if (session.multi) lines.push(say('state', 'in a transaction'));
  if (session.subscribed) lines.push(say('state', 'subscribed'));
  lines.push(say('bytes', `${count(event.request.total)} in, ${count(event.reply.total)} out`));
  return lines;
}
