/** Real Redis servers for the demo and the tests: on free ports, in a folder of their own, gone afterwards however it ends. */
import { type ChildProcess, execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { RmtopError } from 'rmtop';
import { ask, until } from './ask.js';
import { nodesConf, type PlannedNode, slotsOfShard } from './nodes-conf.js';
import { freePorts } from './ports.js';
import { NO_FAILOVER, settle } from './settle.js';
import { Watchdog } from './watchdog.js';

export { ask };

/** The program found, and what it calls itself. */
export type ServerProgram = { readonly path: string; readonly version: string };

/** The server program: `$REDIS_SERVER`, else redis-server or valkey-server on PATH; null when there is none. */
export function findServerProgram(env: NodeJS.ProcessEnv = process.env): ServerProgram | null {
  const candidates = env.REDIS_SERVER ? [env.REDIS_SERVER] : ['redis-server', 'valkey-server'];
  for (const candidate of candidates) {
    try {
      const said = execFileSync(candidate, ['--version'], {
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'ignore'],
        env,
      });
      const version = /v=(\S+)/.exec(said)?.[1] ?? '?';
      return { path: candidate, version: `${path.basename(candidate)} ${version}` };
    } catch {
      // not there, or not a server: the next one
    }
  }
  return null;
}

/** One running server. */
export type RedisServer = {
  readonly port: number;
  /** Beside `port` where its arguments name a certificate; else null. */
  readonly tlsPort: number | null;
  readonly pid: number;
  /** Sends SIGKILL and waits for its end. */
  kill(): Promise<void>;
  /** SIGSTOP: it accepts connections and answers nothing. */
  freeze(): void;
  thaw(): void;
};

const PORT_ATTEMPTS = 10;

/** Servers that live and die together. */
export class Servers {
  readonly folder: string;
  private readonly program: ServerProgram;
  private readonly children = new Set<ChildProcess>();
  private readonly watchdog: Watchdog;

  constructor(program: ServerProgram) {
    this.program = program;
    this.folder = path.join(tmpdir(), `rmtop-redis-${randomBytes(6).toString('hex')}`);
    this.watchdog = new Watchdog(this.folder); // before there is anything to remove
    mkdirSync(this.folder, { mode: 0o700 });
  }

  /**
   * Starts one server with `args` (redis.conf options as --name value) and waits until it answers: on `port`, else on a free one.
   * Throws NO_REDIS_SERVER, or LISTEN_IN_USE when `port` is taken.
   */
  async start(args: readonly string[] = [], port?: number): Promise<RedisServer> {
    for (let attempt = 1; ; attempt++) {
      const [first = 0, second = 0] = await freePorts(2);
      try {
        return await this.startOn(port ?? first, hasCertificate(args) ? second : null, args);
      } catch (error) {
        if (!isPortTaken(error) || port !== undefined || attempt === PORT_ATTEMPTS) throw error;
      }
    }
  }

  /** Starts a server on these ports. Throws NO_REDIS_SERVER or LISTEN_IN_USE. */
  async startOn(
    port: number,
    tlsPort: number | null,
    args: readonly string[],
  ): Promise<RedisServer> {
    const child = this.watchdog.spawn(this.program.path, [
      ...this.baseArgs(port, tlsPort),
      ...args,
    ]);
    child.on('error', () => {}); // told by the missing pid
    const { pid } = child;
    if (pid === undefined)
      throw new RmtopError('NO_REDIS_SERVER', `${this.program.path} does not start`);
    this.children.add(child);
    child.once('exit', () => this.children.delete(child));
    await this.answers(child, port, passwordIn(args));
    return {
      port,
      tlsPort,
      pid,
      kill: () => kill(child),
      freeze: () => process.kill(pid, 'SIGSTOP'),
      thaw: () => process.kill(pid, 'SIGCONT'),
    };
  }

  private baseArgs(port: number, tlsPort: number | null): string[] {
    const options: Readonly<Record<string, string>> = {
      port: String(port),
      ...(tlsPort === null ? {} : { 'tls-port': String(tlsPort) }),
      bind: '127.0.0.1',
      save: '',
      appendonly: 'no',
      dir: this.folder,
      dbfilename: `dump-${port}.rdb`,
      'cluster-config-file': nodesFile(port),
      daemonize: 'no',
    };
    return Object.entries(options).flatMap(([name, value]) => [`--${name}`, value]);
  }

