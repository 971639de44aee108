/**
 * Commands that were written down elsewhere → a recording: MONITOR logs, append-only files, RESP captures (recording page, 8). They have
 * no replies and no way through a mesh: they are recorded as sent to one server, and can be replayed, not compared or served.
 */
import { type Command as AnyCommand, Command, NEW_SESSION } from '../commands/command.js';
import { type CommandNote, FLAG } from '../events/block.js';
import { EventBus } from '../events/bus.js';
import {
  condenseArguments,
  condenseRequest,
  type KeptArgument,
  readCondensed,
} from '../events/condense.js';
import { Block } from '../events/reader.js';
import { compileConfig } from '../mesh/compile.js';
import { type MeshConfig, singleUpstreamConfig } from '../mesh/config.js';
import { decide } from '../mesh/decide.js';
import { seededRng } from '../mesh/rng.js';
import { singleServer, type Topology } from '../mesh/topology.js';
import { encodeRequest } from '../resp/encode.js';
import { redisCliLine } from './exporters/redis-cli.js';
import { importAof } from './imports/aof.js';
import { importMonitor } from './imports/monitor.js';
import { importResp } from './imports/resp.js';
import { Recorder } from './recorder.js';
import { scriptNote } from './script-note.js';
import type { WriterOptions, WrittenTotals } from './writer.js';

/** One command as its source has it. `atUs` counts from the first one; `client` names its connection. */
export type Imported = {
  readonly atUs: number;
  readonly client: string;
  readonly args: readonly KeptArgument[];
  /** A script ran it: it would run twice if it were sent as well. */
  readonly ofScript?: true;
};

/** What is made of a source. */
export type ImportOptions = {
  /** Commands of scripts become notes, instead of being left out. */
  readonly scripts: boolean;
};

/** What a source came to, told when it has ended. */
export type ImportNotes = {
  /** Wall clock of the first command, ms since 1970; null where the source does not say. */
  startedMs: number | null;
  /** Lines or bytes that are no command, and why things were left out. */
  readonly skipped: Map<string, number>;
};

/** What is imported from. `read` gives batches of commands in their order. */
export type ImportFormat = {
  readonly name: 'monitor' | 'aof' | 'resp';
  readonly help: string;
  read(path: string, notes: ImportNotes): AsyncGenerator<readonly Imported[]>;
};

/** In the order of the help. */
export const IMPORT_FORMATS: readonly ImportFormat[] = [importMonitor, importAof, importResp];

const OF_SCRIPTS = 'commands of scripts, which would run twice (--lua keeps them as notes)';
/** A note is for people: what is longer is cut. */
const LONGEST_NOTE = 1000;
const SERVER = '127.0.0.1:6379';
const NOTHING = Buffer.alloc(0);
const SEED = 1;

/** Writes commands of `format` at `path` as a recording; `nowMs` is a monotonic clock. Throws what reading and writing throw. */
export async function importCommands(
  format: ImportFormat,
  path: string,
  options: WriterOptions,
  nowMs: () => number,
  { scripts }: ImportOptions = { scripts: false },
): Promise<{ readonly totals: WrittenTotals; readonly notes: ImportNotes }> {
  const notes: ImportNotes = { startedMs: null, skipped: new Map() };
  const recorder = new Recorder(options, nowMs);
  const writing = new Importing(recorder, options);
  for await (const commands of format.read(path, notes)) {
    writing.begin(notes.startedMs, path);
    for (const command of commands) {
      if (command.ofScript === undefined) writing.command(command);
      else if (scripts) writing.note(command);
      else notes.skipped.set(OF_SCRIPTS, (notes.skipped.get(OF_SCRIPTS) ?? 0) + 1);
    }
    writing.flush();
  }
  writing.begin(notes.startedMs, path);
  return { totals: writing.end(), notes };
}

/** Makes events of commands, decided as `--open` would: what the mesh refuses was sent all the same. */
class Importing {
  private readonly recorder: Recorder;
  private readonly bus = new EventBus();
  private readonly config: MeshConfig = singleUpstreamConfig([SERVER], { open: true });
  private readonly compiled = compileConfig(this.config);
  private readonly topology: Topology = {
    version: 1,
    upstreams: { redis: singleServer(SERVER) },
  };
  private readonly rng = seededRng(SEED);
  private readonly limits: WriterOptions['header']['cut'];
  private readonly clients = new Map<string, number>();
  private seq = 0;
  private lastUs = 0;
  private begun = false;

