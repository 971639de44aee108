/** Names for the servers of a recording that are the same on every machine: `10.0.1.11:6379` is the first replica of shard 1. */
import { isJsonObject, type Json, type JsonObject } from './values.js';

const PORT = 6379;
/** Envoy orders replicas by the text of their addresses: all have two digits, so that the order is kept. */
const PRIMARY = 10;

/**
 * Learns addresses from topologies and configurations, and puts names in their places. Hosts that keys are spread over keep theirs, where
 * there are several: their addresses decide where a key goes.
 */
export class AddressNames {
  private readonly names = new Map<string, string>();
  private readonly fixed = new Set<string>();
  /** Shards seen so far, and which of them a server was first seen in. */
  private shards = 0;
  private readonly numbers = new Map<string, number>();

  /** Learns the servers of a `topo` or `cfg` line; gives the line without what was found out about them on this machine. */
  learn(line: JsonObject): JsonObject {
    if (line.k === 'cfg') {
      this.learnConfig(line);
      return line;
    }
    const ups = isJsonObject(line.ups) ? line.ups : {};
    for (const state of Object.values(ups)) if (isJsonObject(state)) this.learnUpstream(state);
    return {
      ...line,
      src: '',
      nodes: list(line.nodes).map((node) => (isJsonObject(node) ? without(node, 'via') : node)),
      ups: Object.fromEntries(
        Object.entries(ups).map(([upstream, state]) => [
          upstream,
          isJsonObject(state) ? bare(state) : state,
        ]),
      ),
    };
  }

  private learnConfig({ mesh }: JsonObject): void {
    const upstreams = isJsonObject(mesh) && isJsonObject(mesh.upstreams) ? mesh.upstreams : {};
    for (const upstream of Object.values(upstreams)) {
      if (!isJsonObject(upstream) || upstream.hostSet === null) continue;
      const seeds = list(upstream.seeds);
      if (seeds.length > 1) for (const seed of seeds) this.fixed.add(String(seed));
    }
  }

  private learnUpstream(state: JsonObject): void {
    const hosts = isJsonObject(state.hosts) ? list(state.hosts.placed) : [];
    for (const host of hosts)
      if (hosts.length > 1 && isJsonObject(host)) this.fixed.add(String(host.address));
    const ranges = list(state.ranges).filter(isJsonObject);
    for (const range of ranges.sort((a, b) => Number(a.start) - Number(b.start))) {
      const shard = this.shardOf(String(range.primary));
      for (const replica of list(range.replicas).map(String).sort()) this.name(replica, shard);
    }
    for (const server of list(state.servers))
      if (isJsonObject(server)) this.shardOf(String(server.address));
  }

  /** The number of the shard that a primary has been seen with, and its name. */
  private shardOf(primary: string): number {
    if (!this.numbers.has(primary)) this.name(primary, this.shards);
    return this.numbers.get(primary) ?? this.shards;
  }

  private name(address: string, shard: number): void {
    if (this.names.has(address) || this.fixed.has(address)) return;
    let host = PRIMARY;
    const taken = new Set(this.names.values());
    while (taken.has(`10.0.${shard}.${host}:${PORT}`)) host++;
    this.names.set(address, `10.0.${shard}.${host}:${PORT}`);
    this.numbers.set(address, shard);
    if (shard === this.shards) this.shards++;
  }

  /** A copy in which every text that is an address of a server, or that holds some, has their names. */
  renamed<T extends Json>(value: T): T {
    return this.walk(value) as T;
  }

  /** A command's line: what the client said and was told stays, but for the addresses in errors. */
  renamedCommand(line: JsonObject): JsonObject {
    const said = ({ a, ao, r }: JsonObject): JsonObject => ({ a, ao, r });
    return this.renamedReply({ ...this.renamed(line), ...said(line) });
  }

  /** As `renamed`, of the errors in its reply only. */
  renamedReply(line: JsonObject): JsonObject {
    const { r } = line;
    return isJsonObject(r) && typeof r['-'] === 'string' ? { ...line, r: this.renamed(r) } : line;
  }

  private walk(value: Json | undefined): Json | undefined {
    if (typeof value === 'string') return this.text(value);
    if (Array.isArray(value))
      return (value as readonly Json[]).map((each) => this.walk(each) ?? null);
    if (!isJsonObject(value)) return value;
    return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, this.walk(each)]));
  }

  private text(text: string): string {
    return text.includes(':')
      ? text.replace(/[^\s,=/@]+:\d+/g, (address) =>
          this.fixed.has(address) ? address : (this.names.get(address) ?? address),
        )
      : text;
  }
}

/** An upstream's state without what is known of the way to its servers from here. */
function bare(state: JsonObject): JsonObject {
  return {
    ...state,
    source: '',
    servers: list(state.servers).map((server) =>
      isJsonObject(server)
        ? { ...server, dialled: server.address, reachable: null, error: null }
        : server,
    ),
  };
}

function without(json: JsonObject, key: string): JsonObject {
  return Object.fromEntries(Object.entries(json).filter(([each]) => each !== key));
}

function list(value: Json | undefined): readonly Json[] {
  return Array.isArray(value) ? (value as readonly Json[]) : [];
}
