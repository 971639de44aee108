/**
 * The form of a recording that is kept in git (recording page, 4.7): what the machine and the moment put into it is taken out, so that
 * recording the same test twice gives the same file, or a small difference that means something. It decides, replays and serves as before.
 */
import { RecordedCommand } from './command.js';
import { Assembly, type Kept, type Material, number, toMs } from './fixture-assembly.js';
import { AddressNames } from './fixture-names.js';
import type { Entry } from './reader.js';
import { blocks } from './replay-items.js';
import { isJsonObject, type Json, type JsonObject } from './values.js';

/** What is kept besides. `latency`: durations, in ms. */
export type FixtureOptions = { readonly latency: boolean };

/** What the server of a recording answers by itself, as far as it says something about the client and the servers only (7.2). */
const HOUSEKEEPING =
  /^(?:HELLO|PING|ECHO|SELECT|QUIT|RESET|AUTH|INFO|READONLY|READWRITE|ASKING|WAIT|CLIENT|COMMAND|CLUSTER)(?: |$)/;
const CLOCKS: ReadonlySet<string> = new Set(['TIME', 'LASTSAVE']);

/** Of records with a time of their own, those that are kept; commands, `mir`, `pend`, `topo` and `cfg` have their own places. */
const TIMED: ReadonlySet<string> = new Set(['conn', 'end', 'push', 'rule', 'hold', 'drop', 'note']);

/** Takes the entries of a recording in their order, all of them; then gives the lines of the fixture. */
export class FixtureMaker {
  private readonly options: FixtureOptions;
  private readonly names = new AddressNames();
  private header: JsonObject = {};
  private fin: JsonObject | null = null;
  private readonly commands: Kept[] = [];
  private readonly topologies = new Map<number, JsonObject>();
  private readonly configs = new Map<number, JsonObject>();
  private readonly running = new Map<number, JsonObject>();
  private readonly copies = new Map<number, JsonObject[]>();
  private readonly timed: JsonObject[] = [];

  constructor(options: FixtureOptions) {
    this.options = options;
  }

  add({ json, event }: Entry): void {
    if (event instanceof RecordedCommand) {
      this.running.delete(event.seq);
      if (!isLeftOut(event))
        this.commands.push({ json: this.shaped(event), decidedBy: event.decidedBy });
    } else if (json.k === 'rmtop') this.header = json;
    else if (json.k === 'fin') this.fin = json;
    else if (json.k === 'topo') this.topologies.set(number(json.ep), this.names.learn(json));
    else if (json.k === 'cfg') this.configs.set(number(json.cv), this.names.learn(json));
    else if (json.k === 'pend') this.running.set(number(json.n), json);
    else if (json.k === 'mir')
      this.copies.set(number(json.n), [...(this.copies.get(number(json.n)) ?? []), json]);
    else if (TIMED.has(String(json.k)) && json.lvl === undefined)
      this.timed.push(isJsonObject(json.snap) ? { ...json, snap: wholeSeconds(json.snap) } : json);
  }

  /** The lines, without their ends. To be called once. */
  lines(): string[] {
    this.commands.sort((a, b) => number(a.json.n) - number(b.json.n));
    return new Assembly({
      ...this.numbered(),
      header: this.header,
      fin: this.fin,
      commands: this.commands,
      topologies: this.topologies,
      configs: this.configs,
      copies: this.copies,
      timed: this.timed,
      running: [...this.running.values()],
      names: this.names,
    }).lines();
  }

  /** New numbers of commands and connections, and when the first of them came. */
  private numbered(): Pick<Material, 'seqs' | 'connections' | 'startS'> {
    const seqs = new Map<number, number>();
    const connections = new Map<number, number>();
    const all = [...this.commands.map(({ json }) => json), ...this.running.values()];
    all.sort((a, b) => number(a.n) - number(b.n));
    for (const { n, c } of all) {
      seqs.set(number(n), seqs.size + 1);
      if (!connections.has(number(c))) connections.set(number(c), connections.size + 1);
    }
    return { seqs, connections, startS: number(all[0]?.t) };
  }

  /** A command's line without what is of the moment. */
  private shaped(event: RecordedCommand): JsonObject {
    const { d, tm: _tm, bh: _bh, rs, ...line } = event.json;
    const { name } = event.command;
    // A command that waits for another one is told by its duration: replayed in order of arrival it would wait for ever.
    const isTimed = (this.options.latency || blocks(event.command)) && number(d) >= 0.0005;
    return {
      ...line,
      ...(isTimed ? { d: toMs(number(d)) } : {}),
      ...(line.r === undefined && rs !== undefined ? { rs } : {}),
      ...(Array.isArray(line.u)
        ? { u: (line.u as readonly JsonObject[]).map((part) => ({ ...part, d: 0 })) }
        : {}),
      ...(Array.isArray(line.at) ? { at: (line.at as readonly Json[][]).map(untimed) } : {}),
      ...(CLOCKS.has(name) ? { r: { red: 'time' } } : {}),
      ...(name === 'HELLO' ? { r: { red: 'server' } } : {}),
    };
  }
}

/** HELLO 3 stays: without it a replay would speak RESP2. So does what stands in a transaction, and another database. */
function isLeftOut({ command, reply }: RecordedCommand): boolean {
  const { name, session } = command;
  if (!HOUSEKEEPING.test(name) || session.multi) return false;
  const isRefused = reply.bytes[0] === MINUS;
  if (name === 'HELLO') return isRefused || command.argc < 2 || command.text(1, 8) !== '3';
  return !(name === 'SELECT' && command.argc > 1 && command.text(1, 8) !== '0');
}

const MINUS = 0x2d;

/** Of a time to live that a key had, the part of a second is of the moment. */
function wholeSeconds(snap: JsonObject): JsonObject {
  const ttl = number(snap.ttl);
  return ttl <= 0 ? snap : { ...snap, ttl: Math.max(1, Math.round(ttl / 1000)) * 1000 };
}

function untimed([
  part = 0,
  address = '',
  kind = '',
  sentUs = 0,
  doneUs = 0,
]: readonly Json[]): Json {
  const zero = (us: Json): number => (number(us) < 0 ? -1 : 0);
  return [part, address, kind, zero(sentUs), zero(doneUs)];
}
