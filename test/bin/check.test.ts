/** `rmtop check`: the real program, against files and real servers. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import test, { type TestContext } from 'node:test';
import type { Report } from '../../bin/check/report.js';
import { ask, sharedCluster, sharedServer } from '../helpers/cluster.js';
import { bootstrap, cluster, socket, TO_A } from '../helpers/mesh-files.js';
import { runProgram } from '../helpers/program.js';
import { until } from '../helpers/until.js';

const { cluster: redisCluster } = sharedCluster();
const single = sharedServer();
const replica = sharedServer();
const locked = sharedServer(['--requirepass', 'right-pw']);

/** Nobody listens on this one. */
const closed = 1;

const REDIS_CLUSTER = 'lb_policy: CLUSTER_PROVIDED, cluster_type: {name: envoy.clusters.redis}';
const login = (password: string): string =>
  `typed_extension_protocol_options: {envoy.filters.network.redis_proxy: {"@type": type.googleapis.com/envoy.extensions.filters.network.redis_proxy.v3.RedisProtocolOptions, auth_password: {inline_string: ${password}}}}`;

/** A folder with these files, gone with the test. */
function folder(t: TestContext, files: Readonly<Record<string, string>>): string {
  const made = mkdtempSync(path.join(tmpdir(), 'rmtop-check-'));
  t.after(() => rmSync(made, { recursive: true, force: true }));
  for (const [name, text] of Object.entries(files)) writeFileSync(path.join(made, name), text);
  return made;
}

async function checkJson(
  t: TestContext,
  args: readonly string[],
): Promise<{ readonly code: number | string; readonly report: Report; readonly text: string }> {
  const { code, stdout, stderr } = await runProgram(t, ['check', '--json', ...args]);
  assert.equal(stdout.split('\n').length, 2, `one line of JSON:\n${stdout}\n${stderr}`);
  return { code, report: JSON.parse(stdout) as Report, text: stdout };
}

/** Checks one bootstrap with these clusters behind `proxy`, and asks the servers. */
function probe(t: TestContext, clusters: readonly string[], proxy = TO_A, more: string[] = []) {
  const made = folder(t, { 'mesh.yaml': bootstrap(proxy, clusters) });
  return checkJson(t, [made, '--probe', ...more]);
}

const codesOf = ({ diagnostics }: Report): string[] => diagnostics.map(({ code }) => code);
const theOnly = ({ diagnostics }: Report): Report['diagnostics'][number] => {
  assert.equal(diagnostics.length, 1, JSON.stringify(diagnostics));
  return diagnostics[0] ?? assert.fail();
};

test('what is well is said to be: the routing table, faults, logins without their passwords; exit 0', async (t) => {
  const made = folder(t, {
    'mesh.yaml': bootstrap(
      `prefix_routes:
  routes: [{prefix: "session:", remove_prefix: true, cluster: b, read_command_policy: {cluster: a}}]
  catch_all_route: {cluster: a, request_mirror_policy: [{cluster: b, exclude_read_commands: true, runtime_fraction: {default_value: {numerator: 25}}}]}
downstream_auth_password: {inline_string: clients-secret}
faults: [{fault_type: ERROR, fault_enabled: {default_value: {numerator: 10}}, commands: [GET]}]`,
      [
        cluster('a', [7001, 7002, 7003]),
        cluster('b', [7010], `type: STATIC, ${login('servers-secret')}`),
      ],
    ),
    'other.yaml': 'kind: Deployment\napiVersion: apps/v1\n',
  });
  const { code, stdout, stderr } = await runProgram(t, ['check', made]);
  assert.equal(stderr, '');
  assert.equal(code, 0);
  assert.match(stdout, /^ok: 2 files, 1 Redis listener, 0 errors, 0 warnings\n/);
  for (const says of [
    /test: port 6400 of 127\.0\.0\.1, Envoy 1\.40, stat_prefix test/,
    /prefix +upstream +kind +chosen by +mirrors/,
    /"session:" removed +b, reads a +1 host/,
    /\(all else\) +a +3 hosts +MAGLEV +25% of writes b/,
    /clients log in \(1 password\)/,
    /b: 127\.0\.0\.1:7010 \(the proxy logs in\)/,
    /fault m1: ERROR, 10% of get/,
    /Envoy 1\.40 refuses \d+ of Redis's commands, among them BLPOP/,
    /passed over, for they are not the mesh's: 1 Deployment/,
  ])
    assert.match(stdout, says);
  assert.doesNotMatch(stdout, /secret/);
  assert.doesNotMatch(stdout, /asked/, 'nobody is dialled unasked');
});

