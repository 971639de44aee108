/** One client of a served recording: its requests, its session, and what it is answered. */
import type { Socket } from 'node:net';
import { Command, NEW_SESSION } from '../commands/command.js';
import type { FaultPlan } from '../mesh/decision.js';
import { slotOf } from '../mesh/place.js';
import type { RuleDraws } from '../proxy/chance.js';
import { loginIn } from '../recording/logins.js';
import type { Asker, Matcher } from '../recording/matching.js';
import type { ReplayLink } from '../recording/replay.js';
import { inVersion, inVersionEach } from '../recording/resp3.js';
import { isHousekeeping } from '../recording/script.js';
import type { Spoken } from '../recording/spoken.js';
import { errorReply, simpleReply } from '../resp/build.js';
import { encodeError, encodeNull, encodeReply, encodeRequest } from '../resp/encode.js';
import { FAILED, INVALID, MORE, REQUEST, RequestParser } from '../resp/request.js';
import type { Reply } from '../resp/value.js';
import type { ServedFaults } from './faults.js';
import { greet, type Place, type Session } from './greeting.js';
import { Listener, type Subscriptions } from './listeners.js';
import type { Logins } from './logins.js';
import { Output } from './output.js';

/** What becomes of a command that no recording answers. */
export type OnMiss = 'error' | 'nil' | 'close' | 'hang' | 'forward';

/** What all clients of a server share. */
export type Shared = {
  readonly matcher: Matcher;
  readonly subscriptions: Subscriptions;
  /** New faults; null: none. */
  readonly faults: ServedFaults | null;
  /** Who may ask; null: everybody. */
  readonly logins: Logins | null;
  readonly onMiss: OnMiss;
  /** Recorded durations are multiplied by it; 0: replies come at once. */
  readonly latency: number;
  /** Added to what a miss says. */
  readonly hint: string;
  readonly nowMs: () => number;
  /** A command has come. */
  heard(): void;
  /** Opens a connection for commands that are forwarded. */
  forward(reply: (bytes: Buffer) => void, closed: (why: string) => void): ReplayLink;
};

const NOTHING = Buffer.alloc(0);
/** Of a command that is forwarded, the error a client gets when the connection is lost. */
const FORWARD_LOST = 'RMTOPMISS the server that misses are forwarded to closed the connection';

/** Answers one connection. */
export class ServedClient {
  private readonly socket: Socket;
  private readonly place: Place;
  private readonly shared: Shared;
  private readonly parser = new RequestParser();
  private readonly output: Output;
  private readonly listener: Listener;
  private readonly session: Session;
  /** Between MULTI and EXEC. */
  private queue: Command[] | null = null;
  private spoilt = false;
  /** It has logged in. */
  private isIn = false;
  private ended = false;
  private readonly draws: RuleDraws | null;
  /** While a fault delays a command, which those behind it must not overtake. */
  private held: NodeJS.Timeout | null = null;
  private link: ReplayLink | null = null;
  private readonly forwarded: ((bytes: Buffer) => void)[] = [];

  constructor(socket: Socket, id: number, place: Place, shared: Shared) {
    this.socket = socket;
    this.place = place;
    this.shared = shared;
    this.output = new Output(socket, shared.nowMs);
    this.session = {
      id,
      address: `${socket.remoteAddress ?? '?'}:${socket.remotePort ?? 0}`,
      name: null,
      library: null,
      resp: 2,
      readonly: false,
    };
    this.draws = shared.faults?.drawsOf({ id, info: this.session }) ?? null;
    this.listener = new Listener(
      shared.subscriptions,
      (bytes) => this.output.add(bytes),
      (text) => {
        shared.matcher.miss(text);
        this.missed(text, null);
      },
    );
    socket.setNoDelay(true);
    socket.on('data', (chunk: Buffer) => this.read(chunk));
    socket.on('error', () => {}); // 'close' follows
    socket.on('close', () => this.close());
  }

  /** Ends the connection now. */
  close(): void {
    this.ended = true;
    if (this.held !== null) clearTimeout(this.held);
    this.output.stop();
    this.listener.close();
    this.link?.close();
    this.socket.destroy();
  }

  private read(chunk: Buffer): void {
    this.parser.push(chunk);
    this.parse();
  }

  private parse(): void {
    this.socket.cork(); // the replies to a pipeline leave together
    while (!this.ended && this.held === null) {
      const found = this.parser.next();
      if (found === MORE) break;
      if (found === REQUEST) this.take(this.request());
      else if (found === INVALID) this.output.add(encodeError('ERR invalid request'));
      else if (found === FAILED) this.end(encodeError('ERR Protocol error'));
    }
    this.socket.uncork();
  }

