/** The commands of a recording that a filter lets through, with the clients and topologies that it may ask for. */
import { type ClientInfo, Facts } from '../filter/facts.js';
import type { Filter } from '../filter/filter.js';
import type { Entry, RecordingReader } from './reader.js';

/** Says of each entry, in the order of the file, whether it is wanted: commands that fit, and everything that is no command. */
export class Selection {
  private readonly filter: Filter | null;
  private readonly facts: Facts;
  private readonly clients = new Map<number, ClientInfo>();
  private lastUs = 0;

  constructor(reader: Pick<RecordingReader, 'context'>, filter: Filter | null) {
    this.filter = filter;
    this.facts = new Facts({
      topology: (version) => reader.context.topology(version),
      config: (version) => reader.context.config(version),
      client: (connection) => this.clients.get(connection),
      slowUs: () => null,
      nowUs: () => this.lastUs,
    });
  }

  wants({ event }: Pick<Entry, 'event'>): boolean {
    if (event === null) return true;
    if (event.type === 'session') this.clients.set(event.connection, event);
    if (event.type !== 'command' || this.filter === null) return true;
    this.lastUs = Math.max(this.lastUs, event.atUs + event.durationUs);
    this.facts.load(event);
    return this.filter.matches(this.facts);
  }
}