test('errors: their place, what the mesh does, what to write; exit 3', async (t) => {
  const made = folder(t, {
    'mesh.yaml':
      'stat_prefix: s\nsettings: {op_timeout: 5}\nprefix_routes: {catch_all_route: {cluster: a}}\n',
  });
  const { code, stdout } = await runProgram(t, ['check', made]);
  assert.equal(code, 3);
  assert.match(stdout, /^not ok: 1 file, 1 Redis listener, 2 errors/);
  assert.match(
    stdout,
    /mesh\.yaml:2:24: error\[READ-DURATION\]: settings\.op_timeout is '5'.*\n {4}so: .*\n {4}next: write 5s/,
  );
  const { code: same, report } = await checkJson(t, [made]);
  assert.equal(same, 3);
  assert.equal(report.ok, false);
  assert.deepEqual(codesOf(report), ['READ-DURATION', 'ENVOY-UNKNOWNCLUSTER']);
  assert.deepEqual(
    [report.diagnostics[0]?.line, report.diagnostics[0]?.column, report.diagnostics[0]?.file],
    [2, 24, path.join(made, 'mesh.yaml')],
  );
});

test('what is written and does not take effect is listed, as generated and as intended', async (t) => {
  const made = folder(t, {
    'mesh.yaml': `apiVersion: redis.aeraki.io/v1alpha1
kind: RedisService
metadata: {name: a, namespace: shop}
spec: {host: [a.shop.svc.cluster.local], settings: {readPolicy: PREFER_REPLICA, caseInsensitive: true}}
`,
  });
  for (const [flags, policy] of [
    [[], 'PREFER_MASTER'],
    [['--intended'], 'PREFER_REPLICA'],
  ] as const) {
    const { report } = await checkJson(t, [made, ...flags]);
    assert.equal(report.listeners[0]?.settings.readPolicy, policy);
    const settings = report.notInForce.map(({ setting }) => setting);
    assert.ok(settings.includes('settings.readPolicy: PREFER_REPLICA'), settings.join('; '));
    assert.ok(settings.includes('settings.caseInsensitive: true'), settings.join('; '));
  }
});

test('flags that override the files are applied, and said', async (t) => {
  const made = folder(t, { 'mesh.yaml': bootstrap(TO_A) });
  const { report } = await checkJson(t, [
    made,
    '--route',
    'x:=127.0.0.1:7009',
    '--fault',
    'error 50% cmd=GET',
    '--read-policy',
    'ANY',
  ]);
  const [listener] = report.listeners;
  assert.deepEqual(
    listener?.routes.map(({ prefix, upstream }) => [prefix, upstream]),
    [
      ['x:', '127.0.0.1:7009'],
      [null, 'a'],
    ],
  );
  assert.deepEqual(
    listener?.faults.map(({ id, isMesh }) => [id, isMesh]),
    [['t1', false]],
  );
  assert.ok(report.notes.some((note) => note.includes('--read-policy overrides the files: ANY')));
});

test('a Redis Cluster behind MAGLEV: the MOVED trap, with the share of keys', async (t) => {
  const ports = redisCluster().nodes.map(({ port }) => port);
  const { code, report } = await probe(t, [cluster('a', ports)]);
  assert.equal(code, 3);
  const { code: found, message, consequence, advice, line } = theOnly(report);
  assert.equal(found, 'UPSTREAM-MISMATCH');
  assert.match(message, /by MAGLEV, and these are nodes of a Redis Cluster/);
  // Three primaries and three replicas share the keys; a sixth of them comes to the owner of its slot.
  assert.match(consequence, /about 83 of 100 keys are answered MOVED, and clients get that/);
  assert.match(advice, /envoy\.clusters\.redis/);
  assert.ok(line > 1, 'at the cluster');
  assert.equal(report.listeners[0]?.asked?.[0]?.servers.length, 6);

  const one = await probe(t, [cluster('a', ports.slice(0, 1))]);
  assert.match(theOnly(one.report).consequence, /about 67 of 100/);
  const followed = await probe(
    t,
    [cluster('a', ports)],
    `settings: {op_timeout: 5s, enable_redirection: true}\n${TO_A}`,
  );
  assert.equal(theOnly(followed.report).level, 'warning');
  assert.equal(followed.code, 0);
});

