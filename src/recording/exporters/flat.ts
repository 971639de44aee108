/** One flat object a command, for jq and spreadsheets: everything a column. */
import { showReply } from '../../compare/show.js';
import type { CommandEvent } from '../../events/event.js';
import { decodeReply } from '../../resp/value.js';
import type { Exporter } from '../exporters.js';
import type { Entry } from '../reader.js';
import type { Json } from '../values.js';
import { commandOf } from './command-of.js';
import { redisCliLine } from './redis-cli.js';

/** The columns of a command, in order; null where there is nothing. Times in seconds and ms. */
export function columnsOf(
  entry: Entry,
  event: CommandEvent,
): Readonly<Record<string, string | number | null>> {
  const { json } = entry;
  const [why, role, policy] = list(json.p);
  const { command } = event;
  const [key] = command.keys;
  return {
    n: event.seq,
    t: event.atUs / 1e6,
    ms: event.durationUs / 1000,
    client: event.connection,
    command: command.name,
    key: key === undefined ? null : printable(command.text(key, 200)),
    args: redisCliLine(event.args.map((arg) => arg.bytes)).slice(0, 2000),
    slot: Array.isArray(json.s) ? json.s.join(' ') : ((json.s as number | undefined) ?? null),
    route: text(json.rt),
    node: nodesOf(json.u),
    why: text(why),
    role: text(role),
    policy: text(policy),
    redirects: Array.isArray(json.hp) ? json.hp.length : 0,
    refused: text(json.rf),
    flags: text(json.x),
    ended: text(json.e),
    reply: shown(event),
    request_bytes: event.request.total,
    reply_bytes: event.reply.total,
  };
}

function shown(event: CommandEvent): string | null {
  if (event.reply.condensed) return '(not kept)';
  const reply = event.reply.bytes.length === 0 ? null : decodeReply(event.reply.bytes);
  return reply === null ? null : showReply(reply);
}

function printable(latin1: string): string {
  return latin1.replace(
    /[^\x20-\x7e]/g,
    (each) => `\\x${each.charCodeAt(0).toString(16).padStart(2, '0')}`,
  );
}

function nodesOf(u: Json | undefined): string | null {
  if (!Array.isArray(u)) return text(u);
  return (u as readonly { readonly u?: Json }[]).map((part) => text(part.u) ?? '-').join(' ');
}

function list(value: Json | undefined): readonly Json[] {
  return Array.isArray(value) ? (value as readonly Json[]) : [];
}

function text(value: Json | undefined): string | null {
  return typeof value === 'string' ? value : null;
}

export const flat: Exporter = {
  name: 'flat',
  help: 'one flat JSON object a command',
  head: '',
  entry(entry) {
    const event = commandOf(entry);
    return event === null ? null : `${JSON.stringify(columnsOf(entry, event))}\n`;
  },
};
