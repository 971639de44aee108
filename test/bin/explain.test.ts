/** `rmtop explain` on real servers: where a command would go, why, and what did not match; nothing is sent. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import test, { type TestContext } from 'node:test';
import { ask, sharedCluster, sharedServer } from '../helpers/cluster.js';
import { runProgram } from '../helpers/program.js';
import { folder } from '../helpers/record-files.js';

const { cluster } = sharedCluster();
const { port } = sharedServer();

const seed = (): string => `127.0.0.1:${cluster().nodes[0]?.port ?? 0}`;
const single = (): string => `127.0.0.1:${port()}`;

/** What it prints, line by line without the blanks around. */
async function explained(t: TestContext, ...args: readonly string[]): Promise<string[]> {
  const { code, stdout, stderr } = await runProgram(t, ['explain', ...args]);
  assert.equal(code, 0, stderr);
  return stdout
    .trimEnd()
    .split('\n')
    .map((line) => line.trim().replace(/ {2,}/g, ' '));
}

test('a read on a real cluster: route, slot, candidates by name, node', async (t) => {
  const lines = await explained(
    t,
    ...['-u', seed(), '--read-policy', 'PREFER_REPLICA', 'GET', 'cart:{42}:items'],
  );
  assert.deepEqual(lines.slice(0, 4), [
    'GET cart:{42}:items',
    'route catch-all > redis',
    'place slot 8000 = crc16("42") mod 16384, the {tag} of "cart:{42}:items", owner s1 5461-10922',
    'choose a read under PREFER_REPLICA: only s1.r1',
  ]);
  assert.match(lines[4] ?? '', /^node s1\.r1 127\.0\.0\.1:\d+ \(replica\)$/);
});

test('nothing is sent: the key is not there afterwards', async (t) => {
  await explained(t, '-u', single(), 'SET', 'explained', '1');
  assert.equal(await ask(port(), ['EXISTS', 'explained']), 0);
});

test('routes, mirrors and faults by flags: what matched, what did not, and the draws', async (t) => {
  const args = [
    ...['-u', seed(), '--route', `user:=${single()}`, '--mirror', `${single()},10%,writes`],
    ...['--seed', '7', '--fault', 'error 50% cmd=GET'],
  ];
  const write = await explained(t, ...args, 'SET', 'user:1', 'x');
  assert.ok(write.includes('fault t1: not in its scope cmd=GET'), write.join('\n'));
  assert.match(write.join('\n'), /^route prefix "user:" > /m);
  assert.match(write.join('\n'), /^mirror .*(drew \d+ of 100, share 10)/m);
  const read = await explained(t, ...args, 'GET', 'cart:1');
  assert.match(read.join('\n'), /^fault t1: drew [\d.]+ of 100, (not )?below 50$/m);
  assert.match(read.join('\n'), /^route catch-all \(not "user:"\) > redis$/m);
  assert.match(read.join('\n'), /^mirror .*: no copy, reads are excluded$/m);
  assert.deepEqual(await explained(t, ...args, 'GET', 'cart:1'), read, 'the same seed');
});

test('the same slot is another shard of another upstream: the owner is that of the route taken', async (t) => {
  const { nodes } = cluster();
  const lines = await explained(
    t,
    ...['-u', single(), '--route', `c:=127.0.0.1:${nodes[0]?.port}`, 'GET', 'c:{42}'],
  );
  assert.match(lines.join('\n'), /place slot 8000 = .*, owner s1 5461-10922/);
});

test('a hashed set from its YAML: the table entry, and no say for the read policy', async (t) => {
  const file = path.join(folder(t), 'envoy.yaml');
  writeFileSync(file, hashedSet([port(), cluster().nodes[0]?.port ?? 0]));
  const lines = await explained(t, '--mesh', file, 'GET', 'cart:{42}:items');
  assert.match(
    lines[2] ?? '',
    /^place MAGLEV entry \d+ of 65537 = murmur\("cart:\{42\}:items"\) 15165556674457346406$/,
  );
  assert.equal(lines[3], 'choose each host counts as a primary: the read policy has no say');
  assert.match(lines[4] ?? '', /^node h[01] 127\.0\.0\.1:\d+ \(primary\)$/);
});

