/** Questions to servers of our own, one at a time or until the answer is the right one. */
import { ControlConnection, RmtopError } from 'rmtop';

/** How long a server may take to answer, and a cluster to settle. */
const PATIENCE_MS = 30_000;

/** One command to one server on 127.0.0.1; rejects when there is no answer, or an error. */
export async function ask(
  port: number,
  argv: readonly string[],
  password: string | null = null,
  timeoutMs = 5000,
): Promise<unknown> {
  const address = `127.0.0.1:${port}`;
  const login = password === null ? null : { username: null, password };
  const connection = new ControlConnection(address, address, { tls: null, login }, 2000);
  const reply = await connection.ask(argv, timeoutMs);
  connection.close();
  if (reply.kind === 'value') return reply.value;
  throw new RmtopError(
    'UPSTREAM_UNREACHABLE',
    reply.kind === 'error' ? reply.text : `${address}: ${reply.cause.code}`,
  );
}

/** Asks until it is true; what goes wrong on the way is a no. */
export async function until(done: () => Promise<boolean>, otherwise: string): Promise<void> {
  const deadline = performance.now() + PATIENCE_MS;
  while (!(await done().catch(() => false))) {
    if (performance.now() > deadline)
      throw new RmtopError('NO_REDIS_SERVER', `${otherwise} within ${PATIENCE_MS / 1000} s`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
