/** What a demo plays on: servers behind the proxy and an application before it. Everything but rmtop itself. */
import { Worker } from 'node:worker_threads';
import { messageOf, RmtopError } from 'rmtop';
import { ask, findServerProgram, type ServerProgram, Servers, startCluster } from './servers.js';

/** A stage that is set. */
export type Stage = {
  /** What the servers are, in three words for the screen's header, and at more length. */
  readonly label: string;
  readonly description: string;
  readonly seeds: readonly string[];
  /** The server beside the cluster, that writes are copied to. It has some counters of its own: not all its replies are the same. */
  readonly mirror: string;
  /** Has the application connect to the proxy, and work until `rest`. */
  play(host: string, port: number): void;
  /** Has the application finish what it is at. */
  rest(): Promise<void>;
  /** Everything is gone when it settles; rejects when the application had failed. */
  close(): Promise<void>;
};

/** Main thread → worker. */
export type ToStage =
  | { readonly type: 'serve' }
  | { readonly type: 'play'; readonly host: string; readonly port: number; readonly seed: number }
  | { readonly type: 'rest' };

/** Worker → main thread. */
export type FromStage =
  | { readonly type: 'serving'; readonly ports: readonly number[]; readonly mirrorPort: number }
  | { readonly type: 'resting' };

/** How the stage is to be. `say` tells the user what takes a while. */
export type StageOptions = {
  /** The embedded fake, although there may be a real server program. */
  readonly fake: boolean;
  readonly seed: number;
  readonly say: (text: string) => void;
};

/** Sets the stage: on a real Redis Cluster where a server program is found, else on the fake. Throws NO_REDIS_SERVER. */
export async function openStage(options: StageOptions): Promise<Stage> {
  const program = options.fake ? null : findServerProgram();
  if (program !== null) return openReal(program, options);
  const why = options.fake ? 'as asked' : 'no redis-server or valkey-server found';
  options.say(`an embedded fake Redis Cluster (${why}): 3 shards, 3 replicas and a mirror server`);
  const company = new Company(options.seed);
  const { ports, mirrorPort } = await company.serve();
  return {
    label: 'demo: fake cluster',
    description: 'the embedded fake Redis Cluster',
    seeds: ports.map(address),
    mirror: address(mirrorPort),
    play: (host, port) => company.play(host, port),
    rest: () => company.rest(),
    close: () => company.dismiss(),
  };
}

async function openReal(program: ServerProgram, options: StageOptions): Promise<Stage> {
  options.say(
    `starting a real Redis Cluster of ${program.version}: 3 shards, 3 replicas and a mirror server`,
  );
  const servers = new Servers(program);
  try {
    const [cluster, mirror] = await Promise.all([startCluster(servers), servers.start()]);
    await ask(mirror.port, ['MSET', ...DIVERGING]);
    const company = new Company(options.seed);
    return {
      label: `demo: ${program.version.replace('-server', '')}`,
      description: `a real Redis Cluster (${program.version})`,
      seeds: cluster.nodes.map((node) => address(node.port)),
      mirror: address(mirror.port),
      play: (host, port) => company.play(host, port),
      rest: () => company.rest(),
      async close() {
        await servers.stop();
        await company.dismiss();
      },
    };
  } catch (error) {
    await servers.stop();
    throw new RmtopError('NO_REDIS_SERVER', `${program.path} does not make a cluster`, {
      why: error instanceof RmtopError && error.why !== null ? error.why : messageOf(error),
      next: ['rmtop demo --fake        needs no Redis'],
    });
  }
}

/** What the mirror has that the cluster has not: views were counted there before. */
const DIVERGING: readonly string[] = Array.from({ length: 25 }, (_, i) => [
  `views:${i * 20}`,
  `${100 + i}`,
]).flat();

function address(port: number): string {
  return `127.0.0.1:${port}`;
}

/**
 * The thread of the application and of the fake servers: beside the screen they would wait for its frames, and the latencies shown
 * would be those of drawing them.
 */
class Company {
  private readonly worker: Worker;
  private readonly seed: number;
  private failure: unknown = null;

  constructor(seed: number) {
    this.seed = seed;
    // It has nothing to say to the terminal that the screen is on.
    this.worker = new Worker(new URL('./stage-worker.js', import.meta.url), {
      stdout: true,
      stderr: true,
    });
    this.worker.on('error', (error) => {
      this.failure = error;
    });
  }

  private tell(message: ToStage): void {
    this.worker.postMessage(message);
  }

  /** The next message of that type; rejects when the thread ends without it. */
  private hear<T extends FromStage['type']>(type: T): Promise<Extract<FromStage, { type: T }>> {
    return new Promise((resolve, reject) => {
      const heard = (message: FromStage): void => {
        if (message.type === type) resolve(message as Extract<FromStage, { type: T }>);
      };
      this.worker.on('message', heard);
      this.worker.once('exit', () => reject(this.failure));
      if (this.failure !== null) reject(this.failure);
    });
  }

  serve(): Promise<Extract<FromStage, { type: 'serving' }>> {
    this.tell({ type: 'serve' });
    return this.hear('serving');
  }

  play(host: string, port: number): void {
    this.tell({ type: 'play', host, port, seed: this.seed });
  }

  async rest(): Promise<void> {
    this.tell({ type: 'rest' });
    await this.hear('resting');
  }

  async dismiss(): Promise<void> {
    await this.worker.terminate();
    if (this.failure !== null) throw this.failure;
  }
}