  /** Copied: a command that is queued, delayed or forwarded outlives the chunk it came in. */
  private request(): Command {
    const { frame, argc, argStart, argEnd } = this.parser;
    const argv = Array.from({ length: argc }, (_, i) =>
      Buffer.from(frame.subarray(argStart[i], argEnd[i])),
    );
    // Scopes of faults may ask what else decides nothing here.
    if (this.draws === null) return Command.of(argv);
    const { resp } = this.session;
    return Command.of(argv, { ...NEW_SESSION, resp, multi: this.queue !== null });
  }

  private take(command: Command): void {
    this.shared.heard();
    const refusal = this.shared.logins?.refusal(command, this.isIn) ?? null;
    if (refusal !== null) {
      this.output.add(refusal);
      return;
    }
    if (loginIn(command) !== null) this.isIn = true;
    const fault = this.faultOf(command);
    if (fault === null) this.carryOut(command);
    else this.suffer(fault, command);
  }

  private carryOut(command: Command): void {
    const { name } = command;
    if (name === 'QUIT') this.end(encodeReply(simpleReply('OK'), 2));
    else if (name === 'RESET') {
      this.queue = null;
      this.isIn = false;
      this.listener.close();
      this.say(greet(command, this.session, this.place) ?? simpleReply('RESET'));
    } else if (name === 'MULTI') this.multi();
    else if (name === 'EXEC' && this.queue !== null) this.exec(this.queue);
    else if (name === 'DISCARD') this.discard();
    else if (this.queue !== null && name !== 'WATCH') this.enqueue(command, this.queue);
    else if (this.listener.take(command, this.session.resp)) return;
    else {
      const greeting = greet(command, this.session, this.place);
      if (greeting !== null) this.say(greeting);
      else this.answer(command);
    }
  }

  // ——— new faults ———

  /** What is answered without the recording is not hit, as in the proxy what the mesh answers by itself is not. */
  private faultOf(command: Command): FaultPlan | null {
    const { faults } = this.shared;
    if (faults === null || this.draws === null || isHousekeeping(command.name)) return null;
    return faults.plan(command, this.draws, this.place.self, this.place.nodes);
  }

  /** A command that is not carried out takes nothing from the recording: its reply is there for when it comes again. */
  private suffer(fault: FaultPlan, command: Command): void {
    const { action, error, ms } = fault;
    switch (action.kind) {
      case 'moved':
      case 'ask':
      case 'down':
        this.refuse(command, error, 0);
        return;
      case 'hang':
        if (ms === null) this.output.reserve();
        else this.hold(command, ms);
        return;
      case 'error':
      case 'delay':
        if (action.at === 'request') {
          if (action.kind === 'error') this.refuse(command, error, ms ?? 0);
          else this.hold(command, ms ?? 0);
          return;
        }
        break;
      case 'close':
        if (action.afterBytes === null) {
          this.ended = true;
          this.output.end(NOTHING, 0, action.reset);
          return;
        }
        break;
      case 'drip':
        break;
    }
    this.output.afflict(fault);
    this.carryOut(command);
    if (action.kind === 'close') this.ended = true;
  }

  private refuse(command: Command, error: string | null, ms: number): void {
    if (command.name === 'EXEC') this.queue = null;
    this.output.add(encodeError(error ?? ''), ms);
  }

  private hold(command: Command, ms: number): void {
    this.socket.pause();
    this.held = setTimeout(() => {
      this.held = null;
      this.carryOut(command);
      this.socket.resume();
      this.parse();
    }, ms);
  }

  private say(reply: Reply): void {
    this.output.add(encodeReply(reply, this.session.resp));
  }

  private end(bytes: Buffer): void {
    this.ended = true;
    this.output.end(bytes);
  }

  // ——— transactions ———

  private multi(): void {
    if (this.queue !== null) this.say(errorReply('ERR MULTI calls can not be nested'));
    else {
      this.queue = [];
      this.spoilt = false;
      this.say(simpleReply('OK'));
    }
  }

  private discard(): void {
    if (this.queue === null) this.say(errorReply('ERR DISCARD without MULTI'));
    else this.say(simpleReply('OK'));
    this.queue = null;
  }

