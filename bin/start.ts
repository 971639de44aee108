/** Starts what was planned, and takes changed files while it runs. */
import { type Admin, messageOf, type ProxyHandle, type ProxyOptions, RmtopError } from 'rmtop';
import { openAdmin } from './admin.js';
import type { Planned, PlannedProxy } from './plan.js';
import { watchFiles } from './watch.js';

/** A proxy that runs, and what it was planned as. */
export type Running = { readonly proxy: ProxyHandle; planned: PlannedProxy };

/** What of commands is kept for the events' readers, and what mirrors' replies may differ in. */
export type Keeping = Pick<ProxyOptions, 'keep' | 'hashes' | 'tolerances' | 'snapshot'>;

/** All of them. `close` ends the watching and the admin page as well. */
export type RunningAll = {
  readonly proxies: readonly [Running, ...Running[]];
  readonly admin: Admin | null;
  close(graceMs?: number): Promise<void>;
};

type Create = (options: ProxyOptions) => Promise<ProxyHandle>;

/** Starts every planned proxy and the admin page; where one cannot be started none stays. Throws as `create` and `startAdmin`. */
export async function startProxies(
  planned: Planned,
  keeping: Keeping,
  create: Create,
): Promise<RunningAll> {
  const running: Running[] = [];
  let admin: Admin | null = null;
  try {
    for (const each of planned.proxies)
      running.push({ proxy: await onFirstPort(each, keeping, create), planned: each });
    if (planned.admin !== null) admin = await openAdmin(planned.admin, running);
  } catch (error) {
    for (const { proxy } of running) await proxy.close();
    throw error;
  }
  const [first, ...others] = running;
  if (first === undefined) throw new RmtopError('INTERNAL', 'nothing was planned');
  const stop =
    planned.watch.length === 0
      ? () => {}
      : watchFiles(planned.watch, () => void reload(planned, running));
  return {
    proxies: [first, ...others],
    admin,
    async close(graceMs) {
      stop();
      await admin?.close();
      await Promise.all(running.map(({ proxy }) => proxy.close(graceMs)));
    },
  };
}

/** The first port that is free; the last one's failure is told. */
async function onFirstPort(
  planned: PlannedProxy,
  keeping: Keeping,
  create: Create,
): Promise<ProxyHandle> {
  const [port = 0, ...others] = planned.ports;
  try {
    return await create({
      config: planned.config,
      dialling: planned.dialling,
      credentials: planned.credentials,
      listen: { ...planned.listen, port },
      ...keeping,
      seed: Math.floor(Math.random() * 0xffffffff),
    });
  } catch (error) {
    const isTaken =
      error instanceof RmtopError &&
      (error.code === 'LISTEN_IN_USE' || error.code === 'LISTEN_FAILED');
    if (!isTaken || others.length === 0) throw error;
    return onFirstPort({ ...planned, ports: others }, keeping, create);
  }
}

/** A good change takes effect, a bad one is told and changes nothing. */
async function reload(before: Planned, running: readonly Running[]): Promise<void> {
  let now: Planned;
  try {
    now = before.again();
    refuseWorse(before, now);
  } catch (error) {
    const why =
      error instanceof RmtopError
        ? [error.message, ...(error.why === null ? [] : [error.why])].join(': ')
        : messageOf(error);
    for (const { proxy } of running)
      proxy.note('error', `the changed files are not taken, the old stay in force: ${why}`, null);
    return;
  }
  for (const each of running) {
    const changed = now.proxies.find(({ name }) => name === each.planned.name);
    if (changed === undefined)
      each.proxy.note(
        'warning',
        `the files have no ${each.planned.name} any more; it goes on as it was`,
        'rmtop, started again, does without it',
      );
    else await take(each, changed);
  }
  const isNew = now.proxies.filter(
    ({ name }) => !running.some((each) => each.planned.name === name),
  );
  for (const { name } of isNew)
    running[0]?.proxy.note(
      'warning',
      `the files have a new listener, ${name}`,
      'start rmtop again to open it',
    );
}

async function take(each: Running, changed: PlannedProxy): Promise<void> {
  const { config, dialling, credentials } = changed;
  if (isSame(each.planned, changed)) return;
  each.planned = changed;
  await each.proxy.reconfigure(config, { dialling, credentials, keepFaults: true });
  each.proxy.note('info', 'the changed files are in force', null);
}

function isSame(a: PlannedProxy, b: PlannedProxy): boolean {
  const parts = ({ config, dialling, credentials, ...named }: PlannedProxy): string =>
    JSON.stringify([
      named.statPrefix,
      named.latencyInMicros,
      config,
      dialling.access,
      [...dialling.map.exact],
      [...dialling.map.hosts],
      [...dialling.map.ports],
      credentials,
    ]);
  return parts(a) === parts(b);
}

/** Errors that were not there when rmtop was started make a change a bad one. */
function refuseWorse(before: Planned, now: Planned): void {
  const known = new Set(errorsOf(before));
  const found = errorsOf(now).filter((error) => !known.has(error));
  if (found.length > 0) throw new RmtopError('MESH', found.slice(0, 3).join('; '));
}

function errorsOf({ mesh }: Planned): string[] {
  return (mesh?.diagnostics ?? [])
    .filter(({ level }) => level === 'error')
    .map(({ file, line, code, message }) => `${file}:${line}: [${code}] ${message}`);
}
