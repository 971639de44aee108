/** Real servers for the demo and the tests: whole when they are handed over, gone when we are. */
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import {
  ask,
  findServerProgram,
  type RedisCluster,
  type Servers,
  startCluster,
} from '../../bin/demo/servers.js';
import { servers as newServers } from '../helpers/cluster.js';
import { until } from '../helpers/until.js';

function serversFor(t: TestContext): Servers {
  const servers = newServers();
  t.after(() => servers.stop());
  return servers;
}

/** What every node of a cluster says of it: `[first slot, last slot, port of the primary, ports of replicas …]`. */
async function views(cluster: RedisCluster, password: string | null = null): Promise<number[][][]> {
  return Promise.all(
    cluster.nodes.map(async ({ port }) => {
      const reply = await ask(port, ['CLUSTER', 'SLOTS'], password);
      assert.ok(Array.isArray(reply));
      return reply
        .map(([from, to, primary, ...replicas]) => [
          from,
          to,
          primary[1],
          ...replicas.map((replica: unknown[]) => replica[1]).sort(),
        ])
        .sort((a, b) => a[0] - b[0]);
    }),
  );
}

test('a cluster: every node sees all slots and replicas, writes reach replicas, a replica takes over', async (t) => {
  const cluster = await startCluster(serversFor(t));
  const port = (i: number): number => cluster.nodes[i]?.port ?? 0;
  const expected = [
    [0, 5460, port(0), port(3)],
    [5461, 10922, port(1), port(4)],
    [10923, 16383, port(2), port(5)],
  ];
  for (const view of await views(cluster)) assert.deepEqual(view, expected);
  for (const { port } of cluster.nodes)
    assert.match(String(await ask(port, ['CLUSTER', 'INFO'])), /cluster_state:ok/);
  assert.equal(await ask(port(2), ['SET', 'foo', 'bar']), 'OK'); // foo is in slot 12182
  assert.equal(await ask(port(2), ['WAIT', '1', '5000']), 1);
  await cluster.nodes[0]?.kill();
  await until(async () => String(await ask(port(3), ['ROLE'])).startsWith('master'));
});

test('a cluster without replicas, and one with two for each primary', async (t) => {
  const servers = serversFor(t);
  const [none, two] = await Promise.all([
    startCluster(servers, 3, [], 0),
    startCluster(servers, 2, [], 2),
  ]);
  assert.equal(none.nodes.length, 3);
  for (const view of await views(none))
    assert.deepEqual(
      view.map((range) => range.length),
      [3, 3, 3],
    );
  assert.equal(two.nodes.length, 6);
  for (const view of await views(two))
    assert.deepEqual(
      view.map((range) => range.length),
      [5, 5],
    );
});

test('a cluster with a password', async (t) => {
  const options = ['--requirepass', 'secret', '--masterauth', 'secret'];
  const cluster = await startCluster(serversFor(t), 3, options);
  await assert.rejects(ask(cluster.nodes[0]?.port ?? 0, ['PING']), /NOAUTH/);
  for (const view of await views(cluster, 'secret')) assert.equal(view.length, 3);
});

test('a cluster that speaks TLS has a port for it beside the plain one', async (t) => {
  const servers = serversFor(t);
  const [key, certificate] = ['key.pem', 'certificate.pem'].map((name) =>
    path.join(servers.folder, name),
  );
  assert.ok(key && certificate);
  try {
    execFileSync(
      'openssl',
      [
        ...[
          'req',
          '-x509',
          '-newkey',
          'rsa:2048',
          '-nodes',
          '-days',
          '1',
          '-subj',
          '/CN=localhost',
        ],
        ...['-keyout', key, '-out', certificate],
      ],
      { stdio: 'ignore' },
    );
  } catch {
    t.skip('no openssl to make a certificate with');
    return;
  }
  const cluster = await startCluster(servers, 3, [
    ...['--tls-cert-file', certificate, '--tls-key-file', key, '--tls-ca-cert-file', certificate],
    ...['--tls-auth-clients', 'no', '--tls-cluster', 'yes', '--tls-replication', 'yes'],
  ]);
  for (const view of await views(cluster)) assert.equal(view.length, 3);
  const ports = cluster.nodes.map((node) => node.tlsPort);
  assert.equal(new Set([...ports, ...cluster.nodes.map((node) => node.port)]).size, 12);
  const slots = execFileSync('redis-cli', [
    ...['--tls', '--insecure', '-p', String(ports[0]), 'CLUSTER', 'SLOTS'],
  ]).toString();
  for (const port of ports) assert.ok(slots.includes(String(port)));
});