  private enqueue(command: Command, queue: Command[]): void {
    const elsewhere = this.elsewhere(command);
    if (elsewhere !== null) {
      this.spoilt = true;
      this.output.add(encodeError(elsewhere));
      return;
    }
    queue.push(command);
    const recorded = this.shared.matcher.queuedReply(queue);
    this.output.add(recorded ?? encodeReply(simpleReply('QUEUED'), 2));
  }

  private exec(queue: readonly Command[]): void {
    this.queue = null;
    if (this.spoilt)
      this.say(errorReply('EXECABORT Transaction discarded because of previous errors.'));
    else this.match(queue, true);
  }

  // ——— answers ———

  private answer(command: Command): void {
    const elsewhere = this.elsewhere(command);
    if (elsewhere !== null) this.output.add(encodeError(elsewhere));
    else this.match([command], false);
  }

  /** What a node of a Redis Cluster says of keys that are not its own; null for those that are. */
  private elsewhere(command: Command): string | null {
    const { self, cluster, isCluster } = this.place;
    if (!isCluster) return null;
    const slots = new Set(command.keys.map((at) => slotOf(command.arg(at))));
    const [slot] = slots;
    if (slot === undefined) return null;
    if (slots.size > 1) return "CROSSSLOT Keys in request don't hash to the same slot";
    const owner = cluster.ownerOf(slot);
    if (owner === undefined) return 'CLUSTERDOWN Hash slot not served';
    const mayRead = this.session.readonly && command.spec?.writes !== true;
    if (owner.id === self.id || (mayRead && owner.shard === self.shard)) return null;
    return `MOVED ${slot} ${owner.host}:${owner.port}`;
  }

  private match(lines: readonly Command[], isTransaction: boolean): void {
    const { matcher } = this.shared;
    const asker: Asker = { id: this.session.id, name: this.session.name };
    const answer = matcher.answer(lines, isTransaction, asker);
    if (answer.kind === 'miss') this.missed(answer.text, { lines, isTransaction });
    else this.repeat(answer.spoken, lines);
  }

  /** Gives the recorded reply, or the fault that took its place. */
  private repeat(spoken: Spoken, lines: readonly Command[]): void {
    const delayMs = (spoken.durationUs / 1000) * this.shared.latency;
    const { resp } = this.session;
    const [command] = lines;
    const bytes =
      spoken.reply === null
        ? NOTHING
        : spoken.isTransaction || command === undefined
          ? inVersionEach(spoken.reply, lines, spoken.resp, resp)
          : inVersion(spoken.reply, command, spoken.resp, resp);
    if (spoken.injected === 'close') {
      this.ended = true;
      this.output.end(bytes, delayMs);
    } else if (spoken.injected === 'hang' && spoken.reply === null) this.output.reserve();
    else this.output.add(bytes, delayMs);
  }

  // ——— misses ———

  private missed(
    text: string,
    asked: { readonly lines: readonly Command[]; readonly isTransaction: boolean } | null,
  ): void {
    const { onMiss, hint } = this.shared;
    switch (onMiss) {
      case 'nil':
        this.output.add(encodeNull(this.session.resp));
        return;
      case 'close':
        this.end(NOTHING);
        return;
      case 'hang':
        this.output.reserve();
        return;
      case 'forward':
      case 'error':
        // A subscription is not forwarded: there would be no end to its messages.
        if (onMiss === 'forward' && asked !== null) this.forward(asked.lines, asked.isTransaction);
        else this.output.add(encodeError(`RMTOPMISS ${text}${hint}`));
    }
  }

  private forward(lines: readonly Command[], isTransaction: boolean): void {
    if (this.link === null) this.dial();
    const requests = lines.map((command) => encodeRequest(command.argv));
    if (!isTransaction) this.forwarded.push(this.output.reserve());
    else {
      // MULTI and what is queued have been answered already; only the reply of EXEC is the client's.
      requests.unshift(encodeRequest(['MULTI']));
      requests.push(encodeRequest(['EXEC']));
      for (let i = 0; i <= lines.length; i++) this.forwarded.push(() => {});
      this.forwarded.push(this.output.reserve());
    }
    this.link?.send(Buffer.concat(requests));
  }

  private dial(): void {
    this.link = this.shared.forward(
      (bytes) => this.forwarded.shift()?.(bytes),
      () => {
        this.link = null;
        for (const reply of this.forwarded.splice(0)) reply(encodeError(FORWARD_LOST));
      },
    );
    if (this.session.resp === 3) {
      this.forwarded.push(() => {});
      this.link.send(encodeRequest(['HELLO', '3']));
    }
  }
}
