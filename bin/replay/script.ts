/** A recording read for a replay: what is sent, the faults and the start state it tells of, and the mesh it was recorded under. */
import {
  type CommandEvent,
  FaultScript,
  type Filter,
  type ItemOptions,
  isStopped,
  type LeftOut,
  type MeshConfig,
  type ReplayItem,
  RmtopError,
  redisCliLine,
  replayItem,
  Selection,
  StartState,
} from 'rmtop';
import { openFile, sayCondition } from '../recording-files.js';

/** Which commands of a recording are wanted. Numbers are inclusive, times in ms since the recording began. */
export type Range = {
  readonly filter: Filter | null;
  readonly fromMs: number;
  readonly toMs: number;
  readonly firstSeq: number;
  readonly lastSeq: number;
};

/** How a recording is read. */
export type ScriptOptions = Omit<ItemOptions, 'isExecuted'> & {
  /** Repeat the recorded faults. */
  readonly faults: boolean;
  /** Find out what was in the servers before. */
  readonly seedState: boolean;
};

/** Everything a replay is made of. */
export type Script = {
  readonly items: readonly ReplayItem[];
  readonly bySeq: ReadonlyMap<number, CommandEvent>;
  readonly leftOut: LeftOut;
  readonly total: number;
  readonly writes: number;
  /** The first configuration of the recording; null when it has none. */
  readonly config: MeshConfig | null;
  /** Not recorded live: neither its replies nor its way are known. */
  readonly isImported: boolean;
  /** Null: faults are not repeated; `faulted` of what is sent had been hit by one. */
  readonly faults: FaultScript | null;
  readonly faulted: number;
  readonly start: StartState | null;
};

const SHOWN = 60;

/** Reads `file`. Throws what reading throws, and REC_INCOMPLETE when it has no arguments to send. */
export async function readScript(
  file: string,
  range: Range,
  options: ScriptOptions,
): Promise<Script> {
  const { events, total, config, isImported } = await readCommands(file, range);
  const itemOptions: ItemOptions = { ...options, isExecuted: isImported };
  const leftOut: LeftOut = { incomplete: 0, blocking: 0, logins: 0 };
  const items: ReplayItem[] = [];
  const bySeq = new Map<number, CommandEvent>();
  const faults = options.faults ? new FaultScript() : null;
  const start = options.seedState ? new StartState() : null;
  let faulted = 0;
  for (const event of events) {
    start?.add(event);
    const item = replayItem(event, itemOptions, leftOut);
    if (item === null) continue;
    const hasOwnReply = event.decision.fault === null || !changesReply(event);
    if (!hasOwnReply) faulted++;
    items.push(hasOwnReply || faults !== null ? item : { ...item, compared: false });
    bySeq.set(event.seq, event);
    faults?.add(event);
  }
  const writes = items.filter(({ command: { spec } }) => spec?.writes !== false).length;
  return { items, bySeq, leftOut, total, writes, config, isImported, faults, faulted, start };
}

/** A recorded reply that a fault made is not what a server would say. */
function changesReply({ decision }: CommandEvent): boolean {
  const kind = decision.fault?.action.kind;
  return isStopped(decision) || kind === 'error' || kind === 'close';
}

type Read = {
  /** In the order of their arrival. */
  readonly events: readonly CommandEvent[];
  readonly total: number;
  readonly config: MeshConfig | null;
  readonly isImported: boolean;
};

async function readCommands(file: string, range: Range): Promise<Read> {
  const reader = await openFile(file);
  if (reader.header.capture === 'keys')
    throw new RmtopError('REC_INCOMPLETE', `${file} holds keys only: there is nothing to send`, {
      next: [`rmtop replay ${file} --decide-only        needs no more than keys`],
    });
  const selection = new Selection(reader, range.filter);
  const chosen = new Chosen();
  let config: MeshConfig | null = null;
  for await (const entries of reader.batches()) {
    for (const entry of entries) {
      const { event } = entry;
      const isWanted = selection.wants(entry);
      if (event?.type === 'config') config ??= event.config;
      if (event?.type === 'command') chosen.add(event, isWanted && isIn(range, event));
    }
  }
  sayCondition(file, reader.summary());
  const events = chosen.events();
  const isImported = typeof reader.header.src === 'string' && reader.header.src !== 'live';
  return { events, total: events.length, config, isImported };
}

/** The wanted commands; a transaction is whole or not there at all. */
class Chosen {
  private readonly wanted: CommandEvent[] = [];
  /** By connection: WATCH or MULTI and what follows until EXEC or DISCARD. */
  private readonly open = new Map<number, { events: CommandEvent[]; isWanted: boolean }>();

  /** Commands of one connection come in the order they arrived: their replies do. */
  add(event: CommandEvent, isWanted: boolean): void {
    const { name } = event.command;
    let transaction = this.open.get(event.connection);
    if (transaction === undefined && (name === 'WATCH' || name === 'MULTI')) {
      transaction = { events: [], isWanted: false };
      this.open.set(event.connection, transaction);
    }
    if (transaction === undefined) {
      if (isWanted) this.wanted.push(event);
      return;
    }
    transaction.events.push(event);
    transaction.isWanted ||= isWanted;
    if (name === 'EXEC' || name === 'DISCARD' || name === 'UNWATCH') this.settle(event.connection);
  }

  private settle(connection: number): void {
    const { events, isWanted } = this.open.get(connection) ?? { events: [], isWanted: false };
    this.open.delete(connection);
    if (isWanted) for (const event of events) this.wanted.push(event);
  }

  events(): CommandEvent[] {
    for (const connection of [...this.open.keys()]) this.settle(connection);
    return this.wanted.sort((a, b) => a.seq - b.seq);
  }
}

/** Whether a command is within the numbers and times asked for. */
export function isIn(range: Range, event: CommandEvent): boolean {
  return (
    event.seq >= range.firstSeq &&
    event.seq <= range.lastSeq &&
    event.atUs >= range.fromMs * 1000 &&
    event.atUs <= range.toMs * 1000
  );
}

/** A command in a line, cut. */
export function commandText(event: CommandEvent): string {
  const text = redisCliLine(event.args.map((arg) => arg.bytes));
  return text.length <= SHOWN ? text : `${text.slice(0, SHOWN - 1)}…`;
}