test('a single server behind a Redis Cluster config', async (t) => {
  const { code, report } = await probe(t, [cluster('a', [single.port()], REDIS_CLUSTER)]);
  assert.equal(code, 3);
  const { code: found, message, consequence } = theOnly(report);
  assert.equal(found, 'UPSTREAM-MISMATCH');
  assert.match(message, /is taken for a Redis Cluster, and 127\.0\.0\.1:\d+ is none/);
  assert.match(consequence, /never becomes ready/);
});

test('what the files say is what is there: each node is shown, exit 0', async (t) => {
  const ports = redisCluster().nodes.map(({ port }) => port);
  const made = folder(t, {
    'mesh.yaml': bootstrap(
      'prefix_routes: {routes: [{prefix: p, cluster: b}], catch_all_route: {cluster: a}}',
      [cluster('a', ports.slice(0, 1), REDIS_CLUSTER), cluster('b', [single.port()])],
    ),
  });
  const { code, stdout } = await runProgram(t, ['check', made, '--probe']);
  assert.equal(code, 0, stdout);
  assert.equal(
    [...stdout.matchAll(/node of a Redis Cluster of 6, primary of 54\d\d slots/g)].length,
    3,
  );
  assert.equal([...stdout.matchAll(/node of a Redis Cluster of 6, replica/g)].length, 3);
  assert.match(stdout, new RegExp(`127\\.0\\.0\\.1:${single.port()} {2}one server, primary`));
});

test('a replica among hosts that get writes', async (t) => {
  await ask(replica.port(), ['REPLICAOF', '127.0.0.1', String(single.port())]);
  await until(
    async () => String(await ask(replica.port(), ['ROLE'])).startsWith('slave'),
    'its role',
  );
  const { code, report } = await probe(t, [cluster('a', [single.port(), replica.port()])]);
  assert.equal(code, 3);
  const { message, consequence } = theOnly(report);
  assert.match(
    message,
    new RegExp(`127\\.0\\.0\\.1:${replica.port()} by MAGLEV, which is a replica`),
  );
  assert.match(consequence, /READONLY/);
});

test('logins: refused, missing, needless, right; never shown', async (t) => {
  const at = (port: number, more: string): string =>
    cluster('a', [port], `type: STATIC, lb_policy: MAGLEV${more}`);
  const wrong = await probe(t, [at(locked.port(), `, ${login('wrong-pw')}`)]);
  assert.equal(theOnly(wrong.report).code, 'UPSTREAM-LOGIN');
  assert.match(theOnly(wrong.report).message, /refuses the login of a: WRONGPASS/);
  assert.match(theOnly(wrong.report).consequence, /Envoy does not look at the answer/);
  const missing = await probe(t, [at(locked.port(), '')]);
  assert.match(theOnly(missing.report).message, /NOAUTH/);
  assert.match(theOnly(missing.report).consequence, /no login is configured/);
  const needless = await probe(t, [at(single.port(), `, ${login('needless-pw')}`)]);
  assert.deepEqual([theOnly(needless.report).level, needless.code], ['warning', 0]);
  const right = await probe(t, [at(locked.port(), `, ${login('right-pw')}`)]);
  assert.deepEqual([codesOf(right.report), right.code], [[], 0]);
  for (const { text } of [wrong, missing, needless, right]) assert.doesNotMatch(text, /-pw/);
});