  constructor(recorder: Recorder, { header }: WriterOptions) {
    this.recorder = recorder;
    this.limits = header.cut;
    this.bus.subscribe({
      lossless: true,
      behind: false,
      accept: (block, used) => {
        this.recorder.block(new Block(block, used));
        return true;
      },
    });
  }

  /** The header and the state, once what there is to say in it is known. */
  begin(startedMs: number | null, upstream: string): void {
    if (this.begun) return;
    this.begun = true;
    const startedAt = new Date(startedMs ?? 0).toISOString().replace('Z', '000Z');
    this.bus.other({ type: 'hello', atUs: 0, startedAt, listen: [], upstream });
    this.bus.other({ type: 'config', atUs: 0, config: this.config });
    this.bus.other({
      type: 'topology',
      atUs: 0,
      version: this.topology.version,
      upstreams: {
        redis: {
          kind: 'single',
          source: 'import',
          ranges: null,
          hosts: null,
          servers: [
            { address: SERVER, dialled: SERVER, healthy: true, reachable: null, error: null },
          ],
        },
      },
    });
  }

  command({ atUs, client, args }: Imported): void {
    this.lastUs = atUs;
    const connection = this.connection(client, atUs);
    const command = Command.of(
      args.map((arg) => arg.bytes),
      NEW_SESSION,
    );
    const decision = decide(command, this.topology, this.compiled, this.rng);
    const seq = ++this.seq;
    const { bytes, flags, total } = this.request(command, args);
    const note: CommandNote = {
      seq,
      atUs,
      connection,
      flags: FLAG.authenticated | flags,
      topologyVersion: this.topology.version,
      configVersion: this.config.version,
      draws: decision.draws,
      attempts: null,
      queueUs: 0,
      upstreamUs: 0,
      burst: { first: seq, size: 1 },
      transactionKey: null,
      pinned: null,
      home: null,
      cause: null,
      requestBuf: bytes,
      requestStart: 0,
      requestEnd: bytes.length,
      requestTotal: total,
      replyBuf: NOTHING,
      replyStart: 0,
      replyEnd: 0,
      replyTotal: 0,
    };
    this.bus.command(note, 0);
  }

  /** What a script did, said beside the command that ran it: MONITOR tells that one first. */
  note({ atUs, args }: Imported): void {
    this.lastUs = atUs;
    const command = Command.of(args.map((arg) => arg.bytes));
    this.bus.other({
      type: 'log',
      atUs,
      level: 'info',
      text: scriptNote(this.seq, this.shown(command, args)),
      next: null,
    });
  }

  /** In redis-cli's syntax, without secrets. */
  private shown(command: AnyCommand, args: readonly KeptArgument[]): string {
    const kept = readCondensed(this.request(command, args).bytes);
    const line = redisCliLine(kept.map(({ bytes }) => bytes));
    return line.length <= LONGEST_NOTE ? line : `${line.slice(0, LONGEST_NOTE)}…`;
  }

  /** The request as it is kept: without secrets, large values cut. */
  private request(
    command: AnyCommand,
    args: readonly KeptArgument[],
  ): { readonly bytes: Buffer; readonly flags: number; readonly total: number } {
    const whole = encodeRequest(command.argv);
    const total = whole.length;
    if (args.some((arg) => arg.kind !== 'whole'))
      return { bytes: condenseArguments(args), flags: FLAG.condensed, total };
    const kept = condenseRequest(command, this.limits);
    return kept.equals(whole)
      ? { bytes: whole, flags: 0, total }
      : { bytes: kept, flags: FLAG.condensed, total };
  }

  private connection(client: string, atUs: number): number {
    const known = this.clients.get(client);
    if (known !== undefined) return known;
    const connection = this.clients.size + 1;
    this.clients.set(client, connection);
    this.bus.other({
      type: 'session',
      atUs,
      connection,
      state: 'opened',
      address: client,
      name: null,
      library: null,
      resp: 2,
    });
    return connection;
  }

  flush(): void {
    this.bus.flush();
  }

  end(): WrittenTotals {
    for (const connection of this.clients.values())
      this.bus.other({
        type: 'session-closed',
        atUs: this.lastUs,
        connection,
        by: 'client',
        error: null,
      });
    this.flush();
    return this.recorder.end('quit');
  }
}
