/** What is done to the servers before a replay: emptied, and given the start state that the recording tells of. */
import {
  type Access,
  ControlConnection,
  type DueBySeq,
  dialSocket,
  type ImportNotes,
  isLoopback,
  Loading,
  type LoadingDial,
  type LoadingRequest,
  putBack,
  quoteBytes,
  RmtopError,
  readCommandFile,
  type SnapshotReport,
  type SnapshotState,
  type StartState,
  sha1Of,
  splitAddress,
  withKey,
} from 'rmtop';
import type { Say } from '../recording-files.js';

const TIMEOUT_MS = 10_000;

/** Where servers are reached: commands at `address`, each of them behind it at its own. */
export type Servers = {
  readonly address: { readonly host: string; readonly port: number };
  readonly access: Access;
  readonly servers: readonly string[];
  readonly primaries: readonly string[];
};

/** What is done to them, in this order: emptied, a file sent, snapshots and the start state put there, scripts loaded. */
export type Preparation = {
  readonly flush: boolean;
  readonly load: string | null;
  readonly start: StartState | null;
  /** What the recording saved of keys, and when its commands are due; null: not to be put back. */
  readonly snapshot: { readonly state: SnapshotState; readonly due: DueBySeq } | null;
  /** Put behind the keys of the snapshot and of the start state; null: nothing. */
  readonly suffix: Buffer | null;
  readonly scripts: readonly Buffer[];
  /** Servers may be changed: they are on this machine, or that is allowed. */
  readonly isAllowed: boolean;
  /** What is done is said once. */
  readonly isFirst: boolean;
  readonly say: Say;
};

/** What was done. `scripts`: how many they did not have. */
export type Prepared = { readonly scripts: number; readonly snapshot: SnapshotReport | null };

/** Prepares servers for a round. Throws WRITES_REFUSED or REPLAY_FAILED. */
export async function prepareServers(
  { address, access, servers, primaries }: Servers,
  { flush, load, start, snapshot, suffix, scripts, isAllowed, isFirst, say }: Preparation,
): Promise<Prepared> {
  const note = isFirst ? say : () => {};
  const dial: LoadingDial = (reply, closed) =>
    dialSocket({ ...address, greeting: null }, () => {}, reply, closed);
  if (flush) await flushServers(primaries, access);
  if (load !== null) note(`rmtop: sent ${await loadFile(load, dial)} commands of ${load} first`);
  const put =
    snapshot === null
      ? null
      : await putBack(snapshot.state, dial, { due: snapshot.due, suffix, broken: failed });
  if (start !== null) await seedState(start, suffix, dial, note);
  const loaded = isAllowed ? await loadScripts(servers, access, scripts, say) : 0;
  return { scripts: loaded, snapshot: put };
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

/** Sends the commands of a file and waits for all replies; gives how many there were. */
async function loadFile(file: string, dial: LoadingDial): Promise<number> {
  const notes: ImportNotes = { startedMs: null, skipped: new Map() };
  const refused = (n: number, request: LoadingRequest, why: string): RmtopError =>
    loadFailed(file, `command ${n}, ${visible(request[0])}, was refused: ${visible(why)}`);
  const link = new Loading(dial, refused, refused);
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

function failed(why: string): RmtopError {
  return new RmtopError('REPLAY_FAILED', 'the start state could not be put there', {
    why: visible(why),
  });
}

/** Sends the start state, its keys with `suffix`, and waits until all of it is there; says which keys cannot be known. */
async function seedState(
  start: StartState,
  suffix: Buffer | null,
  dial: LoadingDial,
  note: Say,
): Promise<void> {
  const commands = start.commands();
  const { unknown } = start;
  if (unknown.length > 0)
    note(
      `rmtop: what ${unknown.length} keys held at first is not in the recording: ${unknown.slice(0, 5).map(quoteBytes).join(' ')}${unknown.length > 5 ? ' …' : ''}`,
    );
  if (commands.length === 0) return;
  const refused = (_n: number, _request: LoadingRequest, why: string): RmtopError => failed(why);
  const link = new Loading(dial, refused, refused);
  await link.send(suffix === null ? commands : commands.map((each) => withKey(each, suffix)));
  link.close();
  note(`rmtop: put ${commands.length} values there first`);
}