  /** Waits until the server answers, and is ours: another process may have taken the port before it. */
  private async answers(child: ChildProcess, port: number, password: string | null): Promise<void> {
    let output = '';
    const keep = (chunk: Buffer): void => {
      output = (output + chunk.toString()).slice(-2000);
    };
    child.stdout?.on('data', keep);
    child.stderr?.on('data', keep);
    let running = true;
    const ended = new Promise<void>((resolve) => {
      child.once('close', () => {
        running = false;
        resolve();
      });
    });
    const isOurs = async (): Promise<boolean> => {
      const info = await ask(port, ['INFO', 'server'], password, 1000).catch(() => '');
      return String(info).includes(`process_id:${child.pid}\r\n`);
    };
    const answered = until(async () => !running || (await isOurs()), 'the server does not answer');
    await Promise.race([ended, answered]);
    if (running) return;
    const why = output.trim().split('\n').slice(-3).join(' / ');
    throw /Failed listening|Address already in use/i.test(output)
      ? new RmtopError('LISTEN_IN_USE', `port ${port} is taken`, { why })
      : new RmtopError('NO_REDIS_SERVER', `${this.program.path} ended at once`, { why });
  }

  /** Ends all of them and removes their folder. */
  async stop(): Promise<void> {
    await Promise.all([...this.children].map(kill));
    await this.watchdog.release();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

function nodesFile(port: number): string {
  return `nodes-${port}.conf`;
}

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGKILL');
  await ended;
}

function isPortTaken(error: unknown): boolean {
  return error instanceof RmtopError && error.code === 'LISTEN_IN_USE';
}

function argAfter(args: readonly string[], option: string): string | null {
  const at = args.indexOf(option);
  return at === -1 ? null : (args[at + 1] ?? null);
}

function passwordIn(args: readonly string[]): string | null {
  return argAfter(args, '--requirepass');
}

function hasCertificate(args: readonly string[]): boolean {
  return argAfter(args, '--tls-cert-file') !== null;
}

/** A running Redis Cluster: `nodes[0 … shards-1]` are the primaries in slot order, then the replicas in the order of their primaries. */
export type RedisCluster = {
  readonly servers: Servers;
  readonly nodes: readonly RedisServer[];
  readonly shards: number;
};

const CLUSTER_ARGS: readonly string[] = [
  ...['--cluster-enabled', 'yes', '--cluster-node-timeout', '2000'],
  // A replica is in nobody's CLUSTER SLOTS before its primary has sent it something: by default a ping after 10 s.
  ...['--repl-diskless-sync-delay', '0', '--repl-ping-replica-period', '1'],
];
/**
 * Starts a Redis Cluster of `shards` primaries with `replicas` replicas each and waits until every node sees all of it.
 *
 * The nodes find each other in a nodes.conf that is written for them, which saves the gossip of a cluster that meets; what is left
 * is that a primary waits 2 s before it calls the cluster well (CLUSTER_WRITABLE_DELAY in Redis's cluster.c).
 */
export async function startCluster(
  servers: Servers,
  shards = 3,
  options: readonly string[] = [],
  replicas = 1,
): Promise<RedisCluster> {
  const args = [...CLUSTER_ARGS, `--${NO_FAILOVER}`, 'yes', ...options];
  for (let attempt = 1; ; attempt++) {
    const plan = await planCluster(shards, replicas, options);
    for (const node of plan)
      writeFileSync(path.join(servers.folder, nodesFile(node.port)), nodesConf(plan, node));
    const started = await Promise.allSettled(
      plan.map((node) => servers.startOn(node.port, node.tlsPort, args)),
    );
    const nodes = started.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
    if (nodes.length === plan.length) {
      await settle(plan, passwordIn(options));
      return { servers, nodes, shards };
    }
    await Promise.all(nodes.map((node) => node.kill()));
    const failed = started.find((one) => one.status === 'rejected');
    if (!isPortTaken(failed?.reason) || attempt === PORT_ATTEMPTS) throw failed?.reason;
  }
}

async function planCluster(
  shards: number,
  replicas: number,
  options: readonly string[],
): Promise<PlannedNode[]> {
  const count = shards * (1 + replicas);
  const ports = await freePorts(count * 2);
  return ports.slice(0, count).map((port, i) => {
    const tlsPort = hasCertificate(options) ? (ports[count + i] ?? 0) : null;
    return {
      id: randomBytes(20).toString('hex'),
      port,
      tlsPort,
      busBase: argAfter(options, '--tls-cluster') === 'yes' ? (tlsPort ?? port) : port,
      primary: i < shards ? null : i % shards,
      slots: i < shards ? slotsOfShard(i, shards) : null,
    };
  });
}
