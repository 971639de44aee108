/** One aligned line a command, for people: number, time, client, command, where it went, how long it took, reply. */
import type { Exporter } from '../exporters.js';
import { commandOf } from './command-of.js';
import { columnsOf } from './flat.js';

const MOST_COMMAND = 60;
const MOST_REPLY = 80;

export const text: Exporter = {
  name: 'text',
  help: 'a line a command, for people',
  head: '',
  entry(entry) {
    const event = commandOf(entry);
    if (event === null) return null;
    const row = columnsOf(entry, event);
    const asked = cut(String(row.args), MOST_COMMAND).padEnd(MOST_COMMAND);
    const where = String(row.refused === null ? row.node : `refused ${row.refused}`).padEnd(8);
    return [
      `#${row.n}`.padEnd(8),
      event.atUs < 0 ? '' : (event.atUs / 1e6).toFixed(6).padStart(12),
      `c${row.client}`.padEnd(4),
      asked,
      where,
      `${(event.durationUs / 1000).toFixed(2)} ms`.padStart(10),
      `${cut(String(row.reply ?? row.ended ?? ''), MOST_REPLY)}\n`,
    ].join(' ');
  },
};

function cut(text: string, most: number): string {
  return text.length <= most ? text : `${text.slice(0, most - 1)}…`;
}
