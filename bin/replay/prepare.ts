/** What is done to the servers before a replay: emptied, and given the start state that the recording tells of. */
import {
  type Access,
  ControlConnection,
  decodeReply,
  encodeRequest,
  isError,
  isLoopback,
  quoteBytes,
  type ReplayLink,
  RmtopError,
  type StartState,
  splitAddress,
} from 'rmtop';
import { say } from '../recording-files.js';

const TIMEOUT_MS = 10_000;
/** How many commands are on their way at once. */
const BATCH = 500;

/** Empties `servers`. Throws WRITES_REFUSED for one on another machine, REPLAY_FAILED where one cannot be. */
export async function flushServers(servers: readonly string[], access: Access): Promise<void> {
  const far = servers.find((address) => !isLoopback(splitAddress(address)?.host ?? ''));
  if (far !== undefined)
    throw new RmtopError('WRITES_REFUSED', `--flush would empty ${far}`, {
      why: 'it is done on this machine only',
      next: ['leave --flush out'],
    });
  for (const address of servers) {
    const connection = new ControlConnection(address, address, access, TIMEOUT_MS);
    const reply = await connection.ask(['FLUSHALL'], TIMEOUT_MS);
    connection.close();
    if (reply.kind !== 'value')
      throw new RmtopError('REPLAY_FAILED', `--flush: ${address} was not emptied`, {
        why: reply.kind === 'error' ? reply.text : reply.cause.code,
      });
  }
}

/** Sends the start state and waits until all of it is there; says which keys cannot be known. `dial` opens a link as a replay does. */
export async function seedState(
  start: StartState,
  dial: (reply: (bytes: Buffer) => void, closed: (why: string) => void) => ReplayLink,
): Promise<void> {
  const commands = start.commands();
  const { unknown } = start;
  if (unknown.length > 0)
    say(
      `rmtop: what ${unknown.length} keys held at first is not in the recording: ${unknown.slice(0, 5).map(quoteBytes).join(' ')}${unknown.length > 5 ? ' …' : ''}`,
    );
  if (commands.length === 0) return;
  await new Promise<void>((resolve, reject) => {
    let sent = 0;
    let answered = 0;
    const failed = (why: string): void => {
      reject(new RmtopError('REPLAY_FAILED', 'the start state could not be put there', { why }));
    };
    const link = dial((bytes) => {
      const reply = decodeReply(bytes);
      if (reply !== null && isError(reply)) failed(reply.value.toString('latin1').slice(0, 200));
      answered++;
      if (answered === commands.length) {
        link.close();
        resolve();
      } else if (answered === sent) more();
    }, failed);
    const more = (): void => {
      const batch = commands.slice(sent, sent + BATCH);
      sent += batch.length;
      link.send(Buffer.concat(batch.map(encodeRequest)));
    };
    more();
  });
  say(`rmtop: put ${commands.length} values there first`);
}
