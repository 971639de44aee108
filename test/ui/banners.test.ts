/** Banners of the real program, over real servers: the traps of a mesh are said, with what to do, until they are closed. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import test, { type TestContext } from 'node:test';
import { TestClient } from '../helpers/client.js';
import { sharedCluster } from '../helpers/cluster.js';
import { bootstrap, cluster, TO_A } from '../helpers/mesh-files.js';
import { openTerminal, type ProgramTerminal } from '../helpers/pty.js';

const { cluster: redisCluster } = sharedCluster();

function opened(t: TestContext, mesh: string, rows = 24): ProgramTerminal {
  const folder = mkdtempSync(path.join(tmpdir(), 'rmtop-banners-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const file = path.join(folder, 'mesh.yaml');
  writeFileSync(file, mesh);
  return openTerminal(t, ['--mesh', file, '-l', '127.0.0.1:0'], { columns: 120, rows });
}

async function client(t: TestContext, terminal: ProgramTerminal): Promise<TestClient> {
  const text = await terminal.shows(/rmtop :\d+/);
  const made = await TestClient.connect(Number(/rmtop :(\d+)/.exec(text)?.[1]));
  t.after(() => made.close());
  return made;
}

test('a Redis Cluster whose hosts are hashed: the banner comes with the first MOVED, and Esc closes it', async (t) => {
  const ports = redisCluster()
    .nodes.slice(0, 3)
    .map(({ port }) => port);
  const terminal = opened(t, bootstrap(TO_A, [cluster('a', ports)]));
  const app = await client(t, terminal);
  for (let i = 0; i < 20; i++) await app.ask('GET', `key:${i}`);
  await terminal.shows([
    /! a is a Redis Cluster, but the mesh spreads keys over its hosts by MAGLEV: \d+ MOVED/,
    /next: cluster_type envoy\.clusters\.redis/,
    /GET +key:19/,
  ]);
  terminal.type('\x1b');
  await terminal.shows((text) => !/is a Redis Cluster/.test(text), 'no banner');
  terminal.type('9');
  // Closed, and still so.
  await terminal.shows([/\[9 Log\]/, /! a is a Redis Cluster/]);
});

test('PREFER_MASTER without health checks is said before the first command', async (t) => {
  const [first] = redisCluster().nodes;
  const upstream = cluster(
    'a',
    [first?.port ?? 0],
    'lb_policy: CLUSTER_PROVIDED, cluster_type: {name: envoy.clusters.redis}',
  );
  const proxy = `${TO_A}\nsettings: {op_timeout: 5s, read_policy: PREFER_MASTER}`;
  const terminal = opened(t, bootstrap(proxy, [upstream]));
  await terminal.shows([
    /! PREFER_MASTER without health checks: reads of a stay with a primary that is dead/,
    /next: health_checks with envoy\.health_checkers\.redis/,
  ]);
});

test('writes that Envoy does not know for writes are named when replicas send them back', async (t) => {
  const [first] = redisCluster().nodes;
  const upstream = cluster(
    'a',
    [first?.port ?? 0],
    'lb_policy: CLUSTER_PROVIDED, cluster_type: {name: envoy.clusters.redis}',
  );
  const proxy = `${TO_A}\nsettings: {op_timeout: 5s, read_policy: REPLICA}`;
  const terminal = opened(t, bootstrap(proxy, [upstream]));
  const app = await client(t, terminal);
  await app.ask('XADD', 'orders', '*', 'id', '1');
  await terminal.shows([
    /! XADD went to replicas of a under REPLICA/,
    /next: enable_redirection: true follows them/,
  ]);
});
