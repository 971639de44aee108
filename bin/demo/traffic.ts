/** The demo's application: four clients that work at a steady pace, each drawing its steps from a generator of its own. */
import { setTimeout as sleep } from 'node:timers/promises';
import { RmtopError, type Rng, seededRng } from 'rmtop';
import { DemoClient } from './client.js';
import * as steps from './steps.js';

/** One client: how often it takes a step, and which, by weight. */
type Role = {
  readonly name: string;
  readonly everyMs: number;
  /** What it does before anything else. */
  readonly first?: steps.Step;
  readonly steps: readonly (readonly [weight: number, step: steps.Step])[];
};

/** Together some 400 commands a second. */
const ROLES: readonly Role[] = [
  {
    name: 'api-1',
    everyMs: 12,
    steps: [
      [20, steps.visit],
      [18, steps.limitRate],
      [12, steps.lookUpPrice],
      [10, steps.showCart],
      [8, steps.logIn],
      [8, steps.fillCart],
      [8, steps.comparePrices],
      [6, steps.readHome],
      [1, steps.misuseKey],
    ],
  },
  {
    name: 'web-2',
    everyMs: 10,
    steps: [
      [40, steps.readHome],
      [14, steps.readFeed],
      [12, steps.showProfile],
      [12, steps.visit],
      [10, steps.showBoard],
      [6, steps.showCart],
      [1, steps.forgetKey],
    ],
  },
  {
    name: 'worker',
    everyMs: 30,
    first: steps.waitForJob,
    steps: [
      [24, steps.score],
      [20, steps.post],
      [10, steps.saveProfile],
      [8, steps.sell],
      [6, steps.waitForJob],
    ],
  },
  {
    name: 'jobs',
    everyMs: 80,
    first: steps.openShop,
    steps: [
      [8, steps.countViews],
      [6, steps.queueJob],
      [4, steps.changePrices],
      [4, steps.clearCarts],
      [3, steps.renderHome],
      [2, steps.listen],
      [1, steps.forgetValue],
    ],
  },
];

/** How long a client waits before it connects again. */
const RETRY_MS = 250;
/** A client that is later than this (the machine was busy) does not catch up. */
const LATE_MS = 200;
/** How long a step may take to finish when all is to stop. */
const PATIENCE_MS = 1500;

/** The application at work. */
export type Traffic = {
  /** Lets every client finish its step, and closes the connections. */
  stop(): Promise<void>;
};

/** Connects the clients to `host:port`. The same seed gives each client the same steps in the same order. */
export function startTraffic(host: string, port: number, seed: number): Traffic {
  const stopping = new AbortController();
  const cutting = new AbortController();
  const connect = (): Promise<DemoClient> => DemoClient.connect(host, port, cutting.signal);
  const working = ROLES.map((role, i) => work(role, seededRng(seed + i), connect, stopping.signal));
  return {
    async stop() {
      stopping.abort();
      const patience = setTimeout(() => cutting.abort(), PATIENCE_MS);
      await Promise.all(working);
      clearTimeout(patience);
    },
  };
}

/** Works until told to stop; connects again whenever the connection is lost. */
async function work(
  role: Role,
  rng: Rng,
  connect: () => Promise<DemoClient>,
  stopping: AbortSignal,
): Promise<void> {
  while (!stopping.aborted) {
    const client = await connect().catch(() => null);
    if (client !== null) {
      await serve(client, role, rng, stopping).catch((error: unknown) => {
        if (!(error instanceof RmtopError)) throw error;
      });
      client.close();
    }
    await pause(RETRY_MS, stopping);
  }
}

async function serve(
  client: DemoClient,
  role: Role,
  rng: Rng,
  stopping: AbortSignal,
): Promise<void> {
  const take = async (step: steps.Step): Promise<void> => {
    for (const batch of step(rng)) await client.send(batch);
  };
  await client.send([['CLIENT', 'SETNAME', role.name]]);
  if (role.first !== undefined) await take(role.first);
  let due = performance.now();
  while (!stopping.aborted) {
    await take(draw(role, rng));
    const interval = role.everyMs * (0.5 + rng.below(1000) / 1000);
    due = Math.max(due + interval, performance.now() - LATE_MS);
    await pause(due - performance.now(), stopping);
  }
}

function draw(role: Role, rng: Rng): steps.Step {
  const total = role.steps.reduce((sum, [weight]) => sum + weight, 0);
  let left = rng.below(total);
  for (const [weight, step] of role.steps) {
    if (left < weight) return step;
    left -= weight;
  }
  return steps.visit;
}

async function pause(ms: number, stopping: AbortSignal): Promise<void> {
  if (ms > 0) await sleep(ms, undefined, { signal: stopping }).catch(() => {});
}
