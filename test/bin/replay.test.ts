/** `rmtop replay` and `rmtop diff` on real clusters: the same is the same, and what was changed is what is shown. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test, { type TestContext } from 'node:test';
import { TestClient } from '../helpers/client.js';
import { ask, sharedCluster } from '../helpers/cluster.js';
import { runProgram, startProgram } from '../helpers/program.js';
import { folder } from '../helpers/record-files.js';
import { until } from '../helpers/until.js';

const { cluster } = sharedCluster();

function seed(): string {
  return `127.0.0.1:${cluster().nodes[0]?.port ?? 0}`;
}

async function flush(): Promise<void> {
  for (const node of cluster().nodes) await ask(node.port, ['FLUSHALL']).catch(() => {});
}

/** A session of three clients on an empty cluster, recorded: once for all tests that want it plain. */
let plain: Promise<string> | null = null;

async function session(t: TestContext, args: readonly string[] = []): Promise<string> {
  const file = path.join(folder(t), 'a.rmtop');
  if (args.length > 0) return record(t, file, args);
  plain ??= record(t, file, args).then((made) => readFileSync(made, 'utf8'));
  writeFileSync(file, await plain);
  return file;
}

async function record(t: TestContext, file: string, args: readonly string[]): Promise<string> {
  await flush();
  const rmtop = startProgram(t, [
    'record',
    '-q',
    '-o',
    file,
    '-l',
    '127.0.0.1:0',
    '-u',
    seed(),
    ...args,
  ]);
  const [, port] = await rmtop.says(/listening on 127\.0\.0\.1:(\d+)/);
  const clients = await Promise.all([1, 2, 3].map(() => TestClient.connect(Number(port))));
  const [a, b, c] = clients as [TestClient, TestClient, TestClient];
  await a.ask('CLIENT', 'SETNAME', 'cart');
  for (let i = 0; i < 30; i++) {
    await Promise.all([a.ask('SET', `k${i}`, `${i}`, 'EX', '1000'), b.ask('INCR', `n${i % 5}`)]);
    await c.pipeline([
      ['GET', `k${i}`],
      ['TTL', `k${i}`],
      ['GET', `n${i % 5}`],
    ]);
  }
  await a.pipeline([['MULTI'], ['SADD', 's', 'x', 'y', 'z'], ['SMEMBERS', 's'], ['EXEC']]);
  await b.ask('MGET', 'k1', 'k2', 'none');
  await b.ask('LPUSH', 'k1', 'wrong type');
  await c.ask('BLPOP', 'q', '0.01');
  await c.ask('SET', 'bytes', Buffer.from([0, 255, 13, 10]));
  await c.ask('GET', 'bytes');
  for (const client of clients) client.close();
  await until(() => readFileSync(file, 'utf8').split('"k":"end"').length === 4);
  rmtop.child.kill('SIGTERM');
  await rmtop.ended;
  return file;
}

test('a session replays against the same, emptied cluster without a difference', async (t) => {
  const file = await session(t);
  for (const speed of ['max', '10']) {
    await flush();
    const replay = await runProgram(t, ['replay', file, '-u', seed(), '--speed', speed]);
    assert.equal(replay.code, 0, replay.stdout + replay.stderr);
    assert.match(replay.stdout, /^replayed 160 of 160 commands on 3 connections in [\d.]+ s/);
    assert.match(
      replay.stdout,
      /0 different {3}1 not compared\nrouting {3}160 same {3}0 different/,
    );
  }
});

