/** `rmtop --admin`: the page of the real program, with one listener or several, and while its files change. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import test, { type TestContext } from 'node:test';
import { get } from '../helpers/admin.js';
import { TestClient } from '../helpers/client.js';
import { sharedServer } from '../helpers/cluster.js';
import { runProgram, startProgram } from '../helpers/program.js';
import { until } from '../helpers/until.js';

const server = sharedServer();
const PAGE = /admin page on http:\/\/127\.0\.0\.1:(\d+)\//;

function folderOf(t: TestContext): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'rmtop-test-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** A listener of each name in `names`, all to the one server. */
function meshOf(names: readonly string[], readPolicy: string): string {
  const listeners = names.map(
    (name) => `
  - name: ${name}
    address: {socket_address: {address: 127.0.0.1, port_value: 0}}
    filter_chains:
    - filters:
      - name: envoy.filters.network.redis_proxy
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.filters.network.redis_proxy.v3.RedisProxy
          stat_prefix: ${name}-stats
          settings: {op_timeout: 5s, read_policy: ${readPolicy}, enable_command_stats: true}
          downstream_auth_passwords: [{inline_string: clients-s3cret}]
          prefix_routes: {catch_all_route: {cluster: ${name}-cache}}`,
  );
  const clusters = names.map(
    (name) => `
  - name: ${name}-cache
    type: STATIC
    lb_policy: MAGLEV
    load_assignment: {cluster_name: ${name}-cache, endpoints: [{lb_endpoints: [{endpoint: {address: {socket_address: {address: 127.0.0.1, port_value: ${server.port()}}}}}]}]}`,
  );
  return `static_resources:\n  listeners:${listeners.join('')}\n  clusters:${clusters.join('')}\n`;
}

const at = (port: string | undefined): { host: string; port: number } => ({
  host: '127.0.0.1',
  port: Number(port),
});

test('--admin opens the page, says where, and closes it at the end', async (t) => {
  const rmtop = startProgram(t, [
    ...['-q', '-l', '127.0.0.1:0', '-u', `127.0.0.1:${server.port()}`],
    ...['--admin', '127.0.0.1:0'],
  ]);
  const page = at((await rmtop.says(PAGE))[1]);
  const listening = await rmtop.says(/listening on 127\.0\.0\.1:(\d+)/);
  const client = await TestClient.connect(Number(listening[1]));
  for (let i = 0; i < 3; i++) await client.ask('GET', 'k');
  await until(async () =>
    /^redis\.rmtop\.command\.get\.success: 3$/m.test((await get(page, '/stats')).body),
  );
  assert.match(
    (await get(page, '/stats/prometheus')).body,
    /envoy_redis_command_get_total\{envoy_redis_prefix="rmtop"\} 3\n/,
  );
  client.close();
  rmtop.child.kill('SIGTERM');
  assert.equal(await rmtop.ended, 143);
  await assert.rejects(get(page, '/ready'), /ECONNREFUSED/);
});

test('one page for all listeners of a mesh; it follows the files, and no password is on it', async (t) => {
  const file = path.join(folderOf(t), 'mesh.yaml');
  writeFileSync(file, meshOf(['shop', 'cart'], 'MASTER'));
  const rmtop = startProgram(t, ['-q', '--mesh', file, '--admin', '127.0.0.1:0']);
  const page = at((await rmtop.says(PAGE))[1]);
  const listening = await rmtop.says(/cart: listening on 127\.0\.0\.1:(\d+)/);
  const client = await TestClient.connect(Number(listening[1]));
  assert.equal(await client.ask('AUTH', 'clients-s3cret'), '+OK\r\n');
  await client.ask('SET', 'k', 'v');
  await until(async () =>
    /^cluster\.cart-cache\.redis_cluster\.upstream_commands\.set\.success: 1$/m.test(
      (await get(page, '/stats')).body,
    ),
  );
  const stats = (await get(page, '/stats')).body;
  assert.match(stats, /^redis\.cart-stats\.command\.set\.total: 1$/m);
  assert.match(stats, /^redis\.shop-stats\.command\.set\.total: 0$/m);
  const dump = (await get(page, '/config_dump')).body;
  assert.match(dump, /"name": "shop"[\s\S]*"name": "cart"/);
  assert.match(dump, /\[redacted\]/);
  writeFileSync(file, meshOf(['shop', 'cart'], 'ANY'));
  await until(async () => /"read_policy": "ANY"/.test((await get(page, '/config_dump')).body));
  await client.ask('SET', 'k', 'v');
  await until(async () =>
    /^redis\.cart-stats\.command\.set\.total: 2$/m.test((await get(page, '/stats')).body),
  );
  for (const text of [dump, stats, rmtop.stderr(), (await get(page, '/')).body])
    assert.doesNotMatch(text, /s3cret/);
  client.close();
});

test('a wrong address, one that others can reach and one that is taken are told, and nothing stays', async (t) => {
  const taken = createServer();
  await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
  t.after(() => taken.close());
  const bound = taken.address();
  const busy = bound !== null && typeof bound === 'object' ? bound.port : 0;
  const cases: [readonly string[], number, RegExp][] = [
    [['--admin', 'nowhere'], 64, /error\[BAD_ADDRESS\][\s\S]*next:.*--admin 127\.0\.0\.1:9901/],
    [['--admin', '0.0.0.0:9901'], 64, /open to other machines[\s\S]*--admin-any/],
    [['--admin-any'], 64, /error\[USAGE\].*--admin-any without --admin/],
    [['--admin', `127.0.0.1:${busy}`], 4, /error\[LISTEN_IN_USE\].*admin page[\s\S]*next:/],
  ];
  for (const [flags, code, text] of cases) {
    const args = ['-l', '127.0.0.1:0', '-u', `127.0.0.1:${server.port()}`, ...flags];
    const result = await runProgram(t, args);
    assert.equal(result.code, code, `${flags.join(' ')}: ${result.stderr}`);
    assert.match(result.stderr, text);
    assert.doesNotMatch(result.stderr, /\n\s+at /, 'a stack trace');
  }
});

test('--admin-any lets others in, on any address', async (t) => {
  const rmtop = startProgram(t, [
    ...['-q', '-l', '127.0.0.1:0', '-u', `127.0.0.1:${server.port()}`],
    ...['--admin', '0.0.0.0:0', '--admin-any'],
  ]);
  const [, port] = await rmtop.says(/admin page on http:\/\/0\.0\.0\.0:(\d+)\//);
  const answer = await get(at(port), '/ready', { headers: { host: 'rmtop.example:9901' } });
  assert.equal(answer.body, 'LIVE\n');
  await rmtop.says(/whoever can reach 0\.0\.0\.0:\d+ can read the statistics/);
});