test('servers that cannot be reached: what to type, as the name tells', async (t) => {
  const refused = await probe(t, [cluster('a', [closed])]);
  assert.equal(refused.code, 3);
  assert.equal(theOnly(refused.report).code, 'UPSTREAM-UNREACHABLE');
  assert.match(theOnly(refused.report).message, /refused the connection/);

  const name = 'redis-0.redis.shop.svc.cluster.local';
  const far = `{name: a, ${REDIS_CLUSTER}, connect_timeout: 0.2s, load_assignment: {endpoints: [{lb_endpoints: [{endpoint: {address: ${socket(name, 6379)}}}]}]}}`;
  const unmapped = await probe(t, [far]);
  assert.equal(theOnly(unmapped.report).code, 'MAP-MISSING');
  assert.equal(
    theOnly(unmapped.report).advice,
    `kubectl -n shop port-forward pod/redis-0 63790:6379, and --map ${name}:6379=127.0.0.1:63790`,
  );
  const mapped = await probe(t, [far], TO_A, ['--map', `${name}:6379=127.0.0.1:${closed}`]);
  assert.equal(theOnly(mapped.report).code, 'UPSTREAM-UNREACHABLE');
  assert.match(theOnly(mapped.report).advice, new RegExp(`forwards 127\\.0\\.0\\.1:${closed}`));

  const ports = redisCluster().nodes.map(({ port }) => port);
  const oneSeed = await probe(t, [cluster('a', [closed, ports[0] ?? 0], REDIS_CLUSTER)]);
  assert.equal(theOnly(oneSeed.report).level, 'warning', 'another seed is enough');
});

test('--upstream alone shows each node; nodes folded into one by the map are said where replicas are wanted', async (t) => {
  const ports = redisCluster().nodes.map(({ port }) => port);
  const upstream = ['--upstream', `127.0.0.1:${ports[0]}`];
  const plain = await checkJson(t, upstream);
  assert.deepEqual([plain.code, codesOf(plain.report)], [0, []]);
  const [asked] = plain.report.listeners[0]?.asked ?? [];
  assert.equal((asked?.servers.length ?? 0) + (asked?.announced.length ?? 0), 6);

  const fold = ports
    .slice(1)
    .flatMap((port) => ['--map', `127.0.0.1:${port}=127.0.0.1:${ports[0]}`]);
  const folded = await checkJson(t, [...upstream, ...fold, '--read-policy', 'REPLICA']);
  const { code, file, line } = theOnly(folded.report);
  assert.deepEqual([code, file, line, folded.code], ['MAP-FOLDED', '--upstream', 0, 0]);
  const primary = await checkJson(t, [...upstream, ...fold]);
  assert.deepEqual(codesOf(primary.report), [], 'without a wish for replicas it is harmless');
});

test('--upstream beside files asks the servers that it puts in place of the catch-all', async (t) => {
  const made = folder(t, {
    'mesh.yaml': bootstrap(
      'prefix_routes: {routes: [{prefix: p, cluster: b}], catch_all_route: {cluster: a}}',
      [cluster('a'), cluster('b', [closed])],
    ),
  });
  const { code, report } = await checkJson(t, [made, '-u', `127.0.0.1:${single.port()}`]);
  assert.deepEqual([code, codesOf(report)], [0, []]);
  assert.deepEqual(
    report.listeners[0]?.asked?.map(({ name }) => name),
    ['a'],
  );
});

test('wrong use and files that cannot be read say what to type; nothing of a file acts on the terminal', async (t) => {
  const nothing = await runProgram(t, ['check']);
  assert.equal(nothing.code, 64);
  assert.match(nothing.stderr, /next: rmtop check mesh\.yaml/);
  const missing = await runProgram(t, ['check', '/no/such/file.yaml']);
  assert.equal(missing.code, 64);
  assert.match(missing.stderr, /error\[FILE_UNREADABLE\]: \/no\/such\/file\.yaml cannot be read/);
  const made = folder(t, {
    'mesh.yaml': bootstrap('prefix_routes: {catch_all_route: {cluster: "a\\e[2Jb\\u202e"}}'),
  });
  const odd = await runProgram(t, ['check', made]);
  assert.equal(odd.code, 3);
  assert.match(odd.stdout, /cluster 'a\\x1b\[2Jb\\u\{202e\}'/);
  assert.doesNotMatch(odd.stdout, /[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]/);
});