test('one value is changed: that reply, and nothing else, is shown', async (t) => {
  const file = await session(t);
  const lines = readFileSync(file, 'utf8').split('\n');
  const at = lines.findIndex((line) => line.includes('"a":["GET","k7"]'));
  lines[at] = (lines[at] ?? '').replace('"r":"7"', '"r":"8"');
  writeFileSync(file, lines.join('\n'));
  await flush();
  const junit = path.join(path.dirname(file), 'junit.xml');
  const replay = await runProgram(t, [
    'replay',
    file,
    '-u',
    seed(),
    '--speed',
    'max',
    '--junit',
    junit,
  ]);
  assert.equal(replay.code, 1, replay.stderr);
  assert.match(replay.stdout, /1 DIFFERENT/);
  assert.match(replay.stdout, /#\d+ GET k7 {3}"8" {2}> {2}"7"/);
  assert.match(readFileSync(junit, 'utf8'), /failures="1"[\s\S]*GET k7/);
  await flush();
  const json = await runProgram(t, ['replay', file, '-u', seed(), '--speed', 'max', '--json']);
  const report = JSON.parse(json.stdout) as {
    replies: { different: number };
    differences: { command: string }[];
  };
  assert.deepEqual(
    [report.replies.different, report.differences.map((each) => each.command)],
    [1, ['GET k7']],
  );
});

test('another policy: exactly the reads go elsewhere, with servers and without', async (t) => {
  const file = await session(t);
  await flush();
  const args = ['--read-policy', 'REPLICA'];
  const decided = await runProgram(t, ['replay', file, '--decide-only', ...args]);
  assert.equal(decided.code, 1, decided.stderr);
  const reads = readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => /"a":\["(?:GET|TTL|MGET)"/.test(line)).length;
  assert.match(
    decided.stdout,
    new RegExp(
      `^decided 160 commands again in [\\d.]+ s: ${160 - reads} the same, ${reads} DIFFERENT\\n {2}${reads} role\\n`,
    ),
  );
  const replay = await runProgram(t, [
    'replay',
    file,
    '-u',
    seed(),
    '--speed',
    'max',
    ...args,
    '--json',
  ]);
  const report = JSON.parse(replay.stdout) as {
    routing: { different: number };
    routes: { command: string; recorded: string; now: string }[];
  };
  assert.equal(report.routing.different, reads);
  assert.ok(report.routes.every((route) => /\.P/.test(route.recorded) && /\.R/.test(route.now)));
  const filtered = await runProgram(t, [
    'replay',
    file,
    '--decide-only',
    ...args,
    '-f',
    'cmd=MGET',
  ]);
  assert.match(filtered.stdout, /^decided 1 commands again in [\d.]+ s: 0 the same, 1 DIFFERENT\n/);
  const same = await runProgram(t, ['replay', file, '--decide-only']);
  assert.deepEqual(
    [same.code, /: 160 the same, 0 different/.test(same.stdout)],
    [0, true],
    same.stdout,
  );
});

test('--decide-only under another Envoy: what it would refuse, one JSON line each', async (t) => {
  const file = await session(t, ['--open']);
  const refused = await runProgram(t, [
    'replay',
    file,
    '--decide-only',
    '--json',
    '--envoy',
    '1.20',
    '--mesh',
    meshFile(t),
  ]);
  assert.equal(refused.code, 1, refused.stderr);
  const lines = refused.stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as { change?: string; command?: string });
  assert.deepEqual(
    lines.filter((line) => line.change === 'refused').map((line) => line.command?.split(' ')[0]),
    ['CLIENT', 'MULTI', 'EXEC', 'BLPOP'],
  );
});

/** An Envoy listener with a catch-all route, its cluster by a name of its own; `more` are routes, `others` clusters. */
function meshFile(t: TestContext, more = '', others = '', port = 7001): string {
  const file = path.join(folder(t), 'mesh.yaml');
  writeFileSync(
    file,
    `static_resources:
  listeners:
  - name: redis
    address: { socket_address: { address: 127.0.0.1, port_value: 6379 } }
    filter_chains:
    - filters:
      - name: envoy.filters.network.redis_proxy
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.filters.network.redis_proxy.v3.RedisProxy
          stat_prefix: redis
          settings: { op_timeout: 5s }
          prefix_routes:
            catch_all_route: { cluster: shop-redis }
${more}
  clusters:
${others}
  - name: shop-redis
    cluster_type:
      name: envoy.clusters.redis
      typed_config: { "@type": type.googleapis.com/google.protobuf.Struct, value: { cluster_refresh_rate: 5s } }
    lb_policy: CLUSTER_PROVIDED
    load_assignment:
      cluster_name: shop-redis
      endpoints: [{ lb_endpoints: [{ endpoint: { address: { socket_address: { address: 127.0.0.1, port_value: ${port} } } } }] }]
`,
  );
  return file;
}

