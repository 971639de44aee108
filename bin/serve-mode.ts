/** `rmtop serve --mode none|once|new|all`: when the real servers are asked, and what is recorded of it, by VCR's names. */
import { existsSync } from 'node:fs';
import {
  besideOf,
  createProxy,
  type ProxyHandle,
  putInPlace,
  RecordWriter,
  RmtopError,
} from 'rmtop';
import { conflict, DEFAULT_LISTEN, usage } from './options.js';
import { type Planned, planOf } from './plan.js';
import { planRecording } from './record-flags.js';
import { say } from './recording-files.js';
import type { Settings } from './settings/read.js';
import { startProxies } from './start.js';

const MODES = ['none', 'once', 'new', 'all'] as const;

/** What `--mode` is given with. */
export type ModeFlags = {
  readonly mode?: string;
  readonly upstream?: string;
  readonly onMiss?: string;
  readonly cluster?: boolean;
  readonly listen?: string;
  readonly fault?: readonly string[];
  readonly seed?: string;
  readonly filter?: string;
  readonly quiet?: boolean;
  readonly settings?: Settings;
};

/** Serve, and add what was not recorded (`new`), or record everything. */
export type ModePlan =
  | { readonly kind: 'serve'; readonly addsFrom: string | null }
  | { readonly kind: 'record'; readonly upstream: string };

/** What `--mode` comes to for `file`. Throws USAGE. */
export function planMode(file: string, flags: ModeFlags): ModePlan {
  const { mode: text, upstream } = flags;
  if (text === undefined) {
    if (upstream !== undefined) throw usage('--upstream', upstream, 'used with --mode');
    return { kind: 'serve', addsFrom: null };
  }
  const mode = MODES.find((each) => each === text);
  if (mode === undefined) throw usage('--mode', text, MODES.join(', '));
  if (flags.onMiss !== undefined)
    throw conflict(`--mode ${mode}`, '--on-miss', 'the mode says what becomes of a miss');
  if (file === '-' && mode !== 'none') throw usage('--mode', mode, 'used with a file');
  const isThere = existsSync(file);
  if (mode === 'none' || (mode === 'once' && isThere)) return { kind: 'serve', addsFrom: null };
  if (upstream === undefined)
    throw new RmtopError('USAGE', `--mode ${mode} wants to know the real servers`, {
      ...(mode === 'once' ? { why: `there is no ${file} yet, so that it is recorded first` } : {}),
      next: [`rmtop serve ${file} --mode ${mode} --upstream HOST:PORT`],
    });
  if (mode === 'new' && isThere) return { kind: 'serve', addsFrom: upstream };
  if (flags.cluster === true)
    throw conflict(`--mode ${mode}`, '--cluster', 'recording is done through one port');
  return { kind: 'record', upstream };
}

/** The proxy in front of `--upstream`, an address or a URL: a good client of it, that asks for what the mesh would refuse as well. */
export function planUpstream(upstream: string, flags: ModeFlags): Planned {
  const { fault, seed, listen = DEFAULT_LISTEN } = flags;
  return planOf({
    upstream,
    listen,
    open: true,
    enableRedirection: true,
    protocolVersion: 'RESP3', // clients of both versions are understood
    ...(fault === undefined ? {} : { fault }),
    ...(seed === undefined ? {} : { seed }),
  });
}

/** How long commands in flight may take to finish. */
const GRACE_MS = 2000;

/** Why it ended: a signal, or nobody asking any more (null). */
export type Ended = 'SIGINT' | 'SIGTERM' | null;

/**
 * Records everything until `signalled`, or until no command has come for `idleMs`, and puts it in the place of `file` if it ended
 * well. Throws as `startProxies`, and what writing throws: `file` is then as it was.
 */
export async function recordAll(
  file: string,
  upstream: string,
  flags: ModeFlags,
  signalled: Promise<Ended>,
  idleMs: number | null,
): Promise<Ended> {
  const made = besideOf(file);
  const planned = planUpstream(upstream, flags);
  const record = planRecording(
    { force: true, ...(flags.settings === undefined ? {} : { settings: flags.settings }) },
    made,
    flags.filter ?? '',
  );
  const running = await startProxies(planned, { keep: record.keep, hashes: true }, createProxy);
  const [{ proxy }] = running.proxies;
  const writer = new RecordWriter(record.writer);
  proxy.subscribe(writer);
  let limit: string | null = null;
  void writer.full.then((why) => {
    limit = why;
  });
  const { host, port } = proxy.address;
  if (flags.quiet !== true)
    say(`rmtop: recording ${file} from ${upstream} on ${host}:${port}; it is written at the end`);
  const end = await Promise.race([
    signalled,
    writer.broken,
    ...(idleMs === null ? [] : [idle(proxy, idleMs)]),
  ]);
  await running.close(GRACE_MS);
  const totals = await writer.end('signal');
  if (end instanceof Error || totals === null || limit !== null) {
    say(`rmtop: ${file} stays as it was; what was recorded until then is in ${made}`);
    if (end instanceof Error) throw end;
    throw new RmtopError('OUTPUT_FAILED', `the recording ended early: ${limit ?? 'it is broken'}`);
  }
  const isReplaced = putInPlace(made, file, totals.commands);
  const count = totals.commands.toLocaleString('en-US');
  if (flags.quiet !== true)
    say(
      isReplaced
        ? `rmtop: recorded ${count} commands into ${file}`
        : `rmtop: no command came: ${file} stays as it was`,
    );
  return end;
}

/** Settles when no command has come for so long, counted from the first one. */
function idle(proxy: ProxyHandle, ms: number): Promise<null> {
  let known = 0;
  let sinceMs = performance.now();
  return new Promise((resolve) => {
    const look = async (): Promise<void> => {
      const { calls } = (await proxy.totals()).all;
      if (calls !== known) {
        known = calls;
        sinceMs = performance.now();
      } else if (calls > 0 && performance.now() - sinceMs >= ms) {
        resolve(null);
        return;
      }
      setTimeout(() => void look(), Math.min(100, Math.max(5, ms / 4))).unref();
    };
    void look();
  });
}
