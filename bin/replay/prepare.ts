/** What is done to the servers before a replay: emptied, and given the start state that the recording tells of. */
import {
  type Access,
  ControlConnection,
  decodeReply,
  dialSocket,
  encodeRequest,
  type ImportNotes,
  isError,
  isLoopback,
  quoteBytes,
  type ReplayLink,
  RmtopError,
  readCommandFile,
  type StartState,
  sha1Of,
  splitAddress,
} from 'rmtop';
import type { Say } from '../recording-files.js';

const TIMEOUT_MS = 10_000;
/** How many commands are on their way at once. */
const BATCH = 500;

/** Where servers are reached: commands at `address`, each of them behind it at its own. */
export type Servers = {
  readonly address: { readonly host: string; readonly port: number };
  readonly access: Access;
  readonly servers: readonly string[];
  readonly primaries: readonly string[];
};

/** What is done to them, in this order: emptied, a file sent, the start state put there, scripts loaded. */
export type Preparation = {
  readonly flush: boolean;
  readonly load: string | null;
  readonly start: StartState | null;
  /** Put behind the keys of the start state; null: nothing. */
  readonly suffix: Buffer | null;
  readonly scripts: readonly Buffer[];
  /** Servers may be changed: they are on this machine, or that is allowed. */
  readonly isAllowed: boolean;
  /** What is done is said once. */
  readonly isFirst: boolean;
  readonly say: Say;
};

/** Prepares servers for a round; gives how many scripts they did not have. Throws WRITES_REFUSED or REPLAY_FAILED. */
export async function prepareServers(
  { address, access, servers, primaries }: Servers,
  { flush, load, start, suffix, scripts, isAllowed, isFirst, say }: Preparation,
): Promise<{ readonly scripts: number }> {
  const note = isFirst ? say : () => {};
  const dial: Dial = (reply, closed) =>
    dialSocket({ ...address, greeting: null }, () => {}, reply, closed);
  if (flush) await flushServers(primaries, access);
  if (load !== null) note(`rmtop: sent ${await loadFile(load, dial)} commands of ${load} first`);
  if (start !== null) await seedState(start, suffix, dial, note);
  return { scripts: isAllowed ? await loadScripts(servers, access, scripts, say) : 0 };
}

/** Empties `servers`, of scripts as well. Throws WRITES_REFUSED for one on another machine, REPLAY_FAILED where one cannot be. */
async function flushServers(servers: readonly string[], access: Access): Promise<void> {
  const far = servers.find((address) => !isLoopback(splitAddress(address)?.host ?? ''));
  if (far !== undefined)
    throw new RmtopError('WRITES_REFUSED', `--flush would empty ${far}`, {
      why: 'it is done on this machine only',
      next: ['leave --flush out'],
    });
  for (const address of servers) {
    const connection = new ControlConnection(address, address, access, TIMEOUT_MS);
    const reply = await connection.ask(['FLUSHALL'], TIMEOUT_MS);
    // A script that was left there would answer what had been NOSCRIPT; a server without scripts has none to lose.
    await connection.ask(['SCRIPT', 'FLUSH'], TIMEOUT_MS);
    connection.close();
    if (reply.kind !== 'value')
      throw new RmtopError('REPLAY_FAILED', `--flush: ${address} was not emptied`, {
        why: reply.kind === 'error' ? reply.text : reply.cause.code,
      });
  }
}

/** Loads the scripts that a server does not have; gives how many those are. */
async function loadScripts(
  servers: readonly string[],
  access: Access,
  sources: readonly Buffer[],
  say: Say,
): Promise<number> {
  const loaded = new Set<string>();
  if (sources.length === 0) return 0;
  for (const address of servers) {
    const connection = new ControlConnection(address, address, access, TIMEOUT_MS);
    for (const source of sources) {
      const sha1 = sha1Of(source);
      const there = await connection.ask(['SCRIPT', 'EXISTS', sha1], TIMEOUT_MS);
      if (there.kind === 'value' && String(there.value) === '1') continue;
      const reply = await connection.ask(['SCRIPT', 'LOAD', source], TIMEOUT_MS);
      if (reply.kind === 'value') loaded.add(sha1);
      else
        say(
          `rmtop: ${address} does not take the script ${sha1}: ${reply.kind === 'error' ? reply.text : reply.cause.code}`,
        );
    }
    connection.close();
  }
  return loaded.size;
}