test('another mesh: exactly the commands of the changed route and of the new mirror', async (t) => {
  const file = await session(t);
  const others = `  - name: other
    type: STATIC
    load_assignment:
      cluster_name: other
      endpoints: [{ lb_endpoints: [{ endpoint: { address: { socket_address: { address: 127.0.0.1, port_value: 9 } } } }] }]`;
  const route = `            routes:
            - { prefix: k1, cluster: other }
            - { prefix: n, cluster: shop-redis, request_mirror_policy: [{ cluster: other, exclude_read_commands: true }] }`;
  const decided = await runProgram(t, [
    'replay',
    file,
    '--decide-only',
    '--json',
    '--mesh',
    meshFile(t, route, others),
  ]);
  assert.equal(decided.code, 1, decided.stderr);
  assert.match(decided.stderr, /does not know the servers of other/);
  const changes = decided.stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as { change?: string; command?: string });
  const of = (change: string): Set<string | undefined> =>
    new Set(changes.filter((each) => each.change === change).map((each) => each.command));
  for (const command of of('mirrors')) assert.match(command ?? '', /^INCR n\d/);
  assert.equal(of('mirrors').size, 5);
  for (const command of of('route')) assert.match(command ?? '', / k1|^MGET k1/);
  assert.ok(of('route').has('GET k1') && of('route').has('GET k19') && !of('route').has('GET k2'));
  await flush();
  const only = cluster().nodes[0]?.port ?? 0;
  const renamed = await runProgram(t, [
    'replay',
    file,
    '--speed',
    'max',
    '--mesh',
    meshFile(t, '', '', only),
  ]);
  assert.equal(renamed.code, 0, renamed.stdout + renamed.stderr);
  assert.match(renamed.stdout, /routing {3}160 same {3}0 different/);
});

test('recorded faults are left out, or hit exactly the same commands again', async (t) => {
  const faults = `          faults:
          - { fault_type: ERROR, fault_enabled: { default_value: { numerator: 50 } }, commands: [SET] }
          - { fault_type: DELAY, delay: 0.001s, fault_enabled: { default_value: { numerator: 20 } } }`;
  const file = await session(t, ['--no-watch', '--mesh', meshFile(t, faults)]);
  const hits = readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => /"f":\[\{[^}]*"kind":"error"/.test(line)).length;
  assert.ok(hits > 0);
  await flush();
  const args = ['replay', file, '-u', seed(), '--speed', 'max'];
  const again = await runProgram(t, [...args, '--faults', 'recorded']);
  assert.equal(again.code, 0, again.stdout + again.stderr);
  const rounds = await runProgram(t, [...args, '--faults', 'recorded', '--times', '2', '--flush']);
  assert.equal(rounds.code, 0, rounds.stdout + rounds.stderr);
  const others = path.join(path.dirname(file), 'faults');
  writeFileSync(others, '# no counting\n\nerror 100% cmd=INCR\n');
  const other = await runProgram(t, [
    ...args,
    '--flush',
    '--json',
    '--faults',
    others,
    '-f',
    'cmd=INCR',
  ]);
  const report = JSON.parse(other.stdout) as { sent: number; replies: { different: number } };
  assert.deepEqual([other.code, report.replies.different], [1, report.sent], other.stdout);
  assert.equal((await runProgram(t, [...args, '--faults', `${others}-none`])).code, 64);
  await flush();
  const without = await runProgram(t, args);
  assert.match(without.stderr, new RegExp(`^rmtop: ${hits} commands had been hit by faults`, 'm'));
  assert.equal(without.code, 1, without.stdout);
});

