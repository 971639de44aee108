/** A recording read for a replay: what is sent, the faults and the start state it tells of, and the mesh it was recorded under. */
import {
  type CommandEvent,
  FaultScript,
  type Filter,
  type ItemOptions,
  isStopped,
  type LeftOut,
  type MeshConfig,
  RecordedCommand,
  RecordedScripts,
  type RecordingReader,
  type ReplayItems,
  RmtopError,
  redactionTolerances,
  redactRulesOf,
  redisCliLine,
  replayItem,
  roundSuffix,
  Selection,
  type SnapshotEvent,
  SnapshotState,
  StartState,
  type ToleranceSource,
} from 'rmtop';
import { openFile, type Say, say, sayCondition } from '../recording-files.js';
import { foldRows, isOwn } from './fold.js';
import { type Row, Rows } from './rows.js';

/** Which commands of a recording are wanted. Numbers are inclusive, times in ms since the recording began. */
export type Range = {
  readonly filter: Filter | null;
  readonly fromMs: number;
  readonly toMs: number;
  readonly firstSeq: number;
  readonly lastSeq: number;
};

/** How a recording is read. */
export type ScriptOptions = Omit<ItemOptions, 'isExecuted' | 'suffix'> & {
  /** Repeat the recorded faults. */
  readonly faults: boolean;
  /** Find out what was in the servers before. */
  readonly seedState: boolean;
  /** Take what was saved of keys. */
  readonly snapshot: boolean;
  /** How many connections there are to be; null: one for each recorded one. */
  readonly connections: number | null;
};

/** Everything a replay is made of. */
export type Script = {
  /** What is sent in a round; with `varies`, of the second on with keys of its own. */
  items(round: number, varies: boolean): ReplayItems;
  readonly leftOut: LeftOut;
  readonly total: number;
  readonly writes: number;
  /** The first configuration of the recording; null when it has none. */
  readonly config: MeshConfig | null;
  /** What the decisions were made with. */
  readonly context: RecordingReader['context'];
  /** Not recorded live: neither its replies nor its way are known. */
  readonly isImported: boolean;
  /** Null: faults are not repeated; `faulted` of what is sent had been hit by one. */
  readonly faults: FaultScript | null;
  readonly faulted: number;
  readonly start: StartState | null;
  /** What was saved of the keys that are sent; null: nothing, or it is not wanted. */
  readonly snapshot: SnapshotState | null;
  readonly scripts: RecordedScripts;
  /** Edited before they were forwarded, and sent as they were received. */
  readonly edited: number;
  /** Connections that begin with RESP3 without saying so: HELLO came before the recording, or is filtered out. */
  readonly resp3: ReadonlySet<number>;
  /** Of folded connections: how many keep one of their own, for what they do cannot be shared. */
  readonly unfolded: number;
  /** By which a reply counts as the recorded one although parts of that were taken out. */
  readonly removed: ToleranceSource;
};

const SHOWN = 60;

/** Reads `file`; `note` is told what it lacks. Throws what reading throws, and REC_INCOMPLETE when it has no arguments to send. */
export async function readScript(
  file: string,
  range: Range,
  options: ScriptOptions,
  note: Say = say,
): Promise<Script> {
  const reader = await openFile(file, false, note);
  if (reader.header.capture === 'keys')
    throw new RmtopError('REC_INCOMPLETE', `${file} holds keys only: there is nothing to send`, {
      next: [`rmtop replay ${file} --decide-only        needs no more than keys`],
    });
  const isImported = typeof reader.header.src === 'string' && reader.header.src !== 'live';
  const making = new Making(options, isImported);
  const chosen = new Chosen((event, text) => making.add(event, text));
  const selection = new Selection(reader, range.filter);
  let config: MeshConfig | null = null;
  for await (const entries of reader.batches()) {
    for (const entry of entries) {
      const { event } = entry;
      const isWanted = selection.wants(entry);
      if (event?.type === 'config') config ??= event.config;
      if (event?.type === 'snapshot') making.saved(event);
      if (event instanceof RecordedCommand)
        chosen.add(event, entry.text, isWanted && isIn(range, event));
    }
  }
  sayCondition(file, reader.summary(), note);
  chosen.end();
  const removed = redactionTolerances(redactRulesOf(reader.header));
  const made = making.result(isPartial(range));
  return { ...made, config, isImported, context: reader.context, removed };
}

