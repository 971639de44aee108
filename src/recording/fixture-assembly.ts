/** The parts of a fixture → its lines: in order of arrival, under their new numbers. */
import { createHash } from 'node:crypto';
import type { AddressNames } from './fixture-names.js';
import type { Json, JsonObject } from './values.js';

const NO_TIME = '1970-01-01T00:00:00.000000Z';
const FIELDS = 'k n t d c q db a ao qs ks s rt rf m dr ev u p hp at f fr ss x r rs cause e'.split(
  ' ',
);

/** A command's line, and the topology and configuration that decided it, by their recorded numbers. */
export type Kept = { readonly json: JsonObject; readonly decidedBy: readonly [number, number] };

/** What a fixture is made of. */
export type Material = {
  readonly header: JsonObject;
  readonly fin: JsonObject | null;
  /** In order of arrival. */
  readonly commands: readonly Kept[];
  readonly topologies: ReadonlyMap<number, JsonObject>;
  readonly configs: ReadonlyMap<number, JsonObject>;
  readonly copies: ReadonlyMap<number, readonly JsonObject[]>;
  readonly timed: readonly JsonObject[];
  readonly running: readonly JsonObject[];
  readonly names: AddressNames;
  readonly seqs: ReadonlyMap<number, number>;
  readonly connections: ReadonlyMap<number, number>;
  /** When the first command came. */
  readonly startS: number;
};

/** Puts the lines together in order of arrival, each topology and configuration before the first command that it decided. */
export class Assembly {
  private readonly of: Material;
  private readonly out: string[] = [];
  /** The first of `timed` that is not written; those behind it that are; and the connections that are open by them. */
  private nextTimed = 0;
  private readonly early = new Set<number>();
  private readonly open = new Set<number>();
  /** By its recorded number: the number that a topology has here. */
  private readonly versions = new Map<number, number>();
  private readonly versionOfText = new Map<string, number>();
  private readonly written = new Set<number>();
  private latest: readonly [number, number] = [0, 0];

  constructor(material: Material) {
    this.of = material;
  }

  lines(): string[] {
    const { header, fin, commands, running, names, seqs } = this.of;
    const { prev: _prev, ...rest } = header;
    this.put(
      names.renamed({
        ...rest,
        id: 'FIXTURE',
        part: 1,
        t0: NO_TIME,
        tool: 'rmtop',
        listen: [],
        fixture: true,
      }),
    );
    const groups = this.bursts();
    for (const { json, decidedBy } of commands) {
      this.timedUntil(this.time(json.t));
      this.command(json, decidedBy, groups);
    }
    this.timedUntil(Number.POSITIVE_INFINITY);
    for (const json of running)
      this.put({
        ...this.moved(json),
        n: seqs.get(number(json.n)) ?? 0,
        at: this.time(json.at ?? json.t),
      });
    if (fin !== null)
      this.put({
        k: 'fin',
        t: this.time(fin.t),
        why: fin.why,
        n: commands.length + running.length,
        cmds: commands.length,
        drop: fin.drop,
      });
    return this.out;
  }

  private put(line: JsonObject): void {
    this.out.push(JSON.stringify(line));
  }

  /** Its fields in the order in which the recorder writes them. */
  private putCommand(line: JsonObject): void {
    const at = (key: string): number => FIELDS.indexOf(key) >>> 0; // what is of a later version comes last
    this.put(
      Object.fromEntries(Object.entries(line).sort(([one], [other]) => at(one) - at(other))),
    );
  }

  private time(t: Json | undefined): number {
    return Math.max(0, toMs(number(t) - this.of.startS));
  }

  /** With its time and its connection as they are here. */
  private moved(json: JsonObject): JsonObject {
    const c = this.of.connections.get(number(json.c));
    return { ...json, t: this.time(json.t), ...(c === undefined ? {} : { c }) };
  }

  /** Which commands a client sent in one write, of those that are left. */
  private bursts(): Map<number, number[]> {
    const groups = new Map<number, number[]>();
    for (const { json } of this.of.commands) {
      if (!Array.isArray(json.q)) continue;
      const first = number((json.q as readonly Json[])[0]);
      groups.set(first, [...(groups.get(first) ?? []), number(json.n)]);
    }
    return groups;
  }

