/** `rmtop demo`: a cluster, an application and rmtop between them, from nothing. */
import { Command } from 'commander';
import {
  applyOverrides,
  createProxy,
  createThreadedProxy,
  type MeshConfig,
  NEWEST_ENVOY,
  OLDEST_ENVOY,
  type ProxyHandle,
  type ProxyOptions,
  parseFlags,
  READ_POLICIES,
  RmtopError,
  upstreamOf,
} from 'rmtop';
import { openStage, type Stage } from '../demo/stage.js';
import { runUnattended, type Span, signal } from '../demo/unattended.js';
import {
  DEFAULT_LISTEN,
  type ProxyFlags,
  parseDuration,
  type Resolved,
  usage,
} from '../options.js';
import { onlyProxy, planOf } from '../plan.js';
import {
  type Look,
  preloadScreen,
  readLook,
  SCREEN_KEEP,
  type ScreenFlags,
  showScreen,
  wantsScreen,
  withScreenFlags,
} from '../screen.js';
import { ScreenRecorder } from '../screen-recorder.js';
import { ScreenReplays } from '../screen-replays.js';
import { withSettings } from '../settings/apply.js';

type MeshFlags = Pick<
  ProxyFlags,
  'listen' | 'readPolicy' | 'envoy' | 'open' | 'enableRedirection' | 'opTimeout'
>;

type DemoFlags = MeshFlags &
  ScreenFlags & {
    readonly fake?: boolean;
    readonly for?: string;
    readonly commands?: string;
    readonly seed?: string;
  };

const FAULTS = [
  'error 20% cmd=SET key=session:*',
  'delay 50ms 5% class=read',
  'close 1% cmd=HGETALL',
];

/** More to see than with Envoy's own default, under which replicas are idle. */
const READ_POLICY = 'PREFER_REPLICA';

const ABOUT = `
The servers are real ones where redis-server or valkey-server is on PATH, or named by $REDIS_SERVER; they live in a
temporary folder and are gone afterwards. Without a terminal a summary is printed of what was routed where.`;

/** The subcommand. */
export function demoCommand(): Command {
  const command = new Command('demo').description(
    'a Redis Cluster, an application and the screen, from nothing',
  );
  return withSettings(withScreenFlags(command), ['screen'])
    .option('--fake', 'the embedded fake cluster although there is a redis-server')
    .option(
      '-l, --listen <address>',
      `where clients connect (default: $RMTOP_LISTEN, ${DEFAULT_LISTEN}, else a free port)`,
    )
    .option('--read-policy <policy>', `${READ_POLICIES.join(' ')} (default: ${READ_POLICY})`)
    .option('--envoy <version>', `behave like this Envoy, 1.${OLDEST_ENVOY} to 1.${NEWEST_ENVOY}`)
    .option('--open', 'forward what the mesh refuses as a good cluster client would')
    .option('--enable-redirection', 'follow MOVED and ASK, as Envoy does only when told to')
    .option('--op-timeout <duration>', "Envoy's op_timeout (default: 60s)")
    .option('--for <duration>', 'how long it runs without a terminal (default: 10s)')
    .option('--commands <number>', 'end sooner, after so many commands, without a terminal')
    .option('--seed <number>', 'another course of the same application (default: 1)')
    .addHelpText('after', ABOUT)
    .action(async (flags: DemoFlags) => {
      process.exitCode = await demo(flags);
    });
}