test('what was there before is put there first; a transaction is replayed whole', async (t) => {
  await flush();
  const direct = await TestClient.connect(cluster().nodes[0]?.port ?? 0);
  t.after(() => direct.close());
  const file = path.join(folder(t), 'a.rmtop');
  const rmtop = startProgram(t, ['record', '-q', '-o', file, '-l', '127.0.0.1:0', '-u', seed()]);
  const [, port] = await rmtop.says(/listening on 127\.0\.0\.1:(\d+)/);
  const before = startProgram(t, ['-q', '--no-tui', '-l', '127.0.0.1:0', '-u', seed()]);
  const [, otherPort] = await before.says(/listening on 127\.0\.0\.1:(\d+)/);
  const setUp = await TestClient.connect(Number(otherPort));
  const client = await TestClient.connect(Number(port));
  t.after(() => {
    setUp.close();
    client.close();
  });
  await setUp.pipeline([
    ['SET', 'name', 'value', 'EX', '1000'],
    ['HSET', 'h', 'a', '1', 'b', '2'],
    ['RPUSH', 'l', 'x', 'y'],
    ['SADD', 's', 'm'],
    ['ZADD', 'z', '1.5', 'one', '2', 'two'],
    ['SET', 'count', '41'],
    ['SET', 'hidden', 'abc'],
  ]);
  await client.pipeline([
    ['GET', 'name'],
    ['TTL', 'name'],
    ['HGETALL', 'h'],
    ['LRANGE', 'l', '0', '-1'],
    ['SMEMBERS', 's'],
    ['ZRANGE', 'z', '0', '-1', 'WITHSCORES'],
    ['INCR', 'count'],
    ['GET', 'none'],
  ]);
  await client.pipeline([['MULTI'], ['INCR', 'count'], ['EXEC']]);
  await client.ask('STRLEN', 'hidden');
  client.close();
  await until(() => readFileSync(file, 'utf8').includes('"k":"end"'));
  rmtop.child.kill('SIGTERM');
  await rmtop.ended;
  const args = ['replay', file, '-u', seed(), '--speed', 'max', '--flush'];
  const empty = await runProgram(t, args);
  assert.equal(empty.code, 1, empty.stderr);
  assert.match(empty.stdout, / 9 DIFFERENT /);
  const seeded = await runProgram(t, [...args, '--seed-state']);
  assert.match(seeded.stderr, /what 1 keys held at first is not in the recording: "hidden"/);
  assert.match(seeded.stdout, / 1 DIFFERENT /);
  assert.match(seeded.stdout, /STRLEN hidden {3}\(integer\) 3 {2}> {2}\(integer\) 0/);
  const filtered = await runProgram(t, [...args, '--seed-state', '-f', 'incr']);
  assert.equal(filtered.code, 0, filtered.stdout);
  assert.match(filtered.stdout, /^replayed 4 of 4 commands/);
});

test('writes go nowhere but to this machine; an upstream that is not there is told', async (t) => {
  const file = await session(t);
  const far = await runProgram(t, ['replay', file, '--direct', '-u', '192.0.2.1:6379']);
  assert.deepEqual(
    [far.code, /error\[WRITES_REFUSED\][\s\S]*--allow-writes/.test(far.stderr)],
    [6, true],
  );
  const none = await runProgram(t, ['replay', file, '-u', '127.0.0.1:1']);
  assert.deepEqual(
    [none.code, /error\[UPSTREAM_UNREACHABLE\]/.test(none.stderr)],
    [4, true],
    none.stderr,
  );
  for (const wrong of [
    ['--only', 'x', '--tolerate', 'x'],
    ['--mesh', 'x'],
  ])
    assert.equal((await runProgram(t, ['replay', file, ...wrong])).code, 64, wrong.join(' '));
});

test('diff: a recording and itself, one with an inserted command, one with another value', async (t) => {
  const file = await session(t);
  const same = await runProgram(t, ['diff', file, file]);
  assert.deepEqual([same.code, same.stdout], [0, '']);
  const other = path.join(path.dirname(file), 'b.rmtop');
  const lines = readFileSync(file, 'utf8').split('\n');
  const at = lines.findIndex((line) => line.includes('"a":["GET","k7"]'));
  const line = lines[at] ?? '';
  lines[at] = line.replace('"r":"7"', '"r":"8"');
  // An extra command of the same client, at the same place.
  const before = lines.findIndex((each) => each.includes('"a":["GET","k3"]'));
  const inserted = (lines[before] ?? '')
    .replace('"GET","k3"', '"GET","inserted"')
    .replace(/"n":(\d+)/, (_all, n: string) => `"n":${Number(n) - 0.5}`);
  lines.splice(before, 0, inserted);
  writeFileSync(other, lines.join('\n'));
  const found = await runProgram(t, ['diff', file, other]);
  assert.equal(found.code, 1, found.stderr);
  const changes = found.stdout.split('\n').filter((each) => /^[-+](?![-+])/.test(each));
  assert.deepEqual(
    changes.map((each) => each.trimEnd()),
    ['+GET inserted   "3"', '-GET k7   "7"', '+GET k7   "8"'],
    found.stdout,
  );
  const again = path.join(path.dirname(file), 'none.rmtop');
  assert.equal((await runProgram(t, ['diff', file, again])).code, 64);
});