  private command(
    json: JsonObject,
    decidedBy: readonly [number, number],
    groups: ReadonlyMap<number, readonly number[]>,
  ): void {
    const { names, seqs, copies } = this.of;
    const seq = number(json.n);
    const { q, ev: _ev, ...line } = this.moved(json);
    const used = this.versionsFor(decidedBy, number(json.t));
    const group = Array.isArray(q) ? (groups.get(number((q as readonly Json[])[0])) ?? []) : [];
    const n = seqs.get(seq) ?? 0;
    this.putCommand({
      ...names.renamedCommand(line),
      n,
      ...(group.length > 1
        ? { q: [seqs.get(group[0] ?? 0) ?? 0, group.indexOf(seq), group.length] }
        : {}),
      ...(used[0] === this.latest[0] && used[1] === this.latest[1] ? {} : { ev: used }),
    });
    for (const copy of copies.get(seq) ?? []) {
      const { d: _d, lag: _lag, ...rest } = copy;
      this.put({ ...names.renamed(rest), n, t: this.time(copy.t) });
    }
  }

  /** Writes the topology and the configuration of a command where they are not there yet; gives their numbers here. */
  private versionsFor(
    [topology, config]: readonly [number, number],
    before: number,
  ): [number, number] {
    const { configs, names } = this.of;
    const cfg = configs.get(config);
    if (cfg !== undefined && !this.written.has(config)) {
      this.written.add(config);
      const renamed = names.renamed(cfg);
      const sha256 = createHash('sha256').update(JSON.stringify(renamed.mesh)).digest('hex');
      this.put({ ...renamed, t: this.time(Math.min(number(cfg.t), before)), sha256 });
      this.latest = [this.latest[0], config];
    }
    return [this.topologyFor(topology, before), config];
  }

  /** Those that differ in nothing that decides are one. */
  private topologyFor(version: number, before: number): number {
    const known = this.versions.get(version);
    if (known !== undefined) return known;
    const json = this.of.topologies.get(version);
    if (json === undefined) return version;
    const { t: _t, ep: _ep, ...rest } = this.of.names.renamed(json);
    const text = JSON.stringify(rest);
    const same = this.versionOfText.get(text);
    const ep = same ?? this.versionOfText.size + 1;
    this.versions.set(version, ep);
    if (same !== undefined) return same;
    this.versionOfText.set(text, ep);
    this.put({ k: 'topo', t: this.time(Math.min(number(json.t), before)), ep, ...rest });
    this.latest = [ep, this.latest[1]];
    return ep;
  }

  /** What happened before `t`, of connections that have a command here; at `t`, what opens one. By rounded times, so that it stays. */
  private timedUntil(t: number): void {
    const { timed, connections } = this.of;
    for (let i = this.nextTimed; i < timed.length; i++) {
      const json = timed[i] as JsonObject;
      const at = this.time(json.t);
      if (at > t) break;
      if (this.early.has(i)) continue;
      const c = number(json.c);
      const opens = json.k === 'conn' && !this.open.has(c);
      if (at === t && !opens) continue;
      this.early.add(i);
      if (json.k === 'conn') this.open.add(c);
      else if (json.k === 'end') this.open.delete(c);
      if (json.c === undefined || connections.has(c)) this.timedLine(json);
    }
    while (this.early.delete(this.nextTimed)) this.nextTimed++;
  }

  private timedLine(json: JsonObject): void {
    const { seqs, names } = this.of;
    const line = this.moved(json);
    const n = seqs.get(number(json.n));
    if (json.k === 'conn') this.put({ ...line, addr: peerName(String(json.addr), number(line.c)) });
    else if (json.k === 'drop') this.put({ ...line, from: 0, to: 0 });
    else if (json.n === undefined || n !== undefined)
      this.put(names.renamedReply({ ...line, ...(n === undefined ? {} : { n }) }));
  }
}

/** Where a client is stays, its port becomes the number of its connection. */
function peerName(address: string, connection: number): string {
  return address.replace(/:\d+$/, `:${connection}`);
}

/** Seconds of a line, to the ms. */
export function toMs(seconds: number): number {
  return Math.round(seconds * 1000) / 1000;
}

/** A number of a line; 0 where there is none. */
export function number(value: Json | undefined): number {
  return typeof value === 'number' ? value : 0;
}