type Dial = (reply: (bytes: Buffer) => void, closed: (why: string) => void) => ReplayLink;
type Request = readonly (Buffer | string)[];

/** Sends the commands of a file and waits for all replies; gives how many there were. */
async function loadFile(file: string, dial: Dial): Promise<number> {
  const notes: ImportNotes = { startedMs: null, skipped: new Map() };
  const link = new Loading(dial, (n, request, why) =>
    loadFailed(file, `command ${n}, ${visible(request[0])}, was refused: ${visible(why)}`),
  );
  for await (const requests of readCommandFile(file, notes)) await link.send(requests);
  link.close();
  const [skipped] = notes.skipped.keys();
  if (skipped !== undefined) throw loadFailed(file, `not read: the ${skipped}`);
  return link.answered;
}

function visible(text: Buffer | string | undefined): string {
  return String(text)
    .replace(/[^\x20-\x7e]/g, '?')
    .slice(0, 200);
}

function loadFailed(file: string, why: string): RmtopError {
  return new RmtopError('REPLAY_FAILED', `${file} could not be loaded`, {
    why,
    next: ['a file for --load has RESP, or a command a line as redis-cli takes them'],
  });
}

/** A connection over which commands go in batches. */
class Loading {
  answered = 0;
  private readonly link: ReplayLink;
  private waiting: Request[] = [];
  private settle: {
    readonly resolve: () => void;
    readonly reject: (error: unknown) => void;
  } | null = null;
  private error: RmtopError | null = null;
  private readonly failed: (n: number, request: Request, why: string) => RmtopError;

  constructor(dial: Dial, failed: (n: number, request: Request, why: string) => RmtopError) {
    this.failed = failed;
    this.link = dial(
      (bytes) => this.reply(bytes),
      (why) => this.fail(why),
    );
  }

  /** Sends commands and waits until they are answered. Throws what `failed` gives for the first that is refused. */
  async send(requests: readonly Request[]): Promise<void> {
    for (let at = 0; at < requests.length; at += BATCH) {
      this.waiting = requests.slice(at, at + BATCH);
      await new Promise<void>((resolve, reject) => {
        this.settle = { resolve, reject };
        if (this.error !== null) reject(this.error);
        else this.link.send(Buffer.concat(this.waiting.map(encodeRequest)));
      });
    }
  }

  close(): void {
    this.link.close();
  }

  private reply(bytes: Buffer): void {
    const reply = decodeReply(bytes);
    if (reply !== null && isError(reply)) {
      this.fail(reply.value.toString('latin1'));
      return;
    }
    this.answered++;
    this.waiting.shift();
    if (this.waiting.length === 0) this.settle?.resolve();
  }

  private fail(why: string): void {
    this.error ??= this.failed(this.answered + 1, this.waiting[0] ?? ['nothing'], why);
    this.link.close();
    this.settle?.reject(this.error);
  }
}

/** Sends the start state, its keys with `suffix`, and waits until all of it is there; says which keys cannot be known. */
async function seedState(
  start: StartState,
  suffix: Buffer | null,
  dial: Dial,
  note: Say,
): Promise<void> {
  const commands = start.commands();
  const { unknown } = start;
  if (unknown.length > 0)
    note(
      `rmtop: what ${unknown.length} keys held at first is not in the recording: ${unknown.slice(0, 5).map(quoteBytes).join(' ')}${unknown.length > 5 ? ' …' : ''}`,
    );
  if (commands.length === 0) return;
  const link = new Loading(
    dial,
    (_n, _request, why) =>
      new RmtopError('REPLAY_FAILED', 'the start state could not be put there', {
        why: visible(why),
      }),
  );
  await link.send(suffix === null ? commands : commands.map((each) => withKey(each, suffix)));
  link.close();
  note(`rmtop: put ${commands.length} values there first`);
}

/** Every command of a start state has one key, after its name. */
function withKey([name = '', key = '', ...rest]: Request, suffix: Buffer): Request {
  return [name, Buffer.concat([Buffer.from(key), suffix]), ...rest];
}