test('--from explains a file, a line each: redis-cli lines and RESP', async (t) => {
  const file = path.join(folder(t), 'commands.txt');
  writeFileSync(file, '# a comment\n\nGET foo\nSET bar "a b"\nBLPOP q 0\nPING\nMGET foo bar\n');
  assert.deepEqual(await explained(t, '-u', seed(), '--from', file), [
    'GET foo > s2.p slot 12182 by the catch-all',
    'SET bar a b > s0.p slot 5061 by the catch-all',
    "BLPOP q 0 > -ERR unknown command 'BLPOP', with args beginning with: q",
    'PING > answered by the proxy',
    'MGET foo bar > s2.p slot 12182 | s0.p slot 5061 by the catch-all',
  ]);
  writeFileSync(file, '*2\r\n$3\r\nGET\r\n$3\r\nfoo\r\n*1\r\n$4\r\nPING\r\n');
  assert.deepEqual(await explained(t, '-u', seed(), '--from', file), [
    'GET foo > s2.p slot 12182 by the catch-all',
    'PING > answered by the proxy',
  ]);
});

test('--json prints the Decision', async (t) => {
  const [line = ''] = await explained(t, '-u', seed(), '--json', 'GET', 'foo');
  const { action } = JSON.parse(line) as { action: { parts: [{ to: { slot: number } }] } };
  assert.equal(action.parts[0].to.slot, 12182);
});

test('what cannot be explained says why and what to do', async (t) => {
  const file = path.join(folder(t), 'broken.txt');
  writeFileSync(file, 'GET foo\nSET "unbalanced\n');
  const cases: readonly (readonly [args: readonly string[], code: number, says: RegExp])[] = [
    [[], 64, /explain what\?[\s\S]*next: rmtop explain GET/],
    [['-u', '127.0.0.1:1', 'GET', 'x'], 4, /cannot ask 127\.0\.0\.1:1 for its topology/],
    [['-u', single(), '--from', '/nonexistent'], 64, /--from \/nonexistent cannot be read/],
    [['-u', single(), '--from', file], 64, /broken\.txt:2 is no command/],
    [['-u', single(), '--fault', 'error 50% kye=x', 'GET', 'x'], 64, /unknown field "kye"/],
    [['-u', single(), '--seed', 'x', 'GET', 'x'], 64, /--seed/],
  ];
  for (const [args, code, says] of cases) {
    const ended = await runProgram(t, ['explain', ...args]);
    assert.match(ended.stderr, says);
    assert.equal(ended.code, code, ended.stderr);
    assert.doesNotMatch(ended.stderr, /^ +at /m, 'a stack trace');
    assert.equal(ended.stdout, '');
  }
});

function hashedSet(ports: readonly number[]): string {
  const hosts = ports.map(
    (each) =>
      `        - endpoint: { address: { socket_address: { address: 127.0.0.1, port_value: ${each} } } }`,
  );
  return `static_resources:
  listeners:
  - name: redis
    address: { socket_address: { address: 127.0.0.1, port_value: 0 } }
    filter_chains:
    - filters:
      - name: envoy.filters.network.redis_proxy
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.filters.network.redis_proxy.v3.RedisProxy
          stat_prefix: redis
          settings: { op_timeout: 5s }
          prefix_routes: { catch_all_route: { cluster: hashed } }
  clusters:
  - name: hashed
    type: STATIC
    connect_timeout: 1s
    lb_policy: MAGLEV
    load_assignment:
      cluster_name: hashed
      endpoints:
      - lb_endpoints:
${hosts.join('\n')}
`;
}