/** Takes in the commands that are wanted, in the order they finished in. */
class Making {
  private readonly options: ScriptOptions;
  private readonly itemOptions: ItemOptions;
  private readonly rows = new Rows();
  private readonly leftOut: LeftOut = { incomplete: 0, blocking: 0, logins: 0, folded: 0 };
  private readonly scripts = new RecordedScripts();
  /** The version of the protocol at the first command of each connection that is sent, and its number. */
  private readonly resp = new Map<number, { seq: number; version: 2 | 3 }>();
  private readonly own = new Set<number>();
  private readonly speakResp3 = new Set<number>();
  private readonly snapshot = new SnapshotState();
  private total = 0;
  private writes = 0;
  private faulted = 0;
  private edited = 0;

  constructor(options: ScriptOptions, isImported: boolean) {
    this.options = options;
    this.itemOptions = { ...options, isExecuted: isImported };
  }

  add(event: RecordedCommand, text: string): void {
    this.total++;
    const { connection, command, seq } = event;
    const item = replayItem(event, this.itemOptions, this.leftOut);
    this.scripts.add(event, item !== null);
    if (item !== null) {
      if (item.command.spec?.writes !== false) this.writes++;
      if (item.recorded === null) this.edited++;
      if (wasChanged(event)) this.faulted++;
      const first = this.resp.get(connection);
      if (first === undefined || seq < first.seq)
        this.resp.set(connection, { seq, version: command.session.resp });
      if (command.session.resp === 3) this.speakResp3.add(connection);
      if (this.options.connections !== null && isOwn(event)) this.own.add(connection);
    }
    if (item !== null || this.needsAll) this.rows.add(event, text, item);
  }

  saved(event: SnapshotEvent): void {
    if (this.options.snapshot) this.snapshot.add(event);
  }

  /** What is not sent tells of the start state all the same. */
  private get needsAll(): boolean {
    return this.options.seedState;
  }

  /** `isPart`: not all commands of the recording were given, and keys that none of them touches are left alone. */
  result(isPart: boolean): Omit<Script, 'config' | 'isImported' | 'context' | 'removed'> {
    const { rows, leftOut, scripts, faulted, edited, total, options } = this;
    const all = rows.sorted();
    const start = options.seedState ? new StartState() : null;
    const faults = options.faults ? new FaultScript() : null;
    if (start !== null || faults !== null)
      for (const row of all) {
        const event = rows.event(row);
        start?.add(event);
        if (rows.isSent(row)) faults?.add(event);
      }
    const resp3 = new Set(
      [...this.resp].flatMap(([connection, { version }]) => (version === 3 ? [connection] : [])),
    );
    const sent = all.filter((row) => rows.isSent(row));
    const { snapshot } = this;
    if (isPart && !snapshot.isEmpty) {
      const keys = this.keysOf(sent);
      snapshot.keep((key) => keys.has(key));
    }
    start?.without((key) => snapshot.has(key));
    const folded =
      options.connections === null
        ? { order: sent, unfolded: 0 }
        : foldRows(rows, sent, {
            count: options.connections,
            own: this.own,
            resp3: this.speakResp3,
            leftOut,
          });
    const items = (round: number, varies: boolean): ReplayItems =>
      this.items(folded.order, varies ? round : 1);
    const { unfolded } = folded;
    const { writes } = this;
    return {
      items,
      leftOut,
      total,
      writes,
      faults,
      faulted,
      start,
      snapshot: snapshot.isEmpty ? null : snapshot,
      scripts,
      edited,
      resp3,
      unfolded,
    };
  }

