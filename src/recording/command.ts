/** A line of a finished command, read as the event it was. Fields are worked out when they are asked for; the decision is made again. */
import { Command, NEW_SESSION, type SessionView } from '../commands/command.js';
import { RmtopError } from '../errors.js';
import {
  condenseArguments,
  cutMarker,
  type KeptArgument,
  redactedMarker,
} from '../events/condense.js';
import type { Attempt, Cause, CommandEvent, Kept, Outcome } from '../events/event.js';
import type { StreamContext } from '../events/reader.js';
import { decide } from '../mesh/decide.js';
import type { Decision } from '../mesh/decision.js';
import { replayRng } from '../mesh/rng.js';
import { encodeRequest } from '../resp/encode.js';
import { encodedSize, impliedAttempts } from './format.js';
import { micros } from './others.js';
import {
  argumentFromJson,
  bytesFromJson,
  isJsonObject,
  type Json,
  type JsonObject,
  replyBytesFromJson,
} from './values.js';

const NOTHING = Buffer.alloc(0);

/** A command of a recording. `json` is its line; `versions` those of the topology and configuration that were newest before it. */
export class RecordedCommand implements CommandEvent {
  readonly type = 'command';
  readonly json: JsonObject;
  private readonly context: StreamContext;
  /** The same object for all commands between two changes. */
  readonly versions: readonly [topology: number, config: number];
  private knownArgs: readonly KeptArgument[] | null = null;
  private knownCommand: Command | null = null;
  private knownDecision: Decision | null = null;
  private knownRequest: Kept | null = null;
  private knownReply: Kept | null = null;

  constructor(
    json: JsonObject,
    context: StreamContext,
    versions: readonly [topology: number, config: number],
  ) {
    this.json = json;
    this.context = context;
    this.versions = versions;
  }

  /** The same command of another line, such as one without its values. */
  as(json: JsonObject): RecordedCommand {
    return new RecordedCommand(json, this.context, this.versions);
  }

  get seq(): number {
    return this.json.n as number;
  }

  get atUs(): number {
    return micros(this.json.t);
  }

  get durationUs(): number {
    return micros(this.json.d);
  }

  get connection(): number {
    return this.json.c as number;
  }

  get queueUs(): number {
    return this.timing(0);
  }

  get upstreamUs(): number {
    return this.timing(1);
  }

  private timing(i: number): number {
    const tm = this.json.tm;
    const value = Array.isArray(tm) ? (tm as readonly Json[])[i] : 0;
    return typeof value === 'number' ? value : 0;
  }

  get burst(): { readonly first: number; readonly size: number } {
    const q = this.json.q;
    if (!Array.isArray(q)) return { first: this.seq, size: 1 };
    return { first: Number(q[0]), size: Number(q[2]) };
  }

  get args(): readonly KeptArgument[] {
    const { a } = this.json;
    this.knownArgs ??= Array.isArray(a) ? (a as readonly Json[]).map(argumentFromJson) : [];
    return this.knownArgs;
  }

  /** What the client had sent, where it was edited before it was forwarded; else null. */
  get received(): readonly KeptArgument[] | null {
    const { ao } = this.json;
    return Array.isArray(ao) ? (ao as readonly Json[]).map(argumentFromJson) : null;
  }

  get command(): Command {
    this.knownCommand ??= this.readCommand();
    return this.knownCommand;
  }

  private readCommand(): Command {
    const { a } = this.json;
    return (
      (Array.isArray(a) ? commandOfTexts(a as readonly Json[], this.session) : null) ??
      Command.of(
        this.args.map((arg) => arg.bytes),
        this.session,
      )
    );
  }

  private get session(): SessionView {
    const { ss, x } = this.json;
    const multi = typeof x === 'string' && x.includes('T');
    const peer = this.context.peer(this.connection);
    if (!isJsonObject(ss)) return { ...NEW_SESSION, multi, peer };
    return {
      authenticated: ss.auth !== false,
      resp: ss.resp === 3 ? 3 : 2,
      multi,
      subscribed: ss.sub === true,
      transactionKey: bytesFromJson(ss.tk),
      pinned: typeof ss.pin === 'string' ? ss.pin : null,
      home: typeof ss.home === 'string' ? ss.home : null,
      peer,
    };
  }