/** Runs the demo until its user, or its time, ends it; gives the exit code. */
async function demo(flags: DemoFlags): Promise<number> {
  const { env } = process;
  const seed = Number(flags.seed ?? 1);
  if (!Number.isSafeInteger(seed)) throw usage('--seed', flags.seed ?? '', 'a whole number');
  const forMs = parseDuration('--for', flags.for ?? '10s');
  const commands = Number(flags.commands ?? Number.POSITIVE_INFINITY);
  if (!(commands >= 1)) throw usage('--commands', flags.commands ?? '', 'a number from 1');
  const look = readLook(flags);
  const resolveWith = (upstream: string): Resolved =>
    // Passwords and upstreams in the environment are for other servers than these.
    onlyProxy(
      planOf({ readPolicy: READ_POLICY, ...flags, upstream }, { RMTOP_LISTEN: env.RMTOP_LISTEN }),
      'the demo',
    );
  resolveWith('127.0.0.1:1'); // mistakes in flags are told before anything is started
  const isChosen = flags.listen !== undefined || Boolean(env.RMTOP_LISTEN);
  if (wantsScreen(flags)) preloadScreen();
  const stage = await openStage({ fake: flags.fake === true, seed, say });
  try {
    const told = resolveWith(stage.seeds.join(','));
    const resolved = { ...told, config: staged(told.config, stage, seed), label: stage.label };
    const options: ProxyOptions = {
      config: resolved.config,
      dialling: resolved.dialling,
      listen: resolved.listen,
      credentials: null,
      keep: SCREEN_KEEP,
      hashes: false,
      seed,
    };
    return wantsScreen(flags)
      ? await watch(options, isChosen, stage, resolved, look)
      : await leave(options, isChosen, stage, { forMs, commands });
  } finally {
    await stage.close();
  }
}

/** The demo's mesh: writes are copied to the mirror server, and three fault rules lie ready, switched off. */
function staged(config: MeshConfig, stage: Stage, seed: number): MeshConfig {
  const { routes, upstreams, rules } = applyOverrides(
    config,
    parseFlags({ fault: FAULTS }, seed),
  ).config;
  const copy = {
    upstream: 'mirror',
    fraction: { numerator: 100, of: 100 },
    excludeReads: true,
  } as const;
  return {
    ...config,
    routes: routes.map((route) => ({ ...route, mirrors: [copy] })),
    upstreams: { ...upstreams, mirror: upstreamOf([stage.mirror]) },
    rules: rules.map((rule) => ({ ...rule, on: false })),
  };
}

/** With the screen. */
async function watch(
  options: ProxyOptions,
  isChosen: boolean,
  stage: Stage,
  resolved: Resolved,
  look: Look,
): Promise<number> {
  const proxy = await onFreePort(createThreadedProxy, options, isChosen);
  stage.play(proxy.address.host, proxy.address.port);
  const recorder = new ScreenRecorder(proxy, 'HOST:PORT', SCREEN_KEEP);
  const replays = new ScreenReplays({ upstream: stage.seeds.join(',') });
  return showScreen(proxy, resolved, look, recorder, { replays });
}

/** Without it. */
async function leave(
  options: ProxyOptions,
  isChosen: boolean,
  stage: Stage,
  span: Span,
): Promise<number> {
  const signalled = signal();
  const proxy = await onFreePort(createProxy, options, isChosen);
  const { host, port } = proxy.address;
  say(`listening on ${host}:${port}; the summary comes after ${span.forMs / 1000} s`);
  const { lines, exitCode } = await runUnattended(proxy, options, stage, span, signalled);
  process.stdout.on('error', () => {}); // whoever read it has gone
  process.stdout.write(`${lines.join('\n')}\n`);
  return exitCode;
}

/** A demo need not fail because another rmtop has the usual port: unless the user chose it, a free one will do. */
async function onFreePort(
  create: (options: ProxyOptions) => Promise<ProxyHandle>,
  options: ProxyOptions,
  isChosen: boolean,
): Promise<ProxyHandle> {
  try {
    return await create(options);
  } catch (error) {
    if (isChosen || !(error instanceof RmtopError) || error.code !== 'LISTEN_IN_USE') throw error;
    return create({ ...options, listen: { ...options.listen, port: 0 } });
  }
}

function say(text: string): void {
  process.stderr.write(`rmtop demo: ${text}\n`);
}