test('one server: on the port that was asked for, again after it was killed, never on one that is taken', async (t) => {
  const servers = serversFor(t);
  const first = await servers.start(['--maxmemory', '50mb']);
  assert.deepEqual(await ask(first.port, ['CONFIG', 'GET', 'maxmemory']), [
    'maxmemory',
    '52428800',
  ]);
  await assert.rejects(servers.start([], first.port), { code: 'LISTEN_IN_USE' });
  await first.kill();
  await assert.rejects(ask(first.port, ['PING']));
  const second = await servers.start([], first.port);
  assert.notEqual(second.pid, first.pid);
  await assert.rejects(servers.start(['--nonsense', 'x']), { code: 'NO_REDIS_SERVER' });
});

test('freeze and thaw', async (t) => {
  const server = await serversFor(t).start();
  server.freeze();
  const answer = ask(server.port, ['PING']);
  server.thaw();
  assert.equal(await answer, 'PONG');
});

test('stop: the servers and their folder are gone', async () => {
  const servers = newServers();
  const { port } = await servers.start();
  await servers.stop();
  assert.equal(existsSync(servers.folder), false);
  await assert.rejects(ask(port, ['PING']));
});

const SERVERS = pathToFileURL(path.join(import.meta.dirname, '../../bin/demo/servers.js')).href;

for (const [how, code] of [
  ['process.exit', 'process.exit(0)'],
  ['an exception', 'throw new Error("a crash")'],
  [
    'SIGTERM',
    'process.kill(process.pid, "SIGTERM"); await new Promise(() => setInterval(() => {}, 1000))',
  ],
  ['kill -9', 'process.kill(process.pid, "SIGKILL")'],
] as const) {
  test(`${how} of the process that started them: the servers and their folder are gone`, async (t) => {
    const folder = mkdtempSync(path.join(tmpdir(), 'rmtop-test-'));
    t.after(() => rmSync(folder, { recursive: true, force: true }));
    const script = `
      import { findServerProgram, Servers } from ${JSON.stringify(SERVERS)};
      const servers = new Servers(findServerProgram());
      const [one, two] = await Promise.all([servers.start(), servers.start()]);
      await one.kill();
      process.stdout.write(String(two.port), async () => { ${code} });`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
      env: { ...process.env, TMPDIR: folder },
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    let said = '';
    child.stdout.on('data', (chunk: Buffer) => {
      said += chunk.toString();
    });
    await new Promise((resolve) => child.once('close', resolve));
    assert.match(said, /^\d+$/);
    await until(() => readdirSync(folder).length === 0);
    await assert.rejects(ask(Number(said), ['PING']));
  });
}

test('a port that another process takes at the last moment: the next one is tried', async (t) => {
  // Every port that is drawn is taken by us as soon as it has been found free, for the first two draws.
  const servers = serversFor(t);
  const ports: number[] = [];
  const startOn = servers.startOn.bind(servers);
  servers.startOn = async (port, tlsPort, args) => {
    if (ports.length < 2) {
      ports.push(port);
      const taker = createServer();
      await new Promise<void>((resolve) => taker.listen(port, '127.0.0.1', resolve));
      t.after(() => taker.close());
    }
    return startOn(port, tlsPort, args);
  };
  const server = await servers.start();
  assert.equal(ports.length, 2);
  assert.ok(!ports.includes(server.port));
});

test('the server program: $REDIS_SERVER, else what is on PATH, else none', () => {
  const { path: found = '' } = findServerProgram() ?? {};
  assert.equal(findServerProgram({ REDIS_SERVER: found, PATH: process.env.PATH })?.path, found);
  assert.equal(findServerProgram({ PATH: '/nonexistent' }), null);
  assert.equal(
    findServerProgram({ REDIS_SERVER: '/nonexistent/redis-server', PATH: process.env.PATH }),
    null,
  );
});
