/** Reads a recording to its end and says whether it is all there, what secrets it holds, and whether each decision can be made again. */
import { hasSecretReply, secretArguments } from '../events/condense.js';
import type { CommandEvent } from '../events/event.js';
import { decodeReply, isError } from '../resp/value.js';
import { RecordedCommand } from './command.js';
import { isOfRing, type RecordingReader, type RecordingSummary } from './reader.js';
import { secretLooking } from './secrets.js';
import { isJsonObject, type Json, type JsonObject } from './values.js';
import { type BrokenLaw, checkLaw } from './verify.js';

/** Of each kind of finding no more are kept; all are counted. */
const MOST_KEPT = 100;

/** A secret that stands in a recording; where, never what. */
export type FoundSecret = {
  /** Line of the file. */
  readonly line: number;
  /** `AUTH argument 1`, `ACL LIST reply`, `the upstream's URL`. */
  readonly where: string;
};

/** Some of the findings of one kind, the first hundred, and how many there are. */
export type Found<T> = { readonly first: readonly T[]; readonly count: number };

/** What a recording is. Counts are of commands. */
export type Audit = {
  readonly summary: RecordingSummary;
  /** Client connections. */
  readonly clients: number;
  /** Numbers that no line accounts for: neither finished, nor running, nor told to be dropped. */
  readonly missing: number;
  readonly secrets: Found<FoundSecret>;
  /** Values that look like secrets of whatever kind; null: not looked for. */
  readonly secretLooking: Found<FoundSecret> | null;
  /** With an argument that was removed; with one, or a reply, that was cut or is not kept. */
  readonly redacted: number;
  readonly cut: number;
  readonly withoutReply: number;
  /** Keys that were saved as they were before their first command, and keys that could not be. */
  readonly saved: number;
  readonly notSaved: number;
  /** Decided again as recorded: the replay law (architecture page, 5). */
  readonly decided: number;
  readonly broken: Found<BrokenLaw>;
  /** Cannot be decided again: no topology or configuration stands before them. */
  readonly undecidable: number;
};

/** Reads all of `reader`; `looks`: also for values that look like secrets. Throws what reading throws. */
export async function auditRecording(reader: RecordingReader, looks = false): Promise<Audit> {
  const audit = new Auditor(reader, looks);
  for await (const entries of reader.batches())
    for (const { event, json, line } of entries) {
      if (looks) audit.look(json, line);
      if (event instanceof RecordedCommand) audit.command(event, line);
      else if (event?.type === 'snapshot') audit.snapshot(event.left === null);
      else if (event?.type === 'session' && event.state === 'opened') audit.clients++;
    }
  return audit.result();
}

class Findings<T> implements Found<T> {
  readonly first: T[] = [];
  count = 0;

  add(found: T): void {
    this.count++;
    if (this.first.length < MOST_KEPT) this.first.push(found);
  }
}

class Auditor {
  clients = 0;
  private readonly reader: RecordingReader;
  private readonly secrets = new Findings<FoundSecret>();
  private readonly looking: Findings<FoundSecret> | null;
  private readonly broken = new Findings<BrokenLaw>();
  private redacted = 0;
  private cut = 0;
  private withoutReply = 0;
  private saved = 0;
  private notSaved = 0;
  private decided = 0;
  private undecidable = 0;

  constructor(reader: RecordingReader, looks: boolean) {
    this.reader = reader;
    this.looking = looks ? new Findings() : null;
    if (/:\/\/[^/\s]*@/.test(String(reader.header.up ?? '')))
      this.secrets.add({ line: 1, where: 'the upstream’s URL' });
  }

  look(json: JsonObject, line: number): void {
    for (const where of secretLooking(json)) this.looking?.add({ line, where });
  }

  snapshot(isSaved: boolean): void {
    if (isSaved) this.saved++;
    else this.notSaved++;
  }

  command(event: RecordedCommand, line: number): void {
    const { args } = event;
    if (args.some(({ kind }) => kind === 'redacted')) this.redacted++;
    if (args.some(({ kind }) => kind === 'cut') || isCut(event.json.r)) this.cut++;
    if (event.json.r === undefined) this.withoutReply++;
    for (const where of secretsOf(event)) this.secrets.add({ line, where });
    this.law(event);
  }

  private law(event: RecordedCommand): void {
    const [topology, config] = event.decidedBy;
    const { context } = this.reader;
    if (context.topology(topology) === undefined || context.config(config) === undefined) {
      this.undecidable++;
      return;
    }
    const broken = checkLaw(event, context);
    if (broken === null) this.decided++;
    else this.broken.add(broken);
  }

  result(): Audit {
    const { clients, secrets, broken, redacted, cut, withoutReply, decided, undecidable } = this;
    const summary = this.reader.summary();
    const missing = this.missing(summary);
    return {
      summary,
      clients,
      missing,
      secrets,
      secretLooking: this.looking,
      redacted,
      cut,
      withoutReply,
      saved: this.saved,
      notSaved: this.notSaved,
      decided,
      broken,
      undecidable,
    };
  }

  /** Of a whole recording only: a part begins in the middle, and a filter leaves numbers out. */
  private missing({ commands, dropped, running, lastSeq, fin }: RecordingSummary): number {
    const { header } = this.reader;
    const { part, filter } = header;
    if (part !== 1 || filter !== undefined || fin?.why === 'rotate' || isOfRing(header)) return 0;
    return Math.max(0, lastSeq - commands - dropped - running.length);
  }
}

function isCut(reply: Json | undefined): boolean {
  return isJsonObject(reply) && reply.cut !== undefined;
}

/** What should have been removed where the command was recorded, by the rules that remove it. */
function secretsOf({ command, args, reply }: CommandEvent): string[] {
  if (command.spec?.secret !== true) return [];
  const { name } = command;
  const found = secretArguments(command)
    .filter((at) => args[at]?.kind === 'whole' || args[at]?.kind === 'cut')
    .map((at) => `${name} argument ${at}`);
  if (!reply.condensed && reply.bytes.length > 0 && hasSecretReply(command)) {
    const value = decodeReply(reply.bytes);
    // What refuses the command without quoting it holds nothing; only HELLO's errors quote.
    if (value === null || !isError(value) || name === 'HELLO') found.push(`${name} reply`);
  }
  return found;
}
