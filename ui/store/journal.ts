/** What happened besides commands, for the Log pane and the toast line. */
import { describeCause, type MeshConfig, type OtherEvent } from 'rmtop';

export type Level = 'info' | 'warning' | 'error';

/** One entry; `times` counts how often in a row the same happened. */
export type Entry = {
  readonly atUs: number;
  readonly level: Level;
  readonly text: string;
  readonly next: string | null;
  readonly times: number;
};

const KEPT = 1000;

export class Journal {
  private readonly entries: Entry[] = [];
  private known: Extract<OtherEvent, { type: 'topology' }> | null = null;
  private config: MeshConfig | null = null;
  /** Told of each entry as it is made. */
  onEntry: (entry: Entry) => void = () => {};

  get list(): readonly Entry[] {
    return this.entries;
  }

  hear(event: OtherEvent): void {
    switch (event.type) {
      case 'log':
        this.add(event.atUs, event.level, event.text, event.next);
        return;
      case 'topology':
        for (const text of changes(this.known, event)) this.add(event.atUs, 'info', text, null);
        this.known = event;
        return;
      case 'upstream':
        // A client's own connection is let go when it is no longer needed, many a second perhaps.
        if (event.own && event.cause?.code === 'removed') return;
        if (event.cause !== null && event.state !== 'ready')
          this.add(
            event.atUs,
            // A server that the topology no longer names is let go on purpose.
            event.cause.code === 'removed' ? 'info' : 'warning',
            `upstream: ${describeCause(event.cause)}`,
            null,
          );
        return;
      case 'config':
        if (event.config.version > 1)
          this.add(event.atUs, 'info', configText(this.config, event.config), null);
        this.config = event.config;
        return;
      case 'gap':
        this.add(
          event.atUs,
          'warning',
          `lost ${event.dropped} rows, #${event.from} to #${event.to}: the screen was too slow`,
          null,
        );
        return;
      default:
        return;
    }
  }

  /** Notes something; the same thing again only counts up. */
  add(atUs: number, level: Level, text: string, next: string | null): void {
    const last = this.entries.at(-1);
    const isAgain = last !== undefined && last.text === text && last.level === level;
    const entry: Entry = { atUs, level, text, next, times: isAgain ? last.times + 1 : 1 };
    if (isAgain) this.entries[this.entries.length - 1] = entry;
    else this.entries.push(entry);
    if (this.entries.length > KEPT) this.entries.shift();
    this.onEntry(entry);
  }
}

/** What a new configuration means: most are faults that were switched. */
function configText(before: MeshConfig | null, now: MeshConfig): string {
  const on = ({ rules, faults }: MeshConfig): readonly string[] =>
    [...rules, ...faults].filter((each) => each.on).map((each) => each.id);
  const had = before === null ? [] : on(before);
  const has = on(now);
  const came = has.filter((id) => !had.includes(id));
  const went = had.filter((id) => !has.includes(id));
  const parts = [
    ...(came.length > 0 ? [`${came.join(' ')} ON`] : []),
    ...(went.length > 0 ? [`${went.join(' ')} OFF`] : []),
  ];
  const what = parts.length > 0 ? `faults: ${parts.join(', ')}; ` : '';
  return `${what}configuration ${now.version} is in force`;
}

type TopologyEvent = Extract<OtherEvent, { type: 'topology' }>;

/** What is different in a new topology, in sentences. */
function changes(before: TopologyEvent | null, now: TopologyEvent): string[] {
  const lines: string[] = [];
  for (const [name, state] of Object.entries(now.upstreams)) {
    const old = before?.upstreams[name];
    if (state.kind === 'unknown') continue;
    if (old === undefined || old.kind === 'unknown') {
      const primaries = new Set((state.ranges ?? []).map((range) => range.primary)).size;
      lines.push(
        state.kind === 'slots'
          ? `${name}: a Redis Cluster of ${primaries} shards, ${state.servers.length} nodes (${state.source})`
          : `${name}: one server, no Redis Cluster (${state.source})`,
      );
      continue;
    }
    const owners = (ranges: typeof state.ranges): string =>
      (ranges ?? []).map((range) => `${range.start}-${range.end} ${range.primary}`).join(', ');
    if (owners(old.ranges) !== owners(state.ranges))
      lines.push(`${name}: slots are now at ${owners(state.ranges) || 'nobody'}`);
    const had = new Set(old.servers.map((server) => server.address));
    const has = new Set(state.servers.map((server) => server.address));
    const came = [...has].filter((address) => !had.has(address));
    const went = [...had].filter((address) => !has.has(address));
    if (came.length > 0) lines.push(`${name}: new ${came.join(', ')}`);
    if (went.length > 0) lines.push(`${name}: gone ${went.join(', ')}`);
  }
  return lines;
}