  /** The keys of commands, one character a byte. */
  private keysOf(sent: Int32Array): Set<string> {
    const keys = new Set<string>();
    for (const row of sent) {
      const { command } = this.rows.event(row);
      for (const at of command.keys) keys.add(command.argv[at]?.toString('latin1') ?? '');
    }
    return keys;
  }

  private items(order: Int32Array, round: number): ReplayItems {
    const { rows } = this;
    const options = { ...this.itemOptions, suffix: roundSuffix(round) };
    const none: LeftOut = { incomplete: 0, blocking: 0, logins: 0, folded: 0 };
    const row = (i: number): Row => order[i] as Row;
    return {
      length: order.length,
      seq: (i) => rows.seq(row(i)),
      atUs: (i) => rows.atUs(row(i)),
      doneUs: (i) => rows.doneUs(row(i)),
      connection: (i) => rows.connection(row(i)),
      load: (i) => {
        const event = rows.event(row(i));
        const item = replayItem(event, options, none);
        if (item === null)
          throw new RmtopError('INTERNAL', `command #${event.seq} cannot be sent any more`);
        const compared = item.compared && (this.options.faults || !wasChanged(event));
        return { ...item, compared, connection: rows.connection(row(i)) };
      },
    };
  }
}

/** A recorded reply that a fault made is not what a server would say. */
function wasChanged(event: RecordedCommand): boolean {
  if (event.json.f === undefined) return false;
  const kind = event.decision.fault?.action.kind;
  return kind !== undefined && (isStopped(event.decision) || kind === 'error' || kind === 'close');
}

/** Gives on the commands that are wanted; a transaction is whole or not there at all. */
class Chosen {
  private readonly give: (event: RecordedCommand, text: string) => void;
  /** By connection: WATCH or MULTI and what follows until EXEC or DISCARD. */
  private readonly open = new Map<
    number,
    { commands: (readonly [RecordedCommand, string])[]; isWanted: boolean }
  >();

  constructor(give: (event: RecordedCommand, text: string) => void) {
    this.give = give;
  }

  /** Commands of one connection come in the order they arrived: their replies do. */
  add(event: RecordedCommand, text: string, isWanted: boolean): void {
    const { name } = event.command;
    let transaction = this.open.get(event.connection);
    if (transaction === undefined && (name === 'WATCH' || name === 'MULTI')) {
      transaction = { commands: [], isWanted: false };
      this.open.set(event.connection, transaction);
    }
    if (transaction === undefined) {
      if (isWanted) this.give(event, text);
      return;
    }
    transaction.commands.push([event, text]);
    transaction.isWanted ||= isWanted;
    if (name === 'EXEC' || name === 'DISCARD' || name === 'UNWATCH') this.settle(event.connection);
  }

  private settle(connection: number): void {
    const { commands, isWanted } = this.open.get(connection) ?? { commands: [], isWanted: false };
    this.open.delete(connection);
    if (isWanted) for (const [event, text] of commands) this.give(event, text);
  }

  end(): void {
    for (const connection of [...this.open.keys()]) this.settle(connection);
  }
}

/** Whether anything of a recording may be out of it. */
function isPartial({ filter, fromMs, toMs, firstSeq, lastSeq }: Range): boolean {
  const ends = [toMs, lastSeq].some((end) => end !== Number.POSITIVE_INFINITY);
  return filter !== null || fromMs > 0 || firstSeq > 1 || ends;
}

/** Whether a command is within the numbers and times asked for. */
export function isIn(range: Range, event: Pick<CommandEvent, 'seq' | 'atUs'>): boolean {
  return (
    event.seq >= range.firstSeq &&
    event.seq <= range.lastSeq &&
    event.atUs >= range.fromMs * 1000 &&
    event.atUs <= range.toMs * 1000
  );
}

/** A request in a line, cut. */
export function requestText(args: readonly Buffer[]): string {
  const text = redisCliLine(args);
  return text.length <= SHOWN ? text : `${text.slice(0, SHOWN - 1)}…`;
}

/** A recorded command in a line; what was removed from it is not there. */
export function commandText(event: CommandEvent): string {
  return requestText(event.args.map((arg) => arg.bytes));
}