  /** Versions of the topology and the configuration that decided. */
  get decidedBy(): readonly [topology: number, config: number] {
    const { ev } = this.json;
    return Array.isArray(ev) ? [Number(ev[0]), Number(ev[1])] : this.versions;
  }

  /** Every draw that was taken. */
  get draws(): readonly number[] {
    const { dr } = this.json;
    return Array.isArray(dr) ? (dr as readonly number[]) : [];
  }

  /** Made again from what it was made of. Throws REC_DAMAGED where the recording has no topology or configuration. */
  get decision(): Decision {
    this.knownDecision ??= this.decideAgain();
    return this.knownDecision;
  }

  private decideAgain(): Decision {
    const [topologyVersion, configVersion] = this.decidedBy;
    const topology = this.context.topology(topologyVersion);
    const config = this.context.config(configVersion);
    if (topology === undefined || config === undefined)
      throw new RmtopError(
        'REC_DAMAGED',
        `command #${this.seq} stands before any topology and configuration`,
        { next: ['rmtop cat FILE | head        is the beginning missing?'] },
      );
    return decide(this.command, topology, config, replayRng(this.draws));
  }

  get attempts(): readonly Attempt[] {
    const { at } = this.json;
    if (!Array.isArray(at)) return impliedAttempts(this.decision, this.queueUs, this.upstreamUs);
    return (at as readonly Json[]).map((each) => {
      const [part, address, kind, sentUs, doneUs] = each as [
        number,
        string,
        Attempt['kind'],
        number,
        number,
      ];
      return { part, address, kind, sentUs, doneUs };
    });
  }

  get outcome(): Outcome {
    const { e, cause } = this.json;
    if (e === 'client_closed') return { kind: 'client-closed' };
    if (e === 'shutdown') return { kind: 'shutdown' };
    return { kind: 'reply', cause: isJsonObject(cause) ? (cause as unknown as Cause) : null };
  }

  get request(): Kept {
    this.knownRequest ??= this.readRequest();
    return this.knownRequest;
  }

  private readRequest(): Kept {
    const { args } = this;
    const total = typeof this.json.qs === 'number' ? this.json.qs : encodedSize(args);
    const condensed = args.some((arg) => arg.kind !== 'whole');
    const bytes = condensed ? condenseArguments(args) : encodeRequest(args.map((arg) => arg.bytes));
    return { bytes, total, condensed };
  }

  get reply(): Kept {
    this.knownReply ??= this.readReply();
    return this.knownReply;
  }

  private readReply(): Kept {
    const { r, rs } = this.json;
    const total = typeof rs === 'number' ? rs : 0;
    if (r === undefined) {
      return total > 0
        ? { bytes: redactedMarker('size'), total, condensed: true }
        : { bytes: NOTHING, total: 0, condensed: false };
    }
    const bytes = replyBytesFromJson(r);
    if (bytes !== null) return { bytes, total: Math.max(total, bytes.length), condensed: false };
    const arg = argumentFromJson(r);
    const marker =
      arg.kind === 'cut'
        ? cutMarker(arg.bytes, arg.total, arg.sha256)
        : redactedMarker(arg.kind === 'redacted' ? arg.rule : 'unknown');
    return { bytes: marker, total, condensed: true };
  }
}

/** The command whose arguments are all ASCII text, as nearly all are: one Buffer for all of them. Null for any other. */
function commandOfTexts(args: readonly Json[], session: SessionView): Command | null {
  const argc = args.length;
  const argStart = new Int32Array(argc);
  const argEnd = new Int32Array(argc);
  let text = '';
  for (let i = 0; i < argc; i++) {
    const arg = args[i];
    if (typeof arg !== 'string') return null;
    argStart[i] = text.length;
    text += arg;
    argEnd[i] = text.length;
  }
  const frame = Buffer.from(text);
  if (frame.length !== text.length) return null;
  const command = new Command();
  command.load({ frame, argc, argStart, argEnd }, session);
  return command;
}
