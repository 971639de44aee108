/** Many recorded commands kept as the bytes of their lines, and read again when they are asked for. */
import type { RecordedCommand } from './command.js';
import { LineStore } from './line-store.js';
import type { JsonObject } from './values.js';

/** Commands by number, in the order they were added. */
export class CommandStore {
  private readonly lines = new LineStore();
  /** Where commands begin that were decided with another state: one of those without its content. */
  private readonly runs: { readonly from: number; readonly sample: RecordedCommand }[] = [];
  private lastNumber = -1;
  private last: RecordedCommand | null = null;

  get length(): number {
    return this.lines.length;
  }

  /** Keeps a command, `text` being its line; gives its number. */
  add(event: RecordedCommand, text: string): number {
    if (this.runs.at(-1)?.sample.versions !== event.versions)
      this.runs.push({ from: this.length, sample: event.as({ k: 'cmd' }) });
    return this.lines.add(text);
  }

  /** The command of that number: the same object as long as no other is asked for. */
  event(number: number): RecordedCommand {
    if (this.lastNumber === number && this.last !== null) return this.last;
    const run = this.runs.findLast(({ from }) => from <= number);
    const json = JSON.parse(this.lines.text(number)) as JsonObject;
    const event = (run as { readonly sample: RecordedCommand }).sample.as(json);
    this.lastNumber = number;
    this.last = event;
    return event;
  }
}
