/** What values fields have here and now: for the filter's completion. */
import { aliasOf } from 'rmtop';
import type { Model } from './model.js';
import { quoted } from './text/quoted.js';

/** Values of `field` that are there to be asked for; none where they are not known, or too many. */
export function knownValues(model: Model, field: string): readonly string[] {
  switch (field) {
    case 'node':
      return aliases(model);
    case 'shard':
      return [...new Set(aliases(model).flatMap((alias) => /^s\d+/.exec(alias)?.[0] ?? []))];
    case 'client':
    case 'client.name':
      return unique(model.feed.sessions.list().map(({ name }) => name));
    case 'client.addr':
      return unique(model.feed.sessions.list().map(({ address }) => address));
    case 'fault.id':
      return model.desk.rules.map(({ id }) => id);
    default:
      return [];
  }
}

function aliases(model: Model): readonly string[] {
  const { topologyEvent, context } = model.feed;
  const { topology } = context.latest;
  if (topologyEvent === null || topology === undefined) return [];
  return Object.entries(topologyEvent.upstreams).flatMap(([name, state]) =>
    state.servers.map((server) => aliasOf(topology, name, server.address)),
  );
}

function unique(names: readonly (string | null)[]): readonly string[] {
  const known = names.filter((name) => name !== null && name !== '') as readonly string[];
  return [...new Set(known)].map((name) => quoted(Buffer.from(name).toString('latin1')));
}
